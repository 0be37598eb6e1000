//! The answer to an authority that looks whether a name is ours (RFC 8737). The proof lies in the database, because
//! the authority may reach another replica than the one that asked it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kernel::{Ambient, Result};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use store::Store;

use crate::listen::der;

/// The protocol that the authority asks for.
pub(crate) const ALPN_CHALLENGE: &[u8] = b"acme-tls/1";

/// The proofs of the names that are being ordered.
#[derive(Clone)]
pub(crate) struct Challenges {
    names: Arc<[String]>,
    store: Store,
    ambient: Ambient,
}

impl Challenges {
    pub(super) fn new(names: Vec<String>, store: Store, ambient: Ambient) -> Challenges {
        Challenges { names: names.into(), store, ambient }
    }

    /// Keeps the proof for a name: the digest of the key authorisation.
    pub(super) async fn expect(&self, name: &str, digest: &[u8]) -> Result<()> {
        self.store.set_state(&place(name), &BASE64.encode(digest), Vec::new()).await
    }

    /// Forgets it.
    pub(super) async fn forget(&self, name: &str) -> Result<()> {
        self.store.set_state(&place(name), "", Vec::new()).await
    }

    /// What to answer a handshake for this name with, when one is expected.
    pub(crate) async fn answer(&self, name: &str) -> Option<Arc<ServerConfig>> {
        if !self.names.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            return None;
        }
        let kept = self.store.get_state(&place(name)).await.ok()??;
        let digest = BASE64.decode(kept).ok().filter(|digest| !digest.is_empty())?;
        let key = der::new_key().ok()?;
        let chain = vec![CertificateDer::from(der::challenge(&key, name, &digest, self.ambient.now()).ok()?)];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&key).ok()?;
        // Not checked against each other: the extension that is the proof is unknown to whoever checks, and critical.
        let proof = CertifiedKey::new(chain, key);
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
                .ok()?
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(SingleCertAndKey::from(proof)));
        config.alpn_protocols = vec![ALPN_CHALLENGE.to_vec()];
        Some(Arc::new(config))
    }
}

fn place(name: &str) -> String {
    format!("acme.challenge.{}", name.to_ascii_lowercase())
}
