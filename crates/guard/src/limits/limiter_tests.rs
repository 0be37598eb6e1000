//! The limiter as a whole: verdicts, windows, the loss and the return of Redis, and its speed.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Clock, Random, Secret};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::super::config::{Redis, Rule};
use super::super::property_tests::test_redis;
use super::*;

#[derive(Default)]
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Time {
        Time::from_micros(1_795_222_923_000_000 + self.0.load(Ordering::Relaxed))
    }
}

impl Random for Turned {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn limiter(redis: Option<String>, replicas: u32) -> (Limiter, Arc<Turned>) {
    let clock = Arc::new(Turned::default());
    let rule = |limit, seconds| vec![Rule { limit, window: Duration::from_secs(seconds) }];
    let rules = Rules {
        sign_in: rule(5, 60),
        file_delete: rule(20, 60),
        chat_visitor: vec![
            Rule { limit: 10, window: Duration::from_secs(60) },
            Rule { limit: 100, window: Duration::from_secs(3600) },
        ],
        chat_address: rule(30, 60),
        chat_principal: rule(30, 60),
        everything: rule(300, 60),
    };
    let redis = redis.map(|url| Redis { url: Secret::new(url) });
    let config = Config { enabled: true, redis, replicas, rules };
    (Limiter::new(config, Ambient::new(clock.clone(), clock.clone())), clock)
}

async fn admitted(limiter: &Limiter, key: &str, tries: u32) -> u32 {
    let mut admitted = 0;
    for _ in 0..tries {
        let claim = Claim { scope: "chat", key, rules: &limiter.rules().chat_principal };
        admitted += u32::from(limiter.admit(&[claim]).await.allowed);
    }
    admitted
}

#[tokio::test]
async fn the_verdict_describes_the_rule_that_binds() {
    let (limiter, clock) = limiter(None, 1);
    let visitor = Claim { scope: "visitor", key: "v", rules: &limiter.rules().chat_visitor };
    let address = Claim { scope: "address", key: "a", rules: &limiter.rules().chat_address };
    for used in 1..=10 {
        let verdict = limiter.admit(&[visitor, address]).await;
        assert!(verdict.allowed && verdict.retry_after.is_zero());
        assert_eq!((verdict.scope, verdict.limit, verdict.remaining), ("visitor", 10, 10 - used));
        clock.0.fetch_add(1_000_000, Ordering::Relaxed);
    }
    let refused = limiter.admit(&[visitor, address]).await;
    assert!(!refused.allowed);
    assert_eq!((refused.remaining, refused.retry_after), (0, Duration::from_secs(50)));
    assert_eq!(refused.reset_at, limiter.0.ambient.now() + Duration::from_secs(50));
    assert_eq!(refused.fault().retry(), Some(Duration::from_secs(50)));
    let left: Vec<_> = limiter.inspect(&[visitor, address]).await.iter().map(|it| it.remaining).collect();
    assert_eq!(left, [0, 90, 20]);
    // Whoever waits as told is served, once.
    clock.0.fetch_add(50_000_000, Ordering::Relaxed);
    assert!(limiter.admit(&[visitor, address]).await.allowed);
    assert!(!limiter.admit(&[visitor, address]).await.allowed);
}

#[tokio::test]
async fn the_hour_binds_after_the_minutes() {
    let (limiter, clock) = limiter(None, 1);
    let visitor = Claim { scope: "visitor", key: "v", rules: &limiter.rules().chat_visitor };
    for _ in 0..100 {
        assert!(limiter.admit(&[visitor]).await.allowed);
        clock.0.fetch_add(6_000_000, Ordering::Relaxed);
    }
    let refused = limiter.admit(&[visitor]).await;
    assert_eq!((refused.allowed, refused.limit), (false, 100));
    // The first came 600 s ago and leaves the hour in 3000 s.
    assert_eq!(refused.retry_after, Duration::from_secs(3000));
}

#[tokio::test]
async fn limits_can_be_lifted() {
    let (limiter, _) = limiter(None, 1);
    assert!(!limiter.admit(&[]).await.is_limited());
    let config = Config { enabled: false, redis: None, replicas: 1, rules: limiter.rules().clone() };
    let lifted = Limiter::new(config, limiter.0.ambient.clone());
    assert_eq!(admitted(&lifted, "k", 100).await, 100);
    assert_eq!(lifted.backend(), "memory");
}

#[tokio::test]
async fn without_redis_each_replica_has_its_share() {
    // A port that nobody listens on any more.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (limiter, _) = limiter(Some(format!("redis://127.0.0.1:{port}")), 3);
    let begun = Instant::now();
    assert_eq!(admitted(&limiter, "k", 40).await, 10);
    assert!(begun.elapsed() < Duration::from_millis(500), "nobody waits for a Redis that is away");
    assert_eq!(limiter.backend(), "fallback");
    let (nonsense, _) = super::tests::limiter(Some("redis://:secret@".to_owned()), 3);
    assert_eq!(admitted(&nonsense, "k", 40).await, 10);
}

/// A door in front of the real Redis that can be shut (connections cut), or made silent (nothing comes through).
struct Door {
    url: String,
    shut: Arc<AtomicBool>,
    silent: Arc<AtomicBool>,
}

async fn door(target: &str) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let target = target.trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let (shut, silent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let states = (Arc::clone(&shut), Arc::clone(&silent));
    tokio::spawn(async move {
        loop {
            let (mut inside, _) = listener.accept().await.unwrap();
            let (target, (shut, silent)) = (target.clone(), states.clone());
            tokio::spawn(async move {
                let mut outside = TcpStream::connect(target).await.unwrap();
                let (mut from, mut to) = ([0; 4096], [0; 4096]);
                while !shut.load(Ordering::Relaxed) {
                    use tokio::io::AsyncReadExt as _;
                    tokio::select! {
                        n = inside.read(&mut from) => match n {
                            Ok(0) | Err(_) => return,
                            Ok(_) if silent.load(Ordering::Relaxed) => {}
                            Ok(n) => outside.write_all(&from[..n]).await.unwrap(),
                        },
                        n = outside.read(&mut to) => match n {
                            Ok(0) | Err(_) => return,
                            Ok(n) => inside.write_all(&to[..n]).await.unwrap(),
                        },
                        () = tokio::time::sleep(Duration::from_millis(5)) => {}
                    }
                }
            });
        }
    });
    Door { url, shut, silent }
}

async fn until(limiter: &Limiter, backend: &str) {
    let begun = Instant::now();
    while limiter.backend() != backend {
        assert!(begun.elapsed() < Duration::from_secs(10), "still {}", limiter.backend());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn fresh_key(name: &str) -> String {
    format!("{name}-{}-{:?}", std::process::id(), Instant::now())
}

#[tokio::test]
async fn replicas_count_together_and_survive_a_loss() {
    let Some(url) = test_redis() else { return };
    let (door, key) = (door(&url).await, fresh_key("loss"));
    let (one, _) = limiter(Some(door.url.clone()), 2);
    let (two, _) = limiter(Some(url), 2);
    until(&one, "redis").await;
    until(&two, "redis").await;
    assert_eq!(admitted(&one, &key, 10).await, 10);
    assert_eq!(admitted(&two, &key, 15).await, 15);
    assert_eq!(admitted(&one, &key, 10).await, 5, "30 in all");
    // The first replica loses Redis. It has admitted 15 itself, which is its share: no second window opens.
    door.shut.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(admitted(&one, &key, 10).await, 0);
    assert_eq!(one.backend(), "fallback");
    assert_eq!(admitted(&one, &fresh_key("other"), 40).await, 15, "the share of a new key");
    door.shut.store(false, Ordering::Relaxed);
    until(&one, "redis").await;
    assert_eq!(admitted(&one, &fresh_key("again"), 40).await, 30);
}

#[tokio::test]
async fn a_silent_redis_costs_one_wait() {
    let Some(url) = test_redis() else { return };
    let (door, key) = (door(&url).await, fresh_key("silent"));
    let (limiter, _) = limiter(Some(door.url.clone()), 1);
    until(&limiter, "redis").await;
    assert_eq!(admitted(&limiter, &key, 1).await, 1);
    door.silent.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    assert_eq!(admitted(&limiter, &key, 40).await, 29);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(limiter.backend(), "fallback");
    door.silent.store(false, Ordering::Relaxed);
    until(&limiter, "redis").await;
    let claim = Claim { scope: "chat", key: &key, rules: &limiter.rules().chat_principal };
    assert!(!limiter.admit(&[claim]).await.allowed, "what was admitted meanwhile is remembered");
    assert_eq!(limiter.inspect(&[claim]).await.len(), 1);
}

/// `cargo test --release -p guard admissions_per_second -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement"]
async fn admissions_per_second() {
    let (limiter, clock) = limiter(None, 1);
    let keys: Vec<String> = (0..10_000).map(|n| format!("visitor:{n:032}")).collect();
    let rounds = 200;
    let begun = Instant::now();
    for _ in 0..rounds {
        for key in &keys {
            let visitor = Claim { scope: "visitor", key, rules: &limiter.rules().chat_visitor };
            let address = Claim { scope: "address", key, rules: &limiter.rules().everything };
            limiter.admit(&[visitor, address]).await;
        }
        clock.0.fetch_add(7_000_000, Ordering::Relaxed);
    }
    let each = begun.elapsed() / (rounds * 10_000);
    eprintln!("10,000 keys, two claims with three rules: {each:?} for one admit");
}
