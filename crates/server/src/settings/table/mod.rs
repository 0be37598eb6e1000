//! The one table of settings. Everything about a setting stands in its row: the name in `stoa.toml`, the variables
//! that are accepted, the form, the default of each profile, whether it is a secret, and the sentence that the
//! documents print. Reading, `config show`, `docs/settings.md`, `stoa.example.toml` and the schema all come from here.
//! It never reads anything.

pub(crate) mod alerts;
pub(crate) mod apps;
pub(crate) mod aws;
pub(crate) mod backups;
pub(crate) mod files;
pub(crate) mod identity;
pub(crate) mod issuers;
pub(crate) mod knowledge;
pub(crate) mod model;
pub(crate) mod monitoring;
pub(crate) mod retention;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod traffic;

use std::fmt;

use super::form::{Complaint, Form, Shape};
use super::profile::Profile;
use super::raw::Raw;

/// The row of a setting, without its type.
pub(crate) struct Setting {
    /// The canonical name: the path in `stoa.toml`.
    pub(crate) name: &'static str,
    /// The variables that are accepted, the best name first.
    pub(crate) variables: &'static [&'static str],
    /// What holds when nobody says anything.
    pub(crate) default: Default,
    /// Whether it may be shown.
    pub(crate) secrecy: Secrecy,
    /// A running server takes a new value over; the others need a restart.
    pub(crate) live: bool,
    /// What it does, in sentences.
    pub(crate) doc: &'static str,
}

impl Setting {
    /// The variable that names a file with the value of `variable`, where there is one: for what is no plain text,
    /// and unless another setting has a variable of that name.
    pub(crate) fn file_variable(&self, variable: &str) -> Option<String> {
        let file = format!("{variable}_FILE");
        let taken = || all().any(|entry| entry.setting().variables.contains(&file.as_str()));
        (self.secrecy.takes_file() && !taken()).then_some(file)
    }
}

/// What holds when nobody says anything.
pub(crate) enum Default {
    /// Nothing: the setting is absent.
    None,
    /// The same in every profile.
    Always(&'static str),
    /// Another in each profile; an empty text is no value.
    Per {
        /// In development.
        development: &'static str,
        /// In staging.
        staging: &'static str,
        /// In production.
        production: &'static str,
    },
    /// Follows from other settings, as this sentence says.
    Follows(&'static str),
}

impl Default {
    /// The text that holds in this profile, if any.
    pub(crate) fn text(&self, profile: Profile) -> Option<&'static str> {
        match self {
            Default::None | Default::Follows(_) => None,
            Default::Always(text) => Some(text),
            Default::Per { development, staging, production } => {
                let text = match profile {
                    Profile::Development => development,
                    Profile::Staging => staging,
                    Profile::Production => production,
                };
                Some(*text).filter(|text| !text.is_empty())
            }
        }
    }
}

/// Whether a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// It may.
    Open,
    /// It is an address that may hold a password: the form writes it without.
    Address,
    /// It may not; a fingerprint stands for it.
    Secret,
}

impl Secrecy {
    /// `NAME_FILE` is accepted for every one of its variables.
    pub(crate) fn takes_file(self) -> bool {
        self != Secrecy::Open
    }
}

/// A setting with its type.
pub(crate) struct Key<T: 'static> {
    /// The row.
    pub(crate) setting: Setting,
    /// How it is read and written.
    pub(crate) form: Form<T>,
}

/// A setting of any type, as the table lists it.
pub(crate) trait Entry: Sync {
    /// The row.
    fn setting(&self) -> &Setting;
    /// What the value must look like.
    fn shape(&self) -> Shape;
    /// Reads the value and writes it in one way; on failure says what it must look like.
    fn normal(&self, raw: &Raw) -> Result<String, Complaint>;
}

impl<T> Entry for Key<T> {
    fn setting(&self) -> &Setting {
        &self.setting
    }

    fn shape(&self) -> Shape {
        self.form.shape
    }

    fn normal(&self, raw: &Raw) -> Result<String, Complaint> {
        (self.form.read)(raw).map(|value| (self.form.write)(&value))
    }
}

impl fmt::Debug for dyn Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.setting().name)
    }
}

/// The settings of one heading of the documents.
pub(crate) struct Room {
    /// The heading.
    pub(crate) title: &'static str,
    /// One sentence below it.
    pub(crate) about: &'static str,
    /// The settings, in the order in which they are printed.
    pub(crate) settings: &'static [&'static dyn Entry],
}

