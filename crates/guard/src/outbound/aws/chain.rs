//! The credentials in use: where they come from, how long they are kept, and that many who need new ones at the
//! same time make one request. It owns sending a signed request. It never falls back to another source.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, Time};
use parking_lot::RwLock;
use tokio::sync::{Mutex, MutexGuard};

use super::config::Config;
use super::credentials::Credentials;
use super::failure::Failure;
use super::sign::{Scope, sign};
use super::{container, instance, sts};
use crate::outbound::{Bounds, Client, Request, Response};

/// Credentials are replaced this long before they end, or after half of their life when that is shorter.
const EARLY: Duration = Duration::from_secs(300);
/// While the old ones still count, a source that failed is not asked again sooner than this.
const REST: Duration = Duration::from_secs(30);
/// When none count any more, those who waited for the same failure do not all ask again.
const ECHO: Duration = Duration::from_secs(1);

/// This server at Amazon Web Services. Cheap to clone.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    client: Client,
    ambient: Ambient,
    config: RwLock<Arc<Config>>,
    held: RwLock<Option<Held>>,
    turn: Mutex<Turn>,
}

/// Credentials and when to think of new ones.
#[derive(Clone)]
struct Held {
    credentials: Arc<Credentials>,
    renew_at: Option<Time>,
}

/// Whose turn it is to ask the source, and how the last one went.
#[derive(Default)]
struct Turn {
    failed: Option<(Time, Failure)>,
}

impl Aws {
    /// Asks nobody yet. `client` must be the one for the operator's services: agents of containers and instances
    /// have private addresses.
    pub fn new(config: Config, client: Client, ambient: Ambient) -> Aws {
        Aws(Arc::new(Inner {
            client,
            ambient,
            config: RwLock::new(Arc::new(config)),
            held: RwLock::new(None),
            turn: Mutex::default(),
        }))
    }

    /// Takes another configuration; credentials of the earlier one are forgotten when it differs.
    pub async fn renew(&self, config: Config) {
        if *self.config() == config {
            return;
        }
        // Nobody may bring in credentials of the earlier configuration afterwards.
        let mut turn = self.0.turn.lock().await;
        *self.0.config.write() = Arc::new(config);
        *self.0.held.write() = None;
        *turn = Turn::default();
    }

