//! Whose word counts and on what terms: the typed settings of tokens, passwords and issuers. Values are valid already:
//! `server::settings` made them. It decides nothing.

use std::time::Duration;

use crypto::password::Cost;
use kernel::Secret;
use url::Url;

/// How access tokens are signed and how long they live.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    /// The algorithm. Tokens of the other one are refused, so that a change of it takes effect at once.
    pub algorithm: SigningAlgorithm,
    /// `JWT_SECRET_KEY` and those before it: the first signs, all are accepted. Empty: keys derived from the secrets
    /// of cookies, which are accepted in any case.
    pub secrets: Vec<Secret<String>>,
    /// What tokens name as `iss`: where people reach the server, or `stoa`.
    pub issuer: String,
    /// How long an access token lives.
    pub lifetime: Duration,
    /// How long a refresh token lives.
    pub refresh_lifetime: Duration,
}

impl Default for AccessTokens {
    /// What holds when nobody says anything.
    fn default() -> AccessTokens {
        AccessTokens {
            algorithm: SigningAlgorithm::Hs256,
            secrets: Vec::new(),
            issuer: "stoa".to_owned(),
            lifetime: Duration::from_secs(30 * 60),
            refresh_lifetime: Duration::from_secs(30 * 86_400),
        }
    }
}

/// How access tokens are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256: who verifies can also sign.
    Hs256,
    /// Ed25519: public keys are published, and verify alone.
    EdDsa,
}

/// What passwords must be and what hashing one costs.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    /// The cost of one hash.
    pub cost: Cost,
    /// How many hashes are computed at the same time. Each holds the memory of its cost and keeps a core busy.
    pub parallel: usize,
    /// How many more may wait for their turn; who comes after them is told to come back.
    pub waiting: usize,
    /// Words that a password must not be made of: names of the server, its apps, its hosts.
    pub words: Vec<String>,
}

impl Default for PasswordRules {
    /// What holds when nobody says anything.
    fn default() -> PasswordRules {
        PasswordRules { cost: Cost::DEFAULT, parallel: 2, waiting: 64, words: Vec::new() }
    }
}

/// The Firebase project whose ID tokens are taken.
#[derive(Clone, Debug)]
pub struct Firebase {
    /// The project id: the audience of its tokens and the end of their issuer.
    pub project: String,
    /// Where its keys are.
    pub jwks_url: Url,
}

impl Firebase {
    /// Where Google publishes the keys of Firebase as a JWK set.
    pub const JWKS_URL: &'static str =
        "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

    /// What its tokens name as `iss`.
    pub fn issuer(&self) -> String {
        format!("https://securetoken.google.com/{}", self.project)
    }
}

/// An issuer whose ID tokens are taken.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// A short name, in addresses and on the page.
    pub name: String,
    /// The issuer exactly as its tokens name it: not normalised, not with a slash more or less.
    pub issuer: String,
    /// The audience that tokens must name when they come as bearer. Without one they are not taken as bearer.
    pub audience: Option<String>,
    /// Where its keys are; found by discovery when absent.
    pub jwks_url: Option<Url>,
    /// Us, for signing in on the page. Without it the issuer has no place there.
    pub client: Option<Client>,
}

/// Us, as the issuer knows us.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client id, which is the audience of the tokens that we ask for.
    pub id: String,
    /// The client secret; a public client has none.
    pub secret: Option<Secret<String>>,
}
