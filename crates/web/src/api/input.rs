//! Words that callers send: texts that hold something, and secrets that nothing can show. It judges emptiness only;
//! what a text must look like is for the rooms that take it.

use std::fmt;
use std::marker::PhantomData;

use kernel::Secret;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// A text that is not empty. `null` and `""` are refused before anything looks at them: an empty password, code or
/// token must never reach what compares it.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Text(pub(crate) String);

/// The same, for what must not be shown.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) Secret<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_string(Filled(PhantomData)).map(Text)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hidden, D::Error> {
        deserializer.deserialize_string(Filled(PhantomData)).map(|text: String| Hidden(Secret::new(text)))
    }
}

struct Filled<T>(PhantomData<T>);

impl Visitor<'_> for Filled<String> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text that is not empty")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        // The error must not repeat the value; a length of nothing tells nothing.
        if text.trim().is_empty() { Err(E::invalid_length(0, &self)) } else { Ok(text.to_owned()) }
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        if text.trim().is_empty() { Err(E::invalid_length(0, &self)) } else { Ok(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(rename = "password")]
        _password: Hidden,
        #[serde(rename = "code")]
        _code: Option<Text>,
    }

    #[test]
    fn empty_and_null_are_refused_and_named() {
        for text in [
            r#"{"password":""}"#,
            r#"{"password":"  "}"#,
            r#"{"password":null}"#,
            r#"{"password":7}"#,
            r#"{"password":["a"]}"#,
        ] {
            let fault = parse::<Body>(text.as_bytes()).err().unwrap();
            assert_eq!(fault.fields().first().map(|field| field.field.as_ref()), Some("password"), "{text}");
        }
        let fault = parse::<Body>(br#"{"password":"x","code":""}"#).err().unwrap();
        assert_eq!(fault.fields().first().map(|field| field.field.as_ref()), Some("code"));
        assert!(parse::<Body>(br#"{"password":"x","code":null}"#).is_ok());
    }
}
