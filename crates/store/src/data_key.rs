//! The data key of each subject: made on the first write, wrapped by the master key, destroyed by an erasure.
//! A transaction that writes sealed values holds the key's row, so that no value is ever written under a key
//! that is being destroyed. It never hands a key out of this crate.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crypto::stream::{Opener, Sealer};
use crypto::{AnotherKey, DataKey, Place};
use kernel::{Code, Fault, Result, Subject};

use crate::Store;
use crate::bulk::{self, Rows, Verb};
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Value, values};

/// A subject's key as this process knows it.
pub(crate) struct SubjectKey {
    pub(crate) subject: String,
    key: DataKey,
    wrapped: Vec<u8>,
    created_at: i64,
    /// The row is known to be in the database.
    stored: AtomicBool,
}

impl SubjectKey {
    /// Seals a value for its place.
    pub(crate) fn seal(&self, store: &Store, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        crypto::seal(&self.key, place, plain, store.inside.ambient.random())
    }

    /// Opens a value that was sealed for this place.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        crypto::open(&self.key, place, sealed)
    }

    /// Opens a text.
    pub(crate) fn open_text(&self, place: Place<'_>, sealed: &[u8]) -> Result<String> {
        String::from_utf8(self.open(place, sealed)?)
            .map_err(|_| Fault::internal("a sealed text is not UTF-8"))
    }

    /// Seals the content of a blob.
    pub(crate) fn sealer(&self, store: &Store, place: Place<'_>) -> Sealer {
        Sealer::new(&self.key, place, store.inside.ambient.random())
    }

    /// Opens the content of a blob.
    pub(crate) fn opener(&self, place: Place<'_>, header: &[u8], size: u64) -> Result<Opener> {
        Opener::new(&self.key, place, header, size)
    }

    /// Tags of what the subject wrote.
    pub(crate) fn blind(&self, purpose: &str) -> crypto::Blind {
        self.key.blind(purpose)
    }

    /// The name of a content under this key.
    pub(crate) fn name_content(&self, digest: &[u8; 32]) -> String {
        self.key.name_content(digest)
    }
}

/// A subject's key as a query found it beside the values that it opens, of the same moment: no cache can be behind.
pub(crate) struct RowKey(DataKey);

impl RowKey {
    /// Opens a value that was sealed for this place.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        crypto::open(&self.0, place, sealed)
    }

    /// Opens a text.
    pub(crate) fn open_text(&self, place: Place<'_>, sealed: &[u8]) -> Result<String> {
        String::from_utf8(self.open(place, sealed)?)
            .map_err(|_| Fault::internal("a sealed text is not UTF-8"))
    }
}

impl Store {
    /// The key of an account from its wrapped form.
    pub(crate) fn row_key(&self, user: &str, wrapped: &[u8]) -> Result<RowKey> {
        self.inside.keyring.unwrap(&format!("user:{user}"), wrapped).map(RowKey)
    }

    /// The key of a subject; a new one, not stored yet, when the subject has none.
    pub(crate) async fn subject_key(&self, subject: &Subject) -> Result<Arc<SubjectKey>> {
        match self.inside.data_keys.get(subject).await {
            Some(known) if known.stored.load(Ordering::Relaxed) => Ok(known),
            // In a box: every turn has this call in it, and few go on here.
            known => Box::pin(self.look_up_key(subject, known)).await,
        }
    }

    async fn look_up_key(
        &self,
        subject: &Subject,
        known: Option<Arc<SubjectKey>>,
    ) -> Result<Arc<SubjectKey>> {
        if let Some(known) = known {
            // Another process may have made the first one by now; else this one is still the one to come.
            let found = self.load_subject_key(subject).await?;
            if !found.stored.load(Ordering::Relaxed) {
                return Ok(known);
            }
            self.inside.data_keys.insert(*subject, Arc::clone(&found)).await;
            return Ok(found);
        }
        self.inside
            .data_keys
            .try_get_with(*subject, self.load_subject_key(subject))
            .await
            // The fault is shared by all who waited for it; each gets one of its own.
            .map_err(|shared: Arc<Fault>| {
                let fault = Fault::new(shared.code()).because(format!("{shared:?}"));
                match shared.retry() {
                    Some(span) => fault.retry_after(span),
                    None => fault,
                }
            })
    }

    async fn load_subject_key(&self, subject: &Subject) -> Result<Arc<SubjectKey>> {
        let name = subject.to_string();
        let row = self
            .read("data_key.read")
            .await?
            .one("SELECT wrapped, created_at FROM data_keys WHERE subject = $1", values![name.as_str()])
            .await?;
        let keyring = &self.inside.keyring;
        Ok(Arc::new(match row {
            Some(row) => {
                let wrapped = row.bytes(0)?;
                let key = keyring.unwrap(&name, &wrapped)?;
                SubjectKey {
                    subject: name,
                    key,
                    wrapped,
                    created_at: row.int(1)?,
                    stored: AtomicBool::new(true),
                }
            }
            None => {
                let ambient = &self.inside.ambient;
                let key = DataKey::generate(ambient.random());
                let wrapped = keyring.wrap(&name, &key, ambient.random());
                let created_at = ambient.now().micros();
                SubjectKey { subject: name, key, wrapped, created_at, stored: AtomicBool::new(false) }
            }
        }))
    }

