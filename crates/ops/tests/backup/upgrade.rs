//! Upgrades: a snapshot from before each migration, the way back, and the refusal of what is newer.

use kernel::Actor;
use ops::backup::{Reason, silently};
use store::{STEPS, Step};

use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_precedes_a_migration_and_brings_the_old_schema_back() {
    let place = Place::with_schema(&STEPS[..STEPS.len() - 1]).await;
    let old = STEPS[STEPS.len() - 2].version;
    // What every version of the schema has.
    let set = async |value: &str| place.store.set_state("greeting", value, vec![]).await.unwrap();
    let greeting = async || place.store.get_state("greeting").await.unwrap().unwrap();
    set("old").await;
    let (applied, snapshot) = place.backups.upgrade().await.unwrap();
    assert_eq!(applied.len(), 1);
    let snapshot = snapshot.unwrap();
    let listed = place.backups.list().await.unwrap();
    let manifest = listed[0].manifest.clone().unwrap();
    assert_eq!(
        (manifest.reason, manifest.schema, listed[0].name.clone()),
        (Reason::BeforeMigration, old, snapshot)
    );
    // Nothing more to do, nothing more to keep.
    assert_eq!(place.backups.upgrade().await.unwrap(), (vec![], None));
    assert_eq!(place.backups.list().await.unwrap().len(), 1);

    set("new").await;
    let found = place.backups.find_rollback(old + 1).await.unwrap().unwrap();
    let prepared = place.backups.prepare(&found, false, None, &silently()).await.unwrap();
    place.backups.restore(prepared, Actor::System, async |_| Ok(()), &silently()).await.unwrap();
    assert_eq!(place.store.schema_version().await.unwrap(), Some(old));
    assert_eq!(greeting().await, "old");
    // An older schema in a backup is brought forward.
    let found = place.backups.find(found.name()).await.unwrap();
    let prepared = place.backups.prepare(&found, true, None, &silently()).await.unwrap();
    place.backups.restore(prepared, Actor::System, async |_| Ok(()), &silently()).await.unwrap();
    assert_eq!(place.store.schema_version().await.unwrap(), Some(old + 1));
    assert!(place.store.missing_indexes().await.unwrap().is_empty());
    assert_eq!(greeting().await, "old");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_refused_with_the_command_that_helps() {
    let place = Place::new().await;
    let ada = place.user();
    place.say(ada, "old").await;
    // A later version came by: it made its snapshot and its migration.
    let made = place.backups.create(Reason::BeforeMigration, Actor::System, &silently()).await.unwrap();
    let version = STEPS[STEPS.len() - 1].version + 1;
    // Not only an addition: this program cannot work beside it.
    let text = "CREATE TABLE later (id text PRIMARY KEY); UPDATE epochs SET value = value";
    let later = Step { version, name: "later", text };
    let steps: Vec<Step> = STEPS.iter().copied().chain([later]).collect();
    place.store.migrate_with(&steps).await.unwrap();
    place.say(ada, "new").await;
    let fault = place.backups.upgrade().await.unwrap_err();
    let command = format!("stoa restore {}", made.path.display());
    assert!(fault.to_string().contains(&command), "{fault}");
    let newer = place.backups.create(Reason::Manual, Actor::System, &silently()).await.unwrap();
    let restored = place.restore(&made.path.display().to_string()).await.unwrap();
    assert!(restored.before.is_some());
    assert_eq!(place.titles(ada).await, ["old"]);
    assert_eq!(place.backups.upgrade().await.unwrap(), (vec![], None));
    // What only a newer version can read is refused before anything is touched.
    let fault = place.restore(&newer.name).await.unwrap_err();
    assert!(fault.to_string().contains("newer"), "{fault}");
    assert_eq!(place.titles(ada).await, ["old"]);
}
