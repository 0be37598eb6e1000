//! A conversation that has come and waits for its files, which follow it in an archive. They pass the checks and quotas of an
//! upload; what is refused there is left out, and where there is no room for one, the conversation is not taken at all.

use std::collections::{HashMap, HashSet};

use identity::{FilesWrite, May};
use kernel::id::FileId;
use kernel::{Code, Fault, Result};

use super::shape::{Foreign, Refused};
use crate::Hall;
use crate::files::Upload;

/// Files of one conversation at the most.
const FILES: usize = 500;

/// A conversation and what has come of its files.
pub(super) struct Waiting {
    pub(super) foreign: Foreign,
    /// What is still to come, with its name.
    names: HashMap<FileId, String>,
    upload: Upload,
    /// What came, in its order.
    came: Vec<FileId>,
    current: Option<FileId>,
    no_room: Option<String>,
}

/// The files that a conversation names, with what they are called there.
pub(super) fn named(foreign: &Foreign) -> HashMap<FileId, String> {
    let files = foreign.tree.messages.iter().flat_map(|one| &one.words.attached);
    files.filter_map(|file| Some((file.file_id?, file.name.clone()))).take(FILES).collect()
}

impl Waiting {
    pub(super) async fn begin(
        hall: &Hall,
        may: &May<FilesWrite>,
        foreign: Foreign,
        names: HashMap<FileId, String>,
    ) -> Result<Waiting> {
        let upload = hall.begin_return(may, FILES).await?;
        Ok(Waiting { foreign, names, upload, came: Vec::new(), current: None, no_room: None })
    }

    /// Whether everything has come.
    pub(super) fn is_whole(&self) -> bool {
        self.names.is_empty()
    }

    /// A file begins. One that no message names, or that comes again, is passed by.
    pub(super) async fn file(&mut self, id: FileId) -> Result<()> {
        let Some(name) = self.names.get(&id).filter(|_| self.no_room.is_none()) else { return Ok(()) };
        self.current = Some(id);
        let begun = self.upload.begin(name, "", None).await;
        self.heard(begun)
    }

    pub(super) async fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.current.is_none() {
            return Ok(());
        }
        let written = self.upload.write(bytes).await;
        self.heard(written)
    }

    pub(super) async fn end(&mut self) -> Result<()> {
        let Some(id) = self.current else { return Ok(()) };
        let ended = self.upload.end().await;
        let fine = ended.is_ok();
        self.heard(ended)?;
        self.names.remove(&id);
        if fine {
            self.came.push(id);
        }
        self.current = None;
        Ok(())
    }

    /// What refuses one file leaves that one out; a fault of the server ends the import.
    fn heard(&mut self, outcome: Result<()>) -> Result<()> {
        let Err(fault) = outcome else { return Ok(()) };
        let id = self.current.take();
        self.upload.drop_current();
        match fault.code() {
            Code::QuotaExceeded => self.no_room = Some(fault.message().to_owned()),
            Code::TooLarge | Code::UnsupportedType | Code::InvalidInput => {}
            _ => return Err(fault),
        }
        if let Some(id) = id {
            self.names.remove(&id);
        }
        Ok(())
    }

    /// Keeps the files: the conversation with their ids here, the others left out; `Err` within says why it is not taken.
    pub(super) async fn settle(self) -> Result<(Foreign, std::result::Result<u64, Refused>)> {
        let Waiting { mut foreign, upload, came, no_room, .. } = self;
        let refused = |detail: String| Refused::new("no_room", detail);
        if let Some(detail) = no_room {
            return Ok((foreign, Err(refused(detail))));
        }
        let count = came.len() as u64;
        let mut here = HashMap::new();
        if !came.is_empty() {
            match upload.keep().await {
                Ok(stored) => here.extend(came.into_iter().zip(stored.into_iter().map(|one| one.file.id))),
                Err(fault) if fault.code() == Code::QuotaExceeded => {
                    return Ok((foreign, Err(refused(fault.message().to_owned()))));
                }
                Err(fault) => return Err(fault),
            }
        }
        rename(&mut foreign, |id| here.get(&id).copied());
        Ok((foreign, Ok(count)))
    }
}

/// Gives the files of a conversation their ids here; those that have none are left out, and counted as such.
fn rename(foreign: &mut Foreign, here: impl Fn(FileId) -> Option<FileId>) {
    for file in foreign.tree.messages.iter_mut().flat_map(|one| &mut one.words.attached) {
        let Some(id) = file.file_id else { continue };
        file.file_id = here(id);
        foreign.files += usize::from(file.file_id.is_none());
    }
}

/// Keeps the files of a conversation that are the caller's own here, and leaves out the others.
pub(super) async fn without_files(hall: &Hall, owner: kernel::Subject, foreign: &mut Foreign) -> Result<()> {
    let named: Vec<FileId> = named(foreign).into_keys().collect();
    let kept: HashSet<FileId> =
        if named.is_empty() { HashSet::new() } else { hall.rooms.store.kept_files(&owner, named).await? };
    rename(foreign, |id| kept.contains(&id).then_some(id));
    Ok(())
}

/// An app that takes no files gets none: what they said is not brought in through a back door.
pub(super) fn refuse_files(foreign: &mut Foreign) {
    for file in foreign.tree.messages.iter_mut().flat_map(|one| &mut one.words.attached) {
        foreign.files += usize::from(file.file_id.is_some() || !file.text.is_empty());
        (file.file_id, file.read) = (None, 0);
        file.text = String::new();
    }
}

/// Whether a fault speaks of the conversation and not of the server.
pub(super) fn of_the_talk(fault: &Fault) -> Option<Refused> {
    match fault.code() {
        Code::TooManyConversations => {
            Some(Refused::new("too_many_conversations", "you have as many conversations as this app allows"))
        }
        Code::InvalidInput => {
            let detail = fault
                .fields()
                .first()
                .map_or_else(|| fault.message().to_owned(), |one| one.detail.to_string());
            Some(Refused::new("no_order", detail))
        }
        _ => None,
    }
}
