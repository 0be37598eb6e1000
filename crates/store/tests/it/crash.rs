//! A process that is killed in the middle of writing: every acknowledged turn is there, the chain verifies.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use kernel::{PageRequest, Subject};
use store::{Config, Database, Store};

use crate::world::{World, ambient, event, keyring, pool};

const PLACE: &str = "STOA_CRASH_FOLDER";

/// Not a test by itself: the process that is killed. It writes from many callers and prints each turn that was
/// acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run as a child by the test below"]
#[expect(clippy::disallowed_methods, reason = "the parent says where to write")]
async fn child() {
    let Ok(folder) = std::env::var(PLACE) else { return };
    let database = Database::Sqlite { path: std::path::Path::new(&folder).join("stoa.db") };
    let config = Config { database, pool: pool(), slow_query: std::time::Duration::from_secs(5) };
    let world = World::beside(config).await;
    let callers = (0..32).map(|caller| {
        let world = &world;
        async move {
            let owner = world.visitor();
            let id = world.store.record_turn(world.opening(owner, "first"), event(owner)).await.unwrap();
            for n in 0.. {
                world
                    .store
                    .record_turn(world.turn(owner, id, &format!("{caller} {n}")), event(owner))
                    .await
                    .unwrap();
                println!("ACK {owner} {id} {n}");
            }
        }
    });
    futures_util::future::join_all(callers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a process is needed to be killed")]
async fn nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = 0;
    for round in 0..5_usize {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(PLACE, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = Vec::new();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        for line in lines {
            if let Some(rest) = line.strip_prefix("ACK ") {
                acknowledged.push(rest.to_owned());
            }
            // Killed once, at another moment in each round; then the lines that were printed before are read.
            if acknowledged.len() == 200 + round * 37 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged.len() >= 200);

        let database = Database::Sqlite { path: folder.path().join("stoa.db") };
        let config = Config { database, pool: pool(), slow_query: std::time::Duration::from_secs(5) };
        let store = Store::open(config, keyring(), ambient().0).await.unwrap();
        let verdict = store.verify_audit().await.unwrap();
        assert_eq!(verdict.fault, None);
        assert!(verdict.events >= events + acknowledged.len() as u64);
        events = verdict.events;
        for line in &acknowledged {
            let mut parts = line.split(' ');
            let owner = Subject::parse(parts.next().unwrap()).unwrap();
            let id = kernel::ConversationId::parse(parts.next().unwrap()).unwrap();
            let number: usize = parts.next().unwrap().parse().unwrap();
            let conversation = store.conversation(&owner, id).await.unwrap();
            assert!(conversation.user_messages as usize >= number + 2, "{line}");
            let page = store.messages(&owner, id, PageRequest::first(4)).await.unwrap();
            assert_eq!(page.items.len() % 2, 0, "turns are whole");
        }
        store.close().await;
    }
}
