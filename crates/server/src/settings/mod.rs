//! Where the configuration comes from: defaults < profile < `stoa.toml` < Secrets Manager < `.env` < environment <
//! flags.
//! It owns reading, checking and the production rules, and reports every problem at once.
//! It never keeps a global: what it makes is handed to the rooms.

mod aged;
mod amazon;
mod catalog;
mod checked;
mod database;
pub(crate) mod documents;
mod dotenv;
pub(crate) mod facts;
mod file;
mod form;
pub(crate) mod keys;
mod layers;
mod problem;
pub(crate) mod production;
mod profile;
mod providers;
mod raw;
mod rotated;
mod shipping;
pub(crate) mod shown;
mod sources;
pub(crate) mod strength;
pub(crate) mod table;
mod trust;
mod values;
pub(crate) mod vault;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use apps::Catalog;
use kernel::Random;

use crate::listen;
use facts::Facts;
use keys::{KeySources, Keys};
use production::Finding;

pub(crate) use aged::SecretMark;
pub(crate) use form::is_loopback as form_is_loopback;
pub(crate) use problem::Problem;
pub(crate) use profile::Profile;
#[cfg(test)]
pub(crate) use sources::Document;
pub(crate) use sources::{Flag, Places, Sources};
pub(crate) use values::{Marks, Values};

/// The line that `serve` prints when production may start.
pub(crate) const PASSED: &str = "✓ Production validation passed";

/// Where the server listens, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// The address and the port; port 0 takes a free one.
    pub(crate) address: SocketAddr,
    /// A second one for plain HTTP, beside TLS.
    pub(crate) plain: Option<SocketAddr>,
    /// Where the certificate comes from, when TLS ends here.
    pub(crate) certificate: Option<CertificateSource>,
    /// How many connections may be open.
    pub(crate) connections: usize,
    /// How many threads answer; `None`: one for each core.
    pub(crate) workers: Option<usize>,
    /// How long a server that stops still takes requests.
    pub(crate) drain: std::time::Duration,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateSource {
    /// Files, which somebody else renews.
    Files(listen::Files),
    /// An authority.
    Authority(listen::Authority),
}

/// A configuration that can be used: the typed configuration of every room.
pub(crate) struct Settings {
    /// What the deployment is for.
    pub(crate) profile: Profile,
    /// Where the server listens.
    pub(crate) listen: Listen,
    /// The folder of everything that the server keeps on this machine.
    pub(crate) data_dir: PathBuf,
    /// What the keys are taken from; [`Settings::open_keys`] gets them.
    pub(crate) keys: KeySources,
    /// The database.
    pub(crate) store: store::Config,
    /// The front of the server.
    pub(crate) http: guard::http::Config,
    /// The limits.
    pub(crate) limits: guard::limits::Config,
    /// The model providers.
    pub(crate) models: llm::Config,
    /// Who is asking. The signing secrets are complete after [`Settings::open_keys`].
    pub(crate) identity: identity::Config,
    /// The logs.
    pub(crate) telemetry: ops::telemetry::Config,
    /// The security monitor.
    pub(crate) monitor: ops::monitor::Config,
    /// Where alerts and mails go. The webhook's secret is complete after [`Settings::open_keys`].
    pub(crate) post: ops::post::Config,
    /// Reports that are sent to where alerts go.
    pub(crate) reports: Vec<ops::report::Period>,
    /// The apps.
    pub(crate) catalog: Catalog,
    /// Their documents.
    pub(crate) library: apps::LibraryConfig,
    /// The HTTP surface.
    pub(crate) web: web::Config,
    /// Who this server is at Amazon Web Services.
    pub(crate) aws: guard::outbound::aws::Config,
    /// Where files lie.
    pub(crate) blobs: files::blob::Config,
    /// Backups.
    pub(crate) backups: ops::backup::Config,
    /// What may be stored.
    pub(crate) files: apps::FileRules,
    /// How long what is kept.
    pub(crate) retention: ops::retention::Config,
    /// How long sessions are kept after they have expired.
    pub(crate) session_retention: Duration,
    /// The secrets that have an age.
    pub(crate) secrets: Vec<SecretMark>,
    /// Change whenever an effective value does, secrets included; tell nothing about them.
    pub(crate) marks: Marks,
}

