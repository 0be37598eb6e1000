//! Another configuration for a running server: on SIGHUP, and when Secrets Manager holds something new. It owns
//! reading everything again, refusing what is wrong as a start would, and telling what was taken over.
//! It never stops the server: what cannot be used leaves the one in force as it is.

use std::sync::Arc;
use std::time::Duration;

use guard::outbound::aws::Aws;
use kernel::{Actor, Ambient, AuditEvent, EventType};
use ops::alerts::{Finding, Kind};
use ops::monitor::Parts as Watched;
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;
use web::SecretAge;

use crate::ages;
use crate::jobs::every_key;
use crate::settings::vault::{self, Missing, Vault, Wanted};
use crate::settings::{Flag, Marks, Places, Problem, Profile, SecretMark, Settings, Sources, table};
use crate::wire::House;

/// The name under which the store keeps the fingerprint of the configuration.
pub(crate) const CONFIGURATION: &str = "configuration";
/// How often a server without a secret in Secrets Manager looks whether it has one now: never by itself.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Files that are being written are left this long.
const SETTLES: Duration = Duration::from_millis(25);
/// Files that change all the time are taken as they are after so many looks.
const MOST_LOOKS: u32 = 40;
/// How often the log is told of secrets that are old.
const DAILY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the server was started with.
pub(crate) struct Start {
    /// Which files to read.
    pub(crate) places: Places,
    /// The command line.
    pub(crate) flags: Vec<Flag>,
    /// The profile; another one needs a restart.
    pub(crate) profile: Profile,
    /// What is in force.
    pub(crate) marks: Marks,
    /// The secrets that have an age.
    pub(crate) secrets: Vec<SecretMark>,
    /// The fingerprint of the master key.
    pub(crate) master: String,
    /// What Secrets Manager held.
    pub(crate) vault: Option<Vault>,
    /// Why it held nothing although it was asked.
    pub(crate) missing: Option<Missing>,
    /// What it is asked for.
    pub(crate) wanted: Option<Wanted>,
}

/// Follows the configuration.
pub(crate) struct Reload {
    start: Start,
    house: House,
    ambient: Ambient,
    /// Secrets Manager did not answer the last time.
    away: bool,
    /// What was wrong with the configuration the last time; said once.
    refused: Vec<String>,
}

/// A configuration that a server could be started with.
struct Fresh {
    settings: Settings,
    master: String,
    wanted: Option<Wanted>,
    sources: Sources,
}

impl Reload {
    pub(crate) fn new(start: Start, house: House, ambient: Ambient) -> Reload {
        Reload { start, house, ambient, away: false, refused: Vec::new() }
    }

    /// Follows until `stop`.
    pub(crate) async fn run(mut self, hangup: Signal, stop: CancellationToken) {
        stop.run_until_cancelled(Box::pin(self.follow(hangup))).await;
    }

    async fn follow(&mut self, mut hangup: Signal) {
        if let Some(missing) = self.start.missing.take() {
            self.silent(&missing).await;
        }
        let mut daily = tokio::time::interval(DAILY);
        loop {
            let refresh = self.start.wanted.as_ref().map_or(NEVER, |wanted| wanted.place.refresh);
            tokio::select! {
                _ = hangup.recv() => {
                    tracing::info!("SIGHUP: the configuration is read again");
                    Box::pin(self.again("SIGHUP", None)).await;
                }
                _ = daily.tick() => self.tell_ages().await,
                () = tokio::time::sleep(refresh) => self.look().await,
            }
        }
    }

    async fn tell_ages(&self) {
        let (store, now) = (&self.house.store, self.ambient.now());
        ages::note(store, &self.start.secrets, now).await;
        self.show_ages().await;
        match every_key(store).await {
            Ok(keys) => ages::tell(store, &self.start.secrets, &keys, now).await,
            Err(fault) => tracing::debug!(code = fault.code().as_str(), "the age of the keys is not known"),
        }
    }

    /// Hands the ages of the secrets to the pages of admins.
    async fn show_ages(&self) {
        match ages::of_secrets(&self.house.store, &self.start.secrets, self.ambient.now()).await {
            Ok(ages) => {
                let shown = |age: ages::Age| SecretAge {
                    old: age.days >= ages::TOO_OLD,
                    name: age.name,
                    days: age.days,
                };
                self.house.site.ages.store(Arc::new(ages.into_iter().map(shown).collect()));
            }
            Err(fault) => {
                tracing::debug!(code = fault.code().as_str(), "the age of the secrets is not known")
            }
        }
    }

