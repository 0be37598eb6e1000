//! What this process remembers of sessions and accounts, so that a request costs no query. Everything is forgotten
//! at once when anything of it changed, here or elsewhere; what was being read at that moment is not kept.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Level, Result, SessionId, Time, UserId};
use moka::sync::Cache;
use store::{Account, Session};

use crate::principal::Apps;

/// How long something is remembered when nothing changes (row 001.58 of the requirements).
const AGE: Duration = Duration::from_secs(3_600);
/// How many of each sort are remembered; some hundred bytes each.
const MOST: u64 = 100_000;

/// An account as permissions see it: with the apps that follow from its role and grants.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) account: Account,
    pub(crate) apps: Apps,
    pub(crate) managed: Apps,
}

impl Holder {
    /// What the account was granted in an app, when anything.
    pub(crate) fn granted(account: &Account, app: &kernel::AppId) -> Option<Level> {
        account.grants.iter().find(|(granted, _)| granted == app).map(|(_, level)| *level)
    }
}

/// An ID token that was found to be good.
#[derive(Clone, Debug)]
pub(crate) struct Introduced {
    pub(crate) user: UserId,
    pub(crate) issued_at: Time,
    pub(crate) proven_at: Time,
    pub(crate) expires_at: Time,
}

type Kept<K, V> = Cache<K, (u64, Arc<V>)>;

/// The memory.
pub(crate) struct Memory {
    /// Moves with every change. What was read under another number is not believed any more; an answer that was on
    /// its way from the database while it moved is not either.
    generation: AtomicU64,
    pub(crate) digests: Kept<String, Session>,
    pub(crate) sessions: Kept<SessionId, Session>,
    pub(crate) holders: Kept<UserId, Holder>,
    pub(crate) introduced: Kept<[u8; 32], Introduced>,
}

fn kept<K: Hash + Eq + Send + Sync + 'static, V: Send + Sync + 'static>() -> Kept<K, V> {
    Cache::builder().max_capacity(MOST).time_to_live(AGE).build()
}

impl Memory {
    pub(crate) fn new() -> Memory {
        Memory {
            generation: AtomicU64::new(0),
            digests: kept(),
            sessions: kept(),
            holders: kept(),
            introduced: kept(),
        }
    }

    /// The number under which something that is read from now on is kept.
    pub(crate) fn mark(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.digests.invalidate_all();
        self.sessions.invalidate_all();
        self.holders.invalidate_all();
        self.introduced.invalidate_all();
    }

    /// What is remembered under this key.
    pub(crate) fn find<K, V>(&self, kept: &Kept<K, V>, key: &K) -> Option<Arc<V>>
    where
        K: Hash + Eq + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let found = kept.get(key).filter(|(mark, _)| *mark == self.mark()).map(|(_, value)| value);
        let result = if found.is_some() { "hit" } else { "miss" };
        metrics::counter!("stoa_cache_requests_total", "result" => result).increment(1);
        found
    }

    /// What is remembered under this key, or else what `load` finds. Nothing found is not remembered: who guesses
    /// must not be able to fill the memory.
    pub(crate) async fn recall<K, V>(
        &self,
        kept: &Kept<K, V>,
        key: K,
        load: impl Future<Output = Result<Option<V>>>,
    ) -> Result<Option<Arc<V>>>
    where
        K: Hash + Eq + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        if let Some(value) = self.find(kept, &key) {
            return Ok(Some(value));
        }
        let mark = self.mark();
        // In a box: most requests find what they ask for above, and need no room for reading it.
        let Some(value) = Box::pin(load).await?.map(Arc::new) else { return Ok(None) };
        kept.insert(key, (mark, Arc::clone(&value)));
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_being_read_during_a_change_is_not_kept() {
        let memory = Memory::new();
        let id = UserId::from_uuid(uuid::Uuid::from_u128(1));
        let at = Time::EPOCH;
        let read = Introduced { user: id, issued_at: at, proven_at: at, expires_at: at };
        let slow = async {
            memory.forget();
            Ok(Some(read.clone()))
        };
        assert!(memory.recall(&memory.introduced, [0; 32], slow).await.unwrap().is_some());
        assert!(memory.find(&memory.introduced, &[0; 32]).is_none());
        let quick = async { Ok(Some(read.clone())) };
        memory.recall(&memory.introduced, [0; 32], quick).await.unwrap();
        let never = async { Err(kernel::Code::Unavailable.into()) };
        assert!(memory.recall(&memory.introduced, [0; 32], never).await.unwrap().is_some());
    }
}
