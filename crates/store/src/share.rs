//! Snapshots of conversations for whoever has the link. The content is sealed twice: with a key made from the token, which
//! is never stored, and with the owner's data key, so that an erasure ends it. It never stores a token, and never tells
//! an unknown link from one that has ended.

use std::sync::Arc;

use crypto::{DataKey, Place};
use kernel::{AppId, AuditEvent, Code, ConversationId, Cursor, Fault, Page, PageRequest, Result, Secret};
use kernel::{ShareId, Subject, Time};

use crate::Store;
use crate::bulk;
use crate::connection::Sql;
use crate::conversation;
use crate::data_key::{self, SubjectKey};
use crate::message::Role;
use crate::trouble::Trouble;
use crate::turn::TurnOrder;
use crate::tx::Tx;
use crate::value::{Row, values};

/// What the key of a token is for.
const CONTEXT: &str = "stoa 2026 shared conversation";

/// Links of one owner at the most.
const MOST: u32 = 200;

/// A snapshot to be kept.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// Its id.
    pub id: ShareId,
    /// Whose it is.
    pub owner: Subject,
    /// What it is a snapshot of.
    pub conversation_id: ConversationId,
    /// The app of that.
    pub app: AppId,
    /// What the link carries.
    pub token: Secret<String>,
    /// What is shown.
    pub content: String,
    /// The PHC string of the password that it asks for.
    pub password: Option<Secret<String>>,
    /// Personal data in it is masked.
    pub masked: bool,
    /// How many messages it holds.
    pub messages: u32,
    /// When it ends.
    pub expires_at: Time,
}

/// A link that its owner has given out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// What it is a snapshot of.
    pub conversation_id: ConversationId,
    /// The app of that.
    pub app: AppId,
    /// What that is called now.
    pub title: Option<String>,
    /// It asks for a password.
    pub locked: bool,
    /// Personal data in it is masked.
    pub masked: bool,
    /// How many messages it holds.
    pub messages: u32,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was opened first.
    pub opened_at: Option<Time>,
}

/// A snapshot that a link has opened.
#[derive(Clone, Debug)]
pub struct OpenShare {
    /// Its id.
    pub id: ShareId,
    /// The app of the conversation.
    pub app: AppId,
    /// What is shown.
    pub content: String,
    /// The PHC string of the password that it asks for.
    pub password: Option<Secret<String>>,
    /// Personal data in it is masked.
    pub masked: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// It was opened before.
    pub opened: bool,
}

const fn place(id: &str) -> Place<'_> {
    Place { table: "shares", column: "content", row: id }
}

