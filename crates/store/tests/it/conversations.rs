//! Conversations and the turns in them.

use std::collections::HashSet;

use kernel::{AppId, Code, ConversationId, MessageId, PageRequest};
use serde_json::json;
use store::{
    AnswerPiece, ConversationChange, ConversationFilter, FinishReason, FinishedMessage, Joint,
    NewConversation, Opening, Role, Turn, Writing,
};

use crate::world::{event, on_both_engines};

on_both_engines! {
    async fn a_turn_reads_back(world) {
        let (store, owner) = (&world.store, world.visitor());
        let mut turn = world.opening(owner, "Grüße, 世界 \u{1F600} <b>'; DROP TABLE messages; --");
        turn.assistant.citations = json!([{"title": "x"}]);
        turn.assistant.model = Some("m".into());
        turn.assistant.output_tokens = Some(7);
        turn.opening = Opening::New {
            id: turn.user.conversation_id, title: Some("A title".into()), topic: Some("A topic".into()), session: None,
        };
        let id = store.record_turn(turn.clone(), event(owner)).await.unwrap();
        assert_eq!(id, turn.user.conversation_id);
        let conversation = store.conversation(&owner, id).await.unwrap();
        assert_eq!((conversation.user_messages, conversation.messages), (1, 2));
        assert_eq!((conversation.title.as_deref(), conversation.topic.as_deref()), (Some("A title"), Some("A topic")));
        let page = store.messages(&owner, id, PageRequest::first(10)).await.unwrap();
        assert!(page.next.is_none());
        assert_eq!(page.items[0].content, turn.user.content);
        assert_eq!(page.items[0].finish_reason, Some(FinishReason::Stop));
        assert_eq!(page.items[1].citations, turn.assistant.citations);
        assert_eq!(page.items[1].parent_id, Some(turn.user.id));
        assert_eq!(page.items[1].output_tokens, Some(7));
        assert_eq!(store.message(&owner, id, turn.user.id).await.unwrap(), page.items[0]);
    }

    async fn a_stranger_finds_nothing(world) {
        let (store, owner, stranger) = (&world.store, world.visitor(), world.visitor());
        let turn = world.opening(owner, "mine");
        let id = store.record_turn(turn.clone(), vec![]).await.unwrap();
        let code = |fault: kernel::Fault| fault.code();
        let page = PageRequest::first(10);
        for id in [id, ConversationId::new(&world.ambient)] {
            assert_eq!(store.conversation(&stranger, id).await.map_err(code).unwrap_err(), Code::NotFound);
            assert_eq!(store.messages(&stranger, id, page.clone()).await.map_err(code).unwrap_err(), Code::NotFound);
            assert_eq!(store.recent_messages(&stranger, id, 5).await.map_err(code).unwrap_err(), Code::NotFound);
            assert_eq!(store.message(&stranger, id, turn.user.id).await.map_err(code).unwrap_err(), Code::NotFound);
            let change = ConversationChange { title: Some("stolen".into()), ..Default::default() };
            assert_eq!(store.update_conversation(&stranger, id, change, vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
            assert_eq!(store.delete_conversation(&stranger, id, vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
            assert_eq!(store.record_turn(world.turn(stranger, id, "x"), vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
            let done = finished(stranger, id, turn.assistant.id, "x");
            assert_eq!(store.finish_turn(done, vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
        }
        assert!(store.conversations(&stranger, ConversationFilter::default(), page).await.unwrap().items.is_empty());
        assert_eq!(store.conversation(&owner, id).await.unwrap().messages, 2);
        assert!(store.conversation(&owner, id).await.unwrap().title.is_none());
    }

    async fn another_app_finds_nothing(world) {
        let owner = world.visitor();
        let id = world.store.record_turn(world.opening(owner, "mine"), vec![]).await.unwrap();
        let mut turn = world.turn(owner, id, "x");
        turn.app = AppId::parse("tutor").unwrap();
        assert_eq!(world.store.record_turn(turn, vec![]).await.unwrap_err().code(), Code::NotFound);
    }

    async fn limits_hold_in_a_crowd(world) {
        let (store, owner) = (&world.store, world.visitor());
        let id = store.record_turn(world.opening(owner, "first"), vec![]).await.unwrap();
        let turns = (0..40).map(|n| {
            let mut turn = world.turn(owner, id, &format!("message {n}"));
            turn.max_user_messages = Some(10);
            store.record_turn(turn, event(owner))
        });
        let outcomes = futures_util::future::join_all(turns).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 9);
        assert!(outcomes.iter().flat_map(|outcome| outcome.as_ref().err()).all(|fault| fault.code() == Code::ConversationFull));
        let turns = (0..40).map(|n| {
            let mut turn = world.opening(owner, &format!("conversation {n}"));
            turn.max_conversations = Some(5);
            store.record_turn(turn, event(owner))
        });
        let outcomes = futures_util::future::join_all(turns).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 4);
        assert!(outcomes.iter().flat_map(|outcome| outcome.as_ref().err()).all(|fault| fault.code() == Code::TooManyConversations));
        let new = NewConversation {
            id: ConversationId::new(&world.ambient), owner, app: world.app.clone(), title: None, topic: None,
            session: None, max_per_owner: Some(5), problem: None, temporary: false,
        };
        assert_eq!(store.create_conversation(new, vec![]).await.unwrap_err().code(), Code::TooManyConversations);
        assert_eq!(store.conversation(&owner, id).await.unwrap().user_messages, 10);
        let verdict = store.verify_audit().await.unwrap();
        assert_eq!((verdict.events, verdict.fault), (13, None), "only what was written is in the audit log");
    }

    async fn limits_hold_across_processes(world) {
        let (first, second, owner) = (&world.store, world.second().await, world.visitor());
        let turns = (0..30).map(|n| {
            let mut turn = world.opening(owner, &format!("conversation {n}"));
            turn.max_conversations = Some(5);
            if n % 2 == 0 { first.record_turn(turn, event(owner)) } else { second.record_turn(turn, event(owner)) }
        });
        // Futures of one type in an array of boxes would hide nothing; they are equal here.
        let outcomes = futures_util::future::join_all(turns).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5);
        assert_eq!(first.verify_audit().await.unwrap().fault, None);
        second.close().await;
    }

    async fn one_bad_turn_spoils_no_other(world) {
        let (store, owner) = (&world.store, world.visitor());
        let taken = world.opening(owner, "the id of this message is taken");
        store.record_turn(taken.clone(), vec![]).await.unwrap();
        let turns = (0..30).map(|n| {
            let mut turn = world.opening(world.visitor(), &format!("turn {n}"));
            if n % 10 == 5 {
                turn.user.id = taken.user.id;
            }
            store.record_turn(turn, event(owner))
        });
        let outcomes = futures_util::future::join_all(turns).await;
        for (n, outcome) in outcomes.iter().enumerate() {
            match outcome {
                Ok(_) => assert_ne!(n % 10, 5),
                Err(fault) => assert_eq!((n % 10, fault.code()), (5, Code::Conflict)),
            }
        }
        let verdict = store.verify_audit().await.unwrap();
        assert_eq!((verdict.events, verdict.fault), (27, None));
        assert_eq!(world.number("SELECT COUNT(*) FROM messages").await, 2 + 2 * 27);
        assert_eq!(world.number("SELECT COUNT(*) FROM conversations").await, 28);
    }

    async fn sessions_are_found_by_their_tag_alone(world) {
        let (store, owner, other) = (&world.store, world.visitor(), world.visitor());
        let session = |turn: &mut store::Turn| {
            turn.opening = Opening::New {
                id: turn.user.conversation_id, title: None, topic: None, session: Some("test".into()),
            };
        };
        // Two first messages of one session at once end in one conversation.
        let turns = (0..8).map(|n| {
            let mut turn = world.opening(owner, &format!("hello {n}"));
            session(&mut turn);
            store.record_turn(turn, vec![])
        });
        let ids: HashSet<_> = futures_util::future::join_all(turns).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(ids.len(), 1);
        let found = store.conversation_by_session(&owner, &world.app, "test").await.unwrap().unwrap();
        assert_eq!(found.user_messages, 8);
        assert!(store.conversation_by_session(&other, &world.app, "test").await.unwrap().is_none());
        let mut turn = world.opening(other, "hello");
        session(&mut turn);
        assert!(!ids.contains(&store.record_turn(turn, vec![]).await.unwrap()));
        let new = NewConversation {
            id: ConversationId::new(&world.ambient), owner, app: world.app.clone(), title: None, topic: None,
            session: Some("test".into()), max_per_owner: None, problem: None, temporary: false,
        };
        assert_eq!(store.create_conversation(new, vec![]).await.unwrap_err().code(), Code::Conflict);
    }

    async fn turns_of_one_conversation_keep_their_order(world) {
        let (store, owner) = (&world.store, world.user());
        let id = store.record_turn(world.opening(owner, "0"), vec![]).await.unwrap();
        let turns = (1..=120).map(|n| store.record_turn(world.turn(owner, id, &n.to_string()), vec![]));
        for outcome in futures_util::future::join_all(turns).await {
            outcome.unwrap();
        }
        let (mut contents, mut parents, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = store.messages(&owner, id, PageRequest { limit: 50, after }).await.unwrap();
            contents.extend(page.items.iter().map(|message| message.content.clone()));
            parents.extend(page.items.iter().map(|message| (message.parent_id, message.id)));
            let Some(next) = page.next else { break };
            after = Some(kernel::Cursor::parse(&next).unwrap());
        }
        let expected: Vec<String> = (0..=120).flat_map(|n| [n.to_string(), format!("answer to {n}")]).collect();
        assert_eq!(contents, expected);
        assert!(parents.windows(2).all(|pair| pair[1].0 == Some(pair[0].1)), "each answers the one before it");
        let recent = store.recent_messages(&owner, id, 3).await.unwrap();
        assert_eq!(recent.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(), ["answer to 119", "120", "answer to 120"]);
    }

    async fn what_is_said_anew_stands_beside_what_was_there(world) {
        let (store, owner) = (&world.store, world.user());
        let first = world.opening(owner, "a");
        let id = store.record_turn(first.clone(), vec![]).await.unwrap();
        store.record_turn(world.turn(owner, id, "b"), vec![]).await.unwrap();
        let said = async || -> Vec<String> {
            let page = PageRequest::first(100);
            let all = store.messages(&owner, id, page).await.unwrap().items;
            let recent = store.recent_messages(&owner, id, 100).await.unwrap();
            assert_eq!(all, recent);
            all.into_iter().map(|message| message.content).collect()
        };
        assert_eq!(said().await, ["a", "answer to a", "b", "answer to b"]);
        let straight = store.tree(&owner, id).await.unwrap();
        assert!(straight.beside(first.assistant.id).is_empty(), "it stands alone");

        // Another answer to the first message; what followed the old one is no longer said.
        let mut again = Turn { joint: Joint::Again, user: first.user.clone(), ..world.turn(owner, id, "a") };
        again.assistant.parent_id = Some(first.user.id);
        again.assistant.content = "another answer".into();
        store.record_turn(again.clone(), vec![]).await.unwrap();
        assert_eq!(said().await, ["a", "another answer"]);
        assert_eq!(
            store.tree(&owner, id).await.unwrap().beside(first.assistant.id),
            [first.assistant.id, again.assistant.id]
        );
        store.record_turn(world.turn(owner, id, "c"), vec![]).await.unwrap();
        assert_eq!(said().await, ["a", "another answer", "c", "answer to c"]);

        // The first message in other words: a second beginning.
        let mut instead = Turn { joint: Joint::Under(None), ..world.turn(owner, id, "A") };
        instead.assistant.parent_id = Some(instead.user.id);
        store.record_turn(instead.clone(), vec![]).await.unwrap();
        assert_eq!(said().await, ["A", "answer to A"]);
        let conversation = store.conversation(&owner, id).await.unwrap();
        assert_eq!((conversation.messages, conversation.user_messages), (9, 4));

        // Every branch is still there to be walked.
        store.turn_to(&owner, id, first.assistant.id, vec![]).await.unwrap();
        assert_eq!(said().await, ["a", "answer to a", "b", "answer to b"]);
        store.turn_to(&owner, id, again.assistant.id, vec![]).await.unwrap();
        assert_eq!(said().await, ["a", "another answer", "c", "answer to c"]);
        let pages = store.messages(&owner, id, PageRequest::first(3)).await.unwrap();
        let after = Some(kernel::Cursor::parse(&pages.next.unwrap()).unwrap());
        let rest = store.messages(&owner, id, PageRequest { limit: 3, after }).await.unwrap();
        assert_eq!((rest.items[0].content.as_str(), rest.items.len(), rest.next), ("answer to c", 1, None));
        let lineage = store.lineage(&owner, id, first.assistant.id, 100).await.unwrap();
        assert_eq!(lineage.len(), 2);
        let every = store.every_message(&owner, id, PageRequest::first(100)).await.unwrap();
        assert_eq!(every.items.len(), 9);

        let stranger = world.user();
        assert_eq!(store.tree(&stranger, id).await.unwrap_err().code(), Code::NotFound);
        let elsewhere = MessageId::new(&world.ambient);
        assert_eq!(store.turn_to(&owner, id, elsewhere, vec![]).await.unwrap_err().code(), Code::NotFound);
    }

    async fn a_streamed_turn_ends_once(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "tell me");
        let id = store.begin_turn(turn.clone(), event(owner)).await.unwrap();
        let open = store.message(&owner, id, turn.assistant.id).await.unwrap();
        assert_eq!((open.content.as_str(), open.finish_reason), ("", None));
        let so_far = FinishedMessage { finish_reason: None, ..finished(owner, id, turn.assistant.id, "the") };
        store.finish_turn(so_far.clone(), vec![]).await.unwrap();
        let saved = store.message(&owner, id, turn.assistant.id).await.unwrap();
        assert_eq!((saved.content.as_str(), saved.finish_reason), ("the", None));
        let done = finished(owner, id, turn.assistant.id, "the answer");
        store.finish_turn(done.clone(), event(owner)).await.unwrap();
        assert_eq!(store.finish_turn(so_far, vec![]).await.unwrap_err().code(), Code::Conflict);
        let closed = store.message(&owner, id, turn.assistant.id).await.unwrap();
        assert_eq!((closed.content.as_str(), closed.finish_reason), ("the answer", Some(FinishReason::Stop)));
        assert_eq!(closed.citations, json!([1]));
        assert_eq!(store.finish_turn(done, vec![]).await.unwrap_err().code(), Code::Conflict);
        let unknown = finished(owner, id, MessageId::new(&world.ambient), "x");
        assert_eq!(store.finish_turn(unknown, vec![]).await.unwrap_err().code(), Code::NotFound);
        let of_the_user = finished(owner, id, turn.user.id, "x");
        assert_eq!(store.finish_turn(of_the_user, vec![]).await.unwrap_err().code(), Code::NotFound);
    }

    async fn what_a_crash_left_open_is_marked(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "tell me");
        let id = store.begin_turn(turn.clone(), vec![]).await.unwrap();
        assert_eq!(store.interrupt_lost().await.unwrap(), 0, "its writer lives");
        assert_eq!(store.interrupt_every().await.unwrap(), 1);
        let message = store.message(&owner, id, turn.assistant.id).await.unwrap();
        assert_eq!(message.finish_reason, Some(FinishReason::Interrupted));
        let so_far = FinishedMessage { finish_reason: None, ..finished(owner, id, turn.assistant.id, "la") };
        assert_eq!(store.finish_turn(so_far, vec![]).await.unwrap_err().code(), Code::Conflict);
        // An answer that was only late still arrives.
        store.finish_turn(finished(owner, id, turn.assistant.id, "late"), vec![]).await.unwrap();
    }

    async fn lists_go_by_the_last_change(world) {
        let (store, owner) = (&world.store, world.user());
        let mut ids = Vec::new();
        for n in 0..7 {
            let new = NewConversation {
                id: ConversationId::new(&world.ambient), owner,
                app: AppId::parse(if n == 3 { "tutor" } else { "assistant" }).unwrap(),
                title: Some(format!("Title ÄÖ {n}")), topic: None, session: None, max_per_owner: None, problem: None, temporary: false,
            };
            ids.push(store.create_conversation(new, vec![]).await.unwrap().id);
        }
        store.record_turn(world.turn(owner, ids[0], "again"), vec![]).await.unwrap();
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = store.conversations(&owner, ConversationFilter::default(), PageRequest { limit: 2, after }).await.unwrap();
            listed.extend(page.items.iter().map(|item| item.id));
            let Some(next) = page.next else { break };
            after = Some(kernel::Cursor::parse(&next).unwrap());
        }
        assert_eq!(listed, [ids[0], ids[6], ids[5], ids[4], ids[3], ids[2], ids[1]]);
        let filter = ConversationFilter { app: Some(AppId::parse("tutor").unwrap()), ..Default::default() };
        assert_eq!(store.conversations(&owner, filter, PageRequest::first(9)).await.unwrap().items.len(), 1);
        let filter = ConversationFilter { q: Some("äö 5".into()), ..Default::default() };
        let found = store.conversations(&owner, filter, PageRequest::first(9)).await.unwrap();
        assert_eq!(found.items.iter().map(|item| item.id).collect::<Vec<_>>(), [ids[5]]);
    }

    async fn titles_change_and_go(world) {
        let (store, owner) = (&world.store, world.user());
        let id = store.record_turn(world.opening(owner, "hello"), vec![]).await.unwrap();
        let change = |title: &str| ConversationChange { title: Some(title.into()), topic: None };
        assert_eq!(store.update_conversation(&owner, id, change("New"), event(owner)).await.unwrap().title.as_deref(), Some("New"));
        let nothing = ConversationChange::default();
        assert_eq!(store.update_conversation(&owner, id, nothing, vec![]).await.unwrap().title.as_deref(), Some("New"));
        assert_eq!(store.update_conversation(&owner, id, change(""), vec![]).await.unwrap().title, None);
        store.delete_conversation(&owner, id, event(owner)).await.unwrap();
        assert_eq!(store.conversation(&owner, id).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.number("SELECT COUNT(*) FROM messages").await, 0);
    }

    async fn a_message_may_be_huge_or_empty(world) {
        let (store, owner) = (&world.store, world.user());
        let huge = "ß".repeat(2_000_000);
        let mut turn = world.opening(owner, &huge);
        turn.assistant.content = String::new();
        let id = store.record_turn(turn, vec![]).await.unwrap();
        let read = store.recent_messages(&owner, id, 2).await.unwrap();
        assert_eq!((read[0].content.len(), read[1].content.as_str()), (huge.len(), ""));
        assert_eq!(read[0].role, Role::User);
    }

    async fn a_caller_that_goes_away_cancels_nothing(world) {
        let (store, owner) = (&world.store, world.visitor());
        store.check_key().await.unwrap();
        let id = store.record_turn(world.opening(owner, "stay"), vec![]).await.unwrap();
        let call = Box::pin(store.record_turn(world.turn(owner, id, "gone"), event(owner)));
        // Polled once: the turn is queued; then dropped. (On a busy machine the writer may be faster than the poll.)
        let _ = futures_util::FutureExt::now_or_never(call);
        store.record_turn(world.turn(owner, id, "after"), vec![]).await.unwrap();
        let contents: Vec<String> = store.recent_messages(&owner, id, 9).await.unwrap().into_iter().map(|m| m.content).collect();
        assert!(contents.contains(&"gone".to_owned()), "{contents:?}");
    }
}

fn finished(
    owner: kernel::Subject,
    conversation_id: ConversationId,
    message_id: MessageId,
    content: &str,
) -> FinishedMessage {
    FinishedMessage {
        owner,
        conversation_id,
        message_id,
        content: content.into(),
        citations: json!([1]),
        finish_reason: Some(FinishReason::Stop),
        model: Some("m".into()),
        input_tokens: Some(1),
        output_tokens: Some(2),
        details: serde_json::Value::Null,
    }
}

/// More of an answer that `store`'s process writes.
fn piece(
    owner: kernel::Subject,
    conversation_id: ConversationId,
    message_id: MessageId,
    began: usize,
    text: &str,
) -> AnswerPiece {
    AnswerPiece { owner, conversation_id, message_id, began, text: text.to_owned() }
}

on_both_engines! {
    async fn an_answer_grows_in_pieces(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "tell me");
        let (answer, id) = (turn.assistant.id, store.begin_turn(turn.clone(), vec![]).await.unwrap());
        let add = async |began, text| store.add_piece(piece(owner, id, answer, began, text)).await;
        add(0, "Grü").await.unwrap();
        add(4, "ße").await.unwrap();
        // Said again, because nobody heard that it was stored, and longer.
        add(4, "ße, Welt").await.unwrap();
        let open = store.message(&owner, id, answer).await.unwrap();
        assert_eq!((open.content.as_str(), open.finish_reason), ("Grüße, Welt", None));
        assert_eq!(store.recent_messages(&owner, id, 1).await.unwrap()[0].content, "Grüße, Welt");
        let stranger = store.add_piece(piece(world.visitor(), id, answer, 0, "x")).await;
        assert_eq!(stranger.unwrap_err().code(), Code::NotFound);
        let elsewhere = world.second().await;
        let other = elsewhere.add_piece(piece(owner, id, answer, 13, "x")).await;
        assert_eq!(other.unwrap_err().code(), Code::Conflict, "one process writes");
        store.finish_turn(finished(owner, id, answer, "Grüße, Welt!"), vec![]).await.unwrap();
        assert_eq!(world.number("SELECT COUNT(*) FROM message_pieces").await, 0);
        assert_eq!(store.message(&owner, id, answer).await.unwrap().content, "Grüße, Welt!");
        assert_eq!(add(13, "late").await.unwrap_err().code(), Code::Conflict);
        elsewhere.close().await;
    }

    async fn a_turn_in_progress_is_one_for_every_process(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "tell me");
        let (answer, id) = (turn.assistant.id, store.begin_turn(turn.clone(), vec![]).await.unwrap());
        store.add_piece(piece(owner, id, answer, 0, "so far")).await.unwrap();
        let elsewhere = world.second().await;
        let refused = async |store: &store::Store| store.record_turn(world.turn(owner, id, "too"), vec![]).await.map_err(|fault| fault.code());
        for store in [store, &elsewhere] {
            assert_eq!(refused(store).await, Err(Code::Conflict));
            assert!(store.is_being_written(&owner, id).await.unwrap());
            assert_eq!(store.interrupt_lost().await.unwrap(), 0, "its writer lives");
        }
        assert!(!elsewhere.is_being_written(&world.visitor(), id).await.unwrap());
        assert_eq!(elsewhere.writing(&owner, id, answer).await.unwrap(), Writing::On);

        // The writer is not heard of any more: what it said stays, and the conversation is free.
        world.clock.0.fetch_add(11_000_000, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(elsewhere.writing(&owner, id, answer).await.unwrap(), Writing::Lost);
        assert_eq!(elsewhere.interrupt_lost().await.unwrap(), 1);
        assert_eq!(elsewhere.interrupt_lost().await.unwrap(), 0);
        let lost = elsewhere.message(&owner, id, answer).await.unwrap();
        assert_eq!((lost.content.as_str(), lost.finish_reason), ("so far", Some(FinishReason::Interrupted)));
        assert_eq!(world.number("SELECT COUNT(*) FROM message_pieces").await, 0);

        // Another process takes it up, and the first one cannot spoil it any more.
        elsewhere.take_up(&owner, id, answer, event(owner)).await.unwrap();
        assert_eq!(elsewhere.take_up(&owner, id, answer, vec![]).await.unwrap_err().code(), Code::Conflict);
        elsewhere.add_piece(piece(owner, id, answer, 6, ", and more")).await.unwrap();
        assert_eq!(store.add_piece(piece(owner, id, answer, 6, " spoiled")).await.unwrap_err().code(), Code::Conflict);
        assert_eq!(store.finish_turn(finished(owner, id, answer, "spoiled"), vec![]).await.unwrap_err().code(), Code::Conflict);
        elsewhere.finish_turn(finished(owner, id, answer, "so far, and more."), vec![]).await.unwrap();
        assert_eq!(store.message(&owner, id, answer).await.unwrap().content, "so far, and more.");
        assert_eq!(elsewhere.take_up(&owner, id, answer, vec![]).await.unwrap_err().code(), Code::Conflict, "it is complete");
        assert_eq!(refused(store).await, Ok(id));
        assert_eq!(store.purge_writers(world.ambient.now() + std::time::Duration::from_secs(60)).await.unwrap(), 2);
        elsewhere.close().await;
    }
}
