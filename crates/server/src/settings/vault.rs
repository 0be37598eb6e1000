//! What Secrets Manager holds, as one more layer of settings. It owns asking, and how long what was before still
//! counts. It never decides what a value is for, and never shows one.

use std::collections::BTreeMap;
use std::time::Duration;

use guard::outbound::aws::{Aws, Failure, Stage};
use guard::outbound::{Outbound, install_crypto_provider};
use kernel::{Ambient, Secret, Time};

use super::amazon::{self, SecretPlace};
use super::layers;
use super::sources::Sources;
use super::table::server::REPLICAS;

/// Connecting may take this long.
const CONNECT: Duration = Duration::from_secs(3);
/// Pauses between tries at one question.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(1_000)];

/// The values of a secret. Two are equal when they mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vault {
    /// The secret.
    place: SecretPlace,
    /// The id of its version.
    pub(crate) version: String,
    /// The names and values in use.
    pub(crate) current: BTreeMap<String, Secret<String>>,
    /// Those of the version before.
    pub(crate) previous: BTreeMap<String, Secret<String>>,
    /// When the version was made.
    made_at: Time,
    /// How long ago that is, as far as it matters.
    pub(crate) phase: Phase,
}

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Other replicas may not know of it yet: both secrets are accepted, and the one before still signs.
    Fresh,
    /// The new one signs, both are accepted.
    Settled,
    /// Only the new one is accepted.
    Over,
}

/// Which secret is to be asked for, and by whom.
pub(crate) struct Wanted {
    /// Who asks.
    pub(crate) aws: guard::outbound::aws::Config,
    /// For what.
    pub(crate) place: SecretPlace,
    /// There are other replicas, which may hear of a rotation later.
    pub(crate) shared: bool,
}

/// Why there are no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is no such secret.
    Secret(SecretPlace),
    /// It could not be asked for.
    Answer(Failure),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Missing::Secret(place) => write!(f, "there is no secret of this name in {}", place.region),
            Missing::Answer(failure) if failure.fix().is_empty() => write!(f, "cannot be read ({failure})"),
            Missing::Answer(failure) => write!(f, "cannot be read ({failure}); {}", failure.fix()),
        }
    }
}

/// Whether these sources ask for a secret. Sources that contradict themselves ask for none: they are refused later.
pub(crate) fn wanted(sources: &Sources) -> Option<Wanted> {
    let (values, _) = layers::collect(sources);
    let mut problems = Vec::new();
    let place = amazon::secret(&values, &mut problems)??;
    let aws = amazon::config(&values, &mut problems)?;
    Some(Wanted { aws, place, shared: values.get(&REPLICAS).is_some_and(|replicas| replicas > 1) })
}

/// Who asks, for one question or for many.
pub(crate) fn asker(wanted: &Wanted, ambient: &Ambient) -> Option<Aws> {
    install_crypto_provider();
    let outbound = Outbound::new(CONNECT).ok()?;
    Some(Aws::new(wanted.aws.clone(), outbound.operator().clone(), ambient.clone()))
}

/// Adds what Secrets Manager holds, when that is wanted, or why it is missing.
pub(crate) async fn complete(sources: &mut Sources, ambient: &Ambient) {
    let Some(wanted) = wanted(sources) else { return };
    let Some(aws) = asker(&wanted, ambient) else { return };
    match ask(&aws, &wanted, None, ambient).await {
        Ok(vault) => sources.vault = Some(vault),
        Err(missing) => sources.vault_missing = Some(missing),
    }
}

/// The same for commands that are not inside a runtime.
pub(crate) fn complete_blocking(sources: &mut Sources, ambient: &Ambient) -> std::io::Result<()> {
    if wanted(sources).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(complete(sources, ambient));
    }
    Ok(())
}

/// Asks for the secret, again when a failure may pass. `earlier` spares the question about the previous version
/// while the present one is still the same.
pub(crate) async fn ask(
    aws: &Aws,
    wanted: &Wanted,
    earlier: Option<&Vault>,
    ambient: &Ambient,
) -> Result<Vault, Missing> {
    let mut pauses = PAUSES.iter();
    loop {
        match ask_once(aws, wanted, earlier, ambient).await {
            Err(Missing::Answer(failure)) if failure.may_pass() => match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(Missing::Answer(failure)),
            },
            other => return other,
        }
    }
}

async fn ask_once(
    aws: &Aws,
    wanted: &Wanted,
    earlier: Option<&Vault>,
    ambient: &Ambient,
) -> Result<Vault, Missing> {
    let SecretPlace { region, name, .. } = &wanted.place;
    let read = async |stage| aws.secret(region, name, stage).await.map_err(Missing::Answer);
    let current = read(Stage::Current).await?.ok_or_else(|| Missing::Secret(wanted.place.clone()))?;
    let now = ambient.now();
    let mut vault = match earlier {
        Some(earlier) if earlier.version == current.version && earlier.is_of(&wanted.place) => {
            earlier.clone()
        }
        _ => Vault {
            place: wanted.place.clone(),
            version: current.version,
            current: current.values,
            previous: read(Stage::Previous).await?.map(|previous| previous.values).unwrap_or_default(),
            // Of a version without a date only this is known: it cannot be younger.
            made_at: current.made_at.unwrap_or(now).min(now),
            phase: Phase::Settled,
        },
    };
    vault.place = wanted.place.clone();
    vault.phase = vault.phase_at(now, wanted.shared);
    Ok(vault)
}

impl Vault {
    /// Whether these are the values of that secret.
    pub(crate) fn is_of(&self, place: &SecretPlace) -> bool {
        (&self.place.region, &self.place.name) == (&place.region, &place.name)
    }

    /// Whether this name is read: a setting's, or the variable of one.
    pub(crate) fn is_setting(&self, name: &str) -> bool {
        layers::is_held(name)
    }

    /// The same values, judged now.
    pub(crate) fn at(mut self, now: Time, shared: bool) -> Vault {
        self.phase = self.phase_at(now, shared);
        self
    }

    fn phase_at(&self, now: Time, shared: bool) -> Phase {
        let age = now.since(self.made_at);
        // Every replica has asked once within `refresh`; the half more is for the answers.
        let known_everywhere = self.place.refresh + self.place.refresh / 2;
        match () {
            () if age >= self.place.previous => Phase::Over,
            () if shared && age < known_everywhere => Phase::Fresh,
            () => Phase::Settled,
        }
    }
}

#[cfg(test)]
impl Vault {
    /// Values that nobody was asked for.
    pub(crate) fn sample(current: &[(&str, &str)], previous: &[(&str, &str)], phase: Phase) -> Vault {
        let values = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned()))).collect()
        };
        Vault {
            place: SecretPlace {
                region: "us-west-2".to_owned(),
                name: "stoa".to_owned(),
                refresh: Duration::from_secs(60),
                previous: Duration::from_secs(86_400),
            },
            version: "v".to_owned(),
            current: values(current),
            previous: values(previous),
            made_at: Time::EPOCH,
            phase,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_settles_and_ends() {
        let vault = Vault::sample(&[], &[], Phase::Settled);
        let phase = |seconds, shared| vault.phase_at(Time::from_seconds(seconds), shared);
        assert_eq!(
            (phase(0, true), phase(89, true), phase(90, true)),
            (Phase::Fresh, Phase::Fresh, Phase::Settled)
        );
        assert_eq!(
            (phase(0, false), phase(86_399, false), phase(86_400, true)),
            (Phase::Settled, Phase::Settled, Phase::Over)
        );
    }
}