/// Every setting, by heading.
pub(crate) static ROOMS: &[&Room] = &[
    &server::PROFILE,
    &server::SERVER,
    &tls::TLS,
    &server::DATABASE,
    &server::REDIS,
    &identity::IDENTITY,
    &issuers::FIREBASE,
    &identity::ENCRYPTION,
    &traffic::HTTP,
    &traffic::LIMITS,
    &traffic::SIZES,
    &model::ASSISTANT,
    &model::MODEL,
    &model::BEDROCK,
    &server::LOGS,
    &aws::AWS,
    &aws::SECRETS_MANAGER,
    &monitoring::MONITORING,
    &alerts::ALERTS,
    &backups::BACKUP,
    &knowledge::KNOWLEDGE,
    &files::FILES,
    &retention::RETENTION,
];

/// Lists that only `stoa.toml` can write: `[[apps]]` and its like. Each entry is read with these fields.
pub(crate) struct Group {
    /// The name of the list.
    pub(crate) name: &'static str,
    /// What an entry is.
    pub(crate) about: &'static str,
    /// The fields of an entry; their names are relative to it.
    pub(crate) fields: &'static [&'static dyn Entry],
    /// An entry for `stoa.example.toml`.
    pub(crate) example: &'static str,
}

/// Every list.
pub(crate) static GROUPS: &[&Group] = &[&apps::APPS, &model::PROVIDERS, &issuers::ISSUERS];

/// Every setting.
pub(crate) fn all() -> impl Iterator<Item = &'static dyn Entry> + Clone {
    ROOMS.iter().flat_map(|room| room.settings.iter().copied())
}

/// Whether a running server takes over a new value of this setting or list.
pub(crate) fn is_live(name: &str) -> bool {
    // The keys of more providers stand in variables and files that their list names.
    name == model::PROVIDERS.name || all().any(|entry| entry.setting().name == name && entry.setting().live)
}

/// How access tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwtAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// Ed25519.
    EdDsa,
}

/// Writes the rows of a room. The doc comment of a row is the sentence that the documents print. Marks at the end of
/// a row: `secret` or `address` when it may not be shown as it is, `live` when a running server takes it over.
macro_rules! settings {
    (@secrecy) => { $crate::settings::table::Secrecy::Open };
    (@secrecy secret $($mark:ident)*) => { $crate::settings::table::Secrecy::Secret };
    (@secrecy address $($mark:ident)*) => { $crate::settings::table::Secrecy::Address };
    (@secrecy live $($mark:ident)*) => { settings!(@secrecy $($mark)*) };
    (@live) => { false };
    (@live live $($mark:ident)*) => { true };
    (@live $other:ident $($mark:ident)*) => { settings!(@live $($mark)*) };
    (@fields $list:ident; $(
        $(#[doc = $doc:literal])+
        $id:ident: $type:ty = $form:expr, $name:literal, [$($variable:literal),*], $default:expr $(, $mark:ident)*;
    )*) => {
        $(
            $(#[doc = $doc])+
            pub(crate) static $id: $crate::settings::table::Key<$type> = $crate::settings::table::Key {
                setting: $crate::settings::table::Setting {
                    name: $name,
                    variables: &[$($variable),*],
                    default: $default,
                    secrecy: settings!(@secrecy $($mark)*),
                    live: settings!(@live $($mark)*),
                    doc: concat!($($doc),+),
                },
                form: $form,
            };
        )*
        static $list: &[&dyn $crate::settings::table::Entry] = &[$(&$id),*];
    };
}
pub(crate) use settings;

/// The same default in every profile.
const fn always(text: &'static str) -> Default {
    Default::Always(text)
}

/// Another default in each profile.
const fn per(development: &'static str, staging: &'static str, production: &'static str) -> Default {
    Default::Per { development, staging, production }
}

/// A default that follows from other settings.
const fn follows(sentence: &'static str) -> Default {
    Default::Follows(sentence)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_variables_are_unique() {
        let mut seen = HashSet::new();
        for entry in all() {
            assert!(seen.insert(entry.setting().name), "{}", entry.setting().name);
            for variable in entry.setting().variables {
                assert!(seen.insert(variable), "{variable}");
                assert!(variable.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
            }
        }
    }

    #[test]
    fn every_default_can_be_read() {
        for entry in all() {
            for profile in Profile::ALL {
                if let Some(text) = entry.setting().default.text(profile) {
                    entry.normal(&Raw::one(text)).unwrap_or_else(|say| panic!("{entry:?} {say}"));
                }
            }
        }
    }

    #[test]
    fn every_row_says_what_it_does() {
        for entry in all().chain(GROUPS.iter().flat_map(|group| group.fields.iter().copied())) {
            let doc = entry.setting().doc.trim();
            assert!(doc.ends_with('.') && doc.len() > 10, "{entry:?}");
        }
    }
}
