//! The rules about model providers and other services that the server calls.

use super::Severity::{Violation, Warning};
use super::data::has_own_key;
use super::{Case, Rule};
use crate::settings::amazon;
use crate::settings::form::is_loopback;
use crate::settings::providers::{asks_bedrock, is_configured};
use crate::settings::raw::Origin;
use crate::settings::table::aws::*;
use crate::settings::table::identity::{ENCRYPTION_KEY, JWT_SECRET, SESSION_SECRET};
use crate::settings::table::issuers::*;
use crate::settings::table::model::*;

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "model-provider",
        severity: Warning,
        holds: "a model provider is set",
        say: "no model provider is set, so the built-in answerer serves, from documents alone",
        fix: "set it, or OPENAI_BASE_URL for a server that needs no key, or BEDROCK_MODEL",
        breaks: |case| {
            let declared = case.values.declared(PROVIDERS.name).next().is_some();
            let any = is_configured(case.values) || asks_bedrock(case.values) || declared;
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
        id: "aws-https",
        severity: Violation,
        holds: "AWS is called over HTTPS, or on this machine",
        say: "credentials, secrets or messages would travel over plain HTTP",
        fix: "write the address with https://, or remove it",
        breaks: |case| {
            let plain = |key| {
                let url = case.get::<url::Url>(key);
                url.is_some_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback))
            };
            let endpoints = [
                &AWS_ENDPOINT,
                &AWS_STS_ENDPOINT,
                &AWS_S3_ENDPOINT,
                &SECRETS_MANAGER_ENDPOINT,
                &BEDROCK_ENDPOINT,
            ];
            endpoints.into_iter().flat_map(|key| case.place_if(key, plain(key))).collect()
        },
    },
    Rule {
        id: "bedrock-credentials",
        severity: Violation,
        holds: "there is a source of credentials for Bedrock, or Bedrock is not asked",
        say: "Bedrock is to be asked, and credentials can come from nowhere",
        fix: "give the task or instance a role, or set temporary keys; AWS_EC2_METADATA_DISABLED forbids asking the instance",
        breaks: |case| {
            let nowhere = amazon::config(case.values, &mut Vec::new())
                .is_some_and(|config| config.source() == guard::outbound::aws::Config::default().source());
            case.place_if(&BEDROCK_MODEL, asks_bedrock(case.values) && nowhere)
        },
    },
    Rule {
        id: "secrets-manager-answers",
        severity: Warning,
        holds: "Secrets Manager answers, or is not asked",
        say: "the secret cannot be read now; what it holds is missing until it can be",
        fix: "run `stoa check`, which says why",
        breaks: |case| case.place_if(&SECRETS_MANAGER_NAME, case.values.vault_missing.is_some()),
    },
    Rule {
        id: "secrets-manager-shadowed",
        severity: Warning,
        holds: "no variable covers another value in Secrets Manager",
        say: "the variable covers another value in Secrets Manager, so a rotation there changes nothing",
        fix: "remove it from the environment",
        breaks: |case| case.values.shadowed.clone(),
    },
    Rule {
        id: "secrets-manager-master-key",
        severity: Violation,
        holds: "no master key follows from a signing secret that Secrets Manager rotates",
        say: "the master key would follow from a signing secret that Secrets Manager rotates, and after two rotations the data could not be read",
        fix: "set it to the output of `stoa secret encryption`, before there is data",
        breaks: follows_rotation,
    },
];

/// The signing secret comes from Secrets Manager, and there is neither a master key nor a key file.
fn follows_rotation(case: &Case<'_>) -> Vec<String> {
    let held = |name: &str| {
        let value = case.values.chosen.get(name);
        value.is_some_and(|value| matches!(value.origin, Origin::Vault(_)))
    };
    let signing = [SESSION_SECRET.setting.name, JWT_SECRET.setting.name];
    case.place_if(&ENCRYPTION_KEY, signing.into_iter().any(held) && !has_own_key(case))
}
