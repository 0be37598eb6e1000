//! Every threshold of CONTRACT section 6, one below and one above.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{Actor, AuditEvent, EventType, Severity, Subject, UserId};
use serde_json::json;

use crate::place::{Place, failure};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// 001.73: ten give nothing, the eleventh exactly one alert with address and count.
#[tokio::test]
async fn the_eleventh_failure_from_an_address_within_an_hour() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    place.fail("203.0.113.9", 10).await;
    place.fail("203.0.113.8", 10).await;
    let mild = AuditEvent { severity: Severity::Low, ..failure("203.0.113.8") };
    place.record(mild, 50).await;
    monitor.look().await.unwrap();
    assert!(place.of("failed_sign_ins").await.is_empty(), "what merely expired is not counted");
    place.fail("203.0.113.9", 1).await;
    monitor.look().await.unwrap();
    monitor.look().await.unwrap();
    let alerts = place.of("failed_sign_ins").await;
    assert_eq!((alerts.len(), alerts[0].count), (1, 11));
    assert_eq!(alerts[0].details, json!({"address": "203.0.113.9", "count": 11}));
    place.fail("203.0.113.9", 5).await;
    monitor.look().await.unwrap();
    monitor.look().await.unwrap();
    assert_eq!(place.of("failed_sign_ins").await[0].count, 16, "it goes on and is counted once");
    let raised = store::AuditFilter { event_type: Some("alert.raised".into()), ..Default::default() };
    let raised = place.store.audit_events(raised, kernel::PageRequest::first(9)).await.unwrap().items;
    assert_eq!((raised.len(), &raised[0].details["cause"]), (1, &json!("failed_sign_ins:203.0.113.9")));
    assert_eq!((raised[0].severity.as_str(), raised[0].actor.as_str()), ("high", "system"));
}

#[tokio::test]
async fn failures_spread_over_more_than_an_hour_are_none() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    for _ in 0..30 {
        place.fail("203.0.113.9", 1).await;
        place.turn(Duration::from_secs(361));
        monitor.look().await.unwrap();
    }
    assert!(place.of("failed_sign_ins").await.is_empty());
}

/// Once per cause until somebody takes note of it; then counting begins anew.
#[tokio::test]
async fn an_acknowledged_alert_comes_again_with_new_failures_only() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    place.fail("203.0.113.9", 11).await;
    monitor.look().await.unwrap();
    let first = place.of("failed_sign_ins").await.remove(0);
    place.store.acknowledge_alert(first.id, Actor::Operator, Vec::new()).await.unwrap();
    monitor.look().await.unwrap();
    place.fail("203.0.113.9", 10).await;
    monitor.look().await.unwrap();
    assert_eq!(place.of("failed_sign_ins").await.len(), 1);
    place.fail("203.0.113.9", 1).await;
    monitor.look().await.unwrap();
    let alerts = place.of("failed_sign_ins").await;
    assert_eq!((alerts.len(), alerts[0].count), (2, 11));
    // Another address is another cause; a restart of the monitor tells nothing twice.
    place.fail("203.0.113.10", 11).await;
    place.monitor().look().await.unwrap();
    assert_eq!(place.of("failed_sign_ins").await.len(), 2, "the lease is still the first one's");
    monitor.look().await.unwrap();
    assert_eq!(place.of("failed_sign_ins").await.len(), 3);
    // Quiet for an hour: closed, and the next eleven are a new one.
    place.turn(HOUR + MINUTE);
    monitor.look().await.unwrap();
    assert_eq!(place.store.count_open_alerts(None).await.unwrap(), 0);
    place.fail("203.0.113.10", 11).await;
    monitor.look().await.unwrap();
    assert_eq!(place.of("failed_sign_ins").await.len(), 4);
}

/// One account, many addresses, each below the threshold.
#[tokio::test]
async fn guessing_at_one_account_from_many_addresses() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    for n in 0..10 {
        place.record(failure(&format!("203.0.113.{n}")).with("account", "0123456789abcdef"), 1).await;
    }
    place.record(failure("198.51.100.1").with("account", "fedcba9876543210"), 10).await;
    monitor.look().await.unwrap();
    assert!(place.of("account_guessing").await.is_empty());
    place.record(failure("203.0.113.99").with("account", "0123456789abcdef"), 1).await;
    place.record(failure("198.51.100.1").with("account", "fedcba9876543210"), 1).await;
    monitor.look().await.unwrap();
    let alerts = place.of("account_guessing").await;
    assert_eq!(alerts.len(), 1, "one address alone is the other alert: {alerts:?}");
    assert_eq!(alerts[0].details, json!({"account": "0123456789abcdef", "addresses": 11, "count": 11}));
    assert_eq!(place.of("failed_sign_ins").await.len(), 1);
}

