//! What admins do: users, grants, sessions, keys, the brake, the log, alerts. The command line does the same through
//! the store with `Actor::Operator`. Every change is audited in its transaction and holds at once.

mod subjects;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    AlertId, Ambient, AppId, Code, Fault, KeyId, Level, Page, PageRequest, Result, Role, SessionId, UserId,
};
use store::{ApiKey, AuditFilter, Block, Lockdown, Mode, Session, Store, StoredEvent, User, UserFilter};

use crate::{Accounts, Admin, Identity, May};

pub use subjects::NewAccount;

/// What `revoke` ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Every session: of browsers and of programs.
    Sessions,
    /// Every access and refresh token, and every ID token issued before now.
    Tokens,
    /// Every API key of the database; those of the environment end with the environment.
    Keys,
    /// All of these, and the cookies of visitors.
    All,
}

/// How much `revoke` ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Revoked {
    /// Sessions of browsers.
    pub sessions: u64,
    /// Sessions of programs.
    pub tokens: u64,
    /// Keys.
    pub keys: u64,
}

/// The services of admins.
pub struct Administration {
    identity: Arc<Identity>,
    accounts: Arc<Accounts>,
    store: Store,
    ambient: Ambient,
}

impl Administration {
    /// Over these rooms.
    pub const fn new(
        identity: Arc<Identity>,
        accounts: Arc<Accounts>,
        store: Store,
        ambient: Ambient,
    ) -> Administration {
        Administration { identity, accounts, store, ambient }
    }
}

mod shape {
    #![allow(unused_variables, clippy::unused_async)]
    use super::*;

    fn later<T>() -> Result<T> {
        Err(Fault::new(Code::Unavailable))
    }

    impl Administration {
        pub async fn users(
            &self,
            may: &May<Admin>,
            filter: UserFilter,
            page: PageRequest,
        ) -> Result<Page<User>> {
            later()
        }
        pub async fn user(&self, may: &May<Admin>, id: UserId) -> Result<User> {
            later()
        }
        /// Invites to an address; gives the link's token, which the admin passes on when no mail is configured.
        pub async fn invite(
            &self,
            may: &May<Admin>,
            email: &str,
            role: Role,
        ) -> Result<kernel::Secret<String>> {
            later()
        }
        pub async fn set_role(&self, may: &May<Admin>, id: UserId, role: Role) -> Result<User> {
            later()
        }
        pub async fn set_active(&self, may: &May<Admin>, id: UserId, active: bool) -> Result<User> {
            later()
        }
        pub async fn sign_out_user(&self, may: &May<Admin>, id: UserId) -> Result<()> {
            later()
        }
        pub async fn grants(&self, may: &May<Admin>, user: UserId) -> Result<Vec<(AppId, Level)>> {
            later()
        }
        pub async fn set_grant(
            &self,
            may: &May<Admin>,
            user: UserId,
            app: &AppId,
            level: Level,
        ) -> Result<()> {
            later()
        }
        pub async fn remove_grant(&self, may: &May<Admin>, user: UserId, app: &AppId) -> Result<()> {
            later()
        }
        pub async fn sessions(
            &self,
            may: &May<Admin>,
            user: Option<UserId>,
            page: PageRequest,
        ) -> Result<Page<Session>> {
            later()
        }
        pub async fn end_session(&self, may: &May<Admin>, id: SessionId) -> Result<()> {
            later()
        }
        pub async fn keys(
            &self,
            may: &May<Admin>,
            user: Option<UserId>,
            page: PageRequest,
        ) -> Result<Page<ApiKey>> {
            later()
        }
        pub async fn revoke_key(&self, may: &May<Admin>, id: KeyId) -> Result<()> {
            later()
        }
        pub async fn lockdown(&self, may: &May<Admin>) -> Result<Lockdown> {
            later()
        }
        pub async fn set_lockdown(&self, may: &May<Admin>, mode: Mode) -> Result<Lockdown> {
            later()
        }
        pub async fn revoke(&self, may: &May<Admin>, what: What) -> Result<Revoked> {
            later()
        }
        pub async fn blocks(&self, may: &May<Admin>) -> Result<Vec<Block>> {
            later()
        }
        /// Blocks an address or network, for good or for this long.
        pub async fn block(
            &self,
            may: &May<Admin>,
            net: &str,
            span: Option<Duration>,
            reason: Option<String>,
        ) -> Result<Block> {
            later()
        }
        pub async fn unblock(&self, may: &May<Admin>, net: &str) -> Result<()> {
            later()
        }
        pub async fn audit(
            &self,
            may: &May<Admin>,
            filter: AuditFilter,
            page: PageRequest,
        ) -> Result<Page<StoredEvent>> {
            later()
        }
    }
}
