//! API keys as their makers manage them. A key is never stronger than the account that made it: not when it is
//! made, and not when it is used. The key itself is shown once and never stored.

use std::sync::Arc;

use kernel::{Ambient, AppId, Code, Fault, KeyId, Page, PageRequest, Result, Secret, Time};
use store::{ApiKey, Store};

use crate::{Identity, KeysManage, May};

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewApiKey {
    /// What its maker calls it.
    pub name: String,
    /// The apps it may enter; empty means every app that its maker may enter and that takes keys.
    pub apps: Vec<AppId>,
    /// What it may be used for; empty means everything.
    pub scopes: Vec<String>,
    /// Turns in any minute, at most.
    pub per_minute: Option<u32>,
    /// Turns in any hour, at most.
    pub per_hour: Option<u32>,
    /// When it stops working.
    pub expires_at: Option<Time>,
}

/// The service of keys.
pub struct KeyService {
    identity: Arc<Identity>,
    store: Store,
    ambient: Ambient,
}

impl KeyService {
    /// Over these rooms.
    pub const fn new(identity: Arc<Identity>, store: Store, ambient: Ambient) -> KeyService {
        KeyService { identity, store, ambient }
    }

    /// Makes a key; the secret is shown this once.
    pub async fn create(&self, may: &May<KeysManage>, new: NewApiKey) -> Result<(ApiKey, Secret<String>)> {
        Err(Fault::new(Code::Unavailable))
    }

    /// One's own keys, oldest first.
    pub async fn list(&self, may: &May<KeysManage>, page: PageRequest) -> Result<Page<ApiKey>> {
        Err(Fault::new(Code::Unavailable))
    }

    /// Ends a key of one's own for good.
    pub async fn revoke(&self, may: &May<KeysManage>, id: KeyId) -> Result<()> {
        Err(Fault::new(Code::Unavailable))
    }

    /// Replaces the secret of a key of one's own.
    pub async fn rotate(&self, may: &May<KeysManage>, id: KeyId) -> Result<(ApiKey, Secret<String>)> {
        Err(Fault::new(Code::Unavailable))
    }
}
