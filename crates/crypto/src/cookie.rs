//! Sealed cookies: signed and encrypted, so that the browser carries what it can neither read nor change.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Random, Secret};

use crate::sealed::{DataKey, Place, open, seal};

/// Seals and opens cookie values. The first secret seals, all of them open: that is how a secret is rotated.
#[derive(Clone)]
pub struct CookieJar(Vec<DataKey>);

impl CookieJar {
    /// A jar of these signing secrets. With none, nothing opens.
    pub fn new(secrets: &[Secret<String>]) -> CookieJar {
        CookieJar(
            secrets
                .iter()
                .map(|secret| {
                    DataKey::from_bytes(blake3::derive_key("stoa 2026 cookies", secret.expose().as_bytes()))
                })
                .collect(),
        )
    }

    /// The cookie value for these bytes under this cookie name.
    pub fn seal(&self, name: &str, plain: &[u8], random: &dyn Random) -> String {
        match self.0.first() {
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
        self.0.iter().find_map(|key| open(key, place(name), &sealed).ok())
    }
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
    fn a_cookie_of_another_name_does_not_open() {
        let random = Counting::default();
        let jar = CookieJar::new(&[Secret::new("s".to_owned())]);
        assert!(jar.open("other", &jar.seal("stoa_visitor", b"v", &random)).is_none());
        assert!(jar.open("stoa_visitor", &"A".repeat(5_000)).is_none());
    }
}
