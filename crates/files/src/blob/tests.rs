//! Contents in a folder and in a bucket that a small stub of S3 keeps in memory.

mod stub;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crypto::DataKey;
use crypto::stream::CHUNK;
use guard::outbound::Outbound;
use guard::outbound::aws::{self, Keys};
use kernel::{Clock, Random, Secret, Time};

use super::*;
use stub::Stub;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Time {
        Time::from_seconds(1_795_222_923)
    }
}

struct Counted;

static DRAWN: AtomicU64 = AtomicU64::new(0);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&DRAWN.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

fn ambient() -> Ambient {
    Ambient::new(Arc::new(Fixed), Arc::new(Counted))
}

fn place(id: &str) -> crypto::Place<'_> {
    crypto::Place { table: "blobs", column: "content", row: id }
}

fn open(folder: &Path, keep: Keep, endpoint: Option<String>) -> Blobs {
    guard::outbound::install_crypto_provider();
    let outbound = Outbound::new(Duration::from_secs(2)).unwrap();
    let config = aws::Config {
        keys: Some(Keys {
            id: Secret::new("AKIDEXAMPLE".into()),
            secret: Secret::new("secret".into()),
            token: None,
        }),
        endpoint: endpoint.map(|url| url.parse().unwrap()),
        ..aws::Config::default()
    };
    let aws = Aws::new(config, outbound.operator().clone(), ambient());
    let config = Config { folder: folder.to_owned(), keep };
    Blobs::open(&config, outbound.operator(), &aws, &ambient()).unwrap()
}

async fn stage(blobs: &Blobs, key: &DataKey, content: &[u8], step: usize) -> Staged {
    let id = blobs.new_id();
    let mut aside = blobs.aside(&id, Sealer::new(key, place(&id), &Counted)).await.unwrap();
    for piece in content.chunks(step) {
        aside.write(piece).await.unwrap();
    }
    assert_eq!(aside.size(), content.len() as u64);
    aside.finish().await.unwrap()
}

async fn read(
    blobs: &Blobs,
    key: &DataKey,
    id: &str,
    size: u64,
    range: std::ops::Range<u64>,
) -> Result<Vec<u8>> {
    blobs.read(id, size, range, |header| Opener::new(key, place(id), header, size)).await?.collect().await
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 % 253) as u8).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else if entry.file_name() != "lock" {
            found.push(entry.path());
        }
    }
    found
}

/// What holds wherever contents lie.
async fn lives_and_ends(blobs: &Blobs, sizes: &[usize]) {
    let key = DataKey::generate(&Counted);
    for (size, step) in sizes.iter().zip([1, 7_777, CHUNK, 5 * CHUNK, 300_000].iter().cycle()) {
        let whole = content(*size);
        let staged = stage(blobs, &key, &whole, (*step).max(size / 50)).await;
        assert_eq!(staged.digest(), blake3::hash(&whole).as_bytes());
        assert!(!blobs.exists(staged.id()).await.unwrap());
        blobs.keep(&staged).await.unwrap();
        let (id, size) = (staged.id().to_owned(), *size as u64);
        drop(staged);
        assert!(blobs.exists(&id).await.unwrap());
        assert_eq!(read(blobs, &key, &id, size, 0..size).await.unwrap(), whole, "{size}");
        for range in
            [0..size.min(1), size / 2..size, size.saturating_sub(1)..size, size / 3..size / 2, size..size]
        {
            let part = read(blobs, &key, &id, size, range.clone()).await.unwrap();
            assert_eq!(part, &whole[range.start as usize..range.end as usize], "{range:?} of {size}");
        }
        assert!(read(blobs, &DataKey::generate(&Counted), &id, size, 0..size).await.is_err());
        assert!(read(blobs, &key, &id, size + 1, 0..1).await.is_err(), "another size");
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let (names, next) = blobs.list(after).await.unwrap();
            listed.extend(names);
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert!(listed.contains(&id));
        blobs.destroy(&id).await.unwrap();
        blobs.destroy(&id).await.unwrap();
        assert!(!blobs.exists(&id).await.unwrap());
        assert!(read(blobs, &key, &id, size, 0..size).await.is_err());
    }
    for id in ["", "../../etc/passwd", "ABCDEF", &"g".repeat(32), &"a".repeat(33)] {
        assert!(blobs.destroy(id).await.is_err() && blobs.exists(id).await.is_err(), "{id}");
    }
}

