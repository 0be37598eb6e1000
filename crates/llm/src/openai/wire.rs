//! The protocol as JSON: what is sent, and what of an answer is read. Fields that are not named here are skipped,
//! those that are must have their type. It never keeps anything else that a provider sends.

use std::borrow::Cow;

use serde::de::{IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::chat::{ChatMessage, ChatRequest, Finish, Image};

/// A chat request.
#[derive(Serialize)]
pub(crate) struct Chat<'a> {
    pub(crate) model: &'a str,
    pub(crate) messages: Messages<'a>,
    pub(crate) max_tokens: u32,
    pub(crate) temperature: f32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
pub(crate) struct StreamOptions {
    pub(crate) include_usage: bool,
}

/// The messages of a request, instructions first, written without a copy.
pub(crate) struct Messages<'a>(pub(crate) &'a ChatRequest);

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Words<'a>,
}

/// What a message holds: a plain text wherever it can, because every server understands that.
#[derive(Serialize)]
#[serde(untagged)]
enum Words<'a> {
    Text(&'a str),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Serialize)]
struct ImageUrl {
    url: String,
}

impl<'a> Words<'a> {
    fn of(said: &'a ChatMessage) -> Words<'a> {
        if said.images.is_empty() {
            return Words::Text(&said.content);
        }
        let image = |image: &Image| Part::ImageUrl {
            image_url: ImageUrl {
                url: format!("data:image/{};base64,{}", image.kind.as_str(), image.base64),
            },
        };
        Words::Parts(
            std::iter::once(Part::Text { text: &said.content })
                .chain(said.images.iter().map(image))
                .collect(),
        )
    }
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let system =
            self.0.system.as_deref().map(|text| Message { role: "system", content: Words::Text(text) });
        let rest = self.0.messages.iter();
        serializer.collect_seq(
            system
                .into_iter()
                .chain(rest.map(|said| Message { role: said.role.as_str(), content: Words::of(said) })),
        )
    }
}

/// An embedding request.
#[derive(Serialize)]
pub(crate) struct Embed<'a> {
    pub(crate) model: &'a str,
    pub(crate) input: &'a [String],
    pub(crate) encoding_format: &'static str,
}

/// A whole answer. Some servers send `null` where others leave a field out.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    pub(crate) choices: Option<Vec<Choice>>,
    #[serde(default)]
    pub(crate) usage: Option<Counts>,
    #[serde(default)]
    pub(crate) model: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    pub(crate) message: Option<Said>,
    #[serde(default)]
    pub(crate) finish_reason: Option<Reason>,
}

#[derive(Deserialize)]
pub(crate) struct Said {
    #[serde(default)]
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) refusal: Option<String>,
}

/// A piece of a streamed answer.
#[derive(Deserialize)]
pub(crate) struct Event<'a> {
    #[serde(default, borrow)]
    pub(crate) choices: Option<Vec<Delta<'a>>>,
    #[serde(default)]
    pub(crate) usage: Option<Counts>,
    #[serde(default, borrow)]
    pub(crate) model: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(crate) struct Delta<'a> {
    #[serde(default)]
    pub(crate) index: u32,
    #[serde(default, borrow)]
    pub(crate) delta: Option<More<'a>>,
    #[serde(default)]
    pub(crate) finish_reason: Option<Reason>,
}

#[derive(Deserialize)]
pub(crate) struct More<'a> {
    #[serde(default, borrow)]
    pub(crate) content: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(crate) refusal: Option<Text<'a>>,
}

/// A text that is borrowed where it holds no escapes. (Inside of an `Option`, a bare `Cow` would always be copied.)
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Why an answer ended, in the words of the servers that speak this protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// A reason that is ours too.
    Known(Finish),
    /// It wants a tool called, and was given none.
    Tool,
    /// No word that we know.
    Unknown,
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reason, D::Error> {
        Ok(match &*Text::deserialize(deserializer)?.0 {
            "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => Reason::Known(Finish::Stop),
            "length" | "max_tokens" | "model_length" => Reason::Known(Finish::Length),
            "content_filter" | "safety" => Reason::Known(Finish::ContentFilter),
            "tool_calls" | "function_call" => Reason::Tool,
            _ => Reason::Unknown,
        })
    }
}

