//! A provider that speaks the OpenAI protocol: chat, streamed chat, embeddings, the list of models. It owns what
//! is sent and how an answer is read. It never retries and never passes on a provider's own words on errors.

mod call;
pub(crate) mod reading;
mod sse;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use guard::outbound::Client;
use kernel::Secret;
use url::Url;

use crate::chat::{
    ChatRequest, Completion, Embeddings, Finish, ProviderProbe, Usage, estimate, estimate_input,
};
use crate::config;
use crate::failure::Failure;
use crate::health::Health;
use call::{Line, Media};
use reading::Reading;
use wire::{Count, Reason};

/// Most bytes of an answer that does not stream.
const ANSWER: usize = 8 << 20;
/// Most bytes of a list of models.
const LISTING: usize = 4 << 20;
/// Most bytes of an answer with vectors: 2,048 texts at 3,072 dimensions as text.
const VECTORS: usize = 128 << 20;
/// Most bytes of text that an answer may have. What is longer ends there, as an answer that ran out of tokens.
pub(crate) const TEXT: usize = 1 << 20;

/// One provider, ready to be asked.
pub(crate) struct Provider {
    /// Its name in logs and metrics.
    pub(crate) name: Arc<str>,
    /// How it has been doing.
    pub(crate) health: Arc<Health>,
    pub(crate) model: String,
    key: Option<Secret<String>>,
    chat: Url,
    embeddings: Url,
    models: Url,
    line: Line,
}

/// What all requests share.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Upper bound of `max_tokens`.
    pub(crate) max_tokens: u32,
    /// Temperature when the request names none.
    pub(crate) temperature: f32,
}

impl Provider {
    /// A provider with its addresses made once. `known` is the same one from before: its health is kept.
    pub(crate) fn new(config: config::Provider, client: Client, known: Option<&Provider>) -> Provider {
        Provider {
            name: config.name.into(),
            health: known.map_or_else(Arc::default, |known| Arc::clone(&known.health)),
            chat: below(&config.base_url, &["chat", "completions"]),
            embeddings: below(&config.base_url, &["embeddings"]),
            models: below(&config.base_url, &["models"]),
            model: config.model,
            line: Line::new(client, config.api_key.as_ref()),
            key: config.api_key,
        }
    }

    /// Whether this is the provider that the configuration describes. With another key it is to be tried afresh: it
    /// may have been left alone because it refused the old one.
    pub(crate) fn is(&self, config: &config::Provider) -> bool {
        *self.name == *config.name
            && self.chat == below(&config.base_url, &["chat", "completions"])
            && self.key == config.api_key
    }

