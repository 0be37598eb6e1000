//! All conversations of somebody as one archive, made while it leaves: each as Markdown and as JSON with the files that its
//! messages brought behind it, then a list of all. One conversation is in memory at a time, however many there are.

use std::collections::HashSet;
use std::sync::Arc;

use ::files::zip::Archive;
use identity::{ConversationRead, May};
use kernel::id::FileId;
use kernel::{AuditEvent, Code, EventType, Fault, PageRequest, Result};
use serde_json::{Value, json};
use store::{Conversation, ConversationFilter};

use crate::takeout::{Sink, Takeout, plain, put};
use crate::{Export, Hall};

/// Characters of a title in the name of a folder.
const NAME: usize = 60;

impl Hall {
    /// Gives out all conversations of the caller in the apps it may enter. `json` writes one as the API does.
    pub fn archive(
        &self,
        may: &May<ConversationRead>,
        json: impl Fn(Export) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Takeout {
        let (sink, takeout) = Sink::open((Arc::clone(&self.rooms.identity), may.who().clone()));
        let (hall, may) = (self.clone(), may.clone());
        tokio::spawn(async move {
            if let Err(fault) = hall.write_archive(&may, &sink, json).await {
                sink.cut_off(fault).await;
            }
        });
        takeout
    }

    async fn write_archive(
        &self,
        may: &May<ConversationRead>,
        sink: &Sink,
        json: impl Fn(Export) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let mut archive = Archive::default();
        let mut listed: Vec<Value> = Vec::new();
        let mut page = PageRequest::first(PageRequest::MOST);
        // Those that were put away come behind the others.
        let mut archived = false;
        loop {
            let filter = ConversationFilter { archived, ..ConversationFilter::default() };
            let found = self.rooms.store.conversations(&may.owner(), filter, page.clone()).await?;
            for conversation in found.items {
                if !may.who().apps().contains(&conversation.app) {
                    continue;
                }
                let export = match self.whole(may, conversation.id).await {
                    Ok(export) => export,
                    // Deleted since it was listed.
                    Err(fault) if fault.code() == Code::NotFound => continue,
                    Err(fault) => return Err(fault),
                };
                let files = export.files.clone();
                let folder = folder(&conversation);
                listed.push(json!({
                    "id": conversation.id, "app": conversation.app, "title": conversation.title, "folder": folder,
                    "tags": conversation.tags, "pinned": conversation.pinned, "archived": conversation.archived,
                    "messages": export.every.len(), "updated_at": conversation.updated_at,
                }));
                let markdown = export.markdown();
                sink.send(archive.whole(&format!("{folder}/conversation.md"), markdown.as_bytes())).await?;
                sink.send(archive.whole(&format!("{folder}/conversation.json"), &json(export)?)).await?;
                // Whoever reads it while it comes knows then which files belong to it.
                self.put_files(may, sink, &mut archive, &folder, files).await?;
            }
            match found.next {
                Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next))?,
                None if archived => break,
                None => (archived, page) = (true, PageRequest::first(PageRequest::MOST)),
            }
        }
        let audit = AuditEvent::new(EventType::DataExported, may.owner()).from(may.who().address());
        self.rooms.audit.note(audit.with("what", "conversations").with("conversations", listed.len()));
        let contents = json!({ "exported_at": self.rooms.ambient.now(), "conversations": listed });
        let contents = serde_json::to_vec_pretty(&contents).map_err(Fault::internal)?;
        sink.send(archive.whole("contents.json", &contents)).await?;
        sink.send(archive.finish()).await
    }

    async fn put_files(
        &self,
        may: &May<ConversationRead>,
        sink: &Sink,
        archive: &mut Archive,
        folder: &str,
        files: HashSet<FileId>,
    ) -> Result<()> {
        let (owner, folder) = (may.who().keeper(), format!("{folder}/"));
        let rooms = (&self.rooms.store, &self.rooms.files.blobs);
        for id in files {
            match self.rooms.store.file(&owner, id).await {
                Ok(file) => {
                    put(rooms, &owner, sink, archive, &file, &folder).await?;
                }
                // Deleted since.
                Err(fault) if fault.code() == Code::NotFound => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}

/// The folder of a conversation: by its day, its title and the end of its id, so that no two are the same.
fn folder(conversation: &Conversation) -> String {
    let day = conversation.created_at.rfc3339_seconds();
    let title: String = conversation.title.as_deref().unwrap_or("conversation").chars().take(NAME).collect();
    let id = conversation.id.to_string();
    let tail = id.rsplit('-').next().unwrap_or_default();
    format!("conversations/{} {} {tail}", day.get(..10).unwrap_or_default(), plain(title.trim()))
}
