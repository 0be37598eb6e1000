//! The load driver: a closed loop of C connections, or an open loop at a fixed rate that counts from the moment a
//! request should have begun, so that a server cannot hide a stall by slowing its callers down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::driver::{Connection, Question};
use crate::process;
use crate::samples::{Samples, Spread};
use crate::target;

/// What to send, where and for how long.
#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    /// The chat completions endpoint (loopback only)
    #[arg(long, default_value = "http://127.0.0.1:9102/v1/chat/completions")]
    url: String,
    /// Connections kept open
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// Seconds to measure
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Requests a second (open loop); without it each connection asks again as soon as it has its answer
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: Option<u64>,
    /// Ask for streams
    #[arg(long)]
    stream: bool,
    /// Sent as `Authorization: Bearer`
    #[arg(long)]
    key: Option<String>,
    /// The model to name
    #[arg(long, default_value = "mock")]
    model: String,
    /// One JSON document in place of text
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Answers a second that were right.
    pub(crate) per_second: f64,
    pub(crate) answers: usize,
    /// Answers with a wrong status or body, and broken connections.
    pub(crate) wrong: u64,
    /// The first thing that went wrong.
    pub(crate) first_fault: Option<String>,
    /// Milliseconds to the end of the answer.
    pub(crate) latency: Spread,
    /// Milliseconds to the first text of a stream.
    pub(crate) first_text: Spread,
    /// Share of one core that this driver used; near 1 the driver itself is the limit.
    pub(crate) driver_cpu: f64,
}

/// What the connections share.
struct Shared {
    question: Question,
    stop: AtomicBool,
    wrong: AtomicU64,
    fault: parking::Slot,
    due: Option<(Semaphore, Duration)>,
    next: AtomicU64,
    started: Instant,
}

/// A place for the first fault.
mod parking {
    use std::sync::Mutex;

    #[derive(Default)]
    pub(super) struct Slot(Mutex<Option<String>>);

    impl Slot {
        pub(super) fn set(&self, text: String) {
            if let Ok(mut slot) = self.0.lock() {
                slot.get_or_insert(text);
            }
        }

        pub(super) fn get(&self) -> Option<String> {
            self.0.lock().ok().and_then(|slot| slot.clone())
        }
    }
}

/// Measures and prints.
pub(crate) async fn run(args: Args) -> Result<()> {
    let measured = measure(&args).await?;
    if args.json {
        println!("{}", serde_json::to_string(&measured)?);
    } else {
        let Measured { per_second, answers, wrong, latency, first_text, driver_cpu, .. } = &measured;
        println!(
            "{answers} right answers, {per_second:.0} a second, {wrong} wrong, driver at {:.0} %",
            driver_cpu * 100.0
        );
        println!(
            "latency ms: p50 {:.3}  p95 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3}",
            latency.p50, latency.p95, latency.p99, latency.p999, latency.max
        );
        if args.stream {
            println!(
                "first text ms: p50 {:.3}  p95 {:.3}  p99 {:.3}",
                first_text.p50, first_text.p95, first_text.p99
            );
        }
    }
    match (measured.wrong, &measured.first_fault) {
        (0, _) => Ok(()),
        (wrong, fault) => {
            bail!("{wrong} wrong answers; the first: {}", fault.as_deref().unwrap_or("unknown"))
        }
    }
}

/// Opens the connections, sends for the time given, and sums up.
async fn measure(args: &Args) -> Result<Measured> {
    let (address, path) = target::socket(&args.url)?;
    let question = Question::new(address, &path, args.key.as_deref(), &args.model, args.stream);
    let mut connections = Vec::new();
    for _ in 0..args.connections {
        connections.push(Connection::open(address).await?);
    }
    let shared = Arc::new(Shared {
        question,
        stop: AtomicBool::new(false),
        wrong: AtomicU64::new(0),
        fault: parking::Slot::default(),
        due: args.rate.map(|rate| (Semaphore::new(0), Duration::from_secs(1).div_f64(rate as f64))),
        next: AtomicU64::new(0),
        started: Instant::now(),
    });
    let cpu = process::cpu_seconds(std::process::id());
    let span = Duration::from_secs(args.seconds);
    if let Some(rate) = args.rate {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || release(&shared, rate, span));
    }
    let mut work = JoinSet::new();
    for connection in connections {
        work.spawn(ask(connection, Arc::clone(&shared)));
    }
    tokio::time::sleep(span).await;
    shared.stop.store(true, Ordering::Relaxed);
    let elapsed = shared.started.elapsed();
    if let Some((due, _)) = &shared.due {
        due.close();
    }
    let (mut latency, mut first_text) = (Samples::default(), Samples::default());
    // Answers that are still on their way get a moment; a server that hangs does not hold the driver.
    let rest = async {
        while let Some(done) = work.join_next().await {
            let (whole, first) = done?;
            latency.join(whole);
            first_text.join(first);
        }
        anyhow::Ok(())
    };
    if tokio::time::timeout(Duration::from_secs(10), rest).await.is_err() {
        bail!("answers were still missing 10 s after the end");
    }
    let driver_cpu =
        (process::cpu_seconds(std::process::id()) - cpu) / shared.started.elapsed().as_secs_f64();
    Ok(Measured {
        per_second: latency.len() as f64 / elapsed.as_secs_f64(),
        answers: latency.len(),
        wrong: shared.wrong.load(Ordering::Relaxed),
        first_fault: shared.fault.get(),
        latency: latency.spread(),
        first_text: first_text.spread(),
        driver_cpu,
    })
}

