//! kill -9 under concurrent writes on SQLite, ten times (as often as `STOA_KILLS` says): everything that was
//! acknowledged is there, the audit chain is whole, and an answer that was being written is marked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Mode, Setup, setting};

/// What callers were told is stored: ids of messages with their conversation and, where it was told, their text.
type Told = Arc<Mutex<HashMap<String, (String, Option<String>)>>>;

fn note(told: &Told, conversation: &Value, message: &Value, text: Option<&str>) {
    let (id, conversation) =
        (message["id"].as_str().unwrap().to_owned(), conversation.as_str().unwrap().to_owned());
    told.lock().unwrap().insert(id, (conversation, text.map(str::to_owned)));
}

/// Asks without a stream until the server is gone.
async fn ask(caller: Caller, writer: usize, told: Told) {
    for number in 0.. {
        let body = json!({"message": format!("{writer}.{number}"), "app": "assistant"});
        let Ok(answer) = caller.post("/api/v1/chat").json(&body).try_send().await else { return };
        assert_eq!(answer.status, 200, "{answer:?}");
        let turn = answer.json();
        note(&told, &turn["conversation_id"], &turn["message"], turn["message"]["content"].as_str());
    }
}

/// Streams until the server is gone.
async fn stream(caller: Caller, writer: usize, told: Told) {
    for number in 0.. {
        let body = json!({"message": format!("s{writer}.{number}"), "app": "assistant", "stream": true});
        let Ok(mut events) = caller.post("/api/v1/chat").json(&body).try_stream().await else { return };
        let Some(began) = events.next().await else { return };
        let conversation = began.data["conversation_id"].clone();
        note(
            &told,
            &conversation,
            &began.data["user_message"],
            began.data["user_message"]["content"].as_str(),
        );
        note(&told, &conversation, &began.data["message"], None);
        let rest = events.rest().await;
        if rest.last().is_some_and(|event| event.name == "done") {
            note(&told, &conversation, &began.data["message"], Some(&crate::world::text(&rest)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost() {
    let kills: u64 = setting("STOA_KILLS").map_or(10, |text| text.parse().unwrap());
    let mut world = Setup::sqlite().unlimited().set("MAX_CONVERSATIONS_PER_SESSION", 1_000_000).start().await;
    world.upstream.set(Mode::Pieces(4, Duration::from_millis(3)));
    let told: Told = Arc::default();
    let (mut interrupted, mut seen) = (0, 0);
    for kill in 0..kills {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            writers.spawn(ask(world.key(), writer, Arc::clone(&told)));
            writers.spawn(stream(world.key(), writer, Arc::clone(&told)));
        }
        // At another moment of the work each time.
        tokio::time::sleep(Duration::from_millis(60 + kill * 37 % 90)).await;
        world.crash().await;
        while let Some(writer) = writers.join_next().await {
            writer.unwrap();
        }
        let round: Vec<_> = told.lock().unwrap().drain().collect();
        seen += round.len();
        let mut stored = HashMap::new();
        for (id, (conversation, text)) in round {
            if !stored.contains_key(&conversation) {
                stored.insert(conversation.clone(), world.messages(&world.key(), &conversation).await);
            }
            let message = stored[&conversation].iter().find(|message| message["id"] == id.as_str());
            let message =
                message.unwrap_or_else(|| panic!("{id} was acknowledged and is gone after kill {kill}"));
            match message["finish_reason"].as_str() {
                Some("interrupted") => interrupted += 1,
                Some("stop") => {}
                other => panic!("an answer without its end: {other:?} {message}"),
            }
            if let Some(text) = text {
                assert_eq!(message["content"], text.as_str(), "after kill {kill}");
            }
        }
        world.verify_audit().await;
    }
    println!("{seen} messages were acknowledged, {interrupted} answers interrupted");
    assert!(seen > kills as usize * 8 && interrupted > 0, "{seen} {interrupted}");
}
