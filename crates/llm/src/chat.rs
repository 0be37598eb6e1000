//! What is asked of a model and what may come back: the closed set of words between this room and the rest.
//! It owns no behaviour and knows no provider.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// A question to a model, with all that the model is shown.
#[derive(Clone, Default)]
pub struct ChatRequest {
    /// Instructions, sent first. Hold no secret.
    pub system: Option<String>,
    /// The talk so far, oldest first; the last one is the question.
    pub messages: Vec<ChatMessage>,
    /// What the built-in answerer may quote. A provider is not shown them: who wants that writes them into a
    /// message.
    pub passages: Vec<Passage>,
    /// They are those of files that came with the question, not of the manual.
    pub from_files: bool,
    /// The model of the app. It is asked of the first provider alone; those behind it answer with their own.
    pub model: Option<String>,
    /// Tokens of the answer at the most; never more than the configuration allows.
    pub max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2; the configured one when absent.
    pub temperature: Option<f32>,
    /// How long a whole answer may take when that is less than the configured total. A stream is not held to it.
    pub limit: Option<Duration>,
}

impl ChatRequest {
    /// Whether a model is shown images.
    pub fn has_images(&self) -> bool {
        self.messages.iter().any(|message| !message.images.is_empty())
    }
}

impl fmt::Debug for ChatRequest {
    /// Shows counts alone: message text is never logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatRequest")
            .field("messages", &self.messages.len())
            .field("passages", &self.passages.len())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// One message of the talk.
#[derive(Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// Images that came with it, of a user's message alone.
    pub images: Vec<Image>,
}

impl ChatMessage {
    /// A message of words alone.
    pub fn new(role: Role, content: impl Into<String>) -> ChatMessage {
        ChatMessage { role, content: content.into(), images: Vec::new() }
    }
}

impl fmt::Debug for ChatMessage {
    /// Shows the role and the length: message text is never logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} bytes, {} images)", self.role, self.content.len(), self.images.len())
    }
}

/// The kinds of images that models take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
}

impl ImageKind {
    /// The kind with this media type; `None` for one that no model takes.
    pub fn parse(media_type: &str) -> Option<ImageKind> {
        match media_type {
            "image/png" => Some(ImageKind::Png),
            "image/jpeg" => Some(ImageKind::Jpeg),
            "image/gif" => Some(ImageKind::Gif),
            "image/webp" => Some(ImageKind::Webp),
            _ => None,
        }
    }

    /// The kind in one word, as Bedrock calls it: behind `image/` it is the media type.
    pub const fn as_str(self) -> &'static str {
        match self {
            ImageKind::Png => "png",
            ImageKind::Jpeg => "jpeg",
            ImageKind::Gif => "gif",
            ImageKind::Webp => "webp",
        }
    }
}

/// An image for a model.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// What it is.
    pub kind: ImageKind,
    /// Its bytes, as Base64: the protocols want it so.
    pub base64: Arc<str>,
}

impl Image {
    /// From its bytes.
    pub fn new(kind: ImageKind, bytes: &[u8]) -> Image {
        Image { kind, base64: BASE64.encode(bytes).into() }
    }
}

impl fmt::Debug for Image {
    /// Shows the kind and the length alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} characters)", self.kind, self.base64.len())
    }
}

/// Who said a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The person or program that asks.
    User,
    /// The model.
    Assistant,
    /// The application.
    System,
}

impl Role {
    /// The role as the protocol spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
        }
    }
}

/// A passage that may be quoted.
#[derive(Clone, PartialEq, Debug)]
pub struct Passage {
    /// What people see as its name: `API keys › How do I revoke a key?`.
    pub title: String,
    /// The document that it stands in.
    pub source: String,
    /// The passage itself.
    pub text: String,
    /// How sure the search is that it answers, 0 to 1; below [`knowledge::SUPPORTED`] it is not quoted.
    pub confidence: f32,
}

impl From<knowledge::Hit> for Passage {
    fn from(hit: knowledge::Hit) -> Passage {
        let title = if hit.heading_path.is_empty() { hit.title } else { hit.heading_path.join(" › ") };
        Passage { title, source: hit.source, text: hit.text, confidence: hit.confidence }
    }
}

/// A piece of an answer as it arrives.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    /// More text.
    Text(String),
    /// The end; nothing follows.
    Done(Finished),
}

/// How an answer ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Finished {
    /// Why it ended.
    pub finish: Finish,
    /// What it took.
    pub usage: Usage,
    /// The model that answered, as the provider names it; `builtin` for the built-in answerer.
    pub model: String,
    /// What the built-in answerer quoted: `[1]` in the text is the first.
    pub quotes: Vec<Quote>,
}

/// Words of a passage that an answer quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// The index in [`ChatRequest::passages`].
    pub passage: usize,
    /// The bytes of [`Passage::text`] that are quoted.
    pub range: Range<usize>,
}

/// Why an answer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    /// It was complete.
    Stop,
    /// It reached the most tokens, or the most text, that it may have.
    Length,
    /// The provider held it back.
    ContentFilter,
}

/// Tokens, as the provider counted them or else estimated at four characters each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Of what the model was shown.
    pub input_tokens: u32,
    /// Of the answer.
    pub output_tokens: u32,
}

/// A whole answer.
#[derive(Clone, PartialEq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// What it took.
    pub usage: Usage,
    /// The model that answered.
    pub model: String,
    /// What the built-in answerer quoted.
    pub quotes: Vec<Quote>,
}

impl fmt::Debug for Completion {
    /// Shows the length of the text alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Completion({} bytes, {:?}, {:?}, {})",
            self.text.len(),
            self.finish,
            self.usage,
            self.model
        )
    }
}

/// Texts as vectors, in the order they were asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Embeddings {
    /// One vector for each text, all of the same length.
    pub vectors: Vec<Vec<f32>>,
    /// The model that made them.
    pub model: String,
    /// Tokens of the texts.
    pub input_tokens: u32,
}

/// What each provider said when it was asked whether it is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProbeReport {
    /// In the order in which they are tried.
    pub providers: Vec<ProviderProbe>,
}

/// What one provider said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderProbe {
    /// The provider's name in the configuration.
    pub name: String,
    /// It answered, took the key, and has the model (or does not list models).
    pub ok: bool,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// One sentence for the operator, with the setting to change. Holds no text of the provider.
    pub say: String,
}

/// How the models are doing, measured from recent calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Recent calls went well, or there were none.
    Operational,
    /// Some recent calls failed, or a provider of the chain is away.
    Degraded,
    /// Every provider is away.
    Down,
    /// There is no provider: the built-in answerer serves.
    NotConfigured,
}

impl State {
    /// The state as the word that the health page uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Operational => "operational",
            State::Degraded => "degraded",
            State::Down => "down",
            State::NotConfigured => "not_configured",
        }
    }
}

/// Tokens of a text, estimated at four characters each.
pub(crate) fn estimate(text: &str) -> u32 {
    u32::try_from(text.chars().count().div_ceil(4)).unwrap_or(u32::MAX)
}

/// Tokens of all that a request shows a model, estimated.
pub(crate) fn estimate_input(request: &ChatRequest) -> u32 {
    let system = request.system.as_deref().map_or(0, estimate);
    request.messages.iter().fold(system, |sum, message| sum.saturating_add(estimate(&message.content)))
}
