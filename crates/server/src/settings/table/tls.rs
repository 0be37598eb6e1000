//! The rows of TLS that ends in this process.

use std::path::PathBuf;

use url::Url;

use super::{Default, Room, always, settings};
use crate::settings::form;

/// TLS.
pub(crate) static TLS: Room = Room {
    title: "TLS",
    about: "For a server without a proxy in front: the port speaks HTTPS as soon as it has a certificate, from files or from an authority. HTTPS is enforced then, unless `ENFORCE_HTTPS` says otherwise.",
    settings: TLS_ROWS,
};

settings! { @fields TLS_ROWS;
    /// PEM file of the certificate with its chain, the server's own first. Read again within seconds after it changed, and on SIGHUP; connections that stand are kept. What is broken is not taken over.
    TLS_CERT: PathBuf = form::path(), "tls.certificate_file", ["TLS_CERT_FILE"], Default::None;
    /// PEM file of the private key.
    TLS_KEY: PathBuf = form::path(), "tls.key_file", ["TLS_KEY_FILE"], Default::None;
    /// A second port, for plain HTTP: it redirects, refuses, and answers probes. Only with TLS.
    TLS_PLAIN_PORT: u64 = form::whole::<0, 65_535>(), "tls.plain_port", ["TLS_PLAIN_PORT"], Default::None;
    /// Host names to get a certificate for by ACME, in place of files. Port 443 of each must lead here (TLS-ALPN-01); replicas share one certificate.
    ACME_DOMAINS: Vec<String> = form::hosts(), "tls.acme_domains", ["ACME_DOMAINS"], Default::None;
    /// Whom the authority may write to.
    ACME_EMAIL: String = form::text("an e-mail address"), "tls.acme_email", ["ACME_EMAIL"], Default::None;
    /// The directory of the authority.
    ACME_DIRECTORY: Url = form::url(), "tls.acme_directory", ["ACME_DIRECTORY_URL"], always("https://acme-v02.api.letsencrypt.org/directory");
}
