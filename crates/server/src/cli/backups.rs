//! The commands about backups: their arguments and their help.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with backups.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Backup {
    /// Make one now, while the server works; removes what is older than it has to be kept. Exit 1 on any failure
    Create {
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// List them, the newest first
    List {
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// Try one out: read every byte, restore it into a scratch database, compare. Exit 1 if it is not what it says
    Verify {
        /// A file, a name of the list or an s3:// URL; the newest when absent
        artefact: Option<String>,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// Remove those that are older than they have to be kept; the last good one stays
    Prune {
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of `restore`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Restore {
    /// A file, a name of `stoa backup list` or an s3:// URL
    pub(crate) artefact: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Make a copy in this new folder, for a server of its own, and leave everything else as it is
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Bring back how it was at this time, such as 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

/// Arguments of `rollback`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Rollback {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
