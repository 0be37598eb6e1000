//! Looks at Secrets Manager and AWS, at how long sessions and tokens live, and at the age of secrets and keys.

use std::time::Duration;

use guard::outbound::Outbound;
use guard::outbound::aws::{Aws, Config};
use kernel::{Ambient, Fault};
use store::{Database, Store};

use super::Probe;
use crate::ages::{self, Age, OLD, TOO_OLD};
use crate::jobs::every_key;
use crate::settings::table::aws::AWS_KEY_ID;
use crate::settings::table::identity::{
    JWT_ACCESS_MINUTES, JWT_REFRESH_DAYS, SESSION_MINUTES, SESSION_SLIDE_MINUTES, VISITOR_SECONDS,
};
use crate::settings::{Settings, Sources, Values};

/// Opening the database may take this long; the line of the database says more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether Secrets Manager gave what it was asked for; `None` when it was not asked.
pub(crate) fn secrets_manager(sources: &Sources) -> Option<Probe> {
    let name = "secrets manager";
    if let Some(missing) = &sources.vault_missing {
        let fix = "check SECRETS_MANAGER_SECRET_NAME, its region and what the role may do";
        return Some(Probe::bad(name, missing.to_string(), fix));
    }
    let vault = sources.vault.as_ref()?;
    let known = vault.current.keys().filter(|name| vault.is_setting(name)).count();
    let others = vault.current.len() - known;
    let before = if vault.previous.is_empty() { "" } else { ", and there is a version before it" };
    let say = format!("version {}: {known} settings, {others} other names{before}", vault.version);
    Some(Probe::good(name, say))
}

/// Asks AWS who this server is; `None` when nothing is configured for it.
pub(crate) async fn aws(settings: &Settings, sources: &Sources, ambient: &Ambient) -> Option<Probe> {
    let (name, config) = ("aws", &settings.aws);
    let asked = sources.vault.is_some() || sources.vault_missing.is_some() || asks_bedrock(settings);
    if !asked && config.keys.is_none() && config.web_identity.is_none() && config.container.is_none() {
        return None;
    }
    let outbound = Outbound::new(Duration::from_secs(3)).ok()?;
    let aws = Aws::new(config.clone(), outbound.operator().clone(), ambient.clone());
    Some(match aws.caller().await {
        Ok(caller) => Probe::good(name, format!("by {}: {}", config.source(), caller.arn)),
        Err(failure) => Probe::bad(name, format!("by {}: {failure}", config.source()), failure.fix()),
    })
}

fn asks_bedrock(settings: &Settings) -> bool {
    settings.models.providers.iter().any(llm::Provider::is_bedrock)
}

/// With what Bedrock is asked, without asking anybody; `None` when it is not. Keys are shown as their fingerprints.
pub(crate) fn bedrock(settings: &Settings, values: &Values) -> Option<Probe> {
    if !asks_bedrock(settings) {
        return None;
    }
    let (name, config) = ("bedrock credentials", &settings.aws);
    let source = config.source();
    let detail = match config {
        Config { keys: Some(_), .. } => values
            .shown(&AWS_KEY_ID)
            .map_or_else(String::new, |(shown, origin)| format!(": the key {shown}, from {origin}")),
        Config { web_identity: Some(identity), .. } => format!(": {}", identity.role_arn),
        Config { container: Some(_), .. } => String::new(),
        Config { metadata: Some(url), .. } => format!(": asked at {}", url.host_str().unwrap_or_default()),
        _ => {
            let fix = guard::outbound::aws::Failure::NoCredentials.fix();
            return Some(Probe::bad(name, "there is nowhere to get any from", fix));
        }
    };
    Some(Probe::good(name, format!("from {source}{detail}")))
}

