//! Changes of an account: role, address, name, whether it is active, where it is signed in. All run alone, so that
//! the rule of the last active admin holds whoever changes what at the same time.
//! It never decides who may change what.

use std::sync::Arc;

use kernel::{AuditEvent, Code, EventType, Fault, Language, Result, Role, SessionId, Subject, Time, UserId};
use serde_json::Value as Json;

use crate::Store;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::epoch::{self, Scope};
use crate::session;
use crate::tx::Tx;
use crate::user::{place, role};
use crate::value::{Row, values};

/// The events with what a permission was before and is now.
pub(crate) fn told(
    events: Vec<AuditEvent>,
    before: impl Into<Json>,
    after: impl Into<Json>,
) -> Vec<AuditEvent> {
    let (before, after): (Json, Json) = (before.into(), after.into());
    let tell = |event: AuditEvent| match event.event_type {
        EventType::PermissionChanged => event.with("before", before.clone()).with("after", after.clone()),
        _ => event,
    };
    events.into_iter().map(tell).collect()
}

/// `not_found` unless the account exists.
pub(crate) async fn expect(tx: &mut Tx, id: &str) -> Result<Row, Refusal> {
    let row = tx.one("SELECT id, role, disabled_at FROM users WHERE id = $1", values![id]).await?;
    Ok(row.ok_or_else(|| Fault::new(Code::NotFound))?)
}

/// `conflict` when the account of this row is the only admin that is active. It is about to be no more; whoever
/// calls this runs alone, so that of two admins who remove each other one stays.
pub(crate) async fn spare_last_admin(tx: &mut Tx, row: &Row) -> Result<(), Refusal> {
    if role(row, 1)? != Role::Admin || row.maybe_time(2)?.is_some() {
        return Ok(());
    }
    let sql = "SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL AND id <> $1 LIMIT 1";
    match tx.one(sql, values![row.text(0)?]).await? {
        Some(_) => Ok(()),
        None => Err(Fault::new(Code::Conflict).say("This is the last active admin.").into()),
    }
}

/// Moves the moment before which stateless credentials are refused: always forward, so that whoever compares it
/// with what they have read notices, whatever the clock says.
pub(crate) async fn move_valid_from(tx: &mut Tx, id: &str, now: Time) -> Result<(), Refusal> {
    let sql = "UPDATE users SET valid_from = CASE WHEN valid_from < $2 THEN $2 ELSE valid_from + 1 END WHERE id = $1";
    match tx.run(sql, values![id, now]).await? {
        0 => Err(Fault::new(Code::NotFound).into()),
        _ => Ok(()),
    }
}

impl Store {
    /// Makes an account active or inactive; an inactive one keeps everything and may use nothing. Becoming active
    /// ends the sessions and stateless credentials from before. `conflict` for the last active admin. What is so
    /// already changes nothing and is not audited.
    pub async fn set_active(&self, id: UserId, active: bool, audit: Vec<AuditEvent>) -> Result<()> {
        let (id, now) = (id.to_string(), self.inside.ambient.now());
        self.write_alone("user.active", Vec::new(), move |tx| {
            Box::pin(async move {
                let row = expect(tx, &id).await?;
                if row.maybe_time(2)?.is_none() == active {
                    return Ok(());
                }
                if active {
                    session::end_all(tx, &id, None).await?;
                    move_valid_from(tx, &id, now).await?;
                } else {
                    spare_last_admin(tx, &row).await?;
                }
                let disabled_at = (!active).then_some(now);
                tx.run("UPDATE users SET disabled_at = $2 WHERE id = $1", values![id, disabled_at]).await?;
                epoch::bump(tx, Scope::Users).await?;
                tx.events.extend(audit);
                Ok(())
            })
        })
        .await
    }

    /// Changes the role. `conflict` for the last active admin. Events of `permission.changed` get `before` and
    /// `after`; what is so already changes nothing and is not audited.
    pub async fn set_role(&self, id: UserId, new: Role, audit: Vec<AuditEvent>) -> Result<()> {
        let id = id.to_string();
        self.write_alone("user.role", Vec::new(), move |tx| {
            Box::pin(async move {
                let row = expect(tx, &id).await?;
                let old = role(&row, 1)?;
                if old == new {
                    return Ok(());
                }
                spare_last_admin(tx, &row).await?;
                tx.run("UPDATE users SET role = $2 WHERE id = $1", values![id, new.as_str()]).await?;
                epoch::bump(tx, Scope::Users).await?;
                tx.events.extend(told(audit, old.as_str(), new.as_str()));
                Ok(())
            })
        })
        .await
    }

