//! Retention: what goes, what stays, by two at once, with a hold; the audit log that is cut; the database looked after.

use std::time::Duration;

use kernel::{Actor, AppId, AuditEvent, Code, ConversationId, EventType, HoldId, PageRequest, Subject, Time};
use store::{
    FinishReason, FinishedMessage, HoldTarget, Idempotent, NewHold, StoredAnswer, SweepKind, SweepOrder,
    UsageFilter,
};

use crate::people::audited;
use crate::world::{World, event, on_both_engines};

const HOUR: i64 = 3_600;

fn order(world: &World, kind: SweepKind, hours: u64) -> SweepOrder {
    let before = world.ambient.now() - Duration::from_secs(hours * 3_600);
    SweepOrder { app: world.app.clone(), kind, before, spare_quality: false }
}

/// Sweeps until nothing is left to remove; gives the rows of each table.
async fn sweep(store: &store::Store, order: &SweepOrder) -> std::collections::BTreeMap<&'static str, u64> {
    let mut all = std::collections::BTreeMap::new();
    loop {
        let swept = store.sweep(order).await.unwrap();
        for (table, count) in swept.counts {
            *all.entry(table).or_default() += count;
        }
        if !swept.more {
            return all;
        }
    }
}

async fn said(world: &World, owner: &Subject, id: ConversationId) -> Vec<String> {
    let page = world.store.messages(owner, id, PageRequest::first(50)).await.unwrap();
    page.items.into_iter().map(|message| message.content).collect()
}

fn hold(world: &World, target: HoldTarget) -> NewHold {
    NewHold {
        id: HoldId::new(&world.ambient),
        target,
        reason: "case 7".into(),
        created_by: "operator".into(),
    }
}

fn ended(message: store::Message, owner: Subject) -> FinishedMessage {
    FinishedMessage {
        owner,
        conversation_id: message.conversation_id,
        message_id: message.id,
        content: "whole".into(),
        citations: serde_json::Value::Null,
        finish_reason: Some(FinishReason::Stop),
        model: None,
        input_tokens: None,
        output_tokens: None,
        details: serde_json::Value::Null,
    }
}

