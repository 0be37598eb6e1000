//! An erasure that leaves nothing: a marker is planted in every table that holds somebody's data, as the registry names
//! them, and searched for everywhere afterwards. A new table fails this test until it has joined in.

use kernel::{Code, PageRequest, PasskeyId, Subject, UserId};
use store::{NewKey, NewPasskey, Opening, Rule, StoredAnswer, TABLES};

use crate::people::by_operator;
use crate::world::{World, event, on_both_engines};

const MARKER: &str = "quokka-marker-91c2";

/// Tables that hold a pseudonymous id of who was erased, and why they may.
const TOMBSTONES: [(&str, &str); 4] = [
    ("audit_events", "the proof of what happened"),
    ("erasures", "the receipt"),
    ("revoked_subjects", "what keeps old cookies from working"),
    // The registry says why: documents belong to their app.
    ("documents", "who added it"),
];

/// What is there in every table that an erasure empties, of this account.
async fn plant(world: &World, email: &str) -> (UserId, Subject) {
    let (store, now) = (&world.store, world.ambient.now().micros());
    let user = store
        .create_user(store::NewUser { name: MARKER.into(), ..world.person(email) }, vec![])
        .await
        .unwrap();
    let (id, owner) = (user.id, Subject::User(user.id));
    let mut turn = world.opening(owner, MARKER);
    turn.opening = Opening::New {
        id: turn.user.conversation_id,
        title: Some(MARKER.into()),
        topic: Some(MARKER.into()),
        session: Some(MARKER.into()),
    };
    let (talk, answer) = (turn.user.conversation_id, turn.assistant.id);
    store.record_turn(turn, event(owner)).await.unwrap();
    let expires = world.later(1_000);
    store.begin_idempotent(&owner, MARKER, MARKER, expires).await.unwrap();
    let kept = StoredAnswer { status: 200, body: MARKER.into(), content_type: "text/plain".into() };
    store.finish_idempotent(&owner, MARKER, kept).await.unwrap();
    store.open_session(world.program(&user, &format!("refresh {email}")), vec![]).await.unwrap();
    let key = NewKey { user: Some(id), digest: format!("own {email}"), ..world.key(MARKER) };
    let key = store.create_key(key, vec![]).await.unwrap();
    store.record_turn(world.opening(Subject::Key(key.id), MARKER), vec![]).await.unwrap();
    store.link_identity(id, "https://issuer.example", &format!("{MARKER} {email}"), vec![]).await.unwrap();
    let passkey = NewPasskey {
        id: PasskeyId::new(&world.ambient),
        user: id,
        credential: format!("credential {email}"),
        name: MARKER.into(),
        public_key: MARKER.into(),
        sign_count: 0,
    };
    store.add_passkey(passkey, vec![]).await.unwrap();
    store.set_grant(id, &world.app, kernel::Level::Use, vec![]).await.unwrap();
    let problem = kernel::ProblemId::new(&world.ambient);
    let bytes = if store.engine() == "sqlite" { "x'6d61726b'" } else { r"'\x6d61726b'::bytea" };
    let n = id.uuid().as_u128() as u64;
    for row in [
        format!(
            "problems (id, app, content, published, created_at, updated_at) VALUES ('{problem}', 'assistant', {bytes}, 0, {now}, {now})"
        ),
        format!(
            "hand_offs (id, conversation_id, owner, app, state, reason, created_at, updated_at) VALUES ('h{n}', '{talk}', '{owner}', 'assistant', 'closed', {bytes}, {now}, {now})"
        ),
        format!(
            "message_pieces (id, message_id, began, content) VALUES ('{answer} 0', '{answer}', 0, {bytes})"
        ),
        format!(
            "feedback (message_id, conversation_id, owner, app, rating, comment, created_at, updated_at) VALUES ('{answer}', '{talk}', '{owner}', 'assistant', 'up', {bytes}, {now}, {now})"
        ),
        format!(
            "outcomes (message_id, conversation_id, owner, app, outcome, created_at) VALUES ('{answer}', '{talk}', '{owner}', 'assistant', 'none', {now})"
        ),
        format!(
            "gaps (id, conversation_id, owner, app, question, confidence, created_at) VALUES ('g{n}', '{talk}', '{owner}', 'assistant', {bytes}, 1, {now})"
        ),
        format!(
            "attempts (conversation_id, problem_id, app, owner, started_at) VALUES ('{talk}', '{problem}', 'assistant', '{owner}', {now})"
        ),
        format!(
            "blobs (id, owner, tag, size, files, facts_version, created_at) VALUES ('b{n}', '{owner}', '{MARKER}', 1, 2, 0, {now})"
        ),
        format!(
            "files (id, owner, app, blob, name, folder, media_type, size, digest, created_at) VALUES ('f{n}', '{owner}', 'files', 'b{n}', {bytes}, {bytes}, '{MARKER}', 1, {bytes}, {now})"
        ),
        format!(
            "file_pairs (id, owner, one, other, created_at) VALUES ('p{n}', '{owner}', 'f{n}', 'f{n}', {now})"
        ),
        format!("recovery_codes (user_id, digest) VALUES ('{id}', '{MARKER}')"),
        format!(
            "tickets (digest, purpose, user_id, created_at, expires_at) VALUES ('{MARKER} {n}', 'reset', '{id}', {now}, {now})"
        ),
        format!(
            "outbox (id, sink, user_id, payload, attempts, created_at, next_at) VALUES ('o{n}', 'mail', '{id}', {bytes}, 0, {now}, {now})"
        ),
        format!(
            "usage_days (id, day, app, owner, requests, conversations, input_tokens, output_tokens, failed) VALUES ('1 assistant {owner}', 1, 'assistant', '{owner}', 1, 1, 1, 1, 0)"
        ),
        format!(
            "folders (id, owner, tag, name, created_at) VALUES ('d{n}', '{owner}', '{MARKER}', {bytes}, {now})"
        ),
        format!("conversation_tags (conversation_id, tag, owner) VALUES ('{talk}', '{MARKER}', '{owner}')"),
        format!(
            "search_runs (id, owner, level, messages, first_at, last_at, ready) VALUES ('r{n}', '{owner}', 0, 1, {now}, {now}, 1)"
        ),
        format!("search_parts (run, part, content) VALUES ('r{n}', 1, {bytes})"),
        format!(
            "shares (id, owner, conversation_id, app, digest, content, masked, messages, created_at, expires_at) VALUES ('h{n}', '{owner}', '{talk}', 'assistant', 'h{n}', {bytes}, 0, 1, {now}, {now})"
        ),
        format!(
            "reviews (id, owner, app, conversation_id, message_id, about, source, reason, findings, text, created_at) VALUES ('v{n}', '{owner}', 'assistant', '{talk}', '{answer}', '{answer}', 'answer', 'review', '|', {bytes}, {now})"
        ),
        format!("search_gone (conversation_id, owner) VALUES ('{talk}', '{owner}')"),
    ] {
        world.tamper(&format!("INSERT INTO {row}")).await;
    }
    (id, owner)
}

