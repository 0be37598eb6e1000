//! Replicas are replaced one after the other under load, behind a balancer that asks for `/ready` and never tries twice:
//! no request fails. A newer version widens the schema meanwhile, and the older ones go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crypto::{Keyring, MasterKey};
use serde_json::json;
use store::{STEPS, Step, Store};

use crate::world::{Caller, Front, Mode, Setup, World, eventually};

const WAIT: Duration = Duration::from_secs(60);
const NEXT: u32 = STEPS[STEPS.len() - 1].version + 1;

/// What the callers saw.
#[derive(Default)]
struct Seen {
    answers: AtomicU64,
    streams: AtomicU64,
    failed: AtomicU64,
    slowest: AtomicU64,
}

/// Asks until told to stop: reads, turns, streams in turn. The connection is a new one each time, the balancer's to
/// the replicas are kept.
async fn load(caller: Caller, number: usize, stop: Arc<AtomicBool>, seen: Arc<Seen>) {
    let mut turn = number;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let began = Instant::now();
        let body = json!({"message": "hello", "app": "assistant", "session_id": format!("s{number}-{turn}")});
        let chat = caller.post("/api/v1/chat");
        let good = match turn % 3 {
            0 => matches!(caller.get("/api/v1/apps").try_send().await, Ok(answer) if answer.status == 200),
            1 => matches!(chat.json(&body).try_send().await, Ok(answer) if answer.status == 200),
            _ => {
                let mut body = body;
                body["stream"] = json!(true);
                let stream = chat.json(&body).header("accept", "text/event-stream").try_stream().await;
                seen.streams.fetch_add(1, Ordering::Relaxed);
                match stream {
                    Ok(mut events) => {
                        let rest = events.rest().await;
                        rest.last()
                            .is_some_and(|last| last.name == "done" && last.data["finish_reason"] == "stop")
                    }
                    Err(_) => false,
                }
            }
        };
        seen.answers.fetch_add(1, Ordering::Relaxed);
        seen.slowest.fetch_max(u64::try_from(began.elapsed().as_millis()).unwrap(), Ordering::Relaxed);
        if !good {
            seen.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Does this to the schema, as a newer version would that starts beside the present one.
async fn migrate(world: &World, text: &'static str) {
    let database = store::Database::Postgres {
        url: kernel::Secret::new(world.database_url().unwrap()),
        tls: store::PostgresTls::Prefer,
    };
    let second = Duration::from_secs(1);
    let pool = store::Pool {
        size: 1,
        overflow: 2,
        wait: 10 * second,
        connect: 5 * second,
        idle: 30 * second,
        recycle: 300 * second,
    };
    let config = store::Config { database, pool, slow_query: 5 * second };
    let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
    let store = Store::open(config, keyring, ambient()).await.unwrap();
    let step = Step { version: NEXT, name: "of a newer version", text };
    assert_eq!(store.migrate_with(&[STEPS, &[step]].concat()).await.unwrap().len(), 1);
    store.close().await;
}

async fn restart(times: usize) {
    let Some(setup) = Setup::replicas(1) else { return };
    let setup = setup.unlimited().set("DRAIN_SECONDS", 1).set("MAX_CONVERSATIONS_PER_SESSION", 1_000_000);
    let mut world = setup.start().await;
    world.upstream.set(Mode::Pieces(8, Duration::from_millis(30)));
    let front = Front::start().await.unwrap();
    let mut replicas = [world.replica().await, world.replica().await];
    front.add(world.address());
    replicas.iter().for_each(|replica| front.add(replica.address));
    eventually(WAIT, "all are ready", async || front.ready() == 3).await;
    let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Seen::default()));
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..6 {
        callers.spawn(load(world.key().at(front.address), number, Arc::clone(&stop), Arc::clone(&seen)));
    }
    let mut longest = Duration::ZERO;
    for number in 0..times {
        if number == 1 {
            migrate(&world, "CREATE TABLE of_a_newer_version (id text PRIMARY KEY);").await;
        }
        let began = Instant::now();
        let replica = match number % 3 {
            0 => &mut world.process,
            other => &mut replicas[other - 1],
        };
        let old = replica.address;
        assert_eq!(replica.terminate().await, Some(0));
        front.remove(old);
        let new = world.replica().await;
        front.add(new.address);
        match number % 3 {
            0 => world.process = new,
            other => replicas[other - 1] = new,
        }
        eventually(WAIT, "all are ready again", async || front.ready() == 3).await;
        longest = longest.max(began.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    while callers.join_next().await.is_some() {}
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "{times} restarts: {} requests ({} streams), {} failed, {} not passed on; slowest {} ms, longest restart {longest:?}",
        count(&seen.answers),
        count(&seen.streams),
        count(&seen.failed),
        front.failed(),
        count(&seen.slowest),
    );
    assert_eq!((count(&seen.failed), front.failed()), (0, 0));
    assert!(count(&seen.answers) > 20 && count(&seen.streams) > 5);
    world.verify_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_request() {
    restart(3).await;
}

/// `cargo xtask test -- --run-ignored only -E 'test(fifty_rolling)' --no-capture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes"]
async fn fifty_rolling_restarts_fail_no_request() {
    restart(50).await;
}

/// A newer version took away what this one needs: it says so, stops taking requests, and does not start again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_version_leaves_a_schema_that_it_cannot_work_with() {
    let Some(setup) = Setup::postgres() else { return };
    let mut world = setup.start().await;
    migrate(&world, "DROP INDEX messages_unfinished;").await;
    let anonymous = world.anonymous();
    let leaves = async || {
        let ready = anonymous.get("/ready").send().await;
        ready.status == 503 && ready.json()["migrating"] == true
    };
    eventually(WAIT, "readiness says no", leaves).await;
    assert_eq!(world.process.terminate().await, Some(0));
    let refused = world.stoa(&["serve"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint.contains("newer version"), "{refused:?}");
}

fn ambient() -> kernel::Ambient {
    struct Real;
    impl kernel::Clock for Real {
        fn now(&self) -> kernel::Time {
            kernel::Time::from_seconds(crate::world::secure::now())
        }
    }
    impl kernel::Random for Real {
        fn fill(&self, bytes: &mut [u8]) {
            use ring::rand::SecureRandom as _;
            ring::rand::SystemRandom::new().fill(bytes).unwrap();
        }
    }
    kernel::Ambient::new(Arc::new(Real), Arc::new(Real))
}
