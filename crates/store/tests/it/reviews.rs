//! The queue of what people look at: one row about a thing, one winner of a decision, nothing that outlives its owner,
//! its conversation or its time.

use kernel::{AppId, Code, MessageId, PageRequest, Subject, Time, UserId};
use store::{
    Appealed, Decision, NewReview, Review, ReviewFilter, ReviewReason, ReviewSource, SweepKind, SweepOrder,
    Weight,
};

use crate::world::{World, event, on_both_engines};

fn person(world: &World) -> Subject {
    Subject::User(UserId::new(&world.ambient))
}

fn weight(category: &str, hundredths: u8) -> Weight {
    Weight { category: category.into(), hundredths }
}

fn marked(
    world: &World,
    owner: Subject,
    at: (kernel::ConversationId, MessageId),
    category: &str,
) -> NewReview {
    NewReview {
        owner,
        app: world.app.clone(),
        message: Some(at),
        source: ReviewSource::Message,
        reason: ReviewReason::Review,
        findings: vec![weight(category, 60), weight("violence", 50)],
    }
}

fn refused(world: &World, owner: Subject) -> NewReview {
    NewReview {
        message: None,
        source: ReviewSource::Refused,
        reason: ReviewReason::Block,
        ..marked(
            world,
            owner,
            (kernel::ConversationId::new(&world.ambient), MessageId::new(&world.ambient)),
            "hate",
        )
    }
}

fn audit(owner: Subject) -> kernel::AuditEvent {
    event(owner).remove(0)
}

async fn listed(world: &World, filter: ReviewFilter) -> Vec<Review> {
    world.store.reviews(&filter, PageRequest::first(100)).await.unwrap().items
}

