//! Rollups outlive the process, and replicas count together.

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use crypto::{Keyring, MasterKey};
use kernel::{Clock, Random};
use store::{Config, Database, Pool};

use super::*;

struct Turning(AtomicI64, AtomicU8);

impl Clock for Turning {
    fn now(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Random for Turning {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.1.fetch_add(7, Ordering::Relaxed);
        }
    }
}

struct Place {
    _folder: tempfile::TempDir,
    store: Store,
    clock: Arc<Turning>,
    ambient: Ambient,
}

/// 2026-11-21T12:00:00Z.
const NOON: i64 = 1_795_262_400;

async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Turning(AtomicI64::new(NOON * 1_000_000), AtomicU8::new(1)));
    let ambient = Ambient::new(clock.clone(), clock.clone());
    let second = Duration::from_secs(30);
    let pool = Pool { size: 2, overflow: 0, wait: second, connect: second, idle: second, recycle: second };
    let database = Database::Sqlite { path: folder.path().join("stoa.db") };
    let config = Config { database, pool, slow_query: Duration::from_secs(1) };
    let keyring = Keyring::new(MasterKey::generate(ambient.random()), Vec::new());
    let store = Store::open(config, keyring, ambient.clone()).await.unwrap();
    store.migrate().await.unwrap();
    Place { _folder: folder, store, clock, ambient }
}

impl Place {
    fn slo(&self, replica: &str) -> Slo {
        Slo::new(self.store.clone(), replica, Arc::new(|| (3, 4)), self.ambient.clone())
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    async fn window(&self, name: &str) -> Window {
        let read = Slo::of(&self.store, self.ambient.now()).await.unwrap();
        read.windows.into_iter().find(|window| window.name == name).unwrap()
    }
}

#[test]
fn routes_belong_to_groups() {
    for (method, route, group) in [
        ("GET", "/api/v1/conversations", Group::Api),
        ("GET", "/api/v1/conversations/{id}/messages", Group::Api),
        ("POST", "/api/v1/conversations/{id}/messages", Group::Model),
        ("POST", "/api/v1/conversations/{id}/messages/{mid}/regenerate", Group::Model),
        ("POST", "/v1/chat/completions", Group::Model),
        ("GET", "/v1/models", Group::Api),
        ("POST", "/api/v1/files", Group::Files),
        ("GET", "/api/v1/files", Group::Api),
        ("GET", "/api/v1/files/{id}/content", Group::Files),
        ("GET", "/apps/{app}", Group::Pages),
    ] {
        assert_eq!(Group::of(method, route), group, "{method} {route}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_outlive_the_process_and_replicas_add_up() {
    let place = place().await;
    let empty = place.window("1h").await;
    assert_eq!((empty.errors.value, empty.availability.met, empty.api_p95.value), (None, None, None));
    for (replica, failed) in [("a:1", 0), ("b:1", 1), ("a:1", 1)] {
        let slo = place.slo(replica);
        for _ in 0..99 {
            slo.answered("GET", "/api/v1/me", 200, Duration::from_millis(10));
        }
        let status = if failed == 1 { 503 } else { 200 };
        slo.answered("GET", "/api/v1/me", status, Duration::from_millis(900));
        slo.round(true, true).await.unwrap();
        // Written twice, counted once.
        slo.round(true, true).await.unwrap();
        place.pass(60);
    }
    for name in ["1h", "24h", "7d", "30d"] {
        let window = place.window(name).await;
        let api = window.routes.iter().find(|group| group.group == "api").unwrap();
        assert_eq!((api.requests, api.failed), (300, 2), "{name}");
        assert_eq!((window.errors.value, window.errors.met), (Some(0.667), Some(false)), "{name}");
        let (p95, p99) = (api.p95_ms.unwrap(), api.p99_ms.unwrap());
        assert!((9.0..=11.0).contains(&p95) && (9.0..=11.0).contains(&p99), "{p95} {p99}");
        assert!(window.database_mean.value.is_some());
        assert_eq!(window.steps.iter().map(|step| step.requests).sum::<u64>(), 300);
    }
    place.pass(2 * 3_600);
    assert_eq!(place.window("1h").await.errors.value, None);
    assert_eq!(place.window("24h").await.routes[0].requests, 300);
}

/// Replicas that serve at the same time count once; time that nobody served counts as lost, also when nobody was there
/// to write it down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_in_service_is_that_of_any_replica() {
    let place = place().await;
    let (one, other) = (place.slo("a:1"), place.slo("b:1"));
    for slo in [&one, &other] {
        slo.0.counts.lock().ticked = Some(place.ambient.now());
    }
    // 70 minutes of two, over a full hour; then one of them is sick for ten, then nobody is there for 20.
    for tick in 0..480 {
        place.pass(10);
        one.round(true, true).await.unwrap();
        other.round(tick < 420, true).await.unwrap();
    }
    let hour = place.window("24h").await;
    assert_eq!(hour.availability.value, Some(100.0));
    assert_eq!(hour.measured_since, Some(Time::from_seconds(NOON)));
    drop((one, other));
    place.pass(20 * 60);
    let day = place.window("24h").await;
    let expected = 100.0 * 79.0 / 99.0;
    assert!((day.availability.value.unwrap() - expected).abs() < 1.1, "{:?}", day.availability);
    assert_eq!(day.availability.met, Some(false));
    let again = place.slo("a:1");
    again.0.counts.lock().ticked = Some(place.ambient.now());
    for _ in 0..360 {
        place.pass(10);
        again.round(false, true).await.unwrap();
    }
    assert!(place.window("24h").await.availability.value.unwrap() < 55.0, "a sick server is not in service");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_and_sizes_are_kept_by_the_day() {
    let place = place().await;
    let slo = place.slo("a:1");
    slo.round(true, false).await.unwrap();
    slo.round(true, false).await.unwrap();
    let day = place.store.measures(DAY, Time::EPOCH, "").await.unwrap();
    let size = day.iter().find(|row| row.what == "size:database").unwrap();
    assert!(size.calls > 50_000, "{size:?}");
    let statement = day.iter().find(|row| row.what.starts_with("statement:")).unwrap();
    assert!(statement.calls > 0 && !statement.detail.is_empty());
    // The day after, only what came since midnight counts.
    place.pass(86_400);
    slo.round(true, true).await.unwrap();
    let next: Vec<_> = place
        .store
        .measures(DAY, Time::from_seconds(NOON), "statement:")
        .await
        .unwrap()
        .into_iter()
        .collect();
    let old: u64 = day.iter().filter(|row| row.what.starts_with("statement:")).map(|row| row.calls).sum();
    assert!(next.iter().map(|row| row.calls).sum::<u64>() < old, "{next:?}");
    place.pass(500 * 86_400);
    slo.prune().await.unwrap();
    assert!(place.store.measures(DAY, Time::EPOCH, "").await.unwrap().is_empty());
}