    /// One whole answer, within `limit`.
    pub(crate) async fn complete(
        &self,
        request: &ChatRequest,
        model: Option<&str>,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Completion, Failure> {
        let body = self.chat_body(request, model, bounds, false)?;
        let reply = self.line.post(&self.chat, body, limit).await?.successful()?;
        if reply.media != Media::Json {
            return Err(Failure::Garbage("the answer is not JSON"));
        }
        self.read_completion(&reply.whole(ANSWER).await?, request, model)
    }

    /// The head of a streamed answer, all of which may take `limit`. Nothing of the answer itself has been read yet.
    pub(crate) async fn open(
        &self,
        request: &ChatRequest,
        model: Option<&str>,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Reading, Failure> {
        let body = self.chat_body(request, model, bounds, true)?;
        let reply = self.line.post(&self.chat, body, limit).await?.successful()?;
        let model = model.unwrap_or(&self.model).to_owned();
        match reply.media {
            Media::Events => Ok(Reading::new(reply.body, model, estimate_input(request))),
            // Some servers do not stream, whatever they are asked.
            Media::Json => {
                let bytes = reply.whole(ANSWER).await?;
                Ok(Reading::whole(self.read_completion(&bytes, request, Some(&model))?))
            }
            Media::Other => Err(Failure::Garbage("the answer is neither JSON nor a stream of events")),
        }
    }

    /// Texts as vectors.
    pub(crate) async fn embed(
        &self,
        texts: &[String],
        model: Option<&str>,
        limit: Duration,
    ) -> Result<Embeddings, Failure> {
        let model = model.unwrap_or(&self.model);
        let body = encode(&wire::Embed { model, input: texts, encoding_format: "float" })?;
        let reply = self.line.post(&self.embeddings, body, limit).await?.successful()?;
        let bytes = reply.whole(VECTORS).await?;
        let answer: wire::Vectors = decode(&bytes)?;
        let input_tokens = answer.usage.and_then(|usage| usage.prompt_tokens.0);
        let mut data = answer.data;
        data.sort_by_key(|vector| vector.index);
        let in_order = data.iter().enumerate().all(|(at, vector)| vector.index == at);
        let width = data.first().map_or(0, |vector| vector.embedding.len());
        let sound = data.iter().all(|vector| {
            vector.embedding.len() == width && vector.embedding.iter().all(|number| number.is_finite())
        });
        if data.len() != texts.len() || !in_order || width == 0 || !sound {
            return Err(Failure::Garbage("the vectors do not fit the texts"));
        }
        Ok(Embeddings {
            vectors: data.into_iter().map(|vector| vector.embedding).collect(),
            model: answer.model.map_or_else(|| model.to_owned(), name),
            input_tokens: input_tokens.unwrap_or_else(|| texts.iter().map(|text| estimate(text)).sum()),
        })
    }

    /// Asks for the list of models; says what that tells the operator.
    pub(crate) async fn probe(&self, limit: Duration) -> ProviderProbe {
        let told = |ok, status, say: &str| ProviderProbe {
            name: self.name.to_string(),
            ok,
            status,
            say: say.to_owned(),
        };
        let reply = match self.line.get(&self.models, limit).await {
            Ok(reply) => reply,
            Err(_) => return told(false, None, "no answer: check OPENAI_BASE_URL and the network"),
        };
        let status = Some(reply.status);
        match reply.status {
            200..=299 => {}
            401 => return told(false, status, "401: the provider refuses the key: check OPENAI_API_KEY"),
            403 => {
                return told(
                    false,
                    status,
                    "403: the key may not do this: check OPENAI_API_KEY and its rights",
                );
            }
            404 | 405 => return told(true, status, "the provider is there and lists no models"),
            429 => return told(false, status, "429: the provider is busy, or the quota is used up"),
            _ => return told(false, status, "the provider answered with an error: check OPENAI_BASE_URL"),
        }
        let Ok(bytes) = reply.whole(LISTING).await else {
            return told(false, status, "the answer was cut or too long: check OPENAI_BASE_URL");
        };
        match decode::<wire::Listing<'_>>(&bytes) {
            Err(_) => told(false, status, "the answer is no list of models: check OPENAI_BASE_URL"),
            Ok(list) if list.data.iter().any(|model| model.id == self.model) => {
                told(true, status, "the provider takes the key and has the model")
            }
            Ok(_) => told(false, status, "the provider does not list the model: check OPENAI_MODEL"),
        }
    }

    fn chat_body(
        &self,
        request: &ChatRequest,
        model: Option<&str>,
        bounds: Bounds,
        stream: bool,
    ) -> Result<Bytes, Failure> {
        encode(&wire::Chat {
            model: model.unwrap_or(&self.model),
            messages: wire::Messages(request),
            max_tokens: request
                .max_tokens
                .map_or(bounds.max_tokens, |asked| asked.clamp(1, bounds.max_tokens)),
            temperature: request.temperature.unwrap_or(bounds.temperature),
            stream,
            stream_options: stream.then_some(wire::StreamOptions { include_usage: true }),
        })
    }

    fn read_completion(
        &self,
        bytes: &[u8],
        request: &ChatRequest,
        model: Option<&str>,
    ) -> Result<Completion, Failure> {
        let answer: wire::Answer = decode(bytes)?;
        let choice = answer.choices.and_then(|choices| choices.into_iter().next());
        let choice = choice.ok_or(Failure::Garbage("the answer holds no choice"))?;
        let mut finish = reason(choice.finish_reason)?;
        let said = choice.message.ok_or(Failure::Garbage("the answer holds no message"))?;
        let mut text = said.content.or(said.refusal).ok_or(Failure::Garbage("the answer holds no text"))?;
        if text.len() > TEXT {
            text.truncate(text.floor_char_boundary(TEXT));
            finish = Finish::Length;
        }
        let counts = answer.usage;
        let usage = usage(counts, || estimate_input(request), || estimate(&text));
        let model = answer.model.map_or_else(|| model.unwrap_or(&self.model).to_owned(), name);
        Ok(Completion { text, finish, usage, model, quotes: Vec::new() })
    }
}

/// An address below the base of a provider. A query stays, as some servers want a version there.
fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

fn encode(body: &impl serde::Serialize) -> Result<Bytes, Failure> {
    let bytes =
        serde_json::to_vec(body).map_err(|_| Failure::Garbage("the request cannot be written as JSON"))?;
    Ok(bytes.into())
}

fn decode<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
    // The error would quote the answer; that it is none says enough.
    serde_json::from_slice(bytes).map_err(|_| Failure::Garbage("the answer is not of the expected form"))
}

/// The end of an answer, in our words. A missing reason is taken for an ordinary end.
fn reason(reason: Option<Reason>) -> Result<Finish, Failure> {
    match reason {
        None => Ok(Finish::Stop),
        Some(Reason::Known(finish)) => Ok(finish),
        Some(Reason::Tool) => Err(Failure::Garbage("the answer calls a tool, and none was offered")),
        Some(Reason::Unknown) => Err(Failure::Garbage("the answer ended for an unknown reason")),
    }
}

/// The numbers of the provider, or estimates where it gave none that make sense.
fn usage(counts: Option<wire::Counts>, input: impl FnOnce() -> u32, output: impl FnOnce() -> u32) -> Usage {
    let given = |count: fn(&wire::Counts) -> Count| counts.as_ref().and_then(|counts| count(counts).0);
    Usage {
        input_tokens: given(|counts| counts.prompt_tokens).unwrap_or_else(input),
        output_tokens: given(|counts| counts.completion_tokens).unwrap_or_else(output),
    }
}

/// A model's name as a provider gives it, cut to a sane length and to what can be shown in a line.
fn name(given: String) -> String {
    given.chars().filter(|c| !c.is_control()).take(128).collect()
}
