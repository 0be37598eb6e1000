//! Accounts as the people who own them meet them: joining, signing in and out, passwords, second factors, sessions.
//! It decides; the rows are `store`'s, the mails are written here and sent by `ops`. It never answers HTTP.

mod address;
mod attempt;
mod data;
mod door;
mod join;
mod mail;
mod oidc;
mod open;
mod passkey;
mod password;
mod reset;
mod second;
mod sign_in;
mod sign_out;

use std::sync::Arc;

use crypto::Blind;
use guard::limits::Limiter;
use kernel::{Ambient, Secret, SessionId};
use store::{Store, User};
use tokio_util::task::TaskTracker;

use crate::device::Devices;
use crate::hasher::Hasher;
use crate::oidc::SignIn;
use crate::passkey::Party;
use crate::{Config, Identity};

pub use oidc::Arrival;
pub use second::{Enrolment, RecoveryCodes};

/// What accounts work with.
pub struct AccountParts {
    /// Who may; its memory is dropped with every change.
    pub identity: Arc<Identity>,
    /// Rows.
    pub store: Store,
    /// Counts attempts.
    pub limiter: Limiter,
    /// Time and randomness.
    pub ambient: Ambient,
    /// Makes tags of addresses, for counts and the log ([`crypto::Keyring::purpose_key`]).
    pub tags: Blind,
    /// Work that goes on after the answer must end before the process does.
    pub tasks: TaskTracker,
    /// Judges and hashes passwords, not too many at once.
    pub hasher: Hasher,
    /// Signs people in at other issuers.
    pub oidc: SignIn,
    /// Verifies passkeys; absent where there is no host name to bind them to.
    pub party: Option<Party>,
}

/// The services of accounts. Shared by all requests.
#[derive(Clone)]
pub struct Accounts {
    parts: Arc<AccountParts>,
    config: Arc<Config>,
    devices: Arc<Devices>,
}

impl Accounts {
    /// Over these rooms.
    pub fn new(config: &Config, parts: AccountParts) -> Accounts {
        Accounts {
            devices: Arc::new(Devices::new(&config.cookie_secrets, config.secure_cookies)),
            config: Arc::new(config.clone()),
            parts: Arc::new(parts),
        }
    }
}

impl Accounts {
    /// Takes over the signing secrets of another configuration. Everything else stays as it was at the start.
    pub fn renew(&self, config: &Config) {
        let secrets = &config.cookie_secrets;
        self.devices.renew(secrets);
        self.parts.oidc.renew(secrets);
        if let Some(party) = &self.parts.party {
            party.renew(secrets);
        }
    }
}

/// The proof that somebody has just shown who they are. It is spent by opening a session or tokens.
#[derive(Debug)]
pub struct Verified {
    user: User,
    method: &'static str,
}

impl Verified {
    /// Whose account it is.
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// How it was shown: `password`, `totp`, `recovery`, `passkey`, `oidc`, `id_token`, `setup`.
    pub const fn method(&self) -> &'static str {
        self.method
    }
}

/// A signed-in browser.
#[derive(Debug)]
pub struct Browser {
    /// The session.
    pub session: store::Session,
    /// The `Set-Cookie` values: the session's cookie and the memory of the browser.
    pub cookies: Vec<String>,
}

/// What a program signs in with.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret<String>,
    /// The refresh token: usable once.
    pub refresh_token: Secret<String>,
    /// How many seconds the access token lives.
    pub expires_in: u64,
    /// The session that the tokens belong to.
    pub session: SessionId,
}
