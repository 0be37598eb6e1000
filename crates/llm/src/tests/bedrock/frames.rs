//! What Bedrock sends, and the check of what it is sent: frames made and signatures verified by a second reading of
//! the rules.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::mock::{self, Act, Script, Seen};

pub(super) const ID: &str = "ASIATESTS";
pub(super) const TOKEN: &str = "token//of+the==session";
pub(super) const REGION: &str = "eu-central-1";

/// A frame with these headers, all of them texts.
pub(super) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, value) in headers {
        written.push(name.len() as u8);
        written.extend(name.bytes());
        written.push(7);
        written.extend((value.len() as u16).to_be_bytes());
        written.extend(value.bytes());
    }
    let mut frame = ((16 + written.len() + payload.len()) as u32).to_be_bytes().to_vec();
    frame.extend((written.len() as u32).to_be_bytes());
    frame.extend(crc(&frame).to_be_bytes());
    frame.extend(written);
    frame.extend(payload);
    frame.extend(crc(&frame).to_be_bytes());
    frame
}

/// CRC-32 bit by bit, as its definition has it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xedb8_8320 * (crc & 1)))
    })
}

/// An event as Bedrock writes it.
pub(super) fn event(name: &str, payload: &Value) -> Act {
    let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    Act::Send(frame(&headers, payload.to_string().as_bytes()))
}

pub(super) fn delta(text: &str) -> Act {
    event("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": text}, "p": "abcdef"}))
}

pub(super) fn stop(reason: &str) -> Act {
    event("messageStop", &json!({"stopReason": reason, "p": "ab"}))
}

pub(super) fn metadata() -> Act {
    let usage = json!({"inputTokens": 9, "outputTokens": 12, "totalTokens": 21});
    event("metadata", &json!({"usage": usage, "metrics": {"latencyMs": 345}}))
}

pub(super) fn exception(name: &str, message: &str) -> Act {
    let headers =
        [(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")];
    Act::Send(frame(&headers, json!({ "message": message }).to_string().as_bytes()))
}

pub(super) fn head() -> Act {
    mock::head("200 OK", "application/vnd.amazon.eventstream", "")
}

/// A good stream of these pieces.
pub(super) fn good_stream(pieces: &[&str]) -> Script {
    let mut script = vec![head(), event("messageStart", &json!({"role": "assistant"}))];
    script.extend(pieces.iter().map(|piece| delta(piece)));
    script.extend([
        event("contentBlockStop", &json!({"contentBlockIndex": 0})),
        stop("end_turn"),
        metadata(),
    ]);
    script
}

/// A good answer.
pub(super) fn good(text: &str) -> Script {
    mock::json(&answer(&json!([{ "text": text }]), "end_turn").to_string())
}

pub(super) fn answer(content: &Value, reason: &str) -> Value {
    json!({
        "output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason,
        "usage": {"inputTokens": 9, "outputTokens": 12, "totalTokens": 21}, "metrics": {"latencyMs": 300}
    })
}

/// An error as Bedrock writes it.
pub(super) fn error(status: &str, code: &str) -> Script {
    let body = json!({ "message": super::LEAK }).to_string();
    let headers =
        format!("content-length: {}\r\nx-amzn-errortype: {code}:http://internal.amazon.com/\r\n", body.len());
    vec![mock::head(status, "application/json", &headers), Act::Send(body.into())]
}

/// The path of a request, if its signature is right.
pub(super) fn signed(seen: &Seen, secret: &str) -> Result<String, String> {
    let mut lines = seen.raw.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no path")?.to_owned();
    let headers: Vec<(String, &str)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.trim()))
        .collect();
    let header = |name: &str| headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value);
    let line = header("authorization").strip_prefix("AWS4-HMAC-SHA256 ").ok_or("not signed")?;
    let part = |name: &str| line.split(", ").find_map(|part| part.strip_prefix(name)).unwrap_or_default();
    let stamp = header("x-amz-date");
    let day = stamp.get(..8).ok_or("no date")?;
    let scope = format!("{day}/{REGION}/bedrock/aws4_request");
    if part("Credential=") != format!("{ID}/{scope}") {
        return Err(format!("a signature for something else: {line}"));
    }
    let names = part("SignedHeaders=");
    for must in ["content-type", "host", "x-amz-date"] {
        if !names.split(';').any(|name| name == must) {
            return Err(format!("{must} is not signed"));
        }
    }
    let signed: String = names.split(';').map(|name| format!("{name}:{}\n", header(name))).collect();
    // What was sent, encoded once more: all but S3 have it so.
    let twice: String = path
        .chars()
        .map(|c| match c {
            '/' | '-' | '.' | '_' | '~' => c.to_string(),
            c if c.is_ascii_alphanumeric() => c.to_string(),
            c => format!("%{:02X}", u32::from(c)),
        })
        .collect();
    let body = hex(&Sha256::digest(&seen.bytes));
    let canonical = format!("POST\n{twice}\n\n{signed}\n{names}\n{body}");
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = format!("AWS4{secret}").into_bytes();
    for step in [day, REGION, "bedrock", "aws4_request", &text] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(step.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    if part("Signature=") == hex(&key) { Ok(path) } else { Err(format!("another signature: {canonical}")) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
