//! One answer of the deployment, whole, and ways to read it that end in a clear message.
//! It never asks.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::verdict::{Verdict, ensure, fail};

/// One answer, whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Method and path of the question.
    pub(crate) what: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Duration,
}

impl Answer {
    /// A header as text; `None` when absent or unreadable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type, in lower case, without parameters.
    pub(crate) fn media_type(&self) -> String {
        let text = self.header("content-type").unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Goes on when the status is one of these. A refusal names the code the server gave.
    pub(crate) fn expect(&self, statuses: &[u16]) -> Verdict<()> {
        ensure(statuses.contains(&self.status), || {
            let wanted = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
            format!("{} gave {}, not {wanted}", self.what, self.summary())
        })
    }

    /// The status, and the code of a problem document when there is one.
    pub(crate) fn summary(&self) -> String {
        let document = serde_json::from_slice::<Value>(&self.body).ok();
        let code = document.as_ref().and_then(|value| value.get("code")?.as_str());
        match code {
            Some(code) => format!("{} {}", self.status, code.chars().take(40).collect::<String>()),
            None => self.status.to_string(),
        }
    }

    /// The body as JSON that is labelled as JSON.
    pub(crate) fn json(&self) -> Verdict<Value> {
        let media = self.media_type();
        ensure(media == "application/json" || media.ends_with("+json"), || {
            format!("{} gave {} as `{media}`, not JSON", self.what, self.status)
        })?;
        serde_json::from_slice(&self.body)
            .map_err(|fault| fail(format!("{} gave JSON that cannot be read ({fault})", self.what)))
    }
}

/// The text at a JSON pointer, or a failure that names it.
pub(crate) fn text_at<'a>(value: &'a Value, pointer: &str, what: &str) -> Verdict<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| absent(pointer, what))
}

/// The list at a JSON pointer, or a failure that names it.
pub(crate) fn list_at<'a>(value: &'a Value, pointer: &str, what: &str) -> Verdict<&'a Vec<Value>> {
    value.pointer(pointer).and_then(Value::as_array).ok_or_else(|| absent(pointer, what))
}

/// The whole number at a JSON pointer, or a failure that names it.
pub(crate) fn count_at(value: &Value, pointer: &str, what: &str) -> Verdict<u64> {
    value.pointer(pointer).and_then(Value::as_u64).ok_or_else(|| absent(pointer, what))
}

fn absent(pointer: &str, what: &str) -> crate::verdict::Stop {
    let name = pointer.trim_start_matches('/').replace('/', ".");
    fail(format!("{what} has no usable `{name}`"))
}
