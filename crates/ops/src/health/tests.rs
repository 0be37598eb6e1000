//! The rules of the report, the age of a measurement, and time limits, on a clock that tests turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{Clock, Random, Time};
use serde_json::json;

use super::*;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Time {
        Time::from_seconds(1_795_222_923)
    }
}

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn all(state: State) -> Probes {
    let state = Probe::now(move || state);
    let holds = Probe::now(|| true);
    Probes {
        database: state.clone(),
        vector_db: state.clone(),
        cache: state.clone(),
        model: state,
        authentication_required: holds.clone(),
        https_enforced: holds.clone(),
        rate_limiting_enabled: holds.clone(),
        pii_masking_enabled: holds,
    }
}

fn health(probes: Probes) -> Health {
    Health::new("1.2.3", "production", probes, Ambient::new(Arc::new(Fixed), Arc::new(Fixed)))
}

#[tokio::test(start_paused = true)]
async fn the_report_has_exactly_the_fields_of_the_contract() {
    let mut probes = all(State::Operational);
    probes.vector_db = Probe::now(|| State::NotConfigured);
    probes.pii_masking_enabled = Probe::now(|| false);
    let report = health(probes).report().await;
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        json!({
            "status": "healthy", "timestamp": "2026-11-21T01:02:03.000000Z", "version": "1.2.3",
            "environment": "production", "database": "operational",
            "services": {"api": "operational", "database": "operational", "vector_db": "not_configured",
                         "cache": "operational", "model": "operational"},
            "security": {"authentication_required": true, "https_enforced": true,
                         "rate_limiting_enabled": true, "pii_masking_enabled": false},
        })
    );
    assert!(report.serves());
}

#[tokio::test(start_paused = true)]
async fn one_status_comes_from_many_parts() {
    use State::{Degraded, Down, NotConfigured, Operational};
    for (database, cache, model, expected) in [
        (Operational, NotConfigured, NotConfigured, Status::Healthy),
        (Operational, Down, Operational, Status::Degraded),
        (Operational, Degraded, Operational, Status::Degraded),
        (Operational, Operational, Down, Status::Degraded),
        (Degraded, Operational, Operational, Status::Degraded),
        (Down, Operational, Operational, Status::Unhealthy),
        (Down, Down, Down, Status::Unhealthy),
    ] {
        let mut probes = all(Operational);
        probes.database = Probe::now(move || database);
        probes.cache = Probe::now(move || cache);
        probes.model = Probe::now(move || model);
        let report = health(probes).report().await;
        assert_eq!(report.status, expected, "{database:?} {cache:?} {model:?}");
        assert_eq!(report.serves(), database != Down);
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_swallows_everything_is_down_within_half_a_second() {
    let mut probes = all(State::Operational);
    probes.database = Probe::new(std::future::pending);
    probes.https_enforced = Probe::new(std::future::pending);
    let health = health(probes);
    for _ in 0..3 {
        let begin = Instant::now();
        let report = health.report().await;
        assert!(begin.elapsed() < Duration::from_millis(500));
        assert_eq!((report.status, report.database), (Status::Unhealthy, State::Down));
        assert_eq!(report.services.model, State::Operational, "the others are measured all the same");
        assert!(!report.security.https_enforced && report.security.rate_limiting_enabled);
        assert_eq!(health.ready().await.status, Ready::NotReady);
        tokio::time::advance(FRESH).await;
    }
}

#[tokio::test(start_paused = true)]
async fn callers_share_a_measurement_and_a_lost_caller_costs_nobody_time() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let mut probes = all(State::Operational);
    probes.database = Probe::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            State::Operational
        }
    });
    let health = health(probes);
    let impatient = timeout(Duration::from_millis(200), health.report()).await;
    assert!(impatient.is_err());
    let begin = Instant::now();
    let (one, two) = tokio::join!(health.report(), health.report());
    assert!(begin.elapsed() <= Duration::from_millis(110), "{:?}", begin.elapsed());
    assert_eq!((one.status, two.status), (Status::Healthy, Status::Healthy));
    health.report().await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    tokio::time::advance(FRESH).await;
    health.report().await;
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_panics_is_no_good_news_and_does_not_stop_the_next() {
    let asked = AtomicUsize::new(0);
    let mut probes = all(State::Operational);
    probes.model = Probe::now(move || {
        assert!(asked.fetch_add(1, Ordering::Relaxed) > 0, "the first time");
        State::Operational
    });
    let health = health(probes);
    assert_eq!(health.report().await.status, Status::Unhealthy);
    assert_eq!(health.report().await.status, Status::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_migrates_or_stops_is_not_ready() {
    let health = health(all(State::Operational));
    assert_eq!(
        serde_json::to_value(health.ready().await).unwrap(),
        json!({"status": "ready", "database": "operational", "version": "1.2.3", "migrating": false, "draining": false})
    );
    health.set_migrating(true);
    assert_eq!(health.ready().await.status, Ready::NotReady);
    health.set_migrating(false);
    assert_eq!(health.ready().await.status, Ready::Ready);
    health.set_draining();
    let report = health.ready().await;
    assert!(report.status == Ready::NotReady && report.draining);
}
