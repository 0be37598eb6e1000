//! What is wrong with the configuration, said so that the operator can act: which setting, what, and the fix.
//! It never holds a value: a value may be a secret.

use std::fmt;

/// Something that stops every start, whatever the profile: a value that cannot be read, names that contradict
/// each other, a key that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The setting as its author knows it: a variable, a flag, or `stoa.toml:12 server.port`.
    pub(crate) place: String,
    /// What is wrong and what to do, without the value.
    pub(crate) say: String,
}

impl Problem {
    /// A problem at this place.
    pub(crate) fn new(place: impl Into<String>, say: impl Into<String>) -> Problem {
        Problem { place: place.into(), say: say.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.say)
    }
}

/// The name among `known` that somebody probably meant by `typed`.
pub(crate) fn closest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness > 0.84)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let known = ["server.port", "server.host", "logs.level"];
        assert_eq!(closest("server.prot", known.into_iter()), Some("server.port"));
        assert_eq!(closest("log.level", known.into_iter()), Some("logs.level"));
        assert_eq!(closest("zzz", known.into_iter()), None);
    }
}
