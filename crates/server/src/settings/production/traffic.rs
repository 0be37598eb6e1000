//! The rules about who may call and how: authentication, HTTPS, hosts, origins, limits, logs.

use ops::telemetry::Level;

use super::Rule;
use super::Severity::{Violation, Warning};
use crate::settings::form::is_loopback;
use crate::settings::table::identity::*;
use crate::settings::table::server::*;
use crate::settings::table::traffic::*;

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "authentication",
        severity: Violation,
        holds: "authentication is not switched off",
        say: "authentication is switched off",
        fix: "set it to `true`, or remove it so that each app keeps its own rule",
        breaks: |case| case.must_not_be(&REQUIRE_AUTHENTICATION, false),
    },
    Rule {
        id: "https",
        severity: Violation,
        holds: "HTTPS is enforced",
        say: "HTTPS is not enforced",
        fix: "set it to `true`",
        breaks: |case| case.must_not_be(&ENFORCE_HTTPS, false),
    },
    Rule {
        id: "secure-cookies",
        severity: Violation,
        holds: "cookies travel over HTTPS alone",
        say: "cookies would travel over plain HTTP",
        fix: "set it to `true`, or remove it",
        breaks: |case| {
            case.place_if(
                &SECURE_COOKIES,
                case.values.is_explicit(&SECURE_COOKIES) && case.get(&SECURE_COOKIES) == Some(false),
            )
        },
    },
    Rule {
        id: "public-url-https",
        severity: Violation,
        holds: "the public URL, if any, begins with https://",
        say: "the public URL begins with http://",
        fix: "write it with https://",
        breaks: |case| {
            case.place_if(&PUBLIC_URL, case.get(&PUBLIC_URL).is_some_and(|url| url.scheme() != "https"))
        },
    },
    Rule {
        id: "public-url-sample",
        severity: Warning,
        holds: "the public URL is no sample",
        say: "the public URL is the sample of a guide",
        fix: "write your own host name",
        breaks: |case| {
            let sample = case.get(&PUBLIC_URL).is_some_and(|url| url.host_str().is_some_and(is_sample_host));
            case.place_if(&PUBLIC_URL, sample)
        },
    },
    Rule {
        id: "trusted-proxies",
        severity: Warning,
        holds: "TLS ends here, or the proxy that ends it is trusted, and not everybody",
        say: "HTTPS is enforced, and either no proxy may say that a request came over HTTPS, or everybody may",
        fix: "name the address or network of your load balancer, or end TLS here with TLS_CERT_FILE or ACME_DOMAINS",
        breaks: |case| {
            let proxies = case.get(&TRUSTED_PROXIES).unwrap_or_default();
            let here = super::tls::ends_here(case);
            let none = proxies.is_empty() && !here && case.get(&ENFORCE_HTTPS) == Some(true);
            case.place_if(&TRUSTED_PROXIES, none || proxies.iter().any(|net| net.prefix_len() == 0))
        },
    },
    Rule {
        id: "hosts",
        severity: Violation,
        holds: "the hosts that are served are not a bare wildcard",
        say: "every host name is served",
        fix: "name the host names that people use",
        breaks: |case| {
            let any = case.get(&ALLOWED_HOSTS).is_some_and(|hosts| hosts.iter().any(|host| host == "*"));
            case.place_if(&ALLOWED_HOSTS, any)
        },
    },
    Rule {
        id: "hosts-named",
        severity: Warning,
        holds: "the hosts that are served are named",
        say: "neither ALLOWED_HOSTS nor PUBLIC_URL is set, so requests for any host name are answered",
        fix: "set one of them",
        breaks: |case| {
            let named = case.values.is_explicit(&ALLOWED_HOSTS) || case.values.is_explicit(&PUBLIC_URL);
            case.place_if(&ALLOWED_HOSTS, !named)
        },
    },
    Rule {
        id: "public-url-host",
        severity: Warning,
        holds: "the host of the public URL is served",
        say: "the host of the public URL is not among them, so redirects lead to a refusal",
        fix: "add it",
        breaks: |case| {
            let hosts = case.get(&ALLOWED_HOSTS).unwrap_or_default();
            let served = |name: &str| {
                hosts.iter().any(|host| match host.strip_prefix("*.") {
                    Some(above) => name.strip_suffix(above).is_some_and(|rest| rest.ends_with('.')),
                    None => host == name || host == "*",
                })
            };
            let missing =
                case.get(&PUBLIC_URL).is_some_and(|url| url.host_str().is_some_and(|name| !served(name)));
            case.place_if(&ALLOWED_HOSTS, missing)
        },
    },
    Rule {
        id: "cors-wildcard",
        severity: Violation,
        holds: "no origin is a wildcard",
        say: "an origin has a wildcard, so pages of strangers may call",
        fix: "name each origin in full",
        breaks: |case| {
            let wild = case.get(&CORS_ORIGINS).unwrap_or_default().iter().any(|origin| origin.contains('*'));
            case.place_if(&CORS_ORIGINS, wild)
        },
    },
    Rule {
        id: "cors-https",
        severity: Violation,
        holds: "every origin begins with https://",
        say: "an origin begins with http://",
        fix: "write it with https://",
        breaks: |case| {
            let plain = case
                .get(&CORS_ORIGINS)
                .unwrap_or_default()
                .iter()
                .any(|origin| origin.starts_with("http://"));
            case.place_if(&CORS_ORIGINS, plain)
        },
    },
    Rule {
        id: "frontend-origin",
        severity: Warning,
        holds: "the front end, if it has an address of its own, may call",
        say: "FRONTEND_URL is not among the origins that may call",
        fix: "add it",
        breaks: |case| {
            let origins = case.get(&CORS_ORIGINS).unwrap_or_default();
            let frontend = case.values.variable("FRONTEND_URL").is_some();
            let missing = case
                .get(&PUBLIC_URL)
                .is_some_and(|url| !origins.contains(&url.origin().ascii_serialization()));
            case.place_if(&CORS_ORIGINS, frontend && missing)
        },
    },
    Rule {
        id: "limits",
        severity: Violation,
        holds: "the limits are enforced",
        say: "the limits are switched off",
        fix: "set it to `true`, or remove it",
        breaks: |case| case.must_not_be(&LIMITS_ENABLED, false),
    },
    Rule {
        id: "debug",
        severity: Violation,
        holds: "debug is off",
        say: "debug is on",
        fix: "set it to `false`, or remove it",
        breaks: |case| case.must_not_be(&DEBUG, true),
    },
    Rule {
        id: "log-level",
        severity: Violation,
        holds: "the log level is INFO or above",
        say: "the log level is DEBUG",
        fix: "set it to INFO or WARNING",
        breaks: |case| {
            let debug = case.values.is_explicit(&LOG_LEVEL) && case.get(&LOG_LEVEL) == Some(Level::Debug);
            case.place_if(&LOG_LEVEL, debug)
        },
    },
    Rule {
        id: "masking",
        severity: Violation,
        holds: "personal data is masked in the logs",
        say: "personal data would stand in the logs",
        fix: "set it to `true`, or remove it",
        breaks: |case| case.must_not_be(&MASK_PII, false),
    },
    Rule {
        id: "log-rotation",
        severity: Warning,
        holds: "log files are rotated, or lines go to standard output alone",
        say: "a single log file is kept, so each rotation throws every line away",
        fix: "keep at least 2",
        breaks: |case| {
            let one = case.get(&LOG_TO_FILE) == Some(true) && case.get(&LOG_KEEP) == Some(1);
            case.place_if(&LOG_KEEP, one)
        },
    },
    Rule {
        id: "log-file",
        severity: Violation,
        holds: "the log file, if any, can be written",
        say: "the log file cannot be written",
        fix: "name one in a folder that the server may write",
        breaks: |case| {
            case.place_if(&LOG_FILE, case.get(&LOG_TO_FILE) == Some(true) && !case.facts.log_file_writable)
        },
    },
];

/// The host names of the guides.
fn is_sample_host(host: &str) -> bool {
    let bare = host.trim_start_matches("www.");
    !is_loopback(host) && (bare.starts_with("yourdomain.") || bare.starts_with("your-"))
}
