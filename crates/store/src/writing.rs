//! Who writes an answer: a process with a lease that it keeps up while it writes. An answer without an end whose writer's
//! lease stands is a turn in progress, for every process; one whose writer's lease is over was interrupted.
//! It never writes text of its own.

use std::time::Duration;

use kernel::{AuditEvent, Code, ConversationId, Fault, MessageId, Result, Subject, Time};

use crate::Store;
use crate::data_key::Refusal;
use crate::message::{FinishReason, FinishedMessage, Message};
use crate::value::{Row, values};

/// A writer that has not been heard of for so long is gone.
const SPAN: Duration = Duration::from_secs(10);

/// An answer without a writer's name is of a version that gave none: it is lost when it began so long ago.
const NAMELESS: Duration = Duration::from_secs(15 * 60);

/// How many lost answers are looked at in one go.
const BATCH: u32 = 500;

/// How it stands with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writing {
    /// It is being written.
    On,
    /// It has no end, and its writer is gone.
    Lost,
    /// It has ended.
    Over,
}

/// Answers without an end, and with pieces that nobody gathered, whose writer is not there (any more).
const LOST: &str = "SELECT m.id, m.conversation_id, c.owner, m.finish_reason, m.writer FROM messages m \
     JOIN conversations c ON c.id = m.conversation_id LEFT JOIN leases l ON l.name = m.writer \
     WHERE m.finish_reason IS NULL AND ((m.writer IS NULL AND m.created_at < $1) \
     OR (m.writer IS NOT NULL AND (l.expires_at IS NULL OR l.expires_at <= $2))) LIMIT $3";
const LEFT: &str = "SELECT m.id, m.conversation_id, c.owner, m.finish_reason, m.writer FROM messages m \
     JOIN conversations c ON c.id = m.conversation_id LEFT JOIN leases l ON l.name = m.writer \
     WHERE m.id IN (SELECT message_id FROM message_pieces) AND m.finish_reason IS NOT NULL \
     AND (l.expires_at IS NULL OR l.expires_at <= $1) LIMIT $2";

impl Store {
    /// Keeps up the lease of this process as a writer. Costs nothing while much of it is left.
    pub async fn keep_writing(&self) -> Result<()> {
        let mut until = self.inside.writing.lock().await;
        let now = self.inside.ambient.now();
        // The second condition is for a clock that was set back.
        if until.is_some_and(|until| until > now + SPAN / 2 && until <= now + SPAN) {
            return Ok(());
        }
        self.hold_lease(&self.inside.me, &self.inside.me, SPAN).await?;
        *until = Some(now + SPAN / 2 + SPAN / 4);
        Ok(())
    }

    /// Whether an answer is being written in this conversation, by whichever process.
    pub async fn is_being_written(&self, owner: &Subject, id: ConversationId) -> Result<bool> {
        let sql = "SELECT m.id FROM conversations c JOIN messages m ON m.conversation_id = c.id \
                   JOIN leases l ON l.name = m.writer \
                   WHERE c.id = $1 AND c.owner = $2 AND m.finish_reason IS NULL AND l.expires_at > $3";
        let values = values![id.to_string(), owner.to_string(), self.inside.ambient.now()];
        Ok(self.read("message.busy").await?.one(sql, values).await?.is_some())
    }

    /// How it stands with an answer. `not_found` for one that is unknown or somebody else's.
    pub async fn writing(&self, owner: &Subject, id: ConversationId, message: MessageId) -> Result<Writing> {
        let sql = "SELECT m.finish_reason, m.writer, l.expires_at FROM conversations c \
                   JOIN messages m ON m.conversation_id = c.id LEFT JOIN leases l ON l.name = m.writer \
                   WHERE c.id = $1 AND c.owner = $2 AND m.id = $3";
        let values = values![id.to_string(), owner.to_string(), message.to_string()];
        let row = self.read("message.writing").await?.one(sql, values).await?.ok_or(Code::NotFound)?;
        let (ended, named, until) = (row.maybe_text(0)?, row.maybe_text(1)?, row.maybe_time(2)?);
        Ok(match (ended, named) {
            (Some(_), _) => Writing::Over,
            (None, None) => Writing::On,
            (None, Some(_)) if until.is_some_and(|until| until > self.inside.ambient.now()) => Writing::On,
            (None, Some(_)) => Writing::Lost,
        })
    }

    /// Marks answers as interrupted whose writer is gone, with all that they said. Gives how many.
    pub async fn interrupt_lost(&self) -> Result<u64> {
        let now = self.inside.ambient.now();
        self.interrupt(now - NAMELESS, now).await
    }

    /// The same for every answer without an end: where one process has the database for itself, at its start.
    pub async fn interrupt_every(&self) -> Result<u64> {
        let end = Time::from_micros(i64::MAX);
        self.interrupt(end, end).await
    }

