//! Which providers answer, with what settings. Values are valid already: `server::settings` made them.

use std::time::Duration;

use kernel::Secret;
use url::Url;

/// Which providers answer. Tried in order; with none the built-in answerer serves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The providers in the order in which they are tried.
    pub providers: Vec<Provider>,
    /// Upper bound of `max_tokens` in every request, and its value when the caller names none.
    pub max_tokens: u32,
    /// Sampling temperature when the app names none, 0 to 2.
    pub temperature: f32,
    /// How long each step may take.
    pub timeouts: Timeouts,
}

/// A provider that speaks the OpenAI protocol.
#[derive(Clone, Debug)]
pub struct Provider {
    /// A short name for logs and metrics: `openai`.
    pub name: String,
    /// The base, to which `/chat/completions` is appended: `https://api.openai.com/v1`.
    pub base_url: Url,
    /// The key, sent as a bearer token to this host alone.
    pub api_key: Option<Secret<String>>,
    /// The model asked for when the app names none.
    pub model: String,
}

/// How long each step of a provider's answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until connected.
    pub connect: Duration,
    /// Until the first piece of the answer.
    pub first_token: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// For the whole answer.
    pub total: Duration,
}
