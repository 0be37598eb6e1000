//! What is measured, as closures: this room knows neither the database nor the model, the binary hands them in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::report::{Security, State};

/// Finds something out. It may hang: it is dropped after the patience of the report.
#[derive(Clone)]
pub struct Probe<T>(Arc<dyn Fn() -> Pin<Box<dyn Future<Output = T> + Send>> + Send + Sync>);

impl<T: Send + 'static> Probe<T> {
    /// A probe that waits for something.
    pub fn new<F, Fut>(ask: F) -> Probe<T>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = T> + Send + 'static,
    {
        Probe(Arc::new(move || Box::pin(ask())))
    }

    /// A probe that knows at once. It must not block.
    pub fn now(ask: impl Fn() -> T + Send + Sync + 'static) -> Probe<T> {
        Probe(Arc::new(move || Box::pin(std::future::ready(ask()))))
    }

    /// Asks, for as long as it takes.
    pub(super) fn ask(&self) -> Pin<Box<dyn Future<Output = T> + Send>> {
        (self.0)()
    }

    async fn within(&self, patience: Duration, otherwise: T) -> T {
        timeout(patience, (self.0)()).await.unwrap_or(otherwise)
    }
}

/// Everything that a report measures.
#[derive(Clone)]
pub struct Probes {
    /// A round trip to the database.
    pub database: Probe<State>,
    /// Search by meaning.
    pub vector_db: Probe<State>,
    /// The limiter's Redis.
    pub cache: Probe<State>,
    /// The model provider, as the last calls found it.
    pub model: Probe<State>,
    /// A call without a credential is refused.
    pub authentication_required: Probe<bool>,
    /// The front refuses a request over plain HTTP.
    pub https_enforced: Probe<bool>,
    /// A limiter counts a request and refuses the one too many.
    pub rate_limiting_enabled: Probe<bool>,
    /// A canary does not get through the mask of the log.
    pub pii_masking_enabled: Probe<bool>,
}

impl Probes {
    /// Asks all at the same time. What has not answered within `patience` is down, or does not protect.
    pub(super) async fn measure(&self, patience: Duration) -> Measured {
        let (database, vector_db, cache, model, authentication, https, limits, mask) = tokio::join!(
            self.database.within(patience, State::Down),
            self.vector_db.within(patience, State::Down),
            self.cache.within(patience, State::Down),
            self.model.within(patience, State::Down),
            self.authentication_required.within(patience, false),
            self.https_enforced.within(patience, false),
            self.rate_limiting_enabled.within(patience, false),
            self.pii_masking_enabled.within(patience, false),
        );
        let security = Security {
            authentication_required: authentication,
            https_enforced: https,
            rate_limiting_enabled: limits,
            pii_masking_enabled: mask,
        };
        Measured { database, vector_db, cache, model, security }
    }
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Measured {
    /// The database.
    pub(super) database: State,
    /// Search by meaning.
    pub(super) vector_db: State,
    /// Redis.
    pub(super) cache: State,
    /// The model provider.
    pub(super) model: State,
    /// What protects.
    pub(super) security: Security,
}

impl Measured {
    /// No measurement came to an end.
    pub(super) const NOTHING: Measured = Measured {
        database: State::Down,
        vector_db: State::Down,
        cache: State::Down,
        model: State::Down,
        security: Security {
            authentication_required: false,
            https_enforced: false,
            rate_limiting_enabled: false,
            pii_masking_enabled: false,
        },
    };
}
