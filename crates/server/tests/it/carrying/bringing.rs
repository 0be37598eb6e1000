//! Conversations taken away as an archive and brought in from elsewhere.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use crate::files::tools::Form;
use crate::world::{Answer, Caller, everything, on_both_engines};

pub async fn bring(caller: &Caller, app: &str, content: &[u8]) -> Answer {
    let form = Form::new().field("app", app).file("export", content);
    let request = caller.post("/api/v1/conversations/import").header("content-type", &form.content_type());
    request.body(form.body()).send().await
}

/// An archive with one packed entry, as ChatGPT sends it.
fn packed(name: &str, content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    let body = encoder.finish().unwrap();
    let mut out = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend((content.len() as u32).to_le_bytes());
    out.extend((name.len() as u16).to_le_bytes());
    out.extend([0, 0]);
    out.extend(name.as_bytes());
    out.extend(body);
    out.extend(b"PK\x01\x02");
    out
}

fn chatgpt(id: &str, words: &str) -> Value {
    let said = |role: &str, words: &str| json!({"author": {"role": role}, "create_time": 1_700_000_000.5, "content": {"content_type": "text", "parts": [words]}});
    json!({"title": format!("Talk {id}"), "create_time": 1_700_000_000.0, "update_time": 1_700_000_100.0, "conversation_id": id,
        "current_node": "b", "mapping": {
        "root": {"parent": null, "message": null},
        "a": {"parent": "root", "message": said("user", words)},
        "t": {"parent": "a", "message": said("tool", "42")},
        "b": {"parent": "t", "message": said("assistant", "First <b>")},
        "c": {"parent": "t", "message": said("assistant", "Second")},
    }})
}

/// A conversation without what names it here.
async fn shape(caller: &Caller, id: &str) -> Value {
    let export = caller.get(&format!("/api/v1/conversations/{id}/export")).send().await.json();
    let messages = export["messages"].as_array().unwrap();
    let place = |id: &Value| messages.iter().position(|one| one["id"] == *id);
    let said: Vec<_> = export["said"].as_array().unwrap().iter().map(place).collect();
    let shown: Vec<Value> = messages
        .iter()
        .map(|one| {
            json!([
                place(&one["parent_id"]),
                one["role"],
                one["content"],
                one["created_at"],
                one["finish_reason"],
                one["model"],
                one["citations"],
            ])
        })
        .collect();
    let head = &export["conversation"];
    json!({"title": head["title"], "created_at": head["created_at"], "updated_at": head["updated_at"], "messages": shown, "said": said})
}

