//! Conversations in order: pinned, put away, in folders, tagged, many at once. It owns what a name of a folder and a tag
//! may be; the store keeps them.

use std::time::Duration;

use guard::content::validate;
use identity::{ConversationDelete, ConversationRead, ConversationWrite, May};
use kernel::{AppId, AuditEvent, ConversationId, EventType, Fault, FolderId, Result};
use store::{Arrangement, Folder, FolderChange, NewFolder, TagCount};

use crate::Hall;

/// Most conversations that are changed at once.
pub const MOST_AT_ONCE: usize = 100;

/// Most characters of the name of a folder, and of a tag.
const LONGEST_FOLDER: usize = 80;
const LONGEST_TAG: usize = 40;

/// A temporary conversation goes so long after the last message.
pub const TEMPORARY: Duration = Duration::from_secs(60 * 60);

impl Hall {
    /// Does the same with many of the caller's conversations: with all of them, or with none.
    pub async fn arrange_many(
        &self,
        may: &May<ConversationWrite>,
        ids: &[ConversationId],
        mut to: Arrangement,
    ) -> Result<usize> {
        let ids = several(ids)?;
        tidy_tags(&mut to)?;
        if to.is_empty() {
            return Err(Fault::invalid("ids", "no_change", "say what is to change in them"));
        }
        let event = event(may, EventType::DataWritten).with("what", "order").with("conversations", ids.len());
        self.rooms.store.arrange(&may.owner(), &open(may), &ids, to, vec![event]).await?;
        Ok(ids.len())
    }

    /// Deletes many of the caller's conversations: all of them, or none. Answers that are being written are stopped.
    pub async fn delete_many(&self, may: &May<ConversationDelete>, ids: &[ConversationId]) -> Result<usize> {
        let ids = several(ids)?;
        let events = ids
            .iter()
            .map(|id| event(may, EventType::DataErased).to(format_args!("conversation:{id}")))
            .collect();
        let apps = open(may);
        for id in &ids {
            let conversation = self.rooms.store.conversation(&may.owner(), *id).await?;
            may.inside(&conversation.app)?;
        }
        for id in &ids {
            self.live.stop(*id);
        }
        self.rooms.store.delete_conversations(&may.owner(), &apps, &ids, events).await?;
        tracing::info!(conversations = ids.len(), "conversations deleted");
        Ok(ids.len())
    }

    /// The caller's folders, by name.
    pub async fn folders(&self, may: &May<ConversationRead>) -> Result<Vec<Folder>> {
        self.rooms.store.folders(&may.owner()).await
    }

    /// Makes a folder.
    pub async fn create_folder(
        &self,
        may: &May<ConversationWrite>,
        name: &str,
        parent: Option<FolderId>,
    ) -> Result<Folder> {
        let new = NewFolder { id: FolderId::new(&self.rooms.ambient), parent, name: folder_name(name)? };
        let event = event(may, EventType::DataWritten).to(format_args!("folder:{}", new.id));
        self.rooms.store.create_folder(&may.owner(), new, vec![event]).await
    }

    /// Renames a folder, or moves it into another.
    pub async fn change_folder(
        &self,
        may: &May<ConversationWrite>,
        id: FolderId,
        name: Option<&str>,
        parent: Option<Option<FolderId>>,
    ) -> Result<Folder> {
        if name.is_none() && parent.is_none() {
            return Err(Fault::invalid("name", "required", "name a new `name` or a new `parent_id`"));
        }
        let change = FolderChange { name: name.map(folder_name).transpose()?, parent };
        let event = event(may, EventType::DataWritten).to(format_args!("folder:{id}"));
        self.rooms.store.change_folder(&may.owner(), id, change, vec![event]).await
    }

    /// Deletes a folder; what lies in it lies where the folder lay.
    pub async fn delete_folder(&self, may: &May<ConversationWrite>, id: FolderId) -> Result<()> {
        let event =
            event(may, EventType::DataWritten).to(format_args!("folder:{id}")).with("what", "deleted");
        self.rooms.store.delete_folder(&may.owner(), id, vec![event]).await
    }

    /// The caller's tags, by name.
    pub async fn tags(&self, may: &May<ConversationRead>) -> Result<Vec<TagCount>> {
        self.rooms.store.tags(&may.owner()).await
    }

    /// Deletes temporary conversations whose time has come. Gives how many.
    pub async fn sweep_temporary(&self) -> Result<u64> {
        let before = self.rooms.ambient.now() - TEMPORARY;
        let mut count = 0;
        loop {
            let gone = self.rooms.store.sweep_temporary(before).await?;
            count += gone;
            if gone == 0 {
                return Ok(count);
            }
        }
    }
}

fn event<P>(may: &May<P>, what: EventType) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address())
}

fn open<P>(may: &May<P>) -> Vec<AppId> {
    may.who().apps().iter().cloned().collect()
}

/// Each of them once.
fn several(ids: &[ConversationId]) -> Result<Vec<ConversationId>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => Err(Fault::invalid("ids", "empty", "name the conversations")),
        1..=MOST_AT_ONCE => Ok(ids),
        _ => {
            let sentence = format!("{MOST_AT_ONCE} conversations at once are the most; send them in parts");
            Err(Fault::invalid("ids", "too_many", sentence))
        }
    }
}

/// A name of a folder: one short line without what separates folders.
pub(crate) fn folder_name(text: &str) -> Result<String> {
    let name = line(text);
    validate::name(&name)?;
    if name.chars().count() > LONGEST_FOLDER {
        let sentence = format!("the name of a folder may hold {LONGEST_FOLDER} characters");
        return Err(Fault::invalid("name", "too_long", sentence));
    }
    if name.contains(['/', '"']) {
        return Err(Fault::invalid("name", "separator", "the name of a folder holds no / and no quotes"));
    }
    Ok(name)
}

/// Those of these tags that can be some, trimmed, each once, as many as a conversation may have.
pub(crate) fn fine_tags(tags: Vec<String>) -> Vec<String> {
    let mut fine: Vec<String> = Vec::new();
    for tag in tags {
        let mut one = [tag];
        let [name] = match tidy("tags", &mut one) {
            Ok(()) => one,
            Err(_) => continue,
        };
        let small = name.to_lowercase();
        if fine.len() < store::Store::MOST_TAGS && fine.iter().all(|known| known.to_lowercase() != small) {
            fine.push(name);
        }
    }
    fine
}

/// Trims tags and refuses what none can be.
pub(crate) fn tidy_tags(to: &mut Arrangement) -> Result<()> {
    if let Some(tags) = &mut to.tags {
        tidy("tags", tags)?;
    }
    tidy("add_tags", &mut to.add_tags)?;
    tidy("remove_tags", &mut to.remove_tags)
}

fn tidy(field: &'static str, tags: &mut [String]) -> Result<()> {
    for tag in tags {
        let name = line(tag.trim().trim_start_matches('#'));
        if name.is_empty() {
            return Err(Fault::invalid(field, "empty", "a tag is empty"));
        }
        if name.chars().count() > LONGEST_TAG {
            return Err(Fault::invalid(
                field,
                "too_long",
                format!("a tag may hold {LONGEST_TAG} characters"),
            ));
        }
        if name.chars().any(|c| c.is_control() || c == '"' || c == ',') {
            return Err(Fault::invalid(
                field,
                "characters",
                "a tag holds no commas, quotes or control characters",
            ));
        }
        *tag = name;
    }
    Ok(())
}

/// With single spaces, without any around it.
fn line(text: &str) -> String {
    text.split([' ', '\u{a0}'])
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}
