//! Reports on a schedule, to where alerts go: each is sent once, by one replica, also when the server was down at the hour.
//! It owns when a report is due. What it says is gathered when it is.

use std::time::Duration;

use kernel::{Ambient, Result, Time};
use serde_json::{Map, Value};
use store::{NewParcel, Store};
use tokio_util::sync::CancellationToken;

use super::{Ask, Period, gather};
use crate::alerts::{Event, Notice, Sender};
use crate::post::Post;

/// The hour of the day, in UTC, from which a report is sent.
const HOUR: i64 = 6;

/// How often it is looked whether one is due.
const PACE: Duration = Duration::from_secs(60);

/// The lease of the replica that sends, and how long it is held.
const LEASE: &str = "reports";
const SPAN: Duration = Duration::from_secs(180);

/// The name under which the store remembers what was sent.
const SENT: &str = "reports";

/// The schedule of reports. Cheap to clone.
#[derive(Clone)]
pub struct Mailing {
    /// Which reports are sent.
    pub wanted: Vec<Period>,
    /// The data.
    pub store: Store,
    /// The way out.
    pub post: Post,
    /// Who tells.
    pub sender: Sender,
    /// What only the server knows.
    pub known: Ask,
    /// Time and randomness.
    pub ambient: Ambient,
}

/// The day, week or month that a report is about, as a number that grows: the report of a number is sent once.
fn number(period: Period, now: Time) -> i64 {
    let days =
        (now - Duration::from_secs(u64::try_from(HOUR).unwrap_or(0) * 3_600)).seconds().div_euclid(86_400);
    match period {
        Period::Daily => days,
        // 1970-01-01 was a Thursday: weeks begin on Monday.
        Period::Weekly => (days + 3).div_euclid(7),
        Period::Monthly => {
            let text = Time::from_seconds(days * 86_400).rfc3339_seconds();
            let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<i64>().ok());
            part(0, 4).unwrap_or(0) * 12 + part(5, 7).unwrap_or(0)
        }
    }
}

impl Mailing {
    /// Looks again and again until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        if self.wanted.is_empty() {
            return;
        }
        let holder: String = self.ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        loop {
            if let Err(fault) = self.look(&holder).await {
                tracing::warn!(code = fault.code().as_str(), "a report cannot be made now");
            }
            tokio::select! {
                () = tokio::time::sleep(PACE) => {}
                () = stop.cancelled() => break,
            }
        }
        let _ = self.store.drop_lease(LEASE, &holder).await;
    }

    /// Sends what is due; gives how many.
    pub async fn look(&self, holder: &str) -> Result<usize> {
        let sinks = self.post.alert_sinks();
        if sinks.is_empty() || !self.store.hold_lease(LEASE, holder, SPAN).await? {
            return Ok(0);
        }
        let known = self.store.get_state(SENT).await?;
        let mut sent: Map<String, Value> =
            known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let now = self.ambient.now();
        let mut count = 0;
        for period in &self.wanted {
            let due = number(*period, now);
            let last = sent.get(period.as_str()).and_then(Value::as_i64);
            if last.is_none_or(|last| last < due) {
                // The first one comes when its day, week or month is over: before that there is little to tell.
                if last.is_some() {
                    let report = gather(&self.store, *period, &(self.known)(), now).await?;
                    let (wrong, look) = report.counts();
                    let mut details = Map::new();
                    details.insert("wrong".to_owned(), wrong.into());
                    details.insert("worth_a_look".to_owned(), look.into());
                    let notice = Notice {
                        event: Event::Report,
                        id: kernel::AlertId::new(&self.ambient),
                        kind: format!("report_{}", period.as_str()),
                        severity: if wrong > 0 { "medium" } else { "low" }.to_owned(),
                        title: format!("The {} report", period.as_str()),
                        text: report.text(),
                        timestamp: now,
                        details,
                        server: self.sender.server.clone(),
                        environment: self.sender.environment.to_owned(),
                    };
                    let payload = serde_json::to_string(&notice).map_err(kernel::Fault::internal)?;
                    let parcel = |sink: &store::Sink| NewParcel {
                        sink: *sink,
                        user: None,
                        payload: payload.clone().into(),
                    };
                    self.store.send(sinks.iter().map(parcel).collect()).await?;
                    count += 1;
                }
                sent.insert(period.as_str().to_owned(), due.into());
                let text = Value::Object(sent.clone()).to_string();
                self.store.set_state(SENT, &text, Vec::new()).await?;
            }
        }
        if count > 0 {
            self.post.nudge();
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_due_at_its_hour() {
        let at = |text: &str| Time::parse_rfc3339(text).unwrap();
        let same = |period, one: &str, other: &str| number(period, at(one)) == number(period, at(other));
        assert!(!same(Period::Daily, "2026-11-21T05:59:59Z", "2026-11-21T06:00:00Z"));
        assert!(same(Period::Daily, "2026-11-21T06:00:00Z", "2026-11-22T05:59:59Z"));
        // 2026-11-23 is a Monday.
        assert!(!same(Period::Weekly, "2026-11-23T05:59:59Z", "2026-11-23T06:00:00Z"));
        assert!(same(Period::Weekly, "2026-11-23T06:00:00Z", "2026-11-30T05:59:59Z"));
        assert!(!same(Period::Monthly, "2026-12-01T05:59:59Z", "2026-12-01T06:00:00Z"));
        assert!(same(Period::Monthly, "2026-12-01T06:00:00Z", "2027-01-01T05:59:59Z"));
        assert!(
            number(Period::Monthly, at("2027-01-02T00:00:00Z"))
                > number(Period::Monthly, at("2026-12-02T00:00:00Z"))
        );
    }
}
