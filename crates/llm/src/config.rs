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

/// A provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// A short name for logs and metrics: `openai`.
    pub name: String,
    /// The model asked for when the app names none.
    pub model: String,
    /// What it speaks, and where.
    pub protocol: Protocol,
}

/// What a provider speaks, and where.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// The OpenAI protocol, as many servers do.
    OpenAi {
        /// The base, to which `/chat/completions` is appended: `https://api.openai.com/v1`.
        base_url: Url,
        /// The key, sent as a bearer token to this host alone.
        api_key: Option<Secret<String>>,
    },
    /// Amazon Bedrock: Converse and ConverseStream, signed with the credentials that `guard::outbound::aws` finds.
    Bedrock {
        /// The region that requests are signed for: `eu-central-1`.
        region: String,
        /// Bedrock's address there: `https://bedrock-runtime.eu-central-1.amazonaws.com/`.
        endpoint: Url,
    },
}

impl Provider {
    /// The key, for a protocol that has one.
    pub fn api_key(&self) -> Option<&Secret<String>> {
        match &self.protocol {
            Protocol::OpenAi { api_key, .. } => api_key.as_ref(),
            Protocol::Bedrock { .. } => None,
        }
    }

    /// Whether it is Amazon Bedrock.
    pub fn is_bedrock(&self) -> bool {
        matches!(self.protocol, Protocol::Bedrock { .. })
    }
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
