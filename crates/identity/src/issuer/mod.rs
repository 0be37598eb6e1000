//! ID tokens of issuers whom the operator trusts, and of Firebase: verified against the keys that the issuer publishes.
//! It never finds or makes an account; an identity is the pair of issuer and subject, never an address.

mod cached;
pub(crate) mod fetch;
pub(crate) mod metadata;

use std::fmt;
use std::sync::Arc;

use crypto::jws::{Algorithm, Key, KeySet, Unverified};
use guard::outbound::Outbound;
use kernel::{Ambient, Time};
use url::Url;

use crate::Config;
use crate::token::claims::Claims;
use crate::token::{Flaw, LEEWAY};
use crate::trust::{Client, Firebase, TrustedIssuer};
use cached::{Cached, Lack};
use metadata::Metadata;

/// The longest subject: OpenID Connect Core, section 2, and Firebase's own rule.
const LONGEST_SUBJECT: usize = 255;
const LONGEST_FIREBASE_SUBJECT: usize = 128;
/// The longest name and address that are taken over, in characters.
const LONGEST_NAME: usize = 200;
const LONGEST_EMAIL: usize = 254;

/// What a verified ID token says about somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct IdClaims {
    /// Who says it.
    pub issuer: String,
    /// Whom the issuer means: with the issuer, the identity.
    pub subject: String,
    /// The address, as the issuer knows it. It proves nothing here, verified or not.
    pub email: Option<String>,
    /// The issuer has verified the address.
    pub email_verified: bool,
    /// The name to show.
    pub name: Option<String>,
    /// When the token was issued.
    pub issued_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When the person last showed the issuer who they are.
    pub auth_time: Option<Time>,
    /// What we asked to be repeated.
    pub nonce: Option<String>,
    pub(crate) at_hash: Option<String>,
    pub(crate) algorithm: Algorithm,
}

impl fmt::Debug for IdClaims {
    /// Without anything personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdClaims")
            .field("issuer", &self.issuer)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Every issuer whom the operator trusts.
pub struct Issuers(Vec<Arc<Issuer>>);

impl Issuers {
    /// From the configuration. Asks nobody yet.
    pub fn new(config: &Config, outbound: &Outbound, ambient: &Ambient) -> Issuers {
        let firebase = config.firebase.iter().map(|firebase| Issuer::firebase(firebase, outbound, ambient));
        let others = config.issuers.iter().map(|issuer| Issuer::new(issuer, outbound, ambient));
        Issuers(firebase.chain(others).map(Arc::new).collect())
    }

    /// Nobody is trusted.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The issuers where people can sign in on the page.
    pub fn with_client(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        self.0.iter().filter(|issuer| issuer.client.is_some())
    }

    /// Verifies an ID token that came as bearer, or to be exchanged: of one of these issuers, for the audience that the
    /// operator configured. A token must be kept by the digest of all of it, and never beyond `expires_at`.
    pub async fn verify(&self, token: &str) -> Result<IdClaims, Flaw> {
        // Read once without verifying, to know whom to ask. The issuer verifies all of it again.
        let unverified = Unverified::read(token)?;
        let claims = Claims::read(unverified.unverified_payload())?;
        let named = claims.text("iss")?.ok_or(Flaw::Invalid("the token names no issuer"))?;
        let issuer = self.0.iter().find(|issuer| issuer.issuer == named);
        let issuer = issuer.ok_or(Flaw::Invalid("the issuer is not trusted"))?;
        let audience = issuer.audience.as_deref();
        let audience = audience.ok_or(Flaw::Invalid("the issuer's tokens are not taken as bearer"))?;
        issuer.verify(token, audience).await
    }
}

/// One issuer.
pub struct Issuer {
    name: String,
    issuer: String,
    audience: Option<String>,
    client: Option<Client>,
    kind: Kind,
    keys: Arc<Cached<KeySet>>,
    metadata: Option<Arc<Cached<Metadata>>>,
    ambient: Ambient,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    OpenId,
    Firebase,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.name)
    }
}

