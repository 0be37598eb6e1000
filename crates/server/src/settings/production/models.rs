//! The rules about model providers and other services that the server calls.

use super::Severity::{Violation, Warning};
use super::{Case, Rule};
use crate::settings::form::is_loopback;
use crate::settings::providers::is_configured;
use crate::settings::table::issuers::*;
use crate::settings::table::later::*;
use crate::settings::table::model::*;

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "model-provider",
        severity: Warning,
        holds: "a model provider is set",
        say: "no model provider is set, so the built-in answerer serves, from documents alone",
        fix: "set it, or OPENAI_BASE_URL for a server that needs no key",
        breaks: |case| {
            let any = is_configured(case.values) || case.values.declared(PROVIDERS.name).next().is_some();
            case.place_if(&MODEL_KEY, !any && !case.values.is_explicit(&MODEL_KEY))
        },
    },
    Rule {
        id: "model-https",
        severity: Violation,
        holds: "model providers are called over HTTPS, or on this machine",
        say: "messages would travel to the model provider over plain HTTP",
        fix: "write the address with https://",
        breaks: |case| {
            let plain = |url: &url::Url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback);
            let mut places = case.place_if(&MODEL_URL, case.get(&MODEL_URL).is_some_and(|url| plain(&url)));
            let entries = case.values.declared(PROVIDERS.name);
            places.extend(
                entries
                    .filter(|entry| entry.get(&PROVIDER_URL).is_some_and(|url| plain(&url)))
                    .map(|entry| format!("{} providers.base_url", entry.place)),
            );
            places
        },
    },
    Rule {
        id: "issuer-https",
        severity: Violation,
        holds: "identity providers are asked over HTTPS, or on this machine",
        say: "keys that decide who is let in would be read over plain HTTP",
        fix: "write the address with https://",
        breaks: |case| {
            let plain = |url: &url::Url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback);
            let named = |text: String| url::Url::parse(&text).is_ok_and(|url| plain(&url));
            let mut places =
                case.place_if(&FIREBASE_JWKS, case.get(&FIREBASE_JWKS).is_some_and(|url| plain(&url)));
            for entry in case.values.declared(ISSUERS.name) {
                if entry.get(&ISSUER_URL).is_some_and(named) {
                    places.push(format!("{} identity.issuers.issuer", entry.place));
                }
                if entry.get(&ISSUER_JWKS).is_some_and(|url| plain(&url)) {
                    places.push(format!("{} identity.issuers.jwks_url", entry.place));
                }
            }
            places
        },
    },
    Rule {
        id: "aws-static-keys",
        severity: Warning,
        holds: "no static AWS key is set",
        say: "a static AWS key is set without a session token",
        fix: "use the role of the instance or task, or temporary credentials",
        breaks: |case| {
            let keys = case.values.is_explicit(&AWS_KEY_ID) || case.values.is_explicit(&AWS_SECRET);
            case.place_if(&AWS_KEY_ID, keys && !case.values.is_explicit(&AWS_TOKEN))
        },
    },
    Rule {
        id: "not-used-yet",
        severity: Warning,
        holds: "nothing is switched on that this version does not have",
        say: "this version reads the setting and does not act on it yet",
        fix: "see the release notes before relying on it",
        breaks: unused,
    },
];

/// What the operator would believe to be active.
fn unused(case: &Case<'_>) -> Vec<String> {
    let mut places = case.must_not_be(&SECRETS_MANAGER, true);
    let mut note = |set: bool, place: String| {
        if set {
            places.push(place);
        }
    };
    let values = case.values;
    note(values.is_explicit(&SENTRY_DSN), values.place(&SENTRY_DSN));
    note(values.is_explicit(&OTLP), values.place(&OTLP));
    note(values.is_explicit(&NEW_RELIC), values.place(&NEW_RELIC));
    note(values.is_explicit(&BACKUP_DIR), values.place(&BACKUP_DIR));
    note(values.is_explicit(&BACKUP_S3), values.place(&BACKUP_S3));
    places
}
