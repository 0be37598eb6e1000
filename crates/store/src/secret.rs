//! The store's own two keys: for the tags of what clients choose, and for the chain of the audit log.
//! They are drawn once, sealed under the master key and kept in the database, so that a new master key changes
//! neither tags nor the chain. They also prove that the master key is the right one.

use crypto::{Blind, ChainKey, Keyring, Place};
use kernel::{Ambient, Fault, Result};

use crate::Store;
use crate::data_key::Refusal;
use crate::tx::Tx;
use crate::value::values;

const PLACE: Place<'static> = Place { table: "server_secret", column: "sealed", row: "1" };
const SELECT: &str = "SELECT fingerprint, sealed FROM server_secret WHERE id = 1";

/// The two keys.
pub(crate) struct Secrets {
    pub(crate) blind: Blind,
    pub(crate) chain: ChainKey,
}

fn split(bytes: &[u8]) -> Result<Secrets> {
    let half =
        |range: std::ops::Range<usize>| bytes.get(range).and_then(|half| <[u8; 32]>::try_from(half).ok());
    match (half(0..32), half(32..64)) {
        (Some(blind), Some(chain)) if bytes.len() == 64 => {
            Ok(Secrets { blind: Blind::new(blind), chain: ChainKey::new(chain) })
        }
        _ => Err(Fault::internal("the store's own keys have the wrong length")),
    }
}

fn open(keyring: &Keyring, fingerprint: &str, sealed: &[u8]) -> Result<Secrets> {
    let bytes = keyring.open(PLACE, sealed).map_err(|_| {
        Fault::internal(format!(
            "the encryption key does not belong to this database: the database was made with the key {fingerprint}, \
             the configured key is {}",
            keyring.fingerprint()
        ))
        .say("The encryption key does not belong to this database.")
    })?;
    split(&bytes)
}

impl Store {
    /// Checks that the master key opens this database. The first call on a new database draws the store's own
    /// keys and seals them. A wrong key is an `internal` fault whose cause names both fingerprints.
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
            return open(&keyring, &row.text(0)?, &row.bytes(1)?);
        }
        let ambient = self.inside.ambient.clone();
        let (fingerprint, sealed) = self
            .write_plain("secret.make", move |tx| Box::pin(async move { make(tx, &keyring, &ambient).await }))
            .await?;
        open(&self.inside.keyring, &fingerprint, &sealed)
    }
}

/// Draws the keys unless another process was quicker; gives what the database holds.
async fn make(tx: &mut Tx, keyring: &Keyring, ambient: &Ambient) -> Result<(String, Vec<u8>), Refusal> {
    let sealed = keyring.seal(PLACE, &ambient.bytes::<64>(), ambient.random());
    tx.run(
        "INSERT INTO server_secret (id, fingerprint, sealed, created_at) VALUES (1, $1, $2, $3) \
         ON CONFLICT (id) DO NOTHING",
        values![keyring.fingerprint(), sealed, ambient.now()],
    )
    .await?;
    let row =
        tx.one(SELECT, values![]).await?.ok_or_else(|| Fault::internal("the store's own keys vanished"))?;
    Ok((row.text(0)?, row.bytes(1)?))
}
