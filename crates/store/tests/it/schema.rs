//! Migrations, the registry against the real schema, the key of the database.

use crypto::{Keyring, MasterKey};
use kernel::{Code, PageRequest};
use store::{Database, STEPS, Step, Store, TABLES};

use crate::world::{event, keyring, on_both_engines};

const NEXT: u32 = STEPS[STEPS.len() - 1].version + 1;
const NEWER: Step =
    Step { version: NEXT, name: "newer", text: "CREATE TABLE newer (id text PRIMARY KEY, body {bytes})" };
const FAILING: Step = Step {
    version: NEXT,
    name: "failing",
    text: "CREATE TABLE half (id text PRIMARY KEY); INSERT INTO half (id) VALUES ('x'); INSERT INTO nowhere VALUES (1)",
};

on_both_engines! {
    async fn an_index_that_somebody_dropped_is_named(world) {
        assert!(world.store.missing_indexes().await.unwrap().is_empty());
        world.tamper("DROP INDEX messages_in_conversation").await;
        assert_eq!(world.store.missing_indexes().await.unwrap(), ["messages_in_conversation"]);
    }

    async fn the_registry_names_every_table_and_column(world) {
        let mut real = world.store.schema().await.unwrap();
        let mut named: Vec<(String, String)> = TABLES
            .iter()
            .flat_map(|table| table.columns.iter().map(|(column, _)| (table.name.to_owned(), (*column).to_owned())))
            .collect();
        real.sort();
        named.sort();
        assert_eq!(real, named);
    }

    async fn migrating_twice_changes_nothing(world) {
        assert!(world.store.migrate().await.unwrap().is_empty());
        let migrations = world.store.migrations().await.unwrap();
        assert_eq!(migrations.len(), STEPS.len());
        assert!(migrations.iter().all(|migration| migration.applied_at.is_some()));
    }

    async fn a_newer_schema_that_only_adds_is_worked_beside(world) {
        let steps = [STEPS, &[NEWER]].concat();
        assert_eq!(world.store.migrate_with(&steps).await.unwrap().len(), 1);
        assert!(world.store.fits().await.unwrap());
        assert!(world.store.migrate().await.unwrap().is_empty());
        assert_eq!(world.store.migrations().await.unwrap().len(), STEPS.len());
        world.store.record_turn(world.opening(world.visitor(), "works"), event(world.visitor())).await.unwrap();
        // The release after that takes something away that this program does not use any more.
        let unused = Step { version: NEXT + 1, name: "unused", text: "-- unused since: 7\nDROP INDEX messages_unfinished" };
        assert_eq!(world.store.migrate_with(&[&steps[..], &[unused]].concat()).await.unwrap().len(), 1);
        assert!(world.store.fits().await.unwrap() && world.store.migrate().await.unwrap().is_empty());
    }

    async fn a_newer_schema_that_takes_away_is_refused(world) {
        let steps = [STEPS, &[Step { text: "DROP INDEX messages_unfinished", ..NEWER }]].concat();
        assert!(world.store.fits().await.unwrap());
        assert_eq!(world.store.migrate_with(&steps).await.unwrap().len(), 1);
        assert!(!world.store.fits().await.unwrap());
        for fault in [world.store.migrate().await.unwrap_err(), world.store.migrations().await.unwrap_err()] {
            assert!(fault.to_string().contains(&format!("migration {NEXT} (newer)")), "{fault}");
        }
    }

    async fn the_first_schema_grows_into_the_present_one_with_all_it_holds(world) {
        let first = world.at_first_schema().await;
        let store = &first.store;
        let owner = first.visitor();
        // Columns of later are lent to write what the first version wrote, and taken away again.
        let bytes = if store.engine() == "sqlite" { "blob" } else { "bytea" };
        first.tamper(&format!("ALTER TABLE messages ADD COLUMN details {bytes}")).await;
        first.tamper("ALTER TABLE messages ADD COLUMN writer text").await;
        let id = store.record_turn(first.opening(owner, "kept"), event(owner)).await.unwrap();
        first.tamper("ALTER TABLE messages DROP COLUMN details").await;
        first.tamper("ALTER TABLE messages DROP COLUMN writer").await;
        store.set_state("name", "value", vec![]).await.unwrap();
        let lent = ["user_id text", "scopes text", "per_minute bigint", "per_hour bigint"];
        for column in lent {
            first.tamper(&format!("ALTER TABLE api_keys ADD COLUMN {column}")).await;
        }
        let key = store.create_key(first.key("the shop's key"), vec![]).await.unwrap();
        for column in lent {
            first.tamper(&format!("ALTER TABLE api_keys DROP COLUMN {}", column.split(' ').next().unwrap())).await;
        }
        assert!(store.create_user(first.person("early@example.com"), vec![]).await.is_err());
        let before = store.epochs().await.unwrap();
        store.close().await;

        // A new program: its connections know nothing of the old schema.
        let store = &first.second().await;
        let applied = store.migrate().await.unwrap();
        assert_eq!(applied.iter().map(|step| step.version).collect::<Vec<_>>(), STEPS[1..].iter().map(|step| step.version).collect::<Vec<_>>());
        assert_eq!(store.messages(&owner, id, PageRequest::first(9)).await.unwrap().items.len(), 2);
        assert_eq!(store.get_state("name").await.unwrap().as_deref(), Some("value"));
        let found = store.key_by_digest(&key.digest).await.unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.user, found.scopes.len(), found.per_minute), ("the shop's key", None, 0, None));
        assert_eq!(found.apps, key.apps);
        let after = store.epochs().await.unwrap();
        assert_eq!((after.keys, after.subjects, after.users, after.lockdown), (before.keys, before.subjects, 0, 0));
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
        assert!(store.missing_indexes().await.unwrap().is_empty());
        let user = store.create_user(first.person("late@example.com"), vec![]).await.unwrap();
        assert_eq!(store.user(user.id).await.unwrap().email, "late@example.com");
        store.close().await;
        first.end().await;
    }

    async fn an_altered_history_is_refused(world) {
        world.tamper("UPDATE schema_migrations SET checksum = 'x'").await;
        let fault = world.store.migrate().await.unwrap_err();
        assert!(fault.to_string().contains("Migration 1"), "{fault}");
        world.tamper("UPDATE schema_migrations SET version = 99 WHERE version = 1").await;
        assert!(world.store.migrate().await.is_err());
    }

    async fn a_failed_migration_leaves_the_old_schema(world) {
        let before = world.store.schema().await.unwrap();
        let steps = [STEPS, &[FAILING]].concat();
        assert_eq!(world.store.migrate_with(&steps).await.unwrap_err().code(), Code::Internal);
        assert_eq!(world.store.schema().await.unwrap(), before);
        assert!(world.store.migrate().await.unwrap().is_empty());
        world.store.record_turn(world.opening(world.visitor(), "works"), event(world.visitor())).await.unwrap();
    }

    async fn migrators_wait_for_each_other(world) {
        let steps = [STEPS, &[NEWER]].concat();
        let mut running = Vec::new();
        for _ in 0..4 {
            let (store, steps) = (world.second().await, steps.clone());
            running.push(tokio::spawn(async move { store.migrate_with(&steps).await.map(|done| done.len()) }));
        }
        let mut done = 0;
        for migrator in running {
            done += migrator.await.unwrap().unwrap();
        }
        assert_eq!(done, 1);
    }

    async fn the_wrong_key_is_named(world) {
        world.store.check_key().await.unwrap();
        world.store.check_key().await.unwrap();
        world.second().await.check_key().await.unwrap();
        let wrong = Keyring::new(MasterKey::parse(&"cd".repeat(32)).unwrap(), vec![]);
        let store = Store::open(world.config.clone(), wrong.clone(), world.ambient.clone()).await.unwrap();
        let fault = store.check_key().await.unwrap_err();
        let cause = fault.cause().unwrap().to_string();
        assert!(cause.contains(&keyring().fingerprint()) && cause.contains(&wrong.fingerprint()), "{cause}");
        assert!(store.record_turn(world.opening(world.visitor(), "x"), vec![]).await.is_err());
    }

    async fn a_new_master_key_reads_the_old_data(world) {
        let owner = world.visitor();
        let mut turn = world.opening(owner, "kept");
        turn.opening = store::Opening::New { id: turn.user.conversation_id, title: None, topic: None, session: Some("s".into()) };
        let id = world.store.record_turn(turn, event(owner)).await.unwrap();
        let rotated = Keyring::new(
            MasterKey::parse(&"cd".repeat(32)).unwrap(), vec![MasterKey::parse(&"ab".repeat(32)).unwrap()],
        );
        let store = Store::open(world.config.clone(), rotated, world.ambient.clone()).await.unwrap();
        store.record_turn(world.turn(owner, id, "more"), event(owner)).await.unwrap();
        assert_eq!(store.messages(&owner, id, PageRequest::first(9)).await.unwrap().items.len(), 4);
        assert!(store.conversation_by_session(&owner, &world.app, "s").await.unwrap().is_some());
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
        // After wrapping again the old master key is needed no more, and opens nothing.
        store.set_state("name", "value", vec![]).await.unwrap();
        assert_eq!(store.rewrap_keys().await.unwrap(), 2);
        let new = Keyring::new(MasterKey::parse(&"cd".repeat(32)).unwrap(), vec![]);
        let store = Store::open(world.config.clone(), new, world.ambient.clone()).await.unwrap();
        assert_eq!(store.messages(&owner, id, PageRequest::first(9)).await.unwrap().items.len(), 4);
        assert_eq!(store.get_state("name").await.unwrap().as_deref(), Some("value"));
        assert!(world.second().await.check_key().await.is_err());
    }

    async fn the_file_is_private_and_the_settings_hold(world) {
        use std::os::unix::fs::PermissionsExt as _;
        let Database::Sqlite { path } = &world.config.database else { return };
        world.store.record_turn(world.opening(world.visitor(), "x"), vec![]).await.unwrap();
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path), 0o600);
        assert_eq!(mode(&path.with_extension("db-wal")), 0o600);
        world.store.close().await;
        assert_eq!(std::fs::metadata(path.with_extension("db-wal")).map_or(0, |file| file.len()), 0);
    }
}
