//! The desk of customer service: hand-offs, feedback, outcomes, questions without an answer.

use kernel::{AppId, Code, HandOffId, MessageId, PageRequest, Subject, Time, UserId};
use serde_json::json;
use store::{HandOffState, Message, NewFeedback, NewGap, NewHandOff, Outcome, Quality, Rating, Role};

use crate::world::{World, event, on_both_engines};

fn person(world: &World) -> Subject {
    Subject::User(UserId::new(&world.ambient))
}

fn asked(world: &World, owner: Subject, conversation_id: kernel::ConversationId) -> NewHandOff {
    NewHandOff { id: HandOffId::new(&world.ambient), conversation_id, owner, reason: Some("it burns".into()) }
}

fn reply(world: &World, conversation_id: kernel::ConversationId, text: &str) -> Message {
    Message {
        id: MessageId::new(&world.ambient),
        role: Role::Assistant,
        content: text.into(),
        details: json!({"author": "person"}),
        conversation_id,
        ..world.opening(world.visitor(), "x").assistant
    }
}

on_both_engines! {
    async fn one_of_many_gets_the_hand_off(world) {
        let (store, owner) = (&world.store, world.visitor());
        let id = store.record_turn(world.opening(owner, "help"), vec![]).await.unwrap();
        let made = store.ask_hand_off(asked(world, owner, id), event(owner)).await.unwrap();
        assert_eq!((made.state, made.reason.as_deref()), (HandOffState::Waiting, Some("it burns")));
        let again = store.ask_hand_off(asked(world, owner, id), vec![]).await.unwrap();
        assert_eq!(again.id, made.id, "there is one open hand-off of a conversation");
        assert_eq!(store.conversation(&owner, id).await.unwrap().hand_off, Some(HandOffState::Waiting));
        let people: Vec<Subject> = (0..20).map(|_| person(world)).collect();
        let tries = people.iter().map(|by| store.claim_hand_off(&world.app, made.id, *by, event(*by)));
        let outcomes = futures_util::future::join_all(tries).await;
        let won: Vec<usize> = (0..20).filter(|at| outcomes[*at].is_ok()).collect();
        assert_eq!(won.len(), 1);
        assert!(outcomes.iter().flat_map(|one| one.as_ref().err()).all(|fault| fault.code() == Code::Conflict));
        let by = people[won[0]];
        let held = store.claim_hand_off(&world.app, made.id, by, vec![]).await.unwrap();
        assert_eq!(held.claimed_by, Some(by.to_string()), "what one has one may take again");
        assert_eq!(store.conversation(&owner, id).await.unwrap().hand_off, Some(HandOffState::Claimed));
    }

    async fn a_reply_stands_in_the_customers_conversation(world) {
        let (store, owner, by) = (&world.store, world.visitor(), person(world));
        let id = store.record_turn(world.opening(owner, "help"), vec![]).await.unwrap();
        let made = store.ask_hand_off(asked(world, owner, id), vec![]).await.unwrap();
        let early = store.reply_hand_off(&world.app, made.id, by, reply(world, id, "too early"), vec![]).await;
        assert_eq!(early.unwrap_err().code(), Code::Conflict);
        store.claim_hand_off(&world.app, made.id, by, vec![]).await.unwrap();
        let said = store.reply_hand_off(&world.app, made.id, by, reply(world, id, "I am here"), event(by)).await.unwrap();
        assert_eq!((said.content.as_str(), &said.details["author"]), ("I am here", &json!("person")));
        let stranger = person(world);
        let refused = store.reply_hand_off(&world.app, made.id, stranger, reply(world, id, "me too"), vec![]).await;
        assert_eq!(refused.unwrap_err().code(), Code::Conflict);
        // The customer goes on; the order stays.
        store.record_turn(world.turn(owner, id, "thanks"), vec![]).await.unwrap();
        let all = store.messages(&owner, id, PageRequest::first(10)).await.unwrap().items;
        let texts: Vec<&str> = all.iter().map(|message| message.content.as_str()).collect();
        assert_eq!((texts.len(), texts[2], texts[3]), (5, "I am here", "thanks"));
        assert_eq!(all[2].parent_id, Some(all[1].id));
        let over = store.end_hand_off(&world.app, made.id, stranger, HandOffState::Returned, vec![]).await;
        assert_eq!(over.unwrap_err().code(), Code::Conflict);
        store.end_hand_off(&world.app, made.id, by, HandOffState::Returned, vec![]).await.unwrap();
        assert_eq!(store.conversation(&owner, id).await.unwrap().hand_off, None);
        let late = store.reply_hand_off(&world.app, made.id, by, reply(world, id, "too late"), vec![]).await;
        assert_eq!(late.unwrap_err().code(), Code::Conflict);
        let next = store.ask_hand_off(asked(world, owner, id), vec![]).await.unwrap();
        assert_ne!(next.id, made.id);
        store.end_hand_off(&world.app, next.id, stranger, HandOffState::Closed, vec![]).await.unwrap();
    }

    async fn another_app_and_another_owner_find_nothing(world) {
        let (store, owner, by) = (&world.store, world.visitor(), person(world));
        let id = store.record_turn(world.opening(owner, "help"), vec![]).await.unwrap();
        let made = store.ask_hand_off(asked(world, owner, id), vec![]).await.unwrap();
        let other = AppId::parse("another").unwrap();
        let code = |fault: kernel::Fault| fault.code();
        assert_eq!(store.hand_off(&other, made.id).await.map_err(code).unwrap_err(), Code::NotFound);
        assert_eq!(store.claim_hand_off(&other, made.id, by, vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
        let ended = store.end_hand_off(&other, made.id, by, HandOffState::Closed, vec![]).await;
        assert_eq!(ended.map_err(code).unwrap_err(), Code::NotFound);
        let said = store.reply_hand_off(&other, made.id, by, reply(world, id, "x"), vec![]).await;
        assert_eq!(said.map_err(code).unwrap_err(), Code::NotFound);
        assert!(store.hand_offs(&other, None, PageRequest::first(10)).await.unwrap().items.is_empty());
        let stranger = world.visitor();
        let foreign = store.ask_hand_off(asked(world, stranger, id), vec![]).await;
        assert_eq!(foreign.map_err(code).unwrap_err(), Code::NotFound);
        assert!(store.open_hand_off(&stranger, id).await.unwrap().is_none());
        let page = store.hand_offs(&world.app, Some(HandOffState::Waiting), PageRequest::first(10)).await.unwrap();
        assert_eq!(page.items.len(), 1);
        assert!(store.hand_offs(&world.app, Some(HandOffState::Closed), PageRequest::first(10)).await.unwrap().items.is_empty());
    }

    async fn feedback_is_of_the_owner_and_is_replaced(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "hello");
        let id = store.record_turn(turn.clone(), vec![]).await.unwrap();
        let feedback = |owner, message_id, rating| NewFeedback {
            owner, conversation_id: id, message_id, rating, comment: Some("because".into()),
        };
        let since = Time::from_micros(0);
        let rated = |quality: Quality| (quality.up, quality.down);
        store.set_feedback(feedback(owner, turn.assistant.id, Some(Rating::Up)), event(owner)).await.unwrap();
        assert_eq!(rated(store.quality(&world.app, since).await.unwrap()), (1, 0));
        store.set_feedback(feedback(owner, turn.assistant.id, Some(Rating::Down)), vec![]).await.unwrap();
        assert_eq!(rated(store.quality(&world.app, since).await.unwrap()), (0, 1));
        let export = store.export_subject(&owner).await.unwrap();
        assert_eq!(export.tables["feedback"][0]["comment"], "because");
        for (owner, message) in [(world.visitor(), turn.assistant.id), (owner, turn.user.id), (owner, MessageId::new(&world.ambient))] {
            let refused = store.set_feedback(feedback(owner, message, Some(Rating::Up)), vec![]).await;
            assert_eq!(refused.unwrap_err().code(), Code::NotFound);
        }
        store.set_feedback(feedback(owner, turn.assistant.id, None), vec![]).await.unwrap();
        assert_eq!(rated(store.quality(&world.app, since).await.unwrap()), (0, 0));
    }

    async fn outcomes_are_counted_and_go_with_the_conversation(world) {
        let (store, owner) = (&world.store, world.visitor());
        let mut conversations = Vec::new();
        for outcomes in [&[Outcome::Talk, Outcome::Quoted][..], &[Outcome::Answered, Outcome::Nothing], &[Outcome::Nothing, Outcome::Answered]] {
            let first = world.opening(owner, "x");
            let id = store.record_turn(first.clone(), vec![]).await.unwrap();
            store.note_outcome(&owner, id, first.assistant.id, outcomes[0]).await.unwrap();
            let next = world.turn(owner, id, "y");
            store.record_turn(next.clone(), vec![]).await.unwrap();
            store.note_outcome(&owner, id, next.assistant.id, outcomes[1]).await.unwrap();
            conversations.push((id, next));
        }
        let (handed, turn) = &conversations[2];
        store.ask_hand_off(asked(world, owner, *handed), vec![]).await.unwrap();
        let gap = NewGap { id: turn.assistant.id, owner, conversation_id: *handed, question: "why?".into(), confidence: 0.25 };
        store.add_gap(gap).await.unwrap();
        let since = Time::from_micros(0);
        let quality = store.quality(&world.app, since).await.unwrap();
        let wanted = Quality { questions: 5, answered: 3, refused: 2, conversations: 3, handed_off: 1, resolved: 1, up: 0, down: 0 };
        assert_eq!(quality, wanted);
        let gaps = store.gaps(&world.app, 10).await.unwrap();
        assert_eq!((gaps.len(), gaps[0].question.as_str(), gaps[0].confidence), (1, "why?", 0.25));
        let by = person(world);
        assert_eq!(store.resolve_gaps(&AppId::parse("another").unwrap(), vec![gaps[0].id], by, vec![]).await.unwrap(), 0);
        assert_eq!(store.resolve_gaps(&world.app, vec![gaps[0].id], by, event(by)).await.unwrap(), 1);
        assert!(store.gaps(&world.app, 10).await.unwrap().is_empty());
        store.delete_conversation(&owner, *handed, vec![]).await.unwrap();
        let quality = store.quality(&world.app, since).await.unwrap();
        assert_eq!((quality.conversations, quality.handed_off), (2, 0));
        store.erase_subject(&owner, vec![]).await.unwrap();
        assert_eq!(store.quality(&world.app, since).await.unwrap(), Quality::default());
    }
}
