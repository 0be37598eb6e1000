//! The claims of a verified payload, read strictly: a claim of the wrong kind is an error and never absent.
//! It never decides whose claims they are.

use kernel::Time;
use serde_json::{Map, Value};

use super::{Flaw, LEEWAY};

/// The longest text that is taken from a claim, and the most entries of an audience.
const LONGEST: usize = 1_024;
const MOST_AUDIENCES: usize = 32;
/// The year 9999: no clock shows more, and microseconds of it fit.
const LAST_SECOND: i64 = 253_402_300_799;

/// The claims of a token.
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// One JSON object without repeated names.
    pub(crate) fn read(payload: &[u8]) -> Result<Claims, Flaw> {
        crypto::json::strict_object(payload)
            .map(Claims)
            .ok_or(Flaw::Invalid("the claims are not one JSON object without repetitions"))
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Flaw> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST => Ok(Some(text)),
            Some(_) => Err(Flaw::Invalid("a claim is not a short text")),
        }
    }

    /// A text that is only shown to people: anything else is as if it were not there. Without control characters.
    pub(crate) fn label(&self, name: &str, longest: usize) -> Option<String> {
        let text = self.0.get(name).and_then(Value::as_str)?;
        let clean: String = text.trim().chars().filter(|c| !c.is_control()).take(longest).collect();
        (!clean.is_empty()).then_some(clean)
    }

    /// A moment in seconds since the epoch; fractions are cut off (RFC 7519 allows them).
    pub(crate) fn time(&self, name: &str) -> Result<Option<Time>, Flaw> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_i64().or_else(|| {
            let float = value.as_f64().filter(|float| (0.0..=LAST_SECOND as f64).contains(float))?;
            Some(float as i64)
        });
        match seconds.filter(|seconds| (0..=LAST_SECOND).contains(seconds)) {
            Some(seconds) => Ok(Some(Time::from_seconds(seconds))),
            None => Err(Flaw::Invalid("a claim is not a moment")),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// `true`, also as the text that some issuers write.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value == true || value == "true")
    }

    /// Everybody whom the token is for.
    pub(crate) fn audience(&self) -> Result<Vec<&str>, Flaw> {
        let flaw = Flaw::Invalid("the audience is not text");
        match self.0.get("aud") {
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(many)) if many.len() <= MOST_AUDIENCES => {
                many.iter().map(|one| one.as_str().ok_or(flaw)).collect()
            }
            _ => Err(flaw),
        }
    }

    /// `iat` and `exp`, which every token has: issued in the past but for the leeway, and for some time. Whether the
    /// time is over is asked last of all, so that nothing else hides behind an expired token.
    pub(crate) fn lifetime(&self, now: Time) -> Result<(Time, Time), Flaw> {
        let lack = Flaw::Invalid("the token does not say when it was issued and when it ends");
        let issued_at = self.time("iat")?.ok_or(lack)?;
        let expires_at = self.time("exp")?.ok_or(lack)?;
        if issued_at > now + LEEWAY {
            return Err(Flaw::Invalid("the token was issued in the future"));
        }
        if expires_at <= issued_at {
            return Err(Flaw::Invalid("the token ends before it begins"));
        }
        if self.time("nbf")?.is_some_and(|begins| begins > now + LEEWAY) {
            return Err(Flaw::Invalid("the token does not count yet"));
        }
        Ok((issued_at, expires_at))
    }
}
