//! Signing in on the page at another issuer: OpenID Connect's authorization code with PKCE, state and nonce, and the
//! issuer's own name in its answer against mix-up (RFC 9700, RFC 9207). What must be remembered meanwhile travels in a
//! sealed cookie. It never finds or makes an account and never keeps what it got.

mod exchange;
mod memory;

use std::sync::Arc;

use crypto::CookieJar;
use guard::outbound::Outbound;
use kernel::{Ambient, Code, Fault, Result, Secret};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::Config;
use crate::issuer::{IdClaims, Issuer, Issuers};
use crate::token::Flaw;
use memory::Memory;

pub use memory::{MINUTES, cookie_name, local_path};

/// What a sign-in asks for: who it is, and what to call them.
const SCOPE: &str = "openid email profile";
/// No query of an answer is longer, and no code in it.
const LONGEST_QUERY: usize = 8 * 1024;
const LONGEST_CODE: usize = 4 * 1024;

/// Signs people in at the issuers that have us as a client.
pub struct SignIn {
    issuers: Arc<Issuers>,
    /// Where people reach the server, without a slash at the end.
    base_url: String,
    /// Cookies are `Secure` and bound to this host.
    secure: bool,
    jar: CookieJar,
    outbound: Outbound,
    ambient: Ambient,
}

/// Where the browser goes, and what it must bring back.
#[derive(Clone, Debug)]
pub struct Departure {
    /// The issuer's page.
    pub url: Url,
    /// The `Set-Cookie` value.
    pub cookie: String,
}

/// Who came back.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What the issuer says about them, verified.
    pub claims: IdClaims,
    /// The page that they wanted: a path of this server.
    pub return_to: String,
}

impl SignIn {
    /// From the configuration; `base_url` is where people reach the server.
    pub fn new(
        config: &Config,
        issuers: Arc<Issuers>,
        base_url: &str,
        outbound: &Outbound,
        ambient: &Ambient,
    ) -> SignIn {
        SignIn {
            issuers,
            base_url: base_url.trim_end_matches('/').to_owned(),
            secure: config.secure_cookies || base_url.starts_with("https://"),
            jar: CookieJar::new(&config.cookie_secrets),
            outbound: outbound.clone(),
            ambient: ambient.clone(),
        }
    }

    /// Takes these signing secrets from now on; sign-ins that have begun go on as long as theirs are among them.
    pub fn renew(&self, secrets: &[Secret<String>]) {
        self.jar.renew(secrets);
    }

    /// The names of the issuers that a sign-in page offers.
    pub fn names(&self) -> Vec<&str> {
        self.issuers.with_client().map(|issuer| issuer.name()).collect()
    }

