//! What a person meets on a bad day: limits, failing models, broken connections, a server that is away, pages that
//! do not exist. Nothing typed is lost, and every page says what can be done.

use thirtyfour::prelude::*;

use super::scene::walk;

#[tokio::test]
async fn a_limit_counts_down_and_gives_the_words_back() {
    walk("limit", &[("RATELIMIT_DEFAULT", "2 per 4 seconds")], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        for text in ["One of them", "Another one"] {
            person.say(text).await;
            person.answer().await;
        }
        person.say("One too many").await;
        person.see(".notice-box.calm").await;
        assert!(person.text(".notice-box p").await.contains("limit"));
        person.look("limit-desk").await;
        assert_eq!(person.value("document.querySelector('#message').value").await, "One too many");
        assert_eq!(person.count(".message").await, 4, "nothing was sent");
        assert_eq!(person.value("document.querySelector('[data-send]').disabled").await, true);
        person.see_no(".notice-box").await;
        person.click("[data-send]").await;
        person.until("document.querySelectorAll('.message').length === 6").await;
        assert_eq!(person.answer().await, "You said 12 characters. Good.");
    })
    .await;
}

#[tokio::test]
async fn a_failing_model_is_named_as_such_and_can_be_asked_again() {
    walk("model-fails", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        // The server itself asks a second time: two failures for one question.
        scene.upstream.stumble(2);
        person.say("Do not stumble").await;
        person.see(".notice-box").await;
        let words = person.text(".notice-box p").await;
        assert!(!words.is_empty() && !words.contains("provider-secret-detail"), "{words}");
        person.look("model-fails-desk").await;
        person.click("[data-act]").await;
        assert_eq!(person.answer().await, "You said 14 characters. Good.");
        person.see_no(".notice-box").await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_kept_and_marked() {
    walk("breaks-off", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Please break off in the middle").await;
        person.until("document.querySelector('.message .note') && !document.querySelector('.writing')").await;
        let text = person.text(".message:last-of-type .prose").await;
        assert!(text.starts_with("You said"), "{text}");
        person.look("breaks-off-desk").await;
        person.browser.refresh().await.unwrap();
        assert_eq!(person.text(".message:last-of-type .prose").await, text);
        assert!(!person.text(".message .note").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_away_costs_no_words() {
    walk("away", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Are you there?").await;
        person.answer().await;
        scene.server.lock().await.kill().await;
        person.say("And now?").await;
        person.see(".notice-box").await;
        assert!(person.text(".notice-box p").await.contains("cannot be reached"));
        assert_eq!(person.value("document.querySelector('#message').value").await, "And now?");
        person.look("away-desk").await;
    })
    .await;
}

#[tokio::test]
async fn pages_that_do_not_exist_are_pages_too() {
    walk("lost", &[], async |scene| {
        let person = &scene.person;
        let unknown = "/apps/assistant/0190b3a2-0000-7000-8000-000000000000";
        let pages = [("/nowhere", "404"), (unknown, "404"), ("/apps/assistant/1", "400")];
        for (path, status) in pages {
            person.open(path).await;
            assert_eq!(person.text(".failure-status").await, status, "{path}");
            assert!(!person.text(".failure h1").await.is_empty());
            person.see(".facts code").await;
            person.nothing_amiss().await;
        }
        person.look("lost-desk").await;
        // An app that does not exist and one that wants an account are the same to a visitor: one signs in first.
        for app in ["nothing", "workspace"] {
            person.open(&format!("/apps/{app}")).await;
            assert_eq!(person.path().await, "/sign-in");
            let url = person.browser.current_url().await.unwrap();
            assert_eq!(url.query(), Some(format!("return_to=/apps/{app}").as_str()));
            person.open("/nowhere").await;
        }
        person.click(".failure .button.primary").await;
        person.until("location.pathname === '/'").await;
    })
    .await;
}

#[tokio::test]
async fn a_session_of_another_person_is_not_mine() {
    walk("stranger", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Only for my eyes").await;
        person.answer().await;
        let mine = person.path().await;
        assert_eq!(person.value("document.cookie").await, "", "scripts do not see the session");
        let cookie = person.browser.get_named_cookie("stoa_visitor").await.unwrap();
        assert_eq!((cookie.http_only, cookie.same_site), (Some(true), Some(SameSite::Lax)));
        person.browser.delete_all_cookies().await.unwrap();
        person.open(&mine).await;
        assert_eq!(person.text(".failure-status").await, "404");
        assert!(!person.text("body").await.contains("Only for my eyes"));
    })
    .await;
}
