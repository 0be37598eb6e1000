//! The way of an alert to its receivers: signed, masked, once, however often the receiver was away.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::Secret;
use ops::alerts::{Finding, Kind};
use ops::post::{Config, Protection, Smtp as Server};
use serde_json::Value;
use store::{Mail, NewParcel, Sink, Template};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::place::{Place, config, eventually};
use crate::receivers::{Hook, Smtp};

struct Running {
    tasks: TaskTracker,
    stop: CancellationToken,
}

fn run(place: &Place) -> Running {
    let running = Running { tasks: TaskTracker::new(), stop: CancellationToken::new() };
    place.post.start(&running.tasks, &running.stop);
    running
}

impl Running {
    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn finding(place: &Place) -> Finding {
    let finding = Finding::new(Kind::FailedSignIns, place.ambient.now()).about("203.0.113.9");
    finding.with("address", "203.0.113.9").with("count", 11).with("odd", "ada@example.org")
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
    line.unwrap_or_else(|| panic!("no {name}: {head}")).split_once(':').unwrap().1.trim()
}

#[tokio::test]
async fn a_webhook_that_is_away_gets_it_once_when_it_is_back() {
    let hook = Hook::start().await;
    let place = Place::with_webhook(&hook.url()).await;
    hook.status.store(503, Ordering::Relaxed);
    let running = run(&place);
    assert!(place.alerts.raise(finding(&place)).await.unwrap());
    assert!(!place.alerts.raise(finding(&place)).await.unwrap());
    eventually("it was tried", async || {
        place.turn(Duration::ZERO);
        place.store.claim_parcels(Sink::Webhook, 1, place.ambient.now()).await.unwrap().is_empty()
    })
    .await;
    // The server is stopped and started: nothing is lost.
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.end().await;
    assert_eq!(place.store.parcels_waiting().await.unwrap().0, 1);
    // A redirect is not followed, and counts as a failure.
    hook.status.store(307, Ordering::Relaxed);
    place.turn(Duration::from_secs(150));
    let running = run(&place);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(hook.taken().is_empty());
    hook.status.store(200, Ordering::Relaxed);
    place.turn(Duration::from_secs(700));
    eventually("it was taken", async || !hook.taken().is_empty()).await;
    eventually("it is forgotten", async || place.store.parcels_waiting().await.unwrap().0 == 0).await;
    place.turn(Duration::from_secs(7_200));
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.end().await;
    let taken = hook.taken();
    assert_eq!(taken.len(), 1);
    let (head, body) = &taken[0];
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["event"], &told["kind"]), (&"alert.raised".into(), &"failed_sign_ins".into()));
    assert_eq!(told["title"], "Multiple failed login attempts");
    assert_eq!((&told["details"]["address"], &told["details"]["count"]), (&"203.0.113.9".into(), &11.into()));
    assert!(!body.contains("ada@"), "{body}");
    assert!(header(head, "content-type").starts_with("application/json"));
    assert_eq!(header(head, "x-stoa-delivery").len(), 36);
    let signed = header(head, "x-stoa-signature");
    assert!(signed.starts_with("t=") && signed.contains(",v1=") && signed.len() > 70, "{signed}");
}

#[tokio::test]
async fn one_sink_that_hangs_keeps_no_other_waiting() {
    // Takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = Hook::start().await;
    let slack = Some(Secret::new(hook.url()));
    let webhook = ops::post::Webhook {
        url: Secret::new(format!("http://{}/", silent.local_addr().unwrap())),
        secret: Secret::new("x".into()),
    };
    let place = Place::with(Config { webhook: Some(webhook), slack, ..config() }).await;
    assert_eq!(place.post.alert_sinks(), [Sink::Webhook, Sink::Slack]);
    let running = run(&place);
    for n in 0..20 {
        let finding = Finding::new(Kind::FailedSignIns, place.ambient.now()).about(format!("203.0.113.{n}"));
        place.alerts.raise(finding).await.unwrap();
    }
    eventually("slack has all", async || hook.taken().len() == 20).await;
    let body: Value = serde_json::from_str(&hook.taken()[0].1).unwrap();
    assert!(body["text"].as_str().unwrap().starts_with("Security Alert: Multiple failed login attempts"));
    running.stop.cancel();
}

/// Another configuration counts for what waits and for what comes; what was delivered is not delivered again.
#[tokio::test]
async fn a_renewed_sink_gets_what_waits() {
    let (old, new) = (Hook::start().await, Hook::start().await);
    let place = Place::with_webhook(&old.url()).await;
    old.status.store(503, Ordering::Relaxed);
    let running = run(&place);
    place.alerts.raise(finding(&place)).await.unwrap();
    eventually("it was tried", async || {
        place.turn(Duration::ZERO);
        place.store.claim_parcels(Sink::Webhook, 1, place.ambient.now()).await.unwrap().is_empty()
    })
    .await;
    let webhook = ops::post::Webhook { url: Secret::new(new.url()), secret: Secret::new("renewed".into()) };
    place.post.renew(Config { webhook: Some(webhook), ..config() }).unwrap();
    // The try that failed may still be writing down when the next one is due.
    eventually("the new one has it", async || {
        place.turn(Duration::from_secs(60));
        new.taken().len() == 1
    })
    .await;
    place.post.renew(config()).unwrap();
    assert!(place.post.alert_sinks().is_empty());
    let slack = Some(Secret::new(old.url()));
    old.status.store(200, Ordering::Relaxed);
    place.post.renew(Config { slack, ..config() }).unwrap();
    let other = Finding::new(Kind::FailedSignIns, place.ambient.now()).about("203.0.113.10");
    place.alerts.raise(other).await.unwrap();
    eventually("a sink that was not there at the start", async || old.taken().len() == 1).await;
    assert_eq!(new.taken().len(), 1);
    running.end().await;
}

