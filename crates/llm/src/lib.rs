//! Model providers behind one closed set of pieces. It owns retries, time-outs and the fallback chain.
//! It never trusts a provider: what comes back is parsed to a closed enum and nothing else passes.

mod bedrock;
mod builtin;
mod call;
mod chain;
mod chat;
mod config;
mod failure;
mod health;
mod openai;
mod provider;
mod reading;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use guard::outbound::Outbound;
use guard::outbound::aws::Aws;
use kernel::{Ambient, Code, Fault, Result};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use chain::Attempts;
pub use chat::{
    ChatMessage, ChatRequest, Completion, Embeddings, Finish, Finished, Image, ImageKind, Passage, Piece,
    ProbeReport, ProviderProbe, Quote, Role, State, Usage,
};
pub use config::{Config, Protocol, Provider, Timeouts};
use failure::Failure;
use provider::Bounds;
use reading::Reading;

/// The models that answer: the providers of the configuration in order, or the built-in answerer when there is
/// none. Cheap to clone.
#[derive(Clone)]
pub struct Models(Arc<Inner>);

struct Inner {
    outbound: Outbound,
    aws: Aws,
    ambient: Ambient,
    using: ArcSwap<Using>,
}

/// What requests use. A request keeps what it began with, whatever is taken over meanwhile.
struct Using {
    providers: Vec<provider::Provider>,
    bounds: Bounds,
    timeouts: Timeouts,
}

/// The pieces of an answer. Dropping it closes the connection to the provider at once.
pub type Pieces = BoxStream<'static, Result<Piece>>;

impl Models {
    /// The models of this configuration. Asks nobody. `aws` is who this server is at Amazon, for Bedrock.
    pub fn new(config: Config, outbound: Outbound, aws: Aws, ambient: Ambient) -> Models {
        let using = ArcSwap::from_pointee(Using::new(config, &outbound, &aws, None));
        Models(Arc::new(Inner { outbound, aws, ambient, using }))
    }

    /// Takes over another configuration, all of it but the time that connecting may take. Requests in flight go on
    /// with what they began with; what is known of the health of a provider that stays the same is kept. Whoever
    /// changes both renews `Aws` first.
    pub fn renew(&self, config: Config) {
        let earlier = self.0.using.load_full();
        self.0.using.store(Arc::new(Using::new(config, &self.0.outbound, &self.0.aws, Some(&earlier))));
    }

    /// Whether there is a provider. If not, the built-in answerer serves.
    pub fn configured(&self) -> bool {
        !self.0.using.load().providers.is_empty()
    }

    /// The model that is asked when an app names none, as people may see it; `None` when the built-in answerer serves.
    pub fn default_model(&self) -> Option<String> {
        self.0.using.load().providers.first().map(|provider| provider.model().to_owned())
    }

    /// The names of the providers, in the order in which they are tried.
    pub fn provider_names(&self) -> Vec<Arc<str>> {
        self.0.using.load().providers.iter().map(|provider| Arc::clone(&provider.name)).collect()
    }

    /// How the models are doing, measured from recent calls; asks nobody.
    pub fn state(&self) -> State {
        let using = self.0.using.load();
        let states = || using.providers.iter().map(|provider| provider.health.state());
        match () {
            () if !self.configured() => State::NotConfigured,
            () if states().all(|state| state == State::Operational) => State::Operational,
            () if states().all(|state| state == State::Down) => State::Down,
            () => State::Degraded,
        }
    }

    /// A whole answer. `timeout` when it is not complete within the request's limit and the total time, `model_unavailable` when no
    /// provider answers properly or `cancel` is called, which closes the connection at once.
    pub async fn complete(&self, request: ChatRequest, cancel: CancellationToken) -> Result<Completion> {
        if !self.configured() {
            return Ok(builtin::answer(&request));
        }
        let answer = cancel.run_until_cancelled(self.complete_by_chain(&request)).await;
        answer.unwrap_or_else(|| Err(Failure::Cancelled.fault()))
    }

    async fn complete_by_chain(&self, request: &ChatRequest) -> Result<Completion> {
        let inner = self.0.using.load_full();
        let mut attempts = Attempts::new(&inner.providers, &self.0.ambient);
        let total = inner.timeouts.total;
        let deadline = Instant::now() + request.limit.map_or(total, |limit| limit.min(total));
        while let Some(provider) = attempts.next() {
            let begun = Instant::now();
            // One that hangs leaves the others their share of the time.
            let share = deadline.saturating_duration_since(begun) / attempts.left();
            let model = attempts.model(request.model.as_deref());
            let span = span(&provider.name);
            let asked = provider.complete(request, model, inner.bounds, share).instrument(span.clone());
            match asked.await {
                Ok(completion) => {
                    provider.health.succeeded();
                    measure(&provider.name, begun, completion.usage);
                    return Ok(completion);
                }
                Err(failure) => {
                    span.record("outcome", "failed");
                    drop(span);
                    attempts.failed(failure.about(request)).await;
                }
            }
        }
        Err(attempts.fault())
    }

    /// An answer in pieces. Returns when the first piece is there, so what fails before it is a plain error and
    /// was tried again. Afterwards a failure ends the stream with `model_unavailable` (or `timeout`), and
    /// `cancel` ends it without [`Piece::Done`]; both close the connection at once.
    pub async fn stream(&self, request: ChatRequest, cancel: CancellationToken) -> Result<Pieces> {
        if !self.configured() {
            return Ok(stream::iter(builtin::pieces(&request)).map(Ok).boxed());
        }
        let opened = cancel.run_until_cancelled(self.open_by_chain(&request)).await;
        let (first, rest) = opened.unwrap_or_else(|| Err(Failure::Cancelled.fault()))?;
        let rest = stream::unfold(rest, move |mut rest| {
            let cancel = cancel.clone();
            async move {
                let piece = cancel.run_until_cancelled(rest.next()).await??;
                Some((piece, rest))
            }
        });
        Ok(stream::once(std::future::ready(Ok(first))).chain(rest).boxed())
    }

