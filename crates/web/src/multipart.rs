//! `multipart/form-data` (RFC 7578) as a stream: parts come one after the other, each in pieces as they arrive. What is
//! held in memory is bounded whatever a client sends: the boundary, the head of a part, what is left of a piece.
//! It never knows what a part is for.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use kernel::{Code, Fault, Result};
use memchr::memmem::Finder;

/// How long the next piece may take to arrive.
const IDLE: Duration = Duration::from_secs(30);
/// The longest head of a part, and the most that stands before the first part.
const HEAD: usize = 8 * 1024;
/// The most parts of a body.
const PARTS: u32 = 200;
/// The longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY: usize = 70;

/// A body in parts.
pub(crate) struct Multipart {
    body: BodyDataStream,
    buffer: BytesMut,
    delimiter: Finder<'static>,
    length: usize,
    parts: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first delimiter.
    Before,
    /// Inside of a part.
    Inside,
    /// Behind a delimiter.
    Between,
    /// Behind the last one.
    Over,
}

/// The head of a part.
pub(crate) struct Part {
    /// The name of its field.
    pub(crate) name: String,
    /// What the client calls the file; `None` for what is none.
    pub(crate) filename: Option<String>,
}

impl Multipart {
    /// Reads the body of a request; `unsupported_type` when it is of another type.
    pub(crate) fn of(request: Request) -> Result<Multipart> {
        let boundary = boundary(request.headers()).ok_or_else(|| {
            Fault::new(Code::UnsupportedType).say("send `Content-Type: multipart/form-data`")
        })?;
        Ok(Multipart::new(request.into_body(), &boundary))
    }

    fn new(body: Body, boundary: &str) -> Multipart {
        let delimiter = format!("\r\n--{boundary}");
        // The first delimiter may stand at the very beginning.
        let buffer = BytesMut::from(&b"\r\n"[..]);
        let length = delimiter.len();
        let delimiter = Finder::new(delimiter.as_bytes()).into_owned();
        Multipart { body: body.into_data_stream(), buffer, delimiter, length, parts: 0, state: State::Before }
    }

    /// The head of the next part; `None` at the end. What is left of the part before is skipped.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>> {
        if self.state == State::Before {
            self.seek().await?;
        }
        while self.state == State::Inside {
            self.chunk().await?;
        }
        if self.state == State::Over {
            return Ok(None);
        }
        let head = self.head().await?;
        let Some(head) = head else {
            self.state = State::Over;
            return Ok(None);
        };
        self.parts += 1;
        if self.parts > PARTS {
            return Err(malformed("it has too many parts"));
        }
        self.state = State::Inside;
        parse(&head).map(Some)
    }

    /// The next bytes of the part; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        if self.state != State::Inside {
            return Ok(None);
        }
        loop {
            if let Some(end) = self.delimiter.find(&self.buffer) {
                let rest = self.buffer.split_to(end).freeze();
                if !rest.is_empty() {
                    return Ok(Some(rest));
                }
                self.buffer.advance(self.length);
                self.state = State::Between;
                return Ok(None);
            }
            // What is left may be the beginning of a delimiter.
            let sure = self.buffer.len().saturating_sub(self.length - 1);
            if sure > 0 {
                return Ok(Some(self.buffer.split_to(sure).freeze()));
            }
            self.more().await?;
        }
    }

    /// The whole part as text, when it has at most `most` bytes.
    pub(crate) async fn text(&mut self, name: &str, most: usize) -> Result<String> {
        let mut whole = Vec::new();
        while let Some(piece) = self.chunk().await? {
            if whole.len() + piece.len() > most {
                return Err(Fault::invalid(name.to_owned(), "too_long", format!("at most {most} bytes")));
            }
            whole.extend_from_slice(&piece);
        }
        String::from_utf8(whole)
            .map_err(|_| Fault::invalid(name.to_owned(), "not_utf8", "this field is not UTF-8"))
    }

    /// Skips what stands before the first delimiter.
    async fn seek(&mut self) -> Result<()> {
        loop {
            if let Some(found) = self.delimiter.find(&self.buffer) {
                self.buffer.advance(found + self.length);
                self.state = State::Between;
                return Ok(());
            }
            if self.buffer.len() > HEAD {
                return Err(malformed("its boundary is not in it"));
            }
            self.more().await?;
        }
    }

    /// The head behind a delimiter, with the empty line at its end; `None` behind the last one.
    async fn head(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.buffer.starts_with(b"--") {
                return Ok(None);
            }
            // Spaces may be added behind a boundary on the way.
            let padding = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let rest = self.buffer.get(padding..).unwrap_or_default();
            if rest.starts_with(b"\r\n\r\n") {
                return Err(malformed("a part has no head"));
            }
            if rest.len() >= 2 && !rest.starts_with(b"\r\n") {
                return Err(malformed("a boundary is followed by something else"));
            }
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                return if end > HEAD {
                    Err(malformed("the head of a part is too long"))
                } else {
                    Ok(Some(self.buffer.split_to(end + 4).freeze()))
                };
            }
            if self.buffer.len() > HEAD {
                return Err(malformed("the head of a part is too long"));
            }
            self.more().await?;
        }
    }

    /// Waits for the next piece of the body.
    async fn more(&mut self) -> Result<()> {
        match tokio::time::timeout(IDLE, self.body.next()).await {
            Ok(Some(Ok(piece))) => {
                self.buffer.extend_from_slice(&piece);
                Ok(())
            }
            Ok(Some(Err(_)) | None) => Err(malformed("it broke off")),
            Err(_) => Err(Fault::new(Code::Timeout).say("the body did not arrive in time")),
        }
    }
}