    /// Opens what a query has found. Where it was sealed with another key than the one in hand, this process is behind:
    /// another one destroyed the key, or made the first. Then it is opened with the key of the database.
    pub(crate) async fn opened<T>(
        &self,
        subject: &Subject,
        open: impl Fn(&SubjectKey) -> Result<T>,
    ) -> Result<T> {
        match open(&*self.subject_key(subject).await?) {
            Err(fault) if AnotherKey::is_behind(&fault) => open(&*self.fresh_key(subject).await?),
            outcome => outcome,
        }
    }

    /// The key of a subject as the database has it now.
    pub(crate) async fn fresh_key(&self, subject: &Subject) -> Result<Arc<SubjectKey>> {
        self.inside.data_keys.invalidate(subject).await;
        self.subject_key(subject).await
    }

    /// Runs a write that seals values, again with the subject's new key when the one in hand was replaced.
    pub(crate) async fn with_subject_key<T, F>(
        &self,
        subject: &Subject,
        attempt: impl Fn(Arc<SubjectKey>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        for _ in 0..ATTEMPTS {
            let key = self.subject_key(subject).await?;
            match attempt(key.clone()).await {
                Ok(done) => {
                    key.stored.store(true, Ordering::Relaxed);
                    return Ok(done);
                }
                Err(Refusal::Fault(fault)) => return Err(fault),
                Err(Refusal::StaleKey) => self.inside.data_keys.invalidate(subject).await,
            }
        }
        Err(Fault::new(Code::Conflict).because("the data key of the subject changes again and again"))
    }
}

/// How often a write is sealed again; only an erasure after an erasure ever uses more than two.
const ATTEMPTS: usize = 12;

/// Why a sealed write was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// For good.
    Fault(Fault),
    /// The values were sealed under a key that is no longer the subject's: seal them again.
    StaleKey,
}

impl<E: Into<Fault>> From<E> for Refusal {
    fn from(fault: E) -> Refusal {
        Refusal::Fault(fault.into())
    }
}

const STORE: Rows = Rows {
    verb: Verb::Insert(
        "INSERT INTO data_keys (subject, wrapped, created_at)",
        " ON CONFLICT (subject) DO NOTHING",
    ),
    width: 3,
};

/// Whom a held key keeps out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Held {
    /// Who would destroy or replace it. Others may write for the same subject: an API key serves many callers at once.
    Shared,
    /// Everybody who writes for the subject: something of theirs is counted.
    Alone,
}

/// Stores the keys that are new, locks the rows of all until the commit, and gives the subjects whose key in
/// hand is not the one in the database.
pub(crate) async fn hold(tx: &mut Tx, keys: &[&SubjectKey], held: Held) -> Result<HashSet<String>, Trouble> {
    let unique: HashMap<&str, &SubjectKey> = keys.iter().map(|key| (key.subject.as_str(), *key)).collect();
    let mut fresh: Vec<&&SubjectKey> =
        unique.values().filter(|key| !key.stored.load(Ordering::Relaxed)).collect();
    fresh.sort_unstable_by_key(|key| key.subject.as_str());
    let rows =
        fresh.iter().flat_map(|key| values![key.subject.as_str(), key.wrapped.clone(), key.created_at]);
    STORE.run(tx, rows.collect::<Vec<Value>>()).await?;
    let tail = match held {
        Held::Shared => tx.engine().shared(),
        Held::Alone => tx.engine().locked(),
    };
    let subjects = unique.keys().map(|subject| (*subject).to_owned()).collect();
    let found =
        bulk::find(tx, "SELECT subject, wrapped FROM data_keys WHERE subject IN", tail, subjects).await?;
    let mut stored = HashMap::with_capacity(found.len());
    for row in found {
        stored.insert(row.text(0)?, row.bytes(1)?);
    }
    let stale = keys.iter().filter(|key| stored.get(&key.subject) != Some(&key.wrapped));
    Ok(stale.map(|key| key.subject.clone()).collect())
}

/// The subjects whose key in hand is not the one in the database, without a lock: see [`check_one`].
pub(crate) async fn check(tx: &mut Tx, keys: &[&SubjectKey]) -> Result<HashSet<String>, Trouble> {
    let head = "SELECT k.subject, k.wrapped FROM data_keys k WHERE k.subject IN";
    let subjects = keys.iter().map(|key| key.subject.clone()).collect();
    let mut stored = HashMap::with_capacity(keys.len());
    for row in bulk::find(tx, head, "", subjects).await? {
        stored.insert(row.text(0)?, row.bytes(1)?);
    }
    let stale = keys.iter().filter(|key| stored.get(&key.subject) != Some(&key.wrapped));
    Ok(stale.map(|key| key.subject.clone()).collect())
}

/// [`hold`] for one subject, inside a job.
pub(crate) async fn hold_one(tx: &mut Tx, key: &SubjectKey) -> Result<(), Refusal> {
    if hold(tx, &[key], Held::Alone).await?.is_empty() { Ok(()) } else { Err(Refusal::StaleKey) }
}

/// That the key in hand is the stored one, without a lock: enough for a job beside which nothing runs alone, because
/// keys are replaced by what runs alone.
pub(crate) async fn check_one(tx: &mut Tx, key: &SubjectKey) -> Result<(), Refusal> {
    let sql = "SELECT wrapped FROM data_keys WHERE subject = $1";
    match tx.one(sql, values![key.subject.as_str()]).await? {
        Some(row) if row.bytes(0)? == key.wrapped => Ok(()),
        _ => Err(Refusal::StaleKey),
    }
}
