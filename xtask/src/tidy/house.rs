//! What the rules look at: the members of the workspace with their dependencies, the lock file, the tracked files.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::shell;

/// The whole workspace, read once.
#[derive(Clone, Default)]
pub(super) struct House {
    /// In the order of `members` in the root manifest.
    pub(super) members: Vec<Member>,
    /// Name and version of each package in the lock file.
    pub(super) locked: Vec<(String, String)>,
    /// Name and licence of each package that is built in.
    pub(super) licences: Vec<(String, String)>,
    /// Every file that is tracked or would be, and is a text.
    pub(super) files: Vec<File>,
}

/// A crate of the workspace.
#[derive(Clone)]
pub(super) struct Member {
    /// Its name.
    pub(super) name: String,
    /// Its manifest, from the root.
    pub(super) manifest: String,
    /// What it uses.
    pub(super) uses: Vec<Use>,
}

/// A dependency of a member.
#[derive(Clone)]
pub(super) struct Use {
    /// The package.
    pub(super) name: String,
    /// Only for its tests.
    pub(super) in_tests: bool,
}

/// A text file.
#[derive(Clone)]
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    /// What stands in it.
    pub(super) text: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

impl House {
    /// Reads it from `cargo metadata`, `Cargo.toml`, `Cargo.lock` and `git`.
    pub(super) fn read(root: &Path) -> Result<House> {
        let mut command = Command::new("cargo");
        command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
        let metadata: Metadata = serde_json::from_str(&shell::output(&mut command)?)?;
        let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
        let order = members(&manifest);
        let mut found: Vec<Member> =
            metadata.packages.into_iter().map(|package| member(root, package)).collect();
        let place =
            |member: &Member| order.iter().position(|path| member.manifest == format!("{path}/Cargo.toml"));
        if let Some(stray) = found.iter().find(|member| place(member).is_none()) {
            bail!("{} is not in `members` of Cargo.toml by its own path", stray.manifest);
        }
        found.sort_by_key(place);
        let locked =
            packages(&fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock cannot be read")?);
        Ok(House { members: found, locked, licences: licences(root)?, files: files(root)? })
    }
}

#[derive(Deserialize)]
struct Whole {
    packages: Vec<Licensed>,
}

#[derive(Deserialize)]
struct Licensed {
    name: String,
    license: Option<String>,
    license_file: Option<String>,
    /// Where it comes from; absent for our own.
    source: Option<String>,
}

/// The licences as the manifests name them. A file of its own is not read: whoever has one is looked at by a person.
fn licences(root: &Path) -> Result<Vec<(String, String)>> {
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1"]).current_dir(root);
    let whole: Whole = serde_json::from_str(&shell::output(&mut command)?)?;
    let text = |one: &Licensed| one.license.clone().or_else(|| one.license_file.clone()).unwrap_or_default();
    let foreign = whole.packages.iter().filter(|one| one.source.is_some());
    Ok(foreign.map(|one| (one.name.clone(), text(one))).collect())
}

fn member(root: &Path, package: Package) -> Member {
    let manifest = Path::new(&package.manifest_path);
    let manifest = manifest.strip_prefix(root).unwrap_or(manifest).to_string_lossy().replace('\\', "/");
    let uses = package.dependencies.into_iter();
    let uses =
        uses.map(|used| Use { in_tests: used.kind.as_deref() == Some("dev"), name: used.name }).collect();
    Member { name: package.name, manifest, uses }
}

/// The paths of `members = [ … ]`, in their order. `cargo metadata` does not keep it.
pub(super) fn members(manifest: &str) -> Vec<String> {
    let lines =
        manifest.lines().skip_while(|line| !line.starts_with("members")).take_while(|line| *line != "]");
    lines.filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).map(str::to_owned).collect()
}

/// The name and version of each `[[package]]`.
pub(crate) fn packages(lock: &str) -> Vec<(String, String)> {
    let value = |block: &str, key: &str| {
        block.lines().find_map(|line| Some(line.strip_prefix(key)?.trim_matches([' ', '=', '"']).to_owned()))
    };
    let blocks = lock.split("[[package]]").skip(1);
    blocks.filter_map(|block| Some((value(block, "name")?, value(block, "version")?))).collect()
}

/// Files that git tracks, and new ones that it does not ignore. The folder may belong to somebody else, as it does
/// where CI checks it out: nothing is run from it, so that is no danger here.
fn files(root: &Path) -> Result<Vec<File>> {
    let mut command = Command::new("git");
    command.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let list =
        shell::output(command.current_dir(root)).context("the files of the repository cannot be listed")?;
    let paths = list.split('\0').filter(|path| !path.is_empty());
    // A file that was deleted and is still tracked, and one that is no text, is not looked at.
    Ok(paths
        .filter_map(|path| {
            Some(File { path: path.to_owned(), text: fs::read_to_string(root.join(path)).ok()? })
        })
        .collect())
}
