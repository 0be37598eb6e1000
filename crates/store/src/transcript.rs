//! What conversations say: messages read in order, a piece at a time, those on the path from the last message back to
//! the first or every one. It never reads a message without its owner.

use kernel::{Code, ConversationId, Cursor, Fault, MessageId, Page, PageRequest, Result, Subject};

use crate::Store;
use crate::data_key::SubjectKey;
use crate::message::{FinishReason, Message, Role, open_json, place};
use crate::piece::{self, Pieces};
use crate::value::{Row, values};

const FORWARDS: &str = "m.position > $3 ORDER BY m.position LIMIT $4";
const BACKWARDS: &str = "m.position > $3 ORDER BY m.position DESC LIMIT $4";
const BEFORE: &str = "m.position < $3 ORDER BY m.position DESC LIMIT $4";

/// Messages with their positions, and whether their conversation has others beside its path.
#[derive(Default)]
struct Found {
    branched: bool,
    rows: Vec<(i64, Message)>,
}

impl Found {
    fn page(self, limit: u32) -> Page<Message> {
        let cursor = |(position, _): &(i64, Message)| Cursor { key: *position, tie: String::new() };
        Page::cut(self.rows, limit, cursor).map(|(_, message)| message)
    }

    fn messages(self) -> Vec<Message> {
        self.rows.into_iter().map(|(_, message)| message).collect()
    }
}

impl Store {
    /// What a conversation says now, oldest first.
    pub async fn messages(
        &self,
        owner: &Subject,
        id: ConversationId,
        page: PageRequest,
    ) -> Result<Page<Message>> {
        let after = page.after.as_ref().map_or(0, |cursor| cursor.key);
        let mut found = self.message_rows(owner, id, FORWARDS, after, page.limit + 1).await?;
        if found.branched {
            let path = self.path(owner, id).await?;
            let wanted = path.into_iter().filter(|position| *position > after);
            let wanted: Vec<i64> = wanted.take(page.limit as usize + 1).collect();
            found = self.rows_at(owner, id, &wanted).await?;
        }
        Ok(found.page(page.limit))
    }

    /// Every message of a conversation, those beside the path too, in the order in which they were written.
    pub async fn every_message(
        &self,
        owner: &Subject,
        id: ConversationId,
        page: PageRequest,
    ) -> Result<Page<Message>> {
        let after = page.after.as_ref().map_or(0, |cursor| cursor.key);
        Ok(self.message_rows(owner, id, FORWARDS, after, page.limit + 1).await?.page(page.limit))
    }

    /// The last `n` messages of what a conversation says now, oldest first.
    pub async fn recent_messages(&self, owner: &Subject, id: ConversationId, n: u32) -> Result<Vec<Message>> {
        let mut found = self.message_rows(owner, id, BACKWARDS, 0, n).await?;
        found.rows.reverse();
        if found.branched {
            let path = self.path(owner, id).await?;
            let from = path.len().saturating_sub(n as usize);
            found = self.rows_at(owner, id, path.get(from..).unwrap_or_default()).await?;
        }
        Ok(found.messages())
    }

    /// The `n` messages before this one of what a conversation says now, oldest first. `not_found` for a message that it
    /// does not hold.
    pub async fn messages_before(
        &self,
        owner: &Subject,
        id: ConversationId,
        before: MessageId,
        n: u32,
    ) -> Result<Vec<Message>> {
        let sql = "SELECT m.position FROM conversations c JOIN messages m ON m.conversation_id = c.id \
                   WHERE c.owner = $1 AND c.id = $2 AND m.id = $3";
        let values = values![owner.to_string(), id.to_string(), before.to_string()];
        let row = self.read("message.place").await?.one(sql, values).await?.ok_or(Code::NotFound)?;
        let position = row.int(0)?;
        let mut found = self.message_rows(owner, id, BEFORE, position, n).await?;
        found.rows.reverse();
        if found.branched {
            let path = self.path(owner, id).await?;
            let end = path.partition_point(|at| *at < position);
            let earlier = path.get(..end).unwrap_or_default();
            let from = earlier.len().saturating_sub(n as usize);
            found = self.rows_at(owner, id, earlier.get(from..).unwrap_or_default()).await?;
        }
        Ok(found.messages())
    }

    /// The messages at these positions, in order.
    pub(crate) async fn messages_at(
        &self,
        owner: &Subject,
        id: ConversationId,
        positions: &[i64],
    ) -> Result<Vec<Message>> {
        Ok(self.rows_at(owner, id, positions).await?.messages())
    }

    async fn rows_at(&self, owner: &Subject, id: ConversationId, positions: &[i64]) -> Result<Found> {
        let (Some(first), Ok(most)) = (positions.first(), u32::try_from(positions.len())) else {
            return Ok(Found::default());
        };
        let list = positions.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let condition = format!("m.position >= $3 AND m.position IN ({list}) ORDER BY m.position LIMIT $4");
        self.message_rows(owner, id, &condition, *first, most).await
    }

