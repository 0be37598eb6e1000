//! What this run has started and must stop: programs and folders. It owns their end, on success, on failure and on
//! Ctrl-C. It ends nothing that it did not start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a program gets to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

struct Started {
    programs: Vec<(Pid, Signal)>,
    folders: Vec<PathBuf>,
    /// A signal has come: nothing is started any more.
    stopping: bool,
}

static STARTED: Mutex<Started> =
    Mutex::new(Started { programs: Vec::new(), folders: Vec::new(), stopping: false });

fn started() -> MutexGuard<'static, Started> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on Ctrl-C and its like end what was started before they end this program.
pub(crate) fn stop_on_signals() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            println!("\nxtask: stopping what it started");
            let (programs, folders) = {
                let mut started = started();
                started.stopping = true;
                (started.programs.clone(), started.folders.clone())
            };
            for (pid, how) in &programs {
                let _ = kill_process(*pid, *how);
            }
            for (pid, _) in &programs {
                finish(*pid);
            }
            for folder in folders {
                let _ = fs::remove_dir_all(folder);
            }
            // As a shell shows an end by a signal.
            std::process::exit(128 + signal);
        }
    });
}

/// Called before the end of `main`: where a signal has come, the end belongs to the one who cleans up.
pub(crate) fn settle() {
    while started().stopping {
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits for a program that was told to end, and makes an end of it and its children when it does not.
fn finish(pid: Pid) {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE && test_kill_process(pid).is_ok() {
        // A program that has ended and that nobody waits for still answers; for its parent see `Program::drop`.
        if is_zombie(pid) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = kill_process_group(pid, Signal::KILL);
}

fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with('Z'))
}

/// A program of this run, in a process group of its own. Ends with this value.
pub(crate) struct Program {
    child: Child,
    pid: Pid,
    stop: Signal,
}

impl Program {
    /// Starts it without standard input. `stop` is the signal that it ends by.
    pub(crate) fn start(command: &mut Command, stop: Signal) -> Result<Program> {
        std::os::unix::process::CommandExt::process_group(command, 0);
        let name = command.get_program().to_string_lossy().into_owned();
        // Held while it starts: a Ctrl-C in between would miss it.
        let mut started = started();
        ensure!(!started.stopping, "{name} is not started: this run is being stopped");
        let child =
            command.stdin(Stdio::null()).spawn().with_context(|| format!("{name} cannot be started"))?;
        let pid =
            i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process id out of range")?;
        started.programs.push((pid, stop));
        Ok(Program { child, pid, stop })
    }

    /// The child itself, for its pipes and its exit.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Tells it to end and waits. `true` when it did so by itself, with success, in time.
    pub(crate) fn stop(&mut self) -> bool {
        if self.has_ended() {
            return self.child.wait().is_ok_and(|status| status.success());
        }
        let _ = kill_process(self.pid, self.stop);
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.success();
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = kill_process_group(self.pid, Signal::KILL);
        let _ = self.child.wait();
        false
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop();
        // Whatever it left behind in its group.
        let _ = kill_process_group(self.pid, Signal::KILL);
        started().programs.retain(|(pid, _)| *pid != self.pid);
    }
}

/// A folder of this run. It is removed with this value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new folder that only its owner can enter.
    pub(crate) fn new(name: &str) -> Result<Folder> {
        let folder = tempfile::Builder::new().prefix(&format!("stoa-{name}-")).tempdir()?.keep();
        started().folders.push(folder.clone());
        Ok(Folder(folder))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        started().folders.retain(|folder| *folder != self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_and_its_children_end_with_the_value() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 300 & echo $!; wait"]).stdout(Stdio::piped());
        let mut program = Program::start(&mut command, Signal::TERM).unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(program.child().stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let grandchild = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
        assert!(!program.has_ended() && test_kill_process(grandchild).is_ok());
        drop(program);
        let begin = Instant::now();
        while test_kill_process(grandchild).is_ok() && !is_zombie(grandchild) {
            assert!(begin.elapsed() < PATIENCE, "it lives on");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_folder_goes_with_the_value() {
        let folder = Folder::new("test").unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("file"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
