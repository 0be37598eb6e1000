//! What can be typed about what is kept: legal holds, and the database that is looked after.

use clap::{Args, Subcommand, ValueEnum};

/// What to do with legal holds.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Hold {
    /// Keep everything of somebody, or of an app, whatever its time; nobody can erase it until the hold ends
    Add {
        /// The e-mail address of an account, or user:ID, visitor:ID, key:ID or app:ID
        target: String,
        /// Why, for the list: a case number, say
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End a hold; what its time has come for goes then
    Remove {
        /// The id of the hold, or what is on hold
        hold: String,
    },
    /// List what is on hold
    List {
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of `maintain`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Maintain {
    /// What to do; analyze and vacuum when nothing is said
    #[arg(value_enum)]
    pub(crate) task: Option<MaintainTask>,
    /// Rewrite an older SQLite file as a whole, so that it can shrink: requests that write wait meanwhile
    #[arg(long)]
    pub(crate) whole: bool,
    /// One JSON document in place of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// A way of looking after the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MaintainTask {
    /// Count anew how values are spread, so that queries take the best way
    Analyze,
    /// Give free space back
    Vacuum,
    /// Build the indexes anew, one at a time
    Reindex,
    /// Show when the database was last looked after, and how large it is
    Status,
}
