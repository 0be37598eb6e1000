//! Passkeys of accounts: sealed public keys, found by the credential's id. It never verifies a signature.

use kernel::{AuditEvent, Fault, PasskeyId, Result, Time, UserId};

use crate::Store;

/// A passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    /// Its id here.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// The credential's id, base64url without padding.
    pub credential: String,
    /// What the person calls it.
    pub name: String,
    /// The public key as the authenticator gave it.
    pub public_key: Vec<u8>,
    /// The last counter it showed.
    pub sign_count: u32,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used.
    pub last_used_at: Option<Time>,
}

/// A passkey to be kept.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// Its id here.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// The credential's id, base64url without padding.
    pub credential: String,
    /// What the person calls it.
    pub name: String,
    /// The public key as the authenticator gave it.
    pub public_key: Vec<u8>,
    /// The counter it showed.
    pub sign_count: u32,
}

impl Store {
    /// Keeps a passkey. `conflict` when the credential is known.
    pub async fn add_passkey(&self, new: NewPasskey, audit: Vec<AuditEvent>) -> Result<Passkey> {
        let _ = (new, audit);
        Err(Fault::internal("not written yet"))
    }

    /// The passkeys of an account, oldest first.
    pub async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        let _ = user;
        Err(Fault::internal("not written yet"))
    }

    /// The passkey with this credential id.
    pub async fn passkey_by_credential(&self, credential: &str) -> Result<Option<Passkey>> {
        let _ = credential;
        Err(Fault::internal("not written yet"))
    }

    /// Notes a use. False when the counter did not grow, which a copied authenticator shows, and when the passkey
    /// is gone; one that does not count shows 0 always.
    pub async fn use_passkey(&self, id: PasskeyId, sign_count: u32) -> Result<bool> {
        let _ = (id, sign_count);
        Err(Fault::internal("not written yet"))
    }

    /// Removes a passkey of this account.
    pub async fn remove_passkey(&self, user: UserId, id: PasskeyId, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (user, id, audit);
        Err(Fault::internal("not written yet"))
    }
}
