//! What people carry: a conversation shown to somebody without an account, files in a message, everything taken along.

use serde_json::json;
use thirtyfour::prelude::*;

use super::accounts::{ROOM, claim};
use super::scene::walk;

#[tokio::test]
async fn a_conversation_is_shown_to_somebody_and_taken_back() {
    walk("share", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/apps/workspace").await;
        person.say("Tell me everything, Ann Miller <ann@example.com>").await;
        person.answer().await;
        person.click(".bar [data-conversation-menu]").await;
        person.click("#conversation-menu [data-action=share]").await;
        person.see("#share-dialog[open]").await;
        person.look("share-desk").await;
        person.phone().await;
        person.look("share-phone").await;
        person.desk().await;
        person.click("#share-dialog [name=masked]").await;
        person.click("#share-dialog form [type=submit]").await;
        person.see("[data-share-made]").await;
        let link = person.value("document.querySelector('[data-share-url]').value").await;
        let path = link
            .as_str()
            .unwrap()
            .split_once("/shared/")
            .map(|(_, token)| format!("/shared/{token}"))
            .unwrap();
        person.look("shared-link-desk").await;
        person.click("[data-share-made] [data-cancel]").await;
        person.see_no("#share-dialog[open]").await;

        let reader = scene.another("reader").await;
        reader.open(&path).await;
        reader.see(".paper").await;
        let text = reader.text(".paper").await;
        assert!(!text.contains("ann@example.com") && text.contains("[EMAIL]"), "{text}");
        assert!(reader.browser.get_all_cookies().await.unwrap().is_empty(), "nobody is followed");
        reader.look("shared-desk").await;
        reader.phone().await;
        reader.look("shared-phone").await;

        // For the printer: every message, no buttons.
        person.click(".bar [data-conversation-menu]").await;
        person.click("#conversation-menu [data-action=print]").await;
        person.see("[data-print]").await;
        assert_eq!(person.count(".paper-message").await, 2);
        person.look("print-desk").await;

        person.open("/account/conversations").await;
        person.see(".lines li").await;
        person.look("carried-desk").await;
        person.phone().await;
        person.look("carried-phone").await;
        person.desk().await;
        person.click(".lines form button").await;
        person.see("dialog[open]").await;
        person.send("dialog[open] .button.danger-button, dialog[open] .button.primary").await;
        person.see_no(".lines li").await;
        reader.open(&path).await;
        assert!(reader.text("main").await.contains("404"));
    })
    .await;
}

#[tokio::test]
async fn files_go_with_a_message_and_conversations_come_in() {
    walk("attach", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/apps/workspace").await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let paths = [file("<b>notes.txt", b"The code word is heron."), file("plan.md", b"# Plan\n\nGo.")];
        let input = person.browser.find(By::Css("[data-attach-input]")).await.unwrap();
        input.send_keys(paths.join("\n")).await.unwrap();
        person.until("document.querySelectorAll('.chips li').length === 2").await;
        person.until("[...document.querySelectorAll('.chips small')].every((one) => one.textContent.endsWith(' B'))").await;
        person.look("attach-desk").await;
        person.phone().await;
        person.look("attach-phone").await;
        person.desk().await;
        person.click(".chips li:last-child button").await;
        person.until("document.querySelectorAll('.chips li').length === 1").await;
        person.say("What is the code word?").await;
        person.answer().await;
        person.until("document.querySelector('.from-person .attached-name')?.textContent === '_b_notes.txt'").await;
        person.until("document.querySelector('.from-person .attached small')?.textContent.includes('read: 23')").await;
        assert_eq!(person.count(".chips li").await, 0);
        person.look("attached-desk").await;

        // An export from elsewhere, chosen on the page of the account.
        person.open("/account/conversations").await;
        let talk = json!([{"title": "From elsewhere", "conversation_id": "c1", "create_time": 1_700_000_000, "mapping": {
            "a": {"message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hello"]}}},
            "b": {"parent": "a", "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["**Hi**"]}}},
        }}, {"nothing": 1}]);
        let export = file("conversations.json", talk.to_string().as_bytes());
        let input = person.browser.find(By::Css("#import-file")).await.unwrap();
        input.send_keys(export).await.unwrap();
        person.click("[data-import] [type=submit]").await;
        person.until("document.querySelector('[data-report]').textContent.includes('1 conversation brought in, with 2 messages.')").await;
        assert!(person.text("[data-report]").await.contains("shape"), "what did not come in is told");
        person.look("imported-desk").await;
    })
    .await;
}
