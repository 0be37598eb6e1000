//! The binary as a process: started with a clean environment, read line by line, ended by its own id.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Caller;
use super::balancer::Balancer;

/// A server must be ready by then, on a machine that is busy with other tests.
const READY: Duration = Duration::from_secs(30);

/// A running server.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    complaints: Arc<Mutex<Vec<String>>>,
    /// The replicas beside this one, and what hands connections out; everything that is said to this one is said to
    /// all of them.
    others: Vec<Process>,
    balancer: Option<Balancer>,
}

/// What a command gave.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub out: String,
    pub complaint: String,
}

impl Output {
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// The binary with nothing in its environment but these variables.
pub fn command(folder: &Path, variables: &BTreeMap<String, String>, arguments: &[&str]) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the test owns the server")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoa"));
    command.args(arguments).env_clear().envs(variables).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub async fn run(folder: &Path, variables: &BTreeMap<String, String>, arguments: &[&str]) -> Output {
    let mut command = command(folder, variables, arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), out: text(output.stdout), complaint: text(output.stderr) }
}

/// The same, with something to read on its standard input.
pub async fn run_with(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    arguments: &[&str],
    input: &str,
) -> Output {
    let mut command = command(folder, variables, arguments);
    let input = input.to_owned();
    let work = move || {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // A command that refuses its arguments has ended by now, and reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(work).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), out: text(output.stdout), complaint: text(output.stderr) }
}

impl Process {
    /// Starts a server and waits until it is ready. Where the tests are told to run on replicas, and the server can
    /// have them, these are several behind one address.
    pub async fn start(folder: &Path, variables: &BTreeMap<String, String>) -> Process {
        let shared = variables.contains_key("REDIS_URL")
            && variables.get("DATABASE_URL").is_some_and(|url| url.starts_with("postgres"));
        match super::replicas() {
            count @ 2.. if shared => Process::several(folder, variables, count).await,
            _ => Process::one(folder, variables).await,
        }
    }

    /// Starts this many replicas behind one address.
    pub async fn several(folder: &Path, variables: &BTreeMap<String, String>, count: usize) -> Process {
        let mut variables = variables.clone();
        variables.entry("REPLICAS".to_owned()).or_insert_with(|| count.to_string());
        // One after the other: the first makes the schema.
        let mut first = Process::one(folder, &variables).await;
        let others = (1..count).map(|_| Process::one(folder, &variables));
        first.others = futures_util::future::join_all(others).await;
        let addresses = std::iter::once(&first).chain(&first.others).map(|replica| replica.address);
        let balancer = Balancer::before(addresses.collect()).await;
        first.address = balancer.address;
        first.balancer = Some(balancer);
        first
    }

    /// Starts one server.
    pub async fn one(folder: &Path, variables: &BTreeMap<String, String>) -> Process {
        let mut child = command(folder, variables, &["serve"]).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let complaints = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().unwrap(), Arc::clone(&lines));
        collect(child.stderr.take().unwrap(), Arc::clone(&complaints));
        let mut process = Process {
            child,
            address: ([127, 0, 0, 1], 0).into(),
            lines,
            complaints,
            others: Vec::new(),
            balancer: None,
        };
        let began = Instant::now();
        process.address = loop {
            if let Some(address) = process.announced() {
                break address;
            }
            let gone = process.child.try_wait().unwrap();
            assert!(
                gone.is_none() && began.elapsed() < READY,
                "the server did not start: {gone:?}\n{}\n{}",
                process.log(),
                process.complaint()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        process
    }

    fn announced(&self) -> Option<SocketAddr> {
        let ready =
            |line: &Value| line["message"].as_str().is_some_and(|text| text.starts_with("Stoa is ready at "));
        let line = self.lines().into_iter().find(ready)?;
        Some(line["address"].as_str().unwrap().parse().unwrap())
    }

    /// The log so far.
    pub fn log(&self) -> String {
        let own = self.lines.lock().unwrap().join("\n");
        self.others.iter().fold(own, |all, other| all + "\n" + &other.log())
    }

    /// What it said on standard error so far.
    pub fn complaint(&self) -> String {
        let own = self.complaints.lock().unwrap().join("\n");
        self.others.iter().fold(own, |all, other| all + "\n" + &other.complaint())
    }

    /// The lines of the log so far. Each must be JSON.
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        let own: Vec<Value> = self.lines.lock().unwrap().iter().map(parse).collect();
        own.into_iter().chain(self.others.iter().flat_map(Process::lines)).collect()
    }

    /// Waits for a line that `wanted` accepts.
    pub async fn line(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            if let Some(found) = self.lines().into_iter().find(&wanted) {
                return found;
            }
            assert!(began.elapsed() < Duration::from_secs(5), "no line about {what}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Somebody without a credential at this very process.
    pub fn anonymous(&self) -> Caller {
        Caller::new(self.address)
    }

    /// Sends a signal by its number.
    pub fn signal(&self, number: i32) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        let signal = rustix::process::Signal::from_named_raw(number).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        self.others.iter().for_each(|other| other.signal(number));
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) {
        self.child.kill().unwrap();
        self.others.iter_mut().for_each(|other| other.child.kill().unwrap());
        self.ended().await;
    }

    /// Asks it to stop, waits, gives the exit code.
    pub async fn terminate(&mut self) -> Option<i32> {
        self.signal(15);
        self.ended().await
    }

    /// Waits for its end; the exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        for other in &mut self.others {
            Box::pin(other.ended()).await;
        }
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(began.elapsed() < Duration::from_secs(35), "the server does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The memory that it holds, in bytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            println!("the last lines of the server, newest first:\n{}", tail.join("\n"));
        }
    }
}

fn collect(stream: impl Read + Send + 'static, into: Arc<Mutex<Vec<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            into.lock().unwrap().push(line);
        }
    });
}