impl Issuer {
    fn firebase(firebase: &Firebase, outbound: &Outbound, ambient: &Ambient) -> Issuer {
        Issuer {
            name: "firebase".to_owned(),
            issuer: firebase.issuer(),
            audience: Some(firebase.project.clone()),
            client: None,
            kind: Kind::Firebase,
            keys: keys_at("firebase", firebase.jwks_url.clone(), outbound, ambient),
            metadata: None,
            ambient: ambient.clone(),
        }
    }

    fn new(trusted: &TrustedIssuer, outbound: &Outbound, ambient: &Ambient) -> Issuer {
        let metadata = discovery(trusted, outbound, ambient);
        let keys = match &trusted.jwks_url {
            Some(url) => keys_at(&trusted.name, url.clone(), outbound, ambient),
            None => discovered_keys(&trusted.name, Arc::clone(&metadata), outbound, ambient),
        };
        Issuer {
            name: trusted.name.clone(),
            issuer: trusted.issuer.clone(),
            audience: trusted.audience.clone(),
            client: trusted.client.clone(),
            kind: Kind::OpenId,
            keys,
            metadata: Some(metadata),
            ambient: ambient.clone(),
        }
    }

    /// The short name, in addresses and on the page.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The issuer as its tokens name it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) const fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// What it says about itself.
    pub(crate) async fn metadata(&self) -> Result<Metadata, Flaw> {
        let Some(metadata) = &self.metadata else { return Err(Flaw::Invalid("the issuer has no sign-in")) };
        metadata.find(|metadata| Some(metadata.clone())).await.map_err(|_| Flaw::Unavailable)
    }

    /// Verifies a token of this issuer for this audience.
    pub(crate) async fn verify(&self, token: &str, audience: &str) -> Result<IdClaims, Flaw> {
        let unverified = Unverified::read(token)?;
        let header = unverified.header();
        let algorithm = header.algorithm;
        let accepted: &[Algorithm] = match self.kind {
            Kind::OpenId => &[Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa],
            Kind::Firebase => &[Algorithm::Rs256],
        };
        if !accepted.contains(&algorithm) {
            return Err(Flaw::Invalid("the issuer does not sign with this algorithm"));
        }
        // An access token of the same issuer (`at+jwt`) is no ID token.
        if header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("jwt")) {
            return Err(Flaw::Invalid("the token is of another type"));
        }
        if self.kind == Kind::Firebase && header.kid.is_none() {
            return Err(Flaw::Invalid("the token names no key"));
        }
        let key = self.key(header.kid.clone(), algorithm).await?;
        let claims = Claims::read(&unverified.verify(&key)?)?;
        self.judge(&claims, audience, algorithm)
    }

    async fn key(&self, kid: Option<String>, algorithm: Algorithm) -> Result<Key, Flaw> {
        let pick =
            |keys: &KeySet| keys.find(kid.as_deref()).filter(|key| key.algorithm() == algorithm).cloned();
        self.keys.find(pick).await.map_err(|lack| match lack {
            Lack::Unknown => Flaw::Invalid("the token names an unknown key"),
            Lack::Away => Flaw::Unavailable,
        })
    }

    fn judge(&self, claims: &Claims, ours: &str, algorithm: Algorithm) -> Result<IdClaims, Flaw> {
        let now = self.ambient.now();
        if claims.text("iss")? != Some(self.issuer.as_str()) {
            return Err(Flaw::Invalid("the token is of another issuer"));
        }
        let audience = claims.audience()?;
        let many = audience.len() != 1;
        if !audience.contains(&ours) || many && self.kind == Kind::Firebase {
            return Err(Flaw::Invalid("the token is for another audience"));
        }
        // OpenID Connect Core, section 3.1.3.7: among several, the authorized party says for whom it was made.
        if many && claims.text("azp")? != Some(ours) {
            return Err(Flaw::Invalid("the token was made for another party"));
        }
        let subject = claims.text("sub")?.ok_or(Flaw::Invalid("the token names nobody"))?;
        let (longest, firebase) = match self.kind {
            Kind::OpenId => (LONGEST_SUBJECT, false),
            Kind::Firebase => (LONGEST_FIREBASE_SUBJECT, true),
        };
        if subject.chars().count() > longest || subject.chars().any(char::is_control) {
            return Err(Flaw::Invalid("the subject is not sound"));
        }
        let (issued_at, expires_at) = claims.lifetime(now)?;
        let auth_time = claims.time("auth_time")?;
        if auth_time.is_some_and(|at| at > now + LEEWAY) || firebase && auth_time.is_none() {
            return Err(Flaw::Invalid("the token does not say when the person signed in"));
        }
        let email = claims.label("email", LONGEST_EMAIL + 1);
        let result = IdClaims {
            issuer: self.issuer.clone(),
            subject: subject.to_owned(),
            email: email.filter(|email| email.contains('@') && email.chars().count() <= LONGEST_EMAIL),
            email_verified: claims.is_true("email_verified"),
            name: claims.label("name", LONGEST_NAME),
            issued_at,
            expires_at,
            auth_time,
            nonce: claims.text("nonce")?.map(str::to_owned),
            at_hash: claims.text("at_hash")?.map(str::to_owned),
            algorithm,
        };
        // Last of all, so that nothing else hides behind an expired token.
        if now >= expires_at { Err(Flaw::Expired) } else { Ok(result) }
    }
}

