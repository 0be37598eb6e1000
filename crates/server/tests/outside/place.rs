//! What this machine offers to the tests: programs, folders, data that lies beside the project. It decides between
//! a skip and a failure, and starts nothing.

use std::env;
use std::path::{Path, PathBuf};

/// The path in `variable`, else `usual`; `None` when nothing is there.
pub fn program(variable: &str, usual: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from);
    path.is_file().then_some(path)
}

/// Says why a test does not run. Where everything has to be there, that is a failure.
pub fn skip(test: &str, reason: &str) {
    let required = env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "{test} has to run here, but {reason}");
    eprintln!("skipped {test}: {reason}");
}

/// The folder of what a run leaves behind to be looked at.
pub fn artefacts() -> PathBuf {
    // The temporary folder of tests lies in the target folder.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
    let folder = target.join("artefacts");
    std::fs::create_dir_all(&folder).expect("the folder of artefacts");
    folder
}

/// A file of public test data that may lie beside the project, in `shared/data`.
pub fn shared(file: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("shared/data").join(file)).find(|path| path.is_file())
}

/// A number of seconds or examples that a longer run asks for.
pub fn number(variable: &str, usual: u64) -> u64 {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
