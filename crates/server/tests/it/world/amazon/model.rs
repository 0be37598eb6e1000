//! Bedrock: Converse and ConverseStream. It looks at the signature first, remembers what it was asked and by whom, and
//! misbehaves when told to.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::WriteHalf;
use tokio::sync::{Notify, watch};

use super::signature::verify;
use super::{Asked, By};

/// The model that there is.
pub const ID: &str = "eu.anthropic.claude-test-20260101-v1:0";
const PATH: &str = "/model/eu.anthropic.claude-test-20260101-v1%3A0/";

/// What Bedrock does with a request whose signature is right.
#[derive(Clone, Debug, Default)]
pub enum Does {
    /// Answers with `bedrock: ` and the last message, in a few pieces when a stream was asked for.
    #[default]
    Echo,
    /// Streams one piece, waits for [`Model::release`], streams another and ends.
    Gated,
    /// Takes the request and never answers.
    Hang,
    /// Streams one piece and then nothing.
    Stall,
    /// Streams one piece and closes the connection inside of the next.
    Cut,
    /// Streams one piece, and then one with a byte that is another.
    Flip,
    /// Streams one piece and then this exception.
    Fail(&'static str),
    /// Refuses with this status and code.
    Refuse(u16, &'static str),
}

#[derive(Default)]
pub(super) struct Shared {
    does: Mutex<Does>,
    asked: Mutex<Vec<(By, String, Value)>>,
    gate: Notify,
    open: watch::Sender<usize>,
}

/// Bedrock, to be told what to do and asked what it saw.
pub struct Model<'a>(pub(super) &'a Shared);

impl Model<'_> {
    pub fn set(&self, does: Does) {
        *self.0.does.lock().unwrap() = does;
    }

    /// Requests with a good signature so far: who asked, for what, with which body.
    pub fn asked(&self) -> Vec<(By, String, Value)> {
        self.0.asked.lock().unwrap().clone()
    }

    /// Lets a gated stream go on.
    pub fn release(&self) {
        self.0.gate.notify_one();
    }

    /// Waits until nobody is being answered, because all connections have been closed; how long that took.
    pub async fn idle(&self) -> Duration {
        let began = Instant::now();
        let mut open = self.0.open.subscribe();
        let waiting = open.wait_for(|open| *open == 0);
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("still being asked").unwrap();
        began.elapsed()
    }
}

/// Counts a request while it is being answered.
struct Busy<'a>(&'a Shared);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

pub(super) async fn serve(
    socket: &mut TcpStream,
    asked: &Asked,
    shared: &super::Shared,
) -> std::io::Result<()> {
    let bedrock = &shared.bedrock;
    bedrock.open.send_modify(|open| *open += 1);
    let _busy = Busy(bedrock);
    let (mut reader, mut writer) = socket.split();
    let refused = |why: &str, code: &'static str| {
        shared.refused.lock().unwrap().push(why.to_owned());
        Does::Refuse(403, code)
    };
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let does = match verify(asked, "bedrock") {
        Err(why) => refused(&why, "InvalidSignatureException"),
        Ok(by) if ended(asked, by, shared) => Does::Refuse(403, "ExpiredTokenException"),
        Ok(by) => match asked.path.strip_prefix(PATH).filter(|_| sound(&body)) {
            Some(action @ ("converse" | "converse-stream")) => {
                bedrock.asked.lock().unwrap().push((by, action.to_owned(), body.clone()));
                bedrock.does.lock().unwrap().clone()
            }
            _ => {
                shared.refused.lock().unwrap().push(format!("not of Converse: {} {body}", asked.path));
                Does::Refuse(400, "ValidationException")
            }
        },
    };
    let streams = asked.path.ends_with("-stream");
    let mut end = [0_u8; 1];
    // Whatever is being answered ends when the other side goes.
    tokio::select! {
        done = answer(&mut writer, &body, streams, does, bedrock) => done,
        _ = reader.read(&mut end) => Ok(()),
    }
}

/// Credentials from a source count in their round alone; keys that somebody set have none.
fn ended(asked: &Asked, by: By, shared: &super::Shared) -> bool {
    let Some(token) = by.credentials().2 else { return false };
    let round = *shared.round.lock().unwrap();
    by != By::TemporaryKeys && asked.header("x-amz-security-token") != format!("{token}{}", "=".repeat(round))
}

