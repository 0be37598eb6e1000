//! Export and erasure of a subject, and who may write while a subject is erased.

use kernel::{Code, ConversationId, PageRequest};
use store::{ConversationFilter, Idempotent, Opening, StoredAnswer, TABLES};

use crate::world::{event, on_both_engines};

on_both_engines! {
    async fn export_then_erase_leaves_nothing(world) {
        let (store, owner, other) = (&world.store, world.user(), world.user());
        for subject in [owner, other] {
            for n in 0..3 {
                let mut turn = world.opening(subject, &format!("said {n}"));
                turn.opening = Opening::New {
                    id: turn.user.conversation_id, title: Some(format!("title {n}")), topic: None, session: Some(n.to_string()),
                };
                store.record_turn(turn, event(subject)).await.unwrap();
            }
            let expires = world.ambient.now() + std::time::Duration::from_secs(100);
            assert_eq!(store.begin_idempotent(&subject, "k", "f", expires).await.unwrap(), Idempotent::Fresh);
            let answer = StoredAnswer { status: 200, body: b"said".to_vec(), content_type: "text/plain".into() };
            store.finish_idempotent(&subject, "k", answer).await.unwrap();
        }
        let export = store.export_subject(&owner).await.unwrap();
        assert_eq!(export.tables["conversations"].len(), 3);
        assert_eq!(export.tables["messages"].len(), 6);
        let mut said: Vec<&str> = export.tables["messages"].iter().map(|row| row["content"].as_str().unwrap()).collect();
        said.sort_unstable();
        assert_eq!(said, ["answer to said 0", "answer to said 1", "answer to said 2", "said 0", "said 1", "said 2"]);
        assert_eq!(export.tables["conversations"][0]["title"], "title 0");
        assert!(export.tables["conversations"][0].get("session_tag").is_none());

        let mut counts = store.erase_subject(&owner, event(owner)).await.unwrap();
        counts.retain(|(_, count)| *count > 0);
        assert_eq!(counts, [("messages", 6), ("conversations", 3), ("idempotency", 1), ("data_keys", 1)]);
        let export = store.export_subject(&owner).await.unwrap();
        assert!(export.tables.values().all(Vec::is_empty));
        for table in TABLES {
            if let store::Rule::Subject { condition, erase: true, .. } = table.rule {
                let condition = condition.replace("$1", &format!("'{owner}'"));
                assert_eq!(world.number(&format!("SELECT COUNT(*) FROM {} WHERE {condition}", table.name)).await, 0);
            }
        }
        assert_eq!(store.export_subject(&other).await.unwrap().tables["messages"].len(), 6);
        assert_eq!(store.erase_subject(&owner, vec![]).await.unwrap().iter().map(|(_, n)| n).sum::<u64>(), 0);
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
    }

    async fn an_erasure_elsewhere_ends_the_key_here(world) {
        let (store, other, owner) = (&world.store, world.second().await, world.visitor());
        let id = store.record_turn(world.opening(owner, "before"), vec![]).await.unwrap();
        other.erase_subject(&owner, vec![]).await.unwrap();
        // This process still holds the destroyed key in memory; what it writes now must be readable later.
        assert_eq!(store.record_turn(world.turn(owner, id, "x"), vec![]).await.unwrap_err().code(), Code::NotFound);
        let id = store.record_turn(world.opening(owner, "after"), vec![]).await.unwrap();
        assert_eq!(other.messages(&owner, id, PageRequest::first(5)).await.unwrap().items[0].content, "after");
        other.close().await;
    }

    async fn writes_during_an_erasure_stay_readable(world) {
        let (owner, other) = (world.visitor(), world.second().await);
        let mut running = Vec::new();
        for n in 0..40 {
            let store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
            let turn = world.opening(owner, &format!("turn {n}"));
            running.push(tokio::spawn(async move {
                if n % 8 == 3 { store.erase_subject(&owner, vec![]).await.map(drop) } else { store.record_turn(turn, vec![]).await.map(drop) }
            }));
        }
        for task in running {
            task.await.unwrap().unwrap();
        }
        // Whatever was written after the last erasure opens under the key that is stored now.
        let fresh = world.second().await;
        let export = fresh.export_subject(&owner).await.unwrap();
        assert_eq!(export.tables["messages"].len(), export.tables["conversations"].len() * 2);
        let listed = fresh.conversations(&owner, ConversationFilter::default(), PageRequest::first(100)).await.unwrap();
        for conversation in listed.items {
            fresh.messages(&owner, conversation.id, PageRequest::first(5)).await.unwrap();
        }
        other.close().await;
        fresh.close().await;
    }

    async fn an_unknown_subject_has_nothing(world) {
        let owner = world.visitor();
        assert!(world.store.export_subject(&owner).await.unwrap().tables.values().all(Vec::is_empty));
        let unknown = ConversationId::new(&world.ambient);
        assert_eq!(world.store.conversation(&owner, unknown).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.number("SELECT COUNT(*) FROM data_keys").await, 0, "reading makes no key");
    }
}