    async fn interrupt(&self, nameless: Time, now: Time) -> Result<u64> {
        let mut reader = self.read("message.lost").await?;
        let mut rows = reader.all(LOST, values![nameless, now, BATCH]).await?;
        let lost = rows.len() as u64;
        rows.extend(reader.all(LEFT, values![now, BATCH]).await?);
        drop(reader);
        for row in &rows {
            let writer = row.maybe_text(4)?;
            match self.gather(row, writer.as_deref()).await {
                Ok(()) => {}
                Err(fault) if fault.code() == Code::Unavailable => return Err(fault),
                // Ended or deleted meanwhile.
                Err(fault) if matches!(fault.code(), Code::Conflict | Code::NotFound) => {}
                // What cannot be opened any more cannot be gathered, and is no turn in progress either.
                Err(_) => self.give_up(row.text(0)?).await?,
            }
        }
        Ok(lost)
    }

    /// Ends an answer in the place of its writer, with its pieces in its content.
    async fn gather(&self, row: &Row, writer: Option<&str>) -> Result<()> {
        let owner = Subject::parse(&row.text(2)?)?;
        let (id, conversation) = (MessageId::parse(&row.text(0)?)?, ConversationId::parse(&row.text(1)?)?);
        let message = self.message(&owner, conversation, id).await?;
        let done = end(owner, message);
        self.finish_as(done, Vec::new(), writer).await
    }

    async fn give_up(&self, id: String) -> Result<()> {
        self.write("message.give_up", Vec::new(), move |tx| {
            Box::pin(async move {
                tx.run("DELETE FROM message_pieces WHERE message_id = $1", values![id.as_str()]).await?;
                let sql = "UPDATE messages SET finish_reason = 'interrupted' WHERE id = $1 AND finish_reason IS NULL";
                tx.run(sql, values![id]).await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets the leases of writers that went long ago.
    pub async fn purge_writers(&self, before: Time) -> Result<u64> {
        self.write_alone("writer.purge", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM leases WHERE name LIKE 'writer %' AND expires_at < $1";
                Ok(tx.run(sql, values![before]).await?)
            })
        })
        .await
    }

    /// Takes up an answer that ended before it was complete: it has no end any more, and this process writes it.
    /// `not_found` for one that is unknown or somebody else's; `conflict` while an answer is being written in the
    /// conversation, and for an answer that is complete or not the last word.
    pub async fn take_up(
        &self,
        owner: &Subject,
        id: ConversationId,
        message: MessageId,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        self.keep_writing().await?;
        let (owner, id, message) = (owner.to_string(), id.to_string(), message.to_string());
        let (me, now) = (self.inside.me.to_string(), self.inside.ambient.now());
        self.write("message.take_up", audit, move |tx| {
            Box::pin(async move {
                let lock = format!(
                    "SELECT last_message FROM conversations WHERE id = $1 AND owner = $2{}",
                    tx.engine().locked()
                );
                let talk = tx
                    .one(crate::connection::Sql::Built(lock.into()), values![id.as_str(), owner])
                    .await?
                    .ok_or(Code::NotFound)?;
                let busy = "SELECT m.id FROM messages m JOIN leases l ON l.name = m.writer \
                            WHERE m.conversation_id = $1 AND m.finish_reason IS NULL AND l.expires_at > $2";
                if tx.one(busy, values![id.as_str(), now]).await?.is_some() {
                    return Err(crate::turn::busy().into());
                }
                let sql = "SELECT finish_reason FROM messages WHERE id = $1 AND conversation_id = $2 AND role = 'assistant'";
                let row = tx.one(sql, values![message.as_str(), id]).await?.ok_or(Code::NotFound)?;
                let incomplete = match row.maybe_text(0)? {
                    Some(reason) => FinishReason::parse(&reason).is_some_and(FinishReason::may_go_on),
                    None => false,
                };
                if !incomplete || talk.maybe_text(0)?.as_deref() != Some(message.as_str()) {
                    return Err(Refusal::Fault(
                        Fault::new(Code::Conflict)
                            .say("only the last answer can be continued, and only when it ended before it was complete"),
                    ));
                }
                let sql = "UPDATE messages SET finish_reason = NULL, writer = $2 WHERE id = $1";
                tx.run(sql, values![message, me]).await?;
                Ok(())
            })
        })
        .await
    }
}

/// The end of an answer that its writer did not give it.
fn end(owner: Subject, message: Message) -> FinishedMessage {
    FinishedMessage {
        owner,
        conversation_id: message.conversation_id,
        message_id: message.id,
        content: message.content,
        citations: message.citations,
        finish_reason: message.finish_reason.or(Some(FinishReason::Interrupted)),
        model: message.model,
        input_tokens: message.input_tokens,
        output_tokens: message.output_tokens,
        details: message.details,
    }
}
