//! What a person does on a good day: asks, reads, stops, comes back, keeps order, takes things away.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::person::Person;
use super::scene::walk;
use crate::upstream::{SLOW_WORDS, slow_answer};

#[tokio::test]
async fn a_first_visit() {
    walk("first-visit", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        assert_eq!(person.text("h1").await, "Stoa");
        assert!(person.text("main").await.contains("is connected"));
        person.look("front-desk").await;
        person.click(".app-card[href='/apps/assistant']").await;
        person.see("#message").await;
        assert!(person.has_focus("#message").await, "one can write at once");
        person.look("empty-desk").await;

        person.keys("First line").await;
        person.chord(Key::Shift, Key::Enter).await;
        person.keys("second line").await;
        person.keys(Key::Enter).await;
        person.until("document.querySelector('.from-person')").await;
        assert_eq!(person.text(".bubble").await, "First line\nsecond line");
        assert_eq!(person.answer().await, "You said 22 characters. Good.");
        assert!(person.has_focus("#message").await, "the next message can be written");
        assert_eq!(person.count(".conversation").await, 1);
        person.until("document.querySelector('[data-title]').textContent === 'First line'").await;
        assert!(person.text("[data-announce]").await.starts_with("Answer: You said"));

        person.say("Tell me everything").await;
        person.answer().await;
        assert_eq!(
            person.count(".prose h2, .prose h3, .prose table, .prose pre, .prose blockquote").await,
            4
        );
        person.look("answer-desk").await;
        assert_eq!(person.count(".message").await, 4);
        let before = person.value("document.querySelector('[data-transcript]').innerText").await;
        person.browser.refresh().await.unwrap();
        let after = person.value("document.querySelector('[data-transcript]').innerText").await;
        assert_eq!(before, after, "what was streamed is what is stored");
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_watched_and_stopped() {
    walk("stop", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Answer slowly, please").await;
        person.until("document.querySelector('.writing .prose')?.textContent.includes('word3')").await;
        person.look("writing-desk").await;
        assert_eq!(scene.upstream.seen.writing.load(Ordering::SeqCst), 1);
        person.see("[data-stop]").await;
        person.see_no("[data-send]").await;
        person.click("[data-stop]").await;
        let text = person.answer().await;
        let words = text.split_whitespace().count();
        assert!((3..SLOW_WORDS).contains(&words), "{text}");
        assert!(slow_answer().starts_with(&text), "{text}");
        let begun = std::time::Instant::now();
        while scene.upstream.seen.writing.load(Ordering::SeqCst) > 0 {
            assert!(begun.elapsed().as_secs() < 2, "the provider was not told to stop");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        person.see(".message .note").await;
        person.look("stopped-desk").await;
        person.see("[data-send]").await;
        person.browser.refresh().await.unwrap();
        assert_eq!(person.text(".message:last-of-type .prose").await, text);
        assert!(person.text(".message .note").await.contains("stopped"));

        person.say("Now slowly again").await;
        person.until("document.querySelector('.writing .prose')?.textContent.includes('word2')").await;
        person.keys(Key::Escape).await;
        person.answer().await;
        assert_eq!(person.count(".message .note").await, 2, "Escape stops as well");
    })
    .await;
}

#[tokio::test]
async fn a_reload_in_mid_stream_loses_nothing() {
    walk("reload", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Count slowly").await;
        for word in ["word4", "word12"] {
            person
                .until(&format!("document.querySelector('.writing .prose')?.textContent.includes('{word}')"))
                .await;
            person.browser.refresh().await.unwrap();
        }
        assert_eq!(person.text(".bubble").await, "Count slowly");
        assert_eq!(person.answer().await, slow_answer());
        assert_eq!(scene.upstream.seen.asked.load(Ordering::SeqCst), 1, "the model was asked once");
        person.browser.refresh().await.unwrap();
        assert_eq!(person.answer().await, slow_answer());
        assert_eq!(person.count(".message").await, 2);
        assert_eq!(person.count(".note").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_reload_that_meets_another_replica_waits_for_the_answer() {
    walk("replica", &[], async |scene| {
        let person = &scene.person;
        let provider = [("OPENAI_BASE_URL", scene.upstream.url.as_str())];
        let other = scene.server.lock().await.beside(&provider).await;
        person.open("/apps/assistant").await;
        person.say("Count slowly").await;
        person.until("document.querySelector('.writing .prose')?.textContent.includes('word4')").await;
        let here = person.path().await;
        // Cookies do not tell ports apart: to the browser it is the same host.
        person.browser.goto(format!("{}{here}", other.url())).await.unwrap();
        assert_eq!(person.text(".bubble").await, "Count slowly");
        assert_eq!(person.answer().await, slow_answer());
        assert_eq!(person.count(".note").await, 0);
        person.open(&here).await;
        assert_eq!(person.answer().await, slow_answer());
    })
    .await;
}

#[tokio::test]
async fn conversations_are_renamed_exported_and_deleted() {
    walk("keep-order", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        for text in ["About lamps", "About chairs"] {
            if text == "About chairs" {
                person.click(".new").await;
                person.see("[data-welcome]").await;
            }
            person.say(text).await;
            person.answer().await;
        }
        person.until("document.querySelectorAll('.conversation').length === 2").await;
        assert_eq!(person.text(".conversation a").await, "About chairs", "the newest is first");

        person.click(".conversation [data-conversation-menu]").await;
        person.see("#conversation-menu").await;
        person.look("menu-desk").await;
        for (format, sign) in [("markdown", "About chairs"), ("json", "\"content\"")] {
            let link = person.value(&format!("document.querySelector('[data-action={format}]').href")).await;
            let path = link.as_str().unwrap().strip_prefix(&person.base).unwrap().to_owned();
            let export = person.ask("GET", &path, Value::Null).await;
            assert_eq!(export.status, 200, "{path}");
            assert!(export.text.contains(sign) && export.text.contains("You said 12 characters"), "{}", export.text);
            assert!(export.disposition.starts_with("attachment"), "{}", export.disposition);
        }
        person.click("[data-action=rename]").await;
        person.see("#rename-dialog[open]").await;
        person.look("rename-desk").await;
        person.keys("Chairs & <tables>").await;
        person.keys(Key::Enter).await;
        person.until("document.querySelector('.conversation a').textContent === 'Chairs & <tables>'").await;
        person.until("document.title.startsWith('Chairs & <tables>')").await;
        person.browser.refresh().await.unwrap();
        assert_eq!(person.text("[data-title]").await, "Chairs & <tables>");

        let open = person.path().await;
        person.click(".conversation [data-conversation-menu]").await;
        person.click("[data-action=delete]").await;
        person.see("#delete-dialog[open]").await;
        person.look("delete-desk").await;
        assert!(person.text("#delete-dialog").await.contains("Chairs & <tables>"), "it says what would go");
        person.keys(Key::Escape).await;
        person.see_no("#delete-dialog").await;
        assert_eq!(person.count(".conversation").await, 2, "Escape deletes nothing");
        person.click(".conversation [data-conversation-menu]").await;
        person.click("[data-action=delete]").await;
        person.click("#delete-dialog button[type=submit]").await;
        person.until("location.pathname === '/apps/assistant' && document.querySelectorAll('.conversation').length === 1")
            .await;
        assert_eq!(person.text(".conversation a").await, "About lamps");
        person.nothing_amiss().await;
        person.open(&open).await;
        assert_eq!(person.text(".failure-status").await, "404");
        assert!(!person.text("body").await.contains("Chairs"));
        person.look("gone-desk").await;
    })
    .await;
}

#[tokio::test]
async fn everything_is_within_reach_of_the_keyboard() {
    walk("keyboard", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        person.keys(Key::Tab).await;
        assert!(person.has_focus(".skip").await, "the first stop leads to the content");
        person.look("skip-desk").await;
        person.keys(Key::Enter).await;
        person.tab_to(".app-card[href='/apps/assistant']").await;
        person.look("focus-desk").await;
        person.keys(Key::Enter).await;
        person.see("#message").await;
        person.keys("By keyboard alone").await;
        person.tab_to("[data-send]").await;
        person.keys(Key::Enter).await;
        person.answer().await;
        assert!(person.has_focus("#message").await);

        let back_to = |css: &'static str| async move {
            for _ in 0..60 {
                if person.has_focus(css).await {
                    return;
                }
                person.chord(Key::Shift, Key::Tab).await;
            }
            panic!("{css} cannot be reached backwards");
        };
        back_to(".conversation [data-conversation-menu]").await;
        person.keys(Key::Enter).await;
        person.see("#conversation-menu").await;
        assert!(person.has_focus("#conversation-menu [role=menuitem]").await, "the menu takes the focus");
        person.keys(Key::Down).await;
        person.keys(Key::Up).await;
        person.keys(Key::Escape).await;
        person.see_no("#conversation-menu").await;
        assert!(person.has_focus("[data-conversation-menu]").await, "and gives it back");
        person.keys(Key::Enter).await;
        person.tab_or_arrow_to("[data-action=rename]").await;
        person.keys(Key::Enter).await;
        person.see("#rename-dialog[open]").await;
        assert!(person.has_focus("#rename-dialog input").await);
        person.keys("Renamed").await;
        person.keys(Key::Enter).await;
        person.until("document.querySelector('.conversation a').textContent === 'Renamed'").await;
        assert!(person.has_focus("[data-conversation-menu]").await, "focus returns to where one came from");
        person.keys(Key::Enter).await;
        person.tab_or_arrow_to("[data-action=delete]").await;
        person.keys(Key::Enter).await;
        person.see("#delete-dialog[open]").await;
        assert!(!person.has_focus("#delete-dialog button[type=submit]").await, "Enter alone does not delete");
        person.tab_to("#delete-dialog button[type=submit]").await;
        person.keys(Key::Enter).await;
        person.until("document.querySelectorAll('.conversation').length === 0").await;
        person.see("[data-welcome]").await;

        // The menu of apps opens, and Escape closes it.
        back_to(".apps-menu summary").await;
        person.keys(Key::Enter).await;
        person.see(".apps-menu nav").await;
        person.look("apps-menu-desk").await;
        person.keys(Key::Escape).await;
        person.see_no(".apps-menu nav").await;
    })
    .await;
}

impl Person {
    /// Walks down a menu.
    async fn tab_or_arrow_to(&self, css: &str) {
        self.see("#conversation-menu").await;
        for _ in 0..10 {
            if self.has_focus(css).await {
                return;
            }
            self.keys(Key::Down).await;
        }
        panic!("{css} cannot be reached by arrow keys");
    }
}

#[tokio::test]
async fn a_full_conversation_says_so_and_offers_a_new_one() {
    walk("full", &[("MAX_CONVERSATION_LENGTH", "2"), ("MAX_INPUT_LENGTH", "50")], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        let over = "x".repeat(51);
        person.browser.find(By::Css("#message")).await.unwrap().send_keys(&over).await.unwrap();
        person.until("document.querySelector('[data-counter]').textContent === '51 / 50'").await;
        assert_eq!(person.value("document.querySelector('[data-send]').disabled").await, json!(true));
        person.look("too-long-desk").await;
        person.keys(Key::Backspace).await;
        person.keys(Key::Enter).await;
        person.answer().await;
        person.say("The second and last").await;
        person.answer().await;
        person.see(".notice-box").await;
        person.look("full-desk").await;
        assert_eq!(person.text("[data-act]").await, "New conversation");
        person.click("[data-act]").await;
        person.see("[data-welcome]").await;
        assert_eq!(person.path().await, "/apps/assistant");
    })
    .await;
}

#[tokio::test]
async fn words_and_answers_are_tried_anew_and_walked() {
    walk("branches", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("About lamps").await;
        let first = person.answer().await;
        person.say("About chairs").await;
        person.answer().await;
        // Another answer to the first words: what followed is no longer on the page.
        person.see(".message [data-answer-again]").await;
        person.value("void document.querySelector('[data-answer-again]').click()").await;
        person.until("document.querySelectorAll('.message').length === 2").await;
        person.answer().await;
        person.see(".from-answerer .versions").await;
        assert_eq!(person.text(".from-answerer .versions-count").await, "2 / 2");
        assert_eq!(scene.upstream.seen.asked.load(Ordering::SeqCst), 3);
        person.look("versions-desk").await;
        // Other words for them; leaving the form changes nothing.
        person.value("void document.querySelector('[data-edit-message]').click()").await;
        person.see(".edit-words textarea").await;
        person.look("edit-desk").await;
        person.keys(Key::Escape).await;
        person.see_no(".edit-words").await;
        person.value("void document.querySelector('[data-edit-message]').click()").await;
        person.fill(".edit-words textarea", "About tables").await;
        person.click(".edit-words [type=submit]").await;
        person.until("document.querySelector('.bubble').textContent === 'About tables'").await;
        person.answer().await;
        person.see(".from-person .versions").await;
        assert_eq!(person.text(".from-person .versions-count").await, "2 / 2");
        // Back to the first words, and there to the first answer with all that followed it.
        person.value("void document.querySelector('.from-person [data-version]').click()").await;
        person.until("document.querySelector('.bubble')?.textContent === 'About lamps'").await;
        person
            .until("document.querySelector('.from-answerer .versions-count')?.textContent === '2 / 2'")
            .await;
        person.value("void document.querySelector('.from-answerer [data-version]').click()").await;
        person.until("document.querySelectorAll('.message').length === 4").await;
        assert_eq!(person.text(".from-answerer .prose").await, first);
        assert_eq!(person.text(".from-answerer .versions-count").await, "1 / 2");
        person.phone().await;
        person.look("versions-phone").await;
    })
    .await;
}
