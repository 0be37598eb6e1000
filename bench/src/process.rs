//! Starts the programs that are measured, on cores of their own, and reads what they use from `/proc`.
//! What it starts it ends, by the id it was given.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Kernel clock ticks a second; 100 on every Linux this runs on (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

/// The cores of a machine, shared out: the programs under test, the mock, the driver.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    pub(crate) subject: String,
    pub(crate) mock: String,
    pub(crate) driver: String,
    /// Whether they are apart, as a sentence for the table.
    pub(crate) remark: String,
    pinned: bool,
}

impl Cores {
    /// The subject gets the last two cores, mock and driver the first two.
    pub(crate) fn share_out() -> Cores {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let pinned = command("taskset").arg("-V").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
        let (subject, mock, driver, apart) = match count {
            0..=2 => ("0-1", "0-1", "0-1", "too few cores: everything shares them, so the ratios say little"),
            3 => {
                ("1-2", "0", "0", "3 cores: mock and driver share one, so the fastest programs are held back")
            }
            _ => ("2-3", "0", "1", "subject on 2 cores, mock and driver on one each"),
        };
        let (subject, mock, driver) = match count {
            1 => ("0", "0", "0"),
            _ => (subject, mock, driver),
        };
        let remark = if pinned { apart } else { "no `taskset` here: nothing is pinned" };
        let own = |text: &str| text.to_owned();
        Cores { subject: own(subject), mock: own(mock), driver: own(driver), remark: own(remark), pinned }
    }

    /// All cores for everybody.
    pub(crate) fn unpinned() -> Cores {
        let none = String::new;
        Cores {
            subject: none(),
            mock: none(),
            driver: none(),
            remark: "nothing is pinned".to_owned(),
            pinned: false,
        }
    }

    /// A command that will run on these cores.
    pub(crate) fn command(&self, cores: &str, program: &Path) -> Command {
        if !self.pinned {
            return command(program);
        }
        let mut on = command("taskset");
        on.arg("-c").arg(cores).arg(program);
        on
    }
}

#[expect(clippy::disallowed_methods, reason = "starting programs is what a benchmark does")]
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// A program that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    /// Starts it. Its output goes to `log`.
    pub(crate) fn start(name: &str, mut command: Command, log: &Path) -> Result<Running> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Running { child, name: name.to_owned() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `GET path` gives 200. Gives the time since `since`.
    pub(crate) fn wait_ready(
        &mut self,
        at: SocketAddr,
        path: &str,
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        while since.elapsed() < limit {
            if get_status(at, path).is_some_and(|status| status == 200) {
                return Ok(since.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended while starting ({status})", self.name);
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        bail!("{} was not ready within {} s", self.name, limit.as_secs())
    }

    /// Asks it to end and waits; after a while ends it.
    pub(crate) fn stop(&mut self) {
        let _ = command("kill").arg("-TERM").arg(self.pid().to_string()).stderr(Stdio::null()).status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.stop();
        }
    }
}

/// The status of `GET path`, when there is one.
fn get_status(at: SocketAddr, path: &str) -> Option<u16> {
    let limit = Duration::from_secs(1);
    let mut socket = TcpStream::connect_timeout(&at, limit).ok()?;
    socket.set_read_timeout(Some(limit)).ok()?;
    write!(socket, "GET {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n").ok()?;
    let mut head = [0; 12];
    socket.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// A port of loopback that nobody uses right now.
pub(crate) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Seconds of processor time that a process and its children have used.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    tree(pid).into_iter().filter_map(stat).map(|stat| stat.ticks / TICKS).sum()
}

/// Resident memory of a process and its children, in MiB.
pub(crate) fn resident_mib(pid: u32) -> f64 {
    let kib = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    tree(pid).into_iter().filter_map(kib).sum::<f64>() / 1024.0
}

struct Stat {
    parent: u32,
    ticks: f64,
}

/// From `/proc/PID/stat` (proc(5)): the name is in brackets and may hold anything, so counting starts behind it.
fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = text.rsplit_once(')')?.1.split_whitespace().collect::<Vec<_>>();
    let number = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks: number(11)? + number(12)? })
}

/// A process and everything below it.
fn tree(root: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return vec![root] };
    let all = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let parents = all.filter_map(|pid| Some((pid, stat(pid)?.parent))).collect::<Vec<_>>();
    let mut found = vec![root];
    let mut place = 0;
    while let Some(parent) = found.get(place).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        place += 1;
    }
    found
}
