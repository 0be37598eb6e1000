//! How an answer is set: code with its marks and buttons, formulas that the browser draws, tables that scroll inside, long
//! words that break, and words that run from right to left.

use serde_json::json;

use super::scene::walk;

#[tokio::test]
async fn code_formulas_and_tables_are_set() {
    walk("written", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Tell me everything").await;
        person.answer().await;
        // Formulas are elements of the browser's own, and can be seen.
        let formulas = person
            .value(
                "[...document.querySelectorAll('.prose math')].map((one) => {
                  const box = one.getBoundingClientRect();
                  const deep = one.querySelector('mfrac, msup')?.getBoundingClientRect();
                  return [one.namespaceURI.endsWith('MathML'), one instanceof MathMLElement, box.width > 20 && box.height > 10, deep.width > 5 && deep.height > 5];
                })",
            )
            .await;
        assert_eq!(formulas, json!([[true, true, true, true], [true, true, true, true]]));
        let centred = "((math, at) => Math.abs((math.firstElementChild.getBoundingClientRect().left + math.lastElementChild.getBoundingClientRect().right) / 2 - (at.left + at.right) / 2) < 4)(document.querySelector('math[display=block]'), document.querySelector('.from-answerer .prose').getBoundingClientRect())";
        assert_eq!(person.value(centred).await, json!(true), "a formula of its own stands in the middle");
        // Code is marked, wraps when asked to, and is given as a file.
        assert_eq!(person.text(".code .hl-k").await, "fn");
        let colours = "new Set([...document.querySelectorAll('.code code, .code code span')].map((one) => getComputedStyle(one).color)).size";
        assert!(person.value(colours).await.as_u64().unwrap() >= 3);
        let wide = "document.querySelector('.code pre').scrollWidth > document.querySelector('.code pre').clientWidth";
        assert_eq!(person.value(wide).await, json!(true));
        assert_eq!(person.value("document.querySelector('.code pre').tabIndex").await, json!(0), "the keyboard scrolls it");
        person.click("[data-wrap-code]").await;
        assert_eq!(person.value(wide).await, json!(false));
        assert_eq!(person.value("document.querySelector('[data-wrap-code]').ariaPressed").await, "true");
        person.value("HTMLAnchorElement.prototype.click = function () { window.__saved = this.download; }").await;
        person.click("[data-save-code]").await;
        assert_eq!(person.value("window.__saved").await, "code.rs");
        // Nothing makes the page wider than a phone; what is wide scrolls in its own box.
        person.phone().await;
        person.until("document.documentElement.scrollWidth === document.documentElement.clientWidth").await;
        let boxes = "[...document.querySelectorAll('.wide, .code pre')].every((one) => one.getBoundingClientRect().right <= innerWidth)";
        assert_eq!(person.value(boxes).await, json!(true));
        person.look("written-phone").await;
    })
    .await;
}

#[tokio::test]
async fn words_run_in_their_own_direction() {
    walk("directions", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.value("document.querySelector('#message').value = ''").await;
        let arabic = "مرحبا بالعالم";
        person.say(&format!("Repeat: {arabic}")).await;
        person.answer().await;
        person.say(&format!("Repeat: Hello 👩‍👩‍👧‍👦 world.\n\n{arabic}")).await;
        person.answer().await;
        let sides = person
            .value(
                "[...document.querySelectorAll('.from-answerer .prose p')].map((one) => {
                  const range = document.createRange();
                  range.selectNodeContents(one);
                  const words = range.getBoundingClientRect();
                  const line = one.getBoundingClientRect();
                  return words.left - line.left < 3 ? 'left' : line.right - words.right < 3 ? 'right' : 'lost';
                })",
            )
            .await;
        assert_eq!(sides[0], "right");
        assert_eq!(sides[1], "left");
        person.look("directions-desk").await;
    })
    .await;
}

#[tokio::test]
async fn contrast_motion_and_the_size_of_type_follow_the_person() {
    walk("follows", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        let media = |name: &str, value: &str| json!({"features": [{"name": name, "value": value}]});
        let ink = "getComputedStyle(document.body).color";
        person.tool("Emulation.setEmulatedMedia", media("prefers-contrast", "more")).await;
        person.open("/apps/assistant").await;
        person.until("document.documentElement.hasAttribute('data-contrast')").await;
        assert_eq!(person.value(ink).await, "rgb(0, 0, 0)");
        person.tool("Emulation.setEmulatedMedia", media("prefers-contrast", "no-preference")).await;
        person.until("!document.documentElement.hasAttribute('data-contrast')").await;
        for _ in 0..3 {
            person.click("[data-theme-switch]").await;
        }
        assert_eq!(person.value("document.documentElement.dataset.theme").await, "contrast");
        assert_eq!(person.value(ink).await, "rgb(0, 0, 0)");
        person.open("/docs").await;
        assert_eq!(person.value(ink).await, "rgb(0, 0, 0)", "kept on every page, before the first paint");
        person.tool("Emulation.setEmulatedMedia", media("forced-colors", "active")).await;
        person.open("/apps/assistant").await;
        person.look("forced-colours-desk").await;
        let edged = "[...document.querySelectorAll('.suggestion, .composer')].every((one) => getComputedStyle(one).borderStyle === 'solid')";
        assert_eq!(person.value(edged).await, json!(true), "what only a colour told has an edge");
        person.tool("Emulation.setEmulatedMedia", media("prefers-reduced-motion", "reduce")).await;
        person.open("/apps/assistant").await;
        let moves = "[...document.querySelectorAll('*')].filter((one) => parseFloat(getComputedStyle(one).transitionDuration) > 0.01 && getComputedStyle(one).transitionProperty !== 'none').length";
        assert_eq!(person.value(moves).await, json!(0));
        // Twice the size of type, as set in the browser, and nothing is cut off.
        person.tool("Emulation.setEmulatedMedia", json!({"features": []})).await;
        person.open("/").await;
        let fixed = "[...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => /\\d(px|pt)$/.test(rule.style?.fontSize ?? '')).length";
        assert_eq!(person.value(fixed).await, json!(0), "no size of type is fixed");
        person.value("document.documentElement.style.setProperty('font-size', '200%')").await;
        person.until("parseFloat(getComputedStyle(document.body).fontSize) === 32").await;
        let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(person.value(wide).await, json!(0));
        person.look("large-type-desk").await;
    })
    .await;
}
