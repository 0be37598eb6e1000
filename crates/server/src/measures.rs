//! How health is measured on the running server: each part is asked, each protection is tried.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use apps::{Library, LibraryState};
use guard::content::Masker;
use guard::http::{Front, Scheme};
use guard::limits::{Claim, Limiter, Rule};
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use identity::{Credentials, Identity};
use kernel::{Ambient, Code};
use llm::Models;
use ops::health::{Health, Probe, Probes, State};
use store::Store;

/// An address of the documentation range (RFC 5737): nobody's.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
/// Looks like personal data and is nobody's.
const CANARY: &str = "health-canary@example.com";

/// The mask in front of the log.
pub(crate) fn mask(line: &str) -> Cow<'_, str> {
    Masker::standard().mask(line)
}

/// The parts that a report asks.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) library: Library,
    pub(crate) limiter: Limiter,
    pub(crate) models: Models,
    pub(crate) identity: Arc<Identity>,
    pub(crate) front: Front,
    /// The log passes through the mask.
    pub(crate) masked: bool,
}

/// The health of this process.
pub(crate) fn health(environment: &str, parts: Parts, ambient: &Ambient) -> Health {
    let Parts { store, library, limiter, models, identity, front, masked } = parts;
    let counting = limiter.clone();
    let probes = Probes {
        database: Probe::new(move || {
            let store = store.clone();
            async move { if store.ping().await.is_ok() { State::Operational } else { State::Down } }
        }),
        vector_db: Probe::now(move || match library.state() {
            LibraryState::Operational => State::Operational,
            LibraryState::Degraded => State::Degraded,
            LibraryState::Down => State::Down,
        }),
        cache: Probe::now(move || match limiter.backend() {
            "redis" => State::Operational,
            "fallback" => State::Degraded,
            _ => State::NotConfigured,
        }),
        model: Probe::now(move || match models.state() {
            llm::State::Operational => State::Operational,
            llm::State::Degraded => State::Degraded,
            llm::State::Down => State::Down,
            llm::State::NotConfigured => State::NotConfigured,
        }),
        authentication_required: Probe::new(move || {
            let identity = Arc::clone(&identity);
            // A brake that keeps visitors out is no setting: it does not make the server one that needs accounts.
            async move {
                let refused = identity.resolve(Credentials::default(), STRANGER, true).await.err();
                refused.is_some_and(|refusal| refusal.fault.code() == Code::Unauthenticated)
            }
        }),
        https_enforced: Probe::now(move || refuses_plain_http(&front)),
        rate_limiting_enabled: Probe::new(move || {
            let limiter = counting.clone();
            async move { counts(&limiter).await }
        }),
        pii_masking_enabled: Probe::now(move || masked && !mask(CANARY).contains(CANARY)),
    };
    Health::new(env!("CARGO_PKG_VERSION"), environment, probes, ambient.clone())
}

fn refuses_plain_http(front: &Front) -> bool {
    let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
    headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    let peer = front.peer(STRANGER, false, &uri, &headers);
    front.admit_scheme(&Method::POST, &uri, &headers, &peer) != Scheme::Pass
}

/// Whether the second of two requests under a limit of one is refused.
pub(crate) async fn counts(limiter: &Limiter) -> bool {
    let rules = [Rule { limit: 1, window: Duration::from_secs(1) }];
    let claim = [Claim { scope: "self_test", key: "health", rules: &rules }];
    let first = limiter.admit(&claim).await;
    let second = limiter.admit(&claim).await;
    !first.allowed || !second.allowed
}
