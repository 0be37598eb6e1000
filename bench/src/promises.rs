//! What was promised under load, measured from outside: 95 of 100 requests to the API that need no model, the mean of the
//! statements, the share of requests that fail (rows 001.88 to 001.90 of the requirements). It starts the server itself
//! and fails when a promise is not kept.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::fleet;
use crate::process::Cores;
use crate::samples::{Samples, Spread};
use crate::subjects::Kind;

const METRICS_TOKEN: &str = "bench-metrics-token-5e8c1a7f";
/// The promises of the documents.
const P95_MS: f64 = 200.0;
const MEAN_MS: f64 = 100.0;
const WRONG_PERCENT: f64 = 0.1;

/// What to load, and how much.
#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    /// The release binary of the server
    #[arg(long)]
    stoa: PathBuf,
    /// A Postgres where databases may be made: postgres://user@host:port/postgres; SQLite without it
    #[arg(long)]
    postgres: Option<String>,
    /// Where the data lies; on a real disk
    #[arg(long, default_value = "/var/tmp")]
    folder: PathBuf,
    /// Seconds of load
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Requests a second that need no model
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// Turns a second beside them, each stored
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    turns: u64,
    /// Connections
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    connections: u64,
}

/// Loads, measures, prints, and fails when a promise is broken.
pub(crate) async fn run(args: Args) -> Result<()> {
    let mut env = vec![
        ("METRICS_TOKEN".to_owned(), METRICS_TOKEN.to_owned()),
        ("MAX_CONVERSATIONS_PER_SESSION".to_owned(), "1000000".to_owned()),
        // All requests come from one address; they are counted, and the count is never reached.
        ("RATE_LIMIT_EVERYTHING".to_owned(), "1000000 per minute".to_owned()),
    ];
    if let Some(server) = &args.postgres {
        env.push(("DATABASE_URL".to_owned(), fleet::database(server, "stoa_bench_promises").await?));
    }
    let (binary, parent) = (args.stoa.clone(), args.folder.clone());
    let starting = move || {
        let (cores, folder) = (Cores::unpinned(), tempfile::tempdir_in(parent)?);
        let mock = Kind::Mock.start(&cores, &folder.path().join("mock"), ([127, 0, 0, 1], 0).into(), 4)?;
        let at = crate::target::authority(&mock.url)?;
        let kind = Kind::Stoa { binary, model: "assistant".to_owned(), env, groups: Vec::new() };
        let subject = kind.start(&cores, &folder.path().join("stoa"), at, 4)?;
        anyhow::Ok((folder, mock, subject))
    };
    let (folder, mock, subject) = tokio::task::spawn_blocking(starting).await??;
    let address = crate::target::authority(&subject.url)?;
    let caller = Caller { address, key: subject.key.unwrap_or_default().to_owned() };
    let paths = paths(&caller).await?;
    let before = caller.statements().await?;
    let driver =
        fleet::drive(&subject, args.seconds, &["--connections", "16", "--rate", &args.turns.to_string()])?;
    let seen = caller.load(&paths, &args).await?;
    let turns = tokio::task::spawn_blocking(move || fleet::outcome(driver)).await??;
    let after = caller.statements().await?;
    let mean = (after.0 - before.0) / (after.1 - before.1).max(1.0) * 1_000.0;
    let requests = seen.answers + turns.answers as u64 + turns.wrong + seen.wrong;
    let wrong = (seen.wrong + turns.wrong) as f64 / requests.max(1) as f64 * 100.0;
    let Spread { p50, p95, p99, max, .. } = seen.latency;
    let engine = if args.postgres.is_some() { "Postgres" } else { "SQLite" };
    println!(
        "{engine}, {} s: {} requests a second that need no model, {} turns a second",
        args.seconds, args.rate, args.turns
    );
    println!("requests: p50 {p50:.2} ms, p95 {p95:.2} ms, p99 {p99:.2} ms, longest {max:.2} ms");
    println!("turns: p95 {:.2} ms; {} statements", turns.latency.p95, after.1 - before.1);
    println!("| promise | measured | promised | kept |\n|---|---|---|---|");
    let rows = [
        ("95 of 100 requests without a model", p95, "ms", P95_MS),
        ("mean of the statements", mean, "ms", MEAN_MS),
        ("requests that failed", wrong, "%", WRONG_PERCENT),
    ];
    for (name, value, unit, most) in rows {
        let kept = if value < most { "yes" } else { "no" };
        println!("| {name} | {value:.3} {unit} | less than {most} {unit} | {kept} |");
    }
    let fault = seen.fault.or(turns.first_fault).unwrap_or_default();
    tokio::task::spawn_blocking(move || drop((subject, mock, folder))).await?;
    ensure!(rows.iter().all(|(_, value, _, most)| value < most), "a promise was not kept {fault}");
    Ok(())
}

