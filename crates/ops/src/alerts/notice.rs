//! What is told about an alert outside of the house: ids, addresses and counts, masked. It owns this one form, which
//! every sink renders for itself. It never holds a word that a person wrote.

use std::net::IpAddr;

use kernel::{AlertId, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::telemetry::Mask;

/// Why something is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Event {
    /// It has begun.
    #[serde(rename = "alert.raised")]
    Raised,
    /// It is over.
    #[serde(rename = "alert.recovered")]
    Recovered,
    /// No alert: a report of operation, on its schedule.
    #[serde(rename = "report")]
    Report,
}

/// What is told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Why.
    pub event: Event,
    /// The alert. Two notices with one id are about the same.
    pub id: AlertId,
    /// What sort of alert.
    pub kind: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// A title for people.
    pub title: String,
    /// A sentence for people.
    pub text: String,
    /// Since when.
    pub timestamp: Time,
    /// The facts.
    pub details: Map<String, Value>,
    /// Where people reach the server.
    pub server: String,
    /// `development`, `staging`, `production`.
    pub environment: String,
}

impl Notice {
    /// The title as lines and mails show it.
    pub(crate) fn headline(&self) -> String {
        match self.event {
            Event::Raised => format!("Security Alert: {}", self.title),
            Event::Recovered => format!("Recovered: {}", self.title),
            Event::Report => self.title.clone(),
        }
    }

    /// The page where it is acknowledged.
    pub(crate) fn page(&self) -> String {
        match self.event {
            Event::Report => format!("{}/admin/reports", self.server),
            Event::Raised | Event::Recovered => format!("{}/admin/alerts", self.server),
        }
    }
}

/// Masks every text in the details, addresses of machines left out: they are what an alert is about.
pub(crate) fn masked(mask: Mask, details: Map<String, Value>) -> Map<String, Value> {
    details.into_iter().map(|(name, value)| (name, masked_value(mask, value))).collect()
}

fn masked_value(mask: Mask, value: Value) -> Value {
    match value {
        Value::String(text) if text.parse::<IpAddr>().is_err() => Value::String(mask(&text).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| masked_value(mask, item)).collect()),
        Value::Object(fields) => Value::Object(masked(mask, fields)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_stay_and_everything_else_is_masked() {
        let mask: Mask = |text| guard::content::Masker::standard().mask(text);
        let details = json!({
            "address": "203.0.113.9", "six": "2001:db8::1", "count": 11, "actor": "user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d",
            "odd": "ada@example.org at 203.0.113.9", "list": [{"address": "203.0.113.9", "who": "ada@example.org"}],
        });
        let told = Value::Object(masked(mask, details.as_object().unwrap().clone())).to_string();
        assert!(told.contains(r#""address":"203.0.113.9""#) && told.contains("2001:db8::1"), "{told}");
        assert!(told.contains("user:019aa2b8") && !told.contains("ada@"), "{told}");
        assert!(told.contains(r#""odd":"[EMAIL] at [IP]""#), "{told}");
    }
}
