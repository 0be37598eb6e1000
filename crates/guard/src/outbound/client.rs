//! The two faces of the one client: `operator` for addresses that the operator configured, which may be private,
//! and `public` for addresses from users and documents. Neither follows a redirect, so no credential ever
//! travels to a host that it was not meant for.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use kernel::{Fault, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::time::Instant;
use url::Url;

use super::address::{admit_url, is_public};
use super::failure::{Failure, Rule, Step};
use super::request::{Bounds, Request};
use super::response::{Body, Response};

/// Idle connections kept for each host; the hot path is many small calls to one model provider.
const IDLE_CONNECTIONS: usize = 1024;
/// Shorter than the idle time of common servers and load balancers (60 s and above), so that we close first.
const IDLE_LIFETIME: Duration = Duration::from_secs(50);
/// Finds peers that vanished without a word.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Makes ring the TLS provider of the process. `main` calls it first; calling it again does nothing.
///
/// Libraries that make their own TLS connections (the database, Redis) look for this provider and panic without it.
pub fn install_crypto_provider() {
    // An error says that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The only HTTP client of the server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    operator: Client,
    public: Client,
}

impl Outbound {
    /// A client that gives up connecting after `connect`.
    pub fn new(connect: Duration) -> Result<Outbound> {
        Outbound::through(connect, None)
    }

    /// The same, with calls to the operator's services going through this proxy. The environment's proxy variables
    /// are never read. Public addresses are always called directly: behind a proxy nobody could check them.
    pub fn through(connect: Duration, proxy: Option<&Url>) -> Result<Outbound> {
        let tls = tls()?;
        let mut operator = builder(connect, tls.clone()).pool_max_idle_per_host(IDLE_CONNECTIONS);
        if let Some(proxy) = proxy {
            operator = operator.proxy(reqwest::Proxy::all(proxy.clone()).map_err(Fault::internal)?);
        }
        let operator = Client {
            http: operator.build().map_err(Fault::internal)?,
            bounds: None,
            admit: |_| Ok(()),
            trace: None,
        };
        let public =
            Client::guarded(connect, tls, Lookup::system(is_public), |url| admit_url(url, is_public))?;
        Ok(Outbound { operator, public })
    }

    /// Requests to the operator's services that ask for it carry what this says in `traceparent`.
    #[must_use]
    pub fn tracing(mut self, present: fn() -> Option<String>) -> Outbound {
        self.operator.trace = Some(present);
        self
    }

    /// For addresses that the operator configured: private and loopback ones are allowed.
    pub const fn operator(&self) -> &Client {
        &self.operator
    }

    /// For addresses from users and documents: public ones alone, within [`Bounds::PUBLIC`].
    pub const fn public(&self) -> &Client {
        &self.public
    }
}

/// One face of the client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    bounds: Option<Bounds>,
    admit: fn(&Url) -> Result<(), Rule>,
    trace: Option<fn() -> Option<String>>,
}

impl Client {
    fn guarded(
        connect: Duration,
        tls: ClientConfig,
        lookup: Lookup,
        admit: fn(&Url) -> Result<(), Rule>,
    ) -> Result<Client> {
        // No connection is kept: each call resolves, checks and connects for itself.
        let http = builder(connect, tls).pool_max_idle_per_host(0).dns_resolver(lookup);
        Ok(Client {
            http: http.build().map_err(Fault::internal)?,
            bounds: Some(Bounds::PUBLIC),
            admit,
            trace: None,
        })
    }

    /// Sends a request and waits for the head of the answer. Dropping the future abandons the call at once.
    pub async fn send(&self, request: Request) -> Result<Response, Failure> {
        (self.admit)(&request.url).map_err(Failure::Refused)?;
        let bounds = self.bounds.map_or(request.bounds, |bounds| bounds.and(request.bounds));
        let begun = Instant::now();
        let deadline = begun.checked_add(bounds.total).unwrap_or(begun + Bounds::OPERATOR.total);
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        if request.traced
            && let Some(value) = self.trace.and_then(|present| present()?.try_into().ok())
        {
            outgoing.headers_mut().insert(TRACEPARENT, value);
        }
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let head = bounds.first_byte.min(bounds.total);
        let answer = match tokio::time::timeout(head, self.http.execute(outgoing)).await {
            Ok(answer) => answer.map_err(Failure::of)?,
            Err(_) => return Err(Failure::Timeout(Step::FirstByte)),
        };
        if answer.content_length().is_some_and(|length| length > bounds.bytes) {
            return Err(Failure::TooLarge);
        }
        let (head, body) = http::Response::<reqwest::Body>::from(answer).into_parts();
        let body = Body::new(body, bounds.bytes, bounds.idle, deadline);
        Ok(Response { status: head.status, headers: head.headers, body })
    }

    /// Posts JSON that has been encoded already, within [`Bounds::OPERATOR`].
    pub async fn post_json(
        &self,
        url: &Url,
        headers: http::HeaderMap,
        body: bytes::Bytes,
    ) -> Result<Response, Failure> {
        self.send(Request::post_json(url.clone(), headers, body)).await
    }

    /// Gets, within [`Bounds::OPERATOR`].
    pub async fn get(&self, url: &Url, headers: http::HeaderMap) -> Result<Response, Failure> {
        self.send(Request::get(url.clone(), headers)).await
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one outbound client")]
fn builder(connect: Duration, tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("stoa/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(connect)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .pool_idle_timeout(IDLE_LIFETIME)
}

/// TLS with ring and the certificates of the machine. A machine without any can still call plain HTTP.
fn tls() -> Result<ClientConfig> {
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
    let begin = || {
        ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(Fault::internal)
    };
    let mut tls = match begin()?.with_platform_verifier() {
        Ok(verified) => verified.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no certificates to trust on this machine: calls over HTTPS will fail; install `ca-certificates`");
            begin()?.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
        }
    };
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves a name once and gives its addresses to the connection only when every one of them is open.
/// What was checked is what is connected to: nothing resolves the name again.
#[derive(Clone)]
struct Lookup {
    find: Arc<dyn Fn(String) -> Found + Send + Sync>,
    open: fn(IpAddr) -> bool,
}

impl Lookup {
    fn system(open: fn(IpAddr) -> bool) -> Lookup {
        let find = |name: String| -> Found {
            Box::pin(async move {
                Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
            })
        };
        Lookup { find: Arc::new(find), open }
    }
}

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.find)(name.as_str().to_owned());
        let open = self.open;
        Box::pin(async move {
            let found = found.await?;
            if found.is_empty() || !found.iter().all(|ip| open(*ip)) {
                return Err(Rule::Address.into());
            }
            // Port 0 stands for the port of the URL.
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