on_both_engines! {
    async fn what_comes_from_elsewhere_comes_once(setup) {
        let world = setup.unlimited().start().await;
        let ann = world.member().await.caller;
        let list = json!([chatgpt("one", "Hello"), {"nothing": true}, chatgpt("two", "a\u{0}b"), chatgpt("three", "Third"), 7]);
        let archive = packed("export/conversations.json", list.to_string().as_bytes());
        let report = bring(&ann, "workspace", &archive).await;
        // A bare number between conversations ends the reading, and what was read stays.
        assert_eq!(report.status, 200, "{report:?}");
        let report = report.json();
        assert_eq!((&report["imported"], &report["refused"], &report["messages"], &report["left_out"]), (&json!(2), &json!(3), &json!(6), &json!(2)), "{report}");
        assert_eq!((&report["problems"][0]["number"], &report["problems"][1]["title"]), (&json!(2), &json!("Talk two")));
        let again = bring(&ann, "workspace", json!([chatgpt("one", "Hello"), chatgpt("three", "Third")]).to_string().as_bytes()).await.json();
        assert_eq!((&again["imported"], &again["present"]), (&json!(0), &json!(2)), "{again}");
        let talks = everything(&ann, "/api/v1/conversations?").await;
        assert_eq!(talks.len(), 2);
        assert_eq!(talks[0]["created_at"], "2023-11-14T22:13:20.000000Z");
        let messages = world.messages(&ann, talks[0]["id"].as_str().unwrap()).await;
        assert_eq!((messages.len(), &messages[1]["content"], messages[1]["branches"].as_array().unwrap().len()), (2, &json!("First <b>"), 2));
        // It goes on like any other, and nobody else sees it.
        world.say(&ann, talks[0]["id"].as_str().unwrap(), "And now?").await;
        let bob = world.person("bob@example.org", false).await.caller;
        assert_eq!(everything(&bob, "/api/v1/conversations?").await.len(), 0);

        for (app, content, status, code) in [
            ("workspace", &b"hello"[..], 400, "not_an_export"),
            ("workspace", b"[", 400, "not_an_export"),
            ("workspace", &packed("image.png", b"x"), 400, "nothing_found"),
            ("workspace", &packed("conversations.json", &vec![b' '; 16 << 20]), 400, "broken_archive"),
            ("files", b"[]", 403, ""),
            ("nothing", b"[]", 404, ""),
        ] {
            let refused = bring(&ann, app, content).await;
            assert_eq!((refused.status, refused.json()["errors"][0]["code"].as_str().unwrap_or_default()), (status, code), "{refused:?}");
        }
        assert_eq!(bring(&world.visitor(), "assistant", b"[]").await.status, 401);
    }

    async fn the_archive_of_one_comes_in_at_another_with_its_branches(setup) {
        let world = setup.unlimited().start().await;
        let ann = world.member().await.caller;
        let talk = world.conversation(&ann).await;
        let first = world.say(&ann, &talk, "a *b* <c>").await;
        world.say(&ann, &talk, "d").await;
        let answer = first["message"]["id"].as_str().unwrap();
        let again = ann.post(&format!("/api/v1/conversations/{talk}/messages/{answer}/regenerate")).send().await;
        assert_eq!(again.status, 201);
        ann.put(&format!("/api/v1/conversations/{talk}")).json(&json!({"title": "Ünder / way"})).send().await;
        for number in 0..3 {
            let other = world.conversation(&ann).await;
            world.say(&ann, &other, &format!("other {number}")).await;
        }
        // One that was put away is taken along too.
        let put = ann.put(&format!("/api/v1/conversations/{talk}")).json(&json!({"archived": true})).send().await;
        assert_eq!(put.status, 200, "{put:?}");
        let archive = ann.get("/api/v1/conversations/export?format=zip").send().await;
        assert_eq!((archive.status, archive.header("content-type")), (200, "application/zip"));
        assert!(String::from_utf8_lossy(&archive.body).contains("conversation.md"));
        // To whom it belongs, it is here already.
        let here = bring(&ann, "assistant", &archive.body).await.json();
        assert_eq!((&here["imported"], &here["present"]), (&json!(0), &json!(4)), "{here}");
        let bob = world.person("bob@example.org", false).await.caller;
        let there = bring(&bob, "assistant", &archive.body).await.json();
        assert_eq!((&there["imported"], &there["refused"]), (&json!(4), &json!(0)), "{there}");
        let theirs = everything(&bob, "/api/v1/conversations?q=way&archived=true").await;
        assert_eq!(shape(&bob, theirs[0]["id"].as_str().unwrap()).await, shape(&ann, &talk).await);
        // A page that stands alone, and one for the printer.
        let page = ann.get(&format!("/api/v1/conversations/{talk}/export?format=html")).send().await;
        let text = page.text();
        assert!(page.header("content-disposition").ends_with(".html\"") && text.contains("<style>") && text.contains("a *b* &#60;c&#62;"));
        assert!(!text.contains("<script") && !text.contains("src=") && !text.contains("<link"), "{text}");
        let print = ann.get(&format!("/apps/assistant/{talk}/print")).header("accept", "text/html").send().await;
        assert!(print.status == 200 && print.text().contains("data-print"));
    }
}
