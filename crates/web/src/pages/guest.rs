//! Around every page: a form must come from our own pages whether or not a cookie came along (a foreign page must not
//! sign anybody in), and a GET that needs somebody leads to the page where one signs in and back. The pages of signing
//! in are open to whoever comes, also while visitors are refused.

use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use guard::http::{Peer, limit_key};
use guard::limits::Claim;
use http::header::{ACCEPT, COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use identity::{Context, Credentials, Principal};
use kernel::{Actor, AuditEvent, Code, EventType, Fault};

use super::form::onward;
use crate::Site;
use crate::failure::{Failure, Outcome};
use crate::ui::Viewer;
use crate::who::{Who, context};

/// Whoever comes to a page of signing in.
#[derive(Clone)]
pub(crate) struct Guest {
    /// Somebody, when they are signed in already.
    pub(crate) who: Option<Who>,
    pub(crate) peer: Peer,
    headers: HeaderMap,
}

impl Guest {
    /// The value of a cookie, when it came once.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut found = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(one, _)| *one == name)
            .map(|(_, value)| value.to_owned());
        found.next().filter(|_| found.next().is_none())
    }

    /// Where the sign-in comes from.
    pub(crate) fn context(&self) -> Context {
        context(&self.headers, &self.peer)
    }

    /// The account that is signed in, where one is.
    pub(crate) async fn account(&self, site: &Site) -> Option<Principal> {
        let asking =
            site.identity.resolve(Credentials::read(&self.headers), self.peer.ip, self.peer.https).await;
        asking.ok().map(|resolved| resolved.principal).filter(|principal| principal.user().is_some())
    }
}

impl<S: Sync> FromRequestParts<S> for Guest {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Outcome<Guest> {
        parts.extensions.get::<Guest>().cloned().ok_or_else(|| Fault::new(Code::Internal).into())
    }
}

/// The layer of the pages of signing in.
pub(crate) async fn anyone(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return Failure::from(Code::Internal).into_response();
    };
    let address = limit_key(peer.ip);
    let claim = Claim { scope: "everything", key: &address, rules: &site.limiter.rules().everything };
    let limits = site.limiter.admit(&[claim]).await;
    if !limits.allowed {
        let wait = limits.retry_after.max(Duration::from_secs(1));
        let fault = Fault::new(Code::RateLimited).retry_after(wait);
        let mut response = Failure::from(fault).into_response();
        limits.write(site.ambient.now(), response.headers_mut());
        return response;
    }
    let credentials = Credentials::read(request.headers());
    let (who, cookie) = match site.identity.resolve(credentials, peer.ip, peer.https).await {
        Ok(known) if known.principal.user().is_some() => {
            (Some(Who { principal: known.principal, peer: peer.clone(), fresh: false }), known.cookie)
        }
        Ok(_) => (None, None),
        // A cookie that is good for nothing is taken away; whoever holds it may sign in anew.
        Err(refusal) => (None, refusal.cookie),
    };
    let guest = Guest { who, peer, headers: request.headers().clone() };
    request.extensions_mut().insert(guest);
    let mut response = next.run(request).await;
    // A page that sets this very cookie knows better; another cookie, such as that of the language, says nothing about it.
    let name = cookie.as_deref().and_then(|cookie| cookie.split('=').next()).unwrap_or_default();
    let begins = |value: &HeaderValue| value.as_bytes().starts_with(format!("{name}=").as_bytes());
    let sets = response.headers().get_all(SET_COOKIE).iter().any(begins);
    if let Some(cookie) = cookie.filter(|_| !sets).and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The layer of every page, outside of the others.
pub(crate) async fn pages(State(site): State<Site>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads
        && let Some(peer) = request.extensions().get::<Peer>()
        && let Err(fault) = site.front.same_origin(request.headers(), peer)
    {
        let event = AuditEvent::new(EventType::SecurityViolation, Actor::Anonymous)
            .from(peer.ip)
            .with("reason", "a form came from another site");
        site.audit.note(event);
        return Failure::from(fault).into_response();
    }
    let html = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let html = html.is_some_and(|accept| accept.contains("text/html"));
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    // Whoever comes back from an issuer without having signed in is told so, and is not sent round once more.
    let plain = ["/fragments/", "/admin/fragments/", "/api/"].iter().all(|start| !path.starts_with(start));
    let leads = reads && html && plain;
    let response = next.run(request).await;
    if !leads || response.status() != StatusCode::UNAUTHORIZED {
        return response;
    }
    let mut away = onward(&Viewer::sign_in_url(super::form::local(&path)));
    for cookie in response.headers().get_all(SET_COOKIE) {
        away.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    away
}
