//! The table: starts the mock and every program on cores of their own, measures them in turn for several rounds,
//! and prints what they come to as ratios within this one run on this one machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::load::Measured;
use crate::process::{Cores, cpu_seconds, resident_mib};
use crate::samples::median;
use crate::subjects::{Kind, Subject};
use crate::{clock, markdown};

/// What to compare, and how long.
#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    /// The release binary of the server; without it only the proxies are compared
    #[arg(long)]
    stoa: Option<PathBuf>,
    /// The model (an app id) to name to the server
    #[arg(long, default_value = "assistant")]
    stoa_model: String,
    /// Further settings for the server
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    stoa_env: Vec<(String, String)>,
    /// The Python with FastAPI (see reference/README.md), to compare the stack of the documents too
    #[arg(long, value_name = "PYTHON")]
    reference: Option<PathBuf>,
    /// Rounds; each measures every program once, and the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    rounds: u16,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Connections of the closed loop
    #[arg(long, default_value_t = 64)]
    connections: u16,
    /// Requests a second of the open loop
    #[arg(long, default_value_t = 2000)]
    rate: u64,
    /// Pieces of a streamed answer
    #[arg(long, default_value_t = 20)]
    pieces: usize,
    /// Cold starts to take the median of
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=50))]
    starts: u16,
    /// Where the programs keep their data while they are measured; a real disk, or durability costs nothing
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Write bench/results/DATE.md too
    #[arg(long)]
    save: bool,
}

/// What was measured of one program, over all rounds.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) first_text: f64,
    pub(crate) first_text_p99: f64,
    pub(crate) idle_mib: f64,
    pub(crate) busy_mib: f64,
    pub(crate) binary_mib: Option<f64>,
    /// Milliseconds to ready: with an empty folder, and again with the same one.
    pub(crate) cold: Option<(f64, f64)>,
    pub(crate) wrong: u64,
    pub(crate) first_fault: Option<String>,
    /// Cores used at saturation: the program, the mock, the driver.
    pub(crate) cores: [f64; 3],
}

/// How the run was made, for the head of the table.
pub(crate) struct Setting {
    pub(crate) date: String,
    pub(crate) machine: String,
    pub(crate) cores: String,
    pub(crate) how: String,
    pub(crate) rate: u64,
    /// Load average of the last minute before the start.
    pub(crate) busy: f64,
}

/// Runs everything and prints the table.
pub(crate) async fn run(args: Args) -> Result<()> {
    // Everything below waits for other processes; nothing else runs here.
    let text = tokio::task::spawn_blocking(move || -> Result<String> {
        let text = compare(&args)?;
        if args.save {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("{}.md", clock::today())), &text)?;
        }
        Ok(text)
    })
    .await??;
    println!("{text}");
    Ok(())
}

fn compare(args: &Args) -> Result<String> {
    let cores = Cores::share_out();
    let busy = load_average();
    let folder = match &args.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mock =
        Kind::Mock.start(&cores, &folder.path().join("mock"), ([127, 0, 0, 1], 0).into(), args.pieces)?;
    let mock_at = crate::target::authority(&mock.url)?;
    let start = |kind: &Kind, name: &str| {
        // The folder becomes part of database addresses, where a blank would have to be escaped.
        let name = name.replace([' ', '+'], "-");
        kind.start(&cores, &folder.path().join(name), mock_at, args.pieces)
    };
    let mut rows = Vec::new();
    let mut subjects = Vec::new();
    for kind in kinds(args) {
        let mut row = Row { name: kind.name(), binary_mib: kind.binary_mib(), ..Row::default() };
        if !matches!(kind, Kind::Mock) {
            eprintln!("{}: starting", kind.name());
            row.cold = Some(cold(&kind, args, &start)?);
        }
        let subject = if matches!(kind, Kind::Mock) { None } else { Some(start(&kind, kind.name())?) };
        std::thread::sleep(Duration::from_secs(1));
        row.idle_mib = resident_mib(subject.as_ref().unwrap_or(&mock).pid());
        rows.push((row, Rounds::default()));
        subjects.push(subject);
    }
    for round in 1..=args.rounds {
        for ((row, rounds), subject) in rows.iter_mut().zip(&subjects) {
            eprintln!("round {round} of {}: {}", args.rounds, row.name);
            let subject = subject.as_ref().unwrap_or(&mock);
            measure(args, &cores, subject, &mock, rounds, row)?;
            row.busy_mib = row.busy_mib.max(resident_mib(subject.pid()));
        }
    }
    let rows = rows.into_iter().map(|(row, rounds)| rounds.sum_up(row)).collect::<Vec<_>>();
    let setting = Setting {
        date: clock::today(),
        machine: machine(),
        cores: cores.remark.clone(),
        how: format!(
            "{} rounds of {} s each, {} connections in the closed loop, streams of {} pieces, data on {}, \
             load average {busy:.1} before the start",
            args.rounds,
            args.seconds,
            args.connections,
            args.pieces,
            file_system(folder.path())
        ),
        busy,
        rate: args.rate,
    };
    Ok(markdown::page(&setting, &rows))
}

