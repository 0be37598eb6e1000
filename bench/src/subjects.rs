//! The programs that the table compares, each with how it is started. It never measures.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process::{Cores, Running, free_port};

/// Long enough for a stack of several Python processes.
const START_LIMIT: Duration = Duration::from_secs(60);
const CHAT: &str = "/v1/chat/completions";
/// Made up; it opens only the server that this program starts.
const KEY: &str = "bench-key-4f1c2a9d7e6b5838a0c1d2e3f4a5b6c7";

/// A program to compare.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The mock itself: what the driver and the mock alone can do.
    Mock,
    /// The bare proxy.
    Proxy,
    /// The bare proxy that stores both messages.
    ProxySqlite,
    /// The server; with `groups` it is started in these control groups.
    Stoa { binary: PathBuf, model: String, env: Vec<(String, String)>, groups: Vec<PathBuf> },
    /// The stack of the source documents.
    Reference { python: PathBuf, folder: PathBuf },
}

/// A program that runs.
pub(crate) struct Subject {
    pub(crate) url: String,
    pub(crate) key: Option<&'static str>,
    pub(crate) model: String,
    /// From the start of the process to the first 200 on its readiness probe.
    pub(crate) ready: Duration,
    running: Running,
}

impl Subject {
    pub(crate) fn pid(&self) -> u32 {
        self.running.pid()
    }
}

impl Kind {
    /// The name in the table.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kind::Mock => "mock alone",
            Kind::Proxy => "bare proxy",
            Kind::ProxySqlite => "proxy + SQLite",
            Kind::Stoa { .. } => "stoa",
            Kind::Reference { .. } => "reference stack",
        }
    }

    /// The size of the program, where it is one file of its own.
    pub(crate) fn binary_mib(&self) -> Option<f64> {
        let Kind::Stoa { binary, .. } = self else { return None };
        fs::metadata(binary).ok().map(|data| data.len() as f64 / (1024.0 * 1024.0))
    }

    /// Starts it with its data in `folder`, and waits until it is ready.
    pub(crate) fn start(
        &self,
        cores: &Cores,
        folder: &Path,
        mock: SocketAddr,
        pieces: usize,
    ) -> Result<Subject> {
        fs::create_dir_all(folder)?;
        let at = free_port()?;
        let upstream = format!("http://{mock}");
        let own = std::env::current_exe()?;
        let (mut command, probe) = match self {
            Kind::Mock => {
                let mut command = cores.command(&cores.mock, &own);
                command.arg("mock").args(["--listen", &at.to_string(), "--pieces", &pieces.to_string()]);
                (command, "/v1/models")
            }
            Kind::Proxy | Kind::ProxySqlite => {
                let mut command = cores.command(&cores.subject, &own);
                command.arg("proxy").args(["--listen", &at.to_string(), "--upstream", &upstream]);
                if matches!(self, Kind::ProxySqlite) {
                    command.arg("--sqlite").arg(folder.join("rows.db"));
                }
                (command, "/ready")
            }
            Kind::Stoa { binary, env, groups, .. } => {
                let binary =
                    fs::canonicalize(binary).with_context(|| format!("no file {}", binary.display()))?;
                let mut command = match groups.as_slice() {
                    [] => cores.command(&cores.subject, &binary),
                    groups => crate::group::inside(groups, &binary)?,
                };
                command.arg("serve");
                configure(&mut command, folder, at, &upstream);
                command.envs(env.iter().map(|(name, value)| (name, value)));
                (command, "/ready")
            }
            Kind::Reference { python, folder: code } => {
                let mut command = cores.command(&cores.subject, python);
                command.args(["-m", "uvicorn", "app:app", "--workers", "4", "--no-access-log", "--host"]);
                command
                    .args([at.ip().to_string(), "--port".into(), at.port().to_string()])
                    .arg("--app-dir")
                    .arg(code);
                let database = format!("sqlite:///{}", folder.join("reference.db").display());
                command.env("OPENAI_BASE_URL", format!("{upstream}/v1")).env("DATABASE_URL", database);
                command.env("API_KEYS", KEY).env("RATE_LIMIT_PER_MINUTE", "1000000000");
                (command, "/ready")
            }
        };
        if !matches!(self, Kind::Stoa { .. }) {
            command.current_dir(folder);
        }
        let started = Instant::now();
        let mut running = Running::start(self.name(), command, &folder.join("output.log"))?;
        let ready = running.wait_ready(at, probe, started, START_LIMIT).with_context(|| {
            let log = fs::read_to_string(folder.join("output.log")).unwrap_or_default();
            let end = log.lines().rev().take(15).collect::<Vec<_>>();
            end.into_iter().rev().collect::<Vec<_>>().join("\n")
        })?;
        let (key, model) = match self {
            Kind::Stoa { model, .. } => (Some(KEY), model.clone()),
            Kind::Reference { .. } => (Some(KEY), "mock".to_owned()),
            _ => (None, "mock".to_owned()),
        };
        Ok(Subject { url: format!("http://{at}{CHAT}"), key, model, ready, running })
    }
}

/// The server as in production with everything on; limits are raised by number, not switched off, so that they are
/// counted for every request.
fn configure(command: &mut Command, folder: &Path, at: SocketAddr, upstream: &str) {
    let data = folder.join("data");
    command.current_dir(folder).env_clear();
    for (name, value) in [
        ("ENVIRONMENT", "staging"),
        ("API_HOST", &at.ip().to_string()),
        ("API_PORT", &at.port().to_string()),
        ("ALLOWED_HOSTS", "127.0.0.1,localhost"),
        ("DATABASE_URL", &format!("sqlite:{}", data.join("stoa.db").display())),
        ("BACKUP_DIR", &folder.join("backups").display().to_string()),
        ("SESSION_SECRET", "7d1f0c9ab35e48e2b6a4d9035c8f7e21a0b9c8d7e6f54132"),
        ("ENABLE_ENCRYPTION_AT_REST", "true"),
        ("ENCRYPTION_KEY", "q3Jx0e1H5r7Yk2mN8vB4tZ6wC9uD0fG1hS2jK3lQ4pA="),
        ("MASK_PII_IN_LOGS", "true"),
        ("API_KEYS", KEY),
        ("OPENAI_API_KEY", "sk-bench-0123456789abcdef"),
        ("OPENAI_BASE_URL", &format!("{upstream}/v1")),
        ("OPENAI_MODEL", "mock"),
        // No proxy stands in front that ends TLS.
        ("ENFORCE_HTTPS", "false"),
        ("RATE_LIMIT_ENABLED", "true"),
        ("RATE_LIMIT_PER_MINUTE", "1000000"),
        ("RATE_LIMIT_PER_HOUR", "10000000"),
    ] {
        command.env(name, value);
    }
    let _ = fs::create_dir_all(data);
}
