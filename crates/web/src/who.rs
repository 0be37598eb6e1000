//! Who is asking, for every route that is not public: credentials become a principal, and the limits of the
//! route's scope are counted. Handlers take the principal from the extensions as [`Who`].

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use guard::http::{Peer, limit_key};
use guard::limits::{Claim, Rules, Standing, Verdict};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use identity::{Credentials, May, Permission, Principal};
use kernel::{AuditEvent, Code, EventType, Fault};

use crate::Site;
use crate::failure::{Failure, Outcome};

/// Which limits a route counts against (CONTRACT section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A turn: per principal, and per address for visitors.
    Chat,
    /// Everything else: per address.
    Everything,
}

/// The caller.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) principal: Principal,
    pub(crate) peer: Peer,
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
pub(crate) fn stranger(site: &Site, request: &Request) -> Option<Failure> {
    let peer = request.extensions().get::<Peer>()?;
    let credentials = Credentials::read(request.headers());
    let refusal = site.identity.resolve(credentials, peer.ip, peer.https).err()?;
    Some(refusal.fault.into())
}

async fn identify(site: Site, scope: Scope, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return Failure::from(Code::Internal).into_response();
    };
    let credentials = Credentials::read(request.headers());
    let by_cookie = credentials.key.is_none();
    let resolved = match site.identity.resolve(credentials, peer.ip, peer.https) {
        Ok(resolved) => resolved,
        Err(refusal) => return refuse(&site, &peer, refusal).await,
    };
    if let Some(event) = resolved.event {
        site.audit.note(event);
    }
    let rides_on_cookie = by_cookie && request.headers().contains_key(http::header::COOKIE);
    if rides_on_cookie
        && changes_state(request.method())
        && let Err(fault) = site.front.same_origin(request.headers(), &peer)
    {
        let event = AuditEvent::new(EventType::SecurityViolation, resolved.principal.subject())
            .from(peer.ip)
            .with("reason", "a request with a cookie came from another site");
        site.audit.note(event);
        return Failure::from(fault).into_response();
    }
    let counters = Counters::of(scope, &resolved.principal, &peer);
    let limits = site.limiter.admit(&counters.claims(site.limiter.rules())).await;
    let mut response = if limits.allowed {
        let principal = resolved.principal.clone();
        request.extensions_mut().insert(Who { principal, peer: peer.clone() });
        next.run(request).await
    } else {
        limited(&site, &limits, resolved.principal.subject(), &peer).into_response()
    };
    limits.write(site.ambient.now(), response.headers_mut());
    let refused = response.status() == StatusCode::UNAUTHORIZED;
    if let Some(cookie) = resolved.cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok())
        && !refused
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// A refused credential counts against the address, so that keys cannot be guessed at speed.
async fn refuse(site: &Site, peer: &Peer, refusal: identity::Refusal) -> Response {
    let reason = refusal.event.details.get("reason").and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    metrics::counter!("stoa_auth_failures_total", "reason" => reason.clone()).increment(1);
    tracing::warn!(event_type = "auth.failure", reason, "authentication failed");
    site.audit.note(*refusal.event);
    let address = limit_key(peer.ip);
    let limits = site.limiter.admit(&[everything_claim(site.limiter.rules(), &address)]).await;
    let mut response = if limits.allowed {
        Failure::from(refusal.fault).into_response()
    } else {
        limited(site, &limits, kernel::Actor::Anonymous, peer).into_response()
    };
    limits.write(site.ambient.now(), response.headers_mut());
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
    address: String,
}

impl Counters {
    fn of(scope: Scope, who: &Principal, peer: &Peer) -> Counters {
        Counters {
            scope,
            visitor: who.is_visitor(),
            subject: who.subject().to_string(),
            address: limit_key(peer.ip),
        }
    }

    fn claims<'a>(&'a self, rules: &'a Rules) -> Vec<Claim<'a>> {
        match self.scope {
            Scope::Everything => vec![everything_claim(rules, &self.address)],
            Scope::Chat if self.visitor => vec![
                Claim { scope: "chat", key: &self.subject, rules: &rules.chat_visitor },
                Claim { scope: "chat_address", key: &self.address, rules: &rules.chat_address },
            ],
            Scope::Chat => vec![Claim { scope: "chat", key: &self.subject, rules: &rules.chat_principal }],
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
