//! The pages of the file store as a browser without scripts uses them: plain forms, and answers that lead on.

use std::time::Duration;

use serde_json::Value;

use super::tools::{Form, keepers, upload};
use crate::world::{Answer, Caller, eventually, everything, on_both_engines};

async fn post(caller: &Caller, path: &str, form: &str) -> Answer {
    let origin = format!("http://{}", caller.address());
    let request = caller.post(path).header("origin", &origin);
    request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).send().await
}

async fn bring(caller: &Caller, form: Form) -> Answer {
    let origin = format!("http://{}", caller.address());
    let request =
        caller.post("/files").header("origin", &origin).header("content-type", &form.content_type());
    request.body(form.body()).send().await
}

/// The value of the first such field of a page.
fn field(page: &Answer, name: &str) -> String {
    let text = page.text();
    let (_, rest) = text.split_once(&format!("name=\"{name}\" value=\"")).expect("such a field");
    rest.split('"').next().unwrap().to_owned()
}

on_both_engines! {
    async fn files_are_kept_without_a_script(setup) {
        let world = setup.unlimited().start().await;
        let [ann, bob] = keepers(&world).await;
        assert!(ann.get("/files").send().await.text().contains("No files yet"));
        let hostile = "\"><script>alert(1)</script>.txt";
        // A field without a choice is sent as a file without a name.
        let stored = bring(&ann, Form::new().field("folder", "").field("modified_at", "").file("one.txt", b"same").file(hostile, b"more").file("", b"")).await;
        assert_eq!((stored.status, stored.header("location")), (303, "/files?done=stored&n=2&same=0"), "{stored:?}");
        let again = bring(&ann, Form::new().file("two.txt", b"same")).await;
        assert_eq!(again.header("location"), "/files?done=stored&n=1&same=1", "{again:?}");
        let page = ann.get("/files?done=stored&n=1&same=1").send().await.text();
        assert!(page.contains("1 file is stored. Its content was there already") && !page.contains("<script>alert"));
        assert!(!ann.get("/files?q=two").send().await.text().contains("one.txt"));
        let none = bring(&ann, Form::new().file("", b"")).await;
        assert!(none.status == 400 && none.text().contains("at least one file"), "{none:?}");
        assert!(!bob.get("/files").send().await.text().contains("one.txt"), "nobody sees what others have");

        let ids: Vec<String> = everything(&ann, "/api/v1/files?limit=5").await.iter().map(|file| file["id"].as_str().unwrap().to_owned()).collect();
        let ticked: Vec<String> = ids.iter().map(|id| format!("id={id}")).collect();
        assert_eq!(post(&bob, "/files/delete", &ticked.join("&")).await.status, 404);
        assert_eq!(post(&ann, "/files/delete", "").await.status, 400);
        let gone = post(&ann, "/files/delete", &ticked.join("&")).await;
        assert_eq!(gone.status, 303, "{gone:?}");
        let said = ann.get(gone.header("location")).send().await.text();
        assert!(said.contains("3 files are in the trash"), "{said}");
        let undo = said.split("action=\"/files/batches/").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(post(&bob, &format!("/files/batches/{undo}"), "").await.status, 404);
        let back = post(&ann, &format!("/files/batches/{undo}"), "").await;
        assert_eq!((back.status, back.header("location")), (303, "/files?done=restored&n=3"));

        // What goes for good is asked for by a page of its own.
        let first = format!("id={}", ids[0]);
        assert_eq!(post(&ann, "/files/delete", &first).await.status, 303);
        let asked = post(&ann, "/files/destroy", &first).await;
        assert!(asked.status == 200 && asked.text().contains("Delete 1 file for ever?"), "{asked:?}");
        assert_eq!(everything(&ann, "/api/v1/files?trashed=true").await.len(), 1);
        assert_eq!(post(&ann, "/files/destroy", &format!("{first}&sure=yes")).await.status, 303);
        assert!(everything(&ann, "/api/v1/files?trashed=true").await.is_empty());
        assert!(ann.get("/files/trash").send().await.text().contains("The trash is empty"));
    }

    async fn what_can_go_goes_and_comes_back_without_a_script(setup) {
        let world = setup.unlimited().start().await;
        let [ann, _] = keepers(&world).await;
        assert!(ann.get("/files/declutter").send().await.text().contains("nothing to tidy"));
        let words = b"the same words in two places ".repeat(300);
        let one = upload(&ann, "words.txt", &words).await;
        let other = upload(&ann, "words (1).txt", &words).await;
        let looked = async || {
            let report: Value = ann.get("/api/v1/files/declutter").send().await.json();
            report["pending"] == 0
        };
        eventually(Duration::from_secs(30), "every content has been looked at", looked).await;
        let page = ann.get("/files/declutter").send().await;
        let picked = field(&page, "go");
        assert!(page.text().contains(" checked") && [&one, &other].contains(&&picked), "{}", page.text());
        let shown = post(&ann, "/files/declutter/preview", &format!("go={picked}&back=//evil")).await;
        assert!(shown.status == 200 && shown.text().contains("1 file goes to the trash"), "{shown:?}");
        assert!(!shown.text().contains("evil"));
        assert!(everything(&ann, "/api/v1/files?trashed=true").await.is_empty(), "a preview changes nothing");
        let both = post(&ann, "/files/declutter/apply", &format!("go={one}&go={other}")).await;
        assert!(both.status == 409 && both.text().contains("Nothing was moved"), "{both:?}");
        let moved = post(&ann, "/files/declutter/apply", &format!("go={picked}")).await;
        assert_eq!(moved.status, 303, "{moved:?}");
        let said = ann.get(moved.header("location")).send().await.text();
        assert!(said.contains("1 file is in the trash") && said.contains("/files/batches/"), "{said}");
        assert_eq!(post(&ann, &format!("/files/{picked}/restore"), "").await.status, 303);
        let ignored = post(&ann, "/files/declutter/ignore", &format!("id={one}&id={other}")).await;
        assert_eq!(ignored.status, 303, "{ignored:?}");
        let said = ann.get(ignored.header("location")).send().await.text();
        assert!(said.contains("not suggested again") && !said.contains("name=\"go\""), "{said}");
        let again = post(&ann, "/files/declutter/ignore", &format!("id={one}&id={other}&undo=yes")).await;
        assert!(ann.get(again.header("location")).send().await.text().contains("name=\"go\""));
    }
}
