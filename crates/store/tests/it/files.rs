//! Files and their contents: kept once, found again, thrown away, taken back, gone for good.

use std::time::Duration;

use kernel::id::{BatchId, FileId};
use kernel::{AppId, AuditEvent, Code, EventType, PageRequest, Subject};
use store::{ContentKey, FileFilter, FileUsage, Kept, KeptFile, NewFile, StagedBlob};

use crate::world::{World, on_both_engines};

const QUOTA: u64 = 1_000;

fn app() -> AppId {
    AppId::parse("files").unwrap()
}

fn audit(owner: Subject) -> AuditEvent {
    AuditEvent::new(EventType::FileDeleted, owner)
}

/// A content that is named by `text` and pretends to have `size` bytes.
fn new(world: &World, key: &ContentKey, name: &str, text: &str, size: u64) -> NewFile {
    let digest = blake3::hash(text.as_bytes());
    let id: String = world.ambient.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    NewFile {
        id: FileId::new(&world.ambient),
        app: app(),
        name: name.to_owned(),
        folder: "Letters".to_owned(),
        media_type: "text/plain".to_owned(),
        digest: digest.to_hex().to_string(),
        modified_at: None,
        reuse: false,
        blob: StagedBlob { id, tag: key.tag(digest.as_bytes()), size, placed: false },
    }
}

/// Keeps a file as a server does: placed only when the content is not there yet.
async fn keep(world: &World, owner: Subject, name: &str, text: &str, size: u64) -> KeptFile {
    try_keep(world, owner, name, text, size).await.unwrap()
}

async fn try_keep(
    world: &World,
    owner: Subject,
    name: &str,
    text: &str,
    size: u64,
) -> kernel::Result<KeptFile> {
    let key = world.store.content_key(&owner, true).await?;
    let mut file = new(world, &key, name, text, size);
    match world.store.keep_files(&key, vec![file.clone()], QUOTA, audit(owner)).await? {
        Kept::Stored(mut kept) => Ok(kept.remove(0)),
        Kept::Wanted(wanted) => {
            assert!(wanted.contains(&file.blob.id));
            world
                .store
                .announce_blob(&file.blob.id, world.ambient.now() + Duration::from_secs(3_600))
                .await?;
            file.blob.placed = true;
            match world.store.keep_files(&key, vec![file], QUOTA, audit(owner)).await? {
                Kept::Stored(mut kept) => Ok(kept.remove(0)),
                Kept::Wanted(_) => panic!("wanted although it is placed"),
            }
        }
    }
}

async fn listed(world: &World, owner: Subject, trashed: bool) -> Vec<String> {
    let filter = FileFilter { app: app(), trashed, q: None };
    let page = world.store.files(&owner, filter, PageRequest::first(100)).await.unwrap();
    page.items.into_iter().map(|file| file.name).collect()
}

async fn due(world: &World) -> Vec<String> {
    let due = world.store.due_removals(world.ambient.now(), 1_000).await.unwrap();
    due.into_iter().map(|removal| removal.id).collect()
}

