//! What a cache of permissions holds about an account: nothing sealed, two cheap queries.
//! It never decides what any of it allows.

use kernel::{AppId, Fault, Level, Result, Role, Time, UserId};

use crate::Store;

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
    /// Its grants, by app.
    pub grants: Vec<(AppId, Level)>,
}

impl Store {
    /// What an account may; `None` when there is none.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>> {
        let _ = user;
        Err(Fault::internal("not written yet"))
    }
}
