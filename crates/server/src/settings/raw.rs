//! A value as somebody wrote it, before anybody knows whether it is valid, and where it was written.
//! It owns the text (wiped when dropped, never shown by `Debug`) and its origin. It never judges the text.

use std::fmt;
use std::path::PathBuf;

use kernel::Secret;

/// A value as it was written: one text, or a list of texts.
#[derive(Clone)]
pub(crate) struct Raw {
    texts: Secret<Vec<String>>,
    list: bool,
}

impl Raw {
    /// One text, as every variable and flag is.
    pub(crate) fn one(text: impl Into<String>) -> Raw {
        Raw { texts: Secret::new(vec![text.into()]), list: false }
    }

    /// A list, as only `stoa.toml` can write it.
    pub(crate) fn many(texts: Vec<String>) -> Raw {
        Raw { texts: Secret::new(texts), list: true }
    }

    /// The one text, trimmed. A list joined by commas counts as one text.
    pub(crate) fn text(&self) -> String {
        let joined = self.texts.expose().join(",");
        joined.trim().to_owned()
    }

    /// The items: of the list, or of the text cut at its commas. Trimmed, empty ones left out.
    pub(crate) fn items(&self) -> Vec<&str> {
        let texts = self.texts.expose().iter().map(String::as_str);
        let trimmed = |text: &&str| !text.is_empty();
        if self.list {
            texts.map(str::trim).filter(trimmed).collect()
        } else {
            texts.flat_map(|text| text.split(',')).map(str::trim).filter(trimmed).collect()
        }
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where an effective value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The same in every profile.
    Default,
    /// The default of this profile.
    Profile(&'static str),
    /// Follows from another setting or from the machine.
    Derived(&'static str),
    /// A line of `stoa.toml`.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A name in the secret that Secrets Manager keeps.
    Vault(String),
    /// A variable of the `.env` file.
    DotEnv(String),
    /// A variable of the process environment.
    Variable(String),
    /// A file that a `NAME_FILE` variable names.
    SecretFile(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Origin {
    /// Somebody asked for this value; it is no default.
    pub(crate) fn is_explicit(&self) -> bool {
        !matches!(self, Origin::Default | Origin::Profile(_) | Origin::Derived(_))
    }

    /// The name under which the person who wrote it will look for it.
    pub(crate) fn place(&self) -> Option<String> {
        match self {
            Origin::Default | Origin::Profile(_) | Origin::Derived(_) => None,
            Origin::File { path, line } => Some(format!("{}:{line}", file_name(path))),
            Origin::Vault(name) => Some(format!("{name} (Secrets Manager)")),
            Origin::DotEnv(name) | Origin::Variable(name) | Origin::SecretFile(name) => Some(name.clone()),
            Origin::Flag(name) => Some((*name).to_owned()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Profile(profile) => write!(f, "profile {profile}"),
            Origin::Derived(from) => f.write_str(from),
            Origin::File { path, line } => write!(f, "{}:{line}", file_name(path)),
            Origin::Vault(name) => write!(f, "Secrets Manager {name}"),
            Origin::DotEnv(name) => write!(f, ".env {name}"),
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::SecretFile(name) => write!(f, "file named by {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_cut_trimmed_and_never_empty() {
        assert_eq!(Raw::one(" a, b ,,c,").items(), ["a", "b", "c"]);
        assert_eq!(Raw::many(vec![" a,b ".into(), String::new()]).items(), ["a,b"]);
        assert!(Raw::one("").items().is_empty());
        assert_eq!(format!("{:?}", Raw::one("hunter2")), "***");
    }
}
