//! What happens to every request before and after its handler: peer, host, scheme, blocks, origins, then the
//! headers, the error body, the log line and the metrics of the answer. The rules themselves are in `guard::http`.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use guard::http::{Crossing, Exposed, Peer, Scheme, is_probe, secure};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kernel::{Actor, AuditEvent, Code, EventType, Fault, RequestId};
use tracing::Instrument as _;

use crate::Site;
use crate::failure::{self, Failure, Shape};
use crate::texts;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The connection that a request came over; the listener puts it into the extensions.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The address of the other end of the socket.
    pub peer: IpAddr,
    /// TLS ends in this process.
    pub tls: bool,
}

/// Says of an answer that its body came from a person: whatever opens it, runs nothing of it and reaches nothing.
#[derive(Clone, Copy)]
pub(crate) struct Sandboxed;

const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");

/// The outermost layer.
pub(crate) async fn front(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let connection = request.extensions().get::<Connection>().copied();
    let connection = connection.unwrap_or(Connection { peer: IpAddr::from([0, 0, 0, 0]), tls: false });
    let peer = site.front.peer(connection.peer, connection.tls, request.uri(), request.headers());
    let request_id = RequestId::new(&site.ambient);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let shape = shape(&request);
    let crossing = site.front.cors(&method, request.headers(), &peer);
    let span = tracing::info_span!("request", %request_id);
    let trace = span.in_scope(|| traced(&request, &peer, request_id, route.as_ref()));
    request.extensions_mut().insert(peer.clone());
    let reader = texts::Reader::of(request.method(), request.uri(), request.headers());

    let response = async {
        let response = match admit(&site, &request, &peer, &crossing) {
            Ok(None) => readable(next.run(request).await),
            Ok(Some(answer)) => answer,
            Err(fault) => Failure::from(fault).into_response(),
        };
        let mut response = failure::write(response, shape, request_id);
        let sandboxed = response.extensions().get::<Sandboxed>().is_some();
        let headers = response.headers_mut();
        secure(headers, peer.https);
        name_language(headers);
        if sandboxed {
            headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
        }
        if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
            headers.insert(X_REQUEST_ID, id);
        }
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if site.front.varies_by_origin() {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Crossing::Preflight(allowed) | Crossing::Actual(allowed) = &crossing {
            headers.extend(allowed.iter().cloned());
        }
        report(
            &site,
            &method,
            route.as_ref().map_or("unmatched", MatchedPath::as_str),
            response.status(),
            started,
        );
        tracing::Span::current().record("http.response.status_code", response.status().as_u16());
        response
    };
    texts::reading(reader, response.instrument(trace).instrument(span)).await
}

/// Says of a page which language it is in, and that another request may get another.
fn name_language(headers: &mut HeaderMap) {
    let page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if page {
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(texts::language().tag()));
        headers.append(VARY, HeaderValue::from_static("accept-language, cookie"));
    }
}

/// The span of a trace of this request; of nothing where nothing is traced, and for probes, which come all the time.
fn traced(request: &Request, peer: &Peer, id: RequestId, route: Option<&MatchedPath>) -> tracing::Span {
    let path = request.uri().path();
    if is_probe(path) || path == "/metrics" {
        return tracing::Span::none();
    }
    tracing::info_span!(
        target: "trace",
        "request",
        http.request.method = method_label(request.method()),
        http.route = route.map_or("unmatched", MatchedPath::as_str),
        http.response.status_code = tracing::field::Empty,
        stoa.request_id = %id,
        traceparent = request.headers().get("traceparent").and_then(|text| text.to_str().ok()),
        trusted = peer.via == "forwarded",
    )
}

