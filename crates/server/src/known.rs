//! What only the binary knows, for the reports: its version and age, what it is made of, what the production rules say,
//! how old the secrets are. It reads and changes nothing.

use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

use kernel::Time;
use ops::report::Known;

use crate::settings::{self, Flag, Profile, Sources};

/// What this program was built from.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// Packages that read what strangers send: those whose age matters first.
const FACING: [&str; 8] = ["hyper", "h2", "rustls", "ring", "axum", "sqlx", "redis", "image"];

/// How many packages there are, and the versions of those that face the network.
static PACKAGES: LazyLock<(usize, Vec<String>)> = LazyLock::new(|| {
    let mut packages = Vec::new();
    let mut name = "";
    for line in LOCK.lines() {
        if let Some(text) = line.strip_prefix("name = ") {
            name = text.trim_matches('"');
        } else if let Some(version) = line.strip_prefix("version = ") {
            packages.push((name, version.trim_matches('"')));
        }
    }
    let facing = packages.iter().filter(|(name, _)| FACING.contains(name));
    let facing = facing.map(|(name, version)| format!("{name} {version}")).collect();
    (packages.len(), facing)
});

/// How many packages this program is made of.
pub(crate) fn packages() -> &'static (usize, Vec<String>) {
    &PACKAGES
}

/// When the file of this program was made: a package or an image keeps it.
pub(crate) fn built() -> Option<Time> {
    let at = std::env::current_exe().ok()?.metadata().ok()?.modified().ok()?;
    let seconds = at.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Time::from_seconds(i64::try_from(seconds).ok()?))
}

/// Everything, from these sources. `secrets`: names with days in use.
pub(crate) fn known(sources: &Sources, secrets: Vec<(String, u64)>) -> Known {
    let mut sources = sources.clone();
    // The rules are those of production, whatever this deployment is for.
    let production = Profile::Production.as_str().to_owned();
    sources.flags.push(Flag { setting: "environment", flag: "--env", text: production });
    let inspection = settings::inspect(&sources);
    let findings = inspection.findings.iter().filter(|finding| !finding.holds());
    let values = &inspection.values;
    Known {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        built: built(),
        packages: packages().clone(),
        data_dir: values.get(&settings::table::server::DATA_DIR).unwrap_or_default(),
        findings: findings.map(|finding| (finding.id.to_owned(), finding.say.to_owned())).collect(),
        holding: inspection.findings.iter().filter(|finding| finding.holds()).count(),
        secrets,
        backups: ["backup.dir", "backup.s3_url"].iter().any(|name| values.chosen.contains_key(name)),
    }
}
