//! Sessions: each is one sign-in, of a browser (its cookie's digest) or of a program (a family of refresh tokens).
//! A session that is not there has ended. It never sees a token, only digests.

use std::net::IpAddr;
use std::sync::Arc;

use crypto::Place;
use kernel::{AuditEvent, Code, Cursor, Fault, Page, PageRequest, Result, SessionId, Subject, Time, UserId};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::{self, SubjectKey};
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Row, values};

/// What holds a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum SessionKind {
    /// A browser, by its cookie.
    Browser,
    /// A program, by its tokens.
    Token,
}

impl SessionKind {
    /// The kind as a word: `browser`, `token`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SessionKind::Browser => "browser",
            SessionKind::Token => "token",
        }
    }
}

/// One sign-in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// What holds it.
    pub kind: SessionKind,
    /// How: `password`, `passkey`, …
    pub method: String,
    /// What the browser or program calls itself.
    pub agent: String,
    /// Where from.
    pub ip: IpAddr,
    /// When.
    pub created_at: Time,
    /// When the person last proved who they are.
    pub proven_at: Time,
    /// When it was last prolonged.
    pub extended_at: Time,
    /// When it was last used, to within some seconds.
    pub seen_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// What holds it.
    pub kind: SessionKind,
    /// The digest of the cookie's token, for a browser.
    pub digest: Option<String>,
    /// How: `password`, `passkey`, …
    pub method: String,
    /// What the browser or program calls itself, cut by the caller.
    pub agent: String,
    /// Where from.
    pub ip: IpAddr,
    /// When it ends.
    pub expires_at: Time,
    /// The first refresh token's digest and end, for a program.
    pub refresh: Option<(String, Time)>,
    /// [`User::valid_from`](crate::User::valid_from) as it was before the proof (the password's hash, say) was
    /// read. When it has moved since, the proof was one of the past: the password was changed meanwhile.
    pub valid_from: Time,
}

const fn place(id: &str) -> Place<'_> {
    Place { table: "sessions", column: "agent", row: id }
}

/// The columns that [`read`] wants.
const SELECT: &str = "SELECT s.id, s.user_id, s.kind, s.method, s.agent, s.ip, s.created_at, s.proven_at, \
     s.extended_at, s.seen_at, s.expires_at, k.wrapped \
     FROM sessions s JOIN data_keys k ON k.subject = 'user:' || s.user_id";

pub(crate) fn select(condition: &str) -> Sql {
    Sql::Built(format!("{SELECT} WHERE {condition}").into())
}

pub(crate) fn read(store: &Store, row: &Row) -> Result<Session> {
    let (id, user) = (row.text(0)?, row.text(1)?);
    let kind = match row.text(2)?.as_str() {
        "browser" => SessionKind::Browser,
        "token" => SessionKind::Token,
        _ => return Err(Fault::internal("a session is of no known kind")),
    };
    let ip = row.text(5)?.parse().map_err(|_| Fault::internal("the address of a session is none"))?;
    Ok(Session {
        agent: store.row_key(&user, &row.bytes(11)?)?.open_text(place(&id), &row.bytes(4)?)?,
        id: SessionId::parse(&id)?,
        user: UserId::parse(&user)?,
        kind,
        method: row.text(3)?,
        ip,
        created_at: row.time(6)?,
        proven_at: row.time(7)?,
        extended_at: row.time(8)?,
        seen_at: row.time(9)?,
        expires_at: row.time(10)?,
    })
}

/// Ends the sessions of an account, all but `keep`, inside a job. Gives how many.
pub(crate) async fn end_all(tx: &mut Tx, user: &str, keep: Option<SessionId>) -> Result<u64, Trouble> {
    let row = values![user, keep.map(|id| id.to_string()).unwrap_or_default()];
    tx.run(
        "DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1 AND id <> $2)",
        row.clone(),
    )
    .await?;
    tx.run("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", row).await
}

/// Ends one session inside a job. Gives whether it was there.
pub(crate) async fn end_one(tx: &mut Tx, id: &str) -> Result<bool, Trouble> {
    tx.run("DELETE FROM refresh_tokens WHERE session_id = $1", values![id]).await?;
    Ok(tx.run("DELETE FROM sessions WHERE id = $1", values![id]).await? == 1)
}

