//! The effective values with their origins. It owns typed access by [`Key`]. It never reads a source.

use std::collections::BTreeMap;

use kernel::Secret;

use super::layers::secret_of;
use super::profile::Profile;
use super::raw::{Origin, Raw};
use super::table::{Entry, Key, Secrecy};
use super::vault::Missing;

/// A value that holds.
#[derive(Clone, Debug)]
pub(crate) struct Effective {
    /// As it was written. It has been read once already, so it can be read again.
    pub(crate) raw: Raw,
    /// Who said it.
    pub(crate) origin: Origin,
}

/// The effective values of a configuration.
pub(crate) struct Values {
    /// The profile.
    pub(crate) profile: Profile,
    /// The values by canonical name.
    pub(crate) chosen: BTreeMap<&'static str, Effective>,
    /// Settings whose value could not be read: absent above, and yet not unset.
    pub(crate) invalid: Vec<&'static str>,
    /// The entries of lists.
    pub(crate) declared: Vec<Declared>,
    /// Every variable, for keys that a list names by their variable.
    pub(crate) variables: BTreeMap<String, Raw>,
    /// `NAME_FILE` variables whose file others can read.
    pub(crate) loose: Vec<String>,
    /// Variables that cover another value in Secrets Manager.
    pub(crate) shadowed: Vec<String>,
    /// Why Secrets Manager gave nothing although it was asked.
    pub(crate) vault_missing: Option<Missing>,
}

impl Values {
    /// The value, when there is one.
    pub(crate) fn get<T>(&self, key: &Key<T>) -> Option<T> {
        let effective = self.chosen.get(key.setting.name)?;
        (key.form.read)(&effective.raw).ok()
    }

    /// Somebody asked for it: in a file, a variable or a flag. True as well when what was asked cannot be read.
    pub(crate) fn is_explicit<T>(&self, key: &Key<T>) -> bool {
        let name = key.setting.name;
        self.invalid.contains(&name) || self.chosen.get(name).is_some_and(|value| value.origin.is_explicit())
    }

    /// The name under which its author wrote it, else its best variable, else its canonical name.
    pub(crate) fn place<T>(&self, key: &Key<T>) -> String {
        let place = self.chosen.get(key.setting.name).and_then(|value| value.origin.place());
        let preferred = || key.setting.variables.first().copied().unwrap_or(key.setting.name).to_owned();
        place.unwrap_or_else(preferred)
    }

    /// Sets what follows from other settings, unless somebody said something else.
    pub(crate) fn follow<T>(&mut self, key: &Key<T>, text: &str, why: &'static str) {
        if !self.invalid.contains(&key.setting.name) {
            let value = || Effective { raw: Raw::one(text), origin: Origin::Derived(why) };
            self.chosen.entry(key.setting.name).or_insert_with(value);
        }
    }

    /// What follows from other settings, in the place of the default of the profile.
    pub(crate) fn follow_instead<T>(&mut self, key: &Key<T>, text: &str, why: &'static str) {
        if !self.is_explicit(key) && !self.invalid.contains(&key.setting.name) {
            self.chosen.remove(key.setting.name);
            self.follow(key, text, why);
        }
    }

    /// The value as it may be shown, and its origin. `None`: the setting is absent.
    pub(crate) fn shown(&self, entry: &dyn Entry) -> Option<(String, &Origin)> {
        let effective = self.chosen.get(entry.setting().name)?;
        let normal = entry.normal(&effective.raw).ok()?;
        let text = match entry.setting().secrecy {
            Secrecy::Open | Secrecy::Address => normal,
            Secrecy::Secret => fingerprint(&normal),
        };
        Some((text, &effective.origin))
    }

    /// A mark of every setting and list.
    pub(crate) fn marks(&self) -> Marks {
        let mut marks = Marks::default();
        for (name, value) in &self.chosen {
            marks.add(name, &value.raw.text());
        }
        for entry in &self.declared {
            marks.add(entry.group, "entry");
            for (name, raw) in &entry.fields {
                marks.add(entry.group, &format!("{name} {}", crypto::token::digest(&raw.text())));
            }
        }
        marks
    }

    /// The entries of one list, in the order of the file.
    pub(crate) fn declared(&self, group: &'static str) -> impl Iterator<Item = &Declared> {
        self.declared.iter().filter(move |entry| entry.group == group)
    }

    /// A variable's text as a secret.
    pub(crate) fn variable(&self, name: &str) -> Option<Secret<String>> {
        self.variables.get(name).map(secret_of)
    }
}

/// A digest for each setting and list, so that a change is noticed without keeping the values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(BTreeMap<&'static str, String>);

impl Marks {
    /// Adds to what is known of a setting or list.
    pub(crate) fn add(&mut self, name: &'static str, text: &str) {
        let mark = self.0.entry(name).or_default();
        *mark = crypto::token::digest(&format!("{mark} {}", crypto::token::digest(text)));
    }

    /// What differs, or is in one of them alone.
    pub(crate) fn changed(&self, other: &Marks) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = self.0.keys().chain(other.0.keys()).copied().collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| self.0.get(name) != other.0.get(name));
        names
    }

    /// Takes these over from `other`.
    pub(crate) fn take(&mut self, names: &[&'static str], other: &Marks) {
        for name in names {
            match other.0.get(name) {
                Some(mark) => self.0.insert(name, mark.clone()),
                None => self.0.remove(name),
            };
        }
    }

    /// One digest of all of them.
    pub(crate) fn digest(&self) -> String {
        let lines: String = self.0.iter().map(|(name, mark)| format!("{name} {mark}\n")).collect();
        crypto::token::digest(&lines)
    }
}

/// What stands for a secret: enough to see whether two are the same, too little to guess one.
pub(crate) fn fingerprint(secret: &str) -> String {
    let digest = crypto::token::digest(secret);
    format!("blake3:{}… ({} characters)", digest.get(..8).unwrap_or_default(), secret.chars().count())
}

/// One entry of a list such as `[[apps]]`.
pub(crate) struct Declared {
    /// The list.
    pub(crate) group: &'static str,
    /// Where it stands: `stoa.toml:12`.
    pub(crate) place: String,
    /// Its fields.
    pub(crate) fields: BTreeMap<&'static str, Raw>,
    /// Every field could be read.
    pub(crate) sound: bool,
}

impl Declared {
    /// A field, when it was written and could be read.
    pub(crate) fn get<T>(&self, key: &Key<T>) -> Option<T> {
        self.fields.get(key.setting.name).and_then(|raw| (key.form.read)(raw).ok())
    }
}