    /// Asks Secrets Manager; takes over what is new.
    async fn look(&mut self) {
        let Some(wanted) = &self.start.wanted else { return };
        let shared = wanted.shared;
        let asked = vault::ask(&self.house.aws, wanted, self.start.vault.as_ref(), &self.ambient).await;
        match asked {
            Ok(vault) => {
                self.answers().await;
                if self.start.vault.as_ref() != Some(&vault) {
                    Box::pin(self.again("Secrets Manager", Some(vault))).await;
                }
            }
            Err(missing) => {
                self.silent(&missing).await;
                // Time goes on: what was accepted for a while after a rotation ends all the same.
                let judged = self.start.vault.clone().map(|vault| vault.at(self.ambient.now(), shared));
                if judged.is_some() && judged != self.start.vault {
                    Box::pin(self.again("Secrets Manager", judged)).await;
                }
            }
        }
    }

    async fn answers(&mut self) {
        if std::mem::take(&mut self.away) {
            tracing::info!("Secrets Manager answers again");
            self.recover(Kind::SecretsManager).await;
        }
    }

    async fn silent(&mut self, missing: &Missing) {
        metrics::counter!("stoa_secrets_manager_failures_total").increment(1);
        let reason = missing.to_string();
        if !std::mem::replace(&mut self.away, true) {
            tracing::warn!(
                "the secret of SECRETS_MANAGER_SECRET_NAME: {reason}; the last values stay in use"
            );
        }
        let finding = Finding::new(Kind::SecretsManager, self.ambient.now()).with("reason", reason);
        self.raise(finding).await;
    }

    /// Every look at the same trouble is counted in its one alert.
    async fn raise(&self, finding: Finding) {
        let Watched { alerts, replica, .. } = &self.house.watched;
        let finding = finding.about(replica).with("replica", replica.as_str());
        if let Err(fault) = alerts.raise(finding).await {
            tracing::warn!(
                code = fault.code().as_str(),
                "an alert about the configuration could not be raised"
            );
        }
    }

    async fn recover(&self, kind: Kind) {
        let Watched { alerts, replica, .. } = &self.house.watched;
        if let Err(fault) = alerts.recover(kind, Some(replica)).await {
            tracing::warn!(
                code = fault.code().as_str(),
                "an alert about the configuration could not be closed"
            );
        }
    }

    /// Reads everything again. `known`: what Secrets Manager was just found to hold.
    async fn again(&mut self, cause: &'static str, known: Option<Vault>) {
        let fresh = match self.read(known).await {
            Ok(fresh) => fresh,
            Err(reasons) => return self.refuse(reasons, cause).await,
        };
        if !self.refused.is_empty() {
            self.refused.clear();
            self.recover(Kind::Configuration).await;
        }
        Box::pin(self.take_over(fresh, cause)).await;
    }

    /// A configuration as a start would read it, or every reason against it.
    async fn read(&mut self, known: Option<Vault>) -> Result<Fresh, Vec<String>> {
        let broken = |error: tokio::task::JoinError| vec![error.to_string()];
        let mut sources = self.files().await.map_err(broken)?;
        let wanted = vault::wanted(&sources);
        if let Some(wanted) = &wanted {
            sources.vault =
                Some(self.hold(wanted, known).await.map_err(|missing| vec![missing.to_string()])?);
        }
        let ambient = self.ambient.clone();
        let load = tokio::task::spawn_blocking(move || {
            let (mut settings, warnings) = Settings::load(&sources).map_err(|refusal| refusal.reasons())?;
            for warning in &warnings {
                tracing::warn!("validation warning: {warning}");
            }
            let told = |problem: Problem| vec![problem.to_string()];
            let master = settings.open_keys(ambient.random()).map_err(told)?.keyring.fingerprint();
            Ok::<_, Vec<String>>((settings, master, sources))
        });
        let (settings, master, sources) = load.await.map_err(broken)??;
        Ok(Fresh { settings, master, wanted, sources })
    }

    /// What the files say, once they say the same twice: one that is just being written may look whole and be empty.
    async fn files(&self) -> Result<Sources, tokio::task::JoinError> {
        let read = || {
            let (places, flags) = (self.start.places.clone(), self.start.flags.clone());
            tokio::task::spawn_blocking(move || Sources::of_process(&places, flags))
        };
        let mut sources = read().await?;
        for _ in 0..MOST_LOOKS {
            tokio::time::sleep(SETTLES).await;
            let again = read().await?;
            let same = (&again.file, &again.dotenv) == (&sources.file, &sources.dotenv);
            sources = again;
            if same {
                break;
            }
        }
        Ok(sources)
    }