on_both_engines! {
    async fn a_content_is_kept_once_for_its_owner_and_apart_for_others(world) {
        let (ann, bob) = (world.user(), world.user());
        let first = keep(world, ann, "a.txt", "same", 10).await;
        assert!(first.fresh && first.twins.is_empty());
        let second = keep(world, ann, "b.txt", "same", 10).await;
        assert!(!second.fresh);
        assert_eq!(second.twins, std::slice::from_ref(&first.file));
        assert_eq!(second.file.blob, first.file.blob);
        let other = keep(world, bob, "c.txt", "same", 10).await;
        assert!(other.fresh && other.twins.is_empty());
        assert_ne!(other.file.blob, first.file.blob);
        assert_eq!(world.number("SELECT COUNT(DISTINCT tag) FROM blobs").await, 2, "the same content has two tags");
        let usage = world.store.file_usage(&ann).await.unwrap();
        assert_eq!(usage, FileUsage { files: 2, bytes: 20, stored_bytes: 10, ..FileUsage::default() });
        assert_eq!(world.store.file(&ann, first.file.id).await.unwrap(), first.file);
        assert_eq!(world.store.file(&bob, first.file.id).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(listed(world, ann, false).await, ["b.txt", "a.txt"]);
        assert_eq!(listed(world, bob, false).await, ["c.txt"]);
        assert_eq!(world.number("SELECT COUNT(*) FROM blob_removals").await, 0, "what is in use is not announced any more");
    }

    async fn many_at_once_keep_one_content_and_never_more_than_the_quota(world) {
        let owner = world.user();
        let same = (0..8).map(|n| keep(world, owner, if n % 2 == 0 { "x" } else { "y" }, "same", 10));
        let kept = futures_util::future::join_all(same).await;
        assert_eq!(kept.iter().filter(|one| one.fresh).count(), 1);
        assert_eq!(world.number("SELECT files FROM blobs").await, 8);
        // What seven of them had placed in vain is still announced and will be removed.
        let texts: Vec<String> = (0..12).map(|n| format!("content {n}")).collect();
        let others = texts.iter().map(|text| try_keep(world, owner, "z", text, 100));
        let outcomes = futures_util::future::join_all(others).await;
        let refused = outcomes.iter().filter(|one| one.as_ref().is_err_and(|fault| fault.code() == Code::QuotaExceeded));
        assert_eq!(refused.count(), 3, "nine of a hundred bytes go beside the ten");
        assert_eq!(world.store.file_usage(&owner).await.unwrap().stored_bytes, 910);
        // What is there already needs no room.
        keep(world, owner, "again", "same", 10).await;
    }

    async fn several_files_are_kept_together_or_not_at_all(world) {
        let owner = world.user();
        let key = world.store.content_key(&owner, true).await.unwrap();
        let mut files: Vec<NewFile> =
            ["one", "two", "one"].iter().map(|text| new(world, &key, text, text, 400)).collect();
        let Kept::Wanted(wanted) = world.store.keep_files(&key, files.clone(), QUOTA, audit(owner)).await.unwrap() else { panic!() };
        assert_eq!(wanted.len(), 2, "the third has the content of the first");
        for file in files.iter_mut().filter(|file| wanted.contains(&file.blob.id)) {
            world.store.announce_blob(&file.blob.id, world.ambient.now() + Duration::from_secs(9)).await.unwrap();
            file.blob.placed = true;
        }
        let Kept::Stored(kept) = world.store.keep_files(&key, files.clone(), QUOTA, audit(owner)).await.unwrap() else { panic!() };
        assert_eq!(kept.iter().map(|one| (one.fresh, one.twins.len())).collect::<Vec<_>>(), [(true, 0), (true, 0), (false, 1)]);
        let many: Vec<NewFile> = ["three", "four"].iter().map(|text| new(world, &key, text, text, 150)).collect();
        let fault = world.store.keep_files(&key, many, QUOTA, audit(owner)).await.unwrap_err();
        assert_eq!(fault.code(), Code::QuotaExceeded);
        assert_eq!(listed(world, owner, false).await.len(), 3);
    }

    async fn bytes_whose_removal_has_come_are_not_taken_over(world) {
        let owner = world.user();
        let key = world.store.content_key(&owner, true).await.unwrap();
        let mut file = new(world, &key, "late.txt", "late", 5);
        world.store.announce_blob(&file.blob.id, world.ambient.now()).await.unwrap();
        assert_eq!(due(world).await, std::slice::from_ref(&file.blob.id));
        world.store.removed(vec![file.blob.id.clone()]).await.unwrap();
        file.blob.placed = true;
        let fault = world.store.keep_files(&key, vec![file], QUOTA, audit(owner)).await.unwrap_err();
        assert_eq!(fault.code(), Code::Unavailable);
        assert_eq!(world.number("SELECT COUNT(*) FROM blobs").await, 0);
    }

    async fn a_batch_goes_to_the_trash_and_comes_back_as_a_whole(world) {
        let (owner, other) = (world.user(), world.user());
        let apps = [app()];
        let mut ids = Vec::new();
        for n in 0..3 {
            ids.push(keep(world, owner, &format!("{n}.txt"), &format!("content {n}"), 5).await.file.id);
        }
        let (first, second) = (BatchId::new(&world.ambient), BatchId::new(&world.ambient));
        let gone = world.store.trash_files(&owner, &apps, &ids[..1], first, audit(owner)).await.unwrap();
        assert!(!gone[0].already && gone[0].batch == first);
        // A stranger's id, or an app that may not be entered any more: nothing at all happens.
        let theirs = keep(world, other, "theirs", "content 0", 5).await.file.id;
        for (apps, ids) in [(&apps[..], [ids[1], theirs]), (&[], [ids[1], ids[2]])] {
            let fault = world.store.trash_files(&owner, apps, &ids, second, audit(owner)).await.unwrap_err();
            assert_eq!(fault.code(), Code::NotFound);
        }
        assert_eq!(listed(world, owner, false).await.len(), 2);
        let gone = world.store.trash_files(&owner, &apps, &ids, second, audit(owner)).await.unwrap();
        assert_eq!(gone.iter().map(|one| (one.already, one.batch)).collect::<Vec<_>>(), [(true, first), (false, second), (false, second)]);
        assert_eq!(listed(world, owner, true).await.len(), 3);
        let usage = world.store.file_usage(&owner).await.unwrap();
        assert_eq!((usage.files, usage.trashed, usage.trashed_bytes, usage.stored_bytes), (0, 3, 15, 15));
        assert_eq!(world.store.restore_batch(&other, &apps, second, audit(other)).await.unwrap_err().code(), Code::NotFound);
        let back = world.store.restore_batch(&owner, &apps, second, audit(owner)).await.unwrap();
        assert_eq!(back.iter().map(|file| file.id).collect::<Vec<_>>(), &ids[1..]);
        assert!(back.iter().all(|file| file.trashed_at.is_none()));
        assert_eq!(world.store.restore_batch(&owner, &apps, second, audit(owner)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(listed(world, owner, true).await, ["0.txt"]);
        assert_eq!(world.store.restore_file(&owner, ids[0], audit(owner)).await.unwrap().trashed_at, None);
        assert_eq!(world.store.restore_file(&owner, ids[0], audit(owner)).await.unwrap().trashed_at, None);
        assert_eq!(world.store.restore_file(&owner, theirs, audit(owner)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
    }

    async fn the_bytes_go_with_the_last_file_that_has_them(world) {
        let owner = world.user();
        let apps = [app()];
        let one = keep(world, owner, "one", "same", 5).await.file;
        let two = keep(world, owner, "two", "same", 5).await.file;
        let three = keep(world, owner, "three", "other", 7).await.file;
        let gone = world.store.destroy_files(&owner, &apps, &[one.id], audit(owner)).await.unwrap();
        assert_eq!(gone[0].blob, None);
        assert!(due(world).await.is_empty());
        let gone = world.store.destroy_files(&owner, &apps, &[two.id, three.id], audit(owner)).await.unwrap();
        let mut blobs: Vec<String> = gone.into_iter().filter_map(|one| one.blob).collect();
        blobs.sort();
        let mut wanted = vec![two.blob.clone(), three.blob.clone()];
        wanted.sort();
        assert_eq!(blobs, wanted);
        let mut found = due(world).await;
        found.sort();
        assert_eq!(found, wanted);
        assert_eq!(world.store.destroy_files(&owner, &apps, &[two.id], audit(owner)).await.unwrap_err().code(), Code::NotFound);
        // The same content comes again under another name: what is about to be removed is not touched by it.
        let again = keep(world, owner, "again", "same", 5).await;
        assert!(again.fresh && again.file.blob != two.blob);
        world.store.postpone_removal(&wanted[0], world.ambient.now() + Duration::from_secs(60)).await.unwrap();
        assert_eq!(due(world).await.len(), 1);
        world.store.removed(wanted).await.unwrap();
        world.clock.0.fetch_add(100_000_000, std::sync::atomic::Ordering::Relaxed);
        assert!(due(world).await.is_empty());
        // Two files with the same content at once.
        let twin = keep(world, owner, "twin", "same", 5).await.file;
        let gone = world.store.destroy_files(&owner, &apps, &[twin.id, again.file.id], audit(owner)).await.unwrap();
        assert_eq!(gone.iter().filter(|one| one.blob.is_some()).count(), 1);
    }

    async fn the_trash_is_emptied_and_expires(world) {
        let (owner, other) = (world.user(), world.user());
        for (who, name) in [(owner, "a"), (owner, "b"), (owner, "c"), (other, "d")] {
            let id = keep(world, who, name, name, 5).await.file.id;
            world.store.trash_files(&who, &[app()], &[id], BatchId::new(&world.ambient), audit(who)).await.unwrap();
        }
        keep(world, owner, "stays", "stays", 5).await;
        assert!(world.store.expire_trash(kernel::Time::EPOCH, 10, audit(owner)).await.unwrap().is_empty());
        let gone = world.store.empty_trash(&owner, &app(), 2, audit(owner)).await.unwrap();
        assert_eq!(gone.len(), 2);
        assert_eq!(listed(world, owner, true).await, ["c"], "the oldest go first");
        let now = world.ambient.now();
        let mut expired = 0;
        loop {
            let gone = world.store.expire_trash(now, 10, audit(owner)).await.unwrap();
            if gone.is_empty() { break; }
            expired += gone.len();
        }
        assert_eq!(expired, 2);
        assert_eq!(listed(world, owner, false).await, ["stays"]);
        assert!(world.store.empty_trash(&owner, &app(), 2, audit(owner)).await.unwrap().is_empty());
        assert_eq!(due(world).await.len(), 4);
    }

    async fn more_files_than_one_statement_takes(world) {
        let owner = world.user();
        let key = world.store.content_key(&owner, true).await.unwrap();
        let mut first = new(world, &key, "0", "same", 1);
        world.store.announce_blob(&first.blob.id, world.ambient.now() + Duration::from_secs(9)).await.unwrap();
        first.blob.placed = true;
        let rest = (1..450).map(|n| new(world, &key, &n.to_string(), "same", 1));
        let files: Vec<NewFile> = std::iter::once(first).chain(rest).collect();
        let ids: Vec<FileId> = files.iter().map(|file| file.id).collect();
        world.store.keep_files(&key, files, QUOTA, audit(owner)).await.unwrap();
        let batch = BatchId::new(&world.ambient);
        assert_eq!(world.store.trash_files(&owner, &[app()], &ids, batch, audit(owner)).await.unwrap().len(), 450);
        assert_eq!(world.store.restore_batch(&owner, &[app()], batch, audit(owner)).await.unwrap().len(), 450);
        let filter = FileFilter { app: app(), trashed: false, q: Some("44".into()) };
        let found = world.store.files(&owner, filter.clone(), PageRequest::first(5)).await.unwrap();
        assert_eq!(found.items.len(), 5);
        let rest = PageRequest::parse(Some(100), found.next.as_deref()).unwrap();
        assert_eq!(world.store.files(&owner, filter, rest).await.unwrap().items.len(), 9, "44, 144, 244, 344 and 440 to 449");
        let gone = world.store.destroy_files(&owner, &[app()], &ids, audit(owner)).await.unwrap();
        assert_eq!(gone.iter().filter(|one| one.blob.is_some()).count(), 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM blobs").await, 0);
    }

    async fn an_erasure_takes_files_contents_and_bytes(world) {
        let (owner, other) = (world.user(), world.user());
        let file = keep(world, owner, "a", "same", 5).await.file;
        keep(world, owner, "b", "other", 5).await;
        let theirs = keep(world, other, "c", "same", 5).await.file;
        let export = world.store.export_subject(&owner).await.unwrap();
        let mut names: Vec<&str> = export.tables["files"].iter().map(|row| row["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(export.tables["files"][0]["folder"], "Letters");
        assert!(export.tables["files"][0].get("blob").is_none());
        let key = world.store.content_key(&owner, true).await.unwrap();
        let late = new(world, &key, "late", "same", 5);
        let counts = world.store.erase_subject(&owner, vec![]).await.unwrap();
        let count = |table: &str| counts.iter().find(|(name, _)| *name == table).unwrap().1;
        assert_eq!((count("files"), count("blobs")), (2, 2));
        assert_eq!(due(world).await.len(), 2);
        assert!(due(world).await.contains(&file.blob));
        // What came in meanwhile was sealed under the key that is gone.
        let fault = world.store.keep_files(&key, vec![late], QUOTA, audit(owner)).await.unwrap_err();
        assert_eq!(fault.code(), Code::Conflict);
        assert_eq!(world.store.file(&other, theirs.id).await.unwrap(), theirs);
        let known = world.store.known_blobs(&[file.blob.clone(), theirs.blob.clone(), "00".into()]).await.unwrap();
        assert_eq!(known.len(), 2);
        let blobs = world.store.blobs_after("", 10).await.unwrap();
        assert_eq!(blobs.iter().map(|blob| blob.id.as_str()).collect::<Vec<_>>(), [theirs.blob.as_str()]);
    }

    async fn facts_are_kept_with_contents_and_pairs_with_files(world) {
        let (owner, other) = (world.user(), world.user());
        let one = keep(world, owner, "one", "same", 5).await.file;
        let two = keep(world, owner, "two", "same", 5).await.file;
        let three = keep(world, owner, "three", "third", 5).await.file;
        let theirs = keep(world, other, "theirs", "same", 5).await.file;
        let missing = world.store.unexamined(1, 10).await.unwrap();
        assert_eq!(missing.len(), 3);
        let found = missing.iter().find(|found| found.blob == one.blob).unwrap();
        assert_eq!((found.owner, found.size, found.name.as_str()), (owner, 5, "one"));
        world.store.keep_facts(&owner, &one.blob, 1, Some("zebra-facts")).await.unwrap();
        world.store.keep_facts(&owner, &three.blob, 1, None).await.unwrap();
        // Facts of nobody's, and of somebody else's content.
        world.store.keep_facts(&owner, &theirs.blob, 1, Some("stolen")).await.unwrap();
        world.store.keep_facts(&world.user(), "gone", 1, Some("x")).await.unwrap();
        let missing = world.store.unexamined(1, 10).await.unwrap();
        assert_eq!(missing.iter().map(|found| found.blob.as_str()).collect::<Vec<_>>(), [theirs.blob.as_str()]);
        let (files, pending) = world.store.examined(&owner, &app(), 1).await.unwrap();
        let told: Vec<_> = files.iter().map(|one| (one.file.name.as_str(), one.sharers, one.facts.as_deref())).collect();
        assert_eq!(told, [("one", 2, Some("zebra-facts")), ("two", 2, Some("zebra-facts")), ("three", 1, None)]);
        assert_eq!(pending, 0);
        let (files, pending) = world.store.examined(&owner, &app(), 2).await.unwrap();
        assert!(pending == 2 && files.iter().all(|one| one.facts.is_none()), "facts of another version are none");
        assert_eq!(world.store.examined(&other, &app(), 1).await.unwrap().1, 1);

        let apps = [app()];
        let pair = |pairs: Vec<(FileId, FileId)>, together| world.store.pair_files(&owner, &apps, pairs, together, audit(owner));
        pair(vec![(two.id, one.id), (one.id, three.id)], true).await.unwrap();
        pair(vec![(one.id, two.id)], true).await.unwrap();
        assert_eq!(pair(vec![(one.id, theirs.id)], true).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.store.file_pairs(&owner).await.unwrap().len(), 2);
        pair(vec![(one.id, two.id)], false).await.unwrap();
        assert_eq!(world.store.file_pairs(&owner).await.unwrap(), [(one.id, three.id)]);
        assert!(world.store.file_pairs(&other).await.unwrap().is_empty());
        world.store.destroy_files(&owner, &apps, &[three.id], audit(owner)).await.unwrap();
        assert!(world.store.file_pairs(&owner).await.unwrap().is_empty());
    }

    async fn nothing_of_a_file_is_readable_beside_the_store(world) {
        let owner = world.user();
        keep(world, owner, "zebra-marker.txt", "zebra-content", 5).await;
        let digest = blake3::hash(b"zebra-content").to_hex().to_string();
        for text in ["zebra", "Letters", &digest] {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let hexed = if world.store.engine() == "sqlite" { "lower(hex(name) || hex(folder) || hex(digest))" } else { "encode(name || folder || digest, 'hex')" };
            assert_eq!(world.number(&format!("SELECT COUNT(*) FROM files WHERE {hexed} LIKE '%{hex}%'")).await, 0);
            assert_eq!(world.number(&format!("SELECT COUNT(*) FROM audit_events WHERE details LIKE '%{text}%'")).await, 0);
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM audit_events WHERE details LIKE '%\"size\":5%' AND object LIKE 'file:%'").await, 1);
    }
}
