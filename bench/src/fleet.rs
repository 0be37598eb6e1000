//! One, two, three replicas on one Postgres and one Redis, and one server over a long time: what more of them bring, and
//! whether memory stays flat. Both start the servers themselves, on services that somebody else started.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use sqlx::Connection as _;

use crate::load::Measured;
use crate::process::{Cores, cpu_seconds, resident_mib};
use crate::samples::median;
use crate::subjects::{Kind, Subject};

/// How many replicas, against what.
#[derive(clap::Args, Clone)]
pub(crate) struct Replicas {
    /// The release binary of the server
    #[arg(long)]
    stoa: PathBuf,
    /// A Postgres where databases may be made: postgres://user@host:port/postgres
    #[arg(long)]
    postgres: String,
    /// A Redis
    #[arg(long)]
    redis: String,
    /// The most replicas
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    most: u16,
    /// Control groups that the replicas are put into, the first into the first: folders with a `cgroup.procs`
    #[arg(long)]
    cgroup: Vec<PathBuf>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: u16,
    /// Connections of the driver to each replica
    #[arg(long, default_value_t = 32)]
    connections: u16,
}

/// What was measured with so many replicas.
struct Line {
    replicas: u16,
    per_second: f64,
    p95: f64,
    wrong: u64,
    cores: f64,
}

/// Measures and prints the table.
pub(crate) async fn replicas(args: Replicas) -> Result<()> {
    let mut lines = Vec::new();
    for count in 1..=args.most {
        let url = database(&args.postgres, &format!("stoa_bench_{count}")).await?;
        let args = args.clone();
        lines.push(tokio::task::spawn_blocking(move || some(&args, count, &url)).await??);
    }
    let one = lines.first().map_or(1.0, |line| line.per_second);
    println!(
        "| replicas | turns a second | to one | p95 ms | wrong | cores used |\n|---|---|---|---|---|---|"
    );
    for line in &lines {
        let Line { replicas, per_second, p95, wrong, cores } = line;
        println!(
            "| {replicas} | {per_second:.0} | {:.2} | {p95:.1} | {wrong} | {cores:.2} |",
            per_second / one
        );
    }
    Ok(())
}

/// A new, empty database.
pub(crate) async fn database(server: &str, name: &str) -> Result<String> {
    let mut connection = sqlx::PgConnection::connect(server).await.context("--postgres")?;
    for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
    }
    let (base, _) = server.rsplit_once('/').context("--postgres names a database at its end")?;
    Ok(format!("{base}/{name}"))
}

/// A key for the driver of each replica: callers are many, and what one of them opens is counted for it alone.
fn keys(count: u16) -> Vec<String> {
    (0..count).map(|number| format!("bench-key-{number:02}-9d7e6b5838a0c1d2e3f4a5b6c7")).collect()
}

fn some(args: &Replicas, count: u16, database: &str) -> Result<Line> {
    let (cores, folder) = (Cores::unpinned(), tempfile::tempdir()?);
    let mock = Kind::Mock.start(&cores, &folder.path().join("mock"), ([127, 0, 0, 1], 0).into(), 4)?;
    let at = crate::target::authority(&mock.url)?;
    let env = [
        ("DATABASE_URL", database),
        ("REDIS_URL", &args.redis),
        ("REPLICAS", &count.to_string()),
        ("DB_POOL_SIZE", "10"),
        ("DB_MAX_OVERFLOW", "10"),
        ("MAX_CONVERSATIONS_PER_SESSION", "1000000"),
        ("API_KEYS", &keys(args.most).join(",")),
    ];
    let env: Vec<_> = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut fleet = Vec::new();
    for number in 0..count {
        let groups = args.cgroup.get(usize::from(number)).cloned().into_iter().collect();
        let (binary, env) = (args.stoa.clone(), env.clone());
        let kind = Kind::Stoa { binary, model: "assistant".to_owned(), env, groups };
        fleet.push(kind.start(&cores, &folder.path().join(format!("replica-{number}")), at, 4)?);
    }
    let (mut rates, mut waits, mut used, mut wrong) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..args.rounds {
        let before: f64 = fleet.iter().map(|subject| cpu_seconds(subject.pid())).sum();
        let drivers: Vec<Child> = fleet
            .iter()
            .zip(keys(count))
            .map(|(subject, key)| {
                drive(subject, args.seconds, &["--connections", &args.connections.to_string(), "--key", &key])
            })
            .collect::<Result<_>>()?;
        let measured: Vec<Measured> = drivers.into_iter().map(outcome).collect::<Result<_>>()?;
        let after: f64 = fleet.iter().map(|subject| cpu_seconds(subject.pid())).sum();
        rates.push(measured.iter().map(|measured| measured.per_second).sum());
        waits.push(measured.iter().map(|measured| measured.latency.p95).fold(0.0, f64::max));
        used.push((after - before) / args.seconds as f64);
        wrong += measured.iter().map(|measured| measured.wrong).sum::<u64>();
        if let Some(fault) = measured.iter().find_map(|measured| measured.first_fault.as_ref()) {
            eprintln!("{count} replicas: {fault}");
        }
    }
    Ok(Line { replicas: count, per_second: median(rates), p95: median(waits), wrong, cores: median(used) })
}

