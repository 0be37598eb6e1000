//! How old secrets and API keys are: the database keeps when each was first seen, as marks that tell nothing about
//! them. It owns the two thresholds. It never replaces anything.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Fault, Result, Time};
use serde::{Deserialize, Serialize};
use store::{ApiKey, Store};

use crate::settings::SecretMark;

/// The name under which the store keeps the marks.
const SEEN: &str = "secrets";
/// Marks of secrets that are gone are kept too: another replica may still use them. This many at most.
const MOST: usize = 1_000;
const DAY: u64 = 24 * 60 * 60;
/// Older than this is told (row K21: rotate monthly, at the latest quarterly).
pub(crate) const OLD: u64 = 30;
/// Older than this fails `stoa check`.
pub(crate) const TOO_OLD: u64 = 90;

/// Marks, and when each was first seen.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Seen(BTreeMap<String, Time>);

/// A secret and its age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Age {
    /// The name under which the operator knows it.
    pub(crate) name: String,
    /// Whole days.
    pub(crate) days: u64,
}

/// Keeps the first sight of secrets that were not seen before.
pub(crate) async fn note(store: &Store, secrets: &[SecretMark], now: Time) {
    let noted = async {
        let mut seen = read(store).await?;
        if !seen.add(secrets, now) {
            return Ok(());
        }
        let text = serde_json::to_string(&seen).map_err(Fault::internal)?;
        store.set_state(SEEN, &text, Vec::new()).await
    };
    if let Err(fault) = noted.await {
        tracing::warn!(code = fault.code().as_str(), "the age of the secrets could not be noted");
    }
}

/// The secrets by age, the oldest first. One that was never seen is new.
pub(crate) async fn of_secrets(store: &Store, secrets: &[SecretMark], now: Time) -> Result<Vec<Age>> {
    Ok(read(store).await?.ages(secrets, now))
}

/// The API keys that count, by the time since they were made or replaced, the oldest first.
pub(crate) fn of_keys(keys: &[ApiKey], now: Time) -> Vec<Age> {
    let counts = |key: &&ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at);
    let age = |key: &ApiKey| Age { name: key.id.to_string(), days: of_key(key, now) };
    sorted(keys.iter().filter(counts).map(age).collect())
}

/// The whole days since the secret of a key was made.
pub(crate) fn of_key(key: &ApiKey, now: Time) -> u64 {
    days(now.since(key.since()))
}

/// Tells the log about everything that is old.
pub(crate) async fn tell(store: &Store, secrets: &[SecretMark], keys: &[ApiKey], now: Time) {
    let Ok(ages) = of_secrets(store, secrets, now).await else { return };
    for age in ages.iter().filter(|age| age.days >= OLD) {
        tracing::warn!(setting = age.name, days = age.days, "a secret is older than {OLD} days: replace it");
    }
    let keys: Vec<Age> = of_keys(keys, now).into_iter().filter(|age| age.days >= OLD).collect();
    if let Some(oldest) = keys.first() {
        tracing::warn!(
            keys = keys.len(),
            oldest = oldest.name,
            days = oldest.days,
            "API keys are older than {OLD} days: `stoa key rotate` replaces one"
        );
    }
}

async fn read(store: &Store) -> Result<Seen> {
    let text = store.get_state(SEEN).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

impl Seen {
    /// Adds what was not seen before; whether there was something.
    fn add(&mut self, secrets: &[SecretMark], now: Time) -> bool {
        let before = self.0.len();
        for secret in secrets {
            self.0.entry(secret.mark.clone()).or_insert(now);
        }
        let grown = self.0.len() > before;
        while self.0.len() > MOST {
            let unused = self.0.iter().filter(|(mark, _)| secrets.iter().all(|secret| secret.mark != **mark));
            let Some(oldest) = unused.min_by_key(|(_, at)| **at).map(|(mark, _)| mark.clone()) else { break };
            self.0.remove(&oldest);
        }
        grown
    }

    fn ages(&self, secrets: &[SecretMark], now: Time) -> Vec<Age> {
        let age = |secret: &SecretMark| Age {
            name: secret.place.clone(),
            days: self.0.get(&secret.mark).map_or(0, |at| days(now.since(*at))),
        };
        sorted(secrets.iter().map(age).collect())
    }
}

fn sorted(mut ages: Vec<Age>) -> Vec<Age> {
    ages.sort_by(|a, b| b.days.cmp(&a.days).then_with(|| a.name.cmp(&b.name)));
    ages
}

fn days(span: Duration) -> u64 {
    span.as_secs() / DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(place: &str, mark: &str) -> SecretMark {
        SecretMark { place: place.to_owned(), mark: mark.to_owned() }
    }

    fn day(day: i64) -> Time {
        Time::from_seconds(day * 86_400)
    }

    #[test]
    fn a_secret_keeps_its_age_until_it_is_replaced() {
        let mut seen = Seen::default();
        assert!(seen.add(&[secret("SESSION_SECRET", "a"), secret("API_KEYS", "k")], day(0)));
        assert!(!seen.add(&[secret("SESSION_SECRET", "a")], day(10)));
        // Replaced, and the old one goes on as the one before: it is as old as it is.
        let now = [secret("SESSION_SECRET", "b"), secret("SESSION_SECRET_PREVIOUS", "a")];
        assert!(seen.add(&now, day(40)));
        let ages: Vec<(String, u64)> =
            seen.ages(&now, day(41)).into_iter().map(|age| (age.name, age.days)).collect();
        assert_eq!(ages, [("SESSION_SECRET_PREVIOUS".to_owned(), 41), ("SESSION_SECRET".to_owned(), 1)]);
        assert_eq!(seen.ages(&[secret("NEW", "n")], day(50))[0].days, 0);
        assert_eq!(
            seen.ages(&now, day(0))[0].days,
            0,
            "a clock that was set back makes nothing young or old"
        );
    }

    #[test]
    fn what_is_in_use_is_never_forgotten() {
        let mut seen = Seen::default();
        let kept = secret("SESSION_SECRET", "kept");
        seen.add(std::slice::from_ref(&kept), day(0));
        for number in 0..MOST {
            seen.add(&[kept.clone(), secret("API_KEYS", &format!("{number}"))], day(1));
        }
        assert_eq!(seen.0.len(), MOST);
        assert_eq!(seen.ages(&[kept], day(5))[0].days, 5);
    }

    #[test]
    fn marks_survive_their_text_form() {
        let mut seen = Seen::default();
        seen.add(&[secret("A", "a")], day(3));
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Seen>(&text).unwrap().0, seen.0);
    }
}
