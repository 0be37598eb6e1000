//! Sealed cookies: signed and encrypted, so that the browser carries what it can neither read nor change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Random, Secret};

use crate::sealed::{DataKey, Place, open, seal};

/// Seals and opens cookie values. The first secret seals, all of them open: that is how a secret is rotated.
/// Clones share their secrets, so that all of them follow [`CookieJar::renew`].
#[derive(Clone)]
pub struct CookieJar(Arc<ArcSwap<Vec<DataKey>>>);

impl CookieJar {
    /// A jar of these signing secrets. With none, nothing opens.
    pub fn new(secrets: &[Secret<String>]) -> CookieJar {
        CookieJar(Arc::new(ArcSwap::from_pointee(keys(secrets))))
    }

    /// Takes these signing secrets from now on.
    pub fn renew(&self, secrets: &[Secret<String>]) {
        self.0.store(Arc::new(keys(secrets)));
    }

    /// The cookie value for these bytes under this cookie name.
    pub fn seal(&self, name: &str, plain: &[u8], random: &dyn Random) -> String {
        match self.0.load().first() {
            Some(key) => URL_SAFE_NO_PAD.encode(seal(key, place(name), plain, random)),
            None => String::new(),
        }
    }

    /// The bytes of a cookie that this jar sealed under the same name; `None` for anything else.
    pub fn open(&self, name: &str, value: &str) -> Option<Vec<u8>> {
        // A browser sends at most 4 KiB in a cookie; more is an attack on the decoder.
        if value.len() > 4_096 {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        self.0.load().iter().find_map(|key| open(key, place(name), &sealed).ok())
    }
}

fn keys(secrets: &[Secret<String>]) -> Vec<DataKey> {
    let key = |secret: &Secret<String>| blake3::derive_key("stoa 2026 cookies", secret.expose().as_bytes());
    secrets.iter().map(|secret| DataKey::from_bytes(key(secret))).collect()
}

fn place(name: &str) -> Place<'_> {
    Place { table: "cookie", column: "value", row: name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::Counting;

    #[test]
    fn rotation_keeps_old_cookies_and_strangers_stay_out() {
        let random = Counting::default();
        let (old, new) = (Secret::new("old".to_owned()), Secret::new("new".to_owned()));
        let cookie = CookieJar::new(std::slice::from_ref(&old)).seal("stoa_visitor", b"v", &random);
        assert_eq!(CookieJar::new(&[new.clone(), old]).open("stoa_visitor", &cookie).unwrap(), b"v");
        assert!(CookieJar::new(&[new]).open("stoa_visitor", &cookie).is_none());
        assert!(CookieJar::new(&[]).open("stoa_visitor", &cookie).is_none());
    }

    #[test]
    fn clones_follow_a_renewed_secret() {
        let random = Counting::default();
        let secret = |text: &str| Secret::new(text.to_owned());
        let jar = CookieJar::new(&[secret("old")]);
        let other = jar.clone();
        let cookie = jar.seal("c", b"v", &random);
        jar.renew(&[secret("new"), secret("old")]);
        assert_eq!(other.open("c", &cookie).unwrap(), b"v");
        assert!(CookieJar::new(&[secret("new")]).open("c", &other.seal("c", b"v", &random)).is_some());
        jar.renew(&[secret("new")]);
        assert!(other.open("c", &cookie).is_none());
    }

    #[test]
    fn a_cookie_of_another_name_does_not_open() {
        let random = Counting::default();
        let jar = CookieJar::new(&[Secret::new("s".to_owned())]);
        assert!(jar.open("other", &jar.seal("stoa_visitor", b"v", &random)).is_none());
        assert!(jar.open("stoa_visitor", &"A".repeat(5_000)).is_none());
    }
}
