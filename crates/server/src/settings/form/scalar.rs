//! The plain forms: text, secrets, flags, numbers, sizes and paths.
//! It never knows what a value is for.

use std::path::PathBuf;

use crypto::MasterKey;
use kernel::Secret;

use super::{Complaint, Form, Shape};
use crate::settings::raw::Raw;

fn plain(raw: &Raw) -> Result<String, Complaint> {
    let text = raw.text();
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters or line breaks".to_owned());
    }
    Ok(text)
}

/// Any text without control characters.
pub(crate) const fn text(sort: &'static str) -> Form<String> {
    Form { read: plain, write: String::clone, shape: Shape::Text(sort) }
}

/// Text of several lines.
pub(crate) const fn prose() -> Form<String> {
    Form {
        read: |raw| {
            let text = raw.text();
            if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
                return Err("must not hold control characters".to_owned());
            }
            Ok(text)
        },
        write: String::clone,
        shape: Shape::Text("text"),
    }
}

/// A secret text.
pub(crate) const fn secret() -> Form<Secret<String>> {
    Form {
        read: |raw| plain(raw).map(Secret::new),
        write: |secret| secret.expose().clone(),
        shape: Shape::Text("secret text"),
    }
}

/// A list of secret texts.
pub(crate) const fn secrets() -> Form<Vec<Secret<String>>> {
    Form {
        read: |raw| Ok(raw.items().into_iter().map(|item| Secret::new(item.to_owned())).collect()),
        write: |secrets| secrets.iter().map(|secret| secret.expose().as_str()).collect::<Vec<_>>().join(","),
        shape: Shape::List("secret texts"),
    }
}

/// A master key: 32 bytes as base64 or hexadecimal.
pub(crate) const fn master_key() -> Form<MasterKey> {
    Form {
        read: |raw| MasterKey::parse(&raw.text()).map_err(|_| MASTER_KEY.to_owned()),
        write: |key| key.encode().expose().clone(),
        shape: Shape::Text("32 bytes as base64 or hexadecimal"),
    }
}

/// A list of master keys.
pub(crate) const fn master_keys() -> Form<Vec<MasterKey>> {
    Form {
        read: |raw| {
            let key = |item: &str| MasterKey::parse(item).map_err(|_| MASTER_KEY.to_owned());
            raw.items().into_iter().map(key).collect()
        },
        write: |keys| keys.iter().map(|key| key.encode().expose().clone()).collect::<Vec<_>>().join(","),
        shape: Shape::List("keys of 32 bytes as base64 or hexadecimal"),
    }
}

const MASTER_KEY: &str = "must be 32 bytes as base64 or hexadecimal; make one with `stoa secret encryption`";

/// Yes or no, in the spellings that environments use.
pub(crate) const fn flag() -> Form<bool> {
    Form {
        read: |raw| match raw.text().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("must be `true` or `false`".to_owned()),
        },
        write: bool::to_string,
        shape: Shape::Flag,
    }
}

/// A whole number within bounds.
pub(crate) const fn whole<const MIN: u64, const MAX: u64>() -> Form<u64> {
    Form {
        read: |raw| {
            let text = raw.text().replace('_', "");
            match text.parse::<u64>() {
                Ok(number) if (MIN..=MAX).contains(&number) => Ok(number),
                _ => Err(format!("must be {}", Shape::Whole { min: MIN, max: MAX }.words())),
            }
        },
        write: u64::to_string,
        shape: Shape::Whole { min: MIN, max: MAX },
    }
}

/// How long something is kept: a span such as `24h`, or `keep`.
pub(crate) const fn kept() -> Form<Option<std::time::Duration>> {
    Form {
        read: |raw| match raw.text().to_ascii_lowercase().as_str() {
            "keep" => Ok(None),
            text => crate::cli::span(text)
                .map(Some)
                .map_err(|_| "must be a span such as `24h`, `30d` or `90s`, or `keep`".to_owned()),
        },
        write: |kept| kept.map_or_else(|| "keep".to_owned(), |span| format!("{}s", span.as_secs())),
        shape: Shape::Text("a span such as `24h`, or `keep`"),
    }
}

