//! Alerts: from a finding to a stored alert, a line in the log and parcels for every sink, once per cause. It owns what
//! happens when the database is away, which is what some alerts are about. It never judges: the monitor finds, and
//! identity lets people acknowledge.

mod kind;
mod notice;

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Actor, AlertId, Ambient, AuditEvent, EventType, Result, Secret, Time};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use store::{Alert, NewAlert, NewParcel, Raised, Store};

pub use kind::Kind;
pub use notice::{Event, Notice};

use crate::post::Post;
use crate::telemetry::Mask;

/// Alerts that wait for the database at the most: each process has a handful of local causes.
const MOST_WAITING: usize = 64;

/// Who tells, in every notice.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Where people reach the server, without a slash at the end.
    pub server: String,
    /// `development`, `staging`, `production`.
    pub environment: &'static str,
}

/// Something worth an alert.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// What sort.
    pub kind: Kind,
    /// What it is about, within its kind: an address, an account, a replica. With the kind it is the cause.
    pub about: Option<String>,
    /// Ids, addresses and counts.
    pub details: Map<String, Value>,
    /// How often it has happened.
    pub count: u64,
    /// When it happened last.
    pub last_at: Time,
}

impl Finding {
    /// One of this kind, about nothing in particular, now.
    pub fn new(kind: Kind, now: Time) -> Finding {
        Finding { kind, about: None, details: Map::new(), count: 1, last_at: now }
    }

    /// About this address, account or replica.
    #[must_use]
    pub fn about(mut self, what: impl Into<String>) -> Finding {
        self.about = Some(what.into());
        self
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Finding {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    fn cause(&self) -> String {
        cause(self.kind, self.about.as_deref())
    }
}

/// The cause of an alert: its kind and what it is about.
pub(crate) fn cause(kind: Kind, about: Option<&str>) -> String {
    match about {
        Some(about) => format!("{}:{about}", kind.as_str()),
        None => kind.as_str().to_owned(),
    }
}

/// Raises alerts. Cheap to clone.
#[derive(Clone)]
pub struct Alerts(Arc<Inner>);

struct Inner {
    store: Store,
    post: Post,
    ambient: Ambient,
    sender: Sender,
    mask: Mask,
    /// What was told and could not be stored.
    waiting: Mutex<HashMap<String, NewAlert>>,
}

impl Alerts {
    /// Alerts that this post carries.
    pub fn new(store: Store, post: Post, sender: Sender, mask: Mask, ambient: Ambient) -> Alerts {
        Alerts(Arc::new(Inner { store, post, ambient, sender, mask, waiting: Mutex::default() }))
    }

    /// Raises an alert: `true` for a new one, which is logged and sent; while one of the same cause is open it is
    /// counted there. A local one is told at once when the database is away, and stored when it is back.
    pub async fn raise(&self, finding: Finding) -> Result<bool> {
        let inner = &*self.0;
        let (kind, cause) = (finding.kind, finding.cause());
        if inner.waiting.lock().contains_key(&cause) {
            // It has been told; whether it can be stored now is another matter.
            let _ = self.store_waiting().await;
            return Ok(false);
        }
        let new = NewAlert {
            id: AlertId::new(&inner.ambient),
            cause: cause.clone(),
            kind: kind.as_str(),
            severity: kind.severity(),
            details: notice::masked(inner.mask, finding.details),
            count: finding.count,
            last_at: finding.last_at,
        };
        let told = self.notice(Event::Raised, kind, new.id, inner.ambient.now(), new.details.clone());
        let parcels = self.parcels(&told);
        let outcome = inner.store.raise_alert(new.clone(), kind.quiet(), parcels.clone(), audit(&new)).await;
        match outcome {
            Ok(Raised::New(_)) => {
                say(&told, &cause);
                inner.post.nudge();
                Ok(true)
            }
            Ok(Raised::Counted(_)) => Ok(false),
            Err(_) if kind.is_local() => {
                let mut waiting = inner.waiting.lock();
                if waiting.len() >= MOST_WAITING {
                    return Ok(false);
                }
                say(&told, &cause);
                waiting.insert(cause, new);
                inner.post.carry_now(parcels);
                Ok(true)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Says that something is over: closes its open alert and tells so. `false`: none was open.
    pub async fn recover(&self, kind: Kind, about: Option<&str>) -> Result<bool> {
        let inner = &*self.0;
        let cause = cause(kind, about);
        self.store_waiting().await?;
        // What goes out names the alert, so it is looked up first; the closing itself is what counts.
        let Some(open) = inner.store.open_alert(&cause).await? else { return Ok(false) };
        let details = open.details.as_object().cloned().unwrap_or_default();
        let told = self.notice(Event::Recovered, kind, open.id, inner.ambient.now(), details);
        let closed = inner.store.close_alert(&cause, self.parcels(&told)).await?;
        if closed.is_some() {
            tracing::info!(kind = kind.as_str(), cause, alert = %open.id, "{}", told.headline());
            inner.post.nudge();
        }
        Ok(closed.is_some())
    }

    /// Stores what could not be stored when it was told.
    pub async fn store_waiting(&self) -> Result<()> {
        let inner = &*self.0;
        let waiting: Vec<NewAlert> = inner.waiting.lock().values().cloned().collect();
        for new in waiting {
            let quiet = Kind::ALL.iter().find(|kind| kind.as_str() == new.kind).map(|kind| kind.quiet());
            inner.store.raise_alert(new.clone(), quiet.unwrap_or_default(), Vec::new(), audit(&new)).await?;
            inner.waiting.lock().remove(&new.cause);
        }
        Ok(())
    }

    /// The open alert of a cause.
    pub(crate) async fn open(&self, kind: Kind, about: Option<&str>) -> Result<Option<Alert>> {
        self.0.store.open_alert(&cause(kind, about)).await
    }

    fn notice(
        &self,
        event: Event,
        kind: Kind,
        id: AlertId,
        timestamp: Time,
        details: Map<String, Value>,
    ) -> Notice {
        let Sender { server, environment } = &self.0.sender;
        let text = match event {
            Event::Raised => kind.say(&details),
            Event::Recovered | Event::Report => {
                "It is over: what had raised the alert is as it should be again.".to_owned()
            }
        };
        Notice {
            event,
            id,
            kind: kind.as_str().to_owned(),
            severity: kind.severity().as_str().to_owned(),
            title: kind.title().to_owned(),
            text,
            timestamp,
            details,
            server: server.clone(),
            environment: (*environment).to_owned(),
        }
    }

    fn parcels(&self, told: &Notice) -> Vec<NewParcel> {
        let Ok(payload) = serde_json::to_string(told) else { return Vec::new() };
        let sinks = self.0.post.alert_sinks().into_iter();
        sinks.map(|sink| NewParcel { sink, user: None, payload: Secret::new(payload.clone()) }).collect()
    }
}

/// The line that an operator greps for; in the log, addresses are masked like everywhere.
fn say(told: &Notice, cause: &str) {
    metrics::counter!("stoa_alerts_total", "kind" => told.kind.clone()).increment(1);
    tracing::error!(
        event_type = "alert.raised",
        alert = %told.id,
        kind = told.kind,
        severity = told.severity,
        cause,
        text = told.text,
        "{}",
        told.headline()
    );
}

fn audit(new: &NewAlert) -> Vec<AuditEvent> {
    let event = AuditEvent::new(EventType::AlertRaised, Actor::System)
        .to(format_args!("alert:{}", new.id))
        .with("kind", new.kind)
        .with("cause", new.cause.as_str())
        .with("count", new.count);
    vec![AuditEvent { severity: new.severity, ..event }]
}
