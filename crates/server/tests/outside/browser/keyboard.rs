//! A whole visit without a mouse, step by step, and what a screen reader hears meanwhile: never a piece of an answer,
//! one word when it begins and one sentence when it is there. The focus is never lost.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::person::Person;
use super::scene::walk;

/// Keeps everything that the polite region says.
const LISTEN: &str = r#"(() => {
  window.__heard = [];
  const place = document.querySelector("[data-announce]");
  new MutationObserver(() => { if (place.textContent) window.__heard.push(place.textContent); })
    .observe(place, { childList: true, characterData: true, subtree: true });
})()"#;

/// Goes through the visit and counts its steps.
struct Walk<'a> {
    person: &'a Person,
    steps: usize,
}

impl Walk<'_> {
    /// One step: what was done has to be seen, and the focus has to be somewhere.
    async fn step(&mut self, holds: &str) {
        self.person.until(holds).await;
        let lost =
            self.person.value("document.activeElement === document.body || !document.activeElement").await;
        assert_eq!(lost, json!(false), "the focus is lost after step {} ({holds})", self.steps);
        self.steps += 1;
    }

    async fn press(&mut self, key: impl Into<TypingData>, holds: &str) {
        self.person.keys(key).await;
        self.step(holds).await;
    }

    /// Tabs to something and presses Enter on it.
    async fn enter(&mut self, css: &str, holds: &str) {
        self.person.tab_to(css).await;
        self.press(Key::Enter, holds).await;
    }
}

#[tokio::test]
async fn a_whole_visit_without_a_mouse() {
    walk("keyboard", &[], async |scene| {
        let person = &scene.person;
        let mut walk = Walk { person, steps: 0 };
        person.open("/").await;
        person.keys(Key::Tab).await;
        walk.step("document.activeElement.matches('.skip')").await;
        walk.press(Key::Enter, "document.activeElement.id === 'main'").await;
        person.tab_to(".app-card[href='/apps/assistant']").await;
        person.keys(Key::Enter).await;
        walk.step("document.activeElement.id === 'message'").await;
        person.value(LISTEN).await;
        // Asking.
        person.keys("About lamps").await;
        walk.press(Key::Enter, "document.querySelector('.message:last-of-type time') && !document.querySelector('.writing')").await;
        walk.step("document.activeElement.id === 'message'").await;
        let heard: Vec<String> = serde_json::from_value(person.value("window.__heard").await).unwrap();
        assert_eq!(heard, ["Assistant is answering.", "Answer: You said 11 characters."], "no piece of it, one sentence");
        // Stopping.
        person.keys("Answer slowly").await;
        walk.press(Key::Enter, "document.querySelector('.writing .prose')?.textContent.includes('word2')").await;
        walk.press(Key::Escape, "!document.querySelector('.writing') && document.querySelector('.message:last-of-type .note')").await;
        walk.step("document.activeElement.id === 'message'").await;
        let heard = person.value("window.__heard").await;
        assert!(heard.as_array().is_some_and(|all| all.len() == 4), "{heard}");
        // Round the parts of the page.
        walk.press(Key::F6, "document.activeElement.closest('.side')").await;
        walk.press(Key::F6, "document.activeElement.closest('.bar')").await;
        walk.press(Key::F6, "document.activeElement.matches('.scroll')").await;
        walk.press(Key::F6, "document.activeElement.id === 'message'").await;
        person.chord(Key::Shift, Key::F6).await;
        walk.step("document.activeElement.matches('.scroll')").await;
        // Other words for a question, and another answer.
        walk.press("e", "document.activeElement.matches('.edit-words textarea')").await;
        person.value("document.activeElement.value = ''").await;
        person.keys("About chairs").await;
        walk.press(Key::Enter, "document.querySelector('.versions') && !document.querySelector('.writing')").await;
        walk.press("r", "document.querySelectorAll('.from-answerer .versions').length && !document.querySelector('.writing')").await;
        walk.step("document.activeElement.closest('.from-answerer')").await;
        // The menu of the conversation: renaming.
        walk.press("m", "document.querySelector('#conversation-menu:popover-open [role=menuitem]:focus')").await;
        person.keys(Key::End).await;
        walk.press(Key::Home, "document.activeElement.dataset.action === 'rename'").await;
        walk.press(Key::Enter, "document.querySelector('#rename-dialog[open]') && document.activeElement.id === 'rename-input'").await;
        person.keys("Furniture").await;
        walk.press(Key::Enter, "document.querySelector('[data-title]').textContent === 'Furniture'").await;
        walk.step("document.activeElement.matches('[data-open-conversation]')").await;
        // A new conversation, and back by the palette.
        walk.press("n", "!document.querySelector('.message') && document.activeElement.id === 'message'").await;
        person.keys("Another thing").await;
        walk.press(Key::Enter, "document.querySelector('.message:last-of-type time') && !document.querySelector('.writing')").await;
        person.palette().await;
        walk.step("document.activeElement.matches('#palette input')").await;
        person.keys("furnit").await;
        person.until("document.querySelector('#palette [aria-selected=true]')?.textContent.includes('Furniture')").await;
        walk.press(Key::Enter, "document.querySelector('[data-title]')?.textContent === 'Furniture' && document.activeElement.id === 'message'").await;
        // Opinions and copying.
        person.value("document.querySelector('.from-answerer:last-of-type').scrollIntoView()").await;
        // The other conversation is deleted from the list; the focus goes on to its neighbour.
        person.chord(Key::Shift, Key::F6).await;
        person.chord(Key::Shift, Key::F6).await;
        person.chord(Key::Shift, Key::F6).await;
        walk.step("document.activeElement.closest('.side')").await;
        walk.enter(".conversation:not(:has([aria-current])) > button", "document.querySelector('#conversation-menu:popover-open')").await;
        walk.press(Key::End, "document.activeElement.dataset.action === 'delete'").await;
        walk.press(Key::Enter, "document.querySelector('#delete-dialog[open]')").await;
        walk.enter("#delete-dialog [type=submit]", "document.querySelectorAll('.conversation').length === 1").await;
        // The colours, and the way out.
        walk.press("t", "document.documentElement.dataset.theme === 'light'").await;
        walk.press("?", "document.querySelector('#shortcuts[open]')").await;
        person.keys(Key::Escape).await;
        walk.step("!document.querySelector('#shortcuts[open]')").await;
        assert!(walk.steps >= 30, "{} steps", walk.steps);
    })
    .await;
}

#[tokio::test]
async fn the_transcript_is_a_log_that_does_not_speak_by_itself() {
    walk("roles", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("Tell me everything").await;
        person.answer().await;
        let facts = person
            .value(
                "({
                  log: document.querySelector('[data-transcript]').getAttribute('role'),
                  live: document.querySelector('[data-transcript]').getAttribute('aria-live'),
                  regions: [...document.querySelectorAll('[aria-live=polite], [aria-live=assertive], [role=status]')].filter((one) => one.closest('.talk')).length,
                  nameless: [...document.querySelectorAll('button, a[href], input, textarea')].filter((one) =>
                    !(one.textContent.trim() || one.ariaLabel || one.title || one.labels?.length || one.querySelector('[aria-label]'))).map((one) => one.outerHTML),
                })",
            )
            .await;
        assert_eq!(facts, json!({"log": "log", "live": "off", "regions": 1, "nameless": Value::Array(vec![])}));
    })
    .await;
}
