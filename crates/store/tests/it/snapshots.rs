//! Snapshots: one moment while others write, the same on both engines, and back in one transaction or not at all.

use std::collections::HashMap;

use kernel::{Actor, AuditEvent, EventType, Subject};
use store::{
    AuditFilter, Config, ConversationFilter, Database, Piece, Plan, Snapshot, Store, TableSum, WrappedKey,
};
use tokio::sync::mpsc;

use crate::world::{World, event, keyring, on_both_engines, pool};

/// A snapshot with its pieces.
async fn taken(store: &Store) -> (Snapshot, Vec<Piece>) {
    let (sender, mut receiver) = mpsc::channel(4);
    let from = store.clone();
    let reading = tokio::spawn(async move { from.snapshot(sender).await });
    let mut pieces = Vec::new();
    while let Some(piece) = receiver.recv().await {
        pieces.push(piece);
    }
    (reading.await.unwrap().unwrap(), pieces)
}

fn sent(pieces: Vec<Piece>) -> mpsc::Receiver<Piece> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        for piece in pieces {
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    receiver
}

/// A new SQLite database in a folder.
async fn scratch(world: &World, folder: &tempfile::TempDir) -> Store {
    let config = Config {
        database: Database::Sqlite { path: folder.path().join("scratch.db") },
        pool: pool(),
        slow_query: std::time::Duration::from_secs(5),
    };
    Store::open(config, keyring(), world.ambient.clone()).await.unwrap()
}

fn sums(tables: &[TableSum]) -> HashMap<String, (u64, String)> {
    tables.iter().map(|sum| (sum.name.clone(), (sum.rows, sum.hash.clone()))).collect()
}

async fn plan(store: &Store, snapshot: &Snapshot) -> Plan {
    let keys: Vec<WrappedKey> = store.wrapped_keys().await.unwrap();
    Plan {
        schema: snapshot.schema,
        house: snapshot.house.clone(),
        head: snapshot.head.clone(),
        keys,
        event: AuditEvent::new(EventType::BackupRestored, Actor::System),
    }
}

async fn titles(store: &Store, owner: &Subject) -> usize {
    let page = kernel::PageRequest::first(100);
    store.conversations(owner, ConversationFilter::default(), page).await.unwrap().items.len()
}

