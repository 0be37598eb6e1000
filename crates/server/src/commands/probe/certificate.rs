//! Looks at the certificate that people get at the public URL: whose it is, whether its chain is trusted, how many
//! days it has left. It sends nothing but the handshake.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Time;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use url::Url;

use super::Probe;
use crate::commands::x509;

const NAME: &str = "certificate";
const PATIENCE: Duration = Duration::from_secs(4);
/// A certificate with fewer days left should have been renewed: authorities renew with 30 days left.
const FEW_DAYS: u64 = 14;

/// Looks at the certificate of this URL. Runs on a blocking thread for at most a few seconds.
pub(crate) async fn certificate(url: &Url, now: Time) -> Probe {
    let (Some(host), "https") = (url.host_str().map(str::to_owned), url.scheme()) else {
        return Probe::nothing(NAME, "the public URL is not https://");
    };
    let port = url.port_or_known_default().unwrap_or(443);
    let look = tokio::task::spawn_blocking(move || shake(&host, port));
    match tokio::time::timeout(PATIENCE * 2, look).await {
        Ok(Ok(Ok(seen))) => judge(&seen, now),
        Ok(Ok(Err(say))) => {
            Probe::attention(NAME, say, "check PUBLIC_URL, its DNS record and the load balancer")
        }
        Ok(Err(_)) | Err(_) => Probe::attention(NAME, "the public URL does not answer", "check PUBLIC_URL"),
    }
}

/// What a handshake showed.
struct Seen {
    der: Vec<u8>,
    chain: usize,
    /// Why the certificate is not trusted.
    refused: Option<String>,
}

fn judge(seen: &Seen, now: Time) -> Probe {
    let renew = "renew the certificate where TLS ends";
    let Some(read) = x509::read(&seen.der) else {
        return Probe::bad(NAME, "the public URL shows something that is no certificate", renew);
    };
    let subject = if read.subject.is_empty() { "without a common name" } else { &read.subject };
    let about = format!("{subject}, issued by {}, {} certificates", read.issuer, seen.chain);
    if read.ends <= now {
        let ago = now.since(read.ends).as_secs() / 86_400;
        return Probe::bad(NAME, format!("{about}: it ended {ago} days ago"), renew);
    }
    let days = read.ends.since(now).as_secs() / 86_400;
    match &seen.refused {
        Some(why) => Probe::bad(
            NAME,
            format!("{about}: {why}"),
            "serve the whole chain of a certificate for this host",
        ),
        None if days < FEW_DAYS => Probe::attention(NAME, format!("{about}: {days} days left"), renew),
        None => Probe::good(NAME, format!("{about}: trusted, {days} days left")),
    }
}

fn shake(host: &str, port: u16) -> Result<Seen, String> {
    let addresses = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .map_err(|error| format!("the host of the public URL is not found ({error})"))?;
    let connected =
        addresses.into_iter().find_map(|address| TcpStream::connect_timeout(&address, PATIENCE).ok());
    let mut stream = connected.ok_or("the public URL does not answer")?;
    let bounded =
        stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    bounded.map_err(|error| error.to_string())?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider))
        .map_err(|error| format!("this machine trusts no authority ({error}); install `ca-certificates`"))?;
    let watching = Arc::new(Watching { verifier, seen: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider as Arc<CryptoProvider>)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&watching) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "the host of the public URL is no name".to_owned())?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut refused = None;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            refused = Some(error.to_string());
            break;
        }
    }
    let seen = watching.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match seen {
        Some((der, chain)) => Ok(Seen { der, chain, refused }),
        None => Err("the public URL does not speak TLS".to_owned()),
    }
}

/// Keeps what was shown and leaves the judgement to the verifier of the platform.
#[derive(Debug)]
struct Watching {
    verifier: Verifier,
    /// The certificate and how many came with it.
    seen: Mutex<Option<(Vec<u8>, usize)>>,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((end_entity.to_vec(), intermediates.len() + 1));
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::paper::Mark;

    #[test]
    fn what_is_no_certificate_is_said_and_not_panicked_about() {
        let seen = Seen { der: vec![1, 2, 3], chain: 1, refused: None };
        assert_eq!(judge(&seen, Time::EPOCH).mark, Mark::Bad);
    }

    #[tokio::test]
    async fn a_port_that_speaks_no_tls_is_worth_a_look() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answering = std::thread::spawn(move || drop(listener.accept()));
        let url = Url::parse(&format!("https://127.0.0.1:{port}")).unwrap();
        assert_eq!(certificate(&url, Time::EPOCH).await.mark, Mark::Attention);
        answering.join().unwrap();
        let plain = Url::parse("http://127.0.0.1").unwrap();
        assert_eq!(certificate(&plain, Time::EPOCH).await.mark, Mark::Nothing);
    }
}
