//! A Postgres of its own in a temporary folder, without the costs of durability.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::{Services, tied};
use crate::running::{Folder, Program};
use crate::shell;

/// The system's user that runs it when this is root.
const USER: &str = "postgres";

/// The folder of its programs; of several versions the newest.
pub(super) fn find() -> Option<PathBuf> {
    // Debian keeps them off the PATH, one folder a version.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max();
    let on_path = || shell::find(&["initdb"]).and_then(|initdb| initdb.parent().map(Path::to_owned));
    newest.map(|(_, folder)| folder).or_else(on_path)
}

/// Makes a cluster and starts it. Gives `STOA_TEST_POSTGRES`, the URL of its superuser.
pub(super) fn start(services: &mut Services) -> Result<()> {
    let programs = find().context("its programs are not found")?;
    let folder = Folder::new("postgres")?;
    let data = folder.path().join("data");
    let user = shell::is_root().then_some(USER);
    let password = password()?;
    let password_file = shell::write(folder.path(), "password", &password)?;
    if let Some(user) = user {
        let (uid, gid) = ids(user)?;
        std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
        std::os::unix::fs::chown(&password_file, Some(uid), Some(gid))?;
    }
    let mut make = tied(programs.join("initdb"), user);
    make.arg("--pgdata").arg(&data).arg("--pwfile").arg(&password_file);
    make.args([
        "--username",
        USER,
        "--auth",
        "scram-sha-256",
        "--encoding",
        "UTF8",
        "--locale",
        "C",
        "--no-sync",
    ]);
    shell::output(make.current_dir(folder.path()))?;

    let port = shell::free_port()?;
    let log = fs::File::create(folder.path().join("log"))?;
    let mut serve = tied(programs.join("postgres"), user);
    serve.arg("-D").arg(&data).current_dir(folder.path()).stdout(Stdio::null()).stderr(log);
    for option in [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=300".to_owned(),
        // What a crash would cost is of no interest here; that of the server is tested on SQLite and its files.
        "fsync=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "synchronous_commit=off".to_owned(),
    ] {
        serve.arg("-c").arg(option);
    }
    // A fast shutdown: it ends the sessions that tests have left open.
    let mut program = Program::start(&mut serve, Signal::INT)?;
    let answers = || {
        let mut ask = Command::new(programs.join("pg_isready"));
        ask.args(["--quiet", "--host", "127.0.0.1", "--port", &port.to_string()]);
        shell::output(&mut ask).is_ok()
    };
    shell::wait_until(&mut program, Duration::from_secs(60), answers)
        .with_context(|| fs::read_to_string(folder.path().join("log")).unwrap_or_default())?;
    services
        .variables
        .push(("STOA_TEST_POSTGRES", format!("postgresql://{USER}:{password}@127.0.0.1:{port}/postgres")));
    services.keep(program, folder);
    Ok(())
}

fn password() -> Result<String> {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The numbers of a user of the system.
fn ids(user: &str) -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.split(':').next() == Some(user));
    let mut fields = line.with_context(|| format!("there is no user {user}"))?.split(':').skip(2);
    let mut number = || fields.next().and_then(|field| field.parse().ok());
    number().zip(number()).with_context(|| format!("the line of {user} in /etc/passwd is not understood"))
}
