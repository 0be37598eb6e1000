//! What a key may be used for. It owns the four words; what each operation needs stands in `permission.rs`.

use kernel::{Fault, Result};

/// One use of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// To talk in apps.
    Chat,
    /// To read what it keeps.
    Read,
    /// To change and delete what it keeps.
    Write,
    /// To change the knowledge of apps.
    Documents,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 4] = [Scope::Chat, Scope::Read, Scope::Write, Scope::Documents];

    /// The scope as the word that callers use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Chat => "chat",
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Documents => "documents",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Scope::Chat => 1,
            Scope::Read => 2,
            Scope::Write => 4,
            Scope::Documents => 8,
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scopes(u8);

impl Scopes {
    /// All of them.
    pub const ALL: Scopes = Scopes(15);

    /// From their words; none means all. An unknown word is `invalid_input`: a misspelt restriction must not
    /// become no restriction.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<Scopes> {
        if words.is_empty() {
            return Ok(Scopes::ALL);
        }
        let mut bits = 0;
        for word in words {
            let scope = Scope::ALL.into_iter().find(|scope| scope.as_str() == word.as_ref());
            let unknown = || Fault::invalid("scopes", "unknown", "a scope is chat, read, write or documents");
            bits |= scope.ok_or_else(unknown)?.bit();
        }
        Ok(Scopes(bits))
    }

    /// From the words of a stored key: one that this version does not know gives nothing.
    pub(crate) fn stored<S: AsRef<str>>(words: &[S]) -> Scopes {
        if words.is_empty() {
            return Scopes::ALL;
        }
        let known = Scope::ALL.into_iter().filter(|scope| words.iter().any(|w| w.as_ref() == scope.as_str()));
        Scopes(known.fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Whether this one is in.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Their words.
    pub fn words(self) -> Vec<&'static str> {
        Scope::ALL.into_iter().filter(|scope| self.contains(*scope)).map(Scope::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_a_misspelt_one_is_refused() {
        assert_eq!(Scopes::parse::<&str>(&[]).unwrap(), Scopes::ALL);
        let some = Scopes::parse(&["write", "chat", "chat"]).unwrap();
        assert_eq!(some.words(), ["chat", "write"]);
        assert!(!some.contains(Scope::Read));
        assert!(Scopes::parse(&["admin"]).is_err());
        assert_eq!(Scopes::stored(&["admin"]).words(), Vec::<&str>::new());
    }
}
