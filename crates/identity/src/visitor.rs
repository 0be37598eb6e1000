//! The anonymous browser: a cookie that is signed, encrypted and stateless, and can still be revoked, because
//! it carries the epoch in which it was made.

use std::time::Duration;

use crypto::CookieJar;
use kernel::{Ambient, Secret, Time, VisitorId};
use uuid::Uuid;

use crate::VISITOR_COOKIE;

/// Layout of the sealed bytes: version (1) · visitor id (16) · issued at, microseconds (8) · epoch (8).
const VERSION: u8 = 1;
const LENGTH: usize = 1 + 16 + 8 + 8;

/// What a visitor's cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) visitor: VisitorId,
    pub(crate) issued_at: Time,
    pub(crate) epoch: i64,
}

/// Makes and reads the cookies of visitors.
pub(crate) struct Visitors {
    jar: CookieJar,
    lifetime: Duration,
    secure: bool,
}

impl Visitors {
    pub(crate) fn new(secrets: &[Secret<String>], lifetime: Duration, secure: bool) -> Visitors {
        Visitors { jar: CookieJar::new(secrets), lifetime, secure }
    }

    /// Takes these signing secrets from now on.
    pub(crate) fn renew(&self, secrets: &[Secret<String>]) {
        self.jar.renew(secrets);
    }

    /// A new visitor of this epoch and the `Set-Cookie` value that makes the browser one.
    pub(crate) fn admit(&self, epoch: i64, https: bool, ambient: &Ambient) -> (Pass, String) {
        let pass = Pass { visitor: VisitorId::new(ambient), issued_at: ambient.now(), epoch };
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(pass.visitor.uuid().as_bytes());
        bytes.extend_from_slice(&pass.issued_at.micros().to_le_bytes());
        bytes.extend_from_slice(&epoch.to_le_bytes());
        let value = self.jar.seal(VISITOR_COOKIE, &bytes, ambient.random());
        let seconds = self.lifetime.as_secs();
        let secure = if self.secure || https { "; Secure" } else { "" };
        let cookie =
            format!("{VISITOR_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        (pass, cookie)
    }

    /// The pass in a cookie's value: `None` when it is forged, altered, from another server or expired.
    pub(crate) fn read(&self, value: &str, now: Time) -> Option<Pass> {
        let bytes: [u8; LENGTH] = self.jar.open(VISITOR_COOKIE, value)?.try_into().ok()?;
        let (version, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (issued_at, rest) = rest.split_first_chunk::<8>()?;
        let epoch = rest.first_chunk::<8>()?;
        let issued_at = Time::from_micros(i64::from_le_bytes(*issued_at));
        let alive = *version == VERSION && now < issued_at + self.lifetime;
        alive.then(|| Pass {
            visitor: VisitorId::from_uuid(Uuid::from_bytes(*id)),
            issued_at,
            epoch: i64::from_le_bytes(*epoch),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use kernel::{Clock, Random};

    use super::*;

    struct At(AtomicI64);
    impl Clock for At {
        fn now(&self) -> Time {
            Time::from_seconds(self.0.load(Ordering::Relaxed))
        }
    }
    struct Sevens;
    impl Random for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn visitors(secret: &str) -> Visitors {
        Visitors::new(&[Secret::new(secret.to_owned())], Duration::from_secs(86_400), false)
    }

    fn value(cookie: &str) -> &str {
        cookie.split_once('=').unwrap().1.split_once(';').unwrap().0
    }

    #[test]
    fn a_pass_lives_for_its_lifetime_and_not_a_second_longer() {
        let ambient = Ambient::new(Arc::new(At(AtomicI64::new(1_000))), Arc::new(Sevens));
        let (pass, cookie) = visitors("s").admit(3, false, &ambient);
        let read = |now| visitors("s").read(value(&cookie), Time::from_seconds(now));
        assert_eq!(read(1_000 + 86_399), Some(pass));
        assert_eq!(read(1_000 + 86_400), None);
        assert!(visitors("another").read(value(&cookie), Time::from_seconds(1_001)).is_none());
        assert!(cookie.len() < 4_096);
        assert!(cookie.ends_with("; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"));
        assert!(visitors("s").admit(0, true, &ambient).1.ends_with("; Secure"));
    }

    #[test]
    fn one_changed_character_is_no_pass() {
        let ambient = Ambient::new(Arc::new(At(AtomicI64::new(1_000))), Arc::new(Sevens));
        let (_, cookie) = visitors("s").admit(0, false, &ambient);
        let value = value(&cookie);
        for at in 0..value.len() {
            let swap = if &value[at..=at] == "A" { "B" } else { "A" };
            let altered = format!("{}{swap}{}", &value[..at], &value[at + 1..]);
            // The last character holds spare bits that the decoder refuses or that change nothing sealed.
            assert!(
                visitors("s").read(&altered, Time::from_seconds(1_001)).is_none() || at == value.len() - 1
            );
        }
    }
}
