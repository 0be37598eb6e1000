//! The menu of languages: a choice is kept in a cookie of this browser and with the account of whoever is signed in, and the
//! page comes back in that language.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use identity::AccountWrite;
use kernel::{Code, Fault};

use super::form::{Fields, local, onward};
use super::guest::Guest;
use crate::Site;
use crate::failure::Outcome;
use crate::texts::{COOKIE, Language, chosen};

/// A year, in seconds.
const KEPT: u64 = 31_536_000;

/// The way to another language.
pub(super) fn routes() -> Router<Site> {
    Router::new().route("/language", post(choose))
}

async fn choose(State(site): State<Site>, guest: Guest, fields: Fields) -> Outcome<Response> {
    // The empty one leaves it to the browser again.
    let language = match fields.text("language") {
        "" if !fields.all("language").is_empty() => None,
        tag => Some(Language::parse(tag).ok_or(Fault::new(Code::NotFound))?),
    };
    if let Some(who) = guest.account(&site).await {
        site.accounts.set_language(&site.identity.may(&who, AccountWrite)?, language).await?;
    }
    let back = local(fields.text("return_to"));
    let mut response = onward(if back.is_empty() { "/" } else { back });
    response.headers_mut().append(SET_COOKIE, cookie(language, guest.peer.https)?);
    Ok(response)
}

/// What a browser remembers of a choice; `None` makes it forget.
fn cookie(language: Option<Language>, https: bool) -> Result<HeaderValue, Fault> {
    let secure = if https { "; Secure" } else { "" };
    let (tag, kept) = language.map_or(("", 0), |language| (language.tag(), KEPT));
    let cookie = format!("{COOKIE}={tag}; Path=/; Max-Age={kept}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&cookie).map_err(Fault::internal)
}

/// Has the browser of somebody remember the language of their account, for pages where nobody is known: of an address that leads
/// nowhere, or after signing out.
pub(crate) fn follow(response: &mut Response, asked: &HeaderMap, language: Language, https: bool) {
    let page =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if page
        && chosen(asked) != Some(language)
        && let Ok(cookie) = cookie(Some(language), https)
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
