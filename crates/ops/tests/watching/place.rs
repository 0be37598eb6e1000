//! A database, a clock that tests turn, a monitor, a post, and the health that tests choose.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crypto::{Keyring, MasterKey};
use guard::outbound::Outbound;
use kernel::{Actor, Ambient, AuditEvent, Clock, EventType, PageRequest, Random, Secret, Time};
use ops::alerts::{Alerts, Sender};
use ops::health::{Health, Probe, Probes, State};
use ops::monitor::{Monitor, Parts};
use ops::post::{Config, Post, Webhook};
use ops::pulse::Pulses;
use store::{Alert, AlertFilter, Database, Pool, Store};

pub struct TurningClock(AtomicI64);
impl Clock for TurningClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Hashing(AtomicU64);
impl Random for Hashing {
    fn fill(&self, bytes: &mut [u8]) {
        // Bytes from a counter, spread by a multiplication: different each time is all that is wanted here.
        for piece in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let word = count.rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes();
            piece.copy_from_slice(&word[..piece.len()]);
        }
    }
}

pub const SECRET: &str = "a secret of the webhook";

pub struct Place {
    pub store: Store,
    pub clock: Arc<TurningClock>,
    pub ambient: Ambient,
    pub pulses: Pulses,
    pub alerts: Alerts,
    pub post: Post,
    pub healthy: Arc<AtomicU8>,
    pub overdue: Arc<Mutex<Option<Duration>>>,
    folder: tempfile::TempDir,
}

pub fn config() -> Config {
    Config { webhook: None, slack: None, smtp: None, alert_email: None, pace: Duration::from_millis(20) }
}

impl Place {
    pub async fn new() -> Place {
        Place::with(config()).await
    }

    pub async fn with_webhook(url: &str) -> Place {
        let webhook = Webhook { url: Secret::new(url.into()), secret: Secret::new(SECRET.into()) };
        Place::with(Config { webhook: Some(webhook), ..config() }).await
    }

    pub async fn with(config: Config) -> Place {
        guard::outbound::install_crypto_provider();
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TurningClock(AtomicI64::new(1_795_222_923_000_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(Hashing(AtomicU64::new(1))));
        let store = open(folder.path().join("stoa.db"), &ambient).await;
        store.migrate().await.unwrap();
        let outbound = Outbound::new(Duration::from_secs(2)).unwrap();
        let base = "https://chat.example.org".to_owned();
        let post = Post::new(config, store.clone(), outbound, base.clone(), ambient.clone()).unwrap();
        let sender = Sender { server: base, environment: "production" };
        let mask: ops::telemetry::Mask = |text| guard::content::Masker::standard().mask(text);
        let alerts = Alerts::new(store.clone(), post.clone(), sender, mask, ambient.clone());
        let pulses = Pulses::new(ambient.clone());
        let (healthy, overdue) = (Arc::new(AtomicU8::new(1)), Arc::default());
        Place { store, clock, ambient, pulses, alerts, post, healthy, overdue, folder }
    }

    /// Another process on the same database.
    pub async fn second(&self) -> Store {
        open(self.folder.path().join("stoa.db"), &self.ambient).await
    }

    pub fn monitor(&self) -> Monitor {
        self.monitor_of(self.store.clone(), "host:8080", self.folder.path().into())
    }

    pub fn monitor_of(&self, store: Store, replica: &str, data_dir: PathBuf) -> Monitor {
        let healthy = Arc::clone(&self.healthy);
        let state = Probe::now(|| State::Operational);
        let holds = Probe::now(|| true);
        let probes = Probes {
            database: state.clone(),
            vector_db: state.clone(),
            cache: state,
            model: Probe::now(move || match healthy.load(Ordering::Relaxed) {
                1 => State::Operational,
                _ => State::Down,
            }),
            authentication_required: holds.clone(),
            https_enforced: holds.clone(),
            rate_limiting_enabled: holds.clone(),
            pii_masking_enabled: holds,
        };
        let overdue = Arc::clone(&self.overdue);
        Monitor::new(Parts {
            config: ops::monitor::Config {
                pace: Duration::from_millis(20),
                health: Duration::from_secs(30),
                rate_limits_per_minute: 100,
                disk_percent: 0,
                data_dir,
            },
            store,
            alerts: self.alerts.clone(),
            health: Health::new("1.2.3", "production", probes, self.ambient.clone()),
            pulses: self.pulses.clone(),
            ambient: self.ambient.clone(),
            replica: replica.to_owned(),
            overdue: Some(Arc::new(move || *overdue.lock().unwrap())),
        })
    }

    pub fn turn(&self, span: Duration) {
        self.clock.0.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// Alerts of a kind, newest first.
    pub async fn of(&self, kind: &str) -> Vec<Alert> {
        let filter = AlertFilter { kind: Some(kind.to_owned()), ..AlertFilter::default() };
        self.store.alerts(filter, PageRequest::first(100)).await.unwrap().items
    }

    pub async fn record(&self, event: AuditEvent, count: usize) {
        self.store.record(vec![event; count]).await.unwrap();
    }

    /// Failed sign-ins from an address.
    pub async fn fail(&self, ip: &str, count: usize) {
        self.record(failure(ip), count).await;
    }
}

pub fn failure(ip: &str) -> AuditEvent {
    AuditEvent::new(EventType::AuthFailure, Actor::Anonymous).from(ip.parse::<IpAddr>().unwrap())
}

async fn open(path: PathBuf, ambient: &Ambient) -> Store {
    let pool = Pool {
        size: 4,
        overflow: 0,
        wait: Duration::from_secs(5),
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(60),
        recycle: Duration::from_secs(60),
    };
    let config =
        store::Config { database: Database::Sqlite { path }, pool, slow_query: Duration::from_secs(5) };
    let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
    Store::open(config, keyring, ambient.clone()).await.unwrap()
}

/// Waits until it holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
