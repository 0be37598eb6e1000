//! Files on their way in. Bytes are judged, hashed, sealed and written aside while they come, whatever their number in
//! the same memory; nothing is kept before the last byte of the last file has come, and then all of it or nothing.

use std::collections::HashSet;
use std::time::Duration;

use files::blob::{Aside, Staged};
use files::name;
use files::sniff::Judge;
use guard::http::too_large;
use identity::{FilesWrite, May};
use kernel::id::FileId;
use kernel::{Code, EventType, Fault, Result, Time};
use store::{ContentKey, File, Kept, KeptFile, NewFile, StagedBlob};

use super::event;
use super::incoming::Arriving;
use crate::Hall;

/// How many files one upload holds at the most.
const MOST: usize = 20;
/// Placed bytes that no file has taken over by then belonged to a process that is gone.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// A file that was stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The file.
    pub file: File,
    /// Files of the owner that had the same content already: it takes no more room.
    pub twins: Vec<File>,
}

/// Files on their way in. Dropped before [`Upload::keep`], it leaves nothing.
pub struct Upload {
    hall: Hall,
    may: May<FilesWrite>,
    key: ContentKey,
    arriving: Arriving,
    current: Option<Current>,
    whole: Vec<Whole>,
    /// How many files it holds at the most.
    most: usize,
    /// Files that are there already with the same name are meant, not made again.
    reuse: bool,
}

struct Current {
    name: String,
    folder: String,
    modified_at: Option<Time>,
    judge: Judge,
    aside: Aside,
}

struct Whole {
    name: String,
    folder: String,
    modified_at: Option<Time>,
    media_type: &'static str,
    staged: Staged,
}

impl Hall {
    /// Begins an upload. `announced`, what its client says it will send: more than there could be room for is refused
    /// before it comes.
    pub async fn begin_upload(&self, may: &May<FilesWrite>, announced: Option<u64>) -> Result<Upload> {
        let owner = may.keeper();
        let key = self.rooms.store.content_key(&owner, true).await?;
        let used = self.rooms.store.file_usage(&owner).await?.stored_bytes;
        let rules = &self.rooms.files.rules;
        // The frame around the files is counted here too; what is near the quota is decided by what comes.
        if announced.is_some_and(|bytes| bytes > rules.quota.saturating_sub(used).saturating_add(FRAME)) {
            return Err(self.no_room(used));
        }
        let arriving = self.rooms.files.incoming.begin(owner, rules.quota.saturating_sub(used))?;
        let (current, whole) = (None, Vec::new());
        Ok(Upload {
            hall: self.clone(),
            may: may.clone(),
            key,
            arriving,
            current,
            whole,
            most: MOST,
            reuse: false,
        })
    }

    /// Begins an upload of files that belong to something that comes again: those that are there already, with the same
    /// name, folder and content, stay as they are and are the ones that are meant.
    pub(crate) async fn begin_return(&self, may: &May<FilesWrite>, most: usize) -> Result<Upload> {
        Ok(Upload { most, reuse: true, ..self.begin_upload(may, None).await? })
    }

    fn no_room(&self, used: u64) -> Fault {
        Fault::new(Code::QuotaExceeded).say(format!(
            "your files would take more than your {} bytes; {used} are in use. Empty the trash, or delete files for good",
            self.rooms.files.rules.quota
        ))
    }
}

/// What a multipart body holds beside the files, at the most.
const FRAME: u64 = 64 * 1024;

impl Upload {
    /// The next file begins, with what its client calls it.
    pub async fn begin(&mut self, name: &str, folder: &str, modified_at: Option<Time>) -> Result<()> {
        if self.current.is_some() {
            return Err(Fault::internal("a file began before the one before it had ended"));
        }
        if self.whole.len() >= self.most {
            return Err(Fault::invalid(
                "file",
                "too_many",
                format!("one request brings at most {} files", self.most),
            ));
        }
        let (name, folder) = (name::label(name), name::folder(folder)?);
        let shelves = &self.hall.rooms.files;
        let id = shelves.blobs.new_id();
        let aside = shelves.blobs.aside(&id, self.key.sealer(&id)).await?;
        let judge = Judge::new(&shelves.rules.allowed, &name);
        self.current = Some(Current { name, folder, modified_at, judge, aside });
        Ok(())
    }

