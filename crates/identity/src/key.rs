//! API keys: those of the environment and those of the database, held in memory by digest and replaced as a
//! whole when the database says that something changed. A guessed key therefore costs no query.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use crypto::token;
use kernel::{AppId, KeyId, Secret, Time};
use store::ApiKey;

use crate::Apps;

/// A key as the look-up sees it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: KeyId,
    pub(crate) apps: Apps,
    pub(crate) expires_at: Option<Time>,
    pub(crate) revoked: bool,
}

/// The keys that this process knows.
pub struct Keys {
    /// The apps that take keys.
    open: Vec<AppId>,
    environment: ArcSwap<HashMap<String, Known>>,
    stored: ArcSwap<HashMap<String, Known>>,
}

impl Keys {
    /// With the keys of the environment; those of the database come with [`Keys::replace`].
    pub fn new(environment: &[Secret<String>], open: Vec<AppId>) -> Keys {
        let keys = Keys { open, environment: ArcSwap::default(), stored: ArcSwap::default() };
        keys.renew(environment);
        keys
    }

    /// Replaces the keys of the environment by these.
    pub fn renew(&self, environment: &[Secret<String>]) {
        let apps = Apps(self.open.as_slice().into());
        let environment = environment
            .iter()
            .map(|key| {
                let digest = token::digest(key.expose());
                let known = Known {
                    id: environment_id(&digest),
                    apps: apps.clone(),
                    expires_at: None,
                    revoked: false,
                };
                (digest, known)
            })
            .collect();
        self.environment.store(Arc::new(environment));
    }

    /// Replaces the keys of the database by these.
    pub fn replace(&self, keys: Vec<ApiKey>) {
        let stored = keys
            .into_iter()
            .map(|key| {
                let revoked = key.revoked_at.is_some();
                // An empty list of a key means every app that takes keys.
                let open = self.open.iter().filter(|app| key.apps.is_empty() || key.apps.contains(app));
                let apps = Apps(open.cloned().collect());
                (key.digest, Known { id: key.id, apps, expires_at: key.expires_at, revoked })
            })
            .collect();
        self.stored.store(Arc::new(stored));
    }

    pub(crate) fn find(&self, key: &str) -> Option<Known> {
        let digest = token::digest(key);
        self.environment.load().get(&digest).cloned().or_else(|| self.stored.load().get(&digest).cloned())
    }

    /// Whether the key with this id is accepted now.
    pub(crate) fn stands(&self, id: KeyId, now: Time) -> bool {
        let alive =
            |known: &Known| known.id == id && !known.revoked && known.expires_at.is_none_or(|at| now < at);
        self.environment.load().values().any(alive) || self.stored.load().values().any(alive)
    }
}

/// Keys of the environment have no row; their id comes from their digest, so that it is the same on every
/// replica and after every restart. RFC 9562 version 8: 128 bits of our own making.
fn environment_id(digest: &str) -> KeyId {
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digest.as_bytes().chunks_exact(2)) {
        *byte =
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
    }
    KeyId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn environment_keys_have_lasting_ids() {
        let secret = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
        let ids: Vec<Uuid> = (0..2)
            .map(|_| {
                Keys::new(std::slice::from_ref(&secret), Vec::new()).find(secret.expose()).unwrap().id.uuid()
            })
            .collect();
        assert_eq!(ids[0], ids[1]);
        assert!(Keys::new(&[secret], Vec::new()).find("another").is_none());
    }
}