    /// The configuration.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.config.read())
    }

    /// Credentials that count now. They are replaced before they end; while that fails, the old ones go on.
    pub async fn credentials(&self) -> Result<Arc<Credentials>, Failure> {
        let now = self.0.ambient.now();
        let held = self.0.held.read().clone();
        match held {
            Some(held) if held.renew_at.is_none_or(|at| now < at) => Ok(held.credentials),
            Some(held) if held.counts(now) => {
                // One asks for new ones; the others need not wait for that.
                let Ok(turn) = self.0.turn.try_lock() else { return Ok(held.credentials) };
                if turn.failed.as_ref().is_some_and(|(at, _)| now < *at + REST) {
                    return Ok(held.credentials);
                }
                match self.ask(turn).await {
                    Ok(credentials) => Ok(credentials),
                    Err(failure) => {
                        tracing::warn!(%failure, "AWS credentials cannot be replaced; the old ones still count");
                        Ok(held.credentials)
                    }
                }
            }
            _ => {
                let turn = self.0.turn.lock().await;
                let now = self.0.ambient.now();
                if let Some(held) = self.0.held.read().clone().filter(|held| held.counts(now)) {
                    return Ok(held.credentials);
                }
                if let Some((at, failure)) = turn.failed.as_ref().filter(|(at, _)| now < *at + ECHO) {
                    tracing::debug!(%at, "the source of AWS credentials has just failed");
                    return Err(failure.clone());
                }
                self.ask(turn).await
            }
        }
    }

    /// Asks the source and keeps what it gives.
    async fn ask(&self, mut turn: MutexGuard<'_, Turn>) -> Result<Arc<Credentials>, Failure> {
        let config = self.config();
        let fetched = self.fetch(&config).await;
        let now = self.0.ambient.now();
        match fetched {
            Ok(credentials) if credentials.expires_at.is_some_and(|at| at <= now) => {
                let failure = Failure::Garbage("AWS credentials", "what the source gave has ended already");
                turn.failed = Some((now, failure.clone()));
                Err(failure)
            }
            Ok(credentials) => {
                let credentials = Arc::new(credentials);
                let renew_at = credentials.expires_at.map(|end| {
                    let life = end.since(now);
                    now + life.saturating_sub(EARLY).max(life / 2)
                });
                *self.0.held.write() = Some(Held { credentials: Arc::clone(&credentials), renew_at });
                turn.failed = None;
                tracing::debug!(source = config.source(), "new AWS credentials");
                Ok(credentials)
            }
            Err(failure) => {
                turn.failed = Some((now, failure.clone()));
                Err(failure)
            }
        }
    }

    async fn fetch(&self, config: &Config) -> Result<Credentials, Failure> {
        let client = &self.0.client;
        if let Some(keys) = &config.keys {
            return Ok(Credentials {
                key_id: keys.id.expose().clone(),
                secret: keys.secret.clone(),
                token: keys.token.clone(),
                expires_at: None,
            });
        }
        if let Some(identity) = &config.web_identity {
            return sts::assume_role(client, config, identity).await;
        }
        if let Some(container) = &config.container {
            return container::credentials(client, container).await;
        }
        match &config.metadata {
            Some(metadata) => instance::credentials(client, metadata).await,
            None => Err(Failure::NoCredentials),
        }
    }

    /// Signs a request with credentials that count now. All its headers must be there already.
    pub async fn sign(&self, mut request: Request, scope: &Scope<'_>) -> Result<Request, Failure> {
        let credentials = self.credentials().await?;
        sign(&mut request, &credentials, scope, self.0.ambient.now())?;
        Ok(request)
    }

    /// Signs and sends a request.
    pub(super) async fn call(
        &self,
        service: &'static str,
        request: Request,
        scope: &Scope<'_>,
    ) -> Result<Response, Failure> {
        let request = self.sign(request, scope).await?;
        self.0.client.send(request).await.map_err(|failure| Failure::Call(service, failure))
    }

    /// Forgets the credentials, because a service said that they have ended.
    pub(super) fn forget(&self, failure: &Failure) {
        let Failure::Refused { code, .. } = failure else { return };
        if code.starts_with("ExpiredToken") || code == "UnrecognizedClientException" {
            *self.0.held.write() = None;
        }
    }

    /// Forgets these credentials, because a service said that they have ended, unless newer ones are in use already:
    /// of many requests that were signed with the same ones, the first alone makes the source be asked again.
    pub fn forget_used(&self, used: &Credentials) {
        let mut held = self.0.held.write();
        if held.as_ref().is_some_and(|held| *held.credentials == *used) {
            *held = None;
        }
    }

    /// The time by which requests are signed.
    pub fn now(&self) -> Time {
        self.0.ambient.now()
    }
}

impl Held {
    fn counts(&self, now: Time) -> bool {
        self.credentials.expires_at.is_none_or(|at| now < at)
    }
}

/// A small call: 2 s to the head, 5 s in all, 64 KiB.
pub(super) const SMALL: Bounds = Bounds {
    first_byte: Duration::from_secs(2),
    idle: Duration::from_secs(2),
    total: Duration::from_secs(5),
    bytes: 64 << 10,
};

/// A call to an agent or service whose answer is small: its status and its body. Once more after a failure that may
/// pass.
pub(super) async fn small(
    client: &Client,
    service: &'static str,
    request: Request,
) -> Result<(u16, bytes::Bytes), Failure> {
    let once = async || {
        let answer = client.send(request.clone().within(SMALL)).await?;
        let status = answer.status.as_u16();
        Ok::<_, crate::outbound::Failure>((status, answer.body.collect().await?))
    };
    match once().await {
        Ok((status, body)) if status < 500 => Ok((status, body)),
        _ => {
            tokio::time::sleep(Duration::from_millis(150)).await;
            once().await.map_err(|failure| Failure::Call(service, failure))
        }
    }
}
