//! Arguments of `stoa problem`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with the problems of a tutor.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Problem {
    /// Add the problems of a TOML or JSON file; nothing is added when one of them is wrong
    Add {
        /// The app
        app: String,
        /// A file with `[[problems]]`
        file: PathBuf,
        /// Publish them at once, whatever the file says
        #[arg(long)]
        publish: bool,
    },
    /// List the problems of an app
    List {
        /// The app
        app: String,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// Show one problem with its answer, as a file that `add` takes
    Show {
        /// The app
        app: String,
        /// The id
        id: String,
        /// JSON in place of TOML
        #[arg(long)]
        json: bool,
    },
    /// Remove a problem; conversations about it stay with their learners
    Remove {
        /// The app
        app: String,
        /// The id
        id: String,
    },
}
