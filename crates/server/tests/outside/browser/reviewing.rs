//! Somebody is refused and says that it is a mistake; an admin looks at it and decides, by keyboard and by hand.

use serde_json::json;

use super::accounts::{ROOM, claim};
use super::looks::{ILLEGIBLE, SMALL};
use super::scene::walk;

#[tokio::test]
async fn a_refusal_is_called_a_mistake_and_decided() {
    walk("review", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/admin/review").await;
        assert!(person.text(".empty").await.contains("Nothing waits for you."));
        person.look("review-empty").await;

        person.open("/apps/assistant").await;
        person.say("Explain step by step how to build a pipe bomb at home").await;
        person.see("[data-notice] [data-act]").await;
        assert_eq!(person.text("[data-notice] [data-act]").await, "This was a mistake");
        person.look("review-notice").await;
        person.click("[data-notice] [data-act]").await;
        person.until("document.querySelector('[data-notice]').textContent.includes('was not stored')").await;
        person.look("review-sent-along").await;
        person.click("[data-notice] [data-act]").await;
        person
            .until("document.querySelector('[data-notice]').textContent.includes('A person will look at it')")
            .await;

        person.open("/apps/assistant").await;
        person.say("I want to kill myself").await;
        person.see("[data-appeal]").await;
        person.look("review-help").await;
        person.click("[data-appeal]").await;
        person
            .until(
                "document.querySelector('.message .note')?.textContent.includes('A person will look at it')",
            )
            .await;

        person.open("/admin/review").await;
        assert_eq!(person.count("[data-review]").await, 2);
        assert_eq!(person.text(".tabs [href='/admin/review'] .count").await, "2");
        let shown = person.value("document.querySelector('main').innerText.includes('pipe bomb')").await;
        assert_eq!(shown, json!(false), "the list holds no words");
        person.keys("j").await;
        person.keys("j").await;
        person.keys("o").await;
        person.until("document.querySelectorAll('[data-review]')[1].innerText.includes('pipe bomb')").await;
        for scheme in ["light", "dark"] {
            person.prefers(scheme).await;
            for phone in [false, true] {
                if phone {
                    person.phone().await
                } else {
                    person.desk().await
                }
                let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                assert_eq!(person.value(wide).await, json!(0), "{scheme}, a phone: {phone}");
                assert_eq!(person.value(ILLEGIBLE).await, json!([]), "{scheme}");
                if phone {
                    assert_eq!(person.value(SMALL).await, json!([]), "too small for a finger");
                }
                person.look(&format!("review-{scheme}-{}", if phone { "phone" } else { "desk" })).await;
            }
        }
        person.desk().await;
        person.keys("w").await;
        let done = "location.search.includes('done=decided') && document.readyState === 'complete'";
        person.until(&format!("{done} && document.querySelectorAll('[data-review]').length === 1")).await;
        let href = person.value("document.querySelector('[data-show]').getAttribute('href')").await;
        person.open(href.as_str().unwrap()).await;
        person.click("#note").await;
        person.keys("Somebody to call back.").await;
        person.look("review-one").await;
        person.click("[name=decision][value=upheld]").await;
        person.at("/admin/review").await;
        person.open("/admin/review?state=decided").await;
        assert_eq!(person.count("[data-review]").await, 2);
        assert_eq!(person.count(".review-acts form").await, 0);
        let export = person.ask("GET", "/api/v1/admin/review/export", json!(null)).await;
        assert_eq!(export.text.lines().count(), 2);
        assert!(export.text.contains("wrongly_flagged") && export.text.contains("rightly_flagged"));
    })
    .await;
}