fn letter(to: &str) -> NewParcel {
    let values = BTreeMap::from([("path".to_owned(), "/reset?token=quetzal".to_owned())]);
    let mail = Mail { to: to.into(), template: Template::ResetPassword, values, until: None, language: None };
    NewParcel::mail(None, &mail).unwrap()
}

async fn mailing(protection: Protection) -> (Place, Smtp) {
    let smtp = Smtp::start().await;
    let server = Server {
        host: smtp.address.ip().to_string(),
        port: smtp.address.port(),
        protection,
        login: Some(("ops".into(), Secret::new("mail-password".into()))),
        from: "Stoa <stoa@chat.example.org>".into(),
    };
    let email = Some("oncall@example.org".to_owned());
    (Place::with(Config { smtp: Some(server), alert_email: email, ..config() }).await, smtp)
}

#[tokio::test]
async fn mails_go_to_people_and_to_the_operator() {
    let (place, smtp) = mailing(Protection::None).await;
    assert!(place.post.sends_mail() && place.post.alert_sinks() == [Sink::MailAlert]);
    let running = run(&place);
    place.alerts.raise(finding(&place)).await.unwrap();
    place.store.send(vec![letter("ada@example.org")]).await.unwrap();
    eventually("both are taken", async || place.store.parcels_waiting().await.unwrap().0 == 0).await;
    running.end().await;
    let told = smtp.told();
    for wanted in [
        "MAIL FROM:<stoa@chat.example.org>",
        "RCPT TO:<oncall@example.org>",
        "RCPT TO:<ada@example.org>",
        "Subject: Security Alert: Multiple failed login attempts",
        "Subject: Choose a new password",
        "https://chat.example.org/reset?token=",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/html",
        "203.0.113.9",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
}

/// No password and no letter goes over a line that anybody can read.
#[tokio::test]
async fn nothing_is_sent_without_tls_where_tls_is_asked_for() {
    for protection in [Protection::StartTls, Protection::Tls] {
        let (place, smtp) = mailing(protection).await;
        place.store.send(vec![letter("ada@example.org")]).await.unwrap();
        let running = run(&place);
        tokio::time::sleep(Duration::from_millis(300)).await;
        running.stop.cancel();
        assert_eq!(place.store.parcels_waiting().await.unwrap().0, 1, "{protection:?}: it waits");
        let told = smtp.told();
        assert!(!told.contains("AUTH") && !told.contains("MAIL") && !told.contains("ada@"), "{told}");
    }
}

#[tokio::test]
async fn what_nobody_can_take_is_given_up() {
    let (place, smtp) = mailing(Protection::None).await;
    smtp.mailbox.store(550, Ordering::Relaxed);
    let late = Mail {
        to: "ada@example.org".into(),
        template: Template::ResetPassword,
        values: BTreeMap::from([("path".to_owned(), "/reset".to_owned())]),
        until: Some(place.ambient.now()),
        language: None,
    };
    let parcels = vec![
        letter("nobody@example.org"),
        letter("no address\r\nRCPT TO:<evil@example.org>"),
        NewParcel::mail(None, &late).unwrap(),
        NewParcel { sink: Sink::Mail, user: None, payload: Secret::new("{".into()) },
    ];
    place.store.send(parcels).await.unwrap();
    let running = run(&place);
    eventually("all are given up", async || place.store.parcels_waiting().await.unwrap().0 == 0).await;
    running.end().await;
    let told = smtp.told();
    assert!(!told.contains("DATA") && !told.contains("evil@"), "{told}");
    // An alert is kept whatever the server says about the mailbox: a wrong address can be put right.
    let running = run(&place);
    place.alerts.raise(finding(&place)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(place.store.parcels_waiting().await.unwrap().0, 1);
    smtp.mailbox.store(250, Ordering::Relaxed);
    place.turn(Duration::from_secs(150));
    eventually("it is taken", async || place.store.parcels_waiting().await.unwrap().0 == 0).await;
    running.end().await;
}

/// A local alert is told while the database is away, and stored when it is back.
#[tokio::test]
async fn what_cannot_be_stored_is_told_at_once() {
    let hook = Hook::start().await;
    let place = Place::with_webhook(&hook.url()).await;
    // A full disk: nothing can be written.
    place.store.check_key().await.unwrap();
    place.store.limit_pages(1).await.unwrap();
    let finding = || Finding::new(Kind::Health, place.ambient.now()).about("host:8080").with("checks", 2);
    let large = finding().with("large", "-".repeat(3_000_000));
    assert!(place.alerts.raise(large).await.unwrap());
    eventually("it was told", async || hook.taken().len() == 1).await;
    assert!(place.of("health").await.is_empty());
    // The failure has cost the writer its connection, and the next one knows no limit: the disk is free again.
    assert!(!place.alerts.raise(finding()).await.unwrap(), "told once");
    assert!(place.of("health").await[0].closed_at.is_none());
    assert!(place.alerts.recover(Kind::Health, Some("host:8080")).await.unwrap());
    let stored = place.of("health").await;
    assert!(stored.len() == 1 && stored[0].closed_at.is_some());
    let running = run(&place);
    eventually("recovery is told", async || hook.taken().len() == 2).await;
    running.end().await;
    assert!(hook.taken()[1].1.contains("alert.recovered"));
}
