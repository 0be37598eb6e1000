//! Hand-offs: a customer asks for a person, one person takes it, answers inside of the customer's conversation, and
//! gives it back or closes it. Of a conversation there is one open hand-off at a time, and of those who want it one
//! gets it. It never shows a conversation to anybody: the services above do, through the row found here.

use std::sync::Arc;

use crypto::Place;
use kernel::{
    AppId, AuditEvent, Code, ConversationId, Cursor, Fault, HandOffId, Page, PageRequest, Result, Subject,
    Time,
};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::message::{FinishReason, Message, seal_message, words};
use crate::tx::Tx;
use crate::value::{Row, values};

words! {
    /// Where a hand-off stands.
    HandOffState {
        /// Nobody has come yet.
        Waiting = "waiting",
        /// A person has it.
        Claimed = "claimed",
        /// It was given back to the machine.
        Returned = "returned",
        /// It is over.
        Closed = "closed",
    }
}

/// A hand-off.
#[derive(Clone, PartialEq, Debug)]
pub struct HandOff {
    /// Its id.
    pub id: HandOffId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Whose conversation it is.
    pub owner: Subject,
    /// The app.
    pub app: AppId,
    /// Where it stands.
    pub state: HandOffState,
    /// Why the customer asked, in the customer's words.
    pub reason: Option<String>,
    /// Who has, or had, it.
    pub claimed_by: Option<String>,
    /// When the customer asked.
    pub created_at: Time,
    /// When somebody took it.
    pub claimed_at: Option<Time>,
    /// When it last changed.
    pub updated_at: Time,
}

/// A hand-off to be made.
#[derive(Clone, Debug)]
pub struct NewHandOff {
    /// Its id.
    pub id: HandOffId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Whose conversation it is.
    pub owner: Subject,
    /// Why.
    pub reason: Option<String>,
}

const COLUMNS: &str = "SELECT id, conversation_id, owner, app, state, reason, claimed_by, created_at, claimed_at, \
                       updated_at FROM hand_offs";

const fn place(id: &str) -> Place<'_> {
    Place { table: "hand_offs", column: "reason", row: id }
}

pub(crate) fn whole(condition: &str) -> Sql {
    Sql::Built(format!("{COLUMNS} WHERE {condition}").into())
}

impl Store {
    pub(crate) async fn open_hand_off_row(&self, row: &Row) -> Result<HandOff> {
        let (id, owner) = (row.text(0)?, Subject::parse(&row.text(2)?)?);
        let reason = match row.maybe_bytes(5)? {
            Some(sealed) => Some(self.opened(&owner, |key| key.open_text(place(&id), &sealed)).await?),
            None => None,
        };
        Ok(HandOff {
            id: HandOffId::parse(&id)?,
            conversation_id: ConversationId::parse(&row.text(1)?)?,
            owner,
            app: AppId::parse(&row.text(3)?)?,
            state: HandOffState::parse(&row.text(4)?)
                .ok_or_else(|| Fault::internal("an unknown state of a hand-off is stored"))?,
            reason,
            claimed_by: row.maybe_text(6)?,
            created_at: row.time(7)?,
            claimed_at: row.maybe_time(8)?,
            updated_at: row.time(9)?,
        })
    }

