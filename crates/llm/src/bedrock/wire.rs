//! Converse as JSON: what is sent, and what of an answer is read. It owns the rules of Converse about messages.
//! Fields that are not named here are skipped. It never keeps anything else that Bedrock sends.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::chat::{ChatMessage, ChatRequest, Finish, Image, Role};
use crate::failure::Failure;
use crate::openai::Count;
use crate::provider::Bounds;

/// Stands where the rules want somebody to say something who said nothing: no language and no meaning.
const SILENCE: &str = "…";

/// A request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Converse<'a> {
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    inference_config: Inference,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Block<'a> {
    Text(&'a str),
    Image(Picture<'a>),
}

#[derive(Serialize)]
struct Picture<'a> {
    format: &'static str,
    source: Bytes<'a>,
}

#[derive(Serialize)]
struct Bytes<'a> {
    bytes: &'a str,
}

/// What of a message is sent: its words where it has some, and its images.
fn blocks<'a>(message: &'a ChatMessage) -> Vec<Block<'a>> {
    let words = said(&message.content).into_iter();
    let image = |image: &'a Image| {
        Block::Image(Picture { format: image.kind.as_str(), source: Bytes { bytes: &image.base64 } })
    };
    words.chain(message.images.iter().map(image)).collect()
}

fn said(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then_some(Block::Text(text))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inference {
    max_tokens: u32,
    temperature: f32,
}

impl<'a> Converse<'a> {
    /// The request in the order that Converse wants: instructions apart, no empty text, a user first and last, and
    /// nobody twice in a row. What one side said several times in a row becomes one message of several blocks.
    pub(crate) fn new(request: &'a ChatRequest, bounds: Bounds) -> Converse<'a> {
        let mut system: Vec<Block<'a>> = request.system.as_deref().and_then(said).into_iter().collect();
        let mut messages: Vec<Message<'a>> = Vec::new();
        for message in &request.messages {
            let blocks = blocks(message);
            if blocks.is_empty() {
                continue;
            }
            if message.role == Role::System {
                system.extend(blocks);
                continue;
            }
            let role = message.role.as_str();
            match messages.last_mut() {
                Some(last) if last.role == role => last.content.extend(blocks),
                _ => messages.push(Message { role, content: blocks }),
            }
        }
        let user = Role::User.as_str();
        let silence = || Message { role: user, content: vec![Block::Text(SILENCE)] };
        if messages.first().is_none_or(|first| first.role != user) {
            messages.insert(0, silence());
        }
        if messages.last().is_some_and(|last| last.role != user) {
            messages.push(silence());
        }
        // Converse takes 0 to 1 where the OpenAI protocol takes 0 to 2.
        let temperature = bounds.temperature(request).clamp(0.0, 1.0);
        Converse {
            messages,
            system,
            inference_config: Inference { max_tokens: bounds.max_tokens(request), temperature },
        }
    }

    /// The smallest question: one word, and one token for the answer.
    pub(crate) fn knock() -> Converse<'static> {
        Converse {
            messages: vec![Message { role: Role::User.as_str(), content: vec![Block::Text("ping")] }],
            system: Vec::new(),
            inference_config: Inference { max_tokens: 1, temperature: 0.0 },
        }
    }
}

/// A whole answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answered<'a> {
    #[serde(borrow)]
    pub(crate) output: Output<'a>,
    #[serde(borrow)]
    pub(crate) stop_reason: Cow<'a, str>,
    #[serde(default)]
    pub(crate) usage: Option<Tokens>,
}

#[derive(Deserialize)]
pub(crate) struct Output<'a> {
    #[serde(borrow)]
    pub(crate) message: Said<'a>,
}

#[derive(Deserialize)]
pub(crate) struct Said<'a> {
    #[serde(borrow)]
    pub(crate) content: Vec<Part<'a>>,
}

/// A block of an answer, or a piece of one: its text, when it has some. What a model thinks to itself has another name.
#[derive(Deserialize)]
pub(crate) struct Part<'a> {
    #[serde(default, borrow)]
    pub(crate) text: Option<Text<'a>>,
}

/// A text that is borrowed where it holds no escapes. (Inside of an `Option`, a bare `Cow` would always be copied.)
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// `contentBlockDelta`.
#[derive(Deserialize)]
pub(crate) struct Delta<'a> {
    #[serde(borrow)]
    pub(crate) delta: Part<'a>,
}

