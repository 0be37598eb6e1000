//! Joins the rooms: from a typed configuration to a running house. The order here is the order of the rooms.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use apps::{Hall, Rooms};
use arc_swap::{ArcSwap, ArcSwapOption};
use crypto::Keyring;
use guard::http::{AddressBlocks, Front};
use guard::limits::Limiter;
use guard::outbound::Outbound;
use guard::outbound::aws::Aws;
use identity::Identity;
use kernel::{Ambient, Result};
use knowledge::{Manual, PAGES};
use llm::Models;
use ops::audit::AuditSpool;
use ops::telemetry::Telemetry;
use store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::{Parts, Site};

use crate::measures;
use crate::settings::Settings;

/// The rooms of a running server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) identity: Arc<Identity>,
    pub(crate) site: Site,
    /// Who this server is at Amazon Web Services.
    pub(crate) aws: Aws,
    /// Tasks that must end before the process does.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when streams must end.
    pub(crate) cut: CancellationToken,
    /// Cancelled last: spools are written out.
    pub(crate) stop: CancellationToken,
}

impl House {
    /// Hands another configuration to the rooms, each of which takes over what can change while it works: the settings
    /// that are marked `live` in their table. Nothing in flight is dropped.
    pub(crate) async fn renew(&self, settings: &Settings) {
        self.identity.renew(&settings.identity);
        self.site.models.renew(settings.models.clone());
        self.site.renew(&settings.web);
        self.aws.renew(settings.aws.clone()).await;
    }
}

/// Builds the house. Connects to the database and migrates nothing; probes are answered at once, everything else
/// after [`Site::open`].
pub(crate) async fn build(
    settings: &Settings,
    base_url: String,
    keyring: Keyring,
    telemetry: &Telemetry,
    ambient: &Ambient,
) -> Result<House> {
    // The rules of the judges take some milliseconds to prepare; nobody should wait for them.
    tokio::task::spawn_blocking(guard::content::warm);
    let (tasks, cut, stop) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
    let store = Store::open(settings.store.clone(), keyring, ambient.clone()).await?;
    let front = Front::new(settings.http.clone());
    let limiter = Limiter::new(settings.limits.clone(), ambient.clone());
    let outbound = Outbound::new(settings.models.timeouts.connect)?;
    let aws = Aws::new(settings.aws.clone(), outbound.operator().clone(), ambient.clone());
    let models = Models::new(settings.models.clone(), outbound, ambient.clone());
    let identity = Arc::new(Identity::new(&settings.identity, ambient.clone()));
    let audit = AuditSpool::start(store.clone(), &tasks, stop.clone());
    let measured = measures::Parts {
        store: store.clone(),
        limiter: limiter.clone(),
        models: models.clone(),
        identity: Arc::clone(&identity),
        front: front.clone(),
        masked: settings.telemetry.mask,
    };
    let health = measures::health(settings.web.environment, measured, ambient);
    health.set_migrating(true);
    let hall = Hall::new(Rooms {
        catalog: settings.catalog.clone(),
        identity: Arc::clone(&identity),
        store: store.clone(),
        models: models.clone(),
        manual: Manual::new(PAGES),
        audit: audit.clone(),
        ambient: ambient.clone(),
        tasks: tasks.clone(),
        stop: cut.clone(),
        deadline: settings.web.deadline,
    });
    let metrics = telemetry.metrics().clone();
    let site = Site::new(Parts {
        config: settings.web.clone(),
        hall,
        identity: Arc::clone(&identity),
        front,
        limiter,
        blocks: ArcSwap::from_pointee(AddressBlocks::new([])),
        models,
        audit,
        health,
        base_url,
        metrics: Box::new(move || metrics.render()),
        metrics_token: ArcSwapOption::empty(),
        ambient: ambient.clone(),
        open: AtomicBool::new(false),
    });
    Ok(House { store, identity, site, aws, tasks, cut, stop })
}
