//! The programs that find duplicates: how each is asked for exact duplicates of one byte and more without a cache, and
//! how what it writes is read. A program that is not installed is left out.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A program and how it is called.
pub(super) struct Peer {
    pub(super) name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    /// Where its answer is.
    output: PathBuf,
    /// It writes the answer to standard output.
    prints: bool,
    read: fn(&Value) -> Vec<Vec<PathBuf>>,
}

/// One run.
pub(super) struct Run {
    pub(super) millis: f64,
    pub(super) peak_mib: f64,
}

/// The programs that are there; ours is the first.
pub(super) fn present(stoa: &Path, folder: &Path, outputs: &Path) -> Vec<Peer> {
    let folder = folder.display().to_string();
    let output = |name: &str| outputs.join(format!("{name}.json"));
    let peer = |name, program: PathBuf, arguments: &[&str], prints, read| Peer {
        name,
        program,
        arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
        output: output(name),
        prints,
        read,
    };
    let rmlint = format!("json:{}", output("rmlint").display());
    let czkawka = output("czkawka_cli").display().to_string();
    let all = [
        peer("stoa", stoa.to_owned(), &["declutter", "--json", "--only", "duplicate", &folder], true, ours),
        peer("fclones", "fclones".into(), &["group", "--min", "1", "-f", "json", &folder], true, fclones),
        peer(
            "czkawka_cli",
            "czkawka_cli".into(),
            &["dup", "-d", &folder, "-m", "1", "-H", "-N", "-M", "-W", "-C", &czkawka],
            false,
            czkawka_groups,
        ),
        peer("jdupes", "jdupes".into(), &["-r", "-q", "-j", &folder], true, jdupes),
        peer(
            "rmlint",
            "rmlint".into(),
            &["-T", "df", "--size", "1", "-o", &rmlint, &folder],
            false,
            rmlint_groups,
        ),
    ];
    all.into_iter().filter(|peer| peer.name == "stoa" || is_there(&peer.program)).collect()
}

fn is_there(program: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Runs a program once.
#[expect(clippy::disallowed_methods, reason = "starting programs is what a benchmark does")]
pub(super) fn measure(peer: &Peer) -> Result<Run> {
    let mut command = Command::new(&peer.program);
    command.args(&peer.arguments).stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(if peer.prints { Stdio::from(File::create(&peer.output)?) } else { Stdio::null() });
    let start = Instant::now();
    let mut child = command.spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    loop {
        // The kernel keeps the highest value, so only what grows after the last look is missed.
        if let Some(now) = fs::read_to_string(&status).ok().as_deref().and_then(highest) {
            peak = peak.max(now);
        }
        if child.try_wait()?.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    Ok(Run { millis: start.elapsed().as_secs_f64() * 1_000.0, peak_mib: peak })
}

fn highest(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok().map(|kib| kib / 1_024.0)
}

/// The groups of paths that a program found in its last run.
pub(super) fn read(peer: &Peer) -> Result<Vec<Vec<PathBuf>>> {
    let text = fs::read_to_string(&peer.output)?;
    let value = serde_json::from_str(&text).context("it is no JSON")?;
    Ok((peer.read)(&value))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn path(value: &Value, key: &str) -> Option<PathBuf> {
    value.get(key).and_then(Value::as_str).map(PathBuf::from)
}

fn ours(value: &Value) -> Vec<Vec<PathBuf>> {
    list(value, "findings")
        .map(|one| list(one, "members").filter_map(|file| path(file, "path")).collect())
        .collect()
}

fn fclones(value: &Value) -> Vec<Vec<PathBuf>> {
    let files = |group: &Value| list(group, "files").filter_map(Value::as_str).map(PathBuf::from).collect();
    list(value, "groups").map(files).collect()
}

fn jdupes(value: &Value) -> Vec<Vec<PathBuf>> {
    let files = |group: &Value| list(group, "fileList").filter_map(|file| path(file, "filePath")).collect();
    list(value, "matchSets").map(files).collect()
}

/// Lists by size of lists of files.
fn czkawka_groups(value: &Value) -> Vec<Vec<PathBuf>> {
    let files = |group: &Value| -> Vec<PathBuf> {
        group.as_array().into_iter().flatten().filter_map(|file| path(file, "path")).collect()
    };
    let sizes = value.as_object().into_iter().flat_map(|sizes| sizes.values());
    sizes.filter_map(Value::as_array).flatten().map(files).collect()
}

fn rmlint_groups(value: &Value) -> Vec<Vec<PathBuf>> {
    let mut groups: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in value.as_array().into_iter().flatten() {
        if file.get("type").and_then(Value::as_str) == Some("duplicate_file") {
            let sum = file.get("checksum").and_then(Value::as_str).unwrap_or_default();
            let key = format!("{sum} {}", file.get("size").map(Value::to_string).unwrap_or_default());
            groups.entry(key).or_default().extend(path(file, "path"));
        }
    }
    groups.into_values().collect()
}