on_both_engines! {
    /// Who was erased, what is on hold and where the audit log begins outlive an older copy that is brought back.
    async fn receipts_holds_and_the_cut_outlive_a_restore(world) {
        let (store, gone, kept) = (&world.store, world.visitor(), world.visitor());
        for subject in [gone, kept] {
            store.record_turn(world.opening(subject, "before"), event(subject)).await.unwrap();
        }
        let (snapshot, pieces) = taken(store).await;
        let hold = store::NewHold {
            id: kernel::HoldId::new(&world.ambient), target: store::HoldTarget::Subject(kept), reason: "case".into(), created_by: "operator".into(),
        };
        let hold = store.add_hold(hold, vec![]).await.unwrap();
        let erased = store.erase(&gone, vec![]).await.unwrap();
        world.wait(1_000);
        store.record(event(world.visitor())).await.unwrap();
        let before = world.ambient.now() - std::time::Duration::from_secs(500);
        assert_eq!(store.prune_audit(before).await.unwrap(), 1, "up to the one who is held");
        let plan = plan(store, &snapshot).await;
        store.replace(sent(pieces), plan).await.unwrap();
        assert_eq!(store.holds().await.unwrap(), [hold]);
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
        assert_eq!(store.left_over(&erased).await.unwrap()["messages"], 2, "the older copy brought them back");
        world.wait(10);
        assert_eq!(store.settle_erasures(10).await.unwrap().len(), 1);
        assert!(store.left_over(&store.erasure(erased.id).await.unwrap()).await.unwrap().is_empty());
        assert_eq!(world.number("SELECT COUNT(*) FROM messages").await, 2);
    }

    async fn a_snapshot_comes_back_whole_on_either_engine(world) {
        let (ada, bob) = (world.user(), world.visitor());
        for said in ["one", "two", "größe"] {
            world.store.record_turn(world.opening(ada, said), event(ada)).await.unwrap();
        }
        world.store.record_turn(world.opening(bob, "visitor"), event(bob)).await.unwrap();
        let (snapshot, pieces) = taken(&world.store).await;
        assert_eq!(snapshot.schema, u32::try_from(store::STEPS.len()).unwrap());
        assert_eq!(Some(snapshot.house.clone()), world.store.house().await.unwrap());
        assert_eq!(sums(&snapshot.tables)["conversations"].0, 4);
        assert!(!sums(&snapshot.tables).contains_key("data_keys"));
        assert_eq!(snapshot.subjects.len(), 2);

        // Into a new SQLite database: the same sums, whatever engine they come from.
        let folder = tempfile::tempdir().unwrap();
        let copy = scratch(world, &folder).await;
        let found = copy.fill_new(snapshot.schema, sent(pieces.clone())).await.unwrap();
        assert_eq!(sums(&found), sums(&snapshot.tables));
        // Without keys nothing can be read; with them everything can.
        assert!(copy.conversations(&ada, ConversationFilter::default(), kernel::PageRequest::first(9)).await.is_err()
            || titles(&copy, &ada).await == 3);
        copy.settle(world.store.wrapped_keys().await.unwrap(), vec![bob]).await.unwrap();
        copy.close().await;
        let copy = scratch(world, &folder).await;
        assert_eq!(titles(&copy, &ada).await, 3);
        assert_eq!(titles(&copy, &bob).await, 0, "an erased subject does not come back");
        copy.close().await;

        // And back over what was written since.
        world.store.record_turn(world.opening(ada, "later"), event(ada)).await.unwrap();
        let carol = world.user();
        world.store.record_turn(world.opening(carol, "new"), event(carol)).await.unwrap();
        let epochs = world.store.epochs().await.unwrap();
        let events = world.store.audit_events(AuditFilter::default(), kernel::PageRequest::first(100)).await.unwrap();
        let plan = plan(&world.store, &snapshot).await;
        world.store.replace(sent(pieces), plan).await.unwrap();
        assert_eq!((titles(&world.store, &ada).await, titles(&world.store, &carol).await), (3, 0));
        let after = world.store.epochs().await.unwrap();
        assert!(after.server > epochs.server && after.documents > epochs.documents && after.users > epochs.users);
        assert!(after.sessions > epochs.sessions && after.tokens > epochs.tokens);
        assert_eq!(after.visitors, epochs.visitors, "visitors keep their cookies");
        let audit = world.store.audit_events(AuditFilter::default(), kernel::PageRequest::first(100)).await.unwrap();
        assert_eq!(audit.items.len(), events.items.len() + 1, "the audit log goes on and loses nothing");
        assert_eq!(audit.items[0].event_type, "backup.restored");
        assert!(world.store.verify_audit().await.unwrap().fault.is_none());
        let (again, _) = taken(&world.store).await;
        let (before, now) = (sums(&snapshot.tables), sums(&again.tables));
        for table in ["conversations", "messages", "users", "documents", "files", "blobs", "state", "server_secret"] {
            assert_eq!(before[table], now[table], "{table}");
        }
    }

    async fn what_is_not_whole_or_not_the_same_changes_nothing(world) {
        let ada = world.user();
        world.store.record_turn(world.opening(ada, "kept"), event(ada)).await.unwrap();
        let (snapshot, pieces) = taken(&world.store).await;
        world.store.record_turn(world.opening(ada, "kept too"), event(ada)).await.unwrap();
        let plan = plan(&world.store, &snapshot).await;
        let (before, _) = taken(&world.store).await;
        // It breaks off.
        let mut cut = pieces.clone();
        cut.truncate(cut.len() / 2);
        assert!(world.store.replace(sent(cut), plan.clone()).await.is_err());
        // Rows are lost on the way.
        let lost = pieces.iter().filter(|piece| !matches!(piece, Piece::Rows(_))).cloned().collect();
        assert!(world.store.replace(sent(lost), plan.clone()).await.is_err());
        // A name that no schema has.
        let mut strange = pieces.clone();
        strange.insert(0, Piece::Table { name: "users; DROP TABLE users".to_owned(), columns: vec!["id".to_owned()] });
        assert!(world.store.replace(sent(strange), plan.clone()).await.is_err());
        let (after, _) = taken(&world.store).await;
        assert_eq!(sums(&before.tables), sums(&after.tables), "nothing live was touched");
        assert_eq!(titles(&world.store, &ada).await, 2);
    }

    async fn a_snapshot_is_one_moment_while_others_write(world) {
        let ada = world.user();
        let turn = world.opening(ada, "first");
        world.store.record_turn(turn, event(ada)).await.unwrap();
        let writer = {
            let (store, turns) = (world.store.clone(), (0..400).map(|n| world.opening(ada, &format!("{n}"))).collect::<Vec<_>>());
            tokio::spawn(async move {
                for turn in turns {
                    store.record_turn(turn, event(ada)).await.unwrap();
                }
            })
        };
        for round in 0..6 {
            let (snapshot, pieces) = taken(&world.store).await;
            let found = sums(&snapshot.tables);
            // Each turn is one conversation, two messages and an event, all or none of them.
            assert_eq!(found["messages"].0, 2 * found["conversations"].0);
            let head = u64::try_from(snapshot.head.seq).unwrap();
            assert_eq!(found["audit_events"].0, head);
            if round == 3 {
                let folder = tempfile::tempdir().unwrap();
                let copy = scratch(world, &folder).await;
                copy.fill_new(snapshot.schema, sent(pieces)).await.unwrap();
                assert!(copy.verify_audit().await.unwrap().fault.is_none());
                copy.close().await;
            }
        }
        writer.await.unwrap();
    }

    async fn what_was_revoked_since_stays_revoked(world) {
        let stays = world.store.create_key(world.key("stays"), vec![]).await.unwrap().id;
        let ends = world.store.create_key(world.key("ends"), vec![]).await.unwrap().id;
        let user = world.member("ada@example.com").await;
        let (snapshot, pieces) = taken(&world.store).await;
        world.store.revoke_key(None, ends, vec![]).await.unwrap();
        world.store.set_active(user.id, false, vec![]).await.unwrap();
        let plan = plan(&world.store, &snapshot).await;
        world.store.replace(sent(pieces), plan).await.unwrap();
        assert!(world.store.key(ends).await.unwrap().revoked_at.is_some());
        assert!(world.store.key(stays).await.unwrap().revoked_at.is_none());
        assert!(world.store.user(user.id).await.unwrap().disabled_at.is_some());
    }

    async fn a_newer_schema_is_replaced_by_an_older_one(world) {
        let ada = world.user();
        world.store.record_turn(world.opening(ada, "kept"), event(ada)).await.unwrap();
        let (snapshot, pieces) = taken(&world.store).await;
        // A later version came by: one table more, one column more, and something that this program cannot work beside.
        world.tamper("CREATE TABLE later (id text PRIMARY KEY, conversation_id text REFERENCES conversations (id)); \
            ALTER TABLE conversations ADD COLUMN mood text; \
            INSERT INTO schema_migrations VALUES (999, 'later', 'x', 1); \
            UPDATE epochs SET value = 999 WHERE scope = 'schema'").await;
        assert_eq!(world.store.schema_version().await.unwrap(), Some(999));
        assert!(world.store.migrations().await.is_err());
        let plan = plan(&world.store, &snapshot).await;
        world.store.replace(sent(pieces), plan).await.unwrap();
        assert!(world.store.migrations().await.unwrap().iter().all(|step| step.applied_at.is_some()));
        assert_eq!(world.store.missing_indexes().await.unwrap(), Vec::<&str>::new());
        assert_eq!(titles(&world.store, &ada).await, 1);
        assert!(world.store.verify_audit().await.unwrap().fault.is_none());
    }
}
