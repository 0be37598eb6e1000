//! Executes the runbooks: every block of `docs/operations.md` that is marked `sh run`, in its order, against a server that
//! is started for it. It owns the scratch machine: a folder, secrets as files, a server that is restarted when it ends as
//! systemd does it, and stand-ins for `systemctl` and `journalctl`. A block marked `sh run WORD` waits until `stoa` has
//! that command.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use crate::running::{Folder, Program};
use crate::services;
use crate::shell::{self, Shell};

const BOOK: &str = "docs/operations.md";
/// No block needs longer, `stoa verify` included.
const LONGEST: Duration = Duration::from_secs(240);

/// A block of the book.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    heading: String,
    line: usize,
    /// The command of `stoa` that it waits for.
    needs: Option<String>,
    script: String,
}

/// Executes all of them, or those below the headings that hold `only`.
///
/// # Errors
/// When one ends otherwise than well; what it printed and what the server said is shown.
pub(crate) fn run(shell: &Shell, only: Option<&str>) -> Result<()> {
    let book = fs::read_to_string(shell.root.join(BOOK))?;
    let blocks = blocks(&book);
    ensure!(!blocks.is_empty(), "{BOOK} has no block that is marked `sh run`");
    for tool in ["curl", "jq"] {
        if shell::find(&[tool]).is_none() {
            services::fetch(tool);
        }
        if shell::find(&[tool]).is_none() {
            println!("RUNBOOKS: NOT EXECUTED. {tool} is not installed.");
            return Ok(());
        }
    }
    let machine = Machine::start(&shell.server()?)?;
    let mut done = 0;
    for block in blocks.iter().filter(|block| only.is_none_or(|word| block.heading.contains(word))) {
        if let Some(word) = &block.needs
            && !machine.has(word)
        {
            println!("line {}: {}: skipped, `stoa {word}` is not there yet", block.line, block.heading);
            continue;
        }
        let begin = Instant::now();
        machine.execute(block)?;
        done += 1;
        println!("line {}: {} ({:.1} s)", block.line, block.heading, begin.elapsed().as_secs_f64());
    }
    println!("{done} of {} blocks executed", blocks.len());
    Ok(())
}

/// The marked blocks with the heading above each.
fn blocks(book: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let (mut heading, mut open): (String, Option<Block>) = (String::new(), None);
    for (at, line) in book.lines().enumerate() {
        match (&mut open, line.trim_end()) {
            (Some(_), "```") => found.extend(open.take()),
            (Some(block), line) => block.script.push_str(&format!("{line}\n")),
            (None, line) => {
                if let Some(title) = line.strip_prefix('#') {
                    heading = title.trim_start_matches('#').trim().to_owned();
                }
                let Some(mark) = line.strip_prefix("```sh run") else { continue };
                let needs = Some(mark.trim()).filter(|word| !word.is_empty()).map(str::to_owned);
                open = Some(Block { heading: heading.clone(), line: at + 1, needs, script: String::new() });
            }
        }
    }
    found
}

/// The machine of the person who follows the book.
struct Machine {
    folder: Folder,
    stoa: PathBuf,
    server: Program,
}

impl Machine {
    fn start(stoa: &Path) -> Result<Machine> {
        let folder = Folder::new("runbooks")?;
        let place = folder.path();
        for name in ["bin", "data", "secrets"] {
            fs::create_dir(place.join(name))?;
        }
        let secret = |kind: &str| shell::output(Command::new(stoa).args(["secret", kind]).env_clear());
        for (name, kind) in [
            ("session-secret", "session"),
            ("jwt-secret", "jwt"),
            ("encryption-key", "encryption"),
            ("metrics-token", "api-key"),
        ] {
            let text = secret(kind)?;
            for name in [name.to_owned(), format!("{name}-previous")] {
                let file = shell::write(&place.join("secrets"), &name, &text)?;
                fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
            }
        }
        let port = shell::free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        // What every command and the server have in common, as the unit and a shell of its user have it.
        let environment = format!(
            "export PATH='{0}/bin':\"$PATH\" HOME='{0}' URL={url} EMAIL=oncall@example.org SECRETS='{0}/secrets'\n\
             export ENVIRONMENT=development API_HOST=127.0.0.1 API_PORT={port} LOG_FORMAT=json \
             ALERT_DISK_PERCENT=0 STOA_DATA_DIR='{0}/data'\n\
             export SESSION_SECRET_FILE=\"$SECRETS/session-secret\" JWT_SECRET_KEY_FILE=\"$SECRETS/jwt-secret\" \
             ENCRYPTION_KEY_FILE=\"$SECRETS/encryption-key\" METRICS_TOKEN_FILE=\"$SECRETS/metrics-token\"\n\
             export SESSION_SECRET_PREVIOUS_FILE=\"$SECRETS/session-secret-previous\" \
             JWT_SECRET_KEY_PREVIOUS_FILE=\"$SECRETS/jwt-secret-previous\" \
             ENCRYPTION_KEY_PREVIOUS_FILE=\"$SECRETS/encryption-key-previous\"\n",
            place.display()
        );
        fs::write(place.join("environment"), environment)?;
        let program = |name: &str, text: &str| -> Result<()> {
            let file = shell::write(&place.join("bin"), name, text)?;
            Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
        };
        std::os::unix::fs::symlink(stoa, place.join("bin/stoa"))?;
        let home = place.display();
        program("systemctl", &SYSTEMCTL.replace("@", &home.to_string()))?;
        program("journalctl", &JOURNALCTL.replace("@", &home.to_string()))?;
        fs::write(place.join("supervise"), SUPERVISE.replace('@', &home.to_string()))?;
        let mut command = Command::new("sh");
        command
            .arg("supervise")
            .current_dir(place)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let mut server = Program::start(&mut command, Signal::TERM)?;
        let log = place.join("log");
        shell::wait_until(&mut server, Duration::from_secs(60), || {
            shell::output(Command::new(stoa).args(["probe", "--port", &port.to_string()]).env_clear()).is_ok()
        })
        .with_context(|| format!("the server does not start:\n{}", tail(&log)))?;
        Ok(Machine { folder, stoa: stoa.to_owned(), server })
    }