/// Lets requests of the open loop begin when they are due. A thread of its own: the runtime's timer has steps of a
/// millisecond, which would be most of what is measured.
fn release(shared: &Shared, rate: u64, span: Duration) {
    let Some((due, _)) = &shared.due else { return };
    let mut released = 0;
    while shared.started.elapsed() < span && !shared.stop.load(Ordering::Relaxed) {
        let now = (shared.started.elapsed().as_secs_f64() * rate as f64) as u64 + 1;
        due.add_permits(usize::try_from(now - released).unwrap_or(0));
        released = now;
        let next = Duration::from_secs_f64(now as f64 / rate as f64);
        std::thread::sleep(next.saturating_sub(shared.started.elapsed()));
    }
}

/// One connection: asks until told to stop. Gives its times.
async fn ask(mut connection: Connection, shared: Arc<Shared>) -> (Samples, Samples) {
    let (mut whole, mut first) = (Samples::default(), Samples::default());
    while !shared.stop.load(Ordering::Relaxed) {
        let mut begun = Instant::now();
        if let Some((due, step)) = &shared.due {
            match due.acquire().await {
                Ok(permit) => permit.forget(),
                Err(_) => break,
            }
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            begun = shared.started + step.mul_f64(number as f64);
        }
        match connection.ask(&shared.question).await {
            Ok(text_at) => {
                whole.add(begun.elapsed());
                if let Some(at) = text_at {
                    first.add(at.saturating_duration_since(begun));
                }
            }
            Err(fault) => {
                shared.wrong.fetch_add(1, Ordering::Relaxed);
                shared.fault.set(format!("{fault:#}"));
                match Connection::open(connection.address()).await {
                    Ok(fresh) => connection = fresh,
                    Err(_) => break,
                }
            }
        }
    }
    (whole, first)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::{mock, proxy};

    #[derive(Parser)]
    struct Line<A: clap::Args> {
        #[command(flatten)]
        args: A,
    }

    fn args<A: clap::Args>(words: &[&str]) -> A {
        Line::parse_from(["bench"].iter().chain(words)).args
    }

    async fn start_mock() -> String {
        let at = process::free_port().unwrap().to_string();
        tokio::spawn(mock::run(args(&["--listen", &at, "--pieces", "3"])));
        at
    }

    async fn start_proxy(mock: &str, more: &[&str]) -> String {
        let (at, upstream) = (process::free_port().unwrap().to_string(), format!("http://{mock}"));
        let words = [&["--listen", &at, "--upstream", &upstream], more].concat();
        tokio::spawn(proxy::run(args(&words)));
        tokio::time::sleep(Duration::from_millis(200)).await;
        at
    }

    async fn load(at: &str, more: &[&str]) -> Measured {
        let url = format!("http://{at}/v1/chat/completions");
        let words = [&["--url", &url, "--connections", "4", "--seconds", "1"], more].concat();
        measure(&args(&words)).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn both_proxies_pass_answers_and_streams_and_one_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.db").display().to_string();
        let mock = start_mock().await;
        for more in [&[][..], &["--sqlite", &file]] {
            let at = start_proxy(&mock, more).await;
            for kind in [&["--rate", "50"][..], &["--rate", "50", "--stream"]] {
                let measured = load(&at, kind).await;
                assert_eq!((measured.wrong, &measured.first_fault), (0, &None));
                assert!((40..=51).contains(&measured.answers), "{measured:?}");
                assert_eq!(measured.first_text.p50 > 0.0, kind.contains(&"--stream"));
            }
        }
        let reader = rusqlite::Connection::open(&file).unwrap();
        let sql = "select role, count(*), min(length(content)) from message group by role order by role";
        let mut statement = reader.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let rows: Vec<(String, i64, i64)> = rows.collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|(_, count, shortest)| *count >= 80 && *shortest >= 80), "{rows:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn wrong_answers_are_counted_and_named() {
        let at = start_proxy("127.0.0.1:1", &[]).await;
        let measured = load(&at, &["--rate", "50"]).await;
        assert_eq!(measured.answers, 0);
        assert!(measured.wrong > 0);
        assert!(measured.first_fault.unwrap().contains("502"));
    }
}
