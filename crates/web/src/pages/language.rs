//! The menu of languages: a choice is kept in a cookie of this browser and with the account of whoever is signed in, and the
//! page comes back in that language.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::HeaderValue;
use http::header::SET_COOKIE;
use identity::AccountWrite;
use kernel::{Code, Fault};

use super::form::{Fields, local, onward};
use super::guest::Guest;
use crate::Site;
use crate::failure::Outcome;
use crate::texts::{COOKIE, Language};

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
