//! How it was at a moment.

use kernel::Actor;
use ops::backup::silently;

use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_before_the_moment_is_there_and_what_came_after_is_not() {
    let place = Place::new().await;
    let (ada, bob) = (place.user(), place.user());
    place.say(ada, "before the backup").await;
    let made = place.back_up().await;
    place.clock.turn(60);
    place.say(ada, "A").await;
    place.say(bob, "came in between").await;
    let id = place.keep(ada, "a.txt", b"A").await;
    place.clock.turn(60);
    let at = place.ambient.now();
    place.clock.turn(60);
    place.say(ada, "B").await;
    place.keep(ada, "b.txt", b"B").await;
    let later = place.back_up().await;

    // From the backup before the moment, and from the one after it.
    for name in [&made.name, &later.name] {
        let found = place.backups.find(name).await.unwrap();
        let prepared = place.backups.prepare(&found, true, Some(at), &silently()).await.unwrap();
        place.backups.restore(prepared, Actor::System, async |_| Ok(()), &silently()).await.unwrap();
        assert_eq!(place.titles(ada).await, ["A", "before the backup"], "{name}");
        assert_eq!(place.titles(bob).await, ["came in between"]);
        assert_eq!(place.content(ada, &id, 1).await.unwrap(), b"A");
        place.restore(&later.name).await.unwrap();
        assert_eq!(place.titles(ada).await, ["A", "B", "before the backup"]);
    }
    assert!(place.backups.find_before(at).await.unwrap().is_some_and(|found| found.name() == made.name));
    // A moment that has not come.
    let found = place.backups.find(&made.name).await.unwrap();
    let future = place.ambient.now() + std::time::Duration::from_secs(3_600);
    assert!(place.backups.prepare(&found, true, Some(future), &silently()).await.is_err());
}
