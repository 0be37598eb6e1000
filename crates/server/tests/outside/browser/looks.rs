//! How the pages look: by day and by night, on a desk and on a phone, and the page that explains the API.
//! Judging the pictures is left to people; what can be measured is measured here.

use serde_json::{Value, json};

use super::scene::walk;

const PAGES: [(&str, &str); 4] =
    [("front", "/"), ("empty", "/apps/assistant"), ("docs", "/docs"), ("lost", "/nowhere")];

#[tokio::test]
async fn by_day_and_by_night_on_a_desk_and_on_a_phone() {
    walk("looks", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Tell me everything").await;
        person.answer().await;
        let talk = person.path().await;
        let pages = PAGES.into_iter().chain([("talk", talk.as_str())]);
        for (name, path) in pages {
            let mut papers = Vec::new();
            for scheme in ["light", "dark"] {
                person.prefers(scheme).await;
                for phone in [false, true] {
                    if phone {
                        person.phone().await
                    } else {
                        person.desk().await
                    }
                    person.open(path).await;
                    let size = if phone { "phone" } else { "desk" };
                    person.look(&format!("{name}-{scheme}-{size}")).await;
                    let too_wide = person
                        .value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                        .await;
                    assert_eq!(too_wide, json!(0), "{name} on a {size} is too wide");
                    assert_eq!(person.value(ILLEGIBLE).await, json!([]), "{name} {scheme} {size}");
                    if phone {
                        assert_eq!(person.value(SMALL).await, json!([]), "{name}: too small for a finger");
                    }
                    person.nothing_amiss().await;
                }
                papers.push(person.value("getComputedStyle(document.body).backgroundColor").await);
            }
            assert_ne!(papers[0], papers[1], "{name} is the same by night");
        }
    })
    .await;
}

/// Texts whose colour is less than 4.5 times as far from their ground as WCAG 2 asks for; grounds with pictures or
/// part-transparent colours are left out.
pub const ILLEGIBLE: &str = r#"(() => {
  const channels = (colour) => colour.match(/[\d.]+/g)?.map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const colour = style.backgroundColor;
      if (!colour.startsWith("rgb") || style.backgroundImage !== "none") return null;
      const [r, g, b, alpha = 1] = channels(colour);
      if (alpha === 1) return [r, g, b];
      if (alpha !== 0) return null;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!words || !one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || one.closest("[disabled]")) continue;
    const colour = getComputedStyle(one).color;
    const under = ground(one);
    if (!under || !colour.startsWith("rgb(")) continue;
    const [a, b] = [light(channels(colour)), light(under)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(`${one.outerHTML.slice(0, 90)} ${contrast.toFixed(2)}`);
  }
  return found;
})()"#;

/// Buttons and links of their own that a finger misses (under 44 pixels); links within a text are left out.
pub const SMALL: &str = r#"[...document.querySelectorAll("button, summary, a")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".prose, .skip, p, li li, .foot, .contents, h3, small, .facts, td, dd"))
  .map((one) => ({ box: one.getBoundingClientRect(), name: one.outerHTML.slice(0, 90) }))
  .filter(({ box }) => box.width > 0 && (box.width < 43.5 || box.height < 43.5))
  .map(({ box, name }) => `${name} ${Math.round(box.width)}x${Math.round(box.height)}`)"#;

#[tokio::test]
async fn the_drawer_of_a_phone() {
    walk("drawer", &[], async |scene| {
        let person = &scene.person;
        person.phone().await;
        person.open("/apps/assistant").await;
        person.say("A message from a phone").await;
        person.answer().await;
        person.see_no(".side .conversation").await;
        person.click("[data-open-side]").await;
        person.see(".side .conversation").await;
        person.until("document.getAnimations().length === 0").await;
        person.look("drawer-phone").await;
        assert_eq!(person.value("document.querySelector('.room').inert").await, json!(true));
        person.click("[data-close-side]").await;
        person.see_no(".side .conversation").await;
        assert_eq!(person.value("document.querySelector('.room').inert").await, json!(false));
        assert!(person.has_focus("[data-open-side]").await);
        person.click("[data-open-side]").await;
        person.click(".side .new").await;
        person.see("[data-welcome]").await;
        assert_eq!(person.value("document.querySelector('.room').inert").await, json!(false));
    })
    .await;
}

#[tokio::test]
async fn the_chosen_colours_are_kept() {
    walk("colours", &[], async |scene| {
        let person = &scene.person;
        person.prefers("light").await;
        person.open("/apps/assistant").await;
        let paper = "getComputedStyle(document.body).backgroundColor";
        let day = person.value(paper).await;
        for _ in 0..2 {
            person.click("[data-theme-switch]").await;
        }
        let night = person.value(paper).await;
        assert_ne!(day, night);
        person.open("/docs").await;
        assert_eq!(person.value(paper).await, night, "on every page");
        person.click("[data-theme-switch]").await;
        assert_eq!(person.value(paper).await, "rgb(255, 255, 255)", "high contrast, light as the system is");
        person.click("[data-theme-switch]").await;
        assert_eq!(person.value(paper).await, day, "and back to what the system says");
    })
    .await;
}

#[tokio::test]
async fn the_page_that_explains_the_api() {
    walk("docs", &[], async |scene| {
        let person = &scene.person;
        person.open("/docs").await;
        let document = person.ask("GET", "/openapi.json", Value::Null).await;
        let paths = document.body["paths"].as_object().unwrap();
        let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(person.count(".operation").await, operations as u64, "every operation has its place");
        person.look("docs-desk").await;
        person.browser.find(thirtyfour::By::Css("[data-filter]")).await.unwrap().send_keys("conversations/{id}/export").await.unwrap();
        person.until("[...document.querySelectorAll('[data-filter-item]')].filter((one) => one.checkVisibility()).length === 1")
            .await;
        person.look("docs-filter-desk").await;
        person.click("[data-filter-item]:not([hidden]) a").await;
        person.until("location.hash.length > 1 && document.querySelector(location.hash)").await;
        let top = person.value("document.querySelector('.operation:target').getBoundingClientRect().top").await;
        let bar = person.value("document.querySelector('.top').getBoundingClientRect().bottom").await;
        assert!(top.as_f64() >= bar.as_f64(), "the operation is not hidden under the bar");
        person.click(".operation:target .answer summary").await;
        person.see(".operation:target .answer[open] .status").await;
        person.look("docs-operation-desk").await;
    })
    .await;
}
