//! The shapes of the OpenAI protocol that this server takes and gives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A request for a completion. Fields that are not listed are ignored.
#[derive(Deserialize, ToSchema)]
pub(crate) struct CompletionRequest {
    /// The app to answer: `assistant`, `support`, …
    #[schema(example = "assistant")]
    pub(crate) model: String,
    /// The talk so far; the last message is the user's.
    #[schema(min_items = 1)]
    pub(crate) messages: Vec<MessageIn>,
    /// Answer as a stream.
    #[serde(default)]
    pub(crate) stream: bool,
    /// What else the stream should hold.
    pub(crate) stream_options: Option<StreamOptions>,
    /// At most this many tokens.
    #[schema(minimum = 1)]
    pub(crate) max_tokens: Option<u32>,
    /// The newer name of `max_tokens`.
    #[schema(minimum = 1)]
    pub(crate) max_completion_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2.
    #[schema(minimum = 0, maximum = 2)]
    pub(crate) temperature: Option<f32>,
    /// How many answers; only 1.
    #[schema(minimum = 1, maximum = 1)]
    pub(crate) n: Option<u32>,
}

/// What else a stream should hold.
#[derive(Deserialize, ToSchema)]
pub(crate) struct StreamOptions {
    /// A last piece with the usage.
    #[serde(default)]
    pub(crate) include_usage: bool,
}

/// A message of the talk.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageIn {
    /// `user`, `assistant`, `system` or `developer`.
    pub(crate) role: String,
    /// Text, or a list of parts of type `text` and, in messages of the user, `image_url`.
    pub(crate) content: Option<Content>,
}

/// Text, or parts.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Content {
    /// Text.
    Text(String),
    /// Parts.
    Parts(Vec<Part>),
}

/// A part of a message.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Part {
    /// `text` or `image_url`; other types are refused.
    pub(crate) r#type: String,
    /// The text.
    pub(crate) text: Option<String>,
    /// The image.
    pub(crate) image_url: Option<ImageUrl>,
}

/// An image: `{"url": "data:image/png;base64,…"}`, or the address alone.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ImageUrl {
    /// With fields beside it, which are ignored.
    Object {
        /// `data:image/…;base64,…`; other addresses are refused.
        url: String,
    },
    /// The address alone.
    Text(String),
}

impl ImageUrl {
    pub(crate) fn url(&self) -> &str {
        match self {
            ImageUrl::Object { url } | ImageUrl::Text(url) => url,
        }
    }
}

/// A completion.
#[derive(Serialize, ToSchema)]
pub(crate) struct Completion {
    /// Its id.
    pub(crate) id: String,
    /// `chat.completion`.
    pub(crate) object: &'static str,
    /// When, in seconds since the epoch.
    pub(crate) created: i64,
    /// The app that answered.
    pub(crate) model: String,
    /// One choice.
    pub(crate) choices: Vec<Choice>,
    /// What it cost.
    pub(crate) usage: Usage,
}

/// An answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Choice {
    /// `0`.
    pub(crate) index: u32,
    /// The message.
    pub(crate) message: MessageOut,
    /// `stop`, `length` or `content_filter`.
    pub(crate) finish_reason: &'static str,
    /// Not given.
    #[schema(value_type = Option<Object>)]
    pub(crate) logprobs: Option<()>,
}

/// The message of an answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageOut {
    /// `assistant`.
    pub(crate) role: &'static str,
    /// The text.
    pub(crate) content: String,
    /// Not given.
    pub(crate) refusal: Option<String>,
}

/// What an answer cost, in the words of this protocol.
#[derive(Serialize, ToSchema, Clone, Copy, Default)]
#[schema(as = CompletionUsage)]
pub(crate) struct Usage {
    /// Tokens read.
    pub(crate) prompt_tokens: u32,
    /// Tokens written.
    pub(crate) completion_tokens: u32,
    /// Both.
    pub(crate) total_tokens: u32,
}

impl Usage {
    pub(crate) fn of(message: &apps::Message) -> Usage {
        let (read, wrote) = (message.input_tokens.unwrap_or(0), message.output_tokens.unwrap_or(0));
        Usage { prompt_tokens: read, completion_tokens: wrote, total_tokens: read.saturating_add(wrote) }
    }
}

/// An error in the shape that the official clients read.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiError)]
#[allow(dead_code, reason = "the shape that `failure::openai` writes, for the OpenAPI document")]
pub(crate) struct ErrorView {
    /// What went wrong.
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiErrorDetail)]
#[allow(dead_code, reason = "the shape that `failure::openai` writes, for the OpenAPI document")]
pub(crate) struct ErrorDetail {
    /// One sentence.
    message: String,
    /// `invalid_request_error`, `authentication_error`, `permission_error`, `rate_limit_error` or `server_error`.
    r#type: String,
    /// The field that is wrong.
    param: Option<String>,
    /// The stable code; see `docs/errors.md`.
    #[schema(example = "invalid_input")]
    code: String,
}

/// Why an answer ended, in the words of this protocol.
pub(crate) const fn finish_reason(reason: Option<apps::FinishReason>) -> &'static str {
    match reason {
        Some(apps::FinishReason::Length) => "length",
        Some(apps::FinishReason::Blocked) => "content_filter",
        _ => "stop",
    }
}
