//! Conversations: made, read, renamed, deleted; `listing.rs` lists them. Every query carries the owner; titles and topics are sealed.
//! It never tells a foreign id from an unknown one: both are `not_found`.

use std::sync::Arc;

use crypto::Place;
use kernel::{AppId, AuditEvent, Code, ConversationId, Fault, FolderId, ProblemId, Result, Subject, Time};

use crate::Store;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::handoff::HandOffState;
use crate::hold;
use crate::order;
use crate::problem;
use crate::tx::Tx;
use crate::value::{Row, values};

/// A talk inside an app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Whose it is.
    pub owner: Subject,
    /// The app it belongs to.
    pub app: AppId,
    /// A title, given by the owner or made from the first message.
    pub title: Option<String>,
    /// What it is about, where the app asks for that.
    pub topic: Option<String>,
    /// When it began.
    pub created_at: Time,
    /// When the last message came or the title changed.
    pub updated_at: Time,
    /// How many messages of the user it holds.
    pub user_messages: u32,
    /// How many messages it holds.
    pub messages: u32,
    /// Whether a person has been asked for, or has it: an open hand-off.
    pub hand_off: Option<HandOffState>,
    /// Whether there are messages beside those that it says now.
    pub branched: bool,
    /// It stands above the others.
    pub pinned: bool,
    /// It was put away.
    pub archived: bool,
    /// Its folder.
    pub folder: Option<FolderId>,
    /// Its tags, as they were written.
    pub tags: Vec<String>,
    /// It goes by itself some time after the last message, and is found nowhere before.
    pub temporary: bool,
}

/// A conversation to be made without a message.
#[derive(Clone, Debug)]
pub struct NewConversation {
    /// Its id.
    pub id: ConversationId,
    /// Whose it is.
    pub owner: Subject,
    /// The app it belongs to.
    pub app: AppId,
    /// A title.
    pub title: Option<String>,
    /// A topic.
    pub topic: Option<String>,
    /// The name that the client gave to its session; kept as a keyed tag only.
    pub session: Option<String>,
    /// How many conversations the owner may have in this app.
    pub max_per_owner: Option<u32>,
    /// The problem that it is about, and whether that may be a draft.
    pub problem: Option<(ProblemId, bool)>,
    /// Whether it goes by itself.
    pub temporary: bool,
}

/// What changes in a conversation; what is `None` stays as it is.
#[derive(Clone, Default, Debug)]
pub struct ConversationChange {
    /// The new title; an empty one removes it.
    pub title: Option<String>,
    /// The new topic; an empty one removes it.
    pub topic: Option<String>,
}

pub(crate) const COLUMNS: &str = "id, app, title, topic, created_at, updated_at, user_messages, messages, (SELECT h.state FROM \
                       hand_offs h WHERE h.conversation_id = conversations.id AND h.state IN ('waiting', 'claimed')), branched, pinned_at, \
                       archived_at, folder_id, tags, temporary";

/// That named conversations are the owner's: no index of the owner helps here, and SQLite would take one and go through
/// everything that they have.
pub(crate) const OWN: &str = "owner || '' = ?";

/// The place of a sealed column of a conversation.
pub(crate) const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "conversations", column, row: id }
}

/// A row before its texts are opened.
pub(crate) struct Sealed {
    id: String,
    app: String,
    title: Option<Vec<u8>>,
    topic: Option<Vec<u8>>,
    created_at: Time,
    updated_at: Time,
    user_messages: u32,
    messages: u32,
    hand_off: Option<String>,
    branched: bool,
    pinned: bool,
    archived: bool,
    folder: Option<String>,
    tags: Option<Vec<u8>>,
    temporary: bool,
}

impl Sealed {
    pub(crate) fn read(row: &Row) -> Result<Sealed> {
        Ok(Sealed {
            id: row.text(0)?,
            app: row.text(1)?,
            title: row.maybe_bytes(2)?,
            topic: row.maybe_bytes(3)?,
            created_at: row.time(4)?,
            updated_at: row.time(5)?,
            user_messages: row.count(6)?,
            messages: row.count(7)?,
            hand_off: row.maybe_text(8)?,
            branched: row.int(9)? != 0,
            pinned: row.maybe_int(10)?.is_some(),
            archived: row.maybe_int(11)?.is_some(),
            folder: row.maybe_text(12)?,
            tags: row.maybe_bytes(13)?,
            temporary: row.int(14)? != 0,
        })
    }