fn malformed(why: &str) -> Fault {
    Fault::new(Code::InvalidInput).say(format!("the multipart body cannot be read: {why}"))
}

/// The boundary that the type of the body names.
fn boundary(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let line = lines.next()?.to_str().ok()?;
    if lines.next().is_some() {
        return None;
    }
    let (essence, parameters) = line.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters_of(parameters).into_iter().find(|(name, _)| name == "boundary")?.1;
    let fits = (1..=BOUNDARY).contains(&boundary.len())
        && boundary.bytes().all(|b| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b))
        && !boundary.ends_with(' ');
    fits.then_some(boundary)
}

/// Parameters as headers write them: `name=value; name="value"`.
fn parameters_of(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ';' | ' ' | '\t' | '\r' | '\n')).is_some() {}
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| !matches!(c, '=' | ';')) {
            name.push(c.to_ascii_lowercase());
        }
        if name.is_empty() && chars.peek().is_none() {
            return found;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'=').is_some() {
            if chars.next_if_eq(&'"').is_some() {
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    let escaped = c == '\\' && chars.peek().is_some_and(|next| matches!(next, '"' | '\\'));
                    value.push(if escaped { chars.next().unwrap_or(c) } else { c });
                }
            } else {
                while let Some(c) = chars.next_if(|c| *c != ';') {
                    value.push(c);
                }
                value.truncate(value.trim_end().len());
            }
        }
        found.push((name.trim().to_owned(), value));
        if found.len() > 16 {
            return found;
        }
    }
}

fn parse(head: &[u8]) -> Result<Part> {
    let head = String::from_utf8_lossy(head);
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
        .map(|(_, value)| value.trim())
        .ok_or_else(|| malformed("a part does not say what it is"))?;
    let (kind, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(malformed("a part is no field of a form"));
    }
    let parameters = parameters_of(parameters);
    let value =
        |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let name = value("name").map(unescape).ok_or_else(|| malformed("a part has no name"))?;
    let extended = value("filename*").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        let (_, encoded) = rest.split_once('\'')?;
        let bytes = percent_decode(encoded, |_| true);
        charset.eq_ignore_ascii_case("utf-8").then(|| String::from_utf8_lossy(&bytes).into_owned())
    });
    Ok(Part { name, filename: extended.or_else(|| value("filename").map(unescape)) })
}