/// How long sessions and tokens live.
pub(crate) fn lifetimes(values: &Values) -> Probe {
    let minutes = |key| values.get(key).unwrap_or_default();
    Probe::good(
        "lifetimes",
        format!(
            "a session {}, extended when used {} after its last extension; an access token {}, a refresh token {} d; \
             a visitor {}",
            span(minutes(&SESSION_MINUTES) * 60),
            span(minutes(&SESSION_SLIDE_MINUTES) * 60),
            span(minutes(&JWT_ACCESS_MINUTES) * 60),
            minutes(&JWT_REFRESH_DAYS),
            span(minutes(&VISITOR_SECONDS)),
        ),
    )
}

fn span(seconds: u64) -> String {
    match seconds {
        0 => "0 s".to_owned(),
        seconds if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// How old the secrets and the API keys are.
pub(crate) async fn ages(settings: &Settings, ambient: &Ambient) -> Vec<Probe> {
    let names = ["age of secrets", "age of API keys"];
    let unknown = |why: &str| names.iter().map(|name| Probe::nothing(name, why)).collect();
    if let Database::Sqlite { path } = &settings.store.database
        && !path.exists()
    {
        return unknown("counted from the first start");
    }
    // A look makes no key.
    let mut sources = settings.keys.clone();
    sources.may_make = false;
    let Ok(keys) = sources.open(ambient.random()) else { return unknown("there are no keys yet") };
    let looked = async {
        let store = Store::open(settings.store.clone(), keys.keyring, ambient.clone()).await?;
        let now = ambient.now();
        let found = async {
            let secrets = ages::of_secrets(&store, &settings.secrets, now).await?;
            let keys = ages::of_keys(&every_key(&store).await?, now);
            Ok::<_, Fault>((secrets, keys))
        };
        let found = found.await;
        store.close().await;
        found
    };
    match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok((secrets, keys))) => vec![
            judge(names[0], &secrets, "replace it: `stoa secret`, and docs/operations.md says how"),
            judge(names[1], &keys, "replace it: `stoa key rotate`"),
        ],
        _ => unknown("the database has to be reached and migrated first"),
    }
}

fn judge(name: &str, ages: &[Age], fix: &str) -> Probe {
    let Some(oldest) = ages.first() else { return Probe::nothing(name, "there are none") };
    let listed = |least: u64| {
        let old: Vec<&Age> = ages.iter().filter(|age| age.days >= least).collect();
        let more = old.len().saturating_sub(5);
        let mut say: Vec<String> =
            old.iter().take(5).map(|age| format!("{} ({} days)", age.name, age.days)).collect();
        if more > 0 {
            say.push(format!("{more} more"));
        }
        format!("older than {least} days: {}", say.join(", "))
    };
    match oldest.days {
        days if days >= TOO_OLD => Probe::bad(name, listed(TOO_OLD), fix),
        days if days >= OLD => Probe::attention(name, listed(OLD), fix),
        days => Probe::good(name, format!("the oldest of {} is {days} days old", ages.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::paper::Mark;

    fn ages(days: &[u64]) -> Vec<Age> {
        days.iter().map(|days| Age { name: format!("S{days}"), days: *days }).collect()
    }

    #[test]
    fn thirty_days_warn_and_ninety_fail() {
        for (days, mark) in [
            (&[][..], Mark::Nothing),
            (&[29, 0], Mark::Good),
            (&[30, 1], Mark::Attention),
            (&[89], Mark::Attention),
            (&[90, 89], Mark::Bad),
        ] {
            assert_eq!(judge("age", &ages(days), "fix").mark, mark, "{days:?}");
        }
        let say = judge("age", &ages(&[95, 94, 93, 92, 91, 90, 90, 40]), "fix").say;
        assert!(say.contains("S95 (95 days)") && say.ends_with("2 more"), "{say}");
    }

    #[test]
    fn spans_are_written_in_their_largest_unit() {
        assert_eq!(
            (span(28_800), span(5_400), span(90)),
            ("8 h".to_owned(), "90 min".to_owned(), "90 s".to_owned())
        );
    }
}
