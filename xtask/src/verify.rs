//! `stoa verify` against a server that is started for it: the built binary, a folder of its own, the built-in
//! answerer. It owns the start and the end of that server; what is checked belongs to `verify` in the product.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use crate::running::{Folder, Program};
use crate::shell::{self, Shell};

/// A key that only this server knows, for as long as it lives.
const KEY: &str = "ci-key-8d1f0b6c2e9a4753b6d0f1a2c3e4f5a6";

/// An origin that it is told to trust.
const ORIGIN: &str = "https://app.example.org";

/// Starts the server, lets it be verified, and sees that it ends when it is told to.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let binary = shell.server()?;
    let folder = Folder::new("verify")?;
    let port = shell::free_port()?;
    let url = format!("http://127.0.0.1:{port}");
    let log = folder.path().join("log");
    let verify = || {
        let mut command = Command::new(&binary);
        command
            .args(["verify", &url, "--api-key", KEY, "--origin", ORIGIN])
            .env_clear()
            .current_dir(folder.path());
        command
    };
    // Nobody listens yet: a command that finds nothing wrong with that finds nothing wrong with anything.
    ensure!(shell::output(&mut verify()).is_err(), "stoa verify is content with a server that is not there");

    let mut serve = Command::new(&binary);
    serve.arg("serve").env_clear().current_dir(folder.path());
    serve.envs([
        ("ENVIRONMENT", "development"),
        ("API_HOST", "127.0.0.1"),
        ("API_PORT", &port.to_string()),
        ("API_KEYS", KEY),
        ("CORS_ORIGINS", ORIGIN),
        ("LOG_FORMAT", "json"),
        // The limits that are checked are exact in every profile once they are named.
        ("RATE_LIMIT_PER_MINUTE", "30"),
        ("RATE_LIMIT_PER_HOUR", "500"),
    ]);
    let output = fs::File::create(&log)?;
    serve.stdout(output.try_clone()?).stderr(output);
    let mut server = Program::start(&mut serve, Signal::TERM)?;
    let show_log =
        || format!("the server said:\n{}", tail(&fs::read_to_string(&log).unwrap_or_default(), 40));
    shell::wait_until(&mut server, Duration::from_secs(30), || is_ready(port).unwrap_or(false))
        .context("the server does not start")
        .with_context(show_log)?;

    let verified = shell::show(&mut verify(), |_| {})?;
    ensure!(verified, "{}\nstoa verify found something", show_log());
    ensure!(server.stop(), "{}\nthe server did not end in time and well", show_log());
    Ok(())
}

fn is_ready(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(
        format!("GET /ready HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(&head == b"HTTP/1.1 200")
}

/// The last lines of a text.
fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}
