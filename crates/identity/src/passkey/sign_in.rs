//! A person proves with a passkey who they are (Web Authentication, section 7.2): to sign in, which names nobody
//! beforehand, or, signed in already, to prove that it is still they.

use kernel::{Ambient, Time, UserId};
use ring::digest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::authenticator::AuthenticatorData;
use super::form::{self, Asserted};
use super::registration::descriptors;
use super::state::{Purpose, Spent, State, TIMEOUT_MILLIS};
use super::{Party, Refusal, client, public_key};

/// What is kept of a passkey.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Whose it is.
    pub user: UserId,
    /// [`super::Registered::public_key`].
    pub public_key: &'a [u8],
    /// The last counter it showed.
    pub sign_count: u32,
}

/// The answer of a browser in which everything is right but what takes the kept passkey to judge. It proves nothing
/// until [`Assertion::verify`].
#[derive(Debug)]
pub struct Assertion {
    credential: String,
    /// Whom the passkey says it is, or the state does.
    user: UserId,
    signed: Vec<u8>,
    signature: Vec<u8>,
    count: u32,
    backup_eligible: bool,
    backed_up: bool,
    spent: Spent,
}

/// Somebody is who they say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proof {
    /// Who.
    pub user: UserId,
    /// The counter to be kept.
    pub sign_count: u32,
    /// Its user's other devices have the passkey too, or a backup does.
    pub backed_up: bool,
}

impl Party {
    /// The argument `publicKey` of `navigator.credentials.get`, in its JSON form, and the sealed state. It names no
    /// passkey and no user: the device offers those that it has.
    pub fn begin_sign_in(&self, ambient: &Ambient) -> (Value, String) {
        self.begin(Purpose::SignIn, &[], ambient)
    }

    /// The same for a user who is signed in and has these credentials.
    pub fn begin_proof(&self, user: UserId, credentials: &[String], ambient: &Ambient) -> (Value, String) {
        self.begin(Purpose::Proof(user), credentials, ambient)
    }

    fn begin(&self, purpose: Purpose, credentials: &[String], ambient: &Ambient) -> (Value, String) {
        let (challenge, state) = State::seal(&self.jar, purpose, ambient);
        let options = json!({
            "rpId": self.id,
            "challenge": challenge,
            "timeout": TIMEOUT_MILLIS,
            "allowCredentials": descriptors(credentials),
            "userVerification": "required",
        });
        (options, state)
    }

    /// Reads the answer of a browser that was asked by [`Party::begin_sign_in`].
    pub fn read_sign_in(&self, state: &str, answer: &Value, now: Time) -> Result<Assertion, Refusal> {
        self.read(Purpose::SignIn, state, answer, now)
    }

    /// Reads the answer of a browser that was asked by [`Party::begin_proof`] for this user.
    pub fn read_proof(
        &self,
        user: UserId,
        state: &str,
        answer: &Value,
        now: Time,
    ) -> Result<Assertion, Refusal> {
        self.read(Purpose::Proof(user), state, answer, now)
    }

    fn read(&self, purpose: Purpose, state: &str, answer: &Value, now: Time) -> Result<Assertion, Refusal> {
        let state = State::open(&self.jar, purpose, state, now)?;
        let asserted = Asserted::read(answer)?;
        client::check(&asserted.client_data, client::GET, &state.challenge, self)?;
        let data = AuthenticatorData::read(&asserted.authenticator_data)?;
        data.check(self)?;
        // Only a registration makes a credential.
        if data.attested.is_some() {
            return Err(Refusal::AuthenticatorData);
        }
        let user = user(purpose, asserted.user_handle.as_deref())?;
        let hash = digest::digest(&digest::SHA256, &asserted.client_data);
        Ok(Assertion {
            credential: form::text(&asserted.id),
            user,
            signed: [&asserted.authenticator_data, hash.as_ref()].concat(),
            signature: asserted.signature,
            count: data.count,
            backup_eligible: data.backup_eligible(),
            backed_up: data.backed_up(),
            spent: state.spent(),
        })
    }
}

/// Who it is to be. A passkey that was named beforehand may leave its user out.
fn user(purpose: Purpose, handle: Option<&[u8]>) -> Result<UserId, Refusal> {
    let named = match handle {
        None => None,
        Some(handle) => Some(UserId::from_uuid(Uuid::from_slice(handle).map_err(|_| Refusal::User)?)),
    };
    match (purpose.user(), named) {
        (Some(expected), Some(named)) if expected != named => Err(Refusal::User),
        (Some(user), _) | (None, Some(user)) => Ok(user),
        (None, None) => Err(Refusal::User),
    }
}

impl Assertion {
    /// The id of the credential, base64url without padding: what to look for among the passkeys that are kept.
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// The challenge that must not count again.
    pub const fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Verifies the answer with the passkey that is kept under [`Assertion::credential`]; `None` when there is none.
    /// The new counter has to be kept before the proof counts, by a write that refuses when another one came first.
    pub fn verify(&self, known: Option<Known<'_>>) -> Result<Proof, Refusal> {
        let known = known.ok_or(Refusal::Unknown)?;
        if known.user != self.user {
            return Err(Refusal::User);
        }
        let kept = public_key::kept(known.public_key)?;
        kept.key.verify(&self.signed, &self.signature)?;
        if kept.backup_eligible != self.backup_eligible {
            return Err(Refusal::Eligibility);
        }
        // A passkey that does not count shows 0 always; one that has begun to count never stops.
        if (known.sign_count != 0 || self.count != 0) && self.count <= known.sign_count {
            return Err(Refusal::Counter);
        }
        Ok(Proof { user: known.user, sign_count: self.count, backed_up: self.backed_up })
    }
}
