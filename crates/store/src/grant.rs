//! Grants: which account may use or manage which app. It never decides what a grant allows.

use kernel::{AppId, AuditEvent, Code, Cursor, Fault, Level, Page, PageRequest, Result, Time, UserId};
use serde_json::Value as Json;

use crate::Store;
use crate::account::{expect, told};
use crate::data_key::Refusal;
use crate::epoch::{self, Scope};
use crate::tx::Tx;
use crate::value::{Row, values};

/// A grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Whose it is.
    pub user: UserId,
    /// For which app.
    pub app: AppId,
    /// What it allows.
    pub level: Level,
    /// Since when it allows that.
    pub created_at: Time,
}

/// The level in a column.
pub(crate) fn level(row: &Row, index: usize) -> Result<Level> {
    Level::parse(&row.text(index)?).map_err(|_| Fault::internal("a grant has no known level"))
}

/// What the grant allows now.
async fn held(tx: &mut Tx, user: &str, app: &str) -> Result<Option<Level>, Refusal> {
    let sql = "SELECT level FROM grants WHERE user_id = $1 AND app = $2";
    let row = tx.one(sql, values![user, app]).await?;
    Ok(row.map(|row| level(&row, 0)).transpose()?)
}

impl Store {
    /// Grants an app, or changes what the grant allows. `not_found` for an unknown account. Events of
    /// `permission.changed` get `before` and `after`; what is so already changes nothing and is not audited.
    pub async fn set_grant(
        &self,
        user: UserId,
        app: &AppId,
        level: Level,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let (user, app, now) = (user.to_string(), app.as_str().to_owned(), self.inside.ambient.now());
        self.write_alone("grant.set", Vec::new(), move |tx| {
            Box::pin(async move {
                expect(tx, &user).await?;
                let before = held(tx, &user, &app).await?;
                if before == Some(level) {
                    return Ok(());
                }
                tx.run(
                    "INSERT INTO grants (user_id, app, level, created_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (user_id, app) DO UPDATE SET level = excluded.level, created_at = excluded.created_at",
                    values![user, app, level.as_str(), now],
                )
                .await?;
                epoch::bump(tx, Scope::Users).await?;
                tx.events.extend(told(audit, before.map(Level::as_str), level.as_str()));
                Ok(())
            })
        })
        .await
    }

    /// Takes a grant away. `not_found` when there is none. Events as with [`Store::set_grant`].
    pub async fn remove_grant(&self, user: UserId, app: &AppId, audit: Vec<AuditEvent>) -> Result<()> {
        let (user, app) = (user.to_string(), app.as_str().to_owned());
        self.write_alone("grant.remove", Vec::new(), move |tx| {
            Box::pin(async move {
                let before = held(tx, &user, &app).await?.ok_or_else(|| Fault::new(Code::NotFound))?;
                tx.run("DELETE FROM grants WHERE user_id = $1 AND app = $2", values![user, app]).await?;
                epoch::bump(tx, Scope::Users).await?;
                tx.events.extend(told(audit, before.as_str(), Json::Null));
                Ok(())
            })
        })
        .await
    }

    /// The grants of an account, by app.
    pub async fn grants(&self, user: UserId) -> Result<Vec<(AppId, Level)>> {
        let sql = "SELECT app, level FROM grants WHERE user_id = $1 ORDER BY app";
        let rows = self.read("grant.list").await?.all(sql, values![user.to_string()]).await?;
        rows.iter().map(|row| Ok((AppId::parse(&row.text(0)?)?, level(row, 1)?))).collect()
    }

    /// All grants, newest first.
    pub async fn grants_page(&self, page: PageRequest) -> Result<Page<Grant>> {
        let (at, (user, app)) = match &page.after {
            Some(cursor) => (cursor.key, untie(&cursor.tie)?),
            None => (i64::MAX, (String::new(), String::new())),
        };
        let sql = "SELECT user_id, app, level, created_at FROM grants WHERE created_at <= $1 AND (created_at < $1 \
                   OR user_id < $2 OR (user_id = $2 AND app < $3)) \
                   ORDER BY created_at DESC, user_id DESC, app DESC LIMIT $4";
        let values = values![at, user, app, page.limit.saturating_add(1)];
        let rows = self.read("grant.page").await?.all(sql, values).await?;
        let read = |row: &Row| {
            Ok(Grant {
                user: UserId::parse(&row.text(0)?)?,
                app: AppId::parse(&row.text(1)?)?,
                level: level(row, 2)?,
                created_at: row.time(3)?,
            })
        };
        let grants: Result<Vec<Grant>> = rows.iter().map(read).collect();
        Ok(Page::cut(grants?, page.limit, |grant| Cursor { key: grant.created_at.micros(), tie: tie(grant) }))
    }
}

/// What tells grants of one moment apart: the account's id without hyphens and the app, 64 letters at the most,
/// which is what a cursor may hold.
fn tie(grant: &Grant) -> String {
    format!("{}{}", grant.user.to_string().replace('-', ""), grant.app)
}

/// The account's id and the app from [`tie`].
fn untie(tie: &str) -> Result<(String, String)> {
    let parts = || {
        let part = |range: std::ops::Range<usize>| tie.get(range);
        let id = [part(0..8)?, part(8..12)?, part(12..16)?, part(16..20)?, part(20..32)?].join("-");
        Some((id, tie.get(32..)?.to_owned()))
    };
    parts().ok_or_else(|| Fault::invalid("after", "invalid_cursor", "this is no cursor of this list"))
}