    /// Asks for a person in a conversation of this owner. Asked again while one is open, it gives that one.
    /// `not_found` for a conversation that is unknown or somebody else's.
    pub async fn ask_hand_off(&self, new: NewHandOff, audit: Vec<AuditEvent>) -> Result<HandOff> {
        let now = self.inside.ambient.now();
        let id = new.id.to_string();
        let conversation = new.conversation_id.to_string();
        self.with_subject_key(&new.owner, |key: Arc<SubjectKey>| {
            let reason = new.reason.as_ref().map(|reason| key.seal(self, place(&id), reason.as_bytes()));
            let (id, conversation) = (id.clone(), conversation.clone());
            self.write_sealed("hand_off.ask", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let app = conversation_app(tx, &key.subject, &conversation).await?;
                    tx.run(
                        "INSERT INTO hand_offs (id, conversation_id, owner, app, state, reason, created_at, updated_at) \
                         VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $6) ON CONFLICT DO NOTHING",
                        values![id, conversation, key.subject.as_str(), app, reason, now],
                    )
                    .await?;
                    Ok(())
                })
            })
        })
        .await?;
        let open = self.open_hand_off(&new.owner, new.conversation_id).await?;
        open.ok_or_else(|| Fault::new(Code::Conflict).say("the hand-off has just ended; ask again"))
    }

    /// The open hand-off of a conversation of this owner.
    pub async fn open_hand_off(&self, owner: &Subject, id: ConversationId) -> Result<Option<HandOff>> {
        let sql = whole("owner = $1 AND conversation_id = $2 AND state IN ('waiting', 'claimed')");
        let row =
            self.read("hand_off.open").await?.one(sql, values![owner.to_string(), id.to_string()]).await?;
        match row {
            Some(row) => self.open_hand_off_row(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// A hand-off of this app.
    pub async fn hand_off(&self, app: &AppId, id: HandOffId) -> Result<HandOff> {
        let values = values![app.as_str(), id.to_string()];
        let row = self.read("hand_off.get").await?.one(whole("app = $1 AND id = $2"), values).await?;
        self.open_hand_off_row(&row.ok_or(Code::NotFound)?).await
    }

    /// The hand-offs of an app, newest first.
    pub async fn hand_offs(
        &self,
        app: &AppId,
        state: Option<HandOffState>,
        page: PageRequest,
    ) -> Result<Page<HandOff>> {
        let (before, tie) = match &page.after {
            Some(cursor) => (cursor.key, cursor.tie.clone()),
            None => (i64::MAX, String::new()),
        };
        let sql = whole(
            "app = $1 AND created_at <= $2 AND (created_at < $2 OR id < $3) AND state = COALESCE($4, state) \
             ORDER BY created_at DESC, id DESC LIMIT $5",
        );
        let values =
            values![app.as_str(), before, tie, state.map(HandOffState::as_str), page.limit.saturating_add(1)];
        let rows = self.read("hand_off.list").await?.all(sql, values).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push(self.open_hand_off_row(row).await?);
        }
        let cursor = |one: &HandOff| Cursor { key: one.created_at.micros(), tie: one.id.to_string() };
        Ok(Page::cut(found, page.limit, cursor))
    }

    /// Takes a waiting hand-off. Of several who try at once one succeeds; for the others it is a `conflict`. Taking
    /// what one has already changes nothing.
    pub async fn claim_hand_off(
        &self,
        app: &AppId,
        id: HandOffId,
        by: Subject,
        audit: Vec<AuditEvent>,
    ) -> Result<HandOff> {
        let now = self.inside.ambient.now();
        let (name, of, who) = (id.to_string(), app.as_str().to_owned(), by.to_string());
        self.write("hand_off.claim", audit, move |tx| {
            Box::pin(async move {
                let changed = tx
                    .run(
                        "UPDATE hand_offs SET state = 'claimed', claimed_by = $3, claimed_at = $4, updated_at = $4 \
                         WHERE app = $1 AND id = $2 AND state = 'waiting'",
                        values![of.as_str(), name.as_str(), who.as_str(), now],
                    )
                    .await?;
                if changed > 0 { Ok(()) } else { held_by(tx, &of, &name, &who).await }
            })
        })
        .await?;
        self.hand_off(app, id).await
    }

    /// Ends a hand-off: given back to the machine, or closed. Only who has it may; a waiting one may be closed by
    /// anybody of the desk.
    pub async fn end_hand_off(
        &self,
        app: &AppId,
        id: HandOffId,
        by: Subject,
        state: HandOffState,
        audit: Vec<AuditEvent>,
    ) -> Result<HandOff> {
        let now = self.inside.ambient.now();
        let (name, of, who) = (id.to_string(), app.as_str().to_owned(), by.to_string());
        self.write("hand_off.end", audit, move |tx| {
            Box::pin(async move {
                let changed = tx
                    .run(
                        "UPDATE hand_offs SET state = $4, updated_at = $5 WHERE app = $1 AND id = $2 \
                         AND ((state = 'claimed' AND claimed_by = $3) OR (state = 'waiting' AND $4 = 'closed'))",
                        values![of.as_str(), name.as_str(), who.as_str(), state.as_str(), now],
                    )
                    .await?;
                if changed > 0 {
                    return Ok(());
                }
                held_by(tx, &of, &name, &who).await?;
                Err(Fault::new(Code::Conflict).say("claim the hand-off first").into())
            })
        })
        .await?;
        self.hand_off(app, id).await
    }

    /// Appends what the person says to the customer's conversation: only while that person has it.
    pub async fn reply_hand_off(
        &self,
        app: &AppId,
        id: HandOffId,
        by: Subject,
        message: Message,
        audit: Vec<AuditEvent>,
    ) -> Result<Message> {
        let hand_off = self.hand_off(app, id).await?;
        if hand_off.conversation_id != message.conversation_id {
            return Err(Fault::internal("a reply belongs to another conversation than its hand-off"));
        }
        let (name, of, who) = (id.to_string(), app.as_str().to_owned(), by.to_string());
        self.with_subject_key(&hand_off.owner, |key: Arc<SubjectKey>| {
            let sealed = seal_message(self, &key, &message, Some(FinishReason::Stop));
            let conversation = message.conversation_id.to_string();
            let (name, of, who) = (name.clone(), of.clone(), who.clone());
            self.write_sealed("hand_off.reply", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let lock = format!(
                        "SELECT id, messages, last_message FROM conversations WHERE owner = $1 AND id = $2{}",
                        tx.engine().locked()
                    );
                    let row = tx
                        .one(Sql::Built(lock.into()), values![key.subject.as_str(), conversation.as_str()])
                        .await?
                        .ok_or_else(|| Fault::new(Code::NotFound))?;
                    held_by(tx, &of, &name, &who).await?;
                    let (position, last) = (row.int(1)? + 1, row.maybe_text(2)?);
                    let at = sealed.created_at;
                    tx.run(
                        "INSERT INTO messages (id, conversation_id, position, parent_id, role, content, citations, \
                         created_at, finish_reason, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                        values![
                            sealed.id.as_str(),
                            conversation.as_str(),
                            position,
                            last,
                            sealed.role,
                            sealed.content,
                            sealed.citations,
                            at,
                            sealed.finish_reason,
                            sealed.details
                        ],
                    )
                    .await?;
                    tx.run(
                        "UPDATE conversations SET messages = $2, last_message = $3, \
                         updated_at = CASE WHEN updated_at < $4 THEN $4 ELSE updated_at END WHERE id = $1",
                        values![conversation, position, sealed.id, at],
                    )
                    .await?;
                    let touched = "UPDATE hand_offs SET updated_at = $2 WHERE id = $1";
                    tx.run(touched, values![name, at]).await?;
                    Ok(())
                })
            })
        })
        .await?;
        self.message(&hand_off.owner, message.conversation_id, message.id).await
    }
}