    /// The name of the cookie to give to [`SignIn::finish`]. Over HTTPS no other host can set it.
    pub const fn cookie_name(&self) -> &'static str {
        cookie_name(self.secure)
    }

    /// The `Set-Cookie` value that forgets a sign-in; to be sent with the answer to [`SignIn::finish`], whatever comes
    /// of it.
    pub fn forget(&self) -> String {
        memory::forget(self.secure)
    }

    /// Begins a sign-in at this issuer. `return_to` is a path of this server; anything else is the first page.
    /// `not_found` when there is no such issuer, `unavailable` when it cannot be asked.
    pub async fn start(&self, name: &str, return_to: &str) -> Result<Departure> {
        let issuer = self.issuer(name)?;
        let metadata = issuer.metadata().await?;
        let client = issuer.client().ok_or(Code::NotFound)?;
        let endpoint = metadata
            .authorization_endpoint
            .ok_or_else(|| Fault::new(Code::Unavailable).because("the issuer names no page to sign in on"))?;
        let memory = Memory::new(name, local_path(return_to).unwrap_or("/"), &self.ambient);
        let mut url = endpoint;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", &self.redirect_uri(name))
            .append_pair("scope", SCOPE)
            .append_pair("state", &memory.state)
            .append_pair("nonce", &memory.nonce)
            .append_pair("code_challenge", &memory.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(Departure { url, cookie: memory.seal(&self.jar, self.secure, &self.ambient) })
    }

    /// Ends a sign-in: the query with which the issuer sent the browser back, and the cookie of [`SignIn::start`].
    /// `unauthenticated` with a sentence for the person when it did not succeed.
    pub async fn finish(&self, name: &str, query: &str, cookie: Option<&str>) -> Result<Arrival> {
        let issuer = self.issuer(name)?;
        let answer = Answer::read(query).ok_or_else(|| stale("the answer of the issuer cannot be read"))?;
        // The state first: until it fits, nothing in the answer is worth a look. It proves that this browser began.
        let memory = cookie
            .and_then(|cookie| Memory::open(&self.jar, cookie, self.ambient.now()))
            .filter(|memory| memory.issuer == name)
            .ok_or_else(|| stale("there is no memory of this sign-in"))?;
        let state = answer.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(memory.state.as_bytes())) {
            return Err(stale("the state is another"));
        }
        let metadata = issuer.metadata().await?;
        match &answer.issuer {
            Some(named) if named != issuer.issuer() => return Err(stale("another issuer answered")),
            None if metadata.names_itself => return Err(stale("the issuer did not name itself")),
            _ => {}
        }
        if let Some(error) = &answer.error {
            return Err(declined(error));
        }
        let code = answer.code.ok_or_else(|| stale("there is no code"))?;
        let redirect = self.redirect_uri(name);
        let tokens =
            exchange::code(&self.outbound, issuer, &metadata, &code, &redirect, &memory.verifier).await?;
        let client = issuer.client().ok_or(Code::NotFound)?;
        let claims = issuer.verify(tokens.id_token.expose(), &client.id).await.map_err(unverified)?;
        let nonce = claims.nonce.as_deref().unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(memory.nonce.as_bytes())) {
            return Err(stale("the nonce is another"));
        }
        if !exchange::fits(&claims, tokens.access_token.as_ref()) {
            return Err(stale("the ID token belongs to another access token"));
        }
        Ok(Arrival { claims, return_to: memory.return_to })
    }

    fn issuer(&self, name: &str) -> Result<&Arc<Issuer>> {
        let found = self.issuers.with_client().find(|issuer| issuer.name() == name);
        found.ok_or_else(|| Fault::new(Code::NotFound))
    }

    /// Each issuer has an address of its own, so that the answer of one cannot be shown for that of another.
    fn redirect_uri(&self, name: &str) -> String {
        format!("{}/api/v1/auth/oidc/{name}/callback", self.base_url)
    }
}

/// What the issuer said in the query. A parameter that comes twice makes it unreadable.
#[derive(Default)]
struct Answer {
    state: Option<String>,
    code: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
}

impl Answer {
    fn read(query: &str) -> Option<Answer> {
        let mut answer = Answer::default();
        if query.len() > LONGEST_QUERY {
            return None;
        }
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "state" => &mut answer.state,
                "code" => &mut answer.code,
                "iss" => &mut answer.issuer,
                "error" => &mut answer.error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        answer.code = answer.code.filter(|code| !code.is_empty() && code.len() <= LONGEST_CODE);
        Some(answer)
    }
}

/// The person must begin again; the log is told why.
fn stale(why: &'static str) -> Fault {
    Fault::new(Code::Unauthenticated)
        .say("the sign-in took too long, or was begun in another window; please sign in again")
        .because(why)
}

/// The issuer said no. Its word is of a closed list (RFC 6749, section 4.1.2.1, and OpenID Connect); anything else is
/// not repeated anywhere.
fn declined(error: &str) -> Fault {
    const WORDS: [&str; 11] = [
        "access_denied",
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
    ];
    let word = WORDS.into_iter().find(|word| *word == error).unwrap_or("another error");
    Fault::new(Code::Unauthenticated)
        .say("the sign-in was not completed there; please try again, or sign in another way")
        .because(format!("the issuer answered {word}"))
}

/// An ID token that came straight from the issuer and does not verify is its mistake or ours, not the person's.
fn unverified(flaw: Flaw) -> Fault {
    match flaw {
        Flaw::Unavailable => flaw.into(),
        Flaw::Expired | Flaw::Invalid(_) => {
            tracing::warn!(why = flaw.reason(), "an ID token that an issuer gave us is refused");
            stale(flaw.reason())
        }
    }
}

#[cfg(test)]
mod tests;
