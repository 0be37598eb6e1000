//! A provider that speaks the OpenAI protocol: chat, streamed chat, embeddings, the list of models. It owns what
//! is sent and how an answer is read. It never retries and never passes on a provider's own words on errors.

mod line;
pub(crate) mod sse;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use guard::outbound::Client;
use kernel::Secret;
use url::Url;

use crate::call::Media;
use crate::chat::{ChatRequest, Completion, Embeddings, Finish, estimate, estimate_input};
use crate::failure::Failure;
use crate::provider::{Bounds, Probed, decode, encode, name};
use crate::reading::{Answer, Parser, Reading, TEXT, usage};
use line::Line;
pub(crate) use wire::Count;
use wire::{Event, Reason};

/// Most bytes of an answer that does not stream.
const ANSWER: usize = 8 << 20;
/// Most bytes of a list of models.
const LISTING: usize = 4 << 20;
/// Most bytes of an answer with vectors: 2,048 texts at 3,072 dimensions as text.
const VECTORS: usize = 128 << 20;

/// One provider, ready to be asked.
pub(crate) struct Server {
    key: Option<Secret<String>>,
    chat: Url,
    embeddings: Url,
    models: Url,
    line: Line,
}

impl Server {
    /// A provider with its addresses made once.
    pub(crate) fn new(base_url: &Url, api_key: Option<Secret<String>>, client: Client) -> Server {
        Server {
            chat: below(base_url, &["chat", "completions"]),
            embeddings: below(base_url, &["embeddings"]),
            models: below(base_url, &["models"]),
            line: Line::new(client, api_key.as_ref()),
            key: api_key,
        }
    }

    /// Whether this is the provider at this address, with this key.
    pub(crate) fn is(&self, base_url: &Url, api_key: Option<&Secret<String>>) -> bool {
        self.chat == below(base_url, &["chat", "completions"]) && self.key.as_ref() == api_key
    }

    /// One whole answer, within `limit`.
    pub(crate) async fn complete(
        &self,
        request: &ChatRequest,
        model: &str,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Completion, Failure> {
        let body = chat_body(request, model, bounds, false)?;
        let reply = self.line.post(&self.chat, body, limit).await?.successful()?;
        if reply.media != Media::Json {
            return Err(Failure::Garbage("the answer is not JSON"));
        }
        read_completion(&reply.whole(ANSWER).await?, request, model)
    }

    /// The head of a streamed answer, all of which may take `limit`. Nothing of the answer itself has been read yet.
    pub(crate) async fn open(
        &self,
        request: &ChatRequest,
        model: &str,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Reading, Failure> {
        let body = chat_body(request, model, bounds, true)?;
        let reply = self.line.post(&self.chat, body, limit).await?.successful()?;
        match reply.media {
            Media::Events => {
                let parser = Parser::Events(sse::Reader::default());
                Ok(Reading::new(reply.body, parser, model.to_owned(), estimate_input(request)))
            }
            // Some servers do not stream, whatever they are asked.
            Media::Json => {
                let bytes = reply.whole(ANSWER).await?;
                Ok(Reading::whole(read_completion(&bytes, request, model)?))
            }
            Media::Frames | Media::Other => {
                Err(Failure::Garbage("the answer is neither JSON nor a stream of events"))
            }
        }
    }

    /// Texts as vectors.
    pub(crate) async fn embed(
        &self,
        texts: &[String],
        model: &str,
        limit: Duration,
    ) -> Result<Embeddings, Failure> {
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
    pub(crate) async fn probe(&self, asked: &str, limit: Duration) -> Probed {
        let told = |ok, status, say: &str| Probed { ok, status, say: say.to_owned() };
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
            Ok(list) if list.data.iter().any(|model| model.id == asked) => {
                told(true, status, "the provider takes the key and has the model")
            }
            Ok(_) => told(false, status, "the provider does not list the model: check OPENAI_MODEL"),
        }
    }
}

fn chat_body(request: &ChatRequest, model: &str, bounds: Bounds, stream: bool) -> Result<Bytes, Failure> {
    encode(&wire::Chat {
        model,
        messages: wire::Messages(request),
        max_tokens: bounds.max_tokens(request),
        temperature: bounds.temperature(request),
        stream,
        stream_options: stream.then_some(wire::StreamOptions { include_usage: true }),
    })
}

fn read_completion(bytes: &[u8], request: &ChatRequest, model: &str) -> Result<Completion, Failure> {
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
    let counts = answer.usage.map(|usage| usage.counts());
    let usage = usage(counts, || estimate_input(request), || estimate(&text));
    let model = answer.model.map_or_else(|| model.to_owned(), name);
    Ok(Completion { text, finish, usage, model, quotes: Vec::new() })
}

/// An address below the base of a provider. A query stays, as some servers want a version there.
fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
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

/// One event of a stream.
pub(crate) fn event(data: &[u8], answer: &mut Answer) -> Result<(), Failure> {
    if answer.is_closed() || data.is_empty() {
        return Ok(());
    }
    if data.trim_ascii() == b"[DONE]" {
        answer.close();
        return Ok(());
    }
    let event: Event<'_> =
        serde_json::from_slice(data).map_err(|_| Failure::Garbage("an event is not of the expected form"))?;
    if event.error.is_some() {
        return Err(Failure::Garbage("the provider reports an error inside of the stream"));
    }
    if let Some(model) = event.model {
        answer.by(&model.0);
    }
    if let Some(counts) = event.usage {
        answer.count(counts.counts());
    }
    // Only one choice was asked for.
    for choice in event.choices.into_iter().flatten().filter(|choice| choice.index == 0) {
        let more = choice.delta.and_then(|delta| delta.content.or(delta.refusal));
        if let Some(more) = more {
            answer.add(&more.0);
        }
        if let Some(why) = choice.finish_reason
            && !answer.is_finished()
        {
            answer.finish(reason(Some(why))?);
        }
    }
    Ok(())
}
