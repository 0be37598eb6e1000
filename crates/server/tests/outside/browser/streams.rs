//! Answers that outlive a reload, a crash of the server and the person's impatience.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use thirtyfour::prelude::*;

use super::scene::{Scene, walk};
use crate::upstream::slow_answer;

async fn written(scene: &Scene, word: &str) {
    let seen = format!("document.querySelector('.writing .prose')?.textContent.includes('{word}')");
    scene.person.until(&seen).await;
}

#[tokio::test]
async fn stop_works_after_a_reload_and_the_answer_goes_on_when_asked() {
    walk("stop-after-reload", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Count slowly").await;
        written(scene, "word3").await;
        person.browser.refresh().await.unwrap();
        written(scene, "word6").await;
        person.click("[data-stop]").await;
        let told = Instant::now();
        while scene.upstream.seen.writing.load(Ordering::SeqCst) > 0 {
            assert!(told.elapsed() < Duration::from_secs(1), "the provider was not told to stop");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let text = person.answer().await;
        assert!(slow_answer().starts_with(&text), "{text}");
        person.see(".note [data-go-on]").await;
        person.look("continue-desk").await;

        // The rest becomes part of the same message.
        person.tab_to("[data-go-on]").await;
        person.keys(Key::Enter).await;
        person
            .until("document.querySelector('.message:last-of-type .prose')?.textContent.includes('Good.')")
            .await;
        let whole = person.answer().await;
        assert!(whole.starts_with(&text) && whole.ends_with("Good."), "{whole}");
        assert_eq!((person.count(".message").await, person.count("[data-go-on]").await), (2, 0));
        person.browser.refresh().await.unwrap();
        assert_eq!(person.answer().await, whole);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_crashes_in_mid_stream_comes_back_with_all_that_was_seen() {
    walk("crash", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Count at leisure").await;
        written(scene, "word5").await;
        let mut server = scene.server.lock().await;
        server.kill().await;
        let seen = person.value("document.querySelector('.writing .prose').textContent").await;
        person.until("document.querySelector('.notice-box')?.textContent.includes('Trying again')").await;
        server.again(&[("OPENAI_BASE_URL", scene.upstream.url.as_str())]).await;
        drop(server);
        // The page finds the way back by itself.
        person.see(".note [data-go-on]").await;
        person.see_no(".notice-box").await;
        let text = person.answer().await;
        assert!(text.starts_with(seen.as_str().unwrap().trim()), "{seen} {text}");
        assert!(slow_answer().starts_with(&text), "{text}");
        assert!(person.text(".message .note").await.contains("interrupted"));
        person.look("interrupted-desk").await;
        person.phone().await;
        person.look("interrupted-phone").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_written_meanwhile_waits_its_turn() {
    walk("queue", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Count at leisure").await;
        written(scene, "word2").await;
        for text in ["First after", "Second after", "Third after"] {
            person.keys(text).await;
            person.keys(Key::Enter).await;
        }
        assert_eq!(person.count("[data-queue] li").await, 3);
        assert!(person.text("[data-announce]").await.starts_with("Queued."));
        person.look("queue-desk").await;
        person.phone().await;
        person.look("queue-phone").await;
        person.desk().await;

        // Removed and changed, by keyboard; kept over a reload.
        person.tab_to("[data-queue] li:nth-child(2) [data-queue-remove]").await;
        person.keys(Key::Enter).await;
        assert_eq!(person.count("[data-queue] li").await, 2);
        person.click("[data-queue] li:nth-child(2) [data-queue-edit]").await;
        assert_eq!(person.value("document.querySelector('#message').value").await, "Third after");
        assert!(person.has_focus("#message").await);
        person.keys(" all").await;
        person.keys(Key::Enter).await;
        person.browser.refresh().await.unwrap();
        written(scene, "word4").await;
        assert_eq!(person.text("[data-queue] ol").await, "First after\nThird after all");
        assert_eq!(person.text("[data-queue-head]").await, "Sent when the answer is done");

        // Both go out, one after the other, when the answer is there.
        person.until("document.querySelectorAll('.message.from-answerer:not(.writing)').length === 3").await;
        let said = person
            .value("[...document.querySelectorAll('.bubble')].map((b) => b.textContent).join('|')")
            .await;
        assert_eq!(said, "Count at leisure|First after|Third after all");
        person.see_no("[data-queue]").await;
        assert_eq!(
            person.value("Object.keys(sessionStorage).some((key) => key.startsWith('stoa.queue'))").await,
            false
        );

        // A stop sends nothing by itself.
        person.say("Count at leisure once more").await;
        written(scene, "word2").await;
        person.keys("Not yet").await;
        person.keys(Key::Enter).await;
        person.click("[data-stop]").await;
        person.answer().await;
        person.see("[data-queue-send]").await;
        assert_eq!(person.text("[data-queue-head]").await, "Not sent yet");
        person.look("queue-held-desk").await;
        assert_eq!(person.count(".bubble").await, 4);
        person.click("[data-queue-send]").await;
        person.until("document.querySelectorAll('.bubble').length === 5").await;
        assert_eq!(person.answer().await, "You said 7 characters. Good.");
    })
    .await;
}
