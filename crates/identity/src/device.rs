//! The memory of a browser that has signed in before. It gives that browser a count of its own at sign-in, so that
//! strangers who fail at an account, from however many addresses, do not shut its owner out. It proves nothing else.

use std::time::Duration;

use crypto::CookieJar;
use kernel::{Ambient, Secret, Time};

use crate::credential::DEVICE_COOKIE;

/// How long a browser is remembered.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Layout of the sealed bytes: version (1) · issued at, microseconds (8) · number (16) · account tag (the rest).
const VERSION: u8 = 1;

/// Makes and reads the cookies of known browsers.
pub(crate) struct Devices {
    jar: CookieJar,
    secure: bool,
}

impl Devices {
    pub(crate) fn new(secrets: &[Secret<String>], secure: bool) -> Devices {
        Devices { jar: CookieJar::new(secrets), secure }
    }

    /// Takes these signing secrets from now on.
    pub(crate) fn renew(&self, secrets: &[Secret<String>]) {
        self.jar.renew(secrets);
    }

    /// The `Set-Cookie` value after a sign-in to this account. A browser that is known already keeps its number,
    /// so that signing in again opens no second count.
    pub(crate) fn remember(
        &self,
        tag: &str,
        known: Option<[u8; 16]>,
        https: bool,
        ambient: &Ambient,
    ) -> String {
        let number = known.unwrap_or_else(|| ambient.bytes::<16>());
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&ambient.now().micros().to_le_bytes());
        bytes.extend_from_slice(&number);
        bytes.extend_from_slice(tag.as_bytes());
        let value = self.jar.seal(DEVICE_COOKIE, &bytes, ambient.random());
        let secure = if self.secure || https { "; Secure" } else { "" };
        // Strict: it is needed by our own sign-in alone.
        let seconds = LIFETIME.as_secs();
        format!("{DEVICE_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }

    /// The number of the browser, when it has signed in to this account before.
    pub(crate) fn recall(&self, value: &str, tag: &str, now: Time) -> Option<[u8; 16]> {
        let bytes = self.jar.open(DEVICE_COOKIE, value)?;
        let (version, rest) = bytes.split_first()?;
        let (issued_at, rest) = rest.split_first_chunk::<8>()?;
        let (number, account) = rest.split_first_chunk::<16>()?;
        let alive = now < Time::from_micros(i64::from_le_bytes(*issued_at)) + LIFETIME;
        (*version == VERSION && alive && account == tag.as_bytes()).then_some(*number)
    }
}
