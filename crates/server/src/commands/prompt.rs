//! How a password gets in: from standard input, from a terminal without being shown, or made here. It never prints
//! one that somebody typed.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{anyhow, ensure};
use kernel::{Random, Secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// A line longer than this is no password.
const LONGEST: usize = 4_096;

/// A password, and whether it was made here and has to be told.
pub(crate) struct Password {
    pub(crate) secret: Secret<String>,
    pub(crate) made: bool,
}

/// Gets a password. At a terminal an empty line asks for one to be made.
pub(crate) fn password(from_stdin: bool, random: &dyn Random) -> anyhow::Result<Password> {
    if from_stdin {
        let secret = line()?;
        ensure!(!secret.expose().is_empty(), "standard input holds no password");
        return Ok(Password { secret, made: false });
    }
    if std::io::stdin().is_terminal() {
        let first = ask("Password (empty: make one): ")?;
        if !first.expose().is_empty() {
            ensure!(ask("The same again: ")? == first, "the two passwords differ; nothing was changed");
            return Ok(Password { secret: first, made: false });
        }
    }
    // 32 random bytes: nobody is meant to remember it, and the first thing to do is to change it.
    Ok(Password { secret: crypto::token::random(random), made: true })
}

/// Asks whether to go on; without a terminal nobody can say yes.
pub(crate) fn confirm(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(anyhow!("this cannot be undone; give --yes to do it without a terminal"));
    }
    eprint(question)?;
    Ok(matches!(line()?.expose().as_str(), "y" | "Y" | "yes"))
}

fn ask(question: &str) -> anyhow::Result<Secret<String>> {
    eprint(question)?;
    let quiet = Quiet::begin()?;
    let typed = line();
    drop(quiet);
    eprint("\n")?;
    typed
}

fn eprint(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stderr();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn line() -> anyhow::Result<Secret<String>> {
    let mut text = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), LONGEST as u64 + 2);
    input.read_line(&mut text).map_err(|_| anyhow!("what was typed is not UTF-8 text"))?;
    let line = Secret::new(text);
    let kept = line.expose().strip_suffix('\n').unwrap_or(line.expose());
    let kept = kept.strip_suffix('\r').unwrap_or(kept);
    ensure!(kept.len() <= LONGEST, "the line is too long for a password");
    Ok(Secret::new(kept.to_owned()))
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> anyhow::Result<Quiet> {
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Quiet(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // There is nothing left to do when the terminal has gone.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
