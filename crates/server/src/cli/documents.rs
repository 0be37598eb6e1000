//! The command about documents: its arguments and its help.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with the documents of an app.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Docs {
    /// Add files, and all files of folders; running servers find them within a second. Exit 1 if any failed
    Add {
        /// The app that is to answer from them
        app: String,
        /// Files and folders; in folders what is hidden and what is a link is left out
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Who may see them: everyone who may enter the app, or its staff
        #[arg(long, value_name = "WHO", default_value = "everyone")]
        visibility: String,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// List the documents, the newest first, with those that could not be read
    List {
        /// The app
        app: String,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// Remove documents with everything made from them
    Remove {
        /// The app
        app: String,
        /// Their ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Search as the app does
    Search {
        /// The app
        app: String,
        /// The question
        #[arg(required = true)]
        query: Vec<String>,
        /// The most passages
        #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
        limit: u8,
        /// Look at what this audience sees: everyone or staff
        #[arg(long, value_name = "WHO", default_value = "staff")]
        visibility: String,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
}
