//! Runs other programs and shows what they print as they print it. It owns time limits and the signs of life of
//! programs that are silent for long.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use crate::running::Program;

/// After so much silence a line says that the work goes on.
const SILENCE: Duration = Duration::from_secs(60);

/// No stage may take longer.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// Where commands run.
pub(crate) struct Shell {
    /// The root of the workspace.
    pub(crate) root: PathBuf,
}

impl Shell {
    /// At the root of the workspace that the current folder belongs to.
    pub(crate) fn at_root() -> Result<Shell> {
        let mut command = Command::new("cargo");
        command.args(["locate-project", "--workspace", "--message-format", "plain"]);
        let manifest = PathBuf::from(output(&mut command)?.trim());
        Ok(Shell { root: manifest.parent().context("the workspace has no folder")?.to_owned() })
    }

    /// A command at the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Runs `cargo` with these arguments; its failure is an error.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<()> {
        let success = show(self.command("cargo").args(arguments), |_| {})?;
        ensure!(success, "cargo {} failed", arguments.first().unwrap_or(&""));
        Ok(())
    }

    /// Builds everything once, tests included. All stages build the whole workspace and nothing less: a part of it
    /// alone would have other features in its dependencies and be compiled again.
    pub(crate) fn build(&self) -> Result<()> {
        self.cargo(&["build", "--workspace", "--all-targets", "--locked"])
    }

    /// The server that [`Shell::build`] has made.
    pub(crate) fn server(&self) -> Result<PathBuf> {
        let binary = crate::target_folder(&self.root)?.join("debug/stoa");
        ensure!(binary.is_file(), "{} is missing: build it first", binary.display());
        Ok(binary)
    }
}

/// What a quick command prints. Its failure is an error with what it said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("{name} cannot be started"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed something that is no text"))
}

/// Runs a command, prints what it prints, line by line, and gives each line to `look` too. Says whether it
/// succeeded; one that takes longer than any stage may is ended and is an error.
pub(crate) fn show(command: &mut Command, look: impl FnMut(&str)) -> Result<bool> {
    show_within(command, LIMIT, look)
}

fn show_within(command: &mut Command, limit: Duration, mut look: impl FnMut(&str)) -> Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let begin = Instant::now();
    let mut program = Program::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()), Signal::TERM)?;
    let (sender, lines) = mpsc::channel();
    if let Some(pipe) = program.child().stdout.take() {
        read_lines(pipe, sender.clone());
    }
    if let Some(pipe) = program.child().stderr.take() {
        read_lines(pipe, sender);
    }
    let mut heard = begin;
    let mut ended = None;
    loop {
        match lines.recv_timeout(Duration::from_secs(1).min(limit)) {
            Ok(line) => {
                println!("{line}");
                look(&line);
                heard = Instant::now();
                ended = None;
            }
            // Both pipes are closed.
            Err(RecvTimeoutError::Disconnected) => break,
            // It has ended and something it started holds the pipes open: that is not waited for.
            Err(RecvTimeoutError::Timeout) if program.has_ended() => match ended {
                Some(at) if Instant::now() >= at => break,
                Some(_) => {}
                None => ended = Some(Instant::now() + Duration::from_secs(2)),
            },
            Err(RecvTimeoutError::Timeout) => {
                if heard.elapsed() >= SILENCE {
                    println!("… {name} is at work, {} s", begin.elapsed().as_secs());
                    heard = Instant::now();
                }
            }
        }
        if begin.elapsed() > limit {
            bail!("{name} was stopped after {} s", limit.as_secs());
        }
    }
    Ok(program.child().wait()?.success())
}

fn read_lines(pipe: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { break };
            if sender.send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()).is_err() {
                break;
            }
        }
    });
}

/// The first of these programs on the `PATH`, or at the places named in full.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    names.iter().find_map(|name| {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|place| place.is_file());
        }
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|place| place.is_file())
    })
}

/// Whether this program may do everything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A port on loopback that nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Asks until the answer is yes, the program ends, or the time is up.
pub(crate) fn wait_until(
    program: &mut Program,
    limit: Duration,
    mut ready: impl FnMut() -> bool,
) -> Result<()> {
    let begin = Instant::now();
    while !ready() {
        ensure!(!program.has_ended(), "it ended while starting");
        ensure!(begin.elapsed() < limit, "it was not ready after {} s", limit.as_secs());
        thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

/// Writes a text file and gives its path.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn every_line_of_both_streams_is_seen() {
        let mut lines = Vec::new();
        let success =
            show(&mut sh("echo one; echo two >&2; printf three; exit 3"), |line| lines.push(line.to_owned()));
        lines.sort();
        assert_eq!((success.unwrap(), lines), (false, vec!["one".into(), "three".into(), "two".into()]));
        assert!(show(&mut sh("true"), |_| {}).unwrap());
        assert!(show(&mut Command::new("no-such-program-here"), |_| {}).is_err());
    }

    #[test]
    fn a_program_that_hangs_or_leaves_somebody_behind_is_not_waited_for() {
        let error = show_within(&mut sh("sleep 300"), Duration::from_millis(100), |_| {}).unwrap_err();
        assert!(error.to_string().contains("was stopped"));
        let begin = Instant::now();
        assert!(show(&mut sh("sleep 300 & exit 0"), |_| {}).unwrap());
        assert!(begin.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn standard_input_is_empty() {
        assert!(show(&mut sh("! read line"), |_| {}).unwrap());
    }
}