/// The rules of Converse about messages.
fn sound(body: &Value) -> bool {
    let Some(messages) = body["messages"].as_array() else { return false };
    let filled = |block: &Value| block["text"].as_str().is_some_and(|text| !text.trim().is_empty());
    let blocks = |value: &Value| {
        value.as_array().is_some_and(|blocks| !blocks.is_empty() && blocks.iter().all(filled))
    };
    let turns = ["user", "assistant"].into_iter().cycle();
    let alternate = messages.iter().zip(turns).all(|(message, role)| message["role"] == role);
    let system = body.get("system").is_none_or(blocks);
    messages.len() % 2 == 1
        && alternate
        && system
        && messages.iter().all(|message| blocks(&message["content"]))
}

async fn answer(
    to: &mut WriteHalf<'_>,
    body: &Value,
    streams: bool,
    does: Does,
    shared: &Shared,
) -> std::io::Result<()> {
    let last = body["messages"]
        .as_array()
        .and_then(|messages| messages.last()?["content"].as_array()?.last().cloned());
    let text =
        format!("bedrock: {}", last.as_ref().and_then(|block| block["text"].as_str()).unwrap_or_default());
    match does {
        Does::Refuse(status, code) => {
            let body =
                json!({"message": "upstream-marker: arn:aws:iam::123456789012:role/leaked"}).to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-amzn-errortype: {code}\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            return to.write_all(head.as_bytes()).await;
        }
        Does::Hang => return std::future::pending().await,
        Does::Echo if !streams => {
            let content = json!([{ "text": text }]);
            let usage = json!({"inputTokens": 11, "outputTokens": 5, "totalTokens": 16});
            let body = json!({
                "output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn",
                "usage": usage, "metrics": {"latencyMs": 1}
            });
            head(to, "application/json").await?;
            return to.write_all(body.to_string().as_bytes()).await;
        }
        _ => head(to, "application/vnd.amazon.eventstream").await?,
    }
    to.write_all(&event("messageStart", &json!({"role": "assistant"}))).await?;
    match does {
        Does::Echo => {
            let chars: Vec<char> = text.chars().collect();
            for part in chars.chunks(chars.len().div_ceil(3)) {
                // Cut where it hurts: inside of the frame.
                let frame = piece(&part.iter().collect::<String>());
                let (left, right) = frame.split_at(frame.len() / 2);
                to.write_all(left).await?;
                to.flush().await?;
                to.write_all(right).await?;
            }
            end(to).await
        }
        Does::Gated => {
            to.write_all(&piece("first ")).await?;
            shared.gate.notified().await;
            to.write_all(&piece("second")).await?;
            end(to).await
        }
        Does::Cut => to.write_all(&[piece("half"), piece("lost")[..40].to_vec()].concat()).await,
        Does::Flip => {
            let mut lost = piece("lost");
            let at = lost.len() - 9;
            lost[at] ^= 1;
            to.write_all(&[piece("half"), lost].concat()).await
        }
        Does::Fail(name) => {
            let headers = [(":exception-type", name), (":message-type", "exception")];
            let exception = frame(&headers, br#"{"message":"upstream-marker"}"#);
            to.write_all(&[piece("half"), exception].concat()).await
        }
        _ => {
            to.write_all(&piece("half")).await?;
            std::future::pending().await
        }
    }
}

async fn head(to: &mut WriteHalf<'_>, kind: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
    to.write_all(head.as_bytes()).await
}

async fn end(to: &mut WriteHalf<'_>) -> std::io::Result<()> {
    to.write_all(&event("contentBlockStop", &json!({"contentBlockIndex": 0}))).await?;
    to.write_all(&event("messageStop", &json!({"stopReason": "end_turn"}))).await?;
    let usage = json!({"inputTokens": 11, "outputTokens": 5, "totalTokens": 16});
    to.write_all(&event("metadata", &json!({"usage": usage, "metrics": {"latencyMs": 1}}))).await
}

fn piece(text: &str) -> Vec<u8> {
    event("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": text}}))
}

fn event(name: &str, payload: &Value) -> Vec<u8> {
    let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.to_string().as_bytes())
}

/// A frame of an event stream.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let mut written = Vec::new();
    for (name, value) in headers {
        written.push(u8::try_from(name.len()).unwrap());
        written.extend(name.bytes());
        written.push(7);
        written.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        written.extend(value.bytes());
    }
    let mut frame = [number(16 + written.len() + payload.len()), number(written.len())].concat();
    frame.extend(crc(&frame).to_be_bytes());
    frame.extend(written);
    frame.extend(payload);
    frame.extend(crc(&frame).to_be_bytes());
    frame
}

/// CRC-32 bit by bit, as its definition has it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}
