//! Reports to Sentry: errors and panics as events, kept traces as transactions, each an envelope. It owns the list of
//! what such a report may hold: words that stand in our source, names of routes and codes. No header, no body, no
//! address, no id of a person, no text that somebody wrote; and all of it has passed the mask.

use kernel::{Ambient, Time};
use serde_json::{Map, Value as Json, json};

use super::trace::{Ended, Value, Whole, hex};
use super::{Config, Line};
use crate::telemetry::Mask;

/// Fields of a log line that may be part of a report.
const TAGS: [&str; 11] = [
    "code",
    "event_type",
    "kind",
    "location",
    "method",
    "operation",
    "request_id",
    "route",
    "sink",
    "status",
    "thread",
];

/// An envelope with its id.
pub(super) struct Envelope(pub(super) Vec<u8>);

/// What makes envelopes.
pub(super) struct Reporter<'a> {
    pub(super) config: &'a Config,
    pub(super) mask: Mask,
    pub(super) ambient: &'a Ambient,
}

impl Reporter<'_> {
    /// A line of the log as an event; `None` when it cannot be read.
    pub(super) fn event(&self, line: &Line) -> Option<Envelope> {
        let fields: Map<String, Json> = serde_json::from_str(&line.json).ok()?;
        let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default();
        let target = text("target");
        let tags: Map<String, Json> = TAGS
            .iter()
            .filter_map(|name| {
                let value = match fields.get(*name)? {
                    Json::String(text) => text.chars().take(200).collect(),
                    other => other.to_string(),
                };
                Some(((*name).to_owned(), Json::String(value)))
            })
            .collect();
        // What a panic says may quote what somebody wrote, and so may a dependency: the place is enough.
        let message = match target {
            "stoa::panic" => format!("panicked at {}", text("location")),
            target if target.split("::").next().is_some_and(crate::telemetry::is_ours) => {
                text("message").to_owned()
            }
            target => format!("an error in {target}"),
        };
        let fingerprint = [target, &message, text("route"), text("code"), text("operation")];
        let event = json!({
            "level": "error",
            "logger": target,
            "logentry": { "formatted": message },
            "fingerprint": fingerprint,
            "tags": tags,
        });
        Some(self.seal("event", line.at, event))
    }

    /// A kept trace as a transaction.
    pub(super) fn transaction(&self, whole: &Whole) -> Envelope {
        let root = &whole.root;
        let spans: Vec<Json> = whole.children.iter().map(child).collect();
        let tags: Map<String, Json> = root.attributes.iter().map(tag).collect();
        let transaction = json!({
            "type": "transaction",
            "transaction": root.name(),
            "start_timestamp": seconds(root.began),
            "contexts": { "trace": {
                "trace_id": hex(&root.trace),
                "span_id": hex(&root.id),
                "parent_span_id": root.parent.map(|id| hex(&id)),
                "op": "http.server",
                "status": if root.failed { "internal_error" } else { "ok" },
            } },
            "spans": spans,
            "tags": tags,
        });
        self.seal("transaction", root.began + root.took, transaction)
    }

    fn seal(&self, sort: &str, at: Time, mut event: Json) -> Envelope {
        let id = hex(&self.ambient.bytes::<16>());
        if let Some(fields) = event.as_object_mut() {
            fields.extend([
                ("event_id".to_owned(), json!(id)),
                ("timestamp".to_owned(), json!(seconds(at))),
                ("platform".to_owned(), json!("other")),
                ("environment".to_owned(), json!(self.config.environment)),
                ("release".to_owned(), json!(format!("{}@{}", self.config.service, self.config.version))),
                ("sdk".to_owned(), json!({ "name": "stoa", "version": self.config.version })),
            ]);
        }
        masked(self.mask, &mut event);
        let event = event.to_string();
        let head = json!({ "event_id": id, "sent_at": self.ambient.now().rfc3339() });
        let item = json!({ "type": sort, "length": event.len() });
        Envelope(format!("{head}\n{item}\n{event}\n").into_bytes())
    }
}

fn child(span: &Ended) -> Json {
    let op = match span.sort {
        "store" => "db",
        "model" => "http.client",
        _ => "function",
    };
    json!({
        "trace_id": hex(&span.trace),
        "span_id": hex(&span.id),
        "parent_span_id": span.parent.map(|id| hex(&id)),
        "op": op,
        "description": span.name(),
        "status": if span.failed { "internal_error" } else { "ok" },
        "start_timestamp": seconds(span.began),
        "timestamp": seconds(span.began + span.took),
    })
}

fn tag((name, value): &(&'static str, Value)) -> (String, Json) {
    let value = match value {
        Value::Text(text) => text.clone(),
        Value::Whole(number) => number.to_string(),
    };
    ((*name).to_owned(), Json::String(value))
}

/// Seconds since the epoch, as a number with a fraction.
fn seconds(time: Time) -> f64 {
    // Microseconds of this century are far below 2^53.
    time.micros() as f64 / 1_000_000.0
}

/// Every text through the mask. Ids in hexadecimal are ours and would look like numbers of people.
fn masked(mask: Mask, value: &mut Json) {
    match value {
        Json::String(text) if !is_id(text) => *text = mask(text).into_owned(),
        Json::Array(items) => items.iter_mut().for_each(|item| masked(mask, item)),
        Json::Object(fields) => fields.values_mut().for_each(|field| masked(mask, field)),
        _ => {}
    }
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 16 | 32) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
