//! The command line: every command, its arguments and its help. It owns what can be typed.
//! It never runs a command and never reads the environment: what is typed becomes the strongest layer of settings.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::settings::{Flag, Places};

mod accounts;
mod backups;
mod declutter;
mod documents;
mod keeping;
mod problems;
mod watching;

pub(crate) use accounts::{AuditWanted, Grant, Key, Lockdown, LockdownMode, Revoke, RevokeWhat, User};
pub(crate) use backups::{Backup, Restore, Rollback};
pub(crate) use declutter::Declutter;
pub(crate) use documents::Docs;
pub(crate) use keeping::{Hold, Maintain, MaintainTask};
pub(crate) use problems::Problem;
pub(crate) use watching::{Doctor, Probe, Report};

/// The server for AI applications in production.
#[derive(Debug, Parser)]
#[command(name = "stoa", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Global {
    /// Read this file in place of ./stoa.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Read this file in place of ./.env
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// The profile: development, staging or production
    #[arg(long, global = true, value_name = "PROFILE")]
    pub(crate) env: Option<String>,
    /// The folder of everything that is kept on this machine
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl Global {
    /// Which files to read.
    pub(crate) fn places(&self) -> Places {
        Places { config: self.config.clone(), dotenv: self.env_file.clone() }
    }

    /// The settings among these arguments.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let data_dir = self.data_dir.as_ref().map(|path| path.display().to_string());
        [("environment", "--env", self.env.clone()), ("server.data_dir", "--data-dir", data_dir)]
            .into_iter()
            .filter_map(|(setting, flag, text)| Some(Flag { setting, flag, text: text? }))
            .collect()
    }
}

/// The commands, in the order of a deployment's life.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Serve),
    /// Write stoa.toml and .env with fresh secrets; never overwrites
    Init(Init),
    /// Ask every production rule and look at what the server connects to; exit 1 if anything fails
    Check(Check),
    /// Look at the settings
    Config(Config),
    /// Print a fresh secret
    Secret(Secret),
    /// Bring the database to this version's schema, or show how it stands
    Migrate(Migrate),
    /// Bring back what was there before the last migration
    Rollback(Rollback),
    /// Make, list, try out and remove backups
    Backup {
        #[command(subcommand)]
        command: Backup,
    },
    /// Bring back a backup: everything is checked before anything is touched
    Restore(Restore),
    /// Make, list, change and erase accounts
    User {
        #[command(subcommand)]
        command: User,
    },
    /// Make, list, replace and revoke API keys
    Key {
        #[command(subcommand)]
        command: Key,
    },
    /// Let accounts into apps
    Grant {
        #[command(subcommand)]
        command: Grant,
    },
    /// Refuse everybody but admins, or let everybody in again
    Lockdown(Lockdown),
    /// End sessions, tokens and keys everywhere
    Revoke(Revoke),
    /// Block addresses
    Block {
        #[command(subcommand)]
        command: Block,
    },
    /// Keep what must be kept whatever its time: legal holds
    Hold {
        #[command(subcommand)]
        command: Hold,
    },
    /// Look after the database now: statistics, free space, indexes
    Maintain(Maintain),
    /// Read and verify the audit log
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// Add, list, remove and search the documents that apps answer from
    Docs {
        #[command(subcommand)]
        command: Docs,
    },
    /// Add, list, show and remove the problems that a tutor teaches
    Problem {
        #[command(subcommand)]
        command: Problem,
    },
    /// Check a live deployment from outside; exit 1 if anything fails
    Verify(verify::Args),
    /// Find what can go in a folder, and why; changes nothing unless --apply
    Declutter(Declutter),
    /// Tell what happened in a day, a week or a month
    Report(Report),
    /// Look for what is wrong and say what to do
    Doctor(Doctor),
    /// Ask the server of this machine whether it is ready, for a container's health check; exit 1 if it is not
    Probe(Probe),
    /// Print the OpenAPI document
    Openapi,
    /// Print the version
    Version,
    /// Print the table of error codes as Markdown
    #[command(hide = true)]
    Errors,
}

/// Arguments of `serve`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Serve {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<IpAddr>,
    /// The port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Debug on the data of production for one hour; it is written into the audit log
    #[arg(long)]
    pub(crate) i_know: bool,
}

impl Serve {
    /// The settings among these arguments.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let host = self.host.map(|host| host.to_string());
        let port = self.port.map(|port| port.to_string());
        [("server.host", "--host", host), ("server.port", "--port", port)]
            .into_iter()
            .filter_map(|(setting, flag, text)| Some(Flag { setting, flag, text: text? }))
            .collect()
    }
}

/// Arguments of `init`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Init {
    /// Where the files are written
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// Arguments of `check`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Check {
    /// Call the model providers too
    #[arg(long)]
    pub(crate) upstream: bool,
    /// One JSON document in place of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `config`.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What to see of the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Each effective value with its origin; secrets as fingerprints
    Show {
        /// Only settings whose name or variable holds this text
        #[arg(value_name = "TEXT")]
        filter: Option<String>,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// A stoa.toml with every setting, its default and what it does
    Example,
    /// The JSON Schema of stoa.toml
    Schema,
    /// The settings as Markdown
    #[command(hide = true)]
    Docs,
}

