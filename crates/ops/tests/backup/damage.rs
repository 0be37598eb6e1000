//! What is not what it says is refused before anything live is touched.

use kernel::Code;

use crate::place::{Place, files_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_anywhere_is_refused() {
    let place = Place::new().await;
    let ada = place.user();
    place.say(ada, "first").await;
    place.keep(ada, "letter.txt", &vec![7; 200_000]).await;
    let made = place.back_up().await;
    place.say(ada, "later").await;
    let before = place.sums().await;
    let sound = std::fs::read(&made.path).unwrap();
    let copy = place.folder.path().join("backups").join("damaged.stoa");
    // The first line and the header bit by bit, then places all over the file, its end included.
    let mut places: Vec<usize> = (0..110).collect();
    places.extend((0..40).map(|n| n * sound.len() / 40));
    places.extend((1..30).map(|n| sound.len() - n));
    for (number, at) in places.into_iter().enumerate() {
        let mut damaged = sound.clone();
        damaged[at] ^= 1 << (number % 8);
        std::fs::write(&copy, damaged).unwrap();
        let refused = place.restore(&copy.display().to_string()).await;
        let fault = refused.err().unwrap_or_else(|| panic!("byte {at} may be flipped"));
        assert_eq!(fault.code(), Code::InvalidInput, "byte {at}: {fault:?}");
    }
    for length in [0, 5, 90, 120, 5_000, sound.len() / 2, sound.len() - 65_552, sound.len() - 1] {
        std::fs::write(&copy, &sound[..length]).unwrap();
        assert!(place.restore(&copy.display().to_string()).await.is_err(), "cut at {length}");
    }
    let mut longer = sound.clone();
    longer.extend_from_slice(b"more");
    std::fs::write(&copy, &longer).unwrap();
    assert!(place.restore(&copy.display().to_string()).await.is_err());
    assert_eq!(place.sums().await, before, "nothing live was touched");
    assert!(files_in(&place.folder.path().join("data/scratch")).is_empty());
    // The same file without damage is taken.
    std::fs::write(&copy, &sound).unwrap();
    place.restore(&copy.display().to_string()).await.unwrap();
    assert_eq!(place.titles(ada).await, ["first"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_opens_nothing_and_says_which_is_needed() {
    let place = Place::new().await;
    place.say(place.user(), "first").await;
    let made = place.back_up().await;
    let other = place.other("elsewhere", "cd").await;
    let fault = other.backups.find(&made.path.display().to_string()).await.unwrap_err();
    let (has, needs) = (crate::place::keyring("cd").fingerprint(), crate::place::keyring("ab").fingerprint());
    assert!(fault.to_string().contains(&has) && fault.to_string().contains(&needs), "{fault}");
    // The list shows it as one that cannot be read, and never removes it.
    let listed = other.backups.list().await.unwrap();
    assert!(listed[0].manifest.is_none() && listed[0].problem.is_some());
    other.store.check_key().await.unwrap();
    place.clock.turn(400 * 86_400);
    other.backups.prune().await.unwrap();
    assert!(made.path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_keyring_nothing_is_restored_elsewhere() {
    let place = Place::new().await;
    let ada = place.user();
    place.say(ada, "first").await;
    let made = place.back_up().await;
    let alone = place.folder.path().join("alone");
    std::fs::create_dir(&alone).unwrap();
    let copy = alone.join(&made.name);
    std::fs::copy(&made.path, &copy).unwrap();
    // The keyring of the folder of backups is found as well, so it goes.
    let keyring = files_in(&place.folder.path().join("backups"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "stoakeys"))
        .unwrap();
    let beside = alone.join(keyring.file_name().unwrap());
    std::fs::rename(&keyring, &beside).unwrap();
    let other = place.other("elsewhere", "ab").await;
    let moved = alone.with_extension("kept");
    std::fs::rename(&beside, &moved).unwrap();
    let fault = other.restore(&copy.display().to_string()).await.unwrap_err();
    assert!(fault.to_string().contains("keyring"), "{fault}");
    std::fs::rename(&moved, &beside).unwrap();
    other.restore(&copy.display().to_string()).await.unwrap();
    assert_eq!(other.titles(ada).await, ["first"]);
}
