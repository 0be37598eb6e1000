//! Recovery codes: what lets a person in who has lost the second factor. Each is used once; the store keeps digests.
//! It never stores one.

use kernel::{Random, Secret};

/// How many codes a person gets.
pub const COUNT: usize = 10;
/// Crockford's Base32: no letter that looks like a digit, none that makes words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code, five bits each: 80 bits.
const LENGTH: usize = 16;

/// Ten new codes such as `7K3M-9QXT-0VBN-4HZC`.
pub fn generate(random: &dyn Random) -> Vec<Secret<String>> {
    (0..COUNT)
        .map(|_| {
            let mut bytes = [0; LENGTH];
            random.fill(&mut bytes);
            let mut code = String::with_capacity(LENGTH + LENGTH / 4);
            for (at, byte) in bytes.iter().enumerate() {
                if at > 0 && at % 4 == 0 {
                    code.push('-');
                }
                // 256 is a multiple of 32, so every character is as likely as the others.
                code.extend(ALPHABET.get(usize::from(byte % 32)).map(|byte| char::from(*byte)));
            }
            Secret::new(code)
        })
        .collect()
}

/// The digest under which a code is stored and looked up; `None` when the text cannot be a code. Case, spaces and
/// hyphens do not count, and look-alikes are read as what they look like. 80 random bits need no slow hash.
pub fn digest(typed: &str) -> Option<String> {
    if typed.len() > 64 {
        return None;
    }
    let mut length = 0;
    let mut hasher = blake3::Hasher::new_derive_key("stoa 2026 recovery code digest");
    for character in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let read = match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let byte = u8::try_from(read).ok().filter(|byte| ALPHABET.contains(byte))?;
        length += 1;
        hasher.update(&[byte]);
    }
    (length == LENGTH).then(|| hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::token::tests::Counting;

    #[test]
    fn codes_are_readable_and_all_different() {
        let codes = generate(&Counting::default());
        assert_eq!(codes.len(), COUNT);
        let distinct: HashSet<_> = codes.iter().map(|code| code.expose().clone()).collect();
        assert_eq!(distinct.len(), COUNT);
        for code in &codes {
            let groups: Vec<&str> = code.expose().split('-').collect();
            assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{}", code.expose());
        }
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        let digest_of = |text| digest(text).unwrap();
        let stored = digest_of("7K3M-9QX1-0VBN-4HZC");
        for typed in ["7k3m9qx10vbn4hzc", " 7K3M 9QXI OVBN 4HZC ", "7k3m-9qxl-ovbn-4hzc"] {
            assert_eq!(digest_of(typed), stored, "{typed}");
        }
        assert_ne!(digest_of("7K3M-9QX1-0VBN-4HZD"), stored);
        for typed in [
            "",
            "-",
            "7K3M-9QX1-0VBN-4HZ",
            "7K3M-9QX1-0VBN-4HZCC",
            "7K3M-9QX1-0VBN-4HZU",
            "ü",
            &"7".repeat(99),
        ] {
            assert_eq!(digest(typed), None, "{typed}");
        }
    }
}
