//! A stream of events as a client reads it.

use std::time::Duration;

use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use super::client::Connection;

/// No event may be longer in coming than this.
const PATIENCE: Duration = Duration::from_secs(15);

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    /// The data; JSON `null` where it is no JSON (`[DONE]`).
    pub data: Value,
}

/// A stream being read. Dropping it closes the connection.
pub struct Events {
    pub headers: HeaderMap,
    body: Incoming,
    text: Vec<u8>,
    /// Comments that came between events.
    pub comments: usize,
    _connection: Connection,
}

impl Events {
    pub(super) fn new(headers: HeaderMap, body: Incoming, connection: Connection) -> Events {
        Events { headers, body, text: Vec::new(), comments: 0, _connection: connection }
    }

    /// The next event; `None` at the end of the stream, however it ends.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                match parse(std::str::from_utf8(&block).unwrap()) {
                    Some(event) => return Some(event),
                    None => self.comments += 1,
                }
                continue;
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("no event came");
            match frame {
                Some(Ok(frame)) => self.text.extend_from_slice(frame.data_ref().unwrap()),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Reads up to and with the first event of this name.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            let found = event.name == name;
            events.push(event);
            if found {
                return events;
            }
        }
        panic!("the stream ended without `{name}`: {events:?}");
    }

    /// Reads to the end.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

/// The text that these events carry.
pub fn text(events: &[Event]) -> String {
    events.iter().filter(|e| e.name == "delta").filter_map(|e| e.data["text"].as_str()).collect()
}

fn parse(block: &str) -> Option<Event> {
    let mut event = Event { id: String::new(), name: String::new(), data: Value::Null };
    let mut data = String::new();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", value)) => value.clone_into(&mut event.id),
            Some(("event", value)) => value.clone_into(&mut event.name),
            Some(("data", value)) => data.push_str(value),
            _ => {}
        }
    }
    if event.name.is_empty() && data.is_empty() {
        return None;
    }
    event.data = serde_json::from_str(&data).unwrap_or_default();
    Some(event)
}
