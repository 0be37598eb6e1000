//! The real binary, on a free port, with a data folder of its own. It ends with the value that holds it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The key that programs use.
pub const KEY: &str = "key-of-the-outside-tests-7f3a91c2d4e5b608";

/// A running server.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    /// What is said to whoever started it, and to nobody else.
    said: Arc<Mutex<Vec<String>>>,
    data: Arc<TempDir>,
}

impl Server {
    /// Starts the server with these variables and none of the machine's own.
    pub async fn start(variables: &[(&str, &str)]) -> Server {
        Server::on(Arc::new(tempfile::tempdir().expect("a data folder")), 0, variables).await
    }

    /// Starts a second server on the data of this one.
    pub async fn beside(&self, variables: &[(&str, &str)]) -> Server {
        Server::on(Arc::clone(&self.data), 0, variables).await
    }

    /// Starts it again where it was.
    pub async fn again(&mut self, variables: &[(&str, &str)]) {
        *self = Server::on(Arc::clone(&self.data), self.address.port(), variables).await;
    }

    async fn on(data: Arc<TempDir>, port: u16, variables: &[(&str, &str)]) -> Server {
        let mut process = Command::new(env!("CARGO_BIN_EXE_stoa"))
            .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir"])
            .arg(data.path())
            .current_dir(data.path())
            .env_clear()
            .envs([("API_KEYS", KEY), ("LOG_FORMAT", "json"), ("PATH", "/usr/bin:/bin")])
            // How full the disk of the machine is says nothing about the server.
            .env("ALERT_DISK_PERCENT", "0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::new(Mutex::new(Vec::new()));
        let (mut words, heard) =
            (BufReader::new(process.stderr.take().expect("a pipe")).lines(), Arc::clone(&said));
        tokio::spawn(async move {
            while let Ok(Some(line)) = words.next_line().await {
                eprintln!("{line}");
                heard.lock().expect("the words").push(line);
            }
        });
        let ready = async {
            while let Some(line) = lines.next_line().await.expect("the log is text") {
                let address = address(&line);
                log.lock().expect("the log").push(line);
                if address.is_some() {
                    return address;
                }
            }
            None
        };
        let ready = tokio::time::timeout(Duration::from_secs(30), ready).await.expect("ready in time");
        let address = ready.expect("the server says where it listens");
        let rest = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                rest.lock().expect("the log").push(line);
            }
        });
        Server { process, address, log, said, data }
    }

    /// The address of the server, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token with which a server that nobody runs yet is claimed.
    pub async fn setup_token(&self) -> String {
        for _ in 0..200 {
            let said = self.said.lock().expect("the words").clone();
            let token = said.iter().find_map(|line| line.split("set-up token ").nth(1)).map(str::trim);
            if let Some(token) = token {
                return token.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the server offers no set-up token");
    }

    /// Ends the process at once, as a crash would.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("the server ends");
    }

    /// The lines of the log so far that somebody would have to act on.
    pub fn errors(&self) -> Vec<String> {
        let log = self.log.lock().expect("the log");
        log.iter().filter(|line| line.contains("\"level\":\"ERROR\"")).cloned().collect()
    }

    /// Keeps the log to be read later.
    pub fn keep_log(&self, file: &Path) {
        let text = self.log.lock().expect("the log").join("\n");
        std::fs::write(file, text).expect("the log is kept");
    }
}

/// The address in the line that says that the server is ready.
fn address(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    line["message"].as_str()?.starts_with("Stoa is ready").then(|| line["address"].as_str()?.parse().ok())?
}