    /// The next bytes of the file. `too_large`, `unsupported_type` or `quota_exceeded` as soon as it is certain; what
    /// has come is removed then.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let current = self.current.as_mut().ok_or_else(|| Fault::internal("bytes without a file"))?;
        let most = self.hall.rooms.files.rules.most;
        let size = current.aside.size().saturating_add(bytes.len() as u64);
        if size > most {
            return Err(too_large(most).say(format!("a file may have {most} bytes")));
        }
        if !self.arriving.count(bytes.len() as u64) {
            let used = self.hall.rooms.store.file_usage(&self.may.keeper()).await?.stored_bytes;
            return Err(self.hall.no_room(used));
        }
        current.judge.take(bytes)?;
        current.aside.write(bytes).await
    }

    /// The file has come.
    pub async fn end(&mut self) -> Result<()> {
        let Some(Current { name, folder, modified_at, judge, aside }) = self.current.take() else {
            return Err(Fault::internal("a file ended that had not begun"));
        };
        let media_type = judge.finish()?;
        let staged = aside.finish().await?;
        self.whole.push(Whole { name, folder, modified_at, media_type, staged });
        Ok(())
    }

    /// The file that is coming is not wanted after all: what has come of it is removed.
    pub(crate) fn drop_current(&mut self) {
        self.current = None;
    }

    /// How many files have come.
    pub fn len(&self) -> usize {
        self.whole.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// A hash of everything that has come, with its names: what an idempotency key stands for.
    pub fn fingerprint(&self) -> String {
        let mut parts = vec![format!("upload\n{}\n", self.may.what().0)];
        for Whole { name, folder, staged, .. } in &self.whole {
            let tag = self.key.tag(staged.digest());
            parts.push(format!("{}:{name}{}:{folder}{tag}{}\n", name.len(), folder.len(), staged.size()));
        }
        parts.concat()
    }

    /// Keeps all files. Runs to its end even when nobody waits for it any more.
    pub async fn keep(self) -> Result<Vec<Stored>> {
        let tasks = self.hall.rooms.tasks.clone();
        tasks.spawn(self.keep_now()).await.map_err(Fault::internal)?
    }

    async fn keep_now(self) -> Result<Vec<Stored>> {
        if self.whole.is_empty() {
            return Err(Fault::invalid("file", "missing", "the request holds no file"));
        }
        // An upload can take long: whoever may not any more does not find it kept.
        if !self.hall.rooms.identity.enters(self.may.who(), &self.may.what().0).await? {
            return Err(Fault::new(Code::Forbidden));
        }
        let mut placed = HashSet::new();
        let kept = self.place_and_keep(&mut placed).await;
        if let Ok(kept) = &kept {
            for file in kept.iter().filter(|kept| kept.fresh) {
                placed.remove(&file.file.blob);
            }
        }
        // What somebody else's request kept at the same moment, and what was refused in the end.
        self.hall.discard(placed.into_iter().collect()).await;
        let kept = kept?;
        for KeptFile { file, twins, .. } in &kept {
            tracing::info!(app = %file.app, file = %file.id, size = file.size, duplicate = !twins.is_empty(), "file stored");
        }
        Ok(kept.into_iter().map(|KeptFile { file, twins, .. }| Stored { file, twins }).collect())
    }

    async fn place_and_keep(&self, placed: &mut HashSet<String>) -> Result<Vec<KeptFile>> {
        let rooms = &self.hall.rooms;
        let audit = event(&self.may, EventType::DataWritten).with("what", "file");
        let mut new: Vec<NewFile> = self.whole.iter().map(|whole| self.new_file(whole)).collect();
        // Twice at the most: what is wanted the first time is there the second time, unless it was given up meanwhile.
        for _ in 0..3 {
            let kept = rooms.store.keep_files(&self.key, new.clone(), rooms.files.rules.quota, audit.clone());
            let wanted = match kept.await? {
                Kept::Stored(kept) => return Ok(kept),
                Kept::Wanted(wanted) => wanted,
            };
            for (whole, file) in
                self.whole.iter().zip(&mut new).filter(|(whole, _)| wanted.contains(whole.staged.id()))
            {
                let id = whole.staged.id();
                rooms.store.announce_blob(id, rooms.ambient.now() + ABANDONED).await?;
                placed.insert(id.to_owned());
                rooms.files.blobs.keep(&whole.staged).await?;
                file.blob.placed = true;
            }
        }
        Err(Fault::new(Code::Conflict).because("contents are wanted again and again"))
    }

    fn new_file(&self, whole: &Whole) -> NewFile {
        let digest = whole.staged.digest();
        NewFile {
            id: FileId::new(&self.hall.rooms.ambient),
            app: self.may.what().0.clone(),
            name: whole.name.clone(),
            folder: whole.folder.clone(),
            media_type: whole.media_type.to_owned(),
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            modified_at: whole.modified_at,
            blob: StagedBlob {
                id: whole.staged.id().to_owned(),
                tag: self.key.tag(digest),
                size: whole.staged.size(),
                placed: false,
            },
            reuse: self.reuse,
        }
    }
}
