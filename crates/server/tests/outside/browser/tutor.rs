//! The tutor in the browser: somebody writes a problem, somebody else works on it, and the first one looks on.

use serde_json::json;

use super::accounts::{ROOM, claim};
use super::attacks::published;
use super::looks::{ILLEGIBLE, SMALL};
use super::person::Person;
use super::scene::{Scene, walk};

const PASSWORD: &str = "another lantern over the harbour";

async fn writes(teacher: &Person, title: &str, hint: &str) {
    teacher.open("/apps/tutor/problems/new").await;
    teacher.fill("#f-title", title).await;
    teacher.fill("#f-statement", "6 trays with 7 cakes each. How many cakes?").await;
    teacher.fill("#f-level", "Grade 3").await;
    teacher.fill("#f-answer", "42").await;
    teacher.fill("#f-hints", hint).await;
    teacher.fill("#f-when-1", "13").await;
    teacher.fill("#f-ask-1", "What would adding the numbers count?").await;
    teacher.click("input[name=published][value=yes]").await;
    teacher.send(".form .button.primary").await;
}

async fn learner(scene: &Scene, name: &str) -> Person {
    let account = json!({"email": "grace@example.com", "password": PASSWORD});
    let made = scene.person.ask("POST", "/api/v1/admin/users", account).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let grace = scene.another(name).await;
    grace.sign_in("grace@example.com", PASSWORD).await;
    grace.at("/").await;
    grace
}

#[tokio::test]
async fn a_problem_is_written_worked_on_and_looked_at() {
    walk("tutor", &ROOM, async |scene| {
        let teacher = &scene.person;
        claim(scene).await;
        teacher.open("/apps/tutor").await;
        teacher.see(".nothing").await;
        // A hint that gives the answer away comes back with everything that was typed.
        writes(teacher, "Cakes", "It is 42").await;
        teacher.see("#e-hints").await;
        teacher.look("tutor-refused-desk").await;
        assert_eq!(
            teacher.value("document.querySelector('#f-ask-1').value").await,
            "What would adding the numbers count?"
        );
        teacher.fill("#f-hints", "Look at one tray first").await;
        teacher.send(".form .button.primary").await;
        teacher.see(".alarm.calm").await;
        let problem = teacher.path().await;

        let grace = learner(scene, "tutor-grace").await;
        grace.open("/apps/tutor").await;
        grace.look("tutor-front-desk").await;
        assert_eq!(grace.count("a[href='/apps/tutor/problems']").await, 0, "she does not teach");
        grace.send("form[action$='/start'] button").await;
        grace.see("#message").await;
        assert!(grace.text("[data-lesson] .statement").await.contains("How many cakes?"));
        assert_eq!(grace.text(".lesson-hints").await, "No hints so far");
        grace.click(".asks button:first-child").await;
        grace.answer().await;
        grace
            .until("document.querySelector('.lesson-hints summary')?.textContent === 'Hints so far: 1'")
            .await;
        assert!(grace.text(".lesson-stage").await.contains("Working with a hint"));
        assert!(
            grace.text("[data-lesson] .statement").await.contains("How many cakes?"),
            "it stays in sight"
        );
        let page = grace.value("document.documentElement.outerHTML").await;
        let page = page.as_str().unwrap();
        for hidden in ["adding the numbers", "one tray first"] {
            assert!(!page.contains(hidden), "{hidden} is in the page of the learner");
        }
        grace.look("tutor-talk-desk").await;
        grace.phone().await;
        grace.look("tutor-talk-phone").await;
        assert_eq!(grace.value(SMALL).await, json!([]));
        assert_eq!(grace.value(ILLEGIBLE).await, json!([]));
        grace.open("/apps/tutor").await;
        assert!(grace.text(".problem-lines").await.contains("In progress"));
        grace.look("tutor-front-phone").await;
        grace.open("/apps/tutor/progress").await;
        assert!(grace.text(".sheet").await.contains("1 hint"));
        grace.nothing_amiss().await;

        teacher.open(&problem).await;
        assert!(teacher.text(".sheet").await.contains("grace@example.com"));
        teacher.send(".sheet tbody th a").await;
        assert!(teacher.text("main").await.contains("Hint, step 1"));
        teacher.look("tutor-transcript-desk").await;
        teacher.open(&problem).await;
        teacher.send("a[href$='/delete']").await;
        teacher.send(".danger-button").await;
        teacher.see(".nothing").await;
        teacher.nothing_amiss().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_that_a_teacher_writes_runs() {
    walk("tutor-attacks", &ROOM, async |scene| {
        let teacher = &scene.person;
        claim(scene).await;
        let attack = "\"><script>alert(1)</script><img src=x onerror=alert(2)>";
        let mut texts = vec![attack.to_owned()];
        texts.extend(published().into_iter().take(40));
        for text in texts {
            let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
            let title: String = text.replace('\n', " ").chars().take(150).collect();
            let problem = json!({
                "title": title, "statement": text, "answer": "quagga", "hints": [text], "steps": [text],
                "level": title, "visibility": "published",
            });
            let made = teacher.ask("POST", "/api/v1/apps/tutor/problems", problem).await;
            // Some are refused for their characters or their length; what is taken must be harmless.
            assert!([201, 400, 422].contains(&made.status), "{}", made.text);
            if made.status != 201 {
                continue;
            }
            let id = made.body["id"].as_str().unwrap();
            for path in ["", "/edit", "/delete"] {
                teacher.open(&format!("/apps/tutor/problems/{id}{path}")).await;
                teacher.nothing_amiss().await;
            }
            teacher.open(&format!("/apps/tutor/problems/{id}")).await;
            teacher.send("form[action$='/start'] button").await;
            teacher.see("[data-lesson] .statement").await;
            teacher.nothing_amiss().await;
        }
        for path in ["/apps/tutor", "/apps/tutor/problems", "/apps/tutor/progress"] {
            teacher.open(path).await;
            teacher.nothing_amiss().await;
        }
    })
    .await;
}
