//! What must be remembered while somebody is away at an issuer: sealed in a cookie, so that no server keeps it and no
//! other browser can have it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::CookieJar;
use kernel::{Ambient, Time};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::time::Duration;

/// How many minutes a sign-in may take.
pub const MINUTES: u64 = 10;
/// The purpose to which the cookie's value is bound, whatever its name.
const PLACE: &str = "stoa_oidc";
/// The longest path that is remembered. With all else the cookie stays far below 4 KiB.
const LONGEST_PATH: usize = 1_024;

/// The name of the cookie. With `__Host-` no other host, and nobody on plain HTTP, can plant one of their own, which
/// would sign somebody in as another person.
pub const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-stoa_oidc" } else { "stoa_oidc" }
}

/// The text, when it is a path of this server and nothing that a browser would read as another host.
pub fn local_path(text: &str) -> Option<&str> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
    let local = text.starts_with('/') && !text.starts_with("//");
    (local && text.len() <= LONGEST_PATH && text.chars().all(plain)).then_some(text)
}

/// One sign-in under way.
pub(super) struct Memory {
    /// The name of the issuer.
    pub(super) issuer: String,
    /// What the answer must repeat.
    pub(super) state: String,
    /// What the ID token must repeat.
    pub(super) nonce: String,
    /// What proves that whoever exchanges the code is who asked for it (RFC 7636).
    pub(super) verifier: String,
    /// Where the person wanted to go.
    pub(super) return_to: String,
    ends: Time,
}

impl Memory {
    pub(super) fn new(issuer: &str, return_to: &str, ambient: &Ambient) -> Memory {
        let random = || crypto::token::random(ambient.random()).expose().clone();
        Memory {
            issuer: issuer.to_owned(),
            state: random(),
            nonce: random(),
            verifier: random(),
            return_to: return_to.to_owned(),
            ends: ambient.now() + Duration::from_secs(MINUTES * 60),
        }
    }

    /// The challenge of PKCE by S256.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }

    /// The `Set-Cookie` value.
    pub(super) fn seal(&self, jar: &CookieJar, secure: bool, ambient: &Ambient) -> String {
        let plain =
            json!([self.issuer, self.state, self.nonce, self.verifier, self.return_to, self.ends.micros()]);
        let value = jar.seal(PLACE, plain.to_string().as_bytes(), ambient.random());
        cookie(&value, MINUTES * 60, secure)
    }

    /// What a cookie's value remembers; `None` for anything that is forged, altered or over.
    pub(super) fn open(jar: &CookieJar, value: &str, now: Time) -> Option<Memory> {
        let plain: Value = serde_json::from_slice(&jar.open(PLACE, value)?).ok()?;
        let [issuer, state, nonce, verifier, return_to, ends] = plain.as_array()?.as_slice() else {
            return None;
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let ends = Time::from_micros(ends.as_i64()?);
        (now < ends).then_some(())?;
        Some(Memory {
            issuer: text(issuer)?,
            state: text(state)?,
            nonce: text(nonce)?,
            verifier: text(verifier)?,
            return_to: text(return_to)?,
            ends,
        })
    }
}

/// The `Set-Cookie` value that forgets.
pub(super) fn forget(secure: bool) -> String {
    cookie("", 0, secure)
}

/// `Lax`, because the browser comes back from another site.
fn cookie(value: &str, seconds: u64, secure: bool) -> String {
    let name = cookie_name(secure);
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
