//! Who is asking, for every route that is not public: credentials become a principal, and the limits of the
//! route's scope are counted. Handlers take the principal from the extensions as [`Who`].

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use guard::http::{Peer, limit_key};
use guard::limits::{Claim, Rule, Rules, Standing, Verdict};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use identity::{AccountRead, Admin, Context, Credentials, May, Permission, Principal};
use kernel::{AuditEvent, Code, EventType, Fault};
use tracing::Instrument as _;

use crate::failure::{Failure, Outcome};
use crate::{Site, body, texts};

/// No body of an account or admin operation is larger: 16 KiB.
const SMALL: u64 = 16 * 1024;

/// Which limits a route counts against (CONTRACT section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A turn: per principal, and per address for visitors.
    Chat,
    /// Files thrown away: per user, whatever of theirs asks.
    FileDelete,
    /// Everything else: per address.
    Everything,
}

/// The caller.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) principal: Principal,
    pub(crate) peer: Peer,
    /// A visitor that this very request has made: nobody who could have anything here.
    pub(crate) fresh: bool,
}

impl Who {
    /// The proof that the caller may; a refusal is audited.
    pub(crate) fn may<P: Permission>(&self, site: &Site, what: P) -> Outcome<May<P>> {
        site.identity.may(&self.principal, what).map_err(|fault| {
            let event = AuditEvent::new(EventType::AuthzDenied, self.principal.subject())
                .from(self.peer.ip)
                .with("permission", P::NAME);
            site.audit.note(event);
            fault.into()
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Outcome<Who> {
        // Absent only when a route was registered without `identify`: refuse rather than guess.
        parts.extensions.get::<Who>().cloned().ok_or_else(|| Fault::new(Code::Unauthenticated).into())
    }
}

/// Where a sign-in comes from: of the routes whose callers have not proven anything yet.
#[derive(Clone)]
pub(crate) struct From(Arc<Context>);

impl Deref for From {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Outcome<From> {
        if let Some(from) = parts.extensions.get::<From>() {
            return Ok(from.clone());
        }
        let peer = parts.extensions.get::<Peer>().ok_or_else(|| Fault::new(Code::Unauthenticated))?;
        Ok(From(Arc::new(context(&parts.headers, peer))))
    }
}

/// Where a request comes from, and in which language it asks.
pub(crate) fn context(headers: &HeaderMap, peer: &Peer) -> Context {
    let mut context = Context::read(headers, peer.ip, peer.https);
    context.language = texts::asked_for(headers);
    context
}

/// The layer of routes where nobody has proven anything yet: sign-in, registration, links of mails. It looks at no
/// credential, so that a dead one does not keep its owner from getting a new one.
pub(crate) async fn entrance(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return Failure::from(Code::Internal).into_response();
    };
    // A browser that carries our cookies is protected from being signed in as somebody else by another site.
    let credentials = Credentials::read(request.headers());
    let by_cookie =
        (credentials.visitor.is_some() || credentials.has_session()) && !credentials.rides_on_header();
    if by_cookie
        && changes_state(request.method())
        && let Err(fault) = site.front.same_origin(request.headers(), &peer)
    {
        crossed(&site, kernel::Actor::Anonymous, &peer);
        return Failure::from(fault).into_response();
    }
    site.fresh.wait().await;
    let address = limit_key(peer.ip);
    let limits = site.limiter.admit(&[everything_claim(site.limiter.rules(), &address)]).await;
    let from = From(Arc::new(context(request.headers(), &peer)));
    let mut response = if limits.allowed {
        request.extensions_mut().insert(from.clone());
        next.run(request).await
    } else {
        limited(&site, &limits, kernel::Actor::Anonymous, &peer).into_response()
    };
    // The limit of sign-in is the one that binds where it was asked.
    let told = from.limits().filter(|_| limits.allowed).unwrap_or(&limits);
    told.write(site.ambient.now(), response.headers_mut());
    response
}

/// The layer of routes with secrets in their answers or with words of people in their bodies: small bodies, and
/// answers that are neither kept nor compressed, whose length would tell about the secret in them.
pub(crate) async fn secretive(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(body::Most(SMALL));
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Incompressible);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Says of an answer that it must not be compressed.
#[derive(Clone, Copy)]
pub(crate) struct Incompressible;

/// The layer, below [`everything`], of what only accounts have. It answers before the body is read: who may not, is
/// not told what would have been wrong with the words.
pub(crate) async fn accounts(State(site): State<Site>, who: Who, request: Request, next: Next) -> Response {
    match who.may(&site, AccountRead) {
        Ok(_) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// The same for what only admins have.
pub(crate) async fn admins(State(site): State<Site>, who: Who, request: Request, next: Next) -> Response {
    match who.may(&site, Admin) {
        Ok(_) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// The layer of routes that count as chat.
pub(crate) async fn chat(State(site): State<Site>, request: Request, next: Next) -> Response {
    identify(site, Scope::Chat, request, next).await
}

/// The layer of all other routes that need a caller.
pub(crate) async fn everything(State(site): State<Site>, request: Request, next: Next) -> Response {
    identify(site, Scope::Everything, request, next).await
}

/// The layer of routes where only a POST is a turn.
pub(crate) async fn by_method(State(site): State<Site>, request: Request, next: Next) -> Response {
    let scope = if changes_state(request.method()) { Scope::Chat } else { Scope::Everything };
    identify(site, scope, request, next).await
}

/// The layer, below [`chat`] and [`everything`], of routes for programs: they come with a key or a token, and a
/// visitor's cookie is none. It answers before the body is read.
pub(crate) async fn credentialed(who: Who, request: Request, next: Next) -> Response {
    if who.principal.is_visitor() {
        return Failure::from(Code::Unauthenticated).into_response();
    }
    next.run(request).await
}

/// Why this request has no caller; `None` when it has one.
pub(crate) async fn stranger(site: &Site, headers: &HeaderMap, peer: &Peer) -> Option<Failure> {
    site.fresh.wait().await;
    let credentials = Credentials::read(headers);
    let refusal = site.identity.resolve(credentials, peer.ip, peer.https).await.err()?;
    Some(refusal.fault.into())
}

/// Speaks the language of the account whose session came along, on a page that needs none.
pub(crate) async fn speak_as(site: &Site, headers: &HeaderMap, peer: &Peer) {
    let credentials = Credentials::read(headers);
    if credentials.has_session()
        && let Ok(resolved) = site.identity.resolve(credentials, peer.ip, peer.https).await
        && let Some(language) = resolved.principal.language()
    {
        texts::speak(language);
    }
}

/// The layer of routes of files where only DELETE throws something away.
pub(crate) async fn files(State(site): State<Site>, request: Request, next: Next) -> Response {
    let deletes = *request.method() == Method::DELETE;
    let scope = if deletes { Scope::FileDelete } else { Scope::Everything };
    identify(site, scope, request, next).await
}

/// The layer of routes that throw files away by POST.
pub(crate) async fn file_deletions(State(site): State<Site>, request: Request, next: Next) -> Response {
    identify(site, Scope::FileDelete, request, next).await
}

async fn identify(site: Site, scope: Scope, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return Failure::from(Code::Internal).into_response();
    };
    site.fresh.wait().await;
    let credentials = Credentials::read(request.headers());
    let asking = site.identity.resolve(credentials, peer.ip, peer.https);
    let resolved = match asking.instrument(tracing::info_span!(target: "trace", "permission")).await {
        Ok(resolved) => resolved,
        Err(refusal) => return refuse(&site, &peer, refusal).await,
    };
    if let Some(event) = resolved.event {
        site.audit.note(event);
    }
    if resolved.rides_on_cookie
        && changes_state(request.method())
        && let Err(fault) = site.front.same_origin(request.headers(), &peer)
    {
        crossed(&site, resolved.principal.subject(), &peer);
        return Failure::from(fault).into_response();
    }
    let counters = Counters::of(scope, &resolved.principal, &peer);
    let limits = site.limiter.admit(&counters.claims(site.limiter.rules())).await;
    let mut response = if limits.allowed {
        if let Some(language) = resolved.principal.language() {
            texts::speak(language);
        }
        let principal = resolved.principal.clone().asking_for(texts::asked_for(request.headers()));
        let fresh = principal.is_visitor() && resolved.cookie.is_some();
        request.extensions_mut().insert(Who { principal, peer: peer.clone(), fresh });
        next.run(request).await
    } else {
        limited(&site, &limits, resolved.principal.subject(), &peer).into_response()
    };
    limits.write(site.ambient.now(), response.headers_mut());
    let refused = response.status() == StatusCode::UNAUTHORIZED;
    // Who has just signed out must not get the cookie back that the same request has prolonged.
    let set_already = response.headers().contains_key(SET_COOKIE) && !resolved.principal.is_visitor();
    if let Some(cookie) = resolved.cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok())
        && !refused
        && !set_already
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn crossed(site: &Site, actor: impl Into<kernel::Actor>, peer: &Peer) {
    let event = AuditEvent::new(EventType::SecurityViolation, actor)
        .from(peer.ip)
        .with("reason", "a request with a cookie came from another site");
    site.audit.note(event);
}

/// A refused credential counts against the address, so that keys cannot be guessed at speed.
async fn refuse(site: &Site, peer: &Peer, refusal: identity::Refusal) -> Response {
    let identity::Refusal { fault, reason, event, cookie } = refusal;
    if let Some(event) = event {
        metrics::counter!("stoa_auth_failures_total", "reason" => reason).increment(1);
        tracing::warn!(event_type = "auth.failure", reason, "authentication failed");
        site.audit.note(*event);
    }
    let address = limit_key(peer.ip);
    let limits = site.limiter.admit(&[everything_claim(site.limiter.rules(), &address)]).await;
    let mut response = if limits.allowed {
        Failure::from(fault).into_response()
    } else {
        limited(site, &limits, kernel::Actor::Anonymous, peer).into_response()
    };
    limits.write(site.ambient.now(), response.headers_mut());
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn limited(site: &Site, limits: &Verdict, actor: impl Into<kernel::Actor>, peer: &Peer) -> Failure {
    tracing::warn!(
        event_type = "ratelimit.exceeded",
        scope = limits.scope,
        limit = limits.limit,
        "rate limit exceeded"
    );
    let event = AuditEvent::new(EventType::RatelimitExceeded, actor)
        .from(peer.ip)
        .with("scope", limits.scope)
        .with("limit", limits.limit);
    site.audit.note(event);
    let seconds = limits.retry_after.as_secs_f64().ceil();
    Fault::new(Code::RateLimited)
        .say(format!(
            "at most {} requests in {} seconds; try again in {seconds} seconds",
            limits.limit,
            limits.window.as_secs()
        ))
        .retry_after(limits.retry_after)
        .into()
}

/// The counters that a request draws from, with their keys.
struct Counters {
    scope: Scope,
    visitor: bool,
    subject: String,
    /// Whose files the caller works with.
    keeper: String,
    address: String,
    own: Vec<Rule>,
}

impl Counters {
    fn of(scope: Scope, who: &Principal, peer: &Peer) -> Counters {
        let limits = who.limits();
        let rule = |limit: Option<u32>, seconds| {
            limit.map(|limit| Rule { limit, window: Duration::from_secs(seconds) })
        };
        Counters {
            scope,
            visitor: who.is_visitor(),
            subject: who.subject().to_string(),
            keeper: who.keeper().to_string(),
            address: limit_key(peer.ip),
            own: [rule(limits.per_minute, 60), rule(limits.per_hour, 3_600)].into_iter().flatten().collect(),
        }
    }

    fn claims<'a>(&'a self, rules: &'a Rules) -> Vec<Claim<'a>> {
        match self.scope {
            Scope::Everything => vec![everything_claim(rules, &self.address)],
            Scope::FileDelete => {
                vec![Claim { scope: "file_delete", key: &self.keeper, rules: &rules.file_delete }]
            }
            Scope::Chat if self.visitor => vec![
                Claim { scope: "chat", key: &self.subject, rules: &rules.chat_visitor },
                Claim { scope: "chat_address", key: &self.address, rules: &rules.chat_address },
            ],
            Scope::Chat => {
                let mut claims =
                    vec![Claim { scope: "chat", key: &self.subject, rules: &rules.chat_principal }];
                // Beside the server's limit, never in its place: a key's own limit can only tighten.
                if !self.own.is_empty() {
                    claims.push(Claim { scope: "key", key: &self.subject, rules: &self.own });
                }
                claims
            }
        }
    }
}

fn everything_claim<'a>(rules: &'a Rules, address: &'a str) -> Claim<'a> {
    Claim { scope: "everything", key: address, rules: &rules.everything }
}

/// What is left of the limits of chat, without counting against them.
pub(crate) async fn limits_left(site: &Site, who: &Who) -> Vec<Standing> {
    let counters = Counters::of(Scope::Chat, &who.principal, &who.peer);
    site.limiter.inspect(&counters.claims(site.limiter.rules())).await
}

fn changes_state(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