/// Lets a request through (`None`), or answers it here.
fn admit(
    site: &Site,
    request: &Request,
    peer: &Peer,
    crossing: &Crossing,
) -> Result<Option<Response>, Fault> {
    let path = request.uri().path();
    site.front.admit_host(path, peer).inspect_err(|_| violation(site, peer, "unknown host"))?;
    if is_probe(path) {
        return Ok(None);
    }
    if !site.open.load(Ordering::Acquire) {
        return Err(Fault::new(Code::Unavailable).say("the server is starting"));
    }
    if site.blocks.load().contains(peer.ip) {
        violation(site, peer, "blocked address");
        return Err(Fault::new(Code::AddressBlocked));
    }
    match site.front.admit_scheme(request.method(), request.uri(), request.headers(), peer) {
        Scheme::Pass => {}
        Scheme::Redirect(location) => {
            let location = HeaderValue::from_str(&location).map_err(|_| Fault::new(Code::HttpsRequired))?;
            return Ok(Some((StatusCode::MOVED_PERMANENTLY, [(LOCATION, location)]).into_response()));
        }
        Scheme::Refuse(exposed) => {
            let event = AuditEvent::new(EventType::SecurityViolation, Actor::Anonymous)
                .from(peer.ip)
                .with("reason", "plain HTTP")
                .with("exposed_credential", exposed.map_or("none", Exposed::as_str));
            site.audit.note(event);
            return Err(Exposed::fault(exposed));
        }
    }
    match crossing {
        Crossing::Preflight(_) => return Ok(Some(StatusCode::NO_CONTENT.into_response())),
        Crossing::Refused { preflight, hint } => {
            tracing::warn!(event_type = "security.violation", hint, "a cross-origin request was refused");
            if *preflight {
                return Err(Fault::new(Code::Forbidden).say("this origin, method or header is not allowed"));
            }
        }
        Crossing::Actual(_) | Crossing::None => {}
    }
    Ok(None)
}

/// The layer that reads compressed bodies refuses other encodings with a bare status that lists those it takes.
fn readable(response: Response) -> Response {
    let Some(taken) = response.headers().get(ACCEPT_ENCODING).cloned() else { return response };
    let fault = Fault::new(Code::UnsupportedType).say("the `Content-Encoding` of the body is not taken here");
    let mut refusal = Failure::from(fault).into_response();
    refusal.headers_mut().insert(ACCEPT_ENCODING, taken);
    refusal
}

fn violation(site: &Site, peer: &Peer, reason: &str) {
    site.audit.note(
        AuditEvent::new(EventType::SecurityViolation, Actor::Anonymous).from(peer.ip).with("reason", reason),
    );
}

fn shape(request: &Request) -> Shape {
    let path = request.uri().path();
    if path.starts_with("/v1/") {
        return Shape::OpenAi;
    }
    let wants_page = request
        .headers()
        .get(http::header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    // A form that fails is answered with a page, as a link is.
    let sent_form = request
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let reads = request.method() == Method::GET;
    let page = wants_page && (reads || sent_form) && !path.starts_with("/api/");
    if page { Shape::Page } else { Shape::Problem }
}

fn report(site: &Site, method: &Method, route: &str, status: StatusCode, started: Instant) {
    let took = started.elapsed();
    let route = metrics::SharedString::from(route.to_owned());
    let method = method_label(method);
    metrics::counter!("stoa_http_requests_total", "method" => method, "route" => route.clone(), "status" => status_label(status)).increment(1);
    metrics::histogram!("stoa_http_request_duration_seconds", "method" => method, "route" => route.clone())
        .record(took.as_secs_f64());
    let asked_by_machines = is_probe(&route) || &*route == "/metrics";
    if !asked_by_machines {
        site.pulses.answered(status.as_u16(), took);
        site.office.slo.answered(method, &route, status.as_u16(), took);
    }
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if took >= site.config.slow_request {
        tracing::warn!(method, route = %route, status = status.as_u16(), duration_ms, "slow request");
    } else if status.is_server_error() {
        tracing::warn!(method, route = %route, status = status.as_u16(), duration_ms, "request failed");
    } else if asked_by_machines {
        tracing::debug!(method, route = %route, status = status.as_u16(), duration_ms, "request");
    } else {
        tracing::info!(method, route = %route, status = status.as_u16(), duration_ms, "request");
    }
}

/// Only the methods that exist: a made-up one must not make a new series.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn status_label(status: StatusCode) -> metrics::SharedString {
    match status.as_u16() {
        200 => "200".into(),
        201 => "201".into(),
        204 => "204".into(),
        429 => "429".into(),
        code => code.to_string().into(),
    }
}
