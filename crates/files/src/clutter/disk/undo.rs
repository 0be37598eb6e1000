//! The list of what was moved to the trash, written line by line before each move, and the way back. A line whose file
//! never reached the trash is passed over, so a list that an interrupted run left behind is as good as any.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};

use super::readable;
use super::trash::{decode, encode, info_of};

/// One move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where it was.
    pub from: PathBuf,
    /// Where in the trash it is.
    pub trashed: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Line {
    from: String,
    trashed: String,
}

/// A list that is being written.
#[derive(Debug)]
pub(super) struct List {
    file: File,
}

impl List {
    /// Begins a list; only its owner reads it.
    pub(super) fn begin(path: &Path) -> io::Result<List> {
        Ok(List { file: OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)? })
    }

    pub(super) fn add(&mut self, from: &Path, trashed: &Path) -> io::Result<()> {
        let line = Line { from: encode(from.as_os_str()), trashed: encode(trashed.as_os_str()) };
        let mut text = serde_json::to_string(&line).map_err(io::Error::other)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()
    }
}

/// Reads a list.
///
/// # Errors
/// When it cannot be read or is none.
pub fn read(path: &Path) -> io::Result<Vec<Record>> {
    let wrong = |number: usize| {
        io::Error::new(io::ErrorKind::InvalidData, format!("line {} is none of an undo list", number + 1))
    };
    let mut records = Vec::new();
    for (number, line) in BufReader::new(File::open(path)?).lines().enumerate() {
        let line = line?;
        let line: Line = serde_json::from_str(&line).map_err(|_| wrong(number))?;
        match (decode(&line.from), decode(&line.trashed)) {
            (Some(from), Some(trashed)) => records.push(Record { from, trashed }),
            _ => return Err(wrong(number)),
        }
    }
    Ok(records)
}

/// What came of an undo.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Undone {
    /// How many are back.
    pub back: u64,
    /// What could not be put back, with a sentence each.
    pub failed: Vec<(String, String)>,
    /// How many were not in the trash: put back before, or never moved.
    pub absent: u64,
}

/// Puts back what a list names, the last first. Nothing that is there is overwritten.
pub fn undo(records: &[Record]) -> Undone {
    let mut undone = Undone::default();
    for record in records.iter().rev() {
        if fs::symlink_metadata(&record.trashed).is_err() {
            undone.absent += 1;
            continue;
        }
        let folder = record.from.parent().map_or(Ok(()), fs::create_dir_all);
        let moved = folder.and_then(|()| {
            Ok(renameat_with(CWD, &record.trashed, CWD, &record.from, RenameFlags::NOREPLACE)?)
        });
        match moved {
            Ok(()) => {
                undone.back += 1;
                if let Some(info) = info_of(&record.trashed) {
                    let _ = fs::remove_file(info);
                }
            }
            Err(error) => {
                let why = match error.kind() {
                    io::ErrorKind::AlreadyExists => "There is something at its place.".to_owned(),
                    kind => format!("It cannot be moved: {kind}."),
                };
                undone.failed.push((readable(record.from.as_os_str()), why));
            }
        }
    }
    undone
}