impl Store {
    /// Opens a session and notes the sign-in. `unauthenticated` when the account is gone or its `valid_from` has
    /// moved, `inactive` when it is.
    pub async fn open_session(&self, new: NewSession, audit: Vec<AuditEvent>) -> Result<Session> {
        let (id, now) = (new.id.to_string(), self.inside.ambient.now());
        self.with_subject_key(&Subject::User(new.user), |key: Arc<SubjectKey>| {
            let agent = key.seal(self, place(&id), new.agent.as_bytes());
            let (new, id) = (new.clone(), id.clone());
            // It only adds rows, so it keeps to the order of locks; what could contradict it runs alone.
            self.write_sealed("session.open", audit.clone(), move |tx| {
                Box::pin(async move {
                    let user = new.user.to_string();
                    let sql = "SELECT valid_from, disabled_at FROM users WHERE id = $1";
                    match tx.one(sql, values![user.as_str()]).await? {
                        Some(row) if row.time(0)? == new.valid_from => {
                            if row.maybe_time(1)?.is_some() {
                                return Err(Fault::new(Code::Inactive).into());
                            }
                        }
                        _ => return Err(Fault::new(Code::Unauthenticated).into()),
                    }
                    data_key::check_one(tx, &key).await?;
                    let row = values![
                        id.as_str(),
                        user,
                        new.kind.as_str(),
                        new.digest,
                        new.method,
                        agent,
                        new.ip.to_string(),
                        now,
                        new.expires_at
                    ];
                    tx.run(
                        "INSERT INTO sessions (id, user_id, kind, digest, method, agent, ip, created_at, proven_at, \
                         extended_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8, $8, $9)",
                        row,
                    )
                    .await?;
                    if let Some((digest, expires_at)) = new.refresh {
                        let row = values![digest, id, now, expires_at];
                        tx.run(
                            "INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at) \
                             VALUES ($1, $2, $3, $4)",
                            row,
                        )
                        .await?;
                    }
                    Ok(())
                })
            })
        })
        .await?;
        self.note_sign_in(new.user, now);
        Ok(Session {
            id: new.id,
            user: new.user,
            kind: new.kind,
            method: new.method,
            agent: new.agent,
            ip: new.ip,
            created_at: now,
            proven_at: now,
            extended_at: now,
            seen_at: now,
            expires_at: new.expires_at,
        })
    }

    /// The session of a browser whose token has this digest, an expired one too: the caller compares.
    pub async fn session_by_digest(&self, digest: &str) -> Result<Option<Session>> {
        let row = self.read("session.digest").await?.one(select("s.digest = $1"), values![digest]).await?;
        row.map(|row| read(self, &row)).transpose()
    }

    /// The session with this id, an expired one too: the caller compares.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        let row = self.read("session.get").await?.one(select("s.id = $1"), values![id.to_string()]).await?;
        row.map(|row| read(self, &row)).transpose()
    }

    /// The sessions that have not expired, of one account or of all, newest first.
    pub async fn sessions(&self, user: Option<UserId>, page: PageRequest) -> Result<Page<Session>> {
        let (at, tie) = match page.after {
            Some(cursor) => (cursor.key, cursor.tie),
            None => (i64::MAX, String::new()),
        };
        let rest = "s.created_at <= $1 AND (s.created_at < $1 OR s.id < $2) AND s.expires_at > $3 \
                    ORDER BY s.created_at DESC, s.id DESC LIMIT $4";
        let mut values = values![at, tie, self.inside.ambient.now(), page.limit.saturating_add(1)];
        let sql = match user {
            None => select(rest),
            Some(user) => {
                values.push(user.to_string().into());
                select(&format!("s.user_id = $5 AND {rest}"))
            }
        };
        let rows = self.read("session.list").await?.all(sql, values).await?;
        let sessions: Result<Vec<Session>> = rows.iter().map(|row| read(self, row)).collect();
        Ok(Page::cut(sessions?, page.limit, |session| Cursor {
            key: session.created_at.micros(),
            tie: session.id.to_string(),
        }))
    }

    /// How many sessions have not expired.
    pub async fn count_sessions(&self) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM sessions WHERE expires_at > $1";
        let row = self.read("session.count").await?.one(sql, values![self.inside.ambient.now()]).await?;
        Ok(row.map_or(Ok(0), |row| row.count(0).map(u64::from))?)
    }

    /// The addresses that an account has signed in from, as far back as its sessions go (expired ones are kept for
    /// some days), the latest first; 100 at the most.
    pub async fn known_addresses(&self, user: UserId) -> Result<Vec<IpAddr>> {
        let sql =
            "SELECT ip FROM sessions WHERE user_id = $1 GROUP BY ip ORDER BY MAX(created_at) DESC LIMIT 100";
        let rows = self.read("session.addresses").await?.all(sql, values![user.to_string()]).await?;
        rows.iter()
            .map(|row| row.text(0)?.parse().map_err(|_| Fault::internal("the address of a session is none")))
            .collect()
    }
}
