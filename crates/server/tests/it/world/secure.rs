//! TLS of the tests: an authority that signs what it is asked to, and clients that trust it and nobody else.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::Time;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

#[path = "../../../src/listen/der.rs"]
#[allow(dead_code)]
pub mod der;

/// id-ce-basicConstraints and id-ce-keyUsage.
const BASIC: &[u8] = &[0x55, 0x1D, 0x13];
const USAGE: &[u8] = &[0x55, 0x1D, 0x0F];

/// An authority of one test.
#[derive(Clone)]
pub struct Ca {
    key: Vec<u8>,
    own: Vec<u8>,
}

/// Seconds since 1970.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

impl Ca {
    pub fn new() -> Ca {
        let key = der::new_key().unwrap();
        let extensions = [
            der::extension(BASIC, true, &der::value(der::SEQUENCE, &[&[1, 1, 0xFF]])),
            der::extension(USAGE, true, &[3, 2, 1, 6]),
        ];
        let draft = der::Draft {
            serial: 1,
            issuer: "the authority of a test",
            subject: "the authority of a test",
            begins: Time::from_seconds(now() - 86_400),
            ends: Time::from_seconds(now() + 40 * 86_400),
            key: &der::subject_key(&key).unwrap(),
            extensions: &extensions,
        };
        Ca { own: der::certificate(&draft, &key).unwrap(), key }
    }

    /// A certificate for this key (a `SubjectPublicKeyInfo`) and these names that ends at `ends`.
    pub fn sign(&self, key: &[u8], names: &[String], ends: i64) -> Vec<u8> {
        let draft = der::Draft {
            serial: u64::try_from(ends).unwrap() << 20 | u64::from(std::process::id()),
            issuer: "the authority of a test",
            subject: &names[0],
            begins: Time::from_seconds(now() - 3_600),
            ends: Time::from_seconds(ends),
            key,
            extensions: &[der::alternative_names(names)],
        };
        der::certificate(&draft, &self.key).unwrap()
    }

    /// The chain of a certificate in PEM.
    pub fn chain(&self, own: &[u8]) -> String {
        pem("CERTIFICATE", own) + &pem("CERTIFICATE", &self.own)
    }

    /// Writes `cert.pem` and `key.pem` for these names; gives the certificate.
    pub fn write(&self, folder: &Path, names: &[&str], ends: i64) -> Vec<u8> {
        let key = der::new_key().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let own = self.sign(&der::subject_key(&key).unwrap(), &names, ends);
        std::fs::write(folder.join("cert.pem"), self.chain(&own)).unwrap();
        std::fs::write(folder.join("key.pem"), pem("PRIVATE KEY", &key)).unwrap();
        own
    }

    /// Shakes hands as a client that trusts this authority alone.
    pub async fn shake(
        &self,
        at: SocketAddr,
        name: &str,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.own.clone())).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
        tokio::time::timeout(Duration::from_secs(20), shaking).await?
    }

    /// What is shown to whoever asks for this name.
    pub async fn seen(&self, at: SocketAddr, name: &str) -> io::Result<Vec<u8>> {
        let stream = self.shake(at, name, &["http/1.1"], rustls::ALL_VERSIONS).await?;
        Ok(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
    }

    /// One request over HTTP/1.
    pub async fn ask(&self, at: SocketAddr, request: http::Request<Full<Bytes>>) -> http::Response<Bytes> {
        let name = host(&request);
        let stream = self.shake(at, &name, &["http/1.1"], rustls::ALL_VERSIONS).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        whole(sender.send_request(request).await.unwrap()).await
    }

    /// A connection that speaks HTTP/2.
    pub async fn http2(&self, at: SocketAddr, name: &str) -> http2::SendRequest<Full<Bytes>> {
        let stream = self.shake(at, name, &["h2", "http/1.1"], rustls::ALL_VERSIONS).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}

/// A request for this path of this host.
pub fn get(host: &str, path: &str) -> http::request::Builder {
    http::Request::get(format!("https://{host}{path}")).header("host", host)
}

fn host(request: &http::Request<Full<Bytes>>) -> String {
    request.uri().host().unwrap().to_owned()
}

/// Reads an answer to its end.
pub async fn whole(answer: http::Response<hyper::body::Incoming>) -> http::Response<Bytes> {
    let (head, body) = answer.into_parts();
    http::Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

/// PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
