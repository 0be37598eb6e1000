//! What a cache of permissions holds about an account: nothing sealed, two cheap queries.
//! It never decides what any of it allows.

use kernel::{AppId, Language, Level, Result, Role, Time, UserId};

use crate::Store;
use crate::grant::level;
use crate::user::role;
use crate::value::values;

/// What an account may, as far as the database knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id.
    pub user: UserId,
    /// Its role.
    pub role: Role,
    /// Since when it is inactive.
    pub disabled_at: Option<Time>,
    /// Stateless credentials from before this moment are refused.
    pub valid_from: Time,
    /// The language in which it is spoken to, where one was chosen.
    pub language: Option<Language>,
    /// Its grants, by app.
    pub grants: Vec<(AppId, Level)>,
}

impl Store {
    /// What an account may; `None` when there is none.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>> {
        let id = user.to_string();
        let mut reader = self.read("account.get").await?;
        let sql = "SELECT id, role, disabled_at, valid_from, language FROM users WHERE id = $1";
        let Some(row) = reader.one(sql, values![id.as_str()]).await? else { return Ok(None) };
        let sql = "SELECT app, level FROM grants WHERE user_id = $1 ORDER BY app";
        let grants = reader.all(sql, values![id]).await?;
        Ok(Some(Account {
            user,
            role: role(&row, 1)?,
            disabled_at: row.maybe_time(2)?,
            valid_from: row.time(3)?,
            language: row.maybe_text(4)?.as_deref().and_then(Language::parse),
            grants: grants
                .iter()
                .map(|row| Ok((AppId::parse(&row.text(0)?)?, level(row, 1)?)))
                .collect::<Result<_>>()?,
        }))
    }
}