#[tokio::test]
async fn a_folder_keeps_contents_whole_sealed_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("deep/files");
    let blobs = open(&root, Keep::Folder, None);
    lives_and_ends(&blobs, &[0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK, 4 * CHUNK + 1, 1_000_000]).await;
    assert!(files(&root).is_empty(), "nothing is left: {:?}", files(&root));

    let key = DataKey::generate(&Counted);
    let staged = stage(&blobs, &key, &b"zebra-marker ".repeat(50_000), 1_000).await;
    blobs.keep(&staged).await.unwrap();
    // Another try after an end that was not heard of.
    blobs.keep(&staged).await.unwrap();
    let kept = files(&root);
    assert_eq!(kept.len(), 1);
    assert!(!std::fs::read(&kept[0]).unwrap().windows(5).any(|window| window == b"zebra"));
    for path in [kept[0].clone(), kept[0].parent().unwrap().into(), root.clone()] {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    // Cut, extended, altered: a part that is whole is still not given out of what is not.
    let size = staged.size();
    let sealed = std::fs::read(&kept[0]).unwrap();
    std::fs::write(&kept[0], &sealed[..sealed.len() - 1]).unwrap();
    assert!(read(&blobs, &key, staged.id(), size, 0..1).await.is_err());
    let mut altered = sealed.clone();
    altered[CHUNK / 2] ^= 1;
    std::fs::write(&kept[0], &altered).unwrap();
    assert!(read(&blobs, &key, staged.id(), size, 0..1).await.is_err());
    assert!(
        read(&blobs, &key, staged.id(), size, CHUNK as u64..size).await.is_ok(),
        "the chunks after it are whole"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_blocks_reads_and_seeks() {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path(), Keep::Folder, None);
    let key = DataKey::generate(&Counted);
    let whole = content(1_300_000);
    let staged = stage(&blobs, &key, &whole, 100_000).await;
    blobs.keep(&staged).await.unwrap();
    let id = staged.id().to_owned();
    let mut seeker = blobs
        .seeker(&id.clone(), staged.size(), move |header| Opener::new(&key, place(&id), header, 1_300_000));
    tokio::task::spawn_blocking(move || {
        let mut read = Vec::new();
        seeker.read_to_end(&mut read).unwrap();
        assert!(read == whole);
        let mut part = [0; 1_000];
        for at in [1_299_000_u64, 0, 524_000, 700_000] {
            seeker.seek(SeekFrom::Start(at)).unwrap();
            seeker.read_exact(&mut part).unwrap();
            assert!(part == whole[at as usize..at as usize + 1_000]);
        }
        assert_eq!(seeker.seek(SeekFrom::End(-1)).unwrap(), 1_299_999);
        assert_eq!(seeker.read(&mut part).unwrap(), 1);
        assert_eq!(seeker.read(&mut part).unwrap(), 0);
        assert_eq!(seeker.seek(SeekFrom::Current(10)).unwrap(), 1_300_010);
        assert_eq!(seeker.read(&mut part).unwrap(), 0);
        assert!(seeker.seek(SeekFrom::Current(-2_000_000)).is_err());
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path(), Keep::Folder, None);
    let key = DataKey::generate(&Counted);
    let id = blobs.new_id();
    let mut aside = blobs.aside(&id, Sealer::new(&key, place(&id), &Counted)).await.unwrap();
    aside.write(&content(900_000)).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);
    drop(aside);
    drop(stage(&blobs, &key, b"whole, and not wanted", 5).await);
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn the_next_process_sweeps_what_a_dead_one_left_and_not_what_a_living_one_writes() {
    let folder = tempfile::tempdir().unwrap();
    let living = open(folder.path(), Keep::Folder, None);
    let key = DataKey::generate(&Counted);
    let id = living.new_id();
    let mut aside = living.aside(&id, Sealer::new(&key, place(&id), &Counted)).await.unwrap();
    aside.write(b"still being written").await.unwrap();
    // A process that was killed leaves its folder and a lock that nobody holds.
    let dead = folder.path().join("aside/dead");
    std::fs::create_dir(&dead).unwrap();
    std::fs::write(dead.join("lock"), "").unwrap();
    std::fs::write(dead.join("half"), "half of a content").unwrap();
    let next = open(folder.path(), Keep::Folder, None);
    assert!(!dead.exists());
    let staged = aside.finish().await.unwrap();
    living.keep(&staged).await.unwrap();
    assert_eq!(read(&next, &key, &id, staged.size(), 0..5).await.unwrap(), b"still");
}

#[tokio::test]
async fn a_bucket_keeps_contents_like_a_folder() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::parse("s3://stoa-files/blobs", "eu-central-1").unwrap();
    let blobs = open(folder.path(), Keep::S3(bucket), Some(stub.url.clone()));
    lives_and_ends(&blobs, &[0, 1, 3 * CHUNK + 5, 9 << 20]).await;
    assert!(files(folder.path()).is_empty(), "nothing stays on this machine");
    let seen = stub.seen.lock().unwrap().clone();
    assert!(seen.iter().any(|line| line.contains("partNumber=2")), "large contents go in parts");
    assert!(seen.iter().all(|line| line.contains("/stoa-files/")));
    assert!(stub.objects.lock().unwrap().is_empty());

    // What the bucket refuses, and what it only refuses for a moment.
    let key = DataKey::generate(&Counted);
    let staged = stage(&blobs, &key, &content(10), 5).await;
    *stub.failures.lock().unwrap() = 2;
    blobs.keep(&staged).await.unwrap();
    *stub.failures.lock().unwrap() = 3;
    let staged = stage(&blobs, &key, &content(10), 5).await;
    assert_eq!(blobs.keep(&staged).await.unwrap_err().code(), kernel::Code::Unavailable);
}