/// A number from 0 to `MAX`.
pub(crate) const fn decimal<const MAX: u32>() -> Form<f32> {
    Form {
        read: |raw| match raw.text().parse::<f64>() {
            Ok(number) if number >= 0.0 && number <= f64::from(MAX) => Ok(number as f32),
            _ => Err(format!("must be a number from 0 to {MAX}")),
        },
        write: f32::to_string,
        shape: Shape::Decimal { min: 0.0, max: MAX as f64 },
    }
}

/// A size in bytes; units are understood (`10485760`, `10MiB`).
pub(crate) const fn bytes() -> Form<u64> {
    Form {
        read: |raw| size(&raw.text(), 1),
        write: u64::to_string,
        shape: Shape::Whole { min: 1, max: MOST_BYTES },
    }
}

/// A size whose bare number counts MiB (`100`, `100MB`, `2GiB`); read into bytes.
pub(crate) const fn mebibytes() -> Form<u64> {
    Form {
        read: |raw| size(&raw.text(), MIB),
        write: |bytes| if bytes % MIB == 0 { (bytes / MIB).to_string() } else { format!("{bytes}B") },
        shape: Shape::Whole { min: 1, max: MOST_BYTES / MIB },
    }
}

const MIB: u64 = 1024 * 1024;
/// Nothing larger is taken as a size: 1 TiB.
const MOST_BYTES: u64 = 1024 * 1024 * MIB;

/// Decimal units (`MB`) count as binary ones here, as the guides use them.
fn size(text: &str, bare_unit: u64) -> Result<u64, Complaint> {
    let complaint = || "must be a size such as `10485760`, `512KiB` or `100MiB`".to_owned();
    let lower = text.to_ascii_lowercase().replace('_', "");
    let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let unit = match unit.trim() {
        "" => bare_unit,
        "b" => 1,
        "k" | "kb" | "kib" => 1024,
        "m" | "mb" | "mib" => MIB,
        "g" | "gb" | "gib" => 1024 * MIB,
        _ => return Err(complaint()),
    };
    let number: u64 = number.parse().map_err(|_| complaint())?;
    match number.checked_mul(unit) {
        Some(bytes) if (1..=MOST_BYTES).contains(&bytes) => Ok(bytes),
        _ => Err("must be between 1 byte and 1 TiB".to_owned()),
    }
}

/// A path.
pub(crate) const fn path() -> Form<PathBuf> {
    Form {
        read: |raw| plain(raw).map(PathBuf::from),
        write: |path| path.display().to_string(),
        shape: Shape::Text("a path"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(form: &Form<T>, text: &str) -> Option<T> {
        (form.read)(&Raw::one(text)).ok()
    }

    #[test]
    fn flags_have_many_spellings() {
        for text in ["true", "True", " TRUE ", "1", "yes", "on"] {
            assert_eq!(read(&flag(), text), Some(true), "{text}");
        }
        for text in ["false", "False", "0", "no", "off"] {
            assert_eq!(read(&flag(), text), Some(false), "{text}");
        }
        assert_eq!(read(&flag(), "maybe"), None);
    }

    #[test]
    fn numbers_keep_their_bounds() {
        let port = whole::<1, 65_535>();
        assert_eq!(read(&port, "8080"), Some(8080));
        for text in ["0", "65536", "-1", "8080.0", "tcp://10.0.0.1:80", "", "99999999999999999999999"] {
            assert_eq!(read(&port, text), None, "{text}");
        }
        assert_eq!(read(&decimal::<2>(), "0.7"), Some(0.7));
        for text in ["2.1", "-0.1", "NaN", "inf", "warm"] {
            assert_eq!(read(&decimal::<2>(), text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_bytes_or_mebibytes() {
        assert_eq!(read(&bytes(), "10485760"), Some(10 * MIB));
        assert_eq!(read(&bytes(), "16 MB"), Some(16 * MIB));
        assert_eq!(read(&mebibytes(), "100"), Some(100 * MIB));
        assert_eq!(read(&mebibytes(), "2GiB"), Some(2048 * MIB));
        for text in ["", "-1", "1.5MB", "99999999999GB", "10 parsecs"] {
            assert_eq!(read(&bytes(), text), None, "{text}");
        }
    }

    #[test]
    fn complaints_never_repeat_the_value() {
        let complaint = (flag().read)(&Raw::one("hunter2")).unwrap_err();
        assert!(!complaint.contains("hunter2"));
        assert!((text("text").read)(&Raw::one("a\nb")).is_err());
    }
}