fn read_keys(json: &[u8]) -> Result<KeySet, String> {
    let set = KeySet::parse_public(json).map_err(|flaw| flaw.to_string())?;
    // An empty set would throw away keys that are good, and prove nothing.
    if set.is_empty() { Err("its set holds no key that can be used".to_owned()) } else { Ok(set) }
}

fn keys_at(name: &str, url: Url, outbound: &Outbound, ambient: &Ambient) -> Arc<Cached<KeySet>> {
    let outbound = outbound.clone();
    Cached::new(format!("keys of {name}"), ambient.clone(), move || {
        let (outbound, url) = (outbound.clone(), url.clone());
        Box::pin(async move {
            let (json, keep) = fetch::document(&outbound, &url).await?;
            Ok((read_keys(&json)?, keep))
        })
    })
}

fn discovered_keys(
    name: &str,
    metadata: Arc<Cached<Metadata>>,
    outbound: &Outbound,
    ambient: &Ambient,
) -> Arc<Cached<KeySet>> {
    let outbound = outbound.clone();
    Cached::new(format!("keys of {name}"), ambient.clone(), move || {
        let (outbound, metadata) = (outbound.clone(), Arc::clone(&metadata));
        Box::pin(async move {
            let url = metadata.find(|metadata| Some(metadata.jwks_uri.clone())).await;
            let url = url.map_err(|_| "its document could not be read".to_owned())?;
            let (json, keep) = fetch::document(&outbound, &url).await?;
            Ok((read_keys(&json)?, keep))
        })
    })
}

fn discovery(trusted: &TrustedIssuer, outbound: &Outbound, ambient: &Ambient) -> Arc<Cached<Metadata>> {
    let (outbound, issuer) = (outbound.clone(), trusted.issuer.clone());
    Cached::new(format!("document of {}", trusted.name), ambient.clone(), move || {
        let (outbound, issuer) = (outbound.clone(), issuer.clone());
        Box::pin(async move {
            let url = metadata::address(&issuer).ok_or("its name is no address")?;
            let (json, keep) = fetch::document(&outbound, &url).await?;
            Ok((Metadata::read(&json, &issuer)?, keep))
        })
    })
}

#[cfg(test)]
pub(crate) mod tests;
