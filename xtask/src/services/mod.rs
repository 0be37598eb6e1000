//! What the tests need beside the compiler: Postgres, Redis, Chromium. It finds them, installs them where this is
//! allowed, starts its own and says where they are in `STOA_TEST_…`. It never uses one that was running before,
//! unless the developer names it in the same variables.

mod chromium;
mod postgres;
mod redis;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::running::{Folder, Program};
use crate::{setting, shell};

/// What runs, and what the tests are told about it. All of it stops with this value.
#[derive(Default)]
pub(crate) struct Services {
    /// Variables for the tests.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// What is missing, in words.
    pub(crate) missing: Vec<&'static str>,
    programs: Vec<Program>,
    folders: Vec<Folder>,
}

impl Services {
    /// Keeps a program and its folder until the end.
    fn keep(&mut self, program: Program, folder: Folder) {
        self.programs.push(program);
        self.folders.push(folder);
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.programs.clear();
        self.folders.clear();
    }
}

/// A service as the tests know it.
struct Kind {
    name: &'static str,
    variables: &'static [&'static str],
    packages: &'static [&'static str],
    is_there: fn() -> bool,
    start: fn(&mut Services) -> Result<()>,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "Postgres",
        variables: &["STOA_TEST_POSTGRES"],
        packages: &["postgresql"],
        is_there: || postgres::find().is_some(),
        start: postgres::start,
    },
    Kind {
        name: "Redis",
        variables: &["STOA_TEST_REDIS"],
        packages: &["redis-server"],
        is_there: || redis::find().is_some(),
        start: redis::start,
    },
    Kind {
        name: "Chromium",
        variables: &["STOA_TEST_CHROMIUM", "STOA_TEST_CHROMEDRIVER"],
        packages: &["chromium", "chromium-driver"],
        is_there: || chromium::find().is_some(),
        start: chromium::name,
    },
];

/// Whether a missing service is a failure: in CI it is.
pub(crate) fn required() -> bool {
    setting("REQUIRE_SERVICES").as_deref() == Some("1") || setting("CI").is_some_and(|value| value != "false")
}

/// Finds or installs, and starts, what the environment does not name already.
///
/// # Errors
/// When a service that is there does not start, or when one is missing that is [`required`].
pub(crate) fn start() -> Result<Services> {
    let mut services = Services::default();
    let wanted: Vec<&Kind> =
        KINDS.iter().filter(|kind| kind.variables.iter().any(|name| setting(name).is_none())).collect();
    install(wanted.iter().copied().filter(|kind| !(kind.is_there)()));
    for kind in wanted {
        if (kind.is_there)() {
            (kind.start)(&mut services)
                .map_err(|error| error.context(format!("{} does not start", kind.name)))?;
        } else {
            services.missing.push(kind.name);
        }
    }
    for (name, value) in &services.variables {
        println!("{name}={}", without_password(value));
    }
    let missing = services.missing.join(", ");
    if required() {
        ensure!(
            missing.is_empty(),
            "{missing} cannot be found or installed, and REQUIRE_SERVICES or CI is set"
        );
        services.variables.push(("REQUIRE_SERVICES", "1".to_owned()));
    } else if !missing.is_empty() {
        println!(
            "{missing} not found (apt-get install {}): tests that need it are skipped",
            packages(KINDS.iter())
        );
    }
    Ok(services)
}

/// Installs the packages of these kinds with apt. A failure shows in what is still missing afterwards.
fn install<'a>(missing: impl Iterator<Item = &'a Kind>) {
    fetch(&packages(missing));
}

/// Installs these packages with apt, where that is possible. A failure shows in what is still missing afterwards.
pub(crate) fn fetch(names: &str) {
    if names.is_empty() || !shell::is_root() || shell::find(&["apt-get"]).is_none() {
        return;
    }
    println!("installing {names}");
    // The packages come without a wish to run services of their own: an answer of 101 of this script, which Debian
    // asks before it starts a daemon, forbids it. It is only put where there is none.
    let policy = std::path::Path::new("/usr/sbin/policy-rc.d");
    let ours = !policy.exists() && forbid_daemons(policy).is_ok();
    for arguments in [
        vec!["update"],
        [vec!["install", "--yes", "--no-install-recommends"], names.split(' ').collect()].concat(),
    ] {
        let mut command = Command::new("apt-get");
        command.arg("--quiet").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        match shell::show(&mut command, |_| {}) {
            Ok(true) => {}
            Ok(false) => println!("apt-get failed"),
            Err(error) => println!("{error:#}"),
        }
    }
    if ours {
        let _ = std::fs::remove_file(policy);
    }
}

fn forbid_daemons(policy: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(policy, "#!/bin/sh\nexit 101\n")?;
    std::fs::set_permissions(policy, std::fs::Permissions::from_mode(0o755))
}

fn packages<'a>(kinds: impl Iterator<Item = &'a Kind>) -> String {
    kinds.flat_map(|kind| kind.packages).copied().collect::<Vec<_>>().join(" ")
}

/// A URL as it may be shown.
fn without_password(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (who, place))) => {
            format!("{scheme}://{}:…@{place}", who.split(':').next().unwrap_or(""))
        }
        None => url.to_owned(),
    }
}

/// A command that runs `program` as `user` when this is root (Postgres refuses root), and that ends with this
/// program even where this one is killed and cannot stop it.
fn tied(program: PathBuf, user: Option<&str>) -> Command {
    let Some(setpriv) = shell::find(&["setpriv"]) else {
        return match user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
    };
    let mut command = Command::new(setpriv);
    if let Some(user) = user {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_holds_no_password() {
        let url = "postgresql://postgres:hunter2@127.0.0.1:5555/postgres";
        assert_eq!(without_password(url), "postgresql://postgres:…@127.0.0.1:5555/postgres");
        assert_eq!(without_password("redis://127.0.0.1:1"), "redis://127.0.0.1:1");
    }

    /// Each service that this machine has starts, answers and is gone afterwards.
    #[test]
    fn what_is_found_starts_and_stops() {
        let mut services = Services::default();
        for kind in KINDS.iter().filter(|kind| (kind.is_there)()) {
            (kind.start)(&mut services).unwrap();
            assert!(
                kind.variables.iter().all(|name| services.variables.iter().any(|(known, _)| known == name))
            );
        }
        let ports: Vec<u16> = services
            .variables
            .iter()
            .filter_map(|(_, value)| value.split_once("127.0.0.1:")?.1.split('/').next()?.parse().ok())
            .collect();
        let folders: Vec<PathBuf> = services.folders.iter().map(|folder| folder.path().to_owned()).collect();
        let listens = |port: &u16| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok();
        assert!(ports.iter().all(listens), "{ports:?}");
        drop(services);
        assert!(!ports.iter().any(listens), "something still runs");
        assert!(folders.iter().all(|folder| !folder.exists()));
    }
}