fn kinds(args: &Args) -> Vec<Kind> {
    let mut kinds = vec![Kind::Mock, Kind::Proxy, Kind::ProxySqlite];
    if let Some(binary) = &args.stoa {
        let (model, env) = (args.stoa_model.clone(), args.stoa_env.clone());
        kinds.push(Kind::Stoa { binary: binary.clone(), model, env, groups: Vec::new() });
    }
    if let Some(python) = &args.reference {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference");
        kinds.push(Kind::Reference { python: python.clone(), folder });
    }
    kinds
}

/// Median milliseconds to ready: with an empty folder, and again with the same folder.
fn cold(kind: &Kind, args: &Args, start: &dyn Fn(&Kind, &str) -> Result<Subject>) -> Result<(f64, f64)> {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    let starts = if matches!(kind, Kind::Reference { .. }) { 1 } else { args.starts };
    for number in 0..starts {
        let name = format!("{} cold {number}", kind.name());
        first.push(start(kind, &name)?.ready.as_secs_f64() * 1000.0);
        again.push(start(kind, &name)?.ready.as_secs_f64() * 1000.0);
    }
    Ok((median(first), median(again)))
}

/// Every round's numbers of one program.
#[derive(Default)]
struct Rounds {
    closed: Vec<Measured>,
    open: Vec<Measured>,
    stream: Vec<Measured>,
    cores: Vec<[f64; 3]>,
}

impl Rounds {
    fn sum_up(self, row: Row) -> Row {
        let of = |all: &[Measured], what: fn(&Measured) -> f64| median(all.iter().map(what).collect());
        let core = |place: usize| {
            median(self.cores.iter().map(|cores| cores.get(place).copied().unwrap_or_default()).collect())
        };
        Row {
            per_second: of(&self.closed, |m| m.per_second),
            p50: of(&self.open, |m| m.latency.p50),
            p99: of(&self.open, |m| m.latency.p99),
            p999: of(&self.open, |m| m.latency.p999),
            first_text: of(&self.stream, |m| m.first_text.p50),
            first_text_p99: of(&self.stream, |m| m.first_text.p99),
            cores: [core(0), core(1), core(2)],
            ..row
        }
    }
}

/// One round of one program: as fast as it can, at the fixed rate, and streams at a modest rate.
fn measure(
    args: &Args,
    cores: &Cores,
    subject: &Subject,
    mock: &Subject,
    rounds: &mut Rounds,
    row: &mut Row,
) -> Result<()> {
    let connections = args.connections.to_string();
    let closed = ["--connections", &connections];
    load(cores, subject, 1, &closed)?;
    let before = (cpu_seconds(subject.pid()), cpu_seconds(mock.pid()));
    let measured = load(cores, subject, args.seconds, &closed)?;
    let span = args.seconds as f64;
    let used = [cpu_seconds(subject.pid()) - before.0, cpu_seconds(mock.pid()) - before.1];
    rounds.cores.push([used[0] / span, used[1] / span, measured.driver_cpu]);
    rounds.closed.push(measured);
    let rate = args.rate.to_string();
    rounds.open.push(load(cores, subject, args.seconds, &["--connections", "128", "--rate", &rate])?);
    // Far below saturation, so that the first text is the server's doing and not the queue's.
    rounds.stream.push(load(
        cores,
        subject,
        args.seconds,
        &["--connections", "32", "--rate", "200", "--stream"],
    )?);
    for measured in [rounds.closed.last(), rounds.open.last(), rounds.stream.last()].into_iter().flatten() {
        row.wrong += measured.wrong;
        row.first_fault = row.first_fault.take().or_else(|| measured.first_fault.clone());
    }
    Ok(())
}

/// Runs the driver as a process of its own on its own core.
fn load(cores: &Cores, subject: &Subject, seconds: u64, more: &[&str]) -> Result<Measured> {
    let mut command = cores.command(&cores.driver, &std::env::current_exe()?);
    command.args(["load", "--json", "--url", &subject.url, "--model", &subject.model]);
    command.args(["--seconds", &seconds.to_string()]).args(more);
    if let Some(key) = subject.key {
        command.args(["--key", key]);
    }
    let output = command.output().context("cannot start the load driver")?;
    let Some(line) = std::str::from_utf8(&output.stdout).ok().and_then(|text| text.lines().next()) else {
        bail!("the load driver failed: {}", String::from_utf8_lossy(&output.stderr));
    };
    serde_json::from_str(line).context("the load driver said something unknown")
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{count} cores of {}", model.map_or("an unnamed processor", |(_, name)| name.trim()))
}

/// The load average of the last minute (proc(5)).
fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

/// The kind of file system below a folder: the mount whose path is the longest beginning of it.
fn file_system(folder: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let fields = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    });
    let below = fields.filter(|(path, _)| folder.starts_with(path)).max_by_key(|(path, _)| path.len());
    below.map_or("an unknown file system".to_owned(), |(_, kind)| kind.to_owned())
}

pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
