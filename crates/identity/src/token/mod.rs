//! Access tokens of this server: made and verified with a ring of keys, strictly as RFC 8725 and RFC 9068 ask. It never
//! looks at sessions or accounts: whether a token still counts is for `Identity` to say.

pub(crate) mod claims;

use std::collections::HashMap;
use std::time::Duration;

use crypto::jws::{Key, SigningKey, Unverified};
use kernel::{Ambient, Code, Fault, Result, Secret, SessionId, Time, UserId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::trust::{AccessTokens, SigningAlgorithm};
use claims::Claims;

/// The type in the header (RFC 9068), so that no other token is ever taken for one.
const TYPE: &str = "at+jwt";
/// Who our tokens are for.
const AUDIENCE: &str = "stoa";
/// How far the clock of who signed may be ahead. Nothing is given on expiry.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);
/// How long a caller waits before asking again when an issuer's keys are away.
const COME_BACK: Duration = Duration::from_secs(5);

/// Why a token is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It was right in everything and its time is over.
    Expired,
    /// Anything else, in words for the log alone.
    Invalid(&'static str),
    /// It cannot be judged now: the keys of its issuer are away.
    Unavailable,
}

impl Flaw {
    /// The word for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            Flaw::Expired => "the token has expired",
            Flaw::Invalid(why) => why,
            Flaw::Unavailable => "the keys of the issuer are away",
        }
    }
}

impl From<crypto::jws::Flaw> for Flaw {
    fn from(flaw: crypto::jws::Flaw) -> Flaw {
        Flaw::Invalid(flaw.0)
    }
}

impl From<Flaw> for Fault {
    fn from(flaw: Flaw) -> Fault {
        match flaw {
            Flaw::Expired => Fault::new(Code::TokenExpired),
            Flaw::Invalid(why) => Fault::new(Code::Unauthenticated).because(why),
            Flaw::Unavailable => Fault::new(Code::Unavailable).retry_after(COME_BACK).because(flaw.reason()),
        }
    }
}

/// What a bearer value looks like, to choose who verifies it. It proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// An access token, as this server makes them.
    Access,
    /// Another signed token: of an issuer, if of anybody.
    Identity,
    /// No signed token.
    Opaque,
}

impl Shape {
    /// Looks at the value: three parts of which the first is the beginning of a JSON object.
    pub fn of(bearer: &str) -> Shape {
        if !bearer.starts_with("ey") || bearer.matches('.').count() != 2 {
            return Shape::Opaque;
        }
        match Unverified::read(bearer) {
            Ok(token) if token.header().typ.as_deref() == Some(TYPE) => Shape::Access,
            _ => Shape::Identity,
        }
    }
}

/// What an access token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Whose it is.
    pub user: UserId,
    /// The sign-in that it belongs to.
    pub session: SessionId,
    /// Its own name.
    pub id: Uuid,
    /// When it was issued, to the microsecond: a floor that is raised a moment before must not meet it.
    pub issued_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// The keys of access tokens: one signs, all that came before it verify.
pub struct Ring {
    issuer: String,
    lifetime: Duration,
    signer: SigningKey,
    keys: HashMap<String, Key>,
    /// What is published, when anything is.
    document: Option<Value>,
}

impl Ring {
    /// From the configuration. `cookie_secrets` are the signing secrets of cookies: keys are derived from them when
    /// there is no secret for tokens, and accepted in any case, so that setting one later signs nobody out.
    pub fn new(config: &AccessTokens, cookie_secrets: &[Secret<String>]) -> Result<Ring> {
        // Cookies and tokens never share a key.
        let derived = cookie_secrets
            .iter()
            .map(|secret| crypto::token::derived(secret, "stoa 2026 token secret from cookie secret"));
        let mut secrets: Vec<Secret<String>> = config.secrets.clone();
        secrets.extend(derived);
        let mut keys = HashMap::new();
        let mut signer = None;
        let mut published = Vec::new();
        for secret in &secrets {
            let key = match config.algorithm {
                SigningAlgorithm::Hs256 => SigningKey::hs256(secret)?,
                SigningAlgorithm::EdDsa => SigningKey::ed25519(secret)?,
            };
            // The same secret twice is one key.
            if keys.insert(key.kid().to_owned(), key.key().clone()).is_none() {
                published.extend(key.key().jwk());
            }
            signer.get_or_insert(key);
        }
        let signer = signer.ok_or_else(|| Fault::internal("there is no secret to sign tokens with"))?;
        let document = (!published.is_empty()).then(|| json!({ "keys": published }));
        Ok(Ring { issuer: config.issuer.clone(), lifetime: config.lifetime, signer, keys, document })
    }

    /// How long a token lives.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The public keys as a JWK set, for `/.well-known/jwks.json`; `None` with HS256, which has none.
    pub const fn jwks(&self) -> Option<&Value> {
        self.document.as_ref()
    }

    /// A new token for this sign-in.
    pub fn issue(&self, user: UserId, session: SessionId, ambient: &Ambient) -> Secret<String> {
        let now = ambient.now();
        let expires = (now + self.lifetime).seconds();
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("iss", self.issuer.clone().into());
        claim("aud", AUDIENCE.into());
        claim("sub", user.to_string().into());
        claim("sid", session.to_string().into());
        claim("jti", Uuid::from_bytes(ambient.bytes()).to_string().into());
        claim("iat", now.seconds().into());
        claim("exp", expires.into());
        // `iat` counts seconds; this is the rest of it.
        claim("iat_us", now.micros().rem_euclid(1_000_000).into());
        self.signer.sign(TYPE, &claims)
    }

    /// What a token of this server says: signed by one of our keys, for us, by us, and not over.
    pub fn verify(&self, token: &str, now: Time) -> Result<Access, Flaw> {
        let token = Unverified::read(token)?;
        if token.header().typ.as_deref() != Some(TYPE) {
            return Err(Flaw::Invalid("the token is of another type"));
        }
        let kid = token.header().kid.as_deref().ok_or(Flaw::Invalid("the token names no key"))?;
        let key = self.keys.get(kid).ok_or(Flaw::Invalid("the token names an unknown key"))?;
        let claims = Claims::read(&token.verify(key)?)?;
        if claims.text("iss")? != Some(self.issuer.as_str()) {
            return Err(Flaw::Invalid("the token is of another issuer"));
        }
        if claims.text("aud")? != Some(AUDIENCE) {
            return Err(Flaw::Invalid("the token is for another audience"));
        }
        let user = claims.text("sub")?.and_then(|id| UserId::parse(id).ok());
        let session = claims.text("sid")?.and_then(|id| SessionId::parse(id).ok());
        let id = claims.text("jti")?.and_then(|id| Uuid::try_parse(id).ok());
        let (Some(user), Some(session), Some(id)) = (user, session, id) else {
            return Err(Flaw::Invalid("the token lacks a claim"));
        };
        let (issued, expires_at) = claims.lifetime(now)?;
        let rest = claims.integer("iat_us").filter(|rest| (0..1_000_000).contains(rest));
        let rest = rest.ok_or(Flaw::Invalid("the token lacks a claim"))?;
        let issued_at = Time::from_micros(issued.micros().saturating_add(rest));
        if now >= expires_at {
            return Err(Flaw::Expired);
        }
        Ok(Access { user, session, id, issued_at, expires_at })
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ring({} of {})", self.signer.kid(), self.keys.len())
    }
}

#[cfg(test)]
pub(crate) mod tests;
