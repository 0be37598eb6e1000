//! The audit log as a file: a JSON list or a table, written piece by piece. It owns the form; whoever reads the log
//! decides who may.

use kernel::{Fault, Result};
use serde_json::{Value, json};
use store::StoredEvent;

/// The form of an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A JSON list, one event a line.
    Json,
    /// A table with a head (RFC 4180).
    Csv,
}

/// The head of the table, in the order of the cells.
const HEAD: &str = "id,timestamp,event_type,severity,ip_address,actor,object,details,hash\r\n";

impl Form {
    /// Reads the word; any other is `invalid_input`.
    pub fn parse(text: &str) -> Result<Form> {
        match text {
            "json" => Ok(Form::Json),
            "csv" => Ok(Form::Csv),
            _ => Err(Fault::invalid("format", "unknown", "a format is `json` or `csv`")),
        }
    }

    /// The form as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Csv => "csv",
        }
    }

    /// The content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Csv => "text/csv; charset=utf-8",
        }
    }

    /// The `Content-Disposition`.
    pub const fn disposition(self) -> &'static str {
        match self {
            Form::Json => "attachment; filename=\"audit.json\"",
            Form::Csv => "attachment; filename=\"audit.csv\"",
        }
    }

    /// The text of one piece. `first` when no event was written before, `last` when none follows.
    pub fn piece(self, events: &[StoredEvent], first: bool, last: bool) -> String {
        let mut text = String::new();
        match self {
            Form::Csv => {
                if first {
                    text.push_str(HEAD);
                }
                for event in events {
                    row(&mut text, event);
                }
            }
            Form::Json => {
                if first {
                    text.push('[');
                }
                for (index, event) in events.iter().enumerate() {
                    text.push_str(if first && index == 0 { "\n" } else { ",\n" });
                    text.push_str(&document(event).to_string());
                }
                if last {
                    text.push_str("\n]\n");
                }
            }
        }
        text
    }
}

/// An event as CONTRACT section 6 shows it.
pub fn document(event: &StoredEvent) -> Value {
    json!({
        "id": event.id, "timestamp": event.at, "event_type": event.event_type, "severity": event.severity,
        "ip_address": event.ip, "actor": event.actor, "object": event.object, "details": event.details,
        "hash": event.hash,
    })
}

fn row(text: &mut String, event: &StoredEvent) {
    let details = event.details.to_string();
    let cells = [
        &*event.id.to_string(),
        &*event.at.rfc3339(),
        &event.event_type,
        &event.severity,
        event.ip.as_deref().unwrap_or_default(),
        &event.actor,
        event.object.as_deref().unwrap_or_default(),
        &details,
        &event.hash,
    ];
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        push_cell(text, cell);
    }
    text.push_str("\r\n");
}

/// A cell in quotes. A spreadsheet takes what begins with one of these signs for a formula and would run it.
fn push_cell(text: &mut String, cell: &str) {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    text.push('"');
    if formula {
        text.push('\'');
    }
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use kernel::{EventId, Time};

    use super::*;

    fn event(object: &str) -> StoredEvent {
        StoredEvent {
            seq: 1,
            id: EventId::from_uuid(Default::default()),
            at: Time::EPOCH,
            event_type: "auth.failure".to_owned(),
            severity: "high".to_owned(),
            ip: Some("203.0.113.7".to_owned()),
            actor: "anonymous".to_owned(),
            object: Some(object.to_owned()),
            details: json!({"reason": "a \"quoted\", word"}),
            hash: "00".to_owned(),
        }
    }

    #[test]
    fn the_pieces_of_a_list_make_one_document() {
        let events = [event("a"), event("b"), event("c")];
        let text = Form::Json.piece(&events[..2], true, false) + &Form::Json.piece(&events[2..], false, true);
        let read: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[2]["object"], "c");
        let none: Vec<Value> = serde_json::from_str(&Form::Json.piece(&[], true, true)).unwrap();
        assert!(none.is_empty());
        let late = Form::Json.piece(&events[..1], true, false) + &Form::Json.piece(&[], false, true);
        assert_eq!(serde_json::from_str::<Vec<Value>>(&late).unwrap().len(), 1);
    }

    #[test]
    fn a_cell_is_never_a_formula_and_never_two_cells() {
        let text = Form::Csv.piece(&[event("=cmd|'/c calc'!A1")], true, true);
        let line = text.lines().nth(1).unwrap();
        assert!(line.contains("\"'=cmd|'/c calc'!A1\""), "{line}");
        assert!(line.contains(r#""{""reason"":""a \""quoted\"", word""}""#), "{line}");
        assert_eq!(text.lines().count(), 2);
    }
}