/// `messageStop`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stopped<'a> {
    #[serde(borrow)]
    pub(crate) stop_reason: Cow<'a, str>,
}

/// `metadata`.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) usage: Option<Tokens>,
}

/// What an answer took, as far as the numbers make sense.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens {
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
}

impl Tokens {
    /// The tokens of what went in and of what came out.
    pub(crate) fn counts(self) -> (Option<u32>, Option<u32>) {
        (self.input_tokens.0, self.output_tokens.0)
    }
}

/// The end of an answer, in our words.
pub(crate) fn reason(word: &str) -> Result<Finish, Failure> {
    match word {
        "end_turn" | "stop_sequence" => Ok(Finish::Stop),
        "max_tokens" | "model_context_window_exceeded" => Ok(Finish::Length),
        "guardrail_intervened" | "content_filtered" => Ok(Finish::ContentFilter),
        "tool_use" | "malformed_tool_use" => {
            Err(Failure::Garbage("the answer calls a tool, and none was offered"))
        }
        _ => Err(Failure::Garbage("the answer ended for an unknown reason")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chat::ImageKind;

    fn sent(system: Option<&str>, talk: &[(Role, &str)]) -> Value {
        let messages = talk.iter().map(|(role, text)| ChatMessage::new(*role, *text)).collect();
        let request = ChatRequest { system: system.map(str::to_owned), messages, ..ChatRequest::default() };
        serde_json::to_value(Converse::new(&request, Bounds { max_tokens: 9, temperature: 1.5 })).unwrap()
    }

    fn message(role: &str, texts: &[&str]) -> Value {
        json!({"role": role, "content": texts.iter().map(|text| json!({ "text": text })).collect::<Vec<_>>()})
    }

    use Role::{Assistant, System, User};

    #[test]
    fn the_rules_of_converse_hold_for_every_talk() {
        for (talk, messages) in [
            (&[(User, "a")][..], vec![message("user", &["a"])]),
            (&[(User, "a"), (User, "b")], vec![message("user", &["a", "b"])]),
            (
                &[(User, "a"), (Assistant, "b"), (Assistant, "c"), (User, "d")],
                vec![message("user", &["a"]), message("assistant", &["b", "c"]), message("user", &["d"])],
            ),
            // An answer that was stopped before its first word leaves two questions in a row.
            (&[(User, "a"), (Assistant, ""), (User, " \n"), (User, "b")], vec![message("user", &["a", "b"])]),
            // A talk whose beginning is not shown any more begins with an answer.
            (
                &[(Assistant, "a"), (User, "b")],
                vec![message("user", &["…"]), message("assistant", &["a"]), message("user", &["b"])],
            ),
            (
                &[(User, "a"), (Assistant, "b")],
                vec![message("user", &["a"]), message("assistant", &["b"]), message("user", &["…"])],
            ),
            (&[], vec![message("user", &["…"])]),
            (&[(User, "a"), (System, "s"), (User, "b")], vec![message("user", &["a", "b"])]),
        ] {
            assert_eq!(sent(None, talk)["messages"], json!(messages), "{talk:?}");
        }
    }

    #[test]
    fn images_stand_behind_the_words_of_their_message() {
        let image = Image::new(ImageKind::Webp, b"abc");
        let with = ChatMessage { images: vec![image], ..ChatMessage::new(User, "look") };
        let request = ChatRequest { messages: vec![with], ..ChatRequest::default() };
        let sent = serde_json::to_value(Converse::new(&request, Bounds { max_tokens: 9, temperature: 1.0 }));
        assert_eq!(
            sent.unwrap()["messages"][0]["content"],
            json!([{"text": "look"}, {"image": {"format": "webp", "source": {"bytes": "YWJj"}}}])
        );
    }

    #[test]
    fn instructions_stand_apart() {
        let sent = sent(Some("Be brief."), &[(System, "Be kind."), (User, "a"), (System, "  ")]);
        assert_eq!(sent["system"], json!([{"text": "Be brief."}, {"text": "Be kind."}]));
        assert_eq!(
            sent["inferenceConfig"],
            json!({"maxTokens": 9, "temperature": 1.0}),
            "Converse takes 0 to 1"
        );
        assert_eq!(self::sent(Some(" "), &[(User, "a")]).get("system"), None);
    }
}