on_both_engines! {
    async fn a_message_is_pointed_at_once(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "words of the talk");
        let id = store.record_turn(turn.clone(), vec![]).await.unwrap();
        let at = (id, turn.user.id);
        assert!(store.mark_for_review(marked(world, owner, at, "hate/threatening")).await.unwrap());
        assert!(!store.mark_for_review(marked(world, owner, at, "sexual")).await.unwrap(), "once");
        assert!(store.mark_for_review(marked(world, owner, (id, turn.assistant.id), "hate")).await.unwrap());
        let stranger = store.mark_for_review(marked(world, world.visitor(), at, "hate")).await;
        assert_eq!(stranger.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.open_reviews().await.unwrap(), (2, 0));
        let all = listed(world, ReviewFilter::default()).await;
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].findings, [weight("hate/threatening", 60), weight("violence", 50)]);
        assert_eq!((all[1].message, &all[1].text), (Some(at), &None));
        let with = |category: &str| ReviewFilter { category: Some(category.into()), ..ReviewFilter::default() };
        assert_eq!(listed(world, with("hate")).await.len(), 1, "a category is not those below it");
        assert_eq!(listed(world, with("violence")).await.len(), 2);
        assert!(listed(world, with("sexual")).await.is_empty());
        let other = ReviewFilter { app: Some(AppId::parse("another").unwrap()), ..ReviewFilter::default() };
        assert!(listed(world, other).await.is_empty());
        let first = store.reviews(&ReviewFilter::default(), PageRequest::first(1)).await.unwrap();
        let next = PageRequest::parse(Some(1), first.next.as_deref()).unwrap();
        let second = store.reviews(&ReviewFilter::default(), next).await.unwrap();
        assert_eq!((first.items[0].id, second.items[0].id, second.next), (all[0].id, all[1].id, None));
        store.delete_conversation(&owner, id, vec![]).await.unwrap();
        assert!(listed(world, ReviewFilter::default()).await.is_empty(), "it goes with the conversation");
        let gone = store.mark_for_review(marked(world, owner, at, "hate")).await;
        assert_eq!(gone.unwrap_err().code(), Code::NotFound);
    }

    async fn one_of_many_decides(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "words");
        let id = store.record_turn(turn.clone(), vec![]).await.unwrap();
        store.mark_for_review(marked(world, owner, (id, turn.user.id), "hate")).await.unwrap();
        let review = listed(world, ReviewFilter::default()).await.remove(0).id;
        let people: Vec<Subject> = (0..12).map(|_| person(world)).collect();
        let decide = |by: Subject, decision, note: Option<&str>| {
            store.decide_review(review, by, decision, note.map(str::to_owned), audit(by))
        };
        let tries = people.iter().enumerate().map(|(at, by)| {
            decide(*by, if at % 2 == 0 { Decision::Upheld } else { Decision::WronglyFlagged }, Some("because"))
        });
        let outcomes = futures_util::future::join_all(tries).await;
        let won: Vec<usize> = (0..12).filter(|at| outcomes[*at].is_ok()).collect();
        assert_eq!(won.len(), 1);
        assert!(outcomes.iter().flat_map(|one| one.as_ref().err()).all(|fault| fault.code() == Code::Conflict));
        let by = people[won[0]];
        let found = store.review(review).await.unwrap();
        assert_eq!((found.decided_by, found.note.as_deref()), (Some(by.to_string()), Some("because")));
        let again = decide(by, found.decision.unwrap(), Some("because")).await.unwrap();
        assert_eq!(again.decided_at, found.decided_at, "the same again changes nothing");
        let anew = decide(by, Decision::WronglyFlagged, None).await.unwrap();
        assert_eq!((anew.decision, anew.note), (Some(Decision::WronglyFlagged), None));
        let open = ReviewFilter { open: Some(true), ..ReviewFilter::default() };
        let done = ReviewFilter { open: Some(false), ..ReviewFilter::default() };
        assert_eq!((listed(world, open).await.len(), listed(world, done).await.len()), (0, 1));
        let nothing = store.decide_review(kernel::ReviewId::new(&world.ambient), by, Decision::Upheld, None, audit(by)).await;
        assert_eq!(nothing.unwrap_err().code(), Code::NotFound);
    }

    async fn an_appeal_brings_its_text_sealed_and_waits(world) {
        let (store, owner, by) = (&world.store, world.visitor(), person(world));
        let appeal = |owner: Subject, text: &str| {
            store.appeal(refused(world, owner), Some(text.to_owned()), Some("I meant a game".into()), audit(owner))
        };
        let Appealed::Waiting(first) = appeal(owner, "a refused text").await.unwrap() else { panic!() };
        assert_eq!(appeal(owner, "a refused text").await.unwrap(), Appealed::Already(first));
        let Appealed::Waiting(other) = appeal(world.visitor(), "a refused text").await.unwrap() else { panic!() };
        assert_ne!(first, other, "another's is another's");
        let found = store.review(first).await.unwrap();
        assert_eq!((found.text.as_deref(), found.appeal.as_deref()), (Some("a refused text"), Some("I meant a game")));
        assert_eq!(store.open_reviews().await.unwrap(), (2, 2));
        let export = store.export_subject(&owner).await.unwrap();
        assert_eq!(export.tables["reviews"][0]["text"], "a refused text");
        assert!(!export.tables["reviews"][0].contains_key("decided_by"));
        for number in 1..20 {
            appeal(owner, &format!("another text {number}")).await.unwrap();
        }
        assert_eq!(appeal(owner, "one too many").await.unwrap_err().code(), Code::Conflict);
        store.decide_review(first, by, Decision::Upheld, None, audit(by)).await.unwrap();
        appeal(owner, "one too many").await.unwrap();
        // What was decided without its writer being heard is open again.
        let turn = world.opening(owner, "withheld");
        let id = store.record_turn(turn.clone(), vec![]).await.unwrap();
        let new = marked(world, owner, (id, turn.assistant.id), "hate");
        store.mark_for_review(new.clone()).await.unwrap();
        let mark = listed(world, ReviewFilter { appealed: Some(false), ..ReviewFilter::default() }).await.remove(0).id;
        store.decide_review(mark, by, Decision::Upheld, Some("seen".into()), audit(by)).await.unwrap();
        store.decide_review(other, by, Decision::Upheld, None, audit(by)).await.unwrap();
        let late = listed(world, ReviewFilter { appealed: Some(true), open: Some(true), ..ReviewFilter::default() }).await;
        store.decide_review(late[0].id, by, Decision::Upheld, None, audit(by)).await.unwrap();
        assert_eq!(store.appeal(new.clone(), None, None, audit(owner)).await.unwrap(), Appealed::Waiting(mark));
        let open = store.review(mark).await.unwrap();
        assert_eq!((open.decision, open.note), (None, None));
        store.decide_review(mark, by, Decision::Upheld, None, audit(by)).await.unwrap();
        assert_eq!(store.appeal(new, None, None, audit(owner)).await.unwrap(), Appealed::Already(mark), "heard once");
    }

    async fn what_is_old_goes_and_what_is_erased_is_unreadable(world) {
        let (store, owner, other) = (&world.store, world.visitor(), world.visitor());
        let turn = world.opening(owner, "words");
        let id = store.record_turn(turn.clone(), vec![]).await.unwrap();
        store.mark_for_review(marked(world, owner, (id, turn.user.id), "hate")).await.unwrap();
        store.appeal(refused(world, owner), Some("a text".into()), None, audit(owner)).await.unwrap();
        store.appeal(refused(world, other), Some("another".into()), None, audit(other)).await.unwrap();
        let order = |before| SweepOrder { app: world.app.clone(), kind: SweepKind::Talk, before, spare_quality: true };
        assert!(store.sweep(&order(Time::from_micros(1))).await.unwrap().counts.is_empty());
        assert_eq!(listed(world, ReviewFilter::default()).await.len(), 3);
        assert!(store.apps_with_content().await.unwrap().contains(&world.app));
        store.erase_subject(&owner, vec![]).await.unwrap();
        let left = listed(world, ReviewFilter::default()).await;
        assert_eq!((left.len(), left[0].owner), (1, other));
        let swept = store.sweep(&order(Time::from_seconds(9_000_000_000))).await.unwrap();
        assert_eq!(swept.counts.get("reviews"), Some(&1), "{swept:?}");
        assert!(listed(world, ReviewFilter::default()).await.is_empty());
    }
}
