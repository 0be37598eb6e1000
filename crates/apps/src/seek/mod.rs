//! The search of a person through everything that they said and were told here. It owns what a query means and what is
//! shown of a message; the store finds, `knowledge` knows what a word is.

mod query;
mod snippet;

use identity::{ConversationRead, May};
use kernel::{AppId, AuditEvent, EventType, Fault, FolderId, MessageId, Page, PageRequest, Result, Time};
use knowledge::seek::words_of;
use store::{Conversation, Folder, Role, SearchTended, TalkQuery};

use self::query::Query;
pub use self::snippet::Snippet;
use crate::Hall;

/// A message that was found.
#[derive(Clone, Debug)]
pub struct FoundTalk {
    /// The conversation it belongs to.
    pub conversation: Conversation,
    /// The message.
    pub message: MessageId,
    /// Who said it.
    pub role: Role,
    /// When.
    pub at: Time,
    /// The piece of it around what was found.
    pub snippet: Snippet,
}

impl Hall {
    /// Searches the caller's conversations, the newest message first. Temporary ones are not searched; those that were
    /// put away are.
    pub async fn search_talk(
        &self,
        may: &May<ConversationRead>,
        q: &str,
        app: Option<AppId>,
        page: PageRequest,
    ) -> Result<Page<FoundTalk>> {
        let query = Query::parse(q)?;
        let owner = may.owner();
        let mut apps: Vec<AppId> = may.who().apps().iter().cloned().collect();
        if let Some(app) = &app {
            may.inside(app)?;
            apps.retain(|open| open == app);
        }
        if let Some(name) = &query.app {
            let names: Vec<&str> = may.who().apps().iter().map(AppId::as_str).collect();
            if !names.contains(&name.as_str()) {
                let sentence = format!("there is no such app for you; yours are {}", names.join(", "));
                return Err(Fault::invalid("q", "unknown_app", sentence));
            }
            apps.retain(|open| open.as_str() == name);
        }
        let folders = match &query.folder {
            Some(name) => Some(below(&self.rooms.store.folders(&owner).await?, name)?),
            None => None,
        };
        let wanted = TalkQuery {
            words: query.sought.needs().to_vec(),
            apps,
            folders,
            tags: query.tags,
            pinned: query.pinned,
            archived: query.archived,
            conversation: None,
            before: query.before,
            after: query.after,
            from: query.from,
            has_file: query.has_file,
        };
        let event =
            AuditEvent::new(EventType::DataRead, owner).from(may.who().address()).with("what", "search");
        self.rooms.audit.note(event);
        let sought = query.sought;
        let read = move |text: &str| sought.read(text).map(|places| Snippet::of(text, &places));
        let found = self.rooms.store.search_talk(&owner, &wanted, &read, page).await?;
        Ok(found.map(|found| FoundTalk {
            conversation: found.conversation,
            message: found.message,
            role: found.role,
            at: found.at,
            snippet: found.mark,
        }))
    }

    /// Keeps the index of the search up with what was said. Whoever calls holds the lease of this name.
    pub async fn tend_search(&self, lease: &str, holder: &str) -> Result<SearchTended> {
        self.rooms.store.tend_search(lease, holder, &words_of).await
    }
}

/// The folders of this name or path, in upper or lower case, with everything below them.
fn below(folders: &[Folder], name: &str) -> Result<Vec<FolderId>> {
    let wanted = name.trim_matches('/').to_lowercase();
    let paths = Folder::paths(folders);
    let text = |folder: &Folder| paths.get(&folder.id).map(|path| path.join("/")).unwrap_or_default();
    let meant: Vec<FolderId> = folders
        .iter()
        .filter(|folder| folder.name.to_lowercase() == wanted || text(folder).to_lowercase() == wanted)
        .map(|folder| folder.id)
        .collect();
    if meant.is_empty() {
        let mut names: Vec<String> = folders.iter().map(text).collect();
        names.sort();
        names.truncate(20);
        let sentence = match names.is_empty() {
            true => "you have no folders yet".to_owned(),
            false => format!("there is no folder of this name; yours are {}", names.join(", ")),
        };
        return Err(Fault::invalid("q", "unknown_folder", sentence));
    }
    let mut all = meant;
    let mut seen = 0;
    while let Some(parent) = all.get(seen).copied() {
        let children = folders.iter().filter(|folder| folder.parent == Some(parent)).map(|folder| folder.id);
        let fresh: Vec<FolderId> = children.filter(|id| !all.contains(id)).collect();
        all.extend(fresh);
        seen += 1;
    }
    Ok(all)
}
