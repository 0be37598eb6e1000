//! The command palette and the shortcuts: everything of a page is done and every page is reached without a mouse, a
//! screen reader is told what is chosen, and nothing happens while somebody types.

use serde_json::json;
use thirtyfour::prelude::*;

use super::accounts::{ROOM, claim};
use super::person::Person;
use super::scene::walk;

async fn open(person: &Person) {
    person.palette().await;
    person.see("#palette[open] [role=option]").await;
}

/// What the palette would do now, as a screen reader is told.
const CHOSEN: &str = "document.getElementById(document.querySelector('#palette input').getAttribute('aria-activedescendant'))?.querySelector('.palette-name').textContent ?? null";

#[tokio::test]
async fn every_page_and_every_command_is_found_by_a_few_letters() {
    walk("palette", &ROOM, async |scene| {
        claim(scene).await;
        let person = &scene.person;
        for title in ["Trip to Lisbon in spring", "Budget of the second quarter"] {
            let made = person
                .ask("POST", "/api/v1/conversations", json!({"app": "assistant", "title": title}))
                .await;
            assert_eq!(made.status, 201);
        }
        // From the administration to a conversation, by letters of its title.
        person.open("/admin/audit").await;
        open(person).await;
        assert!(person.has_focus("#palette input[role=combobox]").await);
        person.until("document.querySelector('#palette-list').textContent.includes('Lisbon')").await;
        person.look("palette-desk").await;
        person.keys("lisb").await;
        person.until(&format!("{CHOSEN} === 'Trip to Lisbon in spring'")).await;
        assert_eq!(person.text("#palette mark").await, "Lisb", "the letters are marked");
        assert!(person.text("[data-palette-said]").await.contains("found"));
        person.keys(Key::Enter).await;
        person.until("location.pathname.startsWith('/apps/assistant/')").await;
        // To a page of the administration, by letters that lie apart.
        open(person).await;
        person.keys("blck addr").await;
        person.until(&format!("{CHOSEN} === 'Blocked addresses'")).await;
        person.keys(Key::Enter).await;
        person.at("/admin/blocks").await;
        // The arrows go round, and Escape gives the focus back.
        person.open("/apps/assistant").await;
        open(person).await;
        let first = person.value(CHOSEN).await;
        person.keys(Key::Up).await;
        person.until(&format!("{CHOSEN} !== {first}")).await;
        person.keys(Key::Down).await;
        person.until(&format!("{CHOSEN} === {first}")).await;
        person.keys("zzzzqqq").await;
        person.see("[data-palette-none]").await;
        assert_eq!(person.value(CHOSEN).await, json!(null));
        person.keys(Key::Escape).await;
        person.see_no("#palette").await;
        assert!(person.has_focus("#message").await, "one goes on where one was");
        // A command of the open conversation.
        person.say("Something to rename").await;
        person.answer().await;
        open(person).await;
        person.keys("rename").await;
        person.until(&format!("{CHOSEN}?.includes('Rename')")).await;
        person.keys(Key::Enter).await;
        person.see("#rename-dialog[open]").await;
        assert!(person.has_focus("#rename-input").await);
        person.keys(Key::Escape).await;
        // On a phone there is a button.
        person.phone().await;
        person.open("/apps/assistant").await;
        person.click("[data-open-palette]").await;
        person.see("#palette[open] [role=option]").await;
        person.look("palette-phone").await;
    })
    .await;
}

#[tokio::test]
async fn nobody_is_offered_what_is_not_theirs() {
    walk("palette-visitor", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        open(person).await;
        person.until("document.querySelector('#palette-list').textContent.includes('Sign in')").await;
        let all = person.text("#palette-list").await;
        assert!(!all.contains("Audit log") && !all.contains("API keys"), "{all}");
        assert!(all.contains("Assistant") && all.contains("API reference"), "{all}");
    })
    .await;
}

#[tokio::test]
async fn keys_press_buttons_unless_somebody_types_or_has_switched_them_off() {
    walk("shortcuts", &[], async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        person.say("First").await;
        person.answer().await;
        person.until("document.activeElement.id === 'message'").await;
        // While one types they are letters.
        person.keys("?nt/").await;
        assert_eq!(person.value("document.querySelector('#message').value").await, "?nt/");
        person.see_no("#shortcuts").await;
        person.value("document.querySelector('#message').value = ''").await;
        // Elsewhere they are keys.
        person.value("document.activeElement.blur()").await;
        person.keys("?").await;
        person.see("#shortcuts[open]").await;
        person.look("shortcuts-desk").await;
        assert_eq!(person.count("#shortcuts [data-command=new]:not([hidden])").await, 1);
        assert_eq!(person.count("#shortcuts [data-command=filter]:not([hidden])").await, 0, "nothing to filter here");
        person.keys(Key::Escape).await;
        person.see_no("#shortcuts").await;
        person.keys("k").await;
        assert!(person.has_focus(".message").await, "messages are walked through");
        person.keys("k").await;
        assert!(person.has_focus(".from-person").await);
        person.keys("e").await;
        person.see(".edit-words textarea").await;
        assert!(person.has_focus(".edit-words textarea").await);
        person.keys(Key::Escape).await;
        person.keys("/").await;
        assert!(person.has_focus("#message").await);
        person.value("document.activeElement.blur()").await;
        person.keys("t").await;
        assert_eq!(person.value("document.documentElement.dataset.theme").await, "light");
        person.value("document.activeElement.blur()").await;
        // A button says its key.
        person.value("document.querySelector('.side .new').dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))").await;
        assert_eq!(person.value("document.querySelector('.side .new').getAttribute('aria-keyshortcuts')").await, "N");
        // Switched off, none works, and the button still does.
        person.keys("?").await;
        person.see("#shortcuts[open]").await;
        person.click("[data-shortcuts-on]").await;
        person.keys(Key::Escape).await;
        for key in ["?", "n", "k"] {
            person.keys(key).await;
        }
        person.palette().await;
        person.see_no("#shortcuts").await;
        person.see_no("#palette").await;
        assert!(!person.path().await.ends_with("/assistant"), "no new conversation");
        person.click("[data-open-palette]").await;
        person.see("#palette[open]").await;
    })
    .await;
}
