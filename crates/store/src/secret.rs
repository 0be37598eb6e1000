//! The store's own keys: for values of the server itself, for the tags of what clients choose, and for the chain of
//! the audit log. They are drawn once, wrapped by the master key and kept in the database, so that a new master key
//! changes neither values nor tags nor the chain. They also prove that the master key is the right one.

use crypto::{Blind, ChainKey, DataKey, Keyring, Place};
use kernel::{Ambient, Fault, Result};

use crate::Store;
use crate::data_key::Refusal;
use crate::tx::Tx;
use crate::value::values;

/// The name under which the master key wraps the store's own key; no subject is called so.
const NAME: &str = "store";
const PLACE: Place<'static> = Place { table: "server_secret", column: "sealed", row: "1" };
const SELECT: &str = "SELECT fingerprint, wrapped, sealed FROM server_secret WHERE id = 1";

/// The store's own keys.
pub(crate) struct Secrets {
    own: DataKey,
    pub(crate) blind: Blind,
    pub(crate) chain: ChainKey,
}

/// The row that holds them.
struct Stored {
    fingerprint: String,
    wrapped: Vec<u8>,
    sealed: Vec<u8>,
}

impl Secrets {
    fn open_row(keyring: &Keyring, row: &Stored) -> Result<Secrets> {
        let own = keyring.unwrap(NAME, &row.wrapped).map_err(|_| {
            Fault::internal(format!(
                "the encryption key does not belong to this database: the database was made with the key {}, \
                 the configured key is {}",
                row.fingerprint,
                keyring.fingerprint()
            ))
            .say("The encryption key does not belong to this database.")
        })?;
        let bytes = crypto::open(&own, PLACE, &row.sealed)?;
        let part =
            |range: std::ops::Range<usize>| bytes.get(range).and_then(|part| <[u8; 32]>::try_from(part).ok());
        match (part(0..32), part(32..64)) {
            (Some(blind), Some(chain)) => {
                Ok(Secrets { own, blind: Blind::new(blind), chain: ChainKey::new(chain) })
            }
            _ => Err(Fault::internal("the store's own keys have the wrong length")),
        }
    }

    /// Seals a value of the server itself, which has no subject.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8], ambient: &Ambient) -> Vec<u8> {
        crypto::seal(&self.own, place, plain, ambient.random())
    }

    /// Opens a value of the server itself.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        crypto::open(&self.own, place, sealed)
    }
}

impl Store {
    /// Checks that the master key opens this database. The first call on a new database draws the store's own
    /// keys and wraps them. A wrong key is an `internal` fault whose cause names both fingerprints.
    pub async fn check_key(&self) -> Result<()> {
        self.secrets().await.map(drop)
    }

    /// The store's own keys, read once.
    pub(crate) async fn secrets(&self) -> Result<&Secrets> {
        self.inside.secrets.get_or_try_init(|| self.read_secrets()).await
    }

    async fn read_secrets(&self) -> Result<Secrets> {
        let keyring = self.inside.keyring.clone();
        let row = self.read("secret.read").await?.one(SELECT, values![]).await?;
        if let Some(row) = row {
            let stored = Stored { fingerprint: row.text(0)?, wrapped: row.bytes(1)?, sealed: row.bytes(2)? };
            return Secrets::open_row(&keyring, &stored);
        }
        let ambient = self.inside.ambient.clone();
        let stored = self
            .write_plain("secret.make", move |tx| Box::pin(async move { make(tx, &keyring, &ambient).await }))
            .await?;
        Secrets::open_row(&self.inside.keyring, &stored)
    }

    /// Wraps every data key, and the store's own, under the master key that is in use now, so that the previous
    /// ones can be thrown away. Values stay as they are. Gives how many keys were wrapped again.
    pub async fn rewrap_keys(&self) -> Result<u64> {
        self.check_key().await?;
        let mut count = 0;
        let mut after = String::new();
        loop {
            let (keyring, ambient, from) =
                (self.inside.keyring.clone(), self.inside.ambient.clone(), after.clone());
            let (done, last) = self
                .write_alone("secret.rewrap", Vec::new(), move |tx| {
                    Box::pin(rewrap_step(tx, keyring, ambient, from))
                })
                .await?;
            count += done;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        self.inside.data_keys.invalidate_all();
        Ok(count)
    }
}

/// The keys of the database as a transaction finds them, whichever were known before.
pub(crate) async fn read_in(tx: &mut Tx, keyring: &Keyring) -> Result<Secrets, Refusal> {
    let row = tx
        .one(SELECT, values![])
        .await?
        .ok_or_else(|| Fault::internal("the store has no keys of its own"))?;
    let stored = Stored { fingerprint: row.text(0)?, wrapped: row.bytes(1)?, sealed: row.bytes(2)? };
    Ok(Secrets::open_row(keyring, &stored)?)
}

/// Draws the keys unless another process was quicker; gives what the database holds.
async fn make(tx: &mut Tx, keyring: &Keyring, ambient: &Ambient) -> Result<Stored, Refusal> {
    let own = DataKey::generate(ambient.random());
    let wrapped = keyring.wrap(NAME, &own, ambient.random());
    let sealed = crypto::seal(&own, PLACE, &ambient.bytes::<64>(), ambient.random());
    tx.run(
        "INSERT INTO server_secret (id, fingerprint, wrapped, sealed, created_at) VALUES (1, $1, $2, $3, $4) \
         ON CONFLICT (id) DO NOTHING",
        values![keyring.fingerprint(), wrapped, sealed, ambient.now()],
    )
    .await?;
    let row =
        tx.one(SELECT, values![]).await?.ok_or_else(|| Fault::internal("the store's own keys vanished"))?;
    Ok(Stored { fingerprint: row.text(0)?, wrapped: row.bytes(1)?, sealed: row.bytes(2)? })
}

/// Keys that are wrapped again in one transaction, so that nobody waits for long.
const STEP: i64 = 200;

/// Wraps the next keys after the subject `after`; the store's own with the first. Gives how many, and the last
/// subject while there may be more.
async fn rewrap_step(
    tx: &mut Tx,
    keyring: Keyring,
    ambient: Ambient,
    after: String,
) -> Result<(u64, Option<String>), Refusal> {
    let mut count = 0;
    if after.is_empty()
        && let Some(row) = tx.one(SELECT, values![]).await?
    {
        let own = keyring.unwrap(NAME, &row.bytes(1)?)?;
        let wrapped = keyring.wrap(NAME, &own, ambient.random());
        let sql = "UPDATE server_secret SET fingerprint = $1, wrapped = $2 WHERE id = 1";
        count += tx.run(sql, values![keyring.fingerprint(), wrapped]).await?;
    }
    let page = "SELECT subject, wrapped FROM data_keys WHERE subject > $1 ORDER BY subject LIMIT $2";
    let rows = tx.all(page, values![after, STEP]).await?;
    let mut last = None;
    for row in &rows {
        let (subject, old) = (row.text(0)?, row.bytes(1)?);
        let wrapped = keyring.wrap(&subject, &keyring.unwrap(&subject, &old)?, ambient.random());
        // A key that was erased meanwhile stays erased.
        let sql = "UPDATE data_keys SET wrapped = $3 WHERE subject = $1 AND wrapped = $2";
        count += tx.run(sql, values![subject.as_str(), old, wrapped]).await?;
        last = Some(subject);
    }
    Ok((count, last.filter(|_| rows.len() as i64 == STEP)))
}