/// One server for a long time.
#[derive(clap::Args, Clone)]
pub(crate) struct Soak {
    /// The release binary of the server
    #[arg(long)]
    stoa: PathBuf,
    /// Minutes of load
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    minutes: u64,
    /// Requests a second; one in four is a stream
    #[arg(long, default_value_t = 40)]
    rate: u64,
    /// A control group that the server is started in: a folder with a `cgroup.procs`; one for each kind of limit where
    /// they have trees of their own
    #[arg(long)]
    cgroup: Vec<PathBuf>,
    /// Further settings for the server
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::table::pair)]
    stoa_env: Vec<(String, String)>,
    /// The most resident memory, in MiB
    #[arg(long, default_value_t = 512.0)]
    most_mib: f64,
}

/// A line of the soak: what was seen in a minute.
struct Minute {
    answers: usize,
    wrong: u64,
    p95: f64,
    resident: f64,
    cores: f64,
}

/// Loads for as long as told, and fails when memory goes on growing or an answer was wrong.
pub(crate) async fn soak(args: Soak) -> Result<()> {
    tokio::task::spawn_blocking(move || soaked(&args)).await?
}

fn soaked(args: &Soak) -> Result<()> {
    let (cores, folder) = (Cores::unpinned(), tempfile::tempdir()?);
    let mock = Kind::Mock.start(&cores, &folder.path().join("mock"), ([127, 0, 0, 1], 0).into(), 8)?;
    let mut env = vec![("MAX_CONVERSATIONS_PER_SESSION".to_owned(), "1000000".to_owned())];
    env.extend(args.stoa_env.iter().cloned());
    let (binary, groups) = (args.stoa.clone(), args.cgroup.clone());
    let kind = Kind::Stoa { binary, model: "assistant".to_owned(), env, groups };
    let at = crate::target::authority(&mock.url)?;
    let subject = kind.start(&cores, &folder.path().join("stoa"), at, 8)?;
    println!("idle: {:.1} MiB", resident_mib(subject.pid()));
    println!("| minute | answers | wrong | p95 ms | resident MiB | cores |\n|---|---|---|---|---|---|");
    let mut minutes: Vec<Minute> = Vec::new();
    for minute in 1..=args.minutes {
        let (began, cpu) = (Instant::now(), cpu_seconds(subject.pid()));
        let (whole, streams) = ((args.rate * 3).div_ceil(4).max(1), (args.rate / 4).max(1));
        let drivers = [
            drive(&subject, 59, &["--connections", "16", "--rate", &whole.to_string()])?,
            drive(&subject, 59, &["--connections", "16", "--rate", &streams.to_string(), "--stream"])?,
        ];
        let measured: Vec<Measured> = drivers.into_iter().map(outcome).collect::<Result<_>>()?;
        let seen = Minute {
            answers: measured.iter().map(|measured| measured.answers).sum(),
            wrong: measured.iter().map(|measured| measured.wrong).sum(),
            p95: measured.iter().map(|measured| measured.latency.p95).fold(0.0, f64::max),
            resident: resident_mib(subject.pid()),
            cores: (cpu_seconds(subject.pid()) - cpu) / began.elapsed().as_secs_f64(),
        };
        let Minute { answers, wrong, p95, resident, cores } = &seen;
        println!("| {minute} | {answers} | {wrong} | {p95:.1} | {resident:.1} | {cores:.2} |");
        minutes.push(seen);
    }
    for group in &args.cgroup {
        println!("{}: {}", group.display(), crate::group::told(group));
    }
    verdict(args, &minutes)
}

/// Memory counts as flat when the last third holds no more than the third before it, within 5 % and 8 MiB: caches are
/// full by then.
fn verdict(args: &Soak, minutes: &[Minute]) -> Result<()> {
    let wrong: u64 = minutes.iter().map(|minute| minute.wrong).sum();
    let answers: usize = minutes.iter().map(|minute| minute.answers).sum();
    let most = minutes.iter().map(|minute| minute.resident).fold(0.0, f64::max);
    let third = (minutes.len() / 3).max(1);
    let of = |from: usize| {
        let part = minutes.iter().rev().skip(from).take(third);
        median(part.map(|minute| minute.resident).collect())
    };
    let (last, before) = (of(0), of(third));
    println!(
        "{answers} answers, {wrong} wrong; most memory {most:.1} MiB; last third {last:.1}, the one before {before:.1}"
    );
    ensure!(wrong as f64 <= answers as f64 / 1_000.0, "more than one answer in a thousand was wrong");
    ensure!(most <= args.most_mib, "the server held {most:.0} MiB");
    if minutes.len() >= 3 && last > before * 1.05 + 8.0 {
        bail!("memory goes on growing");
    }
    Ok(())
}

/// Starts the load driver as a process of its own.
pub(crate) fn drive(subject: &Subject, seconds: u64, more: &[&str]) -> Result<Child> {
    let mut command = Cores::unpinned().command("", &std::env::current_exe()?);
    command.args(["load", "--json", "--url", &subject.url, "--model", &subject.model]);
    command.args(["--seconds", &seconds.to_string()]).args(more);
    if let (Some(key), false) = (subject.key, more.contains(&"--key")) {
        command.args(["--key", key]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().context("the load driver does not start")
}

pub(crate) fn outcome(driver: Child) -> Result<Measured> {
    let output = driver.wait_with_output()?;
    serde_json::from_slice(&output.stdout).context("the load driver does not tell what it measured")
}
