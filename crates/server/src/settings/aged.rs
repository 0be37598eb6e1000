//! Which of the secrets of a configuration have an age, as marks that tell nothing about them.
//! It never knows how old one is: the database remembers when each mark was first seen.

use super::form::Shape;
use super::raw::Raw;
use super::table::{self, Entry, Secrecy};
use super::values::Values;

/// A secret that should be replaced from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretMark {
    /// The name under which its author wrote it.
    pub(crate) place: String,
    /// A digest: the same for the same secret, wherever it is written.
    pub(crate) mark: String,
}

/// What is never replaced for its age: master keys that older data is sealed under, names that are no secrets
/// although nobody needs to see them, and credentials that end by themselves.
const AGELESS: [&str; 4] =
    ["encryption.previous_keys", "aws.access_key_id", "aws.session_token", "monitoring.sentry_dsn"];

/// The secrets that somebody set, each item of a list for itself.
pub(super) fn marks(values: &Values) -> Vec<SecretMark> {
    let mut marks = Vec::new();
    for entry in table::all().filter(|entry| !AGELESS.contains(&entry.setting().name)) {
        let Some(value) = values.chosen.get(entry.setting().name) else { continue };
        // Temporary credentials carry a token, and their secret is replaced with it.
        let temporary = entry.setting().name == "aws.secret_access_key"
            && values.chosen.contains_key("aws.session_token");
        if !value.origin.is_explicit() || temporary {
            continue;
        }
        let place = value.origin.place().unwrap_or_else(|| entry.setting().name.to_owned());
        marks.extend(secrets(entry, &value.raw).into_iter().map(|secret| SecretMark {
            place: place.clone(),
            mark: crypto::token::digest(&secret).chars().take(32).collect(),
        }));
    }
    marks
}

fn secrets(entry: &dyn Entry, raw: &Raw) -> Vec<String> {
    match (entry.setting().secrecy, entry.shape()) {
        (Secrecy::Open, _) => Vec::new(),
        (Secrecy::Secret, Shape::List(_)) => raw.items().into_iter().map(str::to_owned).collect(),
        (Secrecy::Secret, _) => vec![raw.text()],
        // Of an address only the password is a secret.
        (Secrecy::Address, _) => {
            let password =
                url::Url::parse(&raw.text()).ok().and_then(|url| url.password().map(str::to_owned));
            password.into_iter().collect()
        }
    }
}