    /// Changes the address (normalised; empty removes it); `proven` says whether its owner has shown to read what
    /// goes there. Tickets that went to the old one are void. `conflict` when another account has it.
    pub async fn set_email(
        &self,
        id: UserId,
        email: &str,
        proven: bool,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let tag = self.email_tag(email).await?;
        let verified_at = (proven && tag.is_some()).then(|| self.inside.ambient.now());
        let name = id.to_string();
        self.with_subject_key(&Subject::User(id), |key: Arc<SubjectKey>| {
            let sealed = key.seal(self, place("email", &name), email.as_bytes());
            let (tag, name) = (tag.clone(), name.clone());
            self.write_sealed_alone("user.email", audit.clone(), move |tx| {
                Box::pin(async move {
                    expect(tx, &name).await?;
                    data_key::hold_one(tx, &key).await?;
                    tx.run("DELETE FROM tickets WHERE user_id = $1", values![name.as_str()]).await?;
                    let sql = "UPDATE users SET email_tag = $2, email = $3, verified_at = $4 WHERE id = $1";
                    tx.run(sql, values![name, tag, sealed, verified_at]).await?;
                    epoch::bump(tx, Scope::Users).await
                })
            })
        })
        .await
    }

    /// Changes the name.
    pub async fn set_name(&self, id: UserId, name: &str, audit: Vec<AuditEvent>) -> Result<()> {
        let row = id.to_string();
        self.with_subject_key(&Subject::User(id), |key: Arc<SubjectKey>| {
            let sealed = key.seal(self, place("name", &row), name.as_bytes());
            let row = row.clone();
            self.write_sealed_alone("user.name", audit.clone(), move |tx| {
                Box::pin(async move {
                    expect(tx, &row).await?;
                    data_key::hold_one(tx, &key).await?;
                    tx.run("UPDATE users SET name = $2 WHERE id = $1", values![row, sealed]).await?;
                    epoch::bump(tx, Scope::Users).await
                })
            })
        })
        .await
    }

    /// Changes the language in which the account is spoken to.
    pub async fn set_language(
        &self,
        id: UserId,
        language: Option<Language>,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let (id, tag) = (id.to_string(), language.map(Language::tag));
        self.write_alone("user.language", audit, move |tx| {
            Box::pin(async move {
                expect(tx, &id).await?;
                tx.run("UPDATE users SET language = $2 WHERE id = $1", values![id, tag]).await?;
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }

    /// Notes that the address is proven; the first time stays. `conflict` for an account without an address.
    pub async fn verify_email(&self, id: UserId, audit: Vec<AuditEvent>) -> Result<()> {
        let (id, now) = (id.to_string(), self.inside.ambient.now());
        self.write_alone("user.verify", audit, move |tx| {
            Box::pin(async move {
                expect(tx, &id).await?;
                let sql = "UPDATE users SET verified_at = COALESCE(verified_at, $2) \
                           WHERE id = $1 AND email_tag IS NOT NULL";
                if tx.run(sql, values![id, now]).await? == 0 {
                    return Err(Fault::new(Code::Conflict).say("The account has no address.").into());
                }
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }

    /// Ends the sessions of an account, all but `keep`, and every stateless credential from before. Gives how many
    /// sessions ended.
    pub async fn sign_out_everywhere(
        &self,
        id: UserId,
        keep: Option<SessionId>,
        audit: Vec<AuditEvent>,
    ) -> Result<u64> {
        let (id, now) = (id.to_string(), self.inside.ambient.now());
        self.write_alone("user.sign_out", audit, move |tx| {
            Box::pin(async move {
                move_valid_from(tx, &id, now).await?;
                let ended = session::end_all(tx, &id, keep).await?;
                epoch::bump(tx, Scope::Users).await?;
                Ok(ended)
            })
        })
        .await
    }
}
