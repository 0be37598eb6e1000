//! How good a secret is. It owns the rules of thumb: length, placeholders, repetition, sequences, spread.
//! It never stores or shows a secret. A good score proves nothing; a bad one is surely bad.

use kernel::Secret;

/// The least length of a signing secret in bytes.
pub(crate) const LEAST_BYTES: usize = 32;

/// Fewer bits than this, estimated from how often each character occurs, are no random secret: 32 hexadecimal
/// digits come to about 115, a sentence repeated to fill the length to far less.
const LEAST_BITS: f64 = 90.0;

/// Why a secret is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weakness {
    /// It is the example of a guide, or says itself that it must be replaced.
    Placeholder,
    /// It has fewer bytes than [`LEAST_BYTES`].
    Short,
    /// It repeats itself, counts up, or has too few different characters.
    Guessable,
}

/// The first reason why this is no secret.
pub(crate) fn weakness(secret: &Secret<String>) -> Option<Weakness> {
    let text = secret.expose();
    if is_placeholder(text) {
        Some(Weakness::Placeholder)
    } else if text.len() < LEAST_BYTES {
        Some(Weakness::Short)
    } else if repeats(text) || counts(text) || bits(text) < LEAST_BITS {
        Some(Weakness::Guessable)
    } else {
        None
    }
}

/// Words that no generated secret holds: each is so long, or so placed, that chance does not make it.
const PLACEHOLDERS: [&str; 15] = [
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "change-this",
    "replace-me",
    "replace_me",
    "replacewith",
    "placeholder",
    "example",
    "-goes-here",
    "-here",
    "_here",
    "todo-",
    "xxxxxxxx",
];

/// The text is the example of a guide: `your-…`, `<generated-…>`, `changeme` and their like.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let words =
        ["secret", "password", "default", "none", "null", "dummy", "secretkey", "secret-key", "secret_key"];
    lower.is_empty()
        || words.contains(&lower.as_str())
        || (lower.contains('<') && lower.contains('>'))
        || lower.starts_with("${")
        || lower.starts_with("your")
        || ["-your-", "_your_", "/your-", "your-", "your_"].iter().any(|mark| lower.contains(mark))
        || lower.starts_with("generated-")
        || PLACEHOLDERS.iter().any(|mark| lower.contains(mark))
}

/// The text is a shorter one written again and again.
fn repeats(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=bytes.len() / 2).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b))
}

/// More than half of the characters follow their neighbour by one step: `abcdef…`, `987654…`, `aaaa…`.
fn counts(text: &str) -> bool {
    let bytes = text.as_bytes();
    let steps = bytes.iter().zip(bytes.iter().skip(1)).filter(|(a, b)| a.abs_diff(**b) <= 1).count();
    steps * 2 > bytes.len()
}

/// Shannon's estimate for the whole text.
fn bits(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = text.len() as f64;
    let of = |count: &u32| f64::from(*count) * (length / f64::from(*count)).log2();
    counts.iter().filter(|count| **count > 0).map(of).sum()
}

/// Database passwords that everybody tries first.
const COMMON_PASSWORDS: [&str; 30] = [
    "postgres",
    "password",
    "passwd",
    "pass",
    "passw0rd",
    "password1",
    "password123",
    "secret",
    "admin",
    "admin123",
    "administrator",
    "root",
    "toor",
    "user",
    "username",
    "test",
    "testing",
    "guest",
    "default",
    "changeme",
    "letmein",
    "welcome",
    "qwerty",
    "abc123",
    "111111",
    "123123",
    "master",
    "database",
    "mypassword",
    "example",
];

/// The password of a database is one that everybody tries first.
pub(crate) fn is_common_password(user: &str, password: &Secret<String>) -> bool {
    let text = password.expose();
    let lower = text.to_ascii_lowercase();
    let digits = lower.bytes().all(|b| b.is_ascii_digit()) && lower.len() < 12;
    COMMON_PASSWORDS.contains(&lower.as_str())
        || lower == user.to_ascii_lowercase()
        || digits
        || is_placeholder(text)
        || (lower.len() < 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(text: &str) -> Option<Weakness> {
        weakness(&Secret::new(text.to_owned()))
    }

    #[test]
    fn the_examples_of_the_guides_are_placeholders() {
        for text in [
            "your-secure-random-session-secret",
            "your-cryptographically-secure-secret-here",
            "your-secure-secret-key",
            "sk-your-openai-api-key-here",
            "sk-your-production-api-key",
            "sk-your-actual-openai-key",
            "<generated-jwt-secret>",
            "<generated-key-1>",
            "https://your-sentry-dsn",
            "your-new-relic-key",
            "changeme-changeme-changeme-changeme",
            "CHANGE_ME_TO_SOMETHING_RANDOM_PLEASE",
            "",
            "${SESSION_SECRET}",
        ] {
            assert_eq!(weak(text), Some(Weakness::Placeholder), "{text}");
        }
    }

    #[test]
    fn length_counts_in_bytes() {
        assert_eq!(weak("k7Qz0VfWm2Lr9XcNb4TgYh6JpS1dUeA"), Some(Weakness::Short));
        assert_eq!(weak("k7Qz0VfWm2Lr9XcNb4TgYh6JpS1dUeAo"), None);
    }

    #[test]
    fn patterns_are_guessable() {
        for text in [
            "a".repeat(64),
            "0123456789".repeat(4),
            "abcdefghijklmnopqrstuvwxyz0123456789".to_owned(),
            "hunter2 hunter2 hunter2 hunter2 hunter2 ".to_owned(),
            "aabbccddaabbccddaabbccddaabbccdd".to_owned(),
            "abababababababababababababababababababababababaX".to_owned(),
        ] {
            assert_eq!(weak(&text), Some(Weakness::Guessable), "{text}");
        }
    }

    #[test]
    fn generated_secrets_pass() {
        for text in [
            // hex, base64 and url-safe forms of random bytes
            "9f86d081884c7d659a2feaa0c55ad015",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
            "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
            "correct horse battery staple and then some",
        ] {
            assert_eq!(weak(text), None, "{text}");
        }
    }

    #[test]
    fn common_passwords_are_known() {
        let common = |user: &str, text: &str| is_common_password(user, &Secret::new(text.to_owned()));
        for text in ["postgres", "Password", "pass", "123456", "stoa", "your-password", "abc"] {
            assert!(common("stoa", text), "{text}");
        }
        assert!(!common("stoa", "tR8-wq2-Lm5"));
    }
}
