//! The rules about TLS that ends in this process.

use super::Severity::{Violation, Warning};
use super::{Case, Rule};
use crate::settings::table::server::PUBLIC_URL;
use crate::settings::table::tls::*;

/// TLS ends in this process.
pub(super) fn ends_here(case: &Case<'_>) -> bool {
    case.get(&TLS_CERT).is_some() || !case.get(&ACME_DOMAINS).unwrap_or_default().is_empty()
}

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "acme-public-url",
        severity: Warning,
        holds: "a certificate that is ordered covers the host of the public URL",
        say: "the host of the public URL is not among the names of the certificate",
        fix: "add it",
        breaks: |case| {
            let names = case.get(&ACME_DOMAINS).unwrap_or_default();
            let url = case.get(&PUBLIC_URL);
            let host = url.as_ref().and_then(|url| url.host_str());
            let lacks = host.is_some_and(|host| !names.iter().any(|name| name == host));
            case.place_if(&ACME_DOMAINS, !names.is_empty() && lacks)
        },
    },
    Rule {
        id: "acme-https",
        severity: Violation,
        holds: "the authority for certificates is asked over HTTPS",
        say: "the authority for certificates would be asked over plain HTTP",
        fix: "write its directory with https://",
        breaks: |case| {
            let plain = case.get(&ACME_DIRECTORY).is_some_and(|url| url.scheme() != "https");
            case.place_if(&ACME_DIRECTORY, plain && !case.get(&ACME_DOMAINS).unwrap_or_default().is_empty())
        },
    },
];