    async fn open_by_chain(&self, request: &ChatRequest) -> Result<(Piece, Answering)> {
        let inner = self.0.using.load_full();
        let mut attempts = Attempts::new(&inner.providers, &self.0.ambient);
        while let Some(provider) = attempts.next() {
            let at = attempts.at();
            let begun = Instant::now();
            let deadline = begun + inner.timeouts.total;
            let patience = inner.timeouts.first_token;
            let opening = async {
                let model = attempts.model(request.model.as_deref());
                let mut reading = provider.open(request, model, inner.bounds, inner.timeouts.total).await?;
                let first = reading.next(patience, "first_token", deadline).await;
                let first = first.unwrap_or(Err(Failure::Garbage("the stream is empty")))?;
                Ok((first, reading))
            };
            let span = span(&provider.name);
            let opened = timeout_at(begun + patience, opening).instrument(span.clone()).await;
            match opened.unwrap_or(Err(Failure::Slow("first_token"))) {
                Ok((first, reading)) => {
                    let using = Arc::clone(&inner);
                    let mut rest = Answering { using, at, reading, begun, deadline, ended: false, span };
                    rest.note(&first);
                    return Ok((first, rest));
                }
                Err(failure) => {
                    span.record("outcome", "failed");
                    drop(span);
                    attempts.failed(failure.about(request)).await;
                }
            }
        }
        Err(attempts.fault())
    }

    /// Texts as vectors, by the first provider that makes them. `unavailable` when there is none.
    pub async fn embed(&self, texts: Vec<String>, model: Option<String>) -> Result<Embeddings> {
        let using = self.0.using.load_full();
        let Some(provider) = using.providers.iter().find(|provider| provider.embeds()) else {
            return Err(
                Fault::new(Code::Unavailable).say("No model provider that makes embeddings is configured")
            );
        };
        let mut attempts = Attempts::new(std::slice::from_ref(provider), &self.0.ambient);
        while let Some(provider) = attempts.next() {
            let begun = Instant::now();
            let asked = provider.embed(&texts, model.as_deref(), using.timeouts.total);
            match asked.instrument(span(&provider.name)).await {
                Ok(embeddings) => {
                    provider.health.succeeded();
                    let input_tokens = embeddings.input_tokens;
                    measure(&provider.name, begun, Usage { input_tokens, output_tokens: 0 });
                    return Ok(embeddings);
                }
                Err(failure) => attempts.failed(failure).await,
            }
        }
        Err(attempts.fault())
    }

    /// Asks every provider whether it is there, takes the key and has the model.
    pub async fn probe(&self) -> ProbeReport {
        let using = self.0.using.load_full();
        let limit = using.timeouts.first_token;
        let probes = using.providers.iter().map(|provider| provider.probe(limit));
        ProbeReport { providers: futures_util::future::join_all(probes).await }
    }
}

impl Using {
    fn new(config: Config, outbound: &Outbound, aws: &Aws, earlier: Option<&Using>) -> Using {
        let earlier = earlier.map_or(&[][..], |using| &using.providers);
        let provider =
            |provider: Provider| provider::Provider::new(provider, outbound.operator(), aws, earlier);
        Using {
            providers: config.providers.into_iter().map(provider).collect(),
            bounds: Bounds { max_tokens: config.max_tokens, temperature: config.temperature },
            timeouts: config.timeouts,
        }
    }
}

/// A streamed answer after its first piece.
struct Answering {
    using: Arc<Using>,
    /// The index of the provider.
    at: usize,
    reading: Reading,
    begun: Instant,
    deadline: Instant,
    ended: bool,
    /// Goes on until the answer has ended.
    span: tracing::Span,
}

impl Answering {
    async fn next(&mut self) -> Option<Result<Piece>> {
        if self.ended {
            return None;
        }
        match self.reading.next(self.using.timeouts.idle, "idle", self.deadline).await? {
            Ok(piece) => {
                self.note(&piece);
                Some(Ok(piece))
            }
            Err(failure) => {
                self.ended = true;
                self.span.record("outcome", "failed");
                if let Some(provider) = self.using.providers.get(self.at) {
                    failure.log(&provider.name);
                    if failure.counts() {
                        provider.health.failed(failure.rest());
                    }
                }
                Some(Err(failure.fault()))
            }
        }
    }

    fn note(&mut self, piece: &Piece) {
        if let Piece::Done(done) = piece
            && let Some(provider) = self.using.providers.get(self.at)
        {
            self.ended = true;
            provider.health.succeeded();
            measure(&provider.name, self.begun, done.usage);
        }
    }
}

/// The part of a trace that a call to a provider is.
fn span(provider: &str) -> tracing::Span {
    tracing::info_span!(target: "trace", "model", gen_ai.provider.name = provider, outcome = tracing::field::Empty)
}

/// Counts an answered call.
fn measure(provider: &Arc<str>, begun: Instant, usage: Usage) {
    metrics::histogram!("stoa_model_request_duration_seconds", "provider" => Arc::clone(provider))
        .record(begun.elapsed().as_secs_f64());
    metrics::counter!("stoa_model_tokens_total", "direction" => "input")
        .increment(u64::from(usage.input_tokens));
    metrics::counter!("stoa_model_tokens_total", "direction" => "output")
        .increment(u64::from(usage.output_tokens));
}
