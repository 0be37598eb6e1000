//! Known holes of what is built in: the packages of the lock file against a copy of the RustSec advisory database. It owns
//! the comparison; the copy is yours to fetch (`git clone https://github.com/rustsec/advisory-db`), because nothing of
//! ours goes to the network by itself.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::setting;

/// Where the database lies, when no argument says so.
const PLACE: &str = "ADVISORY_DB";
/// Set to 1, a database that is missing is a failure.
const REQUIRED: &str = "REQUIRE_ADVISORIES";

#[derive(Deserialize)]
struct Document {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    #[serde(default)]
    withdrawn: Option<toml::Value>,
    /// `unmaintained`, `unsound`, `notice`: told, and no failure.
    #[serde(default)]
    informational: Option<String>,
}

#[derive(Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// What a run found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    holes: Vec<String>,
    told: Vec<String>,
    read: usize,
}

/// Compares. Says loudly when there is nothing to compare with.
///
/// # Errors
/// When a package has a hole, the database cannot be read, or it is missing and required.
pub(crate) fn run(root: &Path, database: Option<PathBuf>) -> Result<()> {
    let Some(database) = database.or_else(|| setting(PLACE).map(PathBuf::from)) else {
        println!(
            "ADVISORIES: NOT CHECKED. No copy of the RustSec database: name one with {PLACE} or --database."
        );
        ensure!(setting(REQUIRED).as_deref() != Some("1"), "{REQUIRED}=1 and there is no database");
        return Ok(());
    };
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let found = compare(&lock, &database)?;
    for line in found.told.iter().chain(&found.holes) {
        println!("{line}");
    }
    println!("{} advisories compared", found.read);
    ensure!(found.holes.is_empty(), "{} known holes", found.holes.len());
    Ok(())
}

fn compare(lock: &str, database: &Path) -> Result<Found> {
    let packages = crate::tidy::packages(lock);
    let mut found = Found::default();
    for file in documents(&database.join("crates"))? {
        let text = fs::read_to_string(&file)?;
        let document = parse(&text).with_context(|| format!("{} cannot be read", file.display()))?;
        found.read += 1;
        if document.advisory.withdrawn.is_some() {
            continue;
        }
        for (_, version) in packages.iter().filter(|(name, _)| *name == document.advisory.package) {
            if is_affected(&document.versions, version)? {
                let Advisory { id, package, informational, .. } = &document.advisory;
                match informational {
                    Some(kind) => found.told.push(format!("{id}: {package} {version} ({kind})")),
                    None => found.holes.push(format!("{id}: {package} {version}")),
                }
            }
        }
    }
    ensure!(found.read > 0, "{} holds no advisories", database.display());
    Ok(found)
}

/// Every `crates/NAME/RUSTSEC-….md`.
fn documents(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for package in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let package = package?.path();
        if !package.is_dir() {
            continue;
        }
        for file in fs::read_dir(package)? {
            let file = file?.path();
            if file.extension().is_some_and(|end| end == "md") {
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// The TOML at the head of an advisory, between its fences.
fn parse(text: &str) -> Result<Document> {
    let Some((_, rest)) = text.split_once("```toml") else { bail!("it begins without ```toml") };
    let (head, _) = rest.split_once("```").context("its head has no end")?;
    toml::from_str(head).context("its head is no advisory")
}

/// A version is affected unless it is patched or never was.
fn is_affected(versions: &Versions, version: &str) -> Result<bool> {
    let version = Version::parse(version)?;
    let any = |list: &[String]| -> Result<bool> {
        list.iter()
            .map(|text| Ok(VersionReq::parse(text)?.matches(&version)))
            .try_fold(false, |any, one: Result<bool>| Ok(any | one?))
    };
    Ok(!any(&versions.patched)? && !any(&versions.unaffected)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::Folder;

    fn advisory(id: &str, more: &str, versions: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"hole\"\n{more}\n[versions]\n{versions}\n```\n\n# A hole\n"
        )
    }

    #[test]
    fn holes_are_found_and_patched_withdrawn_and_foreign_ones_are_not() {
        let folder = Folder::new("advisories").unwrap();
        let place = folder.path().join("crates/hole");
        fs::create_dir_all(&place).unwrap();
        let put = |id: &str, more: &str, versions: &str| {
            fs::write(place.join(format!("{id}.md")), advisory(id, more, versions)).unwrap();
        };
        put("RUSTSEC-1", "", "patched = [\">= 1.2.0\"]");
        put("RUSTSEC-2", "", "patched = []\nunaffected = [\"< 1.1.0\"]");
        put("RUSTSEC-3", "withdrawn = \"2026-01-01\"", "patched = []");
        put("RUSTSEC-4", "informational = \"unmaintained\"", "patched = []");
        let lock = |version: &str| format!("[[package]]\nname = \"hole\"\nversion = \"{version}\"\n");
        let found = |version: &str| compare(&lock(version), folder.path()).unwrap();
        assert_eq!(found("1.0.0").holes, ["RUSTSEC-1: hole 1.0.0"]);
        let mut both = found("1.1.5").holes;
        both.sort();
        assert_eq!(both, ["RUSTSEC-1: hole 1.1.5", "RUSTSEC-2: hole 1.1.5"]);
        assert_eq!(found("1.2.0").holes, ["RUSTSEC-2: hole 1.2.0"]);
        assert_eq!(found("1.2.0").told, ["RUSTSEC-4: hole 1.2.0 (unmaintained)"]);
        assert_eq!(
            compare("[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n", folder.path())
                .unwrap()
                .holes
                .len(),
            0
        );
        assert!(run(folder.path(), Some(folder.path().join("nothing"))).is_err());
    }
}
