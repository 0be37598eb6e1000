//! Messages that a search knows of without the index: what is in no run yet, and everything in conversations that are so
//! small that reading them is less work than asking. Which they are, never what they say.

use kernel::{Result, Subject};

use super::part::Entry;
use super::run::number;
use crate::Store;
use crate::blob::{list, with_list};
use crate::message::Role;
use crate::value::{Row, values};

/// Conversations of one statement.
const STEP: usize = 200;

/// What is in no run. The conversations come first and are few, and the engines are told so: one of them would go
/// through all messages there are.
const WAITING: &str = "WITH c AS MATERIALIZED (SELECT id, searched FROM conversations WHERE owner = $1 AND id > $2 \
     AND messages > searched AND temporary = 0 ORDER BY id LIMIT 200) \
     SELECT c.id, m.id, m.created_at, m.role FROM c LEFT JOIN messages m \
     ON m.conversation_id = c.id AND m.position > c.searched ORDER BY c.id";

/// The messages of an owner that are in no run.
pub(super) async fn waiting(store: &Store, owner: &Subject) -> Result<Vec<Entry>> {
    let mut reader = store.read("search.tail").await?;
    let (mut entries, mut after) = (Vec::new(), String::new());
    loop {
        let mut conversations = 0;
        for row in reader.all(WAITING, values![owner.to_string(), after.as_str()]).await? {
            let conversation = row.text(0)?;
            if conversation != after {
                (conversations, after) = (conversations + 1, conversation);
            }
            entries.extend(entry(&row)?);
        }
        if conversations < STEP {
            return Ok(entries);
        }
    }
}

/// All messages of these conversations.
pub(super) async fn of(store: &Store, owner: &Subject, conversations: &[String]) -> Result<Vec<Entry>> {
    const HEAD: &str = "SELECT c.id, m.id, m.created_at, m.role FROM conversations c CROSS JOIN messages m \
                        WHERE m.conversation_id = c.id AND c.owner = ? AND c.temporary = 0 AND c.id IN";
    let mut reader = store.read("search.known").await?;
    let mut entries = Vec::new();
    for some in conversations.chunks(STEP) {
        let sql = with_list(store.inside.engine, HEAD, 1, some.len(), "");
        let mut row = values![owner.to_string()];
        row.extend(list(some));
        for row in reader.all(sql, row).await? {
            entries.extend(entry(&row)?);
        }
    }
    Ok(entries)
}

/// A row of conversation, message, time and role; a conversation may have no message.
fn entry(row: &Row) -> Result<Option<Entry>> {
    let Some(message) = row.maybe_text(1)? else { return Ok(None) };
    Ok(Some(Entry {
        at: row.int(2)?,
        message: number(&message)?,
        conversation: number(&row.text(0)?)?,
        from_user: row.text(3)? == Role::User.as_str(),
        // Told by the message itself.
        has_file: true,
    }))
}
