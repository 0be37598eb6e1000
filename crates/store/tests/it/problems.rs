//! Problems of the tutor and who works on them.

use kernel::{AppId, Code, ConversationId, PageRequest, ProblemId};
use serde_json::json;
use store::{NewConversation, NewProblem};

use crate::world::{World, event, on_both_engines};

fn new(answer: &str, published: bool) -> NewProblem {
    NewProblem { content: json!({"title": "Cakes", "answer": answer}), level: Some("5".into()), published }
}

fn about(world: &World, owner: kernel::Subject, problem: ProblemId, drafts: bool) -> NewConversation {
    NewConversation {
        id: ConversationId::new(&world.ambient),
        owner,
        app: world.app.clone(),
        title: None,
        topic: None,
        session: None,
        max_per_owner: None,
        problem: Some((problem, drafts)),
        temporary: false,
    }
}

on_both_engines! {
    async fn problems_belong_to_their_app(world) {
        let (store, app, other) = (&world.store, &world.app, AppId::parse("elsewhere").unwrap());
        let id = ProblemId::new(&world.ambient);
        let made = store.add_problem(id, app, new("wombat", false), event(world.visitor())).await.unwrap();
        assert_eq!(store.problem(app, id).await.unwrap(), made);
        let code = |fault: kernel::Fault| fault.code();
        assert_eq!(store.problem(&other, id).await.map_err(code).unwrap_err(), Code::NotFound);
        assert_eq!(store.change_problem(&other, id, new("1", true), vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
        assert_eq!(store.remove_problem(&other, id, vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
        let page = PageRequest::first(10);
        assert!(store.problems(app, false, page.clone()).await.unwrap().items.is_empty(), "learners see no drafts");
        assert_eq!(store.problems(app, true, page.clone()).await.unwrap().items, [made]);
        assert!(store.problems(&other, true, page.clone()).await.unwrap().items.is_empty());
        let changed = store.change_problem(app, id, new("43", true), vec![]).await.unwrap();
        assert_eq!(changed.content["answer"], "43");
        assert_eq!(store.problems(app, false, page).await.unwrap().items, [changed]);
        store.remove_problem(app, id, vec![]).await.unwrap();
        assert_eq!(store.problem(app, id).await.map_err(code).unwrap_err(), Code::NotFound);
    }

    async fn attempts_follow_their_conversations(world) {
        let (store, app) = (&world.store, &world.app);
        let (owner, stranger) = (world.visitor(), world.visitor());
        let id = ProblemId::new(&world.ambient);
        store.add_problem(id, app, new("wombat", false), vec![]).await.unwrap();
        let refused = store.create_conversation(about(world, owner, id, false), vec![]).await;
        assert_eq!(refused.unwrap_err().code(), Code::NotFound, "a draft is not there for learners");
        let page = PageRequest::first(10);
        assert!(store.conversations(&owner, Default::default(), page.clone()).await.unwrap().items.is_empty(), "and leaves no conversation");
        store.change_problem(app, id, new("wombat", true), vec![]).await.unwrap();
        let talk = store.create_conversation(about(world, owner, id, false), event(owner)).await.unwrap().id;
        let mut turn = world.turn(owner, talk, "hello");
        turn.assistant.details = json!({"tutor": {"stage": "elicit"}});
        store.record_turn(turn, vec![]).await.unwrap();
        store.record_turn(world.turn(owner, talk, "a turn whose answer kept nothing"), vec![]).await.unwrap();
        let found = store.attempts_at(app, id, page.clone()).await.unwrap().items;
        assert_eq!((found[0].owner, found[0].conversation, found[0].turns), (owner, talk, 2));
        assert_eq!(found[0].details["tutor"]["stage"], "elicit");
        assert_eq!(store.attempt(app, id, talk).await.unwrap(), found[0]);
        assert_eq!(store.attempts_of(&owner, app, page.clone()).await.unwrap().items, found);
        assert!(store.attempts_of(&stranger, app, page.clone()).await.unwrap().items.is_empty());
        let other = AppId::parse("elsewhere").unwrap();
        assert!(store.attempts_at(&other, id, page.clone()).await.unwrap().items.is_empty());
        assert_eq!(store.attempt(&other, id, talk).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.problem_of(&owner, app, talk).await.unwrap().map(|problem| problem.id), Some(id));
        assert!(store.problem_of(&stranger, app, talk).await.unwrap().is_none());
        let export = store.export_subject(&owner).await.unwrap();
        assert_eq!(export.tables["attempts"].len(), 1);
        assert!(!serde_json::to_string(&export.tables).unwrap().contains("wombat"), "no reference in an export");
        store.delete_conversation(&owner, talk, vec![]).await.unwrap();
        assert!(store.attempts_at(app, id, page).await.unwrap().items.is_empty());
    }

    async fn erasure_and_removal_leave_no_attempt(world) {
        let (store, app, owner) = (&world.store, &world.app, world.visitor());
        let id = ProblemId::new(&world.ambient);
        store.add_problem(id, app, new("wombat", true), vec![]).await.unwrap();
        let talk = store.create_conversation(about(world, owner, id, false), vec![]).await.unwrap().id;
        store.erase_subject(&owner, vec![]).await.unwrap();
        assert_eq!(store.attempt(app, id, talk).await.unwrap_err().code(), Code::NotFound);
        let another = world.visitor();
        let talk = store.create_conversation(about(world, another, id, false), vec![]).await.unwrap().id;
        store.remove_problem(app, id, vec![]).await.unwrap();
        assert!(store.problem_of(&another, app, talk).await.unwrap().is_none());
        assert_eq!(store.conversation(&another, talk).await.unwrap().id, talk, "the conversation stays with its owner");
    }

    async fn lists_come_in_pieces(world) {
        let (store, app) = (&world.store, &world.app);
        for number in 0..5 {
            store.add_problem(ProblemId::new(&world.ambient), app, new(&number.to_string(), true), vec![]).await.unwrap();
        }
        let mut page = PageRequest::first(2);
        let mut seen = Vec::new();
        loop {
            let piece = store.problems(app, false, page).await.unwrap();
            seen.extend(piece.items.iter().map(|problem| problem.content["answer"].as_str().unwrap().to_owned()));
            let Some(next) = piece.next else { break };
            page = PageRequest::parse(Some(2), Some(&next)).unwrap();
        }
        assert_eq!(seen, ["4", "3", "2", "1", "0"]);
    }
}
