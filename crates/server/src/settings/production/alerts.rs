//! The rules about alerts and mail.

use kernel::Secret;

use super::Severity::{Violation, Warning};
use super::{Case, Rule};
use crate::settings::form::is_loopback;
use crate::settings::table::Key;
use crate::settings::table::alerts::*;

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "alerts-https",
        severity: Violation,
        holds: "alerts are posted over HTTPS, or on this machine",
        say: "alerts, which hold addresses and the token of the receiver, would travel over plain HTTP",
        fix: "write the address with https://",
        breaks: |case| {
            let mut places = plain(case, &ALERT_WEBHOOK);
            places.extend(plain(case, &SLACK_WEBHOOK));
            places
        },
    },
    Rule {
        id: "alerts-mail",
        severity: Warning,
        holds: "alerts by mail, if wanted, have a mail server",
        say: "alerts are to go out by mail, and no mail server is set",
        fix: "set SMTP_URL, or remove it",
        breaks: |case| {
            let alone = case.values.is_explicit(&ALERT_EMAIL) && !case.values.is_explicit(&SMTP_URL);
            case.place_if(&ALERT_EMAIL, alone)
        },
    },
];

fn plain(case: &Case<'_>, key: &Key<Secret<String>>) -> Vec<String> {
    let url = case.get(key).and_then(|url| url::Url::parse(url.expose()).ok());
    let plain = url.is_some_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback));
    case.place_if(key, plain)
}
