//! Refresh tokens: each is used once and gives way to the next of its family, which is a session. One that comes
//! back ends the family: either the thief or the owner holds a copy, and nobody can tell which.
//! There is no grace for honest retries: a client that refreshes twice at once signs itself out.
//! It never sees a token, only digests.

use std::net::IpAddr;

use kernel::{Actor, AuditEvent, EventType, Result, Subject, Time};

use crate::data_key::Refusal;
use crate::epoch::{self, Scope};
use crate::session::{self, end_one};
use crate::tx::Tx;
use crate::value::{Row, values};
use crate::{Session, Store};

/// What became of a refresh token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refreshed {
    /// It was used, and the new one is valid.
    Rotated(Session),
    /// It had been used before: the session, given as it was, has ended and `token.reuse` is in the audit log.
    Reused(Session),
    /// It was valid once.
    Expired,
    /// There is no such token, or its session has ended.
    Unknown,
}

enum Found {
    Rotated(Row),
    Reused(Row),
    Expired,
    Unknown,
}

struct Rotation {
    old: String,
    new: String,
    expires_at: Time,
    ip: Option<IpAddr>,
    now: Time,
}

impl Rotation {
    async fn make(self, tx: &mut Tx) -> Result<Found, Refusal> {
        let sql = "SELECT session_id, expires_at, used_at FROM refresh_tokens WHERE digest = $1";
        let Some(token) = tx.one(sql, values![self.old.as_str()]).await? else { return Ok(Found::Unknown) };
        let id = token.text(0)?;
        let Some(row) = tx.one(session::select("s.id = $1"), values![id.as_str()]).await? else {
            return Ok(Found::Unknown);
        };
        if token.time(1)? <= self.now || row.time(10)? <= self.now {
            return Ok(Found::Expired);
        }
        // Whether it is the first use is decided by the count of changed rows, not by what was read.
        let sql = "UPDATE refresh_tokens SET used_at = $2 WHERE digest = $1 AND used_at IS NULL";
        if tx.run(sql, values![self.old, self.now]).await? == 0 {
            end_one(tx, &id).await?;
            epoch::bump(tx, Scope::Users).await?;
            let owner = Subject::parse(&format!("user:{}", row.text(1)?))?;
            let event = AuditEvent::new(EventType::TokenReuse, Actor::Subject(owner));
            tx.events.push(event.from(self.ip).to(format_args!("session:{id}")));
            return Ok(Found::Reused(row));
        }
        tx.run(
            "INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
            values![self.new, id.as_str(), self.now, self.expires_at],
        )
        .await?;
        let sql = "UPDATE sessions SET extended_at = $2, seen_at = $2, expires_at = $3 WHERE id = $1";
        tx.run(sql, values![id, self.now, self.expires_at]).await?;
        Ok(Found::Rotated(row))
    }
}

impl Store {
    /// Uses the token with the digest `old` and puts the one with `new` in its place, which ends, with the session,
    /// at `expires_at`. Of any number of calls with one token one succeeds, and the others end the session.
    /// `ip` goes into the event of a reuse.
    pub async fn rotate_refresh(
        &self,
        old: &str,
        new: &str,
        expires_at: Time,
        ip: Option<IpAddr>,
    ) -> Result<Refreshed> {
        let now = self.inside.ambient.now();
        let rotation = Rotation { old: old.to_owned(), new: new.to_owned(), expires_at, ip, now };
        let found = self
            .write_alone("refresh.rotate", Vec::new(), move |tx| {
                Box::pin(async move { rotation.make(tx).await })
            })
            .await?;
        Ok(match found {
            Found::Rotated(row) => {
                let session = session::read(self, &row)?;
                Refreshed::Rotated(Session { extended_at: now, seen_at: now, expires_at, ..session })
            }
            Found::Reused(row) => Refreshed::Reused(session::read(self, &row)?),
            Found::Expired => Refreshed::Expired,
            Found::Unknown => Refreshed::Unknown,
        })
    }
}
