//! A provider, whatever it speaks: a closed list of protocols behind one face, so that retries, health, time-outs,
//! cancelling and counting are the same for all of them. It owns the name, the health and the model of a provider.
//! It never retries.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use guard::outbound::Client;
use guard::outbound::aws::Aws;

use crate::bedrock::Runtime;
use crate::chat::{ChatRequest, Completion, Embeddings, ProviderProbe};
use crate::config::{self, Protocol};
use crate::failure::Failure;
use crate::health::Health;
use crate::openai::Server;
use crate::reading::Reading;

/// One provider, ready to be asked.
pub(crate) struct Provider {
    /// Its name in logs and metrics.
    pub(crate) name: Arc<str>,
    /// How it has been doing.
    pub(crate) health: Arc<Health>,
    /// The model asked for when the app names none.
    model: String,
    speaks: Speaks,
}

enum Speaks {
    OpenAi(Box<Server>),
    Bedrock(Box<Runtime>),
}

/// What all requests share.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Upper bound of `max_tokens`.
    pub(crate) max_tokens: u32,
    /// Temperature when the request names none.
    pub(crate) temperature: f32,
}

impl Bounds {
    /// The tokens that an answer to this request may have.
    pub(crate) fn max_tokens(self, request: &ChatRequest) -> u32 {
        request.max_tokens.map_or(self.max_tokens, |asked| asked.clamp(1, self.max_tokens))
    }

    /// The temperature of an answer to this request.
    pub(crate) fn temperature(self, request: &ChatRequest) -> f32 {
        request.temperature.unwrap_or(self.temperature)
    }
}

/// What a provider said when it was asked whether it is there.
pub(crate) struct Probed {
    pub(crate) ok: bool,
    pub(crate) status: Option<u16>,
    pub(crate) say: String,
}

impl Provider {
    /// A provider of the configuration. `earlier` are those from before: the health of the same one is kept.
    pub(crate) fn new(
        config: config::Provider,
        client: &Client,
        aws: &Aws,
        earlier: &[Provider],
    ) -> Provider {
        let known = earlier.iter().find(|known| known.is(&config, aws));
        Provider {
            name: config.name.into(),
            health: known.map_or_else(Arc::default, |known| Arc::clone(&known.health)),
            model: config.model,
            speaks: match config.protocol {
                Protocol::OpenAi { base_url, api_key } => {
                    Speaks::OpenAi(Box::new(Server::new(&base_url, api_key, client.clone())))
                }
                Protocol::Bedrock { region, endpoint } => {
                    let runtime = Runtime::new(region, endpoint, client.clone(), aws.clone());
                    Speaks::Bedrock(Box::new(runtime))
                }
            },
        }
    }

    /// Whether this is the provider that the configuration describes. With another key it is to be tried afresh: it
    /// may have been left alone because it refused the old one.
    fn is(&self, config: &config::Provider, aws: &Aws) -> bool {
        *self.name == *config.name
            && match (&self.speaks, &config.protocol) {
                (Speaks::OpenAi(server), Protocol::OpenAi { base_url, api_key }) => {
                    server.is(base_url, api_key.as_ref())
                }
                (Speaks::Bedrock(runtime), Protocol::Bedrock { region, endpoint }) => {
                    runtime.is(region, endpoint, aws)
                }
                _ => false,
            }
    }

    /// One whole answer, within `limit`.
    pub(crate) async fn complete(
        &self,
        request: &ChatRequest,
        model: Option<&str>,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Completion, Failure> {
        let model = model.unwrap_or(&self.model);
        match &self.speaks {
            Speaks::OpenAi(server) => server.complete(request, model, bounds, limit).await,
            // In a box, as below: it signs, asks for credentials and reads frames, and the future of every call would be as large.
            Speaks::Bedrock(runtime) => Box::pin(runtime.complete(request, model, bounds, limit)).await,
        }
    }

    /// The head of a streamed answer, all of which may take `limit`. Nothing of the answer itself has been read yet.
    pub(crate) async fn open(
        &self,
        request: &ChatRequest,
        model: Option<&str>,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Reading, Failure> {
        let model = model.unwrap_or(&self.model);
        match &self.speaks {
            Speaks::OpenAi(server) => server.open(request, model, bounds, limit).await,
            Speaks::Bedrock(runtime) => Box::pin(runtime.open(request, model, bounds, limit)).await,
        }
    }

    /// Whether it makes vectors of texts.
    pub(crate) fn embeds(&self) -> bool {
        matches!(self.speaks, Speaks::OpenAi(_))
    }

    /// Texts as vectors. Only one that [`Provider::embeds`] is asked.
    pub(crate) async fn embed(
        &self,
        texts: &[String],
        model: Option<&str>,
        limit: Duration,
    ) -> Result<Embeddings, Failure> {
        match &self.speaks {
            Speaks::OpenAi(server) => server.embed(texts, model.unwrap_or(&self.model), limit).await,
            Speaks::Bedrock(_) => Err(Failure::Garbage("Bedrock is not asked for vectors")),
        }
    }

    /// Asks whether it is there, takes the credentials and has the model.
    pub(crate) async fn probe(&self, limit: Duration) -> ProviderProbe {
        let Probed { ok, status, say } = match &self.speaks {
            Speaks::OpenAi(server) => server.probe(&self.model, limit).await,
            Speaks::Bedrock(runtime) => Box::pin(runtime.probe(&self.model, limit)).await,
        };
        ProviderProbe { name: self.name.to_string(), ok, status, say }
    }

    /// The model asked for when the app names none, as people may see it.
    pub(crate) fn model(&self) -> &str {
        match &self.speaks {
            Speaks::OpenAi(_) => &self.model,
            Speaks::Bedrock(_) => crate::bedrock::shown(&self.model),
        }
    }
}

/// A request's body.
pub(crate) fn encode(body: &impl serde::Serialize) -> Result<Bytes, Failure> {
    let bytes =
        serde_json::to_vec(body).map_err(|_| Failure::Garbage("the request cannot be written as JSON"))?;
    Ok(bytes.into())
}

/// An answer's body.
pub(crate) fn decode<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
    // The error would quote the answer; that it is none says enough.
    serde_json::from_slice(bytes).map_err(|_| Failure::Garbage("the answer is not of the expected form"))
}

/// A model's name as a provider gives it, cut to a sane length and to what can be shown in a line.
pub(crate) fn name(given: String) -> String {
    given.chars().filter(|c| !c.is_control()).take(128).collect()
}