/// 001.74: the sixth permission change within an hour.
#[tokio::test]
async fn the_sixth_permission_change_and_any_token_reuse() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    let change = AuditEvent::new(EventType::PermissionChanged, Actor::Operator);
    place.record(change.clone(), 5).await;
    monitor.look().await.unwrap();
    assert!(place.of("permission_changes").await.is_empty());
    place.record(change, 1).await;
    let user = Subject::User(UserId::new(&place.ambient));
    place.record(AuditEvent::new(EventType::TokenReuse, user), 1).await;
    place.record(AuditEvent::new(EventType::BackupFailed, Actor::System), 1).await;
    monitor.look().await.unwrap();
    let changes = place.of("permission_changes").await;
    assert_eq!((changes.len(), &changes[0].details["count"]), (1, &json!(6)));
    let reuse = place.of("token_reuse").await;
    assert_eq!((reuse.len(), reuse[0].severity.as_str()), (1, "critical"));
    assert_eq!(reuse[0].details["actor"], json!(user.to_string()));
    assert_eq!(place.of("backup_failed").await.len(), 1);
}

/// 003.38: more than a hundred refusals within a minute.
#[tokio::test]
async fn refusals_by_limits() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    let refused = |ip: &str| {
        let ip: std::net::IpAddr = ip.parse().unwrap();
        AuditEvent::new(EventType::RatelimitExceeded, Actor::Anonymous).from(ip)
    };
    place.record(refused("203.0.113.1"), 90).await;
    place.turn(MINUTE * 2);
    place.record(refused("203.0.113.1"), 60).await;
    place.record(refused("203.0.113.2"), 40).await;
    monitor.look().await.unwrap();
    assert!(place.of("rate_limits").await.is_empty());
    place.record(refused("203.0.113.2"), 1).await;
    monitor.look().await.unwrap();
    let alerts = place.of("rate_limits").await;
    let addresses = json!([{"address": "203.0.113.1", "count": 60}, {"address": "203.0.113.2", "count": 41}]);
    assert_eq!(alerts[0].details, json!({"count": 101, "addresses": addresses}));
}

/// 003.36: four of a hundred failing are none, six are one; it is over after five good minutes.
#[tokio::test]
async fn the_error_rate() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    let answer = |count: usize, status: u16| {
        (0..count).for_each(|_| place.pulses.answered(status, Duration::from_millis(1)));
    };
    answer(18, 500);
    monitor.look().await.unwrap();
    assert!(place.of("error_rate").await.is_empty(), "eighteen requests are not enough to say anything");
    place.turn(MINUTE * 6);
    answer(96, 200);
    answer(4, 503);
    monitor.look().await.unwrap();
    assert!(place.of("error_rate").await.is_empty());
    answer(3, 500);
    monitor.look().await.unwrap();
    let alerts = place.of("error_rate").await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].details, json!({"requests": 103, "failed": 7, "replica": "host:8080"}));
    for _ in 0..4 {
        place.turn(MINUTE);
        monitor.look().await.unwrap();
    }
    assert!(place.of("error_rate").await[0].count > 7, "it goes on and is counted");
    place.turn(MINUTE * 2);
    monitor.look().await.unwrap();
    assert!(place.of("error_rate").await[0].closed_at.is_none(), "not over before five good minutes");
    place.turn(MINUTE * 5);
    monitor.look().await.unwrap();
    assert!(place.of("error_rate").await[0].closed_at.is_some());
}

