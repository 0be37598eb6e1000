//! What a ceremony remembers between its halves: the challenge, sealed, with its purpose, its user and its end.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::CookieJar;
use kernel::{Ambient, Time, UserId};
use uuid::Uuid;

use super::Refusal;

/// How long a person has to answer.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// How long the browser is told to wait: less, so that an answer in the last moment still comes in time.
pub(super) const TIMEOUT_MILLIS: u64 = 240_000;

/// Layout of the sealed bytes: version (1) · user (16, zero for nobody) · end, microseconds (8) · challenge (32).
const VERSION: u8 = 1;
const LENGTH: usize = 1 + 16 + 8 + 32;

/// What a state is for. Each has a name under which it is sealed, and opens under no other.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Registration(UserId),
    SignIn,
    Proof(UserId),
}

/// A challenge that has been answered and must not count again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spent {
    /// Under what to write it down: 64 hexadecimal digits.
    pub digest: String,
    /// Until when: afterwards the state is refused for its age.
    pub until: Time,
}

/// An opened state.
pub(super) struct State {
    /// As the browser has to repeat it.
    pub(super) challenge: String,
    pub(super) until: Time,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Purpose::Registration(_) => "stoa_passkey_registration",
            Purpose::SignIn => "stoa_passkey_sign_in",
            Purpose::Proof(_) => "stoa_passkey_proof",
        }
    }

    pub(super) const fn user(self) -> Option<UserId> {
        match self {
            Purpose::Registration(user) | Purpose::Proof(user) => Some(user),
            Purpose::SignIn => None,
        }
    }
}

impl State {
    /// A new challenge, base64url, and its sealed state.
    pub(super) fn seal(jar: &CookieJar, purpose: Purpose, ambient: &Ambient) -> (String, String) {
        let challenge: [u8; 32] = ambient.bytes();
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(user_bytes(purpose).as_bytes());
        bytes.extend_from_slice(&(ambient.now() + LIFETIME).micros().to_le_bytes());
        bytes.extend_from_slice(&challenge);
        (URL_SAFE_NO_PAD.encode(challenge), jar.seal(purpose.name(), &bytes, ambient.random()))
    }

    /// Opens a state that was sealed for exactly this purpose and is still young.
    pub(super) fn open(jar: &CookieJar, purpose: Purpose, sealed: &str, now: Time) -> Result<State, Refusal> {
        let (user, until, challenge) =
            jar.open(purpose.name(), sealed).and_then(|bytes| read(&bytes)).ok_or(Refusal::State)?;
        if user != user_bytes(purpose) {
            return Err(Refusal::State);
        }
        if now >= until {
            return Err(Refusal::Expired);
        }
        Ok(State { challenge: URL_SAFE_NO_PAD.encode(challenge), until })
    }

    pub(super) fn spent(&self) -> Spent {
        Spent { digest: crypto::token::digest(&self.challenge), until: self.until }
    }
}

fn user_bytes(purpose: Purpose) -> Uuid {
    purpose.user().map_or(Uuid::nil(), UserId::uuid)
}

fn read(bytes: &[u8]) -> Option<(Uuid, Time, [u8; 32])> {
    let (version, rest) = bytes.split_first()?;
    let (user, rest) = rest.split_first_chunk::<16>()?;
    let (until, rest) = rest.split_first_chunk::<8>()?;
    let challenge = <[u8; 32]>::try_from(rest).ok()?;
    let until = Time::from_micros(i64::from_le_bytes(*until));
    (*version == VERSION).then(|| (Uuid::from_bytes(*user), until, challenge))
}

#[cfg(test)]
mod tests {
    use kernel::{Random, Secret};

    use super::*;

    struct Sevens;
    impl Random for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    /// Another version of this server may seal other things under the same name.
    #[test]
    fn only_this_layout_is_read() {
        let jar = CookieJar::new(&[Secret::new("s".to_owned())]);
        let open = |bytes: &[u8]| {
            let sealed = jar.seal(Purpose::SignIn.name(), bytes, &Sevens);
            State::open(&jar, Purpose::SignIn, &sealed, Time::EPOCH).is_ok()
        };
        let proper = [&[VERSION][..], &[0; 16], &1_i64.to_le_bytes(), &[9; 32]].concat();
        assert!(open(&proper));
        assert!(!open(&[&[VERSION + 1][..], &proper[1..]].concat()));
        assert!(!open(&[&proper[..], &[0]].concat()));
        (0..proper.len()).for_each(|at| assert!(!open(&proper[..at]), "{at}"));
    }
}
