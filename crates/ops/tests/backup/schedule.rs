//! When backups are made, by whom, and how long they are kept: with a clock that is turned.

use std::time::Duration;

use kernel::Actor;
use ops::backup::{Freshness, Reason, silently};
use tokio_util::sync::CancellationToken;

use crate::place::{Place, files_in};
use crate::stub::Stub;

const DAY: i64 = 86_400;

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 30 s: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_backup_is_made_once_by_one_of_many() {
    let place = Place::new().await;
    place.say(place.user(), "first").await;
    let second = place.second().await;
    let stop = CancellationToken::new();
    let jobs = [place.backups.clone(), second.backups.clone()].map(|one| tokio::spawn(one.run(stop.clone())));
    until("somebody waits", async || place.backups.status().await.is_ok_and(|status| status.since.is_some()))
        .await;
    assert!(place.backups.list().await.unwrap().is_empty(), "none was due yet");
    // 02:00 passes while nobody looks, and then some hours.
    place.clock.turn(5 * 3_600);
    until("it was made", async || place.backups.status().await.is_ok_and(|status| status.last.is_some()))
        .await;
    until("it was tried out", async || {
        place.backups.status().await.is_ok_and(|status| status.verified.is_some())
    })
    .await;
    // Both had time enough to make another.
    tokio::time::sleep(Duration::from_secs(5)).await;
    stop.cancel();
    for job in jobs {
        job.await.unwrap();
    }
    let listed = place.backups.list().await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0].manifest.as_ref().unwrap().reason, Reason::Scheduled);
    let status = place.backups.status().await.unwrap();
    assert_eq!(status.backups(place.ambient.now()), Freshness::Current);
    assert_eq!(status.drills(place.ambient.now()), Freshness::Current);
    place.clock.turn(2 * DAY);
    assert!(place.backups.overdue().unwrap() > Duration::from_secs(86_400));
    place.clock.turn(29 * DAY);
    assert_eq!(status.drills(place.ambient.now()), Freshness::Overdue);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tiers_are_kept_and_the_last_good_one_always() {
    let stub = Stub::start().await;
    let place = Place::with_bucket(&stub.url).await;
    place.say(place.user(), "first").await;
    for _ in 0..6 {
        place.back_up().await;
        place.clock.turn(10 * DAY);
    }
    // 10, 20 and a little over 30 to 60 days old: the bucket keeps those up to 30 days, the folder those up to 7.
    let pruned = place.backups.prune().await.unwrap();
    assert_eq!((pruned.local.len(), pruned.bucket.len()), (6, 4));
    let listed = place.backups.list().await.unwrap();
    assert_eq!(listed.iter().filter(|one| one.bucket && !one.local).count(), 2);
    // Years without a new one.
    place.clock.turn(1_000 * DAY);
    place.backups.prune().await.unwrap();
    let listed = place.backups.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    let found = place.backups.find(&listed[0].name).await.unwrap();
    place.backups.verify(&found, Actor::System, &silently()).await.unwrap();
    assert_eq!(place.backups.prune().await.unwrap(), ops::backup::Pruned::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_was_writing_is_swept_away() {
    let place = Place::new().await;
    place.say(place.user(), "first").await;
    let aside = place.folder.path().join("backups/.aside");
    std::fs::create_dir_all(&aside).unwrap();
    std::fs::write(aside.join("half"), b"half a backup").unwrap();
    let scratch = place.folder.path().join("data/scratch/dead");
    std::fs::create_dir_all(&scratch).unwrap();
    std::fs::write(scratch.join("lock"), b"").unwrap();
    std::fs::write(scratch.join("copy.db"), b"half a copy").unwrap();
    let made = place.back_up().await;
    assert!(files_in(&aside).is_empty());
    let found = place.backups.find(&made.name).await.unwrap();
    place.backups.verify(&found, Actor::System, &silently()).await.unwrap();
    assert!(!scratch.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_written_is_a_failure_and_leaves_nothing() {
    let place = Place::new().await;
    place.say(place.user(), "first").await;
    std::fs::write(place.folder.path().join("backups"), b"in the way").unwrap();
    assert!(place.backups.create(Reason::Manual, Actor::System, &silently()).await.is_err());
    let status = place.backups.status().await.unwrap();
    assert!(status.failed.is_some() && status.last.is_none());
}