    pub(crate) fn open(self, owner: &Subject, key: &SubjectKey) -> Result<Conversation> {
        let text = |column, sealed: Option<Vec<u8>>| {
            sealed.map(|sealed| key.open_text(place(column, &self.id), &sealed)).transpose()
        };
        Ok(Conversation {
            title: text("title", self.title)?,
            topic: text("topic", self.topic)?,
            id: ConversationId::parse(&self.id)?,
            owner: *owner,
            app: AppId::parse(&self.app)?,
            created_at: self.created_at,
            updated_at: self.updated_at,
            user_messages: self.user_messages,
            messages: self.messages,
            hand_off: self.hand_off.as_deref().and_then(HandOffState::parse),
            branched: self.branched,
            pinned: self.pinned,
            archived: self.archived,
            folder: self.folder.as_deref().map(FolderId::parse).transpose()?,
            tags: order::open_tags(key, &self.id, self.tags)?,
            temporary: self.temporary,
        })
    }
}

impl Store {
    /// The tag under which a client's session name is stored: it tells nothing, and the same name of two owners
    /// or apps has two tags.
    pub(crate) async fn session_tag(&self, owner: &Subject, app: &AppId, session: &str) -> Result<String> {
        Ok(self.secrets().await?.blind.tag(&format!("session\n{owner}\n{app}\n{session}")))
    }

    /// Makes a conversation. `too_many_conversations` when the owner has enough in this app, `conflict` when the
    /// session or the id has one already, `not_found` when its problem is none of the app.
    pub async fn create_conversation(
        &self,
        new: NewConversation,
        audit: Vec<AuditEvent>,
    ) -> Result<Conversation> {
        let tag = match &new.session {
            Some(session) => Some(self.session_tag(&new.owner, &new.app, session).await?),
            None => None,
        };
        let now = self.inside.ambient.now();
        let id = new.id.to_string();
        self.with_subject_key(&new.owner, |key: Arc<SubjectKey>| {
            let seal = |column, text: &Option<String>| {
                text.as_ref().map(|text| key.seal(self, place(column, &id), text.as_bytes()))
            };
            let (title, topic) = (seal("title", &new.title), seal("topic", &new.topic));
            let (id, app, tag, most) = (id.clone(), new.app.clone(), tag.clone(), new.max_per_owner);
            let (about, temporary) = (new.problem, i64::from(new.temporary));
            self.write_sealed("conversation.create", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    admit(tx, &key.subject, &app, most).await?;
                    tx.run(
                        "INSERT INTO conversations (id, owner, app, session_tag, title, topic, created_at, updated_at, \
                         user_messages, messages, temporary) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, 0, $8)",
                        values![id.as_str(), key.subject.as_str(), app.as_str(), tag, title, topic, now, temporary],
                    )
                    .await?;
                    match about {
                        Some(about) => problem::begin_attempt(tx, about, &id, &key.subject, app.as_str(), now).await,
                        None => Ok(()),
                    }
                })
            })
        })
        .await?;
        Ok(Conversation {
            id: new.id,
            owner: new.owner,
            app: new.app,
            title: new.title,
            topic: new.topic,
            created_at: now,
            updated_at: now,
            user_messages: 0,
            messages: 0,
            hand_off: None,
            branched: false,
            pinned: false,
            archived: false,
            folder: None,
            tags: Vec::new(),
            temporary: new.temporary,
        })
    }

    /// A conversation of this owner.
    pub async fn conversation(&self, owner: &Subject, id: ConversationId) -> Result<Conversation> {
        let sql = text("WHERE owner = $1 AND id = $2");
        let row =
            self.read("conversation.get").await?.one(sql, values![owner.to_string(), id.to_string()]).await?;
        let row = row.ok_or(Code::NotFound)?;
        self.opened(owner, |key| Sealed::read(&row)?.open(owner, key)).await
    }

    /// Those of these conversations that are this owner's, in no order.
    pub(crate) async fn conversations_of(
        &self,
        owner: &Subject,
        ids: &[ConversationId],
    ) -> Result<Vec<Conversation>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = ids.iter().map(ConversationId::to_string).collect();
        let head = format!("SELECT {COLUMNS} FROM conversations WHERE {OWN} AND id IN");
        let sql = crate::blob::with_list(self.inside.engine, &head, 1, ids.len(), "");
        let row =
            std::iter::once(crate::value::Value::from(owner.to_string())).chain(crate::blob::list(&ids));
        let rows = self.read("conversation.several").await?.all(sql, row.collect()).await?;
        self.opened(owner, |key| rows.iter().map(|row| Sealed::read(row)?.open(owner, key)).collect()).await
    }

    /// The conversation that belongs to a session name of this owner in this app.
    pub async fn conversation_by_session(
        &self,
        owner: &Subject,
        app: &AppId,
        session: &str,
    ) -> Result<Option<Conversation>> {
        let tag = self.session_tag(owner, app, session).await?;
        let sql = text("WHERE owner = $1 AND session_tag = $2");
        let row = self.read("conversation.session").await?.one(sql, values![owner.to_string(), tag]).await?;
        match row {
            None => Ok(None),
            Some(row) => self.opened(owner, |key| Sealed::read(&row)?.open(owner, key)).await.map(Some),
        }
    }

    /// Changes a conversation of this owner.
    pub async fn update_conversation(
        &self,
        owner: &Subject,
        id: ConversationId,
        change: ConversationChange,
        audit: Vec<AuditEvent>,
    ) -> Result<Conversation> {
        let now = self.inside.ambient.now();
        let name = id.to_string();
        self.with_subject_key(owner, |key: Arc<SubjectKey>| {
            // Absent: keep. Empty: remove. Else: seal.
            let seal = |column, text: &Option<String>| {
                let new = text.as_deref().filter(|text| !text.is_empty());
                (text.is_some(), new.map(|text| key.seal(self, place(column, &name), text.as_bytes())))
            };
            let (retitle, title) = seal("title", &change.title);
            let (retopic, topic) = seal("topic", &change.topic);
            let name = name.clone();
            self.write_sealed("conversation.update", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let changed = tx
                        .run(
                            "UPDATE conversations SET title = CASE WHEN $3 = 1 THEN $4 ELSE title END, \
                             topic = CASE WHEN $5 = 1 THEN $6 ELSE topic END, \
                             updated_at = CASE WHEN updated_at < $7 THEN $7 ELSE updated_at END \
                             WHERE owner = $1 AND id = $2",
                            values![
                                key.subject.as_str(),
                                name,
                                i64::from(retitle),
                                title,
                                i64::from(retopic),
                                topic,
                                now
                            ],
                        )
                        .await?;
                    if changed == 0 { Err(Fault::new(Code::NotFound).into()) } else { Ok(()) }
                })
            })
        })
        .await?;
        self.conversation(owner, id).await
    }

    /// Deletes a conversation of this owner with all its messages.
    pub async fn delete_conversation(
        &self,
        owner: &Subject,
        id: ConversationId,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let (owner, id) = (owner.to_string(), id.to_string());
        self.write("conversation.delete", audit, move |tx| {
            Box::pin(async move { delete(tx, &owner, &id).await.map(drop) })
        })
        .await
    }
}

