//! What the configuration is read from, as values: so a test needs no process environment.
//! [`Sources::of_process`] is the one place that reads the real environment and finds the files; `vault` adds what
//! Secrets Manager holds.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::vault::{Missing, Vault};

/// A file of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
}

/// A setting that was given on the command line.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    /// The canonical name of the setting.
    pub(crate) setting: &'static str,
    /// The flag as it was typed: `--port`.
    pub(crate) flag: &'static str,
    /// Its value.
    pub(crate) text: String,
}

/// Everything that settings are read from, the weakest first.
#[derive(Clone, Default)]
pub(crate) struct Sources {
    /// `stoa.toml`.
    pub(crate) file: Option<Document>,
    /// What Secrets Manager holds, once it was asked.
    pub(crate) vault: Option<Vault>,
    /// Why it holds nothing although it was asked.
    pub(crate) vault_missing: Option<Missing>,
    /// `.env`.
    pub(crate) dotenv: Option<Document>,
    /// The real environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// The command line.
    pub(crate) flags: Vec<Flag>,
    /// Standard output is a terminal.
    pub(crate) terminal: bool,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
}

/// Which files to read, as the command line says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Instead of `stoa.toml` in the working directory.
    pub(crate) config: Option<PathBuf>,
    /// Instead of `.env` in the working directory.
    pub(crate) dotenv: Option<PathBuf>,
}

/// Larger files are no configuration.
const LARGEST_FILE: u64 = 1024 * 1024;

impl Sources {
    /// Reads the environment of this process and the files it names.
    pub(crate) fn of_process(places: &Places, flags: Vec<Flag>) -> Sources {
        let mut problems = Vec::new();
        let mut environment = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().map(str::to_owned) else { continue };
            match value.into_string() {
                Ok(value) => {
                    environment.insert(name, value);
                }
                Err(_) if super::layers::is_variable(&name) => {
                    problems.push(Problem::new(name, "is no UTF-8 text; set it again"));
                }
                Err(_) => {}
            }
        }
        let named = places.config.clone().or_else(|| environment.get("STOA_CONFIG").map(PathBuf::from));
        let file = document(named.as_deref(), Path::new("stoa.toml"), &mut problems);
        let dotenv = document(places.dotenv.as_deref(), Path::new(".env"), &mut problems);
        let terminal = std::io::stdout().is_terminal();
        Sources { file, dotenv, environment, flags, terminal, problems, ..Sources::default() }
    }

    /// Secrets Manager was asked and gave nothing.
    pub(crate) fn missing(&self) -> Option<Problem> {
        let missing = self.vault_missing.as_ref()?;
        Some(Problem::new("SECRETS_MANAGER_SECRET_NAME", missing.to_string()))
    }
}

/// A file that was named must be there; one at its usual place may be.
fn document(named: Option<&Path>, usual: &Path, problems: &mut Vec<Problem>) -> Option<Document> {
    let path = named.unwrap_or(usual);
    match read_text(path) {
        Ok(text) => Some(Document { path: path.to_owned(), text }),
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => None,
        Err(error) => {
            problems.push(Problem::new(path.display().to_string(), format!("cannot be read ({error})")));
            None
        }
    }
}

/// Reads a small text file.
pub(crate) fn read_text(path: &Path) -> std::io::Result<String> {
    let about = std::fs::metadata(path)?;
    if about.len() > LARGEST_FILE {
        return Err(std::io::Error::new(ErrorKind::InvalidData, "it is larger than 1 MiB"));
    }
    std::fs::read_to_string(path)
}