/// What an answer took, as far as the numbers make sense.
#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Counts {
    #[serde(default)]
    pub(crate) prompt_tokens: Count,
    #[serde(default)]
    pub(crate) completion_tokens: Count,
}

impl Counts {
    /// The tokens of what went in and of what came out.
    pub(crate) fn counts(&self) -> (Option<u32>, Option<u32>) {
        (self.prompt_tokens.0, self.completion_tokens.0)
    }
}

/// A number of tokens; `None` for one that cannot be (negative, not a number).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Count(pub(crate) Option<u32>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        struct Counting;
        impl Visitor<'_> for Counting {
            type Value = Count;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of tokens")
            }
            fn visit_u64<E>(self, count: u64) -> Result<Count, E> {
                Ok(Count(u32::try_from(count).ok()))
            }
            fn visit_i64<E>(self, count: i64) -> Result<Count, E> {
                Ok(Count(u32::try_from(count).ok()))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_str<E>(self, _: &str) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_unit<E>(self) -> Result<Count, E> {
                Ok(Count(None))
            }
        }
        deserializer.deserialize_any(Counting)
    }
}

/// An answer to an embedding request.
#[derive(Deserialize)]
pub(crate) struct Vectors {
    pub(crate) data: Vec<Vector>,
    #[serde(default)]
    pub(crate) model: Option<String>,
    #[serde(default)]
    pub(crate) usage: Option<Counts>,
}

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) index: usize,
    pub(crate) embedding: Vec<f32>,
}

/// The list of models.
#[derive(Deserialize)]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub(crate) data: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Listed<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{ImageKind, Role};

    #[test]
    fn images_make_parts_of_a_message() {
        let with = ChatMessage {
            images: vec![Image::new(ImageKind::Png, b"abc")],
            ..ChatMessage::new(Role::User, "look")
        };
        let request =
            ChatRequest { messages: vec![with, ChatMessage::new(Role::User, "a")], ..ChatRequest::default() };
        assert_eq!(
            serde_json::to_string(&Messages(&request)).unwrap(),
            r#"[{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,YWJj"}}]},{"role":"user","content":"a"}]"#
        );
    }

    #[test]
    fn instructions_come_first() {
        let request = ChatRequest {
            system: Some("Be brief.".into()),
            messages: vec![ChatMessage::new(Role::User, "\"hi\"\u{0}")],
            ..ChatRequest::default()
        };
        let chat = Chat {
            model: "m",
            messages: Messages(&request),
            max_tokens: 500,
            temperature: 0.7,
            stream: true,
            stream_options: Some(StreamOptions { include_usage: true }),
        };
        assert_eq!(
            serde_json::to_string(&chat).unwrap(),
            r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"\"hi\"\u0000"}],"max_tokens":500,"temperature":0.7,"stream":true,"stream_options":{"include_usage":true}}"#
        );
    }

    #[test]
    fn numbers_that_cannot_be_are_left_out() {
        let counts: Counts =
            serde_json::from_str(r#"{"prompt_tokens":-5,"completion_tokens":1e300}"#).unwrap();
        assert_eq!((counts.prompt_tokens.0, counts.completion_tokens.0), (None, None));
        let counts: Counts = serde_json::from_str(r#"{"prompt_tokens":7,"completion_tokens":null}"#).unwrap();
        assert_eq!((counts.prompt_tokens.0, counts.completion_tokens.0), (Some(7), None));
    }

    #[test]
    fn unknown_fields_are_skipped_and_depth_is_bounded() {
        let event =
            r#"{"x":[{"y":1}],"choices":[{"delta":{"content":"a","role":"assistant"},"logprobs":null}]}"#;
        let event: Event<'_> = serde_json::from_str(event).unwrap();
        let choices = event.choices.unwrap();
        assert!(matches!(
            &choices[0].delta.as_ref().unwrap().content.as_ref().unwrap().0,
            Cow::Borrowed("a")
        ));
        let bomb = format!(r#"{{"choices":{}"#, "[".repeat(1_000_000));
        assert!(serde_json::from_str::<Event<'_>>(&bomb).is_err());
        let ignored = format!(r#"{{"x":{}}}"#, "[".repeat(1_000_000));
        assert!(serde_json::from_str::<Event<'_>>(&ignored).is_err());
    }
}
