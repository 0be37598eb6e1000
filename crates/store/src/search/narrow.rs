//! Which conversations a search means, by what they are: pinned, put away, in folders, with tags. Few of them are known
//! by their ids before the index is asked; of many, each that comes up is looked at once.

use std::collections::{HashMap, HashSet};

use kernel::{Result, Subject};
use uuid::Uuid;

use super::TalkQuery;
use super::part::Entry;
use super::run::number;
use crate::Store;
use crate::blob::{list, with_list, with_marks};
use crate::conversation::OWN;
use crate::data_key::SubjectKey;
use crate::order;
use crate::value::{Value, values};

/// Conversations that are known by their ids at the most: more of them take longer to read than they save.
const MOST: usize = 1_000;

/// What is asked of a conversation.
pub(super) struct Narrowing {
    /// Conditions of the conversation `c`, with a `?` for each value.
    conditions: String,
    /// The values, in order.
    row: Vec<Value>,
    /// One of the tags, by which few conversations are found soon.
    tag: Option<String>,
    /// Conversations that were looked at, and whether they are meant.
    judged: HashMap<u128, bool>,
}

impl Narrowing {
    /// What a query asks for; `None` when nothing can be that.
    pub(super) fn of(query: &TalkQuery, key: &SubjectKey) -> Option<Narrowing> {
        let (mut conditions, mut row) = (String::new(), Vec::new());
        for (flag, column) in [(query.pinned, "pinned_at"), (query.archived, "archived_at")] {
            if let Some(flag) = flag {
                let not = if flag { "NOT " } else { "" };
                conditions.push_str(&format!(" AND c.{column} IS {not}NULL"));
            }
        }
        if let Some(folders) = &query.folders {
            if folders.is_empty() {
                return None;
            }
            let marks = vec!["?"; folders.len()].join(", ");
            conditions.push_str(&format!(" AND c.folder_id IN ({marks})"));
            row.extend(folders.iter().map(|folder| Value::from(folder.to_string())));
        }
        let tags: Vec<String> = query.tags.iter().map(|tag| order::tag_of(key, tag)).collect();
        for tag in &tags {
            conditions.push_str(
                " AND EXISTS (SELECT 1 FROM conversation_tags t WHERE t.conversation_id = c.id AND t.tag = ?)",
            );
            row.push(Value::from(tag.as_str()));
        }
        if let Some(id) = query.conversation {
            conditions.push_str(" AND c.id = ?");
            row.push(Value::from(id.to_string()));
        }
        Some(Narrowing { conditions, row, tag: tags.into_iter().next(), judged: HashMap::new() })
    }

    /// The conversations that are meant; `None` when they are many, or all.
    pub(super) async fn named(&self, store: &Store, owner: &Subject) -> Result<Option<Named>> {
        if self.conditions.is_empty() {
            return Ok(None);
        }
        // From the tag on: whoever has fifty thousand conversations has few with it. The cross join keeps SQLite to that.
        let (from, mut row) = match &self.tag {
            Some(tag) => (
                "conversation_tags g CROSS JOIN conversations c WHERE g.owner = ? AND g.tag = ? AND c.id = g.conversation_id AND",
                values![owner.to_string(), tag.as_str()],
            ),
            None => ("conversations c WHERE", Vec::new()),
        };
        let conditions = &self.conditions;
        let sql = format!(
            "SELECT c.id, c.messages FROM {from} c.owner = ? AND c.temporary = 0{conditions} LIMIT {}",
            MOST + 1
        );
        row.push(Value::from(owner.to_string()));
        row.extend(self.row.iter().cloned());
        let sql = with_marks(store.inside.engine, &sql);
        let rows = store.read("search.meant").await?.all(sql, row).await?;
        if rows.len() > MOST {
            return Ok(None);
        }
        let mut named = Named::default();
        for row in &rows {
            let id = row.text(0)?;
            named.numbers.insert(number(&id)?);
            named.ids.push(id);
            named.messages += row.int(1)?;
        }
        Ok(Some(named))
    }

    /// Leaves the messages whose conversations are meant.
    pub(super) async fn leave(
        &mut self,
        store: &Store,
        owner: &Subject,
        entries: &mut Vec<Entry>,
    ) -> Result<()> {
        if self.conditions.is_empty() {
            return Ok(());
        }
        let fresh: HashSet<u128> = entries.iter().map(|entry| entry.conversation).collect();
        let fresh: Vec<u128> = fresh.into_iter().filter(|id| !self.judged.contains_key(id)).collect();
        let mut ids: Vec<String> = fresh.iter().map(|id| Uuid::from_u128(*id).to_string()).collect();
        if let Some(last) = ids.last().cloned() {
            // Few different numbers of ids make few different statements.
            ids.resize(ids.len().next_power_of_two(), last);
            let conditions = &self.conditions;
            let head = format!("SELECT c.id FROM conversations c WHERE c.{OWN}{conditions} AND c.id IN");
            let sql = with_list(store.inside.engine, &head, 1 + self.row.len(), ids.len(), "");
            let mut row = values![owner.to_string()];
            row.extend(self.row.iter().cloned().chain(list(&ids)));
            let rows = store.read("search.judge").await?.all(sql, row).await?;
            let meant = rows.iter().map(|row| number(&row.text(0)?)).collect::<Result<HashSet<u128>>>()?;
            self.judged.extend(fresh.into_iter().map(|id| (id, meant.contains(&id))));
        }
        entries.retain(|entry| self.judged.get(&entry.conversation).is_some_and(|meant| *meant));
        Ok(())
    }
}

/// Few conversations.
#[derive(Default)]
pub(super) struct Named {
    pub(super) ids: Vec<String>,
    /// The same as the index writes them.
    pub(super) numbers: HashSet<u128>,
    /// How many messages they hold.
    pub(super) messages: i64,
}
