//! The lists of conversations: the newest change first, a page at a time, of an app, a folder, a tag, with words in
//! their titles. It changes nothing.

use kernel::{AppId, ConversationId, Cursor, FolderId, Page, PageRequest, Result, Subject};

use crate::Store;
use crate::connection::Sql;
use crate::conversation::{self, COLUMNS, Conversation, Sealed};
use crate::data_key::SubjectKey;
use crate::order;
use crate::reader::Reader;
use crate::value::{Row, values};

/// Titles that one step opens: larger steps save round trips.
const STEP: u32 = 500;

/// Conversations of a tag that are looked up one by one. Those with a tag that more of them have are soon met when one
/// goes through all.
const FEW: i64 = 500;

/// Where a conversation lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lying {
    /// In this folder itself.
    In(FolderId),
    /// In no folder.
    Loose,
}

/// Which conversations are wanted. Temporary ones never are.
#[derive(Clone, Default, Debug)]
pub struct ConversationFilter {
    /// Of this app alone.
    pub app: Option<AppId>,
    /// With a title that contains this text, in upper or lower case.
    pub q: Option<String>,
    /// Those that were put away, instead of the others.
    pub archived: bool,
    /// Pinned ones alone, or all but those.
    pub pinned: Option<bool>,
    /// In this folder, or in none.
    pub folder: Option<Lying>,
    /// With this tag.
    pub tag: Option<String>,
}

impl Store {
    /// The owner's conversations, the newest change first.
    pub async fn conversations(
        &self,
        owner: &Subject,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Conversation>> {
        let wanted = filter.q.as_ref().map(|q| q.to_lowercase()).filter(|q| !q.is_empty());
        let enough = usize::try_from(page.limit).unwrap_or(usize::MAX).saturating_add(1);
        let key = self.subject_key(owner).await?;
        let mut reader = self.read("conversation.list").await?;
        let list = List::of(self, &mut reader, owner, &key, &filter).await?;
        let mut from = match page.after {
            Some(cursor) => (cursor.key, cursor.tie),
            None => (i64::MAX, String::new()),
        };
        let Some(wanted) = wanted else {
            let rows = reader.all(list.sql(COLUMNS), list.values(&from, page.limit + 1)).await?;
            drop(reader);
            let opened = self
                .opened(owner, |key| rows.iter().map(|row| Sealed::read(row)?.open(owner, key)).collect());
            return Ok(cut(opened.await?, page.limit));
        };
        // Titles are sealed, so a search opens them here, and the rest of those alone that have what is sought.
        let mut found: Vec<ConversationId> = Vec::new();
        let sql = list.sql("id, updated_at, title");
        loop {
            let rows = reader.all(sql.clone(), list.values(&from, STEP)).await?;
            if let Some(last) = rows.last() {
                from = (last.int(1)?, last.text(0)?);
            }
            let met = |key: &SubjectKey| -> Result<Vec<ConversationId>> {
                let met = rows.iter().map(|row| titled(row, key, &wanted));
                met.filter_map(Result::transpose).collect()
            };
            found.extend(self.opened(owner, met).await?);
            if found.len() >= enough || rows.len() < STEP as usize {
                break;
            }
        }
        drop(reader);
        found.truncate(enough);
        let mut whole = self.conversations_of(owner, &found).await?;
        whole.sort_unstable_by_key(|one| std::cmp::Reverse((one.updated_at, one.id)));
        Ok(cut(whole, page.limit))
    }
}

fn cut(found: Vec<Conversation>, limit: u32) -> Page<Conversation> {
    let cursor = |item: &Conversation| Cursor { key: item.updated_at.micros(), tie: item.id.to_string() };
    Page::cut(found, limit, cursor)
}

/// The id of a row of id, time and title, when the title holds these words.
fn titled(row: &Row, key: &SubjectKey, wanted: &str) -> Result<Option<ConversationId>> {
    let id = row.text(0)?;
    let Some(sealed) = row.maybe_bytes(2)? else { return Ok(None) };
    let title = key.open_text(conversation::place("title", &id), &sealed)?;
    title.to_lowercase().contains(wanted).then(|| ConversationId::parse(&id)).transpose()
}

/// What is asked of the rows of a list.
struct List {
    owner: String,
    app: Option<String>,
    folder: Option<String>,
    tag: Option<String>,
    /// From where the rows come and what they must fulfil, without their columns.
    body: String,
}

impl List {
    async fn of(
        store: &Store,
        reader: &mut Reader,
        owner: &Subject,
        key: &SubjectKey,
        filter: &ConversationFilter,
    ) -> Result<List> {
        let owner = owner.to_string();
        // Without being told, SQLite goes through all conversations of the owner for those of a small folder.
        let (index, lying, folder) = match filter.folder {
            None => (String::new(), "", None),
            Some(Lying::Loose) => (String::new(), " AND folder_id IS NULL", None),
            Some(Lying::In(folder)) => (
                store.inside.engine.by_index("conversations_in_folder"),
                " AND folder_id = $6",
                Some(folder.to_string()),
            ),
        };
        let tag = filter.tag.as_deref().map(|tag| order::tag_of(key, tag));
        let mut whose = "owner = $1";
        let tagged = match &tag {
            None => "",
            Some(tag) if filter.folder.is_none() && few(reader, &owner, tag).await? => {
                // No index of the owner leads to them sooner than their ids do.
                whose = "owner || '' = $1";
                " AND id IN (SELECT t.conversation_id FROM conversation_tags t WHERE t.owner = $1 AND t.tag = $7)"
            }
            Some(_) => {
                " AND EXISTS (SELECT 1 FROM conversation_tags t WHERE t.conversation_id = conversations.id AND t.tag = $7)"
            }
        };
        let archived = if filter.archived { "IS NOT NULL" } else { "IS NULL" };
        let pinned = match filter.pinned {
            None => "",
            Some(true) => " AND pinned_at IS NOT NULL",
            Some(false) => " AND pinned_at IS NULL",
        };
        let of_app = if filter.app.is_some() { " AND app = $4" } else { "" };
        // Each value always has a place, so that the numbers of the others stay.
        let body = format!(
            "FROM conversations{index} WHERE {whose} AND updated_at <= $2 AND (updated_at < $2 OR id < $3) \
             AND temporary = 0 AND archived_at {archived}{of_app}{pinned}{lying}{tagged} \
             AND COALESCE($4, $6, $7, '') = COALESCE($4, $6, $7, '') ORDER BY updated_at DESC, id DESC LIMIT $5"
        );
        let app = filter.app.as_ref().map(|app| app.as_str().to_owned());
        Ok(List { owner, app, folder, tag, body })
    }

    fn sql(&self, columns: &str) -> Sql {
        Sql::Built(format!("SELECT {columns} {}", self.body).into())
    }

    /// The values for a step that begins behind this time and id.
    fn values(&self, (before, tie): &(i64, String), step: u32) -> Vec<crate::value::Value> {
        let (app, folder, tag) = (self.app.as_deref(), self.folder.as_deref(), self.tag.as_deref());
        values![self.owner.as_str(), *before, tie.as_str(), app, step, folder, tag]
    }
}

/// Whether few conversations have a tag.
async fn few(reader: &mut Reader, owner: &str, tag: &str) -> Result<bool> {
    let sql = "SELECT CAST(COUNT(*) AS bigint) FROM \
               (SELECT 1 FROM conversation_tags WHERE owner = $1 AND tag = $2 LIMIT $3) AS counted";
    let row = reader.one(sql, values![owner, tag, FEW + 1]).await?;
    Ok(row.map_or(Ok(0), |row| row.int(0))? <= FEW)
}
