//! Who was erased stays erased, whatever is restored; who was not comes back, whichever way one goes.

use kernel::Actor;
use ops::backup::silently;

use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_subject_is_unreadable_in_every_older_backup() {
    let place = Place::new().await;
    let (ada, bob) = (place.user(), place.user());
    place.say(ada, "stays").await;
    place.say(bob, "goes").await;
    let id = place.keep(bob, "letter.txt", b"Dear reader").await;
    let made = place.back_up().await;
    place.store.erase_subject(&bob, vec![]).await.unwrap();
    place.blobs.destroy(&id).await.unwrap();
    place.backups.renew_keys(false).await.unwrap();

    let found = place.backups.find(&made.name).await.unwrap();
    let verified = place.backups.verify(&found, Actor::System, &silently()).await.unwrap();
    assert_eq!(verified.erased, 1);
    let restored = place.restore(&made.name).await.unwrap();
    assert_eq!(restored.erased, 1);
    assert!(restored.erased_rows >= 4, "{restored:?}");
    assert_eq!(place.titles(ada).await, ["stays"]);
    assert!(place.titles(bob).await.is_empty());
    assert!(!place.blobs.exists(&id).await.unwrap(), "the bytes do not come back either");
    // Nor elsewhere, from the same files.
    let other = place.other("elsewhere", "ab").await;
    other.restore(&made.path.display().to_string()).await.unwrap();
    assert_eq!((other.titles(ada).await.len(), other.titles(bob).await.len()), (1, 0));
    // A restore that nobody told of the erasure: the live database knows.
    place.store.erase_subject(&ada, vec![]).await.unwrap();
    let restored = place.restore(&made.name).await.unwrap();
    assert_eq!(restored.erased, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_back_and_forth_loses_nobody() {
    let place = Place::new().await;
    let (ada, bob) = (place.user(), place.user());
    place.say(ada, "early").await;
    let old = place.back_up().await;
    place.clock.turn(60);
    place.say(bob, "late").await;
    let new = place.back_up().await;
    place.restore(&old.name).await.unwrap();
    assert!(place.titles(bob).await.is_empty());
    // A new backup of the older state must not cost the newer one its keys.
    place.clock.turn(60);
    place.back_up().await;
    let restored = place.restore(&new.name).await.unwrap();
    assert_eq!(restored.erased, 0);
    assert_eq!(place.titles(bob).await, ["late"]);
    assert_eq!(place.titles(ada).await, ["early"]);
}
