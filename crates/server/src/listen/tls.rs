//! TLS: the handshake, which protocols and suites there are, and the certificate that is shown. It knows no files:
//! whoever has a certificate shows it here, and connections that stand keep the one they began with.

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use kernel::Time;
use rustls::ServerConfig;
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::acme::{ALPN_CHALLENGE, Challenges};

/// A certificate with its key, ready to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// What rustls shows.
    pub(crate) key: Arc<CertifiedKey>,
    /// When it ends.
    pub(crate) ends: Time,
}

/// The end of TLS.
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    shown: Arc<Current>,
    challenges: Option<Challenges>,
}

/// How a handshake ended.
pub(super) enum Shaken {
    /// Requests may come.
    Ready(Box<TlsStream<TcpStream>>),
    /// It was an authority that looked whether the name is ours (RFC 8737); it asks nothing.
    Challenge,
}

impl Tls {
    /// Nothing is shown yet. `challenges`: what an authority is answered with.
    pub(crate) fn new(challenges: Option<Challenges>) -> anyhow::Result<Tls> {
        let shown = Arc::new(Current(ArcSwapOption::empty()));
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), shown, challenges })
    }

    /// Shows this certificate from now on.
    pub(crate) fn show(&self, shown: Shown) {
        metrics::gauge!("stoa_tls_certificate_expiry_timestamp_seconds")
            .set(shown.ends.micros() as f64 / 1e6);
        self.shown.0.store(Some(Arc::new(shown)));
    }

    /// What is shown.
    pub(crate) fn shown(&self) -> Option<Arc<Shown>> {
        self.shown.0.load_full()
    }

    pub(super) async fn shake(&self, stream: TcpStream) -> io::Result<Shaken> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        let asked = hello.alpn().is_some_and(|mut names| names.any(|name| name == ALPN_CHALLENGE));
        let challenge = match (&self.challenges, hello.server_name()) {
            (Some(challenges), Some(name)) if asked => Some((challenges, name.to_owned())),
            _ => None,
        };
        let Some((challenges, name)) = challenge else {
            return Ok(Shaken::Ready(Box::new(start.into_stream(Arc::clone(&self.config)).await?)));
        };
        let Some(config) = challenges.answer(&name).await else {
            return Err(io::Error::other("no authority is expected for this name"));
        };
        start.into_stream(config).await?.shutdown().await?;
        Ok(Shaken::Challenge)
    }
}

#[derive(Debug)]
struct Current(ArcSwapOption<Shown>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load().as_ref().map(|shown| Arc::clone(&shown.key))
    }
}
