//! `stoa restore` and `stoa rollback`: ask once, for exactly `yes`; check everything; replace everything at once.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Parser as _;
use kernel::{Actor, Ambient, Fault, Time};
use ops::backup::{Found, Restored};
use store::Store;

use super::backup::bar;
use super::data::{Fresh, Vault, told, with_backups};
use super::paper::{Paper, complain};
use crate::cli::{Global, Restore, Rollback};
use crate::settings::keys::{KEYRING_FILE, write_private};

const USAGE: &str = "Usage: stoa restore ARTEFACT [--yes] [--into DIR] [--at TIME]\n\n\
    ARTEFACT is a file, a name that `stoa backup list` shows, or an s3:// URL.\n\
    --yes       do not ask\n\
    --into DIR  make a copy in this new folder and leave everything else as it is\n\
    --at TIME   bring back how it was at this time; without ARTEFACT from the newest backup before it";

/// What an operator has to do after a restore.
const REMINDERS: [&str; 3] = [
    "Verify the application: `stoa verify URL`, and look at its pages.",
    "Check user access: accounts and grants are those of the backup, and everybody has to sign in again.",
    "Update changed secrets: passwords, keys and tokens that were replaced since the backup are the old ones again.",
];

/// Runs `stoa restore`. `false`: nothing was restored.
pub(crate) fn run(global: &Global, wanted: &Restore, ambient: &Ambient) -> anyhow::Result<bool> {
    if wanted.artefact.is_none() && wanted.at.is_none() {
        complain(USAGE);
        return Ok(false);
    }
    let at = match &wanted.at {
        Some(text) => Some(moment(text)?),
        None => None,
    };
    with_backups(global, ambient, Fresh::Refused, async |vault| {
        let found = match (&wanted.artefact, at) {
            (Some(name), _) => vault.backups.find(name).await.map_err(told)?,
            (None, Some(at)) => match vault.backups.find_before(at).await.map_err(told)? {
                Some(found) => found,
                // Without a backup from before, what is there now is taken back.
                None if vault.store.house().await.map_err(told)?.is_some() => {
                    vault.backups.present().await.map_err(told)?
                }
                None => {
                    bail!("there is no backup from {at} or before; `stoa backup list` shows those there are")
                }
            },
            (None, None) => bail!("no backup is named"),
        };
        match &wanted.into {
            Some(folder) => copy(vault, &found, at, folder).await,
            None => live(vault, &found, at, wanted.yes, true).await,
        }
    })
}

/// Runs `stoa rollback`. `false`: nothing was restored.
pub(crate) fn rollback(global: &Global, wanted: &Rollback, ambient: &Ambient) -> anyhow::Result<bool> {
    with_backups(global, ambient, Fresh::Refused, async |vault| {
        let Some(present) = vault.store.schema_version().await.map_err(told)? else {
            bail!("there is no database to roll back");
        };
        let found = vault.backups.find_rollback(present).await.map_err(told)?;
        let found = found.ok_or_else(|| {
            anyhow!("there is no snapshot from before a migration; `stoa backup list` shows what there is to restore")
        })?;
        let manifest = &found.manifest;
        let done = live(vault, &found, None, wanted.yes, false).await?;
        if done {
            Paper::standard().line(&format!(
                "The schema is {} again, as version {} left it. Start that version: this one would migrate again.",
                manifest.schema, manifest.version
            ))?;
        }
        Ok(done)
    })
}

fn moment(text: &str) -> anyhow::Result<Time> {
    Time::parse_rfc3339(text)
        .ok_or_else(|| anyhow!("--at {text} is no time; write it as 2026-11-21T10:00:00Z"))
}

/// Asks for exactly `yes`, at a terminal or from a pipe.
fn confirmed() -> anyhow::Result<bool> {
    let mut out = std::io::stderr();
    out.write_all(b"Type 'yes' to go on: ")?;
    out.flush()?;
    let mut line = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), 1_024);
    // What is no text is no yes.
    let _ = input.read_line(&mut line);
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line) == "yes")
}