    /// Whether `stoa` has this command.
    fn has(&self, word: &str) -> bool {
        shell::output(Command::new(&self.stoa).args([word, "--help"]).env_clear()).is_ok()
    }

    /// Executes a block. What it exports is there for the next.
    fn execute(&self, block: &Block) -> Result<()> {
        let place = self.folder.path();
        let script = format!(
            ". ./environment\nset -euo pipefail\n{}\ncd '{1}'\nset +x\nexport -p > environment.next\n",
            block.script.trim_end(),
            place.display()
        );
        // Variables that a block sets are kept: each is exported as it is set.
        shell::write(place, "block", &format!("set -a\n{script}"))?;
        let mut command = Command::new("bash");
        command.arg("block").current_dir(place).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let printed = fs::File::create(place.join("printed"))?;
        command.stdout(printed.try_clone()?).stderr(printed);
        let mut running = Program::start(&mut command, Signal::TERM)?;
        let begin = Instant::now();
        while !running.has_ended() && begin.elapsed() < LONGEST {
            std::thread::sleep(Duration::from_millis(20));
        }
        let ended = running.has_ended();
        let well = ended && running.child().wait()?.success();
        ensure!(
            well,
            "{BOOK}:{}: {}: this does not work{}:\n{}\nit printed:\n{}\nthe server said:\n{}",
            block.line,
            block.heading,
            if ended { "" } else { " in time" },
            block.script,
            tail(&place.join("printed")),
            tail(&place.join("log"))
        );
        fs::rename(place.join("environment.next"), place.join("environment"))?;
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The supervisor passes its end on to the server.
        self.server.stop();
    }
}

/// Starts the server again whenever it ends, as `Restart=always` does, until it is told to stop.
const SUPERVISE: &str = "\
stop() { touch '@/stopped'; kill \"$(cat '@/pid')\" 2>/dev/null; wait; exit 0; }
trap stop TERM INT
. '@/environment'
cd '@'
while [ ! -e stopped ]; do
    if [ -e paused ]; then sleep 0.05; continue; fi
    stoa serve >> log 2>&1 &
    echo $! > pid
    wait $!
done
";

/// `reload`, `restart`, `stop` and `start` of the one unit that there is. It waits as systemd does.
const SYSTEMCTL: &str = "#!/bin/sh
pid=$(cat '@/pid')
ready() {
    for _ in $(seq 600); do
        now=$(cat '@/pid')
        if [ \"$now\" != \"$1\" ] && '@/bin/stoa' probe --port \"$API_PORT\" > /dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    echo 'it does not come up' >&2
    return 1
}
case \"$1\" in
    reload) kill -HUP \"$pid\"; sleep 1; kill -0 \"$pid\" ;;
    restart) kill -TERM \"$pid\"; ready \"$pid\" ;;
    stop) touch '@/paused'; kill -TERM \"$pid\" ;;
    start) rm -f '@/paused'; ready \"$pid\" ;;
    *) echo \"systemctl $1 is not known here\" >&2; exit 1 ;;
esac
";

/// The lines of the server that hold a word.
const JOURNALCTL: &str = "#!/bin/sh
word=
while [ $# -gt 0 ]; do
    case \"$1\" in --grep) word=$2; shift ;; esac
    shift
done
grep -e \"$word\" '@/log' || true
";

/// The last lines of a file.
fn tail(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(25)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_blocks_are_found_with_their_headings() {
        let book = "# A\n\n```sh\nno\n```\n\n## B, c\n\n```sh run\none\n# two\n```\n\n```sh run restore\nthree\n```\n";
        let found = blocks(book);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].heading.as_str(), found[0].line, found[0].script.as_str()),
            ("B, c", 9, "one\n# two\n")
        );
        assert_eq!((found[1].needs.as_deref(), found[1].script.as_str()), (Some("restore"), "three\n"));
    }

    #[test]
    fn the_book_has_a_runbook_for_every_procedure() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let book = fs::read_to_string(root.join(BOOK)).unwrap();
        let has = |word: &str| book.lines().any(|line| line.starts_with("### ") && line.contains(word));
        for word in [
            "first five minutes",
            "first time",
            "after every deployment",
            "Upgrading",
            "Rolling back",
            "Blue and green",
            "Backing up",
            "Restoring",
            "machine is gone",
            "monthly drill",
            "brake",
            "attacks",
            "key of an app",
            "taken over",
            "signing secret",
            "master key",
            "Replacing secrets",
            "certificate",
            "database is away",
            "slow or full",
            "Redis",
            "model provider",
            "disk is full",
            "limits",
            "front end",
            "wants their data",
            "Scaling up",
            "Daily, weekly, monthly",
            "help",
        ] {
            let upper =
                word.chars().next().unwrap().to_uppercase().chain(word.chars().skip(1)).collect::<String>();
            assert!(has(word) || has(&upper), "there is no runbook with `{word}`");
        }
        assert!(blocks(&book).len() >= 25);
    }
}
