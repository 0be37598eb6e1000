//! Links to conversations and conversations from elsewhere, on both engines.

use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{Code, ConversationId, Fault, MessageId, PageRequest, Secret, ShareId, Subject};
use store::{ImportedConversation, ImportedOrder, Joint, Message, NewShare, Role};

use crate::world::{World, event, on_both_engines};

fn share(world: &World, owner: Subject, conversation_id: ConversationId, token: &str) -> NewShare {
    NewShare {
        id: ShareId::new(&world.ambient),
        owner,
        conversation_id,
        app: world.app.clone(),
        token: Secret::new(token.to_owned()),
        content: "what was said".to_owned(),
        password: None,
        masked: false,
        messages: 2,
        expires_at: world.ambient.now() + Duration::from_secs(3_600),
    }
}

async fn open(world: &World, token: &str) -> Result<String, Code> {
    let found = world.store.open_share(&Secret::new(token.to_owned())).await;
    found.map(|share| share.content).map_err(|fault: Fault| fault.code())
}

async fn many(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM shares").await
}

on_both_engines! {
    async fn a_link_opens_until_it_ends(world) {
        let (store, owner, other) = (&world.store, world.user(), world.user());
        let id = store.record_turn(world.opening(owner, "hello"), vec![]).await.unwrap();
        let made = store.share(share(world, owner, id, "one"), event(owner)).await.unwrap();
        assert_eq!(open(world, "one").await.unwrap(), "what was said");
        assert_eq!(open(world, "two").await, Err(Code::NotFound));
        let foreign = store.share(share(world, other, id, "three"), vec![]).await;
        assert_eq!(foreign.unwrap_err().code(), Code::NotFound, "only its owner shares a conversation");
        assert_eq!(store.end_share(&other, made.id, vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.shares(&owner, PageRequest::first(5)).await.unwrap().items, std::slice::from_ref(&made));
        assert!(store.shares(&other, PageRequest::first(5)).await.unwrap().items.is_empty());
        for _ in 0..2 {
            store.note_opened(made.id, event(owner).remove(0)).await.unwrap();
        }
        let events = world.number("SELECT COUNT(*) FROM audit_events").await;
        assert_eq!(events, 2, "made, and opened for the first time");
        store.end_share(&owner, made.id, event(owner)).await.unwrap();
        assert_eq!(open(world, "one").await, Err(Code::NotFound));

        store.share(share(world, owner, id, "short"), vec![]).await.unwrap();
        world.clock.0.fetch_add(3_600_000_000, Ordering::Relaxed);
        assert_eq!(open(world, "short").await, Err(Code::NotFound));
        assert!(store.shares(&owner, PageRequest::first(5)).await.unwrap().items.is_empty());
        assert_eq!((many(world).await, store.purge_shares(world.ambient.now()).await.unwrap()), (1, 1));
    }

    async fn what_a_link_shows_ends_with_what_it_shows(world) {
        let (store, owner) = (&world.store, world.user());
        let talk = async || store.record_turn(world.opening(owner, "hello"), vec![]).await.unwrap();
        // Going on ends nothing, nor does another answer; other words do.
        let id = talk().await;
        store.share(share(world, owner, id, "a"), vec![]).await.unwrap();
        let first = store.messages(&owner, id, PageRequest::first(2)).await.unwrap().items;
        store.record_turn(world.turn(owner, id, "more"), vec![]).await.unwrap();
        let mut again = world.turn(owner, id, "hello");
        (again.joint, again.user) = (Joint::Again, first[0].clone());
        again.assistant.parent_id = Some(first[0].id);
        store.record_turn(again, vec![]).await.unwrap();
        assert!(open(world, "a").await.is_ok());
        let mut edited = world.turn(owner, id, "other words");
        (edited.joint, edited.user.parent_id) = (Joint::Under(None), None);
        edited.assistant.parent_id = Some(edited.user.id);
        store.record_turn(edited, vec![]).await.unwrap();
        assert_eq!(open(world, "a").await, Err(Code::NotFound));
        // So does deletion, and an erasure, after which not even the sealed bytes are there.
        let id = talk().await;
        store.share(share(world, owner, id, "b"), vec![]).await.unwrap();
        store.delete_conversation(&owner, id, vec![]).await.unwrap();
        assert_eq!((open(world, "b").await, many(world).await), (Err(Code::NotFound), 0));
        let id = talk().await;
        store.share(share(world, owner, id, "c"), vec![]).await.unwrap();
        let export = store.export_subject(&owner).await.unwrap();
        assert_eq!(export.tables["shares"].len(), 1);
        assert!(export.tables["shares"][0].get("content").is_none());
        store.erase_subject(&owner, vec![]).await.unwrap();
        assert_eq!((open(world, "c").await, many(world).await), (Err(Code::NotFound), 0));
    }

    async fn a_conversation_from_elsewhere_comes_once_with_its_branches(world) {
        let (store, owner) = (&world.store, world.user());
        let said = |id: MessageId, parent: Option<MessageId>, role, text: &str| Message {
            id, parent_id: parent, role, content: text.into(), ..world.opening(owner, "x").assistant
        };
        let make = |source: &str, head: usize| {
            let ids: Vec<MessageId> = (0..3).map(|_| MessageId::new(&world.ambient)).collect();
            let messages = vec![
                said(ids[0], None, Role::User, "q"),
                said(ids[1], Some(ids[0]), Role::Assistant, "a"),
                said(ids[2], Some(ids[0]), Role::Assistant, "b"),
            ];
            ImportedConversation {
                id: ConversationId::new(&world.ambient), own: None, owner, app: world.app.clone(), source: source.into(),
                title: Some("T".into()), topic: None, created_at: world.ambient.now(), updated_at: world.ambient.now(),
                head: Some(ids[head]), messages,
                order: ImportedOrder::default(), opinions: Vec::new(), max_per_owner: None,
            }
        };
        let new = make("s", 1);
        assert!(store.import_conversation(new.clone(), event(owner)).await.unwrap());
        assert!(!store.import_conversation(make("s", 1), event(owner)).await.unwrap());
        assert_eq!(world.number("SELECT COUNT(*) FROM audit_events").await, 1, "nothing was written the second time");
        let found = store.conversation(&owner, new.id).await.unwrap();
        assert_eq!((found.messages, found.user_messages, found.branched, found.title.as_deref()), (3, 1, true, Some("T")));
        let now = store.messages(&owner, new.id, PageRequest::first(9)).await.unwrap().items;
        assert_eq!(now.iter().map(|one| one.content.as_str()).collect::<Vec<_>>(), ["q", "a"]);
        // One of our own that is still here is known by its id; somebody else's id tells nothing.
        let mut own = make("other", 1);
        own.own = Some(new.id);
        assert!(!store.import_conversation(own.clone(), vec![]).await.unwrap());
        own.owner = world.user();
        assert!(store.import_conversation(own, vec![]).await.unwrap());
        // It goes on like any other, and a bound on conversations holds.
        store.record_turn(world.turn(owner, new.id, "next"), vec![]).await.unwrap();
        let full = ImportedConversation { max_per_owner: Some(1), ..make("third", 2) };
        assert_eq!(store.import_conversation(full, vec![]).await.unwrap_err().code(), Code::TooManyConversations);
    }
}