/// The app of a conversation of this owner.
pub(crate) async fn conversation_app(tx: &mut Tx, owner: &str, id: &str) -> Result<String, Refusal> {
    let sql =
        format!("SELECT id, app FROM conversations WHERE owner = $1 AND id = $2{}", tx.engine().locked());
    let row = tx.one(Sql::Built(sql.into()), values![owner, id]).await?;
    Ok(row.ok_or_else(|| Fault::new(Code::NotFound))?.text(1)?)
}

/// Succeeds when this person has the hand-off: `not_found` when there is none in this app, else `conflict`.
async fn held_by(tx: &mut Tx, app: &str, id: &str, who: &str) -> Result<(), Refusal> {
    let sql = "SELECT state, claimed_by FROM hand_offs WHERE app = $1 AND id = $2";
    let row = tx.one(sql, values![app, id]).await?.ok_or_else(|| Fault::new(Code::NotFound))?;
    let (state, by) = (row.text(0)?, row.maybe_text(1)?);
    match (state.as_str(), by.as_deref() == Some(who)) {
        ("claimed", true) => Ok(()),
        ("claimed", false) => Err(Fault::new(Code::Conflict).say("somebody else has this hand-off").into()),
        ("waiting", _) => Err(Fault::new(Code::Conflict).say("claim the hand-off first").into()),
        _ => Err(Fault::new(Code::Conflict).say("the hand-off is over").into()),
    }
}
