//! How long what is kept, and what follows from it for this moment. Pure: it knows neither the clock nor the database.

use std::time::Duration;

use kernel::{AppId, Time};
use store::{SweepKind, SweepOrder};

/// How long an app keeps what; `None` until somebody deletes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppRule {
    /// The app.
    pub app: AppId,
    /// Conversations with their messages, and what belongs to them.
    pub talk: Option<Duration>,
    /// Opinions, outcomes, questions without an answer.
    pub quality: Option<Duration>,
    /// Files.
    pub files: Option<Duration>,
}

/// How long everything is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The apps; those that keep everything need not stand here.
    pub apps: Vec<AppRule>,
    /// The audit log, and alerts that are over.
    pub audit: Duration,
    /// What an app kept without an end, after the app has gone from the configuration; `None` until somebody deletes it.
    pub removed: Option<Duration>,
}

/// Sweeps are not further apart than this, and not closer.
const SLOWEST: Duration = Duration::from_secs(30);
const FASTEST: Duration = Duration::from_millis(500);

impl Config {
    /// What is to be removed now, in order: opinions before the conversations that they belong to.
    pub fn orders(&self, now: Time) -> Vec<SweepOrder> {
        orders(&self.apps, now)
    }

    /// How often to look: what is kept for a short time goes soon after it.
    pub fn pace(&self) -> Duration {
        let times = self.apps.iter().flat_map(|rule| [rule.talk, rule.quality, rule.files]).flatten();
        times.min().map_or(SLOWEST, |shortest| (shortest / 10).clamp(FASTEST, SLOWEST))
    }
}

/// What is to be removed by these rules, in order.
pub(super) fn orders(rules: &[AppRule], now: Time) -> Vec<SweepOrder> {
    let mut orders = Vec::new();
    for rule in rules {
        // Younger than its conversation nothing about it need be; older only where its own time says so.
        let spare_quality = match (rule.quality, rule.talk) {
            (None, _) => true,
            (Some(quality), Some(talk)) => quality > talk,
            (Some(_), None) => false,
        };
        let kinds = [
            (SweepKind::Quality, rule.quality),
            (SweepKind::Talk, rule.talk),
            (SweepKind::Files, rule.files),
        ];
        for (kind, kept) in kinds {
            let Some(kept) = kept else { continue };
            orders.push(SweepOrder { app: rule.app.clone(), kind, before: now - kept, spare_quality });
        }
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(talk: Option<u64>, quality: Option<u64>, files: Option<u64>) -> AppRule {
        let span = |seconds: Option<u64>| seconds.map(Duration::from_secs);
        AppRule {
            app: AppId::parse("support").unwrap(),
            talk: span(talk),
            quality: span(quality),
            files: span(files),
        }
    }

    fn config(apps: Vec<AppRule>) -> Config {
        Config { apps, audit: Duration::from_secs(90 * 86_400), removed: None }
    }

    #[test]
    fn each_kind_has_its_time() {
        let now = Time::from_seconds(1_000_000);
        assert!(config(vec![]).orders(now).is_empty());
        assert!(config(vec![rule(None, None, None)]).orders(now).is_empty());
        let orders = config(vec![rule(Some(60), Some(600), Some(6))]).orders(now);
        let seen: Vec<_> =
            orders.iter().map(|order| (order.kind, now.since(order.before).as_secs())).collect();
        assert_eq!(seen, [(SweepKind::Quality, 600), (SweepKind::Talk, 60), (SweepKind::Files, 6)]);
        assert!(orders.iter().all(|order| order.spare_quality));
        for (talk, quality, spare) in
            [(Some(60), Some(60), false), (Some(60), Some(6), false), (Some(60), None, true)]
        {
            let orders = config(vec![rule(talk, quality, None)]).orders(now);
            assert!(orders.iter().all(|order| order.spare_quality == spare), "{talk:?} {quality:?}");
        }
    }

    #[test]
    fn what_is_kept_for_a_short_time_is_looked_at_often() {
        assert_eq!(config(vec![]).pace(), SLOWEST);
        assert_eq!(config(vec![rule(Some(86_400), None, None)]).pace(), SLOWEST);
        assert_eq!(config(vec![rule(Some(86_400), None, Some(60))]).pace(), Duration::from_secs(6));
        assert_eq!(config(vec![rule(Some(1), None, None)]).pace(), FASTEST);
    }
}