/// Arguments of `secret`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Secret {
    /// What it is for
    #[arg(value_enum)]
    pub(crate) kind: SecretKind,
}

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SecretKind {
    /// SESSION_SECRET, which signs cookies
    Session,
    /// JWT_SECRET_KEY, which signs tokens
    Jwt,
    /// A key for API_KEYS
    ApiKey,
    /// ENCRYPTION_KEY, under which content is sealed
    Encryption,
}

/// Arguments of `migrate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Migrate {
    /// What to do
    #[arg(value_enum, default_value = "up")]
    pub(crate) action: MigrateAction,
}

/// What to do with the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MigrateAction {
    /// Show which migrations are applied
    Status,
    /// Apply those that are missing
    Up,
}

/// What to do with blocked addresses.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Block {
    /// Block an address or a network
    Add {
        /// Such as 192.0.2.1 or 192.0.2.0/24
        address: String,
        /// For this time, such as 24h; for good when absent
        #[arg(long = "for", value_name = "SPAN", value_parser = span)]
        duration: Option<std::time::Duration>,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let an address or a network in again
    Remove {
        /// As it was blocked
        address: String,
    },
    /// List what is blocked
    List {
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
}

/// What to do with the audit log.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Audit {
    /// List events, the newest first
    List {
        #[command(flatten)]
        wanted: AuditWanted,
        /// At most this many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// One JSON document a line in place of a table
        #[arg(long)]
        json: bool,
    },
    /// Write the events into a file or to standard output, the newest first; the export itself is an event
    Export {
        #[command(flatten)]
        wanted: AuditWanted,
        /// json or csv
        #[arg(long, default_value = "json", value_name = "FORMAT")]
        format: String,
        /// Write them into this file, which only its owner reads
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Follow the chain of hashes; names the first altered, missing or reordered event; exit 1 if there is one
    Verify {
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
}

/// Reads a span of time: a number and `s`, `m`, `h` or `d`.
pub(crate) fn span(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || "write a number and s, m, h or d, such as 90d or 24h".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text.strip_suffix(unit).unwrap_or_default().parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(seconds) if (1..=100 * 366 * 86_400).contains(&seconds) => {
            Ok(std::time::Duration::from_secs(seconds))
        }
        _ => Err("write a span between one second and a hundred years".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_commands_of_the_contract_can_be_typed() {
        for line in [
            "serve --port 0 --env production",
            "init",
            "check --upstream --json",
            "config show --env staging",
            "config example",
            "config schema",
            "config docs",
            "secret session",
            "secret jwt",
            "secret api-key",
            "secret encryption",
            "migrate",
            "migrate status",
            "rollback --yes",
            "backup create --json",
            "backup list",
            "backup verify stoa_20261121_020000.stoa",
            "backup prune",
            "restore",
            "restore s3://bucket/2026/11/21/stoa_20261121_020000.stoa --yes",
            "restore stoa_20261121_020000.stoa --into copy --at 2026-11-21T10:00:00Z",
            "key create shop --app support --app assistant --expires 90d",
            "key list",
            "key rotate 019",
            "key revoke 019",
            "key create shop --user ada@example.com --scope chat --scope read --per-minute 10",
            "user create ada@example.com --admin --password-stdin",
            "user list --role admin --json",
            "user show ada@example.com",
            "user disable ada@example.com",
            "user enable ada@example.com",
            "user export ada@example.com --out ada.json",
            "user erase ada@example.com --yes",
            "user role ada@example.com admin",
            "user password ada@example.com --password-stdin",
            "grant add ada@example.com workspace",
            "grant add ada@example.com workspace manage",
            "grant remove ada@example.com workspace",
            "grant list",
            "grant list ada@example.com",
            "lockdown users",
            "lockdown admin-only",
            "lockdown off",
            "lockdown status --json",
            "revoke sessions",
            "revoke tokens",
            "revoke keys",
            "revoke all",
            "audit export --format csv --event auth.failure --out audit.csv",
            "block add 192.0.2.0/24 --for 24h",
            "block remove 192.0.2.0/24",
            "block list",
            "audit list --event auth.failure --since 24h",
            "audit verify",
            "hold add ada@example.com --reason case-7",
            "hold remove app:support",
            "hold list --json",
            "maintain",
            "maintain vacuum --whole",
            "maintain reindex",
            "user export ada@example.com --format zip --out ada.zip",
            "verify https://chat.example.com --json",
            "declutter Pictures --json --min-size 10k --protect Originals --only duplicate --exclude *.iso",
            "declutter Pictures --apply --yes --only similar-image --only duplicate",
            "declutter --undo list.jsonl",
            "doctor --bundle out.json",
            "report daily",
            "report weekly --json",
            "report monthly",
            "openapi",
            "version",
            "errors",
        ] {
            let words = std::iter::once("stoa").chain(line.split(' '));
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        for line in [
            "",
            "sreve",
            "secret",
            "secret nonsense",
            "key",
            "serve --port many",
            "audit list --limit 0",
            "lockdown",
            "revoke nothing",
            "user",
            "user create",
            "grant add ada@example.com",
            "declutter",
            "declutter . --only nonsense",
            "report",
            "report yearly",
            "declutter . --min-size many",
        ] {
            let words = std::iter::once("stoa").chain(line.split(' ').filter(|word| !word.is_empty()));
            assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn spans_have_a_unit_and_bounds() {
        assert_eq!(span("90d").unwrap().as_secs(), 90 * 86_400);
        assert_eq!(span("30m").unwrap().as_secs(), 1_800);
        for text in ["", "d", "90", "-1d", "1.5h", "1y", "99999999999d", "0s", "1é"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
