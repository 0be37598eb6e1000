//! The report of what can go, what comes of picking from it, and what is refused.

use std::time::Duration;

use serde_json::{Value, json};

use super::tools::{Form, disk, keepers, upload};
use crate::world::{Caller, eventually, everything, on_both_engines};

async fn report(caller: &Caller) -> Value {
    let answer = caller.get("/api/v1/files/declutter").send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The findings of a kind, once every content has been looked at.
async fn findings(caller: &Caller, kind: &str) -> Vec<Value> {
    let looked = async || report(caller).await["pending"] == 0;
    eventually(Duration::from_secs(30), "every content has been looked at", looked).await;
    let answer = caller.get(&format!("/api/v1/files/declutter?kind={kind}")).send().await;
    answer.json()["findings"].as_array().unwrap().clone()
}

async fn apply(caller: &Caller, ids: &[&str]) -> crate::world::Answer {
    caller.post("/api/v1/files/declutter/apply").json(&json!({"file_ids": ids})).send().await
}

async fn copy(caller: &Caller, folder: &str, name: &str, content: &[u8]) -> String {
    let made = Form::new().field("folder", folder).file(name, content).send(caller).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn copies_are_found_go_and_come_back(setup) {
        let world = setup.start().await;
        let [ann, bob] = keepers(&world).await;
        let content = b"the same words in two places ".repeat(300);
        let original = upload(&ann, "words.txt", &content).await;
        let double = copy(&ann, "Copies", "words (1).txt", &content).await;
        let single = upload(&ann, "other.txt", b"other words that stand alone in the whole store").await;
        let theirs = upload(&bob, "words.txt", &content).await;

        let found = findings(&ann, "duplicate").await;
        assert_eq!(found.len(), 1, "{found:?}");
        let (kept, gone) = (&found[0]["members"][0], &found[0]["members"][1]);
        assert_eq!((&kept["file_id"], &kept["advice"]), (&json!(original), &json!("keep")));
        assert_eq!((&gone["file_id"], &gone["advice"], &gone["path"]), (&json!(double), &json!("go"), &json!("Copies/words (1).txt")));
        let proof = &gone["evidence"][0];
        assert_eq!((&proof["file_id"], &proof["other_id"], &proof["digest"], &proof["relation"]["is"]), (&json!(double), &json!(original), &proof["other_digest"], &json!("identical")));
        // Their bytes are stored once: throwing the copy away frees nothing, and nobody says that it would.
        assert_eq!((&found[0]["logical_bytes"], &found[0]["physical_bytes"]), (&json!(content.len()), &json!(0)));
        let whole = report(&ann).await;
        assert_eq!(whole["seen"]["files"], 3);
        let total = whole["totals"].as_array().unwrap().iter().find(|total| total["kind"] == "duplicate").unwrap();
        assert_eq!((&total["findings"], &total["amount"]["files"]), (&json!(1), &json!(1)));
        assert!(!findings(&bob, "duplicate").await.iter().any(|one| one.to_string().contains(&theirs)));

        for (ids, status) in [
            (vec![original.as_str()], 409),
            (vec![&original, &double], 409),
            (vec![&double, &single], 409),
            (vec![&double, &theirs], 404),
            (vec![], 400),
        ] {
            let answer = apply(&ann, &ids).await;
            assert_eq!(answer.status, status, "{ids:?}: {answer:?}");
        }
        assert_eq!(everything(&ann, "/api/v1/files?limit=100").await.len(), 3, "nothing happened");
        let preview = ann.post("/api/v1/files/declutter/apply").json(&json!({"file_ids": [double], "preview": true})).send().await.json();
        assert_eq!((&preview["batch_id"], &preview["logical_bytes"], &preview["physical_bytes"]), (&Value::Null, &json!(content.len()), &json!(0)));
        assert_eq!(everything(&ann, "/api/v1/files?limit=100").await.len(), 3);

        let applied = apply(&ann, &[&double]).await;
        assert_eq!(applied.status, 200, "{applied:?}");
        assert_eq!((&applied.json()["verified"], &applied.json()["file_ids"]), (&json!(1), &json!([double])));
        assert!(findings(&ann, "duplicate").await.is_empty());
        let stale = apply(&ann, &[&double]).await;
        assert_eq!((stale.status, stale.code().as_str()), (409, "conflict"));
        let undo = format!("/api/v1/files/batches/{}/restore", applied.json()["batch_id"].as_str().unwrap());
        assert_eq!(ann.post(&undo).send().await.status, 200);
        assert_eq!(findings(&ann, "duplicate").await.len(), 1);

        let ignore = |ids: Value, ignored: bool| ann.post("/api/v1/files/declutter/ignore").json(&json!({"file_ids": ids, "ignored": ignored})).send();
        assert_eq!(ignore(json!([original, theirs]), true).await.status, 404);
        assert_eq!(ignore(json!([original]), true).await.status, 400);
        assert_eq!(ignore(json!([original, double]), true).await.status, 204);
        assert!(findings(&ann, "duplicate").await.is_empty());
        assert_eq!(ignore(json!([double, original]), false).await.status, 204);
        assert_eq!(findings(&ann, "duplicate").await.len(), 1);
        assert_eq!(ann.delete(&format!("/api/v1/files/{single}?permanent=true")).send().await.status, 204);
        world.verify_audit().await;
    }

    async fn nothing_goes_when_what_would_be_kept_is_damaged(setup) {
        let world = setup.start().await;
        let [ann, _] = keepers(&world).await;
        let content = b"words that will be damaged ".repeat(9_000);
        upload(&ann, "one.txt", &content).await;
        let double = copy(&ann, "Copies", "one (1).txt", &content).await;
        assert_eq!(findings(&ann, "duplicate").await.len(), 1);
        let blob = disk(&world).remove(0);
        let mut bytes = std::fs::read(&blob).unwrap();
        bytes[150_000] ^= 1;
        std::fs::write(&blob, &bytes).unwrap();
        let refused = apply(&ann, &[&double]).await;
        assert_eq!((refused.status, refused.code().as_str()), (409, "conflict"), "{refused:?}");
        assert_eq!(everything(&ann, "/api/v1/files?limit=100").await.len(), 2);
    }

    async fn contents_that_are_near_are_found_when_they_have_been_looked_at(setup) {
        let world = setup.start().await;
        let [ann, _] = keepers(&world).await;
        let sentence = |n: usize| format!("Sentence {n} speaks of the harbour, its {} boats and the {} gulls above. ", n * 7 % 31, n * 11 % 37);
        let text: String = (0..80).map(sentence).collect();
        let edited = text.replacen("harbour", "port", 2);
        let one = upload(&ann, "letter.txt", text.as_bytes()).await;
        let other = upload(&ann, "letter v2.txt", edited.as_bytes()).await;
        upload(&ann, "empty.txt", b"").await;
        let all = findings(&ann, "near_document").await;
        let all = if all.is_empty() { findings(&ann, "version").await } else { all };
        let told = json!(all).to_string();
        assert!(told.contains(&one) && told.contains(&other), "{told}");
        assert_eq!(findings(&ann, "empty_file").await.len(), 1);
        // What was found is kept: after a restart nothing is looked at again.
        assert_eq!(ann.get("/api/v1/files/declutter?kind=colour").send().await.status, 400);
        assert_eq!(ann.get("/api/v1/files/declutter?limit=0").send().await.status, 400);
    }
}