/// Browsers write `"` and line ends in names as `%22`, `%0D` and `%0A`, and nothing else so.
fn unescape(text: &str) -> String {
    let bytes = percent_decode(text, |byte| matches!(byte, b'"' | b'\r' | b'\n'));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn percent_decode(text: &str, wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|byte| wanted(*byte)) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Vec<(String, Option<String>, Vec<u8>)>;

    async fn read(boundary: &str, body: &[u8], step: usize) -> Result<Read> {
        let pieces: Vec<_> =
            body.chunks(step).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
        let mut form = Multipart::new(Body::from_stream(futures_util::stream::iter(pieces)), boundary);
        let mut found = Vec::new();
        while let Some(Part { name, filename }) = form.next().await? {
            let mut whole = Vec::new();
            while let Some(piece) = form.chunk().await? {
                assert!(!piece.is_empty());
                whole.extend_from_slice(&piece);
            }
            found.push((name, filename, whole));
        }
        Ok(found)
    }

    fn part(boundary: &str, disposition: &str, content: &[u8]) -> Vec<u8> {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    }

    #[tokio::test]
    async fn parts_come_whole_however_the_body_is_cut() {
        let tricky = b"line\r\n--\r\n--boundar\r\n-\r\n--Boundary\r\n\r\n\r";
        let body = [
            b"preamble\r\n".to_vec(),
            part("boundary", "name=\"folder\"", b"Photos"),
            part("boundary", "name=\"file\"; filename=\"a.txt\"", tricky),
            part("boundary", "name=file; filename=b.txt", b""),
            b"--boundary--\r\nepilogue that nobody reads".to_vec(),
        ]
        .concat();
        for step in [1, 2, 3, 11, 64, 10_000] {
            let found = read("boundary", &body, step).await.unwrap();
            let wanted = [
                ("folder".to_owned(), None, b"Photos".to_vec()),
                ("file".to_owned(), Some("a.txt".to_owned()), tricky.to_vec()),
                ("file".to_owned(), Some("b.txt".to_owned()), Vec::new()),
            ];
            assert_eq!(found, wanted, "in steps of {step}");
        }
        assert!(read("boundary", b"--boundary--", 3).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn names_are_read_as_browsers_and_programs_write_them() {
        for (disposition, wanted) in [
            ("name=\"f\"; filename=\"a%22b.txt\"", "a\"b.txt"),
            ("name=\"f\"; filename=\"a\\\"b.txt\"", "a\"b.txt"),
            ("name=\"f\"; filename=\"100%25.txt\"", "100%25.txt"),
            ("name=\"f\"; filename=\"ü;=.txt\"", "ü;=.txt"),
            ("name=\"f\"; filename=\"x\"; filename*=UTF-8''%C3%BC.txt", "ü.txt"),
            ("name=\"f\"; filename=\"C:\\dir\\x.txt\"", "C:\\dir\\x.txt"),
            ("name=\"f\"; filename=\"\"", ""),
        ] {
            let body = [part("b", disposition, b"x"), b"--b--".to_vec()].concat();
            let found = read("b", &body, 5).await.unwrap();
            assert_eq!(found[0].1.as_deref(), Some(wanted), "{disposition}");
        }
    }

    #[tokio::test]
    async fn hostile_bodies_end_early_and_cost_nothing() {
        let endless =
            [b"--b\r\nContent-Disposition: form-data; name=\"x".to_vec(), vec![b'a'; 100_000]].concat();
        let many: Vec<u8> = (0..PARTS + 1).flat_map(|_| part("b", "name=\"x\"", b"")).collect();
        for (what, body) in [
            ("nothing", b"".to_vec()),
            ("no boundary", b"hello".to_vec()),
            ("a long preamble", vec![b'a'; 100_000]),
            ("no end", part("b", "name=\"x\"", b"content")),
            ("a head without an end", endless),
            ("no head", b"--b\r\n\r\ncontent\r\n--b--".to_vec()),
            ("no disposition", b"--b\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--b--".to_vec()),
            (
                "another disposition",
                b"--b\r\nContent-Disposition: attachment; name=\"x\"\r\n\r\n\r\n--b--".to_vec(),
            ),
            ("no name", b"--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--".to_vec()),
            (
                "letters behind the boundary",
                b"--bb\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n--b--".to_vec(),
            ),
            ("too many parts", many),
        ] {
            let fault = read("b", &body, 1_000).await.expect_err(what);
            assert_eq!(fault.code(), Code::InvalidInput, "{what}");
        }
    }

    #[test]
    fn boundaries_are_bounded() {
        let found = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, line.parse().unwrap());
            boundary(&headers)
        };
        assert_eq!(found("multipart/form-data; boundary=abc").as_deref(), Some("abc"));
        assert_eq!(found("Multipart/Form-Data; charset=x; Boundary=\"a b\"").as_deref(), Some("a b"));
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"a \"",
            "multipart/form-data; boundary=a{b",
            "multipart/mixed; boundary=abc",
            "application/json",
            &format!("multipart/form-data; boundary={}", "a".repeat(71)),
            &format!("multipart/form-data; {}", "a=b;".repeat(10_000)),
        ] {
            assert_eq!(found(bad), None, "{bad:.60}");
        }
    }
}