    /// What Secrets Manager holds; while it does not answer, what it held when it was last asked for the same.
    async fn hold(&mut self, wanted: &Wanted, known: Option<Vault>) -> Result<Vault, Missing> {
        let known = known.filter(|vault| vault.is_of(&wanted.place));
        if let Some(vault) = known {
            return Ok(vault.at(self.ambient.now(), wanted.shared));
        }
        // The credentials may be among what has changed, so they are not those in force.
        let own = vault::asker(wanted, &self.ambient);
        let aws: &Aws = own.as_ref().unwrap_or(&self.house.aws);
        match vault::ask(aws, wanted, self.start.vault.as_ref(), &self.ambient).await {
            Ok(vault) => {
                self.answers().await;
                Ok(vault)
            }
            Err(missing) => {
                self.silent(&missing).await;
                let last = self.start.vault.clone().filter(|vault| vault.is_of(&wanted.place));
                last.map(|vault| vault.at(self.ambient.now(), wanted.shared)).ok_or(missing)
            }
        }
    }

    async fn refuse(&mut self, reasons: Vec<String>, cause: &'static str) {
        metrics::counter!("stoa_config_reloads_total", "result" => "refused").increment(1);
        let (count, first) = (reasons.len(), reasons.first().cloned().unwrap_or_default());
        // A poll would say the same every minute; a person who sends a signal wants to hear it again.
        if reasons != self.refused || cause == "SIGHUP" {
            tracing::error!(
                cause,
                reasons = count,
                "the new configuration is refused; the server goes on with the one it has"
            );
            for reason in &reasons {
                tracing::error!("validation error: {reason}");
            }
            self.refused = reasons;
        }
        let finding = Finding::new(Kind::Configuration, self.ambient.now());
        self.raise(finding.with("reasons", count).with("first", first)).await;
    }

    /// Hands a configuration to the rooms, and tells what has changed and what needs a restart.
    async fn take_over(&mut self, fresh: Fresh, cause: &'static str) {
        let Fresh { settings, master, wanted, sources } = fresh;
        metrics::counter!("stoa_config_reloads_total", "result" => "taken").increment(1);
        let changed = self.start.marks.changed(&settings.marks);
        let (live, asleep): (Vec<&'static str>, Vec<&'static str>) =
            changed.into_iter().partition(|name| table::is_live(name));
        self.start.vault.clone_from(&sources.vault);
        self.start.wanted = wanted;
        self.house.renew(&settings, sources).await;
        self.start.marks.take(&live, &settings.marks);
        self.start.secrets.clone_from(&settings.secrets);
        if live.is_empty() && asleep.is_empty() {
            tracing::info!(cause, "the configuration is as it was");
        } else {
            tracing::info!(cause, settings = live.join(", "), "the configuration was taken over");
        }
        if !asleep.is_empty() {
            tracing::warn!(
                settings = asleep.join(", "),
                "changed settings that need a restart are not in force yet"
            );
        }
        if settings.profile != self.start.profile {
            tracing::warn!("another profile needs a restart");
        }
        if master != self.start.master {
            tracing::error!(
                "after a restart the master key will be another one: keep the present one as ENCRYPTION_KEY_PREVIOUS \
                 (or the present signing secret as SESSION_SECRET_PREVIOUS, if the master key follows from it), or \
                 older data cannot be read"
            );
        }
        self.record(&settings, &live, &asleep, cause).await;
    }

    /// Writes into the audit log what changed, by name, and keeps when each secret was first seen.
    async fn record(
        &self,
        settings: &Settings,
        live: &[&'static str],
        asleep: &[&'static str],
        cause: &'static str,
    ) {
        let (store, digest) = (&self.house.store, settings.marks.digest());
        let known = store.get_state(CONFIGURATION).await.ok().flatten();
        if known.as_deref() != Some(&digest) {
            let event = AuditEvent::new(EventType::ConfigChanged, Actor::System)
                .with("settings", live.to_vec())
                .with("need_restart", asleep.to_vec())
                .with("cause", cause)
                .with("before", known)
                .with("after", digest.as_str());
            // The spool keeps the event while the database is away; another replica may have been first.
            self.house.site.audit.note(event);
            if let Err(fault) = store.set_state(CONFIGURATION, &digest, Vec::new()).await {
                tracing::warn!(code = fault.code().as_str(), "the new configuration could not be noted");
            }
        }
        ages::note(store, &settings.secrets, self.ambient.now()).await;
        self.show_ages().await;
    }
}