/// How many rows of each table the registry finds of a subject.
async fn found(world: &World, subject: &Subject) -> Vec<(&'static str, i64)> {
    let mut found = Vec::new();
    for table in TABLES {
        if let Rule::Subject { condition, erase: true, .. } = table.rule {
            let condition = condition.replace("$1", &format!("'{subject}'"));
            let sql = format!("SELECT COUNT(*) FROM {} WHERE {condition}", table.name);
            found.push((table.name, world.number(&sql).await));
        }
    }
    found
}

on_both_engines! {
    async fn nothing_is_left_in_any_table(world) {
        let (id, owner) = plant(world, "gone@example.com").await;
        let (_, other) = plant(world, "stays@example.com").await;
        // A hold keeps an erasure from happening, so no erasure finds one.
        let lacking: Vec<_> = found(world, &owner).await.into_iter().filter(|(table, rows)| *rows == 0 && *table != "holds").collect();
        assert!(lacking.is_empty(), "plant the marker in these tables too: {lacking:?}");
        let before = found(world, &other).await;

        let erased = world.store.erase(&owner, by_operator(kernel::EventType::DataErased)).await.unwrap();
        let scan = erased.scan.clone().unwrap();
        assert_eq!((scan.left.get("bytes"), scan.left.len(), scan.settled), (Some(&1), 1, false), "the bytes wait to be removed");
        assert!(erased.counts.len() > 20, "{erased:?}");
        for subject in erased.subjects().unwrap() {
            assert!(found(world, &subject).await.iter().all(|(_, rows)| *rows == 0), "{subject}");
        }
        // Every cell of every table, whether the registry says something about it or not.
        let mut ids = vec![id.to_string()];
        ids.extend(erased.others.iter().map(|name| name.rsplit(':').next().unwrap().to_owned()));
        assert_eq!(ids.len(), 2, "the key went with its account");
        for (table, column) in world.store.schema().await.unwrap() {
            if TOMBSTONES.iter().any(|(name, _)| *name == table) {
                continue;
            }
            for id in &ids {
                let sql = format!("SELECT COUNT(*) FROM {table} WHERE CAST({column} AS text) LIKE '%{id}%'");
                assert_eq!(world.number(&sql).await, 0, "{table}.{column}");
            }
        }
        assert_eq!(found(world, &other).await, before, "others are untouched");

        // It is certain when the bytes are gone and some time has passed.
        assert!(world.store.settle_erasures(10).await.unwrap().is_empty());
        world.wait(6);
        assert!(world.store.settle_erasures(10).await.unwrap().is_empty(), "the bytes are still there");
        let due = world.store.due_removals(world.ambient.now(), 10).await.unwrap();
        world.store.removed(due.into_iter().map(|removal| removal.id).collect()).await.unwrap();
        let settled = world.store.settle_erasures(10).await.unwrap();
        assert_eq!(settled.len(), 1);
        let scan = world.store.erasure(erased.id).await.unwrap().scan.unwrap();
        assert!(scan.settled && scan.left.is_empty(), "{scan:?}");
        assert!(world.store.settle_erasures(10).await.unwrap().is_empty());
        assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
    }

    /// Another process that has looked before there was a key, or before it was destroyed, reads what comes later.
    async fn another_process_is_not_behind(world) {
        let (other, owner) = (world.second().await, world.visitor());
        let all = store::ConversationFilter::default;
        for said in ["the first", "after the erasure"] {
            // Now it knows a key that is not the one to come.
            assert!(other.conversations(&owner, all(), PageRequest::first(9)).await.unwrap().items.is_empty());
            let mut turn = world.opening(owner, said);
            turn.opening = store::Opening::New { id: turn.user.conversation_id, title: Some("Plans".into()), topic: None, session: None };
            let id = world.store.record_turn(turn, vec![]).await.unwrap();
            assert_eq!(other.conversations(&owner, all(), PageRequest::first(9)).await.unwrap().items.len(), 1);
            assert_eq!(other.conversation(&owner, id).await.unwrap().title.as_deref(), Some("Plans"));
            assert_eq!(other.messages(&owner, id, PageRequest::first(9)).await.unwrap().items.len(), 2);
            assert!(!other.export_subject(&owner).await.unwrap().tables.is_empty());
            world.store.erase(&owner, vec![]).await.unwrap();
        }
        other.close().await;
    }

    /// Who has very many messages is erased in steps, and the receipt counts them all.
    async fn a_large_account_goes_in_steps(world) {
        let (store, visitor) = (&world.store, world.visitor());
        let id = store.record_turn(world.opening(visitor, "first"), vec![]).await.unwrap();
        let bytes = if store.engine() == "sqlite" { "x'00'" } else { r"'\x00'::bytea" };
        let numbers = if store.engine() == "sqlite" {
            "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 9002)"
        } else {
            "WITH n(i) AS (SELECT generate_series(3, 9002))"
        };
        let many = |to: &str| format!(
            "INSERT INTO messages (id, conversation_id, position, role, content, created_at, finish_reason) \
             {numbers} SELECT '{to} ' || i, '{to}', i, 'user', {bytes}, 1, 'stop' FROM n"
        );
        world.tamper(&many(&id.to_string())).await;
        world.tamper("UPDATE conversations SET messages = 9002").await;
        let other = world.visitor();
        let long = store.record_turn(world.opening(other, "first"), vec![]).await.unwrap();
        world.tamper(&many(&long.to_string())).await;
        world.tamper("UPDATE conversations SET messages = 9002").await;
        let erased = store.erase(&visitor, vec![]).await.unwrap();
        assert_eq!((erased.counts["messages"], erased.counts["conversations"]), (9_002, 1));
        assert_eq!(store.erasure(erased.id).await.unwrap().counts, erased.counts);
        // Retention takes a long conversation in steps too, and counts all of it.
        world.wait(3_600);
        let order = store::SweepOrder {
            app: world.app.clone(), kind: store::SweepKind::Talk, before: world.ambient.now(), spare_quality: false,
        };
        let (mut messages, mut batches) = (0, 0);
        loop {
            let swept = store.sweep(&order).await.unwrap();
            messages += swept.counts.get("messages").unwrap_or(&0);
            batches += 1;
            if !swept.more {
                break;
            }
        }
        assert!(messages == 9_002 && batches > 2, "{messages} {batches}");
        let told = store.tell_sweeps(std::time::Duration::ZERO).await.unwrap();
        assert_eq!((told["assistant"]["messages"], told["assistant"]["conversations"]), (9_002, 1));
        let used = store.usage(kernel::Time::EPOCH, world.later(60), &store::UsageFilter::default()).await.unwrap();
        assert_eq!(used.apps[0].requests, 9_001);
    }

    async fn what_came_in_between_goes_too(world) {
        let (store, visitor) = (&world.store, world.visitor());
        store.record_turn(world.opening(visitor, "before"), vec![]).await.unwrap();
        let erased = store.erase(&visitor, vec![]).await.unwrap();
        assert!(erased.scan.as_ref().unwrap().left.is_empty());
        // Another process had let the visitor in a moment before.
        let late = store.record_turn(world.opening(visitor, "late"), vec![]).await.unwrap();
        assert_eq!(store.left_over(&erased).await.unwrap()["messages"], 2);
        world.wait(6);
        assert_eq!(store.settle_erasures(10).await.unwrap().len(), 1);
        assert_eq!(store.conversation(&visitor, late).await.unwrap_err().code(), Code::NotFound);
        assert!(store.erasure(erased.id).await.unwrap().scan.unwrap().settled);
    }

    /// What a backup from before brings back is erased again from the receipts.
    async fn an_erasure_is_repeated_elsewhere(world) {
        let (store, visitor, other) = (&world.store, world.visitor(), world.visitor());
        let restored = World::sqlite().await;
        for place in [store, &restored.store] {
            place.record_turn(world.opening(visitor, "erased"), vec![]).await.unwrap();
            place.record_turn(world.opening(other, "kept"), vec![]).await.unwrap();
        }
        store.erase(&visitor, vec![]).await.unwrap();
        let receipts = store.erasures_after(None, 10).await.unwrap();
        assert_eq!((receipts.len(), receipts[0].subjects().unwrap()), (1, vec![visitor]));
        let next = store.erasures_after(Some((receipts[0].erased_at, receipts[0].id)), 10).await.unwrap();
        assert!(next.is_empty());
        assert!(restored.store.repeat_erasure(&receipts[0]).await.unwrap() >= 4);
        assert_eq!(restored.store.repeat_erasure(&receipts[0]).await.unwrap(), 0);
        assert_eq!(restored.store.erasure(receipts[0].id).await.unwrap().subject, visitor.to_string());
        assert_eq!(restored.number("SELECT COUNT(*) FROM messages").await, 2);
        restored.end().await;
    }
}
