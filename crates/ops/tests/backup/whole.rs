//! What was there is there again, and nothing is left behind.

use kernel::{Actor, Fault};
use ops::backup::{Reason, silently};

use crate::place::{Place, files_in};
use crate::stub::Stub;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_as_it_was() {
    let place = Place::new().await;
    let (ada, bob) = (place.user(), place.user());
    place.say(ada, "first").await;
    place.say(bob, "größe").await;
    let letter: Vec<u8> = (0..300_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    let id = place.keep(ada, "letter.txt", &letter).await;
    place.keep(bob, "empty.txt", b"").await;
    let before = place.sums().await;
    let made = place.back_up().await;
    assert!(made.path.is_file() && made.bytes > 300_000 && !made.sent);
    assert_eq!(made.manifest.files.count, 2);
    let folder = place.folder.path().join("backups");
    // The artefact and the keyring, private, and nothing that was written aside.
    let left = files_in(&folder);
    assert_eq!(left.len(), 2, "{left:?}");
    let dated = folder.join("2026/11/21").join(&made.name);
    assert_eq!(made.path, dated);
    for path in &left {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "{path:?}");
    }
    // Nothing of it can be read without the key.
    let bytes = std::fs::read(&made.path).unwrap();
    assert!(!bytes.windows(13).any(|window| window == b"conversations"));
    assert!(String::from_utf8_lossy(&bytes[..14]).starts_with("STOA-BACKUP/1 "));

    // A drill, and what it leaves: nothing.
    let found = place.backups.find(&made.name).await.unwrap();
    let verified = place.backups.verify(&found, Actor::System, &silently()).await.unwrap();
    assert_eq!((verified.rows, verified.files, verified.erased), (made.manifest.rows(), 2, 0));
    assert!(files_in(&place.folder.path().join("data/scratch")).is_empty());
    assert!(place.backups.known().verified.unwrap().passed);

    // Everything changes, and bytes are damaged and lost.
    place.say(ada, "later").await;
    let lost = files_in(&place.folder.path().join("data/files"))
        .into_iter()
        .find(|path| path.ends_with(&id))
        .unwrap();
    let mut damaged = std::fs::read(&lost).unwrap();
    damaged[1_000] ^= 1;
    std::fs::write(&lost, damaged).unwrap();
    assert!(place.content(ada, &id, letter.len() as u64).await.is_err());
    let restored = place.restore(&made.name).await.unwrap();
    assert_eq!(
        (restored.erased, restored.files, restored.stranger),
        (0, 1, false),
        "only the damaged one is put back"
    );
    assert_eq!(place.sums().await, before);
    assert_eq!(place.titles(ada).await, ["first"]);
    assert_eq!(place.content(ada, &id, letter.len() as u64).await.unwrap(), letter);
    assert!(place.store.verify_audit().await.unwrap().fault.is_none());

    // And back again: what was there before the restore was kept.
    place.restore(&restored.before.unwrap()).await.unwrap();
    assert_eq!(place.titles(ada).await, ["first", "later"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unhealthy_restore_is_undone_by_itself() {
    let place = Place::new().await;
    let ada = place.user();
    place.say(ada, "first").await;
    let made = place.back_up().await;
    place.say(ada, "later").await;
    let before = place.sums().await;
    let found = place.backups.find(&made.name).await.unwrap();
    let prepared = place.backups.prepare(&found, true, None, &silently()).await.unwrap();
    let sick = async |_: &store::Store| Err(Fault::internal("the patient is not well"));
    let fault = place.backups.restore(prepared, Actor::System, sick, &silently()).await.unwrap_err();
    assert!(fault.to_string().contains("what was there before is back"), "{fault}");
    assert_eq!(place.titles(ada).await, ["first", "later"]);
    assert_eq!(place.sums().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_has_them_too_and_gives_them_back() {
    let stub = Stub::start().await;
    let place = Place::with_bucket(&stub.url).await;
    let ada = place.user();
    place.say(ada, "first").await;
    let id = place.keep(ada, "letter.txt", b"Dear reader").await;
    let made = place.back_up().await;
    assert!(made.sent);
    let names: Vec<String> = stub.objects.lock().unwrap().keys().cloned().collect();
    assert_eq!(names[0], format!("/stoa-files/database/2026/11/21/{}", made.name));
    assert!(names[1].starts_with("/stoa-files/database/keyring-"), "{names:?}");
    assert_eq!(stub.objects.lock().unwrap()[&names[0]], std::fs::read(&made.path).unwrap());

    // The folder is lost, and the file store with it.
    std::fs::remove_dir_all(place.folder.path().join("backups")).unwrap();
    std::fs::remove_dir_all(place.folder.path().join("data/files/objects")).unwrap();
    place.say(ada, "later").await;
    let listed = place.backups.list().await.unwrap();
    assert_eq!((listed.len(), listed[0].local, listed[0].bucket), (1, false, true));
    let url = format!("s3://stoa-files/database/2026/11/21/{}", made.name);
    for name in [made.name.clone(), url] {
        place.restore(&name).await.unwrap();
        assert_eq!(place.titles(ada).await, ["first"]);
        assert_eq!(place.content(ada, &id, 11).await.unwrap(), b"Dear reader");
        place.say(ada, "later").await;
    }

    // An upload that fails is a failure, and an event.
    *stub.failures.lock().unwrap() = 1_000;
    let fault = place.backups.create(Reason::Manual, Actor::System, &silently()).await.unwrap_err();
    assert_eq!(fault.code(), kernel::Code::Unavailable);
    *stub.failures.lock().unwrap() = 0;
    assert!(place.backups.status().await.unwrap().failed.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_for_staging_is_a_deployment_of_its_own() {
    let place = Place::new().await;
    let ada = place.user();
    place.say(ada, "first").await;
    let id = place.keep(ada, "letter.txt", b"Dear reader").await;
    let made = place.back_up().await;
    let before = place.sums().await;
    let found = place.backups.find(&made.path.display().to_string()).await.unwrap();
    let prepared = place.backups.prepare(&found, true, None, &silently()).await.unwrap();
    let into = place.folder.path().join("staging");
    let staged = place.backups.stage(prepared, into.clone(), &silently()).await.unwrap();
    assert_eq!(staged.files, 1);
    assert_eq!(place.sums().await, before, "nothing live is touched");
    let copy = place.other("staging", "ab").await;
    assert_eq!(copy.titles(ada).await, ["first"]);
    assert_eq!(copy.content(ada, &id, 11).await.unwrap(), b"Dear reader");
    // A folder that holds something is not written into.
    let prepared = place.backups.prepare(&found, true, None, &silently()).await.unwrap();
    assert!(place.backups.stage(prepared, into, &silently()).await.is_err());
}
