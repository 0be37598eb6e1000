//! API keys: those of the environment and those of the database, held in memory by digest and replaced as a
//! whole when the database says that something changed. A guessed key therefore costs no query.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use crypto::token;
use kernel::{AppId, KeyId, Secret, Time, UserId};
use store::ApiKey;

use crate::Apps;
use crate::principal::OwnLimits;
use crate::scope::Scopes;

/// A key as the look-up sees it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: KeyId,
    /// The apps that the key itself allows; [`None`] allows all.
    only: Option<Arc<[AppId]>>,
    /// The account that made it; [`None`]: the operator.
    pub(crate) maker: Option<UserId>,
    pub(crate) scopes: Scopes,
    pub(crate) limits: OwnLimits,
    pub(crate) expires_at: Option<Time>,
    pub(crate) revoked: bool,
    /// Tells this secret from the one that replaces it under the same id.
    pub(crate) print: i64,
}

/// The keys that this process knows.
pub struct Keys {
    /// The apps that take keys.
    open: Apps,
    environment: ArcSwap<Table>,
    stored: ArcSwap<Table>,
}

/// Keys by digest, and their digests by id.
#[derive(Clone, Debug, Default)]
struct Table {
    by_digest: HashMap<String, Known>,
    by_id: HashMap<KeyId, String>,
}

impl Table {
    fn add(&mut self, digest: String, known: Known) {
        // The digest of a key that was replaced is not one any more.
        if let Some(before) = self.by_id.insert(known.id, digest.clone()).filter(|before| *before != digest) {
            self.by_digest.remove(&before);
        }
        self.by_digest.insert(digest, known);
    }

    fn by_id(&self, id: KeyId) -> Option<&Known> {
        self.by_digest.get(self.by_id.get(&id)?)
    }
}

impl Keys {
    /// With the keys of the environment; those of the database come with [`Keys::replace`].
    pub fn new(environment: &[Secret<String>], open: Vec<AppId>) -> Keys {
        let keys =
            Keys { open: Apps(open.into()), environment: ArcSwap::default(), stored: ArcSwap::default() };
        keys.renew(environment);
        keys
    }

    /// Replaces the keys of the environment by these.
    pub(crate) fn renew(&self, environment: &[Secret<String>]) {
        let mut table = Table::default();
        for key in environment {
            let digest = token::digest(key.expose());
            let known = Known {
                print: print(&digest),
                id: environment_id(&digest),
                only: None,
                maker: None,
                scopes: Scopes::ALL,
                limits: OwnLimits::default(),
                expires_at: None,
                revoked: false,
            };
            table.add(digest, known);
        }
        self.environment.store(Arc::new(table));
    }

    /// Replaces the keys of the database by these.
    pub fn replace(&self, keys: Vec<ApiKey>) {
        let mut table = Table::default();
        for key in keys {
            let (digest, known) = stored(key);
            table.add(digest, known);
        }
        self.stored.store(Arc::new(table));
    }

    /// Takes note of one key that this process has just made or changed.
    pub(crate) fn learn(&self, key: &ApiKey) {
        self.stored.rcu(|table| {
            let mut table = Table::clone(table);
            let (digest, known) = stored(key.clone());
            table.add(digest, known);
            table
        });
    }

    /// Takes note that this process has just revoked one key, or all.
    pub(crate) fn revoke(&self, id: Option<KeyId>) {
        self.stored.rcu(|table| {
            let mut table = Table::clone(table);
            for known in table.by_digest.values_mut().filter(|known| id.is_none_or(|id| known.id == id)) {
                known.revoked = true;
            }
            table
        });
    }

    pub(crate) fn find(&self, key: &str) -> Option<Known> {
        let digest = token::digest(key);
        let stored = || self.stored.load().by_digest.get(&digest).cloned();
        self.environment.load().by_digest.get(&digest).cloned().or_else(stored)
    }

    /// Whether the key has no row.
    pub(crate) fn is_environment(&self, id: KeyId) -> bool {
        self.environment.load().by_id(id).is_some()
    }

    pub(crate) fn by_id(&self, id: KeyId) -> Option<Known> {
        self.environment.load().by_id(id).cloned().or_else(|| self.stored.load().by_id(id).cloned())
    }

    /// The apps that a key may enter now: those that take keys, that it was made for, and that its maker may enter.
    pub(crate) fn apps(&self, known: &Known, maker: Option<&Apps>) -> Apps {
        let allowed = |app: &&AppId| {
            known.only.as_ref().is_none_or(|only| only.contains(app))
                && maker.is_none_or(|maker| maker.contains(app))
        };
        Apps(self.open.iter().filter(allowed).cloned().collect())
    }

    /// The apps that take keys.
    pub(crate) const fn open(&self) -> &Apps {
        &self.open
    }
}

fn stored(key: ApiKey) -> (String, Known) {
    let known = Known {
        print: print(&key.digest),
        id: key.id,
        // An empty list of a key means every app that takes keys.
        only: (!key.apps.is_empty()).then(|| key.apps.into()),
        maker: key.user,
        scopes: Scopes::stored(&key.scopes),
        limits: OwnLimits { per_minute: key.per_minute, per_hour: key.per_hour },
        expires_at: key.expires_at,
        revoked: key.revoked_at.is_some(),
    };
    (key.digest, known)
}

/// 60 bits of the digest: two secrets of one key differ in them, and nothing is looked up by them.
fn print(digest: &str) -> i64 {
    digest.get(..15).and_then(|text| i64::from_str_radix(text, 16).ok()).unwrap_or_default()
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

    #[test]
    fn a_key_that_left_the_environment_is_unknown() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let keys = Keys::new(&[secret("one"), secret("two")], Vec::new());
        let id = keys.find("one").unwrap().id;
        keys.renew(&[secret("two"), secret("three")]);
        assert!(keys.find("one").is_none() && keys.by_id(id).is_none() && !keys.is_environment(id));
        assert!(keys.find("two").is_some() && keys.find("three").is_some());
    }
}
