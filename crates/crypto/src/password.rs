//! Passwords: argon2id with PHC strings, over the NFC form of what was typed. An account that does not exist
//! costs as much as one that does. It never judges how good a password is and never chooses where the work runs:
//! one hash keeps a core busy for a tenth of a second and holds the memory of its cost.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, ParamsBuilder, PasswordHasher as _, PasswordVerifier as _, Version};
use kernel::{Fault, Random, Result, Secret};
use unicode_normalization::UnicodeNormalization as _;

/// Nothing longer is hashed. The policy allows 256 characters; four bytes each leave room for any of them.
const LONGEST_BYTES: usize = 4_096;
/// Bytes of salt (RFC 9106, section 3.1) and of the hash.
const SALT: usize = 16;
const OUTPUT: usize = 32;
/// A stored hash that asks for more than this did not come from here: it would only tie up the machine.
const MOST_MEMORY: u32 = 2 * 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 64;

/// What one hash costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 64 MiB, three passes, one lane: the second choice of RFC 9106, section 4, on one core.
    pub const DEFAULT: Cost = Cost { memory_kib: 64 * 1024, passes: Cost::DEFAULT_PASSES, lanes: 1 };

    /// The passes of [`Cost::DEFAULT`].
    pub const DEFAULT_PASSES: u32 = 3;

    /// The least that argon2 computes: for tests alone.
    pub const TEST: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

    /// This much memory (KiB) and this many passes, on one lane. Numbers that argon2 cannot compute, or that would
    /// stop the machine, are brought into its bounds.
    pub fn new(memory_kib: u32, passes: u32) -> Cost {
        Cost { memory_kib: memory_kib.clamp(8, MOST_MEMORY), passes: passes.clamp(1, MOST_PASSES), lanes: 1 }
    }

    /// The memory of one hash in KiB.
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    fn argon2(self) -> Result<Argon2<'static>> {
        let params = ParamsBuilder::new()
            .m_cost(self.memory_kib)
            .t_cost(self.passes)
            .p_cost(self.lanes)
            .output_len(OUTPUT)
            .build()
            .map_err(broken)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    cost: Cost,
    /// The hash of no password, for accounts that are not there.
    dummy: Secret<String>,
}

/// What a comparison found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Wrong, or there is no password to compare with.
    Wrong,
    /// Right.
    Right,
    /// Right, and the stored hash was made at another cost: hash the password again and store that.
    RightButOld,
}

impl Verdict {
    /// The password is right.
    pub const fn is_right(self) -> bool {
        !matches!(self, Verdict::Wrong)
    }
}

impl Passwords {
    /// Hashes at this cost. Computes nothing yet.
    pub fn new(cost: Cost, random: &dyn Random) -> Result<Passwords> {
        let (mut salt, mut output) = ([0; SALT], [0; OUTPUT]);
        random.fill(&mut salt);
        random.fill(&mut output);
        // The output is drawn, not computed: comparing with it costs the whole hash and never succeeds.
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: cost.argon2()?.params().try_into().map_err(broken)?,
            salt: Some(salt.as_slice().try_into().map_err(broken)?),
            hash: Some(output.as_slice().try_into().map_err(broken)?),
        };
        Ok(Passwords { cost, dummy: Secret::new(hash.to_string()) })
    }

    /// The cost of one hash.
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// The PHC string to store. An empty password, and one beyond any policy, is `invalid_input`.
    pub fn hash(&self, password: &Secret<String>, random: &dyn Random) -> Result<Secret<String>> {
        let Some(normal) = normal(password) else {
            return Err(Fault::invalid("password", "invalid", "the password is empty or far too long"));
        };
        let mut salt = [0; SALT];
        random.fill(&mut salt);
        let hash =
            self.cost.argon2()?.hash_password_with_salt(normal.expose().as_bytes(), &salt).map_err(broken)?;
        Ok(Secret::new(hash.to_string()))
    }

    /// Compares a password with a stored PHC string; `None` when there is none (no such account, or one without a
    /// password), which costs the same and is always wrong. An empty password is wrong before anything is computed.
    /// A stored string that is no argon2id hash is an `internal` fault.
    pub fn verify(&self, password: &Secret<String>, stored: Option<&Secret<String>>) -> Result<Verdict> {
        let Some(normal) = normal(password) else { return Ok(Verdict::Wrong) };
        let hash = PasswordHash::new(stored.unwrap_or(&self.dummy).expose()).map_err(broken)?;
        bounded(&hash)?;
        // The parameters of the stored string count, not those of the value that compares.
        let right = match self.cost.argon2()?.verify_password(normal.expose().as_bytes(), &hash) {
            Ok(()) => true,
            Err(argon2::password_hash::Error::PasswordInvalid) => false,
            Err(error) => return Err(broken(error)),
        };
        Ok(match stored {
            Some(stored) if right && self.needs_rehash(stored) => Verdict::RightButOld,
            Some(_) if right => Verdict::Right,
            _ => Verdict::Wrong,
        })
    }

    /// Whether a stored PHC string was made in another way than [`Passwords::hash`] makes them now.
    pub fn needs_rehash(&self, stored: &Secret<String>) -> bool {
        let made = || {
            let hash = PasswordHash::new(stored.expose()).ok()?;
            let params = argon2::Params::try_from(&hash).ok()?;
            let cost = Cost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
            let form = hash.algorithm == Algorithm::Argon2id.ident()
                && hash.version == Some(Version::V0x13.into())
                && hash.hash.is_some_and(|output| output.len() == OUTPUT)
                && hash.salt.is_some_and(|salt| salt.len() >= SALT);
            Some((cost, form))
        };
        made() != Some((self.cost, true))
    }
}

