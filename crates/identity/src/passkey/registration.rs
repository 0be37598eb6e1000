//! A person who is signed in adds a passkey (Web Authentication, section 7.1).

use kernel::{Ambient, Time, UserId};
use serde_json::{Value, json};

use super::authenticator::AuthenticatorData;
use super::cbor::Reader;
use super::form::{self, Created};
use super::public_key::{self, ALGORITHMS};
use super::state::{Purpose, Spent, State, TIMEOUT_MILLIS};
use super::{Party, Refusal, client};

/// Whose passkey it is to be.
#[derive(Clone, Debug)]
pub struct Owner<'a> {
    /// The account.
    pub user: UserId,
    /// How the account is told from others of the same person: the address. Devices show it.
    pub name: &'a str,
    /// What the person is called. Devices show it.
    pub display: &'a str,
}

/// A passkey that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    /// The credential's id, base64url without padding. Refuse it when it is kept already, whosever it is.
    pub credential: String,
    /// What to keep and give back in [`super::Known::public_key`].
    pub public_key: Vec<u8>,
    /// The counter. 0 for a passkey that does not count.
    pub sign_count: u32,
    /// How its device is reached, as the browser says.
    pub transports: Vec<&'static str>,
    /// Its user's other devices have it too, or a backup does.
    pub backed_up: bool,
    /// The challenge that must not count again.
    pub spent: Spent,
}

impl Party {
    /// The argument `publicKey` of `navigator.credentials.create`, in its JSON form, and the sealed state. `existing`
    /// are the account's credentials: a device that holds one of them makes no second one.
    pub fn begin_registration(
        &self,
        owner: &Owner<'_>,
        existing: &[String],
        ambient: &Ambient,
    ) -> (Value, String) {
        let (challenge, state) = State::seal(&self.jar, Purpose::Registration(owner.user), ambient);
        let options = json!({
            "rp": { "id": self.id, "name": self.name },
            "user": {
                "id": form::text(owner.user.uuid().as_bytes()),
                "name": owner.name,
                "displayName": owner.display,
            },
            "challenge": challenge,
            "pubKeyCredParams": ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg })),
            "timeout": TIMEOUT_MILLIS,
            "excludeCredentials": descriptors(existing),
            "authenticatorSelection": {
                "residentKey": "required",
                // What Level 1 browsers understand.
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
            "extensions": { "credProps": true },
        });
        (options, state)
    }

    /// Verifies what the browser made for this user.
    pub fn finish_registration(
        &self,
        user: UserId,
        state: &str,
        answer: &Value,
        now: Time,
    ) -> Result<Registered, Refusal> {
        let state = State::open(&self.jar, Purpose::Registration(user), state, now)?;
        let created = Created::read(answer)?;
        client::check(&created.client_data, client::CREATE, &state.challenge, self)?;
        let data = AuthenticatorData::read(authenticator_data(&created.attestation_object)?)?;
        data.check(self)?;
        let attested = data.attested.as_ref().ok_or(Refusal::AuthenticatorData)?;
        if attested.id != created.id {
            return Err(Refusal::CredentialId);
        }
        if created.discoverable == Some(false) {
            return Err(Refusal::Discoverable);
        }
        Ok(Registered {
            credential: form::text(&created.id),
            public_key: public_key::keep(attested.encoded, data.backup_eligible()),
            sign_count: data.count,
            transports: created.transports,
            backed_up: data.backed_up(),
            spent: state.spent(),
        })
    }
}

/// Credentials as the options of both ceremonies list them.
pub(super) fn descriptors(credentials: &[String]) -> Value {
    credentials.iter().map(|id| json!({ "type": "public-key", "id": id })).collect()
}

/// The authenticator data in an attestation object. Its three members may stand in any order: it is put together by
/// browsers and password managers, not by authenticators. Which format the attestation has, and what it attests, is
/// not asked; it has to be well-formed all the same.
fn authenticator_data(object: &[u8]) -> Result<&[u8], Refusal> {
    let mut reader = Reader::new(object);
    if reader.map()? != 3 {
        return Err(Refusal::Cbor("an attestation object has three members"));
    }
    let (mut format, mut statement, mut data) = (false, false, None);
    for _ in 0..3 {
        match reader.text()? {
            "fmt" if !format => {
                reader.text()?;
                format = true;
            }
            "attStmt" if !statement => {
                reader.skip_map(1)?;
                statement = true;
            }
            "authData" if data.is_none() => data = Some(reader.bytes()?),
            _ => return Err(Refusal::Cbor("a member of the attestation object is unknown, or there twice")),
        }
    }
    reader.end()?;
    data.ok_or(Refusal::Cbor("an attestation object has authenticator data"))
}
