//! Signing in at another issuer: code, PKCE, state and nonce.

/// Where the browser goes, and what it must bring back.
#[derive(Debug)]
pub struct Departure {
    /// The issuer's page.
    pub url: url::Url,
    /// The `Set-Cookie` value.
    pub cookie: String,
}