/// The form that is hashed: two keyboards that compose one character differently type the same password.
fn normal(password: &Secret<String>) -> Option<Secret<String>> {
    let text = password.expose();
    if text.is_empty() || text.len() > LONGEST_BYTES {
        return None;
    }
    // With room for every expansion of NFC (a factor of three in UTF-8), so that growing leaves no copy behind.
    let mut normal = String::with_capacity(text.len() * 3);
    normal.extend(text.nfc());
    Some(Secret::new(normal))
}

fn bounded(hash: &PasswordHash) -> Result<()> {
    let params = argon2::Params::try_from(hash).map_err(broken)?;
    let sane = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.hash.is_some_and(|output| output.len() >= 16)
        && params.m_cost() <= MOST_MEMORY
        && params.t_cost() <= MOST_PASSES
        && params.p_cost() <= MOST_LANES;
    if sane { Ok(()) } else { Err(Fault::internal("a stored password hash is not argon2id within bounds")) }
}

fn broken(error: impl std::fmt::Display) -> Fault {
    Fault::internal(format!("argon2: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::Counting;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn passwords(cost: Cost) -> Passwords {
        Passwords::new(cost, &Counting::default()).unwrap()
    }

    #[test]
    fn a_hash_is_a_phc_string_that_only_its_password_opens() {
        let passwords = passwords(Cost::TEST);
        let random = Counting::default();
        let stored = passwords.hash(&secret("correct horse"), &random).unwrap();
        assert!(stored.expose().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", stored.expose());
        let again = passwords.hash(&secret("correct horse"), &random).unwrap();
        assert_ne!(stored.expose(), again.expose());
        assert_eq!(passwords.verify(&secret("correct horse"), Some(&stored)).unwrap(), Verdict::Right);
        for wrong in ["correct horsf", "correct hors", "correct horse ", "Correct horse", ""] {
            assert_eq!(passwords.verify(&secret(wrong), Some(&stored)).unwrap(), Verdict::Wrong, "{wrong:?}");
        }
    }

    #[test]
    fn every_way_to_type_a_character_is_the_same_password() {
        let passwords = passwords(Cost::TEST);
        let stored =
            passwords.hash(&secret("Z\u{fc}rich \u{212b}ngstr\u{f6}m"), &Counting::default()).unwrap();
        let typed = secret("Zu\u{308}rich A\u{30a}ngstro\u{308}m");
        assert!(passwords.verify(&typed, Some(&stored)).unwrap().is_right());
        // Compatibility forms stay different: NFKC would make weaker passwords out of stronger ones.
        assert!(!passwords.verify(&secret("Z\u{fc}rich \u{ff21}"), Some(&stored)).unwrap().is_right());
    }

    #[test]
    fn the_whole_password_counts() {
        let passwords = passwords(Cost::TEST);
        let long = "x".repeat(1_000);
        let stored = passwords.hash(&secret(&long), &Counting::default()).unwrap();
        assert!(!passwords.verify(&secret(&long[..999]), Some(&stored)).unwrap().is_right());
        assert!(passwords.hash(&secret(&"x".repeat(5_000)), &Counting::default()).is_err());
    }

    #[test]
    fn empty_passwords_are_refused_before_anything() {
        let passwords = passwords(Cost::TEST);
        assert!(passwords.hash(&secret(""), &Counting::default()).is_err());
        // Even when somebody managed to store the hash of nothing.
        let argon2 = Cost::TEST.argon2().unwrap();
        let stored = Secret::new(argon2.hash_password_with_salt(b"", &[1; 16]).unwrap().to_string());
        assert_eq!(passwords.verify(&secret(""), Some(&stored)).unwrap(), Verdict::Wrong);
    }

    #[test]
    fn no_account_costs_as_much_and_is_always_wrong() {
        let cost = Cost::new(64, 2);
        let passwords = passwords(cost);
        assert_eq!(passwords.verify(&secret("anything"), None).unwrap(), Verdict::Wrong);
        let stored = passwords.hash(&secret("anything"), &Counting::default()).unwrap();
        let cost_of = |phc: &str| phc.rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(cost_of(passwords.dummy.expose()), cost_of(stored.expose()));
        assert_eq!(passwords.dummy.expose().len(), stored.expose().len());
    }

    #[test]
    fn another_cost_is_noticed() {
        let (old, new) = (passwords(Cost::TEST), passwords(Cost::new(16, 2)));
        let stored = old.hash(&secret("p"), &Counting::default()).unwrap();
        assert!(!old.needs_rehash(&stored));
        assert!(new.needs_rehash(&stored));
        assert_eq!(new.verify(&secret("p"), Some(&stored)).unwrap(), Verdict::RightButOld);
        assert_eq!(new.verify(&secret("q"), Some(&stored)).unwrap(), Verdict::Wrong);
        assert!(new.needs_rehash(&secret("nonsense")));
    }

    #[test]
    fn a_stored_string_cannot_tie_up_the_machine() {
        let passwords = passwords(Cost::TEST);
        for stored in [
            "",
            "plain",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "$argon2i$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=8,t=4294967295,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(passwords.verify(&secret("p"), Some(&secret(stored))).is_err(), "{stored}");
        }
    }

    #[test]
    fn the_published_vector_is_met() {
        // RFC 9106 has its vectors with a secret and associated data; this one is of the reference implementation.
        let stored =
            secret("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
        let passwords = passwords(Cost::TEST);
        assert!(passwords.verify(&secret("password"), Some(&stored)).unwrap().is_right());
        assert!(!passwords.verify(&secret("passwore"), Some(&stored)).unwrap().is_right());
    }
}
