//! The disk is full: writes are refused, reads go on, and when there is room again everything does.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::world::{Setup, eventually, is_root, raw};

/// A small disk of one test.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let mounted = is_root() && raw("mount", &["-t", "tmpfs", "-o", "size=4m", "tmpfs", &path]);
        if !mounted {
            println!("skipped: a disk cannot be mounted here");
        }
        mounted.then_some(Disk(folder))
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Takes all that is left.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        raw("umount", &["--lazy", &self.0.path().display().to_string()]);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_nothing_else() {
    let Some(disk) = Disk::mount() else { return };
    let data = disk.0.path().join("data");
    let mut world = Setup::sqlite().unlimited().set("STOA_DATA_DIR", data.display()).start().await;
    let key = world.key();
    let id = world.conversation(&key).await;
    world.say(&key, &id, "before").await;
    disk.fill();
    let path = format!("/api/v1/conversations/{id}/messages");
    let mut kept = 1;
    eventually(Duration::from_secs(20), "writes are refused", async || {
        let answer = key.post(&path).json(&json!({"content": "while full ".repeat(100)})).send().await;
        match answer.status {
            201 => kept += 1,
            503 => assert_eq!(answer.code(), "unavailable", "{answer:?}"),
            409 => panic!("the disk is not full: {answer:?}"),
            _ => panic!("{answer:?}"),
        }
        answer.status == 503
    })
    .await;
    assert_eq!(key.get("/live").send().await.status, 200);
    assert_eq!(world.messages(&key, &id).await.len(), 2 * kept, "what was acknowledged can be read");
    std::fs::remove_file(disk.filler()).unwrap();
    eventually(Duration::from_secs(5), "writes go on", async || {
        key.post(&path).json(&json!({"content": "after"})).send().await.status == 201
    })
    .await;
    kept += 1;
    world.crash().await;
    assert_eq!(world.messages(&world.key(), &id).await.len(), 2 * kept);
    world.verify_audit().await;
}
