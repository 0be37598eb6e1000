//! All of a subject's data on its way out, as one JSON document or as an archive that holds that document, the contents
//! of the files and a list of them. It is made while it is read: a piece of each is in memory, however large an account
//! is. Who may have it was decided before.

use std::sync::Arc;

use ::files::blob::Blobs;
use ::files::zip::Archive;
use identity::{DataExport, Identity, May, Principal};
use kernel::id::FileId;
use kernel::{Code, Fault, Result, Subject, Time};
use serde_json::{Value, json};
use store::{File, Store, SubjectPages};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::Hall;

/// In which form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TakeoutForm {
    /// One JSON document; of files their names and sizes.
    Json,
    /// An archive with the document, and with the contents of the files.
    Zip,
}

/// Pieces that wait for a slow reader.
const QUEUE: usize = 4;
/// Files that are listed at once.
const PAGE: u32 = 100;

/// An export as it is made. Dropped, it ends the work.
pub struct Takeout(Receiver<Result<Vec<u8>>>);

impl Takeout {
    /// The next bytes; `None` at the end. After a fault nothing comes, and what came is not whole.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        self.0.recv().await
    }
}

/// What an export is made of.
pub struct TakeoutParts {
    /// Rows.
    pub store: Store,
    /// Where the contents of files lie.
    pub blobs: Blobs,
    /// Whose data it is.
    pub subject: Subject,
    /// Its rows.
    pub pages: SubjectPages,
    /// When it is made.
    pub at: Time,
    /// In which form.
    pub form: TakeoutForm,
}

impl TakeoutParts {
    /// Begins; needs a Tokio runtime.
    pub fn begin(self) -> Takeout {
        self.run(None)
    }

    fn run(self, who: Option<(Arc<Identity>, Principal)>) -> Takeout {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let sink = Sink { sender, who };
            if let Err(fault) = self.write(&sink).await {
                let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
                tracing::warn!(code = fault.code().as_str(), cause, "an export was cut off");
                // Nobody may be there to hear it.
                let _ = sink.sender.send(Err(fault)).await;
            }
        });
        Takeout(receiver)
    }

    async fn write(mut self, sink: &Sink) -> Result<()> {
        match self.form {
            TakeoutForm::Json => self.document(sink, &mut None).await,
            TakeoutForm::Zip => self.archive(sink).await,
        }
    }

    /// The document; what is written passes the archive where there is one.
    async fn document(&mut self, sink: &Sink, archive: &mut Option<Archive>) -> Result<()> {
        let head = json!({ "subject": self.subject.to_string(), "exported_at": self.at });
        let mut text = head.to_string();
        text.truncate(text.len().saturating_sub(1));
        text.push_str(",\"tables\":{");
        let mut last = None;
        let mut first_row = true;
        while let Some((table, rows)) = self.pages.next().await? {
            if last != Some(table) {
                text.push_str(if last.is_some() { "],\"" } else { "\"" });
                text.push_str(table);
                text.push_str("\":[");
                (last, first_row) = (Some(table), true);
            }
            for row in rows {
                if !first_row {
                    text.push(',');
                }
                first_row = false;
                text.push_str(&Value::Object(row).to_string());
            }
            sink.content(archive, std::mem::take(&mut text).into_bytes()).await?;
        }
        text.push_str(if last.is_some() { "]}}\n" } else { "}}\n" });
        sink.content(archive, text.into_bytes()).await
    }

    async fn archive(mut self, sink: &Sink) -> Result<()> {
        let mut archive = Archive::default();
        sink.send(archive.begin("export.json", None)).await?;
        let mut passing = Some(archive);
        self.document(sink, &mut passing).await?;
        let Some(mut archive) = passing else { return Err(Fault::internal("an archive was lost")) };
        let mut listed: Vec<Value> = Vec::new();
        let mut after: Option<FileId> = None;
        loop {
            let files = self.store.files_after(&self.subject, after, PAGE).await?;
            let Some(last) = files.last() else { break };
            after = Some(last.id);
            for file in files {
                let (path, whole) = self.file(sink, &mut archive, &file).await?;
                listed.push(json!({
                    "id": file.id, "path": path, "name": file.name, "folder": file.folder, "app": file.app,
                    "media_type": file.media_type, "size": file.size, "blake3": file.digest,
                    "created_at": file.created_at, "modified_at": file.modified_at, "trashed_at": file.trashed_at,
                    "whole": whole,
                }));
            }
        }
        let text = serde_json::to_vec_pretty(&json!({
            "subject": self.subject.to_string(), "exported_at": self.at, "files": listed,
        }))
        .map_err(Fault::internal)?;
        sink.send(archive.begin("manifest.json", Some(text.len() as u64))).await?;
        archive.piece(&text);
        sink.send(text).await?;
        sink.send(archive.finish()).await
    }

    async fn file(&self, sink: &Sink, archive: &mut Archive, file: &File) -> Result<(Option<String>, bool)> {
        put((&self.store, &self.blobs), &self.subject, sink, archive, file, "").await
    }
}

