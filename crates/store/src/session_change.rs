//! Changes of sessions: prolonged, proven again, ended, forgotten.
//! It never decides when a session is prolonged or why it ends.

use kernel::{AuditEvent, Code, Fault, Result, SessionId, Time, UserId};

use crate::Store;
use crate::epoch::{self, Scope};
use crate::session::{SessionKind, end_one};
use crate::value::values;

/// Sessions, or tokens, that are forgotten in one transaction, so that nobody waits for long.
const STEP: u32 = 500;

impl Store {
    /// Prolongs a session; it never becomes shorter. `not_found` when it has ended. Caches of other processes are
    /// not dropped: they must ask again before they call a session expired.
    pub async fn extend_session(&self, id: SessionId, expires_at: Time) -> Result<()> {
        let row = values![id.to_string(), expires_at, self.inside.ambient.now()];
        self.write_alone("session.extend", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE sessions SET extended_at = $3, \
                           expires_at = CASE WHEN expires_at < $2 THEN $2 ELSE expires_at END WHERE id = $1";
                match tx.run(sql, row).await? {
                    0 => Err(Fault::new(Code::NotFound).into()),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    /// Notes that the person has proven again who they are. `not_found` when the session has ended.
    pub async fn prove_session(&self, id: SessionId) -> Result<()> {
        let row = values![id.to_string(), self.inside.ambient.now()];
        self.write_alone("session.prove", Vec::new(), move |tx| {
            Box::pin(async move {
                if tx.run("UPDATE sessions SET proven_at = $2 WHERE id = $1", row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }

    /// Ends a session, with `user` only one of that account. `not_found` when there is no such.
    pub async fn end_session(
        &self,
        user: Option<UserId>,
        id: SessionId,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let (id, user) = (id.to_string(), user.map(|user| user.to_string()));
        self.write_alone("session.end", audit, move |tx| {
            Box::pin(async move {
                let sql = "SELECT id FROM sessions WHERE id = $1 AND user_id = COALESCE($2, user_id)";
                if tx.one(sql, values![id.as_str(), user]).await?.is_none() {
                    return Err(Fault::new(Code::NotFound).into());
                }
                end_one(tx, &id).await?;
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }

    /// Ends all sessions, or those of one kind, and raises the floors of what they stand for: `sessions`, `tokens`.
    /// Gives how many had not expired.
    pub async fn end_sessions(&self, kind: Option<SessionKind>, audit: Vec<AuditEvent>) -> Result<u64> {
        let now = self.inside.ambient.now();
        self.write_alone("session.end_all", audit, move |tx| {
            Box::pin(async move {
                let named = values![kind.map(SessionKind::as_str)];
                let sql = "SELECT COUNT(*) FROM sessions WHERE kind = COALESCE($1, kind) AND expires_at > $2";
                let row = tx.one(sql, values![kind.map(SessionKind::as_str), now]).await?;
                let count = row.map_or(Ok(0), |row| row.count(0))?;
                tx.run(
                    "DELETE FROM refresh_tokens WHERE session_id IN \
                     (SELECT id FROM sessions WHERE kind = COALESCE($1, kind))",
                    named.clone(),
                )
                .await?;
                tx.run("DELETE FROM sessions WHERE kind = COALESCE($1, kind)", named).await?;
                if kind != Some(SessionKind::Token) {
                    epoch::raise(tx, Scope::Sessions, now).await?;
                }
                if kind != Some(SessionKind::Browser) {
                    epoch::raise(tx, Scope::Tokens, now).await?;
                }
                epoch::bump(tx, Scope::Users).await?;
                Ok(u64::from(count))
            })
        })
        .await
    }

    /// Forgets sessions, and refresh tokens, that had expired before `time`. Gives how many sessions.
    pub async fn purge_sessions(&self, time: Time) -> Result<u64> {
        let old = "SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2";
        let old_tokens =
            "SELECT digest FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at, digest LIMIT $2";
        let row = values![time, STEP];
        let mut count = 0;
        loop {
            let mut reader = self.read("session.old").await?;
            // Most of the time there is nothing: asking takes no lock.
            let some = reader.one(old, row.clone()).await?.is_some()
                || reader.one(old_tokens, row.clone()).await?.is_some();
            drop(reader);
            if !some {
                return Ok(count);
            }
            let row = row.clone();
            count += self
                .write_alone("session.purge", Vec::new(), move |tx| {
                    Box::pin(async move {
                        let mut ended = 0;
                        for session in tx.all(old, row.clone()).await? {
                            ended += u64::from(end_one(tx, &session.text(0)?).await?);
                        }
                        for token in tx.all(old_tokens, row).await? {
                            let sql = "DELETE FROM refresh_tokens WHERE digest = $1";
                            tx.run(sql, values![token.text(0)?]).await?;
                        }
                        Ok(ended)
                    })
                })
                .await?;
        }
    }
}
