//! What an artefact says about itself: what it holds, of which database, made by which version, and the hashes by which
//! it is checked. It never says anything about a subject.

use kernel::Time;
use serde::{Deserialize, Serialize};
use store::{Head, TableSum};

/// The form of artefacts that this version writes and reads.
pub(crate) const FORMAT: u32 = 1;

/// Why an artefact was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its time had come.
    Scheduled,
    /// Somebody asked.
    Manual,
    /// The schema was about to change.
    BeforeMigration,
    /// Another artefact was about to be restored.
    BeforeRestore,
}

impl Reason {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Scheduled => "scheduled",
            Reason::Manual => "manual",
            Reason::BeforeMigration => "before_migration",
            Reason::BeforeRestore => "before_restore",
        }
    }

    /// Whether it holds everything, and not only what is about to change.
    pub const fn is_whole(self) -> bool {
        matches!(self, Reason::Scheduled | Reason::Manual)
    }
}

/// The contents of files in an artefact.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Files {
    /// They are in it.
    pub included: bool,
    /// How many.
    pub count: u64,
    /// How many sealed bytes.
    pub bytes: u64,
    /// Contents that rows point at and whose bytes were not there when the backup was made.
    pub missing: u64,
}

/// What an artefact holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the artefact.
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// The newest migration of the rows.
    pub schema: u32,
    /// The engine that they were read from.
    pub engine: String,
    /// Of which database: the same after a restore, on whatever engine.
    pub house: String,
    /// Why it was made.
    pub reason: Reason,
    /// The moment that it shows.
    pub began_at: Time,
    /// When it was complete.
    pub ended_at: Time,
    /// The tables with their numbers of rows and their hashes.
    pub tables: Vec<TableSum>,
    /// How many subjects had a data key.
    pub subjects: u64,
    /// The contents of files.
    pub files: Files,
    /// The end of the audit log.
    pub head: Head,
    /// One hash over all tables and contents.
    pub content: String,
}

impl Manifest {
    /// How many rows it holds.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// The hash over all tables, in the order of their names, and all contents in the order of the artefact.
pub(crate) struct Content(blake3::Hasher);

impl Content {
    pub(crate) fn new() -> Content {
        Content(blake3::Hasher::new_derive_key("stoa 2026 content of a backup"))
    }

    pub(crate) fn add_file(&mut self, id: &str, size: u64, hash: &[u8; 32]) {
        self.0.update(id.as_bytes());
        self.0.update(&size.to_le_bytes());
        self.0.update(hash);
    }

    pub(crate) fn finish(mut self, tables: &[TableSum]) -> String {
        let mut tables: Vec<&TableSum> = tables.iter().collect();
        tables.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        for table in tables {
            self.0.update(format!("\n{} {} {}", table.name, table.rows, table.hash).as_bytes());
        }
        self.0.finalize().to_hex().to_string()
    }
}