/// One file, in this folder or at the top. Its bytes that are not there leave an empty place, and the list says so.
pub(crate) async fn put(
    (store, blobs): (&Store, &Blobs),
    subject: &Subject,
    sink: &Sink,
    archive: &mut Archive,
    file: &File,
    folder: &str,
) -> Result<(Option<String>, bool)> {
    let key = store.content_key(subject, false).await?;
    let opened = blobs
        .read(&file.blob, file.size, 0..file.size, |header| key.opener(&file.blob, header, file.size))
        .await;
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(fault) if fault.code() == Code::Unavailable => return Err(fault),
        Err(fault) => {
            tracing::error!(cause = ?fault, "the bytes of a file are not in an export: run `stoa doctor`");
            return Ok((None, false));
        }
    };
    let path = format!("{folder}files/{}/{}", file.id, plain(&file.name));
    sink.send(archive.begin(&path, Some(file.size))).await?;
    while let Some(piece) = reader.next().await? {
        archive.piece(&piece);
        sink.send(piece).await?;
    }
    Ok((Some(path), true))
}

/// A name that leads nowhere, whatever unpacks it.
pub(crate) fn plain(name: &str) -> String {
    let safe = |c: char| {
        if c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') {
            '_'
        } else {
            c
        }
    };
    let name: String = name.chars().map(safe).take(150).collect();
    let name = name.trim_end_matches(['.', ' ']);
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

pub(crate) struct Sink {
    sender: Sender<Result<Vec<u8>>>,
    /// Who reads, while that has to be watched.
    who: Option<(Arc<Identity>, Principal)>,
}

impl Sink {
    /// A sink for whoever is told here, and what comes out of it.
    pub(crate) fn open(who: (Arc<Identity>, Principal)) -> (Sink, Takeout) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Sink { sender, who: Some(who) }, Takeout(receiver))
    }

    /// Tells the reader that nothing more comes, and what is here is not whole.
    pub(crate) async fn cut_off(&self, fault: Fault) {
        let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(code = fault.code().as_str(), cause, "an export was cut off");
        // Nobody may be there to hear it.
        let _ = self.sender.send(Err(fault)).await;
    }

    pub(crate) async fn send(&self, bytes: Vec<u8>) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        // Whoever may not any more gets no further bytes.
        if let Some((identity, who)) = &self.who
            && !identity.stands(who).await?
        {
            return Err(Fault::new(Code::Unauthenticated));
        }
        self.sender
            .send(Ok(bytes))
            .await
            .map_err(|_| Fault::new(Code::Unavailable).because("the reader has gone"))
    }

    async fn content(&self, archive: &mut Option<Archive>, bytes: Vec<u8>) -> Result<()> {
        if let Some(archive) = archive {
            archive.piece(&bytes);
        }
        self.send(bytes).await
    }
}

impl Hall {
    /// Gives out everything of the caller.
    pub fn takeout(&self, may: &May<DataExport>, pages: SubjectPages, form: TakeoutForm) -> Takeout {
        let who = Some((Arc::clone(&self.rooms.identity), may.who().clone()));
        self.takeout_parts(may.owner(), pages, form).run(who)
    }

    /// Gives out everything of an account, to an admin.
    pub fn takeout_of(
        &self,
        may: &May<identity::Admin>,
        subject: Subject,
        pages: SubjectPages,
        form: TakeoutForm,
    ) -> Takeout {
        let who = Some((Arc::clone(&self.rooms.identity), may.who().clone()));
        self.takeout_parts(subject, pages, form).run(who)
    }

    fn takeout_parts(&self, subject: Subject, pages: SubjectPages, form: TakeoutForm) -> TakeoutParts {
        TakeoutParts {
            store: self.rooms.store.clone(),
            blobs: self.rooms.files.blobs.clone(),
            subject,
            pages,
            at: self.rooms.ambient.now(),
            form,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere() {
        for (name, wanted) in [
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("..", "file"),
            ("a\0b\n.txt", "a_b_.txt"),
            ("C:\\x", "C__x"),
            ("ä b.pdf", "ä b.pdf"),
            ("con. ", "con"),
        ] {
            assert_eq!(plain(name), wanted);
        }
    }
}
