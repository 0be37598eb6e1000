//! Apps that are in the configuration no more. What was promised when something was written still holds: the last rule
//! of the app goes on. What it kept without an end goes a while after the app, which the operator sets. The database
//! remembers the rules, because the configuration does not say them any more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kernel::{AppId, Fault, Result, Time};
use serde::{Deserialize, Serialize};
use store::{AppContent, Store};

use super::{AppRule, Config};

/// Where the rules are remembered.
const STATE: &str = "retention.apps";

/// How an app was configured the last time, in milliseconds, and since when it is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Known {
    talk: Option<u64>,
    quality: Option<u64>,
    files: Option<u64>,
    gone: Option<i64>,
}

impl Known {
    fn of(rule: &AppRule) -> Known {
        let millis =
            |span: Option<Duration>| span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        Known {
            talk: millis(rule.talk),
            quality: millis(rule.quality),
            files: millis(rule.files),
            gone: None,
        }
    }

    fn rule(self, app: AppId, removed: Option<Duration>, now: Time) -> AppRule {
        let over = self.ends(removed).is_some_and(|end| end <= now);
        let span = |kept: Option<u64>| match kept {
            _ if over => Some(Duration::ZERO),
            kept => kept.map(Duration::from_millis),
        };
        AppRule { app, talk: span(self.talk), quality: span(self.quality), files: span(self.files) }
    }

    fn ends(self, removed: Option<Duration>) -> Option<Time> {
        Some(Time::from_micros(self.gone?) + removed?)
    }
}

type All = BTreeMap<String, Known>;

async fn read(store: &Store) -> Result<All> {
    match store.get_state(STATE).await? {
        Some(text) => serde_json::from_str(&text).map_err(Fault::internal),
        None => Ok(All::new()),
    }
}

/// The rules of the apps that are gone. With `look` the tables are looked through too: for apps that were removed before
/// anybody remembered them, and for those of which nothing is left.
pub(super) async fn rules(store: &Store, config: &Config, now: Time, look: bool) -> Result<Vec<AppRule>> {
    let before = read(store).await?;
    let mut all = before.clone();
    let configured: BTreeSet<&str> = config.apps.iter().map(|rule| rule.app.as_str()).collect();
    all.extend(config.apps.iter().map(|rule| (rule.app.as_str().to_owned(), Known::of(rule))));
    if look {
        let content = store.apps_with_content().await?;
        for app in &content {
            all.entry(app.as_str().to_owned()).or_default();
        }
        let left = |app: &str| content.iter().any(|full| full.as_str() == app);
        all.retain(|app, _| configured.contains(app.as_str()) || left(app));
    }
    let mut rules = Vec::new();
    for (app, known) in all.iter_mut().filter(|(app, _)| !configured.contains(app.as_str())) {
        if known.gone.is_none() {
            tracing::warn!(app, "an app is in the configuration no more; what lies in it goes with its time");
            known.gone = Some(now.micros());
        }
        rules.push(known.rule(AppId::parse(app)?, config.removed, now));
    }
    if all != before {
        let text = serde_json::to_string(&all).map_err(Fault::internal)?;
        store.set_state(STATE, &text, Vec::new()).await?;
    }
    Ok(rules)
}

/// An app that is in the configuration no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removed {
    /// What lies in it.
    pub content: AppContent,
    /// When all of it goes; `None` where the operator keeps it, or where no server has noticed yet.
    pub ends: Option<Time>,
}

/// The apps that hold content and are not configured.
///
/// # Errors
/// When the database cannot be read.
pub async fn removed(store: &Store, config: &Config) -> Result<Vec<Removed>> {
    let known = read(store).await?;
    let mut found = Vec::new();
    for app in store.apps_with_content().await? {
        if config.apps.iter().all(|rule| rule.app != app) {
            let ends = known.get(app.as_str()).and_then(|known| known.ends(config.removed));
            found.push(Removed { content: store.app_content(&app).await?, ends });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_goes_on_and_what_had_no_end_gets_one() {
        let (day, now) = (Duration::from_secs(86_400), Time::from_seconds(1_800_000_000));
        let app = || AppId::parse("handbook").unwrap();
        let rule = AppRule { app: app(), talk: Some(day), quality: None, files: None };
        let gone = Known { gone: Some((now - day * 2).micros()), ..Known::of(&rule) };
        assert_eq!(gone.rule(app(), Some(day * 3), now), rule);
        assert_eq!(gone.rule(app(), None, now), rule, "kept until somebody deletes it");
        let none = Some(Duration::ZERO);
        let all = AppRule { app: app(), talk: none, quality: none, files: none };
        assert_eq!(gone.rule(app(), Some(day), now), all);
        assert_eq!(gone.ends(Some(day)), Some(now - day));
        assert_eq!((gone.ends(None), Known::default().ends(Some(day))), (None, None));
    }
}