/// 002.49: one failed check is none, the second in a row is one, recovery closes it.
#[tokio::test(flavor = "multi_thread")]
async fn two_health_checks_in_a_row() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    let mut check = async |healthy: u8| {
        place.healthy.store(healthy, Ordering::Relaxed);
        place.turn(Duration::from_secs(31));
        // A report is good for a second of the real clock.
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        monitor.look().await.unwrap();
        let alerts = place.of("health").await;
        (alerts.len(), alerts.first().is_some_and(|alert| alert.closed_at.is_none()))
    };
    assert_eq!(check(1).await, (0, false));
    assert_eq!(check(0).await, (0, false));
    assert_eq!(check(1).await, (0, false));
    assert_eq!(check(0).await, (0, false));
    assert_eq!(check(0).await, (1, true));
    assert_eq!(check(0).await, (1, true));
    assert_eq!(check(1).await, (1, true), "one good check is none either");
    assert_eq!(check(1).await, (1, false), "recovered");
    let alert = place.of("health").await.remove(0);
    assert_eq!((&alert.details["status"], &alert.details["model"]), (&json!("degraded"), &json!("down")));
}

/// A backup that is overdue, and one that was made; an acknowledged state is not told again while it lasts.
#[tokio::test]
async fn a_backup_that_is_overdue() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    *place.overdue.lock().unwrap() = Some(HOUR * 50);
    monitor.look().await.unwrap();
    let alert = place.of("backup_overdue").await.remove(0);
    assert_eq!(alert.details["hours"], 50);
    place.store.acknowledge_alert(alert.id, Actor::Operator, Vec::new()).await.unwrap();
    place.turn(HOUR);
    monitor.look().await.unwrap();
    assert_eq!(place.of("backup_overdue").await.len(), 1);
    *place.overdue.lock().unwrap() = None;
    monitor.look().await.unwrap();
    *place.overdue.lock().unwrap() = Some(HOUR * 50);
    monitor.look().await.unwrap();
    assert_eq!(place.of("backup_overdue").await.len(), 2);
    // A restart finds it over and closes what its predecessor had opened.
    *place.overdue.lock().unwrap() = None;
    place.monitor().look().await.unwrap();
    assert!(place.of("backup_overdue").await[0].closed_at.is_some());
}

/// One replica counts for all; when it has gone another one does, and nothing is told twice.
#[tokio::test]
async fn replicas_tell_once() {
    let place = Place::new().await;
    let mut first = place.monitor();
    let mut second = place.monitor_of(place.second().await, "other:8080", PathBuf::from("/"));
    first.look().await.unwrap();
    place.fail("203.0.113.9", 11).await;
    second.look().await.unwrap();
    assert!(place.of("failed_sign_ins").await.is_empty());
    tokio::try_join!(first.look(), second.look()).unwrap();
    assert_eq!(place.of("failed_sign_ins").await.len(), 1);
    drop(first);
    place.turn(MINUTE);
    place.fail("203.0.113.9", 1).await;
    place.fail("203.0.113.7", 11).await;
    second.look().await.unwrap();
    let alerts = place.of("failed_sign_ins").await;
    assert_eq!((alerts.len(), alerts[1].count), (2, 12));
}

/// Ten thousand addresses are no ten thousand mails.
#[tokio::test]
async fn a_flood_of_causes_is_told_together() {
    let place = Place::new().await;
    let mut monitor = place.monitor();
    for n in 0..60 {
        place.fail(&format!("203.0.113.{n}"), 11).await;
    }
    monitor.look().await.unwrap();
    monitor.look().await.unwrap();
    let alerts = place.of("failed_sign_ins").await;
    assert_eq!(alerts.len(), 21);
    let many = alerts.iter().find(|alert| alert.cause.ends_with(":many")).unwrap();
    assert_eq!((many.count, &many.details["causes"]), (40, &json!(40)));
}

/// Failed sign-ins, alerts and requests are in the charts.
#[tokio::test]
async fn the_charts_know_what_the_database_knows() {
    let place = Place::new().await;
    place.fail("203.0.113.9", 7).await;
    place.turn(MINUTE * 10);
    place.fail("203.0.113.9", 4).await;
    place.pulses.answered(200, Duration::from_millis(3));
    let mut monitor = place.monitor();
    monitor.look().await.unwrap();
    monitor.look().await.unwrap();
    let pulse = place.pulses.read();
    let failures: Vec<u64> =
        pulse.minutes.iter().map(|minute| minute.sign_in_failures).filter(|count| *count > 0).collect();
    assert_eq!(failures, [7, 4]);
    assert_eq!((pulse.open_alerts, pulse.minutes[59].alerts, pulse.minutes[59].requests), (1, 1, 1));
}