impl Settings {
    /// Reads a configuration for `serve` and its like. Refuses with everything that is wrong: what cannot be read,
    /// and in production every rule that does not hold. The warnings are those of production alone.
    pub(crate) fn load(sources: &Sources) -> Result<(Settings, Vec<Finding>), Refusal> {
        let Inspection { profile, mut problems, findings, settings, .. } = inspect(sources);
        let production = profile == Profile::Production;
        let violations: Vec<Finding> = findings
            .iter()
            .filter(|finding| finding.refuses() && (production || finding.always()))
            .cloned()
            .collect();
        let warnings = findings.into_iter().filter(|finding| production && finding.warns()).collect();
        match settings {
            Some(settings) if problems.is_empty() && violations.is_empty() => Ok((settings, warnings)),
            _ => {
                // What is missing may well be what Secrets Manager did not give: that comes first.
                problems.splice(0..0, sources.missing());
                Err(Refusal { production, problems, violations })
            }
        }
    }

    /// Gets the keys, makes those that are missing outside production, and completes the signing secrets.
    pub(crate) fn open_keys(&mut self, random: &dyn Random) -> Result<Keys, Problem> {
        let keys = self.keys.open(random)?;
        self.identity.cookie_secrets.clone_from(&keys.signing);
        if let (Some(webhook), Some(signing)) = (&mut self.post.webhook, keys.signing.first())
            && webhook.secret.expose().is_empty()
        {
            webhook.secret = ops::post::derived_secret(signing);
        }
        Ok(keys)
    }
}

/// Everything that is known about a configuration, usable or not.
pub(crate) struct Inspection {
    /// What the deployment is for.
    pub(crate) profile: Profile,
    /// What cannot be read. Stops every start.
    pub(crate) problems: Vec<Problem>,
    /// What each production rule says.
    pub(crate) findings: Vec<Finding>,
    /// The values that could be read, with their origins.
    pub(crate) values: Values,
    /// The configuration, when nothing stops it from being used outside production.
    pub(crate) settings: Option<Settings>,
}

/// Reads a configuration and asks every production rule.
pub(crate) fn inspect(sources: &Sources) -> Inspection {
    let (mut values, mut problems) = layers::collect(sources);
    checked::follow(&mut values, sources.terminal);
    let dotenv = sources.dotenv.as_ref().map(|file| file.path.as_path());
    let data_dir = values.get(&table::server::DATA_DIR).unwrap_or_default();
    let knowledge_dir = values.get(&table::knowledge::KNOWLEDGE_DIR);
    let log_file = values.get(&table::server::LOG_FILE);
    let facts = Facts::gather(dotenv, &data_dir, log_file.as_deref(), knowledge_dir.as_deref());
    let findings = production::examine(&values, &facts);
    let profile = values.profile;
    let before = problems.len();
    let settings = checked::build(&values, &mut problems);
    if settings.is_none() && problems.len() == before && before == 0 {
        // Every value that is needed has a default or a problem; this line is for the day when a row forgets both.
        problems.push(Problem::new(
            "stoa.toml",
            "a setting has neither a value nor a default; report this as a defect",
        ));
    }
    Inspection { profile, problems, findings, values, settings }
}

/// Why the server does not start: every reason, one a line, each with the word `validation` so that it can be found
/// in a log, and none with a value.
pub(crate) struct Refusal {
    /// Production rules were asked.
    pub(crate) production: bool,
    /// What cannot be read.
    pub(crate) problems: Vec<Problem>,
    /// The production rules that do not hold.
    pub(crate) violations: Vec<Finding>,
}

impl Refusal {
    /// Each reason as one line.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let problems = self.problems.iter().map(ToString::to_string);
        problems.chain(self.violations.iter().map(ToString::to_string)).collect()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len() + self.violations.len();
        let what = if self.production { "Production validation" } else { "Configuration validation" };
        let reasons = if count == 1 { "1 reason" } else { &format!("{count} reasons") };
        write!(f, "✗ {what} failed for {reasons}; the server does not start")?;
        for problem in &self.problems {
            write!(f, "\n  validation error: {problem}")?;
        }
        for finding in &self.violations {
            write!(f, "\n  validation error: {finding}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Refusal {}