/// The requests without a model: who am I, the apps, the conversations, one of them, its messages, what it is to others.
async fn paths(caller: &Caller) -> Result<Vec<String>> {
    let mut connection = caller.open().await?;
    let body = r#"{"message":"Which harbour has the highest tide?","app":"assistant"}"#;
    let (status, text) = caller.ask(&mut connection, Method::POST, "/api/v1/chat", body).await?;
    ensure!(status == 200, "the first turn: {status} {text}");
    let answer: serde_json::Value = serde_json::from_str(&text)?;
    let id = answer.get("conversation_id").and_then(|id| id.as_str()).context("no conversation")?;
    let one = format!("/api/v1/conversations/{id}");
    Ok(vec![
        "/api/v1/whoami".to_owned(),
        "/api/v1/apps".to_owned(),
        "/api/v1/conversations?limit=20".to_owned(),
        format!("{one}/messages?limit=20"),
        format!("{one}/export?format=markdown"),
        one,
        "/v1/models".to_owned(),
    ])
}

struct Seen {
    answers: u64,
    wrong: u64,
    fault: Option<String>,
    latency: Spread,
}

/// Who asks, and where.
#[derive(Clone)]
struct Caller {
    address: SocketAddr,
    key: String,
}

type Sender = SendRequest<Full<Bytes>>;

impl Caller {
    async fn open(&self) -> Result<Sender> {
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn ask(&self, on: &mut Sender, method: Method, path: &str, body: &str) -> Result<(u16, String)> {
        let key = if path == "/metrics" { METRICS_TOKEN } else { &self.key };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, format!("Bearer {key}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_owned())))?;
        on.ready().await?;
        let response = on.send_request(request).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The time and the number of all statements, as the server counts them.
    async fn statements(&self) -> Result<(f64, f64)> {
        let mut connection = self.open().await?;
        let (status, text) = self.ask(&mut connection, Method::GET, "/metrics", "").await?;
        ensure!(status == 200, "/metrics: {status}");
        let sum = |name: &str| -> f64 {
            let lines = text.lines().filter(|line| line.starts_with(name));
            lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
        };
        Ok((sum("stoa_db_query_duration_seconds_sum"), sum("stoa_db_query_duration_seconds_count")))
    }

    /// Asks at a fixed rate, and takes the time from the moment at which a request should have begun.
    async fn load(&self, paths: &[String], args: &Args) -> Result<Seen> {
        let (next, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let all = args.rate * args.seconds;
        let mut work = JoinSet::new();
        for _ in 0..args.connections {
            let (caller, paths, next, rate) = (self.clone(), paths.to_vec(), Arc::clone(&next), args.rate);
            let mut connection = self.open().await?;
            work.spawn(async move {
                let (mut times, mut wrong, mut fault) = (Samples::default(), 0, None);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= all {
                        return (times, wrong, fault);
                    }
                    let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
                    tokio::time::sleep_until(due.into()).await;
                    let path = paths.get(number as usize % paths.len()).map_or("/", String::as_str);
                    match caller.ask(&mut connection, Method::GET, path, "").await {
                        Ok((200, _)) => times.add(due.elapsed()),
                        Ok((status, text)) => {
                            wrong += 1;
                            fault.get_or_insert(format!("{path}: {status} {text}"));
                        }
                        Err(error) => {
                            wrong += 1;
                            fault.get_or_insert(format!("{path}: {error:#}"));
                            if let Ok(fresh) = caller.open().await {
                                connection = fresh;
                            }
                        }
                    }
                }
            });
        }
        let (mut times, mut wrong, mut fault) = (Samples::default(), 0, None);
        while let Some(done) = work.join_next().await {
            let (more, bad, why) = done?;
            times.join(more);
            wrong += bad;
            fault = fault.or(why);
        }
        Ok(Seen { answers: times.len() as u64, wrong, fault, latency: times.spread() })
    }
}
