//! Reads an answer while it arrives: server-sent events, with the time of each.
//! It knows the format of the wire and nothing of what the events mean.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use crate::client::explain;
use crate::verdict::{Verdict, ensure, fail};

/// A stream of a turn is far below this; a longer one is a fault, not a reason to fill our memory.
const LONGEST_STREAM: usize = 16 << 20;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The name; `message` when the server names none.
    pub(crate) name: String,
    pub(crate) data: String,
    /// When its last byte arrived, counted from the start of the request.
    pub(crate) at: Duration,
}

/// An answer that is still arriving.
pub(crate) struct Live {
    what: String,
    response: reqwest::Response,
    headers: HeaderMap,
    started: Instant,
    timeout: Duration,
    lines: Lines,
    ready: VecDeque<Event>,
    received: usize,
}

impl Live {
    pub(crate) fn new(
        what: String,
        response: reqwest::Response,
        started: Instant,
        timeout: Duration,
    ) -> Live {
        let headers = response.headers().clone();
        let (lines, ready) = (Lines::default(), VecDeque::new());
        Live { what, response, headers, started, timeout, lines, ready, received: 0 }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Goes on when the answer is a stream of events that nothing in between holds back.
    pub(crate) fn expect_events(&self) -> Verdict<()> {
        let media = self.header("content-type").split(';').next().unwrap_or_default().trim().to_owned();
        ensure(media.eq_ignore_ascii_case("text/event-stream"), || {
            format!("{} answered as `{media}`, not text/event-stream", self.what)
        })?;
        let coding = self.header("content-encoding");
        ensure(coding.is_empty() || coding.eq_ignore_ascii_case("identity"), || {
            format!("{} compressed its stream with {coding}", self.what)
        })
    }

    /// The next event; `None` when the stream has ended properly.
    pub(crate) async fn next(&mut self) -> Verdict<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let deadline = self.started + self.timeout;
            let chunk = match tokio::time::timeout_at(deadline, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(fault)) => return Err(fail(format!("{}: {}", self.what, explain(&fault)))),
                Err(_) => {
                    let seconds = self.timeout.as_secs();
                    return Err(fail(format!("{}: the stream did not end within {seconds} s", self.what)));
                }
            };
            self.received += chunk.len();
            ensure(self.received <= LONGEST_STREAM, || {
                format!("{}: the stream is longer than {} MiB", self.what, LONGEST_STREAM >> 20)
            })?;
            self.lines.take(&chunk, self.started.elapsed(), &mut self.ready);
        }
    }
}

/// Makes events of bytes (WHATWG HTML, "Interpreting an event stream"), as far as a client of this server needs it.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    name: String,
    data: Option<String>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], at: Duration, out: &mut VecDeque<Event>) {
        for byte in bytes {
            if *byte != b'\n' {
                self.rest.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.rest);
            let line = String::from_utf8_lossy(&line);
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if line.is_empty() {
                let name = std::mem::take(&mut self.name);
                if let Some(data) = self.data.take() {
                    let name = if name.is_empty() { "message".to_owned() } else { name };
                    out.push_back(Event { name, data, at });
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut self.name),
                "data" => match &mut self.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => self.data = Some(value.to_owned()),
                },
                // An empty field name is a comment (`: ping`); `id` and `retry` do not matter here.
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&str]) -> Vec<(String, String)> {
        let (mut lines, mut out) = (Lines::default(), VecDeque::new());
        for piece in pieces {
            lines.take(piece.as_bytes(), Duration::ZERO, &mut out);
        }
        out.into_iter().map(|event| (event.name, event.data)).collect()
    }

    #[test]
    fn events_are_found_however_the_bytes_are_cut() {
        let text =
            ": ping\n\nevent: delta\r\ndata: {\"text\":\"é\"}\r\n\r\nid: 3\ndata: a\ndata: b\n\nevent: x\n\n";
        let whole = events(&[text]);
        assert_eq!(
            whole,
            [("delta".into(), "{\"text\":\"é\"}".into()), ("message".to_owned(), "a\nb".to_owned())]
        );
        let (mut lines, mut out) = (Lines::default(), VecDeque::new());
        for byte in text.as_bytes() {
            lines.take(&[*byte], Duration::ZERO, &mut out);
        }
        assert_eq!(out.len(), whole.len());
    }

    #[test]
    fn an_event_that_is_cut_off_does_not_count() {
        assert!(events(&["event: done\ndata: {}"]).is_empty());
    }
}