async fn live(
    vault: &Vault,
    found: &Found,
    at: Option<Time>,
    yes: bool,
    forward: bool,
) -> anyhow::Result<bool> {
    let Vault { store, backups, .. } = vault;
    let manifest = &found.manifest;
    let mut paper = Paper::standard();
    paper.line(&format!(
        "{}: {} rows and {} files as they were at {}",
        found.name(),
        manifest.rows(),
        manifest.files.count,
        manifest.began_at.rfc3339_seconds()
    ))?;
    if let Some(at) = at {
        paper.line(&format!("Brought forward to {} from what is there now.", at.rfc3339_seconds()))?;
    }
    paper.line("This will overwrite the current database!")?;
    if !yes && !confirmed()? {
        paper.line("Recovery cancelled")?;
        return Ok(false);
    }
    let present = store.house().await.map_err(told)?;
    if present.is_some_and(|present| present != manifest.house)
        && store.is_leased("security-monitor").await.map_err(told)?
    {
        bail!(
            "the backup is of another installation, and a server is running on this database; stop it first (one that \
             was killed counts as running for 20 s)"
        );
    }
    let note = bar();
    let prepared = backups.prepare(found, forward, at, &note).await.map_err(told)?;
    paper.line("Everything in the backup was checked; now it takes the place of what is there.")?;
    let well = async |store: &Store| -> kernel::Result<()> {
        store.epochs().await?;
        if forward && let Some(index) = store.missing_indexes().await?.first() {
            return Err(Fault::internal(format!("the index {index} is missing")));
        }
        Ok(())
    };
    let restored = backups.restore(prepared, Actor::Operator, well, &note).await.map_err(told)?;
    drop(note);
    report(&mut paper, &restored)?;
    look_from_outside(vault, &mut paper).await?;
    Ok(true)
}

/// What `stoa verify` takes, whatever that is.
#[derive(clap::Parser)]
struct Outside {
    #[command(flatten)]
    args: verify::Args,
}

/// How long a server may take to answer the door.
const DOOR: Duration = Duration::from_secs(1);

/// Runs `stoa verify` against the server of this deployment, if there is one here. What it finds does not undo the
/// restore: it is for whoever reads it.
async fn look_from_outside<W: std::io::Write>(vault: &Vault, paper: &mut Paper<W>) -> anyhow::Result<()> {
    let mut door = vault.settings.listen.address;
    if door.ip().is_unspecified() {
        door.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let knock = tokio::time::timeout(DOOR, tokio::net::TcpStream::connect(door)).await;
    if door.port() == 0 || !matches!(knock, Ok(Ok(_))) {
        paper.line("No server answers here now: `stoa verify URL` looks at it when it does.")?;
        return Ok(());
    }
    // It takes up what is new within a second.
    tokio::time::sleep(DOOR).await;
    let url = match &vault.settings.http.public_url {
        Some(url) => url.to_string(),
        None => format!("http://{door}"),
    };
    paper.line("")?;
    paper.line(&format!("stoa verify {url}"))?;
    let outside = Outside::try_parse_from(["verify", &url]).context("the address cannot be verified")?;
    if !verify::command(outside.args).await {
        paper.line("The data is restored; what fails above wants a look.")?;
    }
    Ok(())
}

fn report<W: std::io::Write>(paper: &mut Paper<W>, restored: &Restored) -> std::io::Result<()> {
    paper.line(&format!(
        "Restored {} in {:.2} s: {} rows, {} files put back, all sessions and tokens ended.",
        restored.name,
        restored.took.as_secs_f64(),
        restored.manifest.rows(),
        restored.files
    ))?;
    if restored.erased > 0 {
        paper.line(&format!(
            "{} subjects were erased since that backup: they stay erased, with {} rows left out.",
            restored.erased, restored.erased_rows
        ))?;
    }
    if let Some(before) = &restored.before {
        paper.line(&format!("What was there before is kept: `stoa restore {before}` brings it back."))?;
    }
    if restored.stranger {
        paper.line(
            "The backup is of another installation: start the servers again, so that they take up its keys.",
        )?;
    }
    paper.line("")?;
    paper.line("After this recovery:")?;
    for (number, reminder) in (1..).zip(REMINDERS) {
        paper.line(&format!("  {number}. {reminder}"))?;
    }
    Ok(())
}

/// A copy in a folder of its own.
async fn copy(vault: &Vault, found: &Found, at: Option<Time>, folder: &Path) -> anyhow::Result<bool> {
    let note = bar();
    let prepared = vault.backups.prepare(found, true, at, &note).await.map_err(told)?;
    let staged = vault.backups.stage(prepared, folder.to_owned(), &note).await.map_err(told)?;
    drop(note);
    // The master key goes along where it lies in the data folder; one that was set stays with whoever set it.
    let key = vault.settings.data_dir.join(KEYRING_FILE);
    if key.is_file() {
        let text = std::fs::read_to_string(&key).context("the key file cannot be read")?;
        write_private(&folder.join(KEYRING_FILE), &text).context("the key file cannot be copied")?;
    }
    let mut paper = Paper::standard();
    paper.line(&format!(
        "A copy of {} lies in {}: {} rows, {} files.",
        staged.name,
        folder.display(),
        staged.manifest.rows(),
        staged.files
    ))?;
    paper.line(&format!(
        "`stoa serve --data-dir {}` serves it, with no DATABASE_URL set, another port, and sign-ins of its own; mails \
         that were waiting are not sent again.",
        folder.display()
    ))?;
    Ok(true)
}
