//! The rules about telemetry that leaves the server.

use super::Severity::{Violation, Warning};
use super::{Case, Rule};
use crate::settings::form::is_loopback;
use crate::settings::shipping::headers;
use crate::settings::table::monitoring::*;

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "telemetry-https",
        severity: Violation,
        holds: "telemetry leaves over HTTPS, or stays on this machine",
        say: "telemetry and the credential of its sink would travel over plain HTTP",
        fix: "write the address with https://, or run a collector on this machine",
        breaks: plain,
    },
    Rule {
        id: "sentry-dsn",
        severity: Warning,
        holds: "the address of Sentry, if there is one, can be used",
        say: "the address of Sentry cannot be used, so errors are reported nowhere",
        fix: "copy it from the project's settings at Sentry, as in https://KEY@HOST/PROJECT, or remove it",
        breaks: |case| {
            let dsn = case.get(&SENTRY_DSN);
            let broken = dsn.is_some_and(|dsn| ops::shipping::Dsn::parse(dsn.expose()).is_none());
            case.place_if(&SENTRY_DSN, broken)
        },
    },
    Rule {
        id: "otlp-headers",
        severity: Warning,
        holds: "the headers for the collector, if there are any, can be read",
        say: "a header for the collector cannot be read and is not sent",
        fix: "write it as name=value, several separated by commas",
        breaks: |case| {
            let text = case.get(&OTLP_HEADERS);
            let broken = text.is_some_and(|text| {
                headers(text.expose()).len()
                    != text.expose().split(',').filter(|item| !item.trim().is_empty()).count()
            });
            case.place_if(&OTLP_HEADERS, broken)
        },
    },
];

fn plain(case: &Case<'_>) -> Vec<String> {
    let open = |url: &url::Url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback);
    let mut places = case.place_if(&OTLP, case.get(&OTLP).is_some_and(|url| open(&url)));
    let dsn = case.get(&SENTRY_DSN).and_then(|dsn| ops::shipping::Dsn::parse(dsn.expose()));
    places.extend(case.place_if(&SENTRY_DSN, dsn.is_some_and(|dsn| open(dsn.address()))));
    places
}
