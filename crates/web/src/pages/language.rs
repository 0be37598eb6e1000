//! The menu of languages: a choice is kept in a cookie of this browser, and the page comes back in that language.

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use http::HeaderValue;
use http::header::SET_COOKIE;
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

async fn choose(guest: Guest, fields: Fields) -> Outcome<Response> {
    let language = Language::parse(fields.text("language")).ok_or(Fault::new(Code::NotFound))?;
    let back = local(fields.text("return_to"));
    let mut response = onward(if back.is_empty() { "/" } else { back });
    let secure = if guest.peer.https { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={}; Path=/; Max-Age={KEPT}; HttpOnly; SameSite=Lax{secure}", language.tag());
    let cookie = HeaderValue::from_str(&cookie).map_err(Fault::internal)?;
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}