on_both_engines! {
    async fn what_is_old_goes_and_nothing_else(world) {
        let (store, owner, other) = (&world.store, world.visitor(), world.user());
        let old = store.record_turn(world.opening(owner, "old"), event(owner)).await.unwrap();
        let mut titled = world.opening(owner, "kept on");
        titled.opening = store::Opening::New {
            id: titled.user.conversation_id, title: Some("kept on".into()), topic: None, session: Some("s".into()),
        };
        let living = store.record_turn(titled, event(owner)).await.unwrap();
        let elsewhere = AppId::parse("workspace").unwrap();
        let foreign = store::Turn { app: elsewhere, ..world.opening(other, "another app") };
        let foreign = store.record_turn(foreign, vec![]).await.unwrap();
        let expires = world.later(86_400);
        assert_eq!(store.begin_idempotent(&owner, "k", "f", expires).await.unwrap(), Idempotent::Fresh);
        let answer = StoredAnswer { status: 200, body: b"old".to_vec(), content_type: "text/plain".into() };
        store.finish_idempotent(&owner, "k", answer).await.unwrap();
        // An answer that is being written since then.
        let streamed = world.opening(other, "asked long ago");
        let writing = store.begin_turn(streamed.clone(), vec![]).await.unwrap();
        world.wait(2 * HOUR);
        let mut young = world.turn(owner, living, "young");
        young.assistant.parent_id = Some(young.user.id);
        store.record_turn(young, event(owner)).await.unwrap();

        let removed = sweep(store, &order(world, SweepKind::Talk, 1)).await;
        let counts: Vec<(&str, u64)> = removed.into_iter().collect();
        assert_eq!(counts, [("conversations", 1), ("idempotency", 1), ("messages", 4)]);
        assert_eq!(store.conversation(&owner, old).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(said(world, &owner, living).await, ["young", "answer to young"]);
        let found = store.messages(&owner, living, PageRequest::first(5)).await.unwrap().items;
        assert_eq!((found[0].parent_id, found[1].parent_id), (None, Some(found[0].id)));
        assert_eq!(store.conversation(&owner, living).await.unwrap().title, None, "the title held the old words");
        assert_eq!(store.begin_idempotent(&owner, "k", "f", expires).await.unwrap(), Idempotent::Fresh);
        assert_eq!(said(world, &other, foreign).await.len(), 2);
        // The living one goes on as ever, and is found under its session.
        store.record_turn(world.turn(owner, living, "and on"), vec![]).await.unwrap();
        assert_eq!(said(world, &owner, living).await.len(), 4);
        assert!(sweep(store, &order(world, SweepKind::Talk, 1)).await.is_empty());

        assert_eq!(said(world, &other, writing).await.len(), 2, "an answer that is being written is not cut");
        store.finish_turn(ended(streamed.assistant, other), vec![]).await.unwrap();
        assert_eq!(said(world, &other, writing).await[1], "whole");
        assert_eq!(sweep(store, &order(world, SweepKind::Talk, 1)).await["conversations"], 1);

        // What was used is still known, by app, by who, by day.
        let day = Duration::from_secs(86_400);
        let used = store.usage(world.ambient.now() - day, world.ambient.now() + day, &UsageFilter::default()).await.unwrap();
        let app = used.apps.iter().find(|row| row.name == "assistant").unwrap();
        assert_eq!((app.requests, app.conversations), (5, 3), "{used:?}");
        assert_eq!(used.days.iter().map(|day| day.row.requests).sum::<u64>(), 6);
        let mine = UsageFilter { principal: Some(owner.to_string()), app: Some("assistant".into()) };
        let mine = store.usage(world.ambient.now() - day, world.ambient.now() + day, &mine).await.unwrap();
        assert_eq!((mine.apps.len(), mine.apps[0].requests, mine.principals.len()), (1, 4, 1));

        // The log is told once, with counts and without ids of what went.
        let told = store.tell_sweeps(Duration::from_secs(600)).await.unwrap();
        assert_eq!((told["assistant"]["messages"], told["assistant"]["conversations"]), (6, 2));
        let events = audited(store, EventType::DataErased).await;
        assert_eq!((events.len(), events[0].details["removed"]["assistant"]["messages"].as_u64()), (1, Some(6)));
        assert!(!format!("{events:?}").contains(&old.to_string()));
        assert!(store.tell_sweeps(Duration::ZERO).await.unwrap().is_empty());
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
    }

    async fn two_at_once_remove_everything_once(world) {
        let (store, second) = (&world.store, world.second().await);
        for n in 0..130 {
            store.record_turn(world.opening(world.visitor(), &format!("{n}")), vec![]).await.unwrap();
        }
        world.wait(2 * HOUR);
        let order = order(world, SweepKind::Talk, 1);
        let (here, there) = tokio::join!(sweep(store, &order), sweep(&second, &order));
        let sum = |table| here.get(table).unwrap_or(&0) + there.get(table).unwrap_or(&0);
        assert_eq!((sum("conversations"), sum("messages")), (130, 260));
        assert_eq!(world.number("SELECT COUNT(*) FROM messages").await, 0);
        let (one, other) = tokio::join!(store.tell_sweeps(Duration::ZERO), second.tell_sweeps(Duration::ZERO));
        let told: Vec<u64> = [one.unwrap(), other.unwrap()].iter().filter_map(|told| Some(*told.get("assistant")?.get("messages")?)).collect();
        assert_eq!(told, [260], "one of them tells");
        second.close().await;
    }

    async fn a_batch_that_was_killed_leaves_its_count(world) {
        let store = &world.store;
        for n in 0..60 {
            store.record_turn(world.opening(world.visitor(), &format!("{n}")), vec![]).await.unwrap();
        }
        world.wait(2 * HOUR);
        // One batch, then this process is gone; another goes on and tells of both.
        assert!(store.sweep(&order(world, SweepKind::Talk, 1)).await.unwrap().more);
        let second = world.second().await;
        sweep(&second, &order(world, SweepKind::Talk, 1)).await;
        let told = second.tell_sweeps(Duration::ZERO).await.unwrap();
        assert_eq!((told["assistant"]["conversations"], told["assistant"]["messages"]), (60, 120));
        second.close().await;
    }

    async fn a_hold_keeps_what_its_time_would_take(world) {
        let (store, user) = (&world.store, world.member("held@example.com").await);
        let (owner, other) = (Subject::User(user.id), world.visitor());
        let key = store.create_key(store::NewKey { user: Some(user.id), ..world.key("own") }, vec![]).await.unwrap();
        let by_key = Subject::Key(key.id);
        let held = store.record_turn(world.opening(owner, "held"), vec![]).await.unwrap();
        let keys = store.record_turn(world.opening(by_key, "by a key of the held"), vec![]).await.unwrap();
        store.record_turn(world.opening(other, "free"), vec![]).await.unwrap();
        let audit = || vec![AuditEvent::new(EventType::HoldAdded, Actor::Operator)];
        let placed = store.add_hold(hold(world, HoldTarget::Subject(owner)), audit()).await.unwrap();
        assert_eq!(store.add_hold(hold(world, HoldTarget::Subject(owner)), audit()).await.unwrap_err().code(), Code::Conflict);
        assert_eq!(store.holds().await.unwrap(), std::slice::from_ref(&placed));
        assert_eq!(store.hold_on(&by_key).await.unwrap(), Some(placed.clone()));
        assert_eq!(store.hold_on(&other).await.unwrap(), None);
        world.wait(2 * HOUR);
        assert_eq!(sweep(store, &order(world, SweepKind::Talk, 1)).await["conversations"], 1);
        assert_eq!((said(world, &owner, held).await.len(), said(world, &by_key, keys).await.len()), (2, 2));
        for subject in [owner, by_key] {
            let refused = store.erase(&subject, vec![]).await.unwrap_err();
            assert_eq!(refused.code(), Code::Conflict, "{subject}");
            assert!(!refused.to_string().contains("hold") && refused.to_string().contains("whoever runs this server"));
            assert_eq!(store.erase_subject(&subject, vec![]).await.unwrap_err().code(), Code::Conflict);
        }
        assert!(store.user(user.id).await.unwrap().disabled_at.is_none(), "what was refused changed nothing");
        // Nor does its owner destroy it.
        for (subject, id) in [(owner, held), (by_key, keys)] {
            let refused = store.delete_conversation(&subject, id, vec![]).await.unwrap_err();
            assert_eq!(refused.code(), Code::Conflict, "{subject}");
        }

        // An app that is held keeps everything.
        let app = store.add_hold(hold(world, HoldTarget::App(world.app.clone())), audit()).await.unwrap();
        store.remove_hold(placed.id, AuditEvent::new(EventType::HoldRemoved, Actor::Operator)).await.unwrap();
        assert!(sweep(store, &order(world, SweepKind::Talk, 1)).await.is_empty());
        store.remove_hold(app.id, AuditEvent::new(EventType::HoldRemoved, Actor::Operator)).await.unwrap();
        assert_eq!(store.remove_hold(app.id, AuditEvent::new(EventType::HoldRemoved, Actor::Operator)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(audited(store, EventType::HoldRemoved).await[0].object, Some(owner.to_string()));
        assert_eq!(sweep(store, &order(world, SweepKind::Talk, 1)).await["conversations"], 2, "retention resumes");
        assert_eq!(store.erase(&owner, vec![]).await.unwrap().others, [by_key.to_string()]);
    }

    async fn what_has_a_time_of_its_own_outlives_its_conversation(world) {
        let (store, owner) = (&world.store, world.visitor());
        let turn = world.opening(owner, "asked");
        let (id, answer) = (turn.user.conversation_id, turn.assistant.id);
        store.record_turn(turn, vec![]).await.unwrap();
        for table in ["outcomes", "feedback"] {
            let (column, value, more) = if table == "outcomes" { ("outcome", "none", "") } else { ("rating", "up", ", updated_at") };
            let at = world.ambient.now().micros();
            let times = if more.is_empty() { format!("{at}") } else { format!("{at}, {at}") };
            world.tamper(&format!(
                "INSERT INTO {table} (message_id, conversation_id, owner, app, {column}, created_at{more}) \
                 VALUES ('{answer}', '{id}', '{owner}', 'assistant', '{value}', {times})"
            )).await;
        }
        world.wait(2 * HOUR);
        let talk = SweepOrder { spare_quality: true, ..order(world, SweepKind::Talk, 1) };
        assert_eq!(sweep(store, &talk).await["conversations"], 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM outcomes").await, 1);
        assert!(sweep(store, &order(world, SweepKind::Quality, 3)).await.is_empty());
        let removed = sweep(store, &order(world, SweepKind::Quality, 1)).await;
        assert_eq!((removed["outcomes"], removed["feedback"]), (1, 1));
    }

    async fn the_audit_log_is_cut_and_proves_itself(world) {
        let store = &world.store;
        let day = 86_400;
        let fill = |count: usize| {
            let event = AuditEvent::new(EventType::AuthFailure, Actor::Anonymous);
            store.record(vec![event; count])
        };
        fill(2_300).await.unwrap();
        world.wait(2 * day);
        fill(3).await.unwrap();
        world.wait(89 * day);
        // 91 and 89 days old.
        let limit = || world.ambient.now() - Duration::from_secs(90 * 86_400);
        assert_eq!(store.prune_audit(limit()).await.unwrap(), 2_300);
        assert_eq!(store.prune_audit(limit()).await.unwrap(), 0);
        let verdict = store.verify_audit().await.unwrap();
        // The two steps of the cut are events themselves.
        assert_eq!((verdict.events, verdict.removed, verdict.fault), (5, 2_300, None));
        let told = audited(store, EventType::DataErased).await;
        assert_eq!(told.iter().map(|event| event.details["events"].as_u64().unwrap()).collect::<Vec<_>>(), [2_000, 300]);
        assert_eq!(store.audit_cut().await.unwrap().unwrap().seq, 2_300);
        assert_eq!(world.number("SELECT COUNT(*) FROM audit_events WHERE event_type = 'auth.failure'").await, 3);
        fill(2).await.unwrap();
        assert_eq!(store.verify_audit().await.unwrap().fault, None);

        // Everything may go; the log goes on from its end.
        world.wait(200 * day);
        assert_eq!(store.prune_audit(limit()).await.unwrap(), 7);
        fill(1).await.unwrap();
        let verdict = store.verify_audit().await.unwrap();
        assert_eq!((verdict.events, verdict.removed, verdict.fault), (2, 2_307, None));
    }

    async fn tampering_with_the_cut_is_named(world) {
        let store = &world.store;
        let event = || AuditEvent::new(EventType::AuthFailure, Actor::Anonymous);
        store.record(vec![event(); 5]).await.unwrap();
        world.wait(100);
        store.record(vec![event(); 5]).await.unwrap();
        let limit = world.ambient.now() - Duration::from_secs(50);
        assert_eq!(store.prune_audit(limit).await.unwrap(), 5);
        let fault = async || store.verify_audit().await.unwrap().fault.expect("a fault").what;
        world.tamper("CREATE TABLE kept AS SELECT * FROM audit_cut").await;
        for change in ["seq = 6", "seq = 4", "hash = 'x'", "cut_at = cut_at + 1", "seal = 'x'"] {
            world.tamper(&format!("UPDATE audit_cut SET {change}")).await;
            assert!(fault().await.contains("the record of what retention removed"), "{change}");
            world.tamper("DELETE FROM audit_cut; INSERT INTO audit_cut SELECT * FROM kept").await;
        }
        // Somebody removes more than retention did, or the record itself.
        world.tamper("DELETE FROM audit_cut").await;
        assert_eq!(fault().await, "missing: the event 1 was removed; the next one is 6; and no record says that retention did it");
        world.tamper("INSERT INTO audit_cut SELECT * FROM kept; DELETE FROM audit_events WHERE seq = 6").await;
        assert_eq!(fault().await, "missing: the event 6 was removed; the next one is 7");
        // What does not prove itself is evidence, and stays.
        world.wait(1_000);
        assert_eq!(store.prune_audit(world.ambient.now()).await.unwrap_err().code(), Code::Internal);
        assert_eq!(world.number("SELECT COUNT(*) FROM audit_events").await, 5);
    }

    async fn the_log_of_who_is_held_stays(world) {
        let (store, held) = (&world.store, world.user());
        let audit = || vec![AuditEvent::new(EventType::HoldAdded, Actor::Operator)];
        store.record(vec![AuditEvent::new(EventType::AuthFailure, Actor::Anonymous); 4]).await.unwrap();
        store.record(vec![AuditEvent::new(EventType::DataRead, held)]).await.unwrap();
        let placed = store.add_hold(hold(world, HoldTarget::Subject(held)), audit()).await.unwrap();
        world.wait(1_000);
        assert_eq!(store.prune_audit(world.ambient.now()).await.unwrap(), 4);
        store.remove_hold(placed.id, AuditEvent::new(EventType::HoldRemoved, Actor::Operator)).await.unwrap();
        assert!(store.prune_audit(world.ambient.now()).await.unwrap() >= 2);
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
    }

    async fn the_database_is_looked_after_while_it_works(world) {
        let store = &world.store;
        for n in 0..300 {
            store.record_turn(world.opening(world.visitor(), &"long ".repeat(400 + n)), vec![]).await.unwrap();
        }
        store.flush_log().await.unwrap();
        let full = store.size().await.unwrap();
        assert!(full.stepwise && full.bytes > 500_000, "{full:?}");
        world.wait(2 * HOUR);
        sweep(store, &order(world, SweepKind::Talk, 1)).await;
        let busy = {
            let (store, turns) = (store.clone(), (0..60).map(|n| world.opening(world.visitor(), &format!("{n}"))).collect::<Vec<_>>());
            tokio::spawn(async move {
                for turn in turns {
                    store.record_turn(turn, vec![]).await.unwrap();
                }
            })
        };
        let vacuumed = store.vacuum(false).await.unwrap();
        store.analyze().await.unwrap();
        assert!(store.reindex().await.unwrap() > 50);
        busy.await.unwrap();
        assert!(!vacuumed.postponed);
        if store.engine() == "sqlite" {
            assert!(vacuumed.after.bytes * 2 < full.bytes, "{full:?} {vacuumed:?}");
            store.flush_log().await.unwrap();
            let file = std::fs::metadata(world.folder().join("stoa.db")).unwrap().len();
            assert!(file * 2 < full.bytes, "the file itself shrinks: {file}");
        }
        assert!(store.missing_indexes().await.unwrap().is_empty());
        store.note_chore("upkeep", Duration::from_millis(12), "1 table").await.unwrap();
        let chore = store.chore("upkeep").await.unwrap().unwrap();
        assert_eq!((chore.took, chore.outcome.as_str()), (Duration::from_millis(12), "1 table"));
    }
}

/// What purges and sweeps ask for is found through an index, before and after statistics are counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purges_go_through_their_indexes() {
    let world = World::sqlite().await;
    for n in 0..200 {
        let turn = world.opening(world.visitor(), &format!("{n}"));
        world.store.record_turn(turn, vec![]).await.unwrap();
    }
    for analyzed in [false, true] {
        if analyzed {
            world.store.analyze().await.unwrap();
        }
        for (sql, index) in [
            (
                "SELECT id FROM sessions WHERE expires_at < 1 ORDER BY expires_at, id LIMIT 100",
                "sessions_by_expiry",
            ),
            (
                "SELECT id FROM conversations WHERE app = 'a' AND created_at < 1 AND updated_at < 1 ORDER BY created_at LIMIT 50",
                "conversations_by_app",
            ),
            (
                "SELECT owner FROM files WHERE app = 'a' AND created_at < 1 ORDER BY created_at LIMIT 1",
                "files_by_app",
            ),
            (
                "SELECT id FROM erasures WHERE settled_at IS NULL AND erased_at <= 1 ORDER BY erased_at LIMIT 9",
                "erasures_unsettled",
            ),
            (
                "SELECT id FROM messages WHERE conversation_id = 'a' ORDER BY position",
                "messages_in_conversation",
            ),
        ] {
            let raw = crate::world::beside(&world.folder().join("stoa.db"));
            let mut asked = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let plan = asked.query_map([], |row| row.get::<_, String>(3)).unwrap();
            let plan: Vec<String> = plan.collect::<Result<_, _>>().unwrap();
            assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:?}");
        }
    }
    world.end().await;
}

/// A file of an earlier version cannot shrink in steps; it is rewritten once, and can from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_file_is_rewritten_once() {
    let world = World::sqlite().await;
    world.store.close().await;
    world.tamper("PRAGMA auto_vacuum = NONE; VACUUM").await;
    let store = world.second().await;
    assert!(!store.size().await.unwrap().stepwise);
    let owner = world.visitor();
    let id = store.record_turn(world.opening(owner, "kept"), vec![]).await.unwrap();
    assert!(!store.vacuum(false).await.unwrap().postponed);
    assert!(store.size().await.unwrap().stepwise);
    assert_eq!(store.messages(&owner, id, PageRequest::first(5)).await.unwrap().items.len(), 2);
    store.close().await;
    world.end().await;
}

/// What retention removes is in no file any more: not in a page that was freed, and not in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_holds_what_was_removed() {
    let world = World::sqlite().await;
    let (store, owner) = (&world.store, world.visitor());
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(store.record_turn(world.opening(owner, &format!("{n}")), vec![]).await.unwrap().to_string());
    }
    let holds = || {
        let files = std::fs::read_dir(world.folder()).unwrap();
        let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        ids.iter().filter(|id| bytes.windows(36).any(|window| window == id.as_bytes())).count()
    };
    assert_eq!(holds(), 40);
    world.wait(2 * HOUR);
    assert_eq!(sweep(store, &order(&world, SweepKind::Talk, 1)).await["conversations"], 40);
    assert!(store.flush_log().await.unwrap());
    assert_eq!(holds(), 0);
    assert!(
        store.usage(Time::EPOCH, world.later(1), &UsageFilter::default()).await.unwrap().apps[0].requests
            == 40
    );
    world.end().await;
}
