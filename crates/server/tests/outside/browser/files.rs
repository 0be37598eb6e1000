//! What people do with their files: bring them, find them, throw them away and take that back, see what can go. Names
//! that want to be scripts are names.

use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;

use super::accounts::{ROOM, claim};
use super::person::Person;
use super::scene::walk;
use crate::place;

impl Person {
    /// Chooses files in the drop zone: `(name, content)`.
    async fn bring(&self, files: &[(&str, &str)]) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut paths = Vec::new();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("a file");
            paths.push(path.to_str().expect("UTF-8").to_owned());
        }
        let before = self.count(".upload.done").await;
        let field = self.browser.find(By::Css("[data-drop] input[type=file]")).await.unwrap();
        field.send_keys(paths.join("\n")).await.unwrap();
        let after = before + files.len() as u64;
        self.until(&format!("document.querySelectorAll('.upload.done').length === {after}")).await;
    }

    /// Waits until every content has been looked at.
    async fn looked_through(&self) {
        for _ in 0..150 {
            if self.ask("GET", "/api/v1/files/declutter", json!(null)).await.body["pending"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the contents are not looked at");
    }
}

#[tokio::test]
async fn files_are_brought_thrown_away_and_taken_back() {
    walk("files", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/apps/files").await;
        assert_eq!(person.path().await, "/files");
        person.see(".nothing").await;
        person.look("files-empty-desk").await;
        person.bring(&[("one.txt", "the same words"), ("two.txt", "other words")]).await;
        person.until("document.querySelectorAll('#list [data-row]').length === 2").await;
        assert!(person.text(".tab-count").await.contains('2'), "the tabs count too");
        person.bring(&[("copy of one.txt", "the same words")]).await;
        person.until("document.querySelector('.upload:last-child small').textContent.includes('already have this as “one.txt”')").await;
        person.until("document.querySelectorAll('#list [data-row]').length === 3").await;
        person.look("files-desk").await;

        person.open("/files?q=two").await;
        assert_eq!(person.count("#list [data-row]").await, 1);
        person.open("/files?q=nothing-has-this").await;
        assert!(person.text(".nothing h2").await.contains("No file has that"));

        // One, with the way back in the toast: nothing is sent until it has gone.
        person.open("/files").await;
        person.click("#list form[data-later] button").await;
        person.see(".toast").await;
        person.until("[...document.querySelectorAll('#list [data-row]')].filter((one) => !one.hidden).length === 2").await;
        person.click(".toast .button").await;
        person.until("[...document.querySelectorAll('#list [data-row]')].every((one) => !one.hidden)").await;

        // All at once, by keyboard, and back again.
        person.tab_to("[data-all]").await;
        person.keys(" ").await;
        person.until("document.querySelector('[data-picked-words]').textContent.startsWith('3 files')").await;
        person.send("#several button").await;
        assert!(person.text(".undo p").await.contains("3 files are in the trash"));
        person.send(".undo button").await;
        assert_eq!(person.count("#list [data-row]").await, 3);

        // For ever.
        person.click("[data-all]").await;
        person.send("#several button").await;
        person.open("/files/trash").await;
        person.look("files-trash-desk").await;
        person.click("[action='/files/trash/empty'] button").await;
        person.see("dialog[open]").await;
        person.keys(Key::Escape).await;
        person.see_no("dialog[open]").await;
        person.click("[action='/files/trash/empty'] button").await;
        person.send("dialog[open] [value=yes]").await;
        assert!(person.text("[role=status]").await.contains("3 files are gone for good"));
        person.nothing_amiss().await;
    })
    .await;
}

#[tokio::test]
async fn what_can_go_is_looked_at_moved_and_taken_back() {
    walk("declutter", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/files/declutter").await;
        person.see(".nothing").await;
        person.open("/files").await;
        person
            .bring(&[("a.txt", "words that are there twice"), ("b.txt", "words that are there twice")])
            .await;
        person.looked_through().await;
        person.open("/files/declutter").await;
        person.see(".finding").await;
        assert_eq!(person.count(".finding [data-pick]:checked").await, 1, "what is safe is ticked");
        person.look("declutter-desk").await;
        person.send("#pick .sticky button").await;
        assert_eq!(person.path().await, "/files/declutter/preview");
        assert!(person.text("main").await.contains("1 file goes to the trash"));
        // In another tab the other one goes: what was suggested does not stand any more.
        let left = person.ask("GET", "/api/v1/files", json!(null)).await;
        let going = person.value("document.querySelector('[name=go]').value").await;
        let kept = left.body["items"].as_array().unwrap().iter().find(|one| one["id"] != going).unwrap();
        let kept = format!("/api/v1/files/{}", kept["id"].as_str().unwrap());
        assert_eq!(person.ask("DELETE", &kept, json!(null)).await.status, 200);
        person.send("[action='/files/declutter/apply'] button").await;
        assert!(person.text("#problem").await.contains("Nothing was moved"));
        assert_eq!(person.ask("POST", &format!("{kept}/restore"), json!(null)).await.status, 200);

        person.open("/files/declutter").await;
        person.send("#pick .sticky button").await;
        person.send("[action='/files/declutter/apply'] button").await;
        assert!(person.text(".undo p").await.contains("1 file is in the trash"));
        person.send(".undo button").await;
        person.open("/files/declutter").await;
        person.send("[form^=ignore]").await;
        assert_eq!(person.count(".finding").await, 0, "it is not suggested again");
        person.send(".undo button").await;
        person.see(".finding").await;
        person.nothing_amiss().await;
    })
    .await;
}

#[tokio::test]
async fn names_that_want_to_be_scripts_are_names() {
    walk("files-attacks", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/files").await;
        let mut names = vec!["\"><img src=x onerror=alert(1)>.txt".to_owned(), "<script>alert(1)<\u{2044}script>.txt".to_owned()];
        if let Some(file) = place::shared("h5sc-xss/vectors.txt") {
            let text = std::fs::read_to_string(file).expect("vectors");
            names.extend(text.lines().filter(|line| !line.trim().is_empty()).take(15).map(str::to_owned));
        }
        for name in &names {
            // A file system would not take these; a program that uploads does not ask one.
            let done = person
                .browser
                .execute_async(
                    "const [name, done] = arguments; const body = new FormData(); body.append('file', new Blob(['the same']), name); fetch('/api/v1/files', { method: 'POST', body }).then((answer) => done(answer.status));",
                    vec![json!(name)],
                )
                .await
                .unwrap();
            assert_eq!(done.json(), &json!(201), "{name}");
        }
        for path in ["/files", "/files?q=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "/files/declutter", "/files/trash"] {
            for bypass in [false, true] {
                person.tool("Page.setBypassCSP", json!({"enabled": bypass})).await;
                person.open(path).await;
                assert_eq!(person.count("main img, main script, main iframe").await, 0, "{path}");
                person.nothing_amiss().await;
            }
        }
    })
    .await;
}
