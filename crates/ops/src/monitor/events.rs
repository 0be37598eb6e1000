//! What is counted in the audit log: failed sign-ins, guessing, permission changes, token reuse, refusals by limits,
//! failed backups. One replica counts for all of them, from the events alone, so a restart forgets nothing.
//! It owns those thresholds.

use std::collections::HashMap;

use kernel::{EventType, Result, Severity, Time};
use serde_json::{Value, json};
use store::{By, Store, Tally, TallyQuery};

use crate::alerts::{Alerts, Finding, Kind, cause};

/// Open alerts of one kind at the most; what comes on top is told together, so that an attacker with ten thousand
/// addresses does not send ten thousand mails.
const MOST_OPEN: u64 = 20;

/// What stands for all causes on top of those.
const MANY: &str = "many";

/// Addresses that an alert about limits names.
const MOST_NAMED: usize = 5;

/// Causes that are remembered as seen.
const MOST_SEEN: usize = 10_000;

/// A threshold.
struct Threshold {
    kind: Kind,
    event_type: EventType,
    severity: Option<Severity>,
    by: By,
    /// What the group is called in the details.
    name: &'static str,
    /// More events than this raise an alert.
    more_than: u64,
    /// From at least so many different addresses.
    addresses: u64,
}

/// Watches the audit log.
pub(super) struct Events {
    thresholds: Vec<Threshold>,
    /// The last event of each cause that was dealt with, so that nothing is asked twice about the same.
    seen: HashMap<String, Time>,
}

impl Events {
    /// With these thresholds (CONTRACT section 6).
    pub(super) fn new(rate_limits_per_minute: u64) -> Events {
        let threshold = |kind, event_type, by, name, more_than| Threshold {
            kind,
            event_type,
            severity: None,
            by,
            name,
            more_than,
            addresses: 0,
        };
        let failed = |kind, by, name| Threshold {
            severity: Some(Severity::High),
            ..threshold(kind, EventType::AuthFailure, by, name, 10)
        };
        let thresholds = vec![
            failed(Kind::FailedSignIns, By::Address, "address"),
            Threshold { addresses: 2, ..failed(Kind::AccountGuessing, By::Account, "account") },
            threshold(Kind::PermissionChanges, EventType::PermissionChanged, By::Everything, "", 5),
            threshold(Kind::TokenReuse, EventType::TokenReuse, By::Actor, "actor", 0),
            threshold(
                Kind::RateLimits,
                EventType::RatelimitExceeded,
                By::Everything,
                "",
                rate_limits_per_minute,
            ),
            threshold(Kind::BackupFailed, EventType::BackupFailed, By::Everything, "", 0),
        ];
        Events { thresholds, seen: HashMap::new() }
    }

    /// Another replica watches: what this one has seen is out of date.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }

    /// Looks at every threshold once.
    pub(super) async fn look(&mut self, store: &Store, alerts: &Alerts, now: Time) -> Result<()> {
        if self.seen.len() > MOST_SEEN {
            self.seen.clear();
        }
        for kind in Kind::ALL {
            store.close_quiet_alerts(kind.as_str(), now - kind.quiet()).await?;
        }
        for threshold in &self.thresholds {
            let mut many = 0;
            for tally in store.tally(threshold.query(now - threshold.kind.window(), None)).await? {
                let about = Some(tally.group.as_str()).filter(|group| !group.is_empty());
                let cause = cause(threshold.kind, about);
                if tally.addresses < threshold.addresses || self.seen.get(&cause) == Some(&tally.last_at) {
                    continue;
                }
                let last_at = tally.last_at;
                many += threshold.judge(store, alerts, &cause, tally, now).await?;
                self.seen.insert(cause, last_at);
            }
            if many > 0 {
                let finding = Finding { count: many, ..Finding::new(threshold.kind, now) };
                let finding = finding.about(MANY).with("causes", many).with("many", true);
                alerts.raise(finding).await?;
            }
        }
        Ok(())
    }
}

impl Threshold {
    fn query(&self, since: Time, only: Option<&str>) -> TallyQuery {
        TallyQuery {
            event_type: self.event_type,
            severity: self.severity,
            since,
            by: self.by,
            only: only.map(str::to_owned),
            more_than: self.more_than,
        }
    }

    /// Deals with a cause over the threshold. Gives 1 when it is to be told together with others.
    async fn judge(
        &self,
        store: &Store,
        alerts: &Alerts,
        cause: &str,
        tally: Tally,
        now: Time,
    ) -> Result<u64> {
        let group = tally.group.clone();
        let about = Some(group.as_str()).filter(|group| !group.is_empty());
        if let Some(open) = alerts.open(self.kind, about).await? {
            let since = TallyQuery { more_than: 0, ..self.query(open.last_at, about) };
            if let Some(fresh) = store.tally(since).await?.first() {
                store.count_alert(cause, fresh.count, fresh.last_at).await?;
            }
            return Ok(0);
        }
        // What somebody has taken note of is not told again: after an acknowledgement counting begins anew.
        let tally = match store.last_acknowledged(cause, now - self.kind.window()).await? {
            None => tally,
            Some(since) => match store.tally(self.query(since, about)).await?.into_iter().next() {
                Some(tally) if tally.addresses >= self.addresses => tally,
                _ => return Ok(0),
            },
        };
        if store.count_open_alerts(Some(self.kind.as_str())).await? >= MOST_OPEN {
            return Ok(1);
        }
        let mut finding = Finding { count: tally.count, ..Finding::new(self.kind, tally.last_at) };
        finding = finding.with("count", tally.count);
        if let Some(group) = about {
            finding = finding.about(group).with(self.name, group);
        }
        if self.addresses > 0 {
            finding = finding.with("addresses", tally.addresses);
        }
        if self.kind == Kind::RateLimits {
            finding = finding.with("addresses", self.busiest(store, now).await?);
        }
        alerts.raise(finding).await?;
        Ok(0)
    }

    /// The addresses with the most events in the window.
    async fn busiest(&self, store: &Store, now: Time) -> Result<Vec<Value>> {
        let since = now - self.kind.window();
        let query = TallyQuery { by: By::Address, more_than: 0, ..self.query(since, None) };
        let tallies = store.tally(query).await?;
        let named = tallies.into_iter().take(MOST_NAMED);
        Ok(named.map(|tally| json!({"address": tally.group, "count": tally.count})).collect())
    }
}
