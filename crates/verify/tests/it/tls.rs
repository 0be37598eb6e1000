//! The mock behind TLS: certificates that last and that end, a server that still speaks an old version. The
//! certificates are made by the `openssl` program; without it the test says so.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use verify::{Options, Outcome, run};

use crate::mock::{Mock, Quiet};

/// A key and a certificate for `localhost` that ends after this many days.
fn certificate(folder: &Path, days: u32) -> bool {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", &days.to_string()]);
    command.args(["-keyout", "key.pem", "-out", "cert.pem"]).current_dir(folder);
    command.output().is_ok_and(|output| output.status.success())
}

/// TLS in front of the mock. `old`: the version whose hello is answered by hand, as an old server would.
async fn serve(folder: &Path, mock: SocketAddr, old: Option<u16>) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(folder.join("cert.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let ring = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut head = [0; 11];
                while socket.peek(&mut head).await.is_ok_and(|seen| seen > 0 && seen < head.len()) {
                    tokio::task::yield_now().await;
                }
                let version = u16::from_be_bytes([head[9], head[10]]);
                // A library offers 1.3 with 0x0303 here, but it offers no cipher without encryption.
                let mut hello = vec![0; 2_048];
                let seen = socket.peek(&mut hello).await.unwrap_or_default();
                let broken = hello[..seen].windows(4).any(|four| four == [0, 1, 0, 2]);
                if old == Some(version) && (version < 0x0303 || broken) {
                    let mut rest = vec![0; seen];
                    let _ = socket.read_exact(&mut rest).await;
                    let _ = socket.write_all(&[22, head[9], head[10], 0, 1, 2]).await;
                    return;
                }
                let Ok(mut tls) = acceptor.accept(socket).await else { return };
                let mut inner = TcpStream::connect(mock).await.unwrap();
                let _ = copy_bidirectional(&mut tls, &mut inner).await;
            });
        }
    });
    address
}

async fn look(days: u32, old: Option<u16>) -> Option<String> {
    let folder = std::env::temp_dir().join(format!("stoa-verify-tls-{}-{days}-{old:?}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    if !certificate(&folder, days) {
        println!("skipped: no openssl program");
        return None;
    }
    let (_, mock) = Mock::start(&[]).await;
    let address = serve(&folder, mock, old).await;
    let mut options = Options::new(format!("https://localhost:{}", address.port()).parse().unwrap());
    options.only = vec!["tls".to_owned()];
    options.timeout = Duration::from_secs(10);
    let distrusted = run(options.clone(), &mut Quiet).await;
    assert!(
        matches!(distrusted.checks[0].outcome, Outcome::Failed { .. }),
        "an unknown authority is trusted"
    );
    options.authority = Some(std::fs::read(folder.join("cert.pem")).unwrap());
    let report = run(options, &mut Quiet).await;
    let _ = std::fs::remove_dir_all(&folder);
    Some(report.line("tls").unwrap_or(&report.checks[0]).text())
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_versions_are_looked_at() {
    for (days, old, wanted) in [
        (90, None, "✓ tls  trusted, "),
        (5, None, "✗ tls  the certificate ends in "),
        (90, Some(0x0301), "✗ tls  TLS 1.0 is taken"),
        (90, Some(0x0302), "✗ tls  TLS 1.1 is taken"),
        (90, Some(0x0303), "✗ tls  TLS 1.2 with a broken cipher is taken"),
    ] {
        let Some(text) = look(days, old).await else { return };
        assert!(text.starts_with(wanted), "{text}");
    }
}