fn text(condition: &str) -> crate::connection::Sql {
    crate::connection::Sql::Built(format!("SELECT {COLUMNS} FROM conversations {condition}").into())
}

pub(crate) async fn admit(tx: &mut Tx, owner: &str, app: &AppId, most: Option<u32>) -> Result<(), Refusal> {
    let Some(most) = most else { return Ok(()) };
    // The owner's data key is locked, so nobody else counts at the same time.
    let counted = "SELECT COUNT(*) FROM conversations WHERE owner = $1 AND app = $2";
    let row = tx.one(counted, values![owner, app.as_str()]).await?;
    let count = row.map_or(Ok(0), |row| row.count(0))?;
    if count >= most { Err(Fault::new(Code::TooManyConversations).into()) } else { Ok(()) }
}

/// Deletes a conversation; gives the app that it belonged to.
pub(crate) async fn delete(tx: &mut Tx, owner: &str, id: &str) -> Result<String, Refusal> {
    // The lock comes first: a turn that is appended at the same time finds the conversation whole or gone.
    let lock = crate::connection::Sql::Built(
        format!("SELECT id, app FROM conversations WHERE owner = $1 AND id = $2{}", tx.engine().locked())
            .into(),
    );
    let row = tx.one(lock, values![owner, id]).await?;
    let app = row.ok_or_else(|| Fault::new(Code::NotFound))?.text(1)?;
    hold::refuse_kept(tx, owner, &app).await?;
    for sql in [
        "DELETE FROM attempts WHERE conversation_id = $1",
        "DELETE FROM hand_offs WHERE conversation_id = $1",
        "DELETE FROM feedback WHERE conversation_id = $1",
        "DELETE FROM outcomes WHERE conversation_id = $1",
        "DELETE FROM gaps WHERE conversation_id = $1",
        "DELETE FROM reviews WHERE conversation_id = $1",
        "DELETE FROM conversation_tags WHERE conversation_id = $1",
        "DELETE FROM shares WHERE conversation_id = $1",
        "DELETE FROM messages WHERE conversation_id = $1",
        // What the index of the search knows of it is taken out soon.
        "INSERT INTO search_gone (conversation_id, owner) SELECT id, owner FROM conversations \
         WHERE id = $1 AND searched > 0 ON CONFLICT (conversation_id) DO NOTHING",
    ] {
        tx.run(sql, values![id]).await?;
    }
    tx.run("DELETE FROM conversations WHERE owner = $1 AND id = $2", values![owner, id]).await?;
    Ok(app)
}