impl Store {
    /// Keeps a snapshot. `not_found` when the conversation is none of the owner's, `conflict` when the owner has given
    /// out too many links.
    pub async fn share(&self, new: NewShare, audit: Vec<AuditEvent>) -> Result<Share> {
        let now = self.inside.ambient.now();
        let (id, talk) = (new.id.to_string(), new.conversation_id.to_string());
        let digest = crypto::token::digest(new.token.expose());
        let inner = DataKey::of_token(&new.token, CONTEXT);
        let inner = crypto::seal(&inner, place(&id), new.content.as_bytes(), self.inside.ambient.random());
        let password = new.password.as_ref().map(|phc| phc.expose().clone());
        self.with_subject_key(&new.owner, |key: Arc<SubjectKey>| {
            let content = key.seal(self, place(&id), &inner);
            let row = values![
                id.as_str(),
                key.subject.as_str(),
                talk.as_str(),
                new.app.as_str(),
                digest.as_str(),
                content,
                password.clone(),
                i64::from(new.masked),
                new.messages,
                now,
                new.expires_at
            ];
            let talk = talk.clone();
            self.write_sealed("share.make", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    // Locked: who deletes the conversation at the same time finds the link and ends it.
                    let locked = tx.engine().locked();
                    let own = format!("SELECT id FROM conversations WHERE owner = $1 AND id = $2{locked}");
                    let own = tx.one(Sql::Built(own.into()), values![key.subject.as_str(), talk]).await?;
                    own.ok_or_else(|| Fault::new(Code::NotFound))?;
                    let sql = "SELECT COUNT(*) FROM shares WHERE owner = $1 AND expires_at > $2";
                    let count = tx.one(sql, values![key.subject.as_str(), now]).await?;
                    if count.map_or(Ok(0), |row| row.count(0))? >= MOST {
                        let say = format!("You have given out {MOST} links. End some of them first.");
                        return Err(Fault::new(Code::Conflict).say(say).into());
                    }
                    tx.run(
                        "INSERT INTO shares (id, owner, conversation_id, app, digest, content, password, masked, \
                         messages, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                        row,
                    )
                    .await?;
                    Ok(())
                })
            })
        })
        .await?;
        let title = self.conversation(&new.owner, new.conversation_id).await.ok().and_then(|talk| talk.title);
        Ok(Share {
            id: new.id,
            conversation_id: new.conversation_id,
            app: new.app,
            title,
            locked: new.password.is_some(),
            masked: new.masked,
            messages: new.messages,
            created_at: now,
            expires_at: new.expires_at,
            opened_at: None,
        })
    }

    /// The links of this owner that have not ended, the newest first.
    pub async fn shares(&self, owner: &Subject, page: PageRequest) -> Result<Page<Share>> {
        let sql = "SELECT s.id, s.conversation_id, s.app, c.title, s.password, s.masked, s.messages, s.created_at, \
                   s.expires_at, s.opened_at FROM shares s JOIN conversations c ON c.id = s.conversation_id \
                   WHERE s.owner = $1 AND c.owner = $1 AND s.expires_at > $2 AND s.created_at <= $3 \
                   AND (s.created_at < $3 OR s.id < $4) ORDER BY s.created_at DESC, s.id DESC LIMIT $5";
        let (before, tie) = page.after.map_or((i64::MAX, String::new()), |cursor| (cursor.key, cursor.tie));
        let now = self.inside.ambient.now();
        let values = values![owner.to_string(), now, before, tie, page.limit + 1];
        let rows = self.read("share.list").await?.all(sql, values).await?;
        let read = |row: &Row, key: &SubjectKey| {
            let talk = row.text(1)?;
            let title = row.maybe_bytes(3)?;
            let title = title.map(|sealed| key.open_text(conversation::place("title", &talk), &sealed));
            Ok(Share {
                id: ShareId::parse(&row.text(0)?)?,
                conversation_id: ConversationId::parse(&talk)?,
                app: AppId::parse(&row.text(2)?)?,
                title: title.transpose()?,
                locked: row.maybe_text(4)?.is_some(),
                masked: row.int(5)? != 0,
                messages: row.count(6)?,
                created_at: row.time(7)?,
                expires_at: row.time(8)?,
                opened_at: row.maybe_time(9)?,
            })
        };
        let opened =
            self.opened(owner, |key| rows.iter().map(|row| read(row, key)).collect::<Result<Vec<_>>>());
        let shares = opened.await?;
        let cursor = |share: &Share| Cursor { key: share.created_at.micros(), tie: share.id.to_string() };
        Ok(Page::cut(shares, page.limit, cursor))
    }

    /// Ends a link of this owner; its content is gone. `not_found` when there is none.
    pub async fn end_share(&self, owner: &Subject, id: ShareId, audit: Vec<AuditEvent>) -> Result<()> {
        let row = values![owner.to_string(), id.to_string()];
        self.write("share.end", audit, move |tx| {
            Box::pin(async move {
                match tx.run("DELETE FROM shares WHERE owner = $1 AND id = $2", row).await? {
                    0 => Err(Fault::new(Code::NotFound).into()),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    /// What a link shows. `not_found` for one that is unknown or has ended, and while its owner's account is disabled.
    pub async fn open_share(&self, token: &Secret<String>) -> Result<OpenShare> {
        let sql = "SELECT s.id, s.owner, s.app, s.content, s.password, s.masked, s.created_at, s.expires_at, s.opened_at \
                   FROM shares s WHERE s.digest = $1 AND s.expires_at > $2 AND NOT EXISTS \
                   (SELECT 1 FROM users u WHERE u.id = SUBSTR(s.owner, 6) AND u.disabled_at IS NOT NULL)";
        let row = values![crypto::token::digest(token.expose()), self.inside.ambient.now()];
        let row = self.read("share.open").await?.one(sql, row).await?.ok_or(Code::NotFound)?;
        let (id, owner) = (row.text(0)?, Subject::parse(&row.text(1)?)?);
        let inner = self.opened(&owner, |key| key.open(place(&id), &row.bytes(3)?)).await?;
        let content = crypto::open(&DataKey::of_token(token, CONTEXT), place(&id), &inner)?;
        Ok(OpenShare {
            id: ShareId::parse(&id)?,
            app: AppId::parse(&row.text(2)?)?,
            content: String::from_utf8(content)
                .map_err(|_| Fault::internal("a shared conversation is not UTF-8"))?,
            password: row.maybe_text(4)?.map(Secret::new),
            masked: row.int(5)? != 0,
            created_at: row.time(6)?,
            expires_at: row.time(7)?,
            opened: row.maybe_time(8)?.is_some(),
        })
    }

    /// Notes that a link was opened for the first time; whoever comes second notes nothing.
    pub async fn note_opened(&self, id: ShareId, event: AuditEvent) -> Result<()> {
        let row = values![id.to_string(), self.inside.ambient.now()];
        self.write("share.opened", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE shares SET opened_at = $2 WHERE id = $1 AND opened_at IS NULL";
                if tx.run(sql, row).await? > 0 {
                    tx.events.push(event);
                }
                Ok(())
            })
        })
        .await
    }

    /// Removes what links showed that have ended.
    pub async fn purge_shares(&self, now: Time) -> Result<u64> {
        let sql = "SELECT id FROM shares WHERE expires_at <= $1 LIMIT 1";
        if self.read("share.old").await?.one(sql, values![now]).await?.is_none() {
            return Ok(0);
        }
        self.write_alone("share.purge", Vec::new(), move |tx| {
            Box::pin(
                async move { Ok(tx.run("DELETE FROM shares WHERE expires_at <= $1", values![now]).await?) },
            )
        })
        .await
    }
}

/// Ends the links to conversations whose words were just said anew: their owner has taken back what the links show.
pub(crate) async fn end_of_edited(tx: &mut Tx, orders: &[TurnOrder]) -> Result<(), Trouble> {
    let edited = orders.iter().filter(|order| {
        let said_anew = order.messages.first().is_some_and(|first| first.role == Role::User.as_str());
        order.beside && said_anew && order.outcome.is_ok()
    });
    let ids: Vec<String> = edited.map(|order| order.conversation.to_string()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for row in bulk::find(tx, "SELECT id FROM shares WHERE conversation_id IN", "", ids).await? {
        tx.run("DELETE FROM shares WHERE id = $1", values![row.text(0)?]).await?;
    }
    Ok(())
}
