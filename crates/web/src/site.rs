//! What every handler can reach. It owns nothing but the references.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use apps::Hall;
use arc_swap::{ArcSwap, ArcSwapOption};
use guard::http::{AddressBlocks, Front};
use guard::limits::Limiter;
use identity::{Accounts, Administration, Identity, KeyService};
use kernel::{Ambient, Secret};
use llm::Models;
use ops::audit::AuditSpool;
use ops::backup::Backups;
use ops::health::Health;
use ops::pulse::Pulses;
use ops::report::Office;

use crate::api::admin::settings::SettingView;
use crate::{Config, Fresh};

/// The rooms behind the HTTP surface. Cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Parts>);

/// How long a secret has been in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretAge {
    /// The name under which the operator knows it.
    pub name: String,
    /// Whole days.
    pub days: u64,
    /// It should have been replaced.
    pub old: bool,
}

/// The rooms behind the HTTP surface.
pub struct Parts {
    /// What the surface needs to know.
    pub config: Config,
    /// The apps.
    pub hall: Hall,
    /// Who is asking.
    pub identity: Arc<Identity>,
    /// Signing in and out, one's own account.
    pub accounts: Arc<Accounts>,
    /// One's own keys.
    pub keys: KeyService,
    /// What admins do.
    pub administration: Administration,
    /// Hosts, schemes, origins, headers.
    pub front: Front,
    /// How new what is known of permissions is.
    pub fresh: Fresh,
    /// How often.
    pub limiter: Limiter,
    /// Addresses that are refused; replaced as a whole when the list changes.
    pub blocks: ArcSwap<AddressBlocks>,
    /// Models, for embeddings.
    pub models: Models,
    /// Events that belong to no change.
    pub audit: AuditSpool,
    /// Backups.
    pub backups: Backups,
    /// What was measured.
    pub health: Health,
    /// The last hour, for charts and for the monitor.
    pub pulses: Pulses,
    /// Service levels, reports, slow statements.
    pub office: Office,
    /// Where people reach the server, without a slash at the end: for the commands that pages show. Never taken
    /// from a request, whose `Host` anybody may choose.
    pub base_url: String,
    /// How long each secret has been in use, the oldest first; replaced as a whole when it is told anew.
    pub ages: Arc<ArcSwap<Vec<SecretAge>>>,
    /// Each effective setting with its origin; secrets as fingerprints.
    pub settings: Box<dyn Fn() -> Vec<SettingView> + Send + Sync>,
    /// The metrics as Prometheus text.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// `/metrics` answers to this bearer token, and not at all without one.
    pub metrics_token: ArcSwapOption<Secret<String>>,
    /// Time and randomness.
    pub ambient: Ambient,
    /// The schema is up to date. Until then nothing but probes is answered.
    pub open: AtomicBool,
}

impl Site {
    /// A site over these rooms.
    pub fn new(parts: Parts) -> Site {
        let site = Site(Arc::new(parts));
        site.renew(&site.0.config);
        site
    }

    /// Takes over the secrets of another configuration: the token of `/metrics`.
    pub fn renew(&self, config: &Config) {
        self.0.metrics_token.store(config.metrics_token.clone().map(Arc::new));
    }

    /// The schema is up to date: from now on requests are answered.
    pub fn open(&self) {
        self.0.health.set_migrating(false);
        self.0.open.store(true, Ordering::Release);
    }
}

impl Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
