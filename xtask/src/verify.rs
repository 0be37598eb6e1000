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
const METRICS: &str = "ci-metrics-5b0e9c7d4f2a8163";
const KEY: &str = "ci-key-8d1f0b6c2e9a4753b6d0f1a2c3e4f5a6";

/// An origin that it is told to trust.
const EMAIL: &str = "verify@example.org";
const PASSWORD: &str = "four plain words of a sentence";
const ORIGIN: &str = "https://app.example.org";

/// Starts the server, lets it be verified, and sees that it ends when it is told to.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let binary = shell.server()?;
    let folder = Folder::new("verify")?;
    let port = shell::free_port()?;
    let url = format!("http://127.0.0.1:{port}");
    let log = folder.path().join("log");
    let stoa = |args: &[&str]| {
        let mut command = Command::new(&binary);
        command.args(args).env_clear().current_dir(folder.path());
        command
    };
    let verify = |token: &str| {
        let given = ["--api-key", KEY, "--token", token, "--metrics-token", METRICS, "--origin", ORIGIN];
        stoa(&[&["verify", &url], &given[..]].concat())
    };
    // Nobody listens yet: a command that finds nothing wrong with that finds nothing wrong with anything.
    let alone = shell::output(&mut verify("none"));
    ensure!(alone.is_err(), "stoa verify is content with a server that is not there");

    let mut serve = Command::new(&binary);
    serve.arg("serve").env_clear().current_dir(folder.path());
    serve.envs([
        ("ENVIRONMENT", "development"),
        ("API_HOST", "127.0.0.1"),
        ("API_PORT", &port.to_string()),
        ("API_KEYS", KEY),
        ("CORS_ORIGINS", ORIGIN),
        ("METRICS_TOKEN", METRICS),
        // The disk of the machine that builds is no fault of the server.
        ("ALERT_DISK_PERCENT", "0"),
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

    let password = fs::File::open(shell::write(folder.path(), "password", PASSWORD)?)?;
    let made = stoa(&["user", "create", EMAIL, "--admin", "--password-stdin"]).stdin(password).output()?;
    ensure!(made.status.success(), "no account: {}", String::from_utf8_lossy(&made.stderr).trim());
    let token = sign_in(port).context("the account cannot sign in").with_context(show_log)?;
    let verified = shell::show(&mut verify(&token), |_| {})?;
    ensure!(verified, "{}\nstoa verify found something", show_log());
    crate::deploy::live(&shell.root, &metrics(port)?)?;
    ensure!(
        shell::output(&mut stoa(&["probe", "--port", &port.to_string()])).is_ok(),
        "stoa probe says not ready"
    );
    ensure!(server.stop(), "{}\nthe server did not end in time and well", show_log());
    Ok(())
}

/// What `/metrics` says to whoever has the token.
fn metrics(port: u16) -> Result<String> {
    let head = format!(
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {METRICS}\r\nConnection: close\r\n\r\n"
    );
    ask(port, &head)
}

/// The access token of the account.
fn sign_in(port: u16) -> Result<String> {
    let body = serde_json::json!({"email": EMAIL, "password": PASSWORD}).to_string();
    let head = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let body = ask(port, &(head + &body))?;
    let tokens: serde_json::Value = serde_json::from_str(&body).context("the answer is no JSON")?;
    let token = tokens.get("access_token").and_then(serde_json::Value::as_str);
    Ok(token.context("the answer holds no token")?.to_owned())
}

/// Sends a request and gives the body of the answer.
fn ask(port: u16, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("the answer has no body")?;
    Ok(body.to_owned())
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