    /// One message of a conversation.
    pub async fn message(
        &self,
        owner: &Subject,
        conversation: ConversationId,
        id: MessageId,
    ) -> Result<Message> {
        let sql = "SELECT m.position, m.id, m.parent_id, m.role, m.content, m.citations, m.created_at, \
                   m.finish_reason, m.model, m.input_tokens, m.output_tokens, m.details FROM conversations c \
                   JOIN messages m ON m.conversation_id = c.id \
                   WHERE c.owner = $1 AND c.id = $2 AND m.id = $3";
        let values = || values![owner.to_string(), conversation.to_string(), id.to_string()];
        let mut reader = self.read("message.get").await?;
        let mut row = reader.one(sql, values()).await?.ok_or(Code::NotFound)?;
        let going_on = going_on(std::slice::from_ref(&row))?;
        let pieces = Pieces::read(self, &mut reader, &going_on).await?;
        if !going_on.is_empty() {
            row = reader.one(sql, values()).await?.ok_or(Code::NotFound)?;
        }
        drop(reader);
        let opened = self.opened(owner, |key| open(&row, conversation, key, &pieces)).await;
        opened.map(|(_, message)| message)
    }

    /// The rows of messages with their positions. Only when there are none is asked whether the conversation
    /// is the owner's at all.
    async fn message_rows(
        &self,
        owner: &Subject,
        id: ConversationId,
        condition: &str,
        after: i64,
        limit: u32,
    ) -> Result<Found> {
        let sql = format!(
            "SELECT m.position, m.id, m.parent_id, m.role, m.content, m.citations, m.created_at, m.finish_reason, \
             m.model, m.input_tokens, m.output_tokens, m.details, c.branched FROM conversations c \
             JOIN messages m ON m.conversation_id = c.id WHERE c.id = $2 AND c.owner = $1 AND {condition}"
        );
        let name = id.to_string();
        let mut reader = self.read("message.list").await?;
        let sql: std::sync::Arc<str> = sql.into();
        let query = || crate::connection::Sql::Built(sql.clone());
        let values = || values![owner.to_string(), name.as_str(), after, limit];
        let mut rows = reader.all(query(), values()).await?;
        let going_on = going_on(&rows)?;
        let pieces = Pieces::read(self, &mut reader, &going_on).await?;
        if !going_on.is_empty() {
            // The rows again: what was gathered in between is in them, what was not is in the pieces.
            rows = reader.all(query(), values()).await?;
        }
        if rows.is_empty() {
            let known = "SELECT id FROM conversations WHERE owner = $1 AND id = $2";
            reader.one(known, values![owner.to_string(), name]).await?.ok_or(Code::NotFound)?;
            return Ok(Found::default());
        }
        drop(reader);
        let branched = rows.first().map_or(Ok(0), |row| row.int(12))? != 0;
        let opened = self.opened(owner, |key| rows.iter().map(|row| open(row, id, key, &pieces)).collect());
        Ok(Found { branched, rows: opened.await? })
    }
}

/// The answers among these rows that may go on in pieces.
fn going_on(rows: &[Row]) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for row in rows {
        if piece::may_go_on(&row.text(3)?, row.maybe_text(7)?.as_deref()) {
            ids.push(row.text(1)?);
        }
    }
    Ok(ids)
}

fn open(
    row: &Row,
    conversation_id: ConversationId,
    key: &SubjectKey,
    pieces: &Pieces,
) -> Result<(i64, Message)> {
    let id = row.text(1)?;
    let mut content = key.open_text(place("content", &id), &row.bytes(4)?)?;
    pieces.complete(&id, &mut content, key)?;
    let role = row.text(3)?;
    let finish_reason = row.maybe_text(7)?;
    let message = Message {
        content,
        id: MessageId::parse(&id)?,
        conversation_id,
        parent_id: row.maybe_text(2)?.as_deref().map(MessageId::parse).transpose()?,
        role: Role::parse(&role).ok_or_else(|| Fault::internal("an unknown role is stored"))?,
        citations: open_json(key, "citations", &id, row.maybe_bytes(5)?)?,
        details: open_json(key, "details", &id, row.maybe_bytes(11)?)?,
        created_at: row.time(6)?,
        finish_reason: finish_reason
            .map(|word| {
                FinishReason::parse(&word)
                    .ok_or_else(|| Fault::internal("an unknown finish reason is stored"))
            })
            .transpose()?,
        model: row.maybe_text(8)?,
        input_tokens: row.maybe_count(9)?,
        output_tokens: row.maybe_count(10)?,
    };
    Ok((row.int(0)?, message))
}
