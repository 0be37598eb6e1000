//! Joins the rooms: from a typed configuration to a running house. The order here is the order of the rooms.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use apps::{Hall, Library, LibraryParts, Rooms, Shelves};
use arc_swap::{ArcSwap, ArcSwapOption};
use crypto::{Blind, Keyring};
use files::blob::Blobs;
use guard::content::SpamGuard;
use guard::http::{AddressBlocks, Front};
use guard::limits::Limiter;
use guard::outbound::Outbound;
use guard::outbound::aws::Aws;
use identity::hasher::Hasher;
use identity::issuer::Issuers;
use identity::oidc::SignIn;
use identity::passkey::Party;
use identity::{AccountParts, Accounts, Administration, Identity, KeyService};
use kernel::{Ambient, Result};
use knowledge::{Manual, PAGES};
use llm::Models;
use ops::alerts::{Alerts, Sender};
use ops::audit::AuditSpool;
use ops::backup::{Backups, Parts as BackupParts};
use ops::health::Part;
use ops::monitor::Parts as Watched;
use ops::post::Post;
use ops::pulse::Pulses;
use ops::report::{Mailing, Office};
use ops::retention::Retention;
use ops::slo::Slo;
use ops::telemetry::{Level, Telemetry};
use store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::{Parts, SecretAge, Site};

use crate::settings::{self, Settings, Sources};
use crate::{known, looks, measures};

/// The rooms of a running server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) identity: Arc<Identity>,
    pub(crate) site: Site,
    /// Who this server is at Amazon Web Services.
    pub(crate) aws: Aws,
    read: Arc<Read>,
    /// The documents of the apps.
    pub(crate) library: Library,
    /// Makes backups and knows of them.
    pub(crate) backups: Backups,
    /// Carries alerts and mails out.
    pub(crate) post: Post,
    /// What the security monitor looks at.
    pub(crate) watched: Watched,
    /// The parts of the server that health looks at.
    pub(crate) looked: Vec<Part>,
    /// Sends reports on their schedule.
    pub(crate) reports: Mailing,
    /// Removes what is kept no longer.
    pub(crate) retention: Retention,
    /// How long sessions are kept after their end.
    pub(crate) session_retention: Duration,
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
    pub(crate) async fn renew(&self, settings: &Settings, sources: Sources) {
        self.read.last.store(Arc::new(sources));
        if let Err(fault) = self.identity.renew(&settings.identity) {
            // Settings are never without a secret; this line is for the day when they are.
            tracing::error!(cause = ?fault, "the signing secrets could not be taken over");
        }
        self.site.accounts.renew(&settings.identity);
        if let Err(fault) = self.post.renew(settings.post.clone()) {
            tracing::error!(cause = ?fault, "the sinks of alerts and mails could not be taken over");
        }
        self.site.renew(&settings.web);
        // Bedrock is asked with what is known here.
        self.aws.renew(settings.aws.clone()).await;
        self.site.models.renew(settings.models.clone());
    }
}

/// Builds the house. Connects to the database and migrates nothing; probes are answered at once, everything else
/// after [`Site::open`].
pub(crate) async fn build(
    settings: &Settings,
    sources: &Sources,
    base_url: String,
    address: SocketAddr,
    keyring: Keyring,
    telemetry: &Telemetry,
    ambient: &Ambient,
) -> Result<House> {
    // The rules of the judges take some milliseconds to prepare; nobody should wait for them.
    tokio::task::spawn_blocking(guard::content::warm);
    let (tasks, cut, stop) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
    let tags = Blind::new(keyring.purpose_key("stoa 2026 account tags"));
    let store = Store::open(settings.store.clone(), keyring.clone(), ambient.clone()).await?;
    let front = Front::new(settings.http.clone());
    let limiter = Limiter::new(settings.limits.clone(), ambient.clone());
    let spam = SpamGuard::shared(keyring.purpose_key("stoa 2026 hashes of what was sent"), &limiter);
    let mut outbound = Outbound::new(settings.models.timeouts.connect)?;
    if telemetry.shipping().is_some_and(ops::shipping::Shipping::propagates) {
        outbound = outbound.tracing(ops::telemetry::traceparent);
    }
    telemetry.ship(&outbound, &replica(address), &tasks, &stop);
    let aws = Aws::new(settings.aws.clone(), outbound.operator().clone(), ambient.clone());
    let models = Models::new(settings.models.clone(), outbound.clone(), aws.clone(), ambient.clone());
    let issuers = Arc::new(Issuers::new(&settings.identity, &outbound, ambient));
    let oidc = SignIn::new(&settings.identity, Arc::clone(&issuers), &base_url, &outbound, ambient);
    let identity =
        Arc::new(Identity::new(&settings.identity, store.clone(), Arc::clone(&issuers), ambient.clone())?);
    let hasher = Hasher::new(&settings.identity.passwords, ambient.clone())?;
    let accounts = AccountParts {
        identity: Arc::clone(&identity),
        store: store.clone(),
        limiter: limiter.clone(),
        ambient: ambient.clone(),
        tags,
        tasks: tasks.clone(),
        hasher: hasher.clone(),
        oidc,
        party: party(settings),
    };
    let accounts = Arc::new(Accounts::new(&settings.identity, accounts));
    let administration =
        Administration::new(Arc::clone(&identity), Arc::clone(&accounts), store.clone(), ambient.clone());
    let post =
        Post::new(settings.post.clone(), store.clone(), outbound.clone(), base_url.clone(), ambient.clone())?;
    post.speak(web::translation);
    let sender = Sender { server: base_url.clone(), environment: settings.web.environment };
    let alerts = Alerts::new(store.clone(), post.clone(), sender.clone(), measures::mask, ambient.clone());
    let pulses = Pulses::new(ambient.clone());
    let audit = AuditSpool::start(store.clone(), &tasks, stop.clone());
    let library = Library::new(LibraryParts {
        config: settings.library.clone(),
        store: store.clone(),
        models: models.clone(),
        ambient: ambient.clone(),
        tasks: tasks.clone(),
        holder: format!("{} {}", replica(address), std::process::id()),
    });
    let measured = measures::Parts {
        library: library.clone(),
        store: store.clone(),
        limiter: limiter.clone(),
        models: models.clone(),
        identity: Arc::clone(&identity),
        front: front.clone(),
        masked: settings.telemetry.mask,
    };
    let health = measures::health(settings.web.environment, measured, ambient);
    health.set_migrating(true);
    let blobs = Blobs::open(&settings.blobs, outbound.operator(), &aws, ambient)?;
    let backups = Backups::new(BackupParts {
        config: settings.backups.clone(),
        store: store.clone(),
        keyring,
        blobs: blobs.clone(),
        client: outbound.operator().clone(),
        aws: aws.clone(),
        ambient: ambient.clone(),
    });
    let overdue = backups.clone();
    let watched = Watched {
        config: settings.monitor.clone(),
        store: store.clone(),
        alerts,
        health: health.clone(),
        pulses: pulses.clone(),
        ambient: ambient.clone(),
        replica: replica(address),
        overdue: Some(Arc::new(move || overdue.overdue())),
    };
    let known = backups.clone();
    health.show_backups(Box::new(move || known.report()));
    let blobs = Blobs::open(&settings.blobs, outbound.operator(), &aws, ambient)?;
    let looked = looks::parts(looks::Looked {
        store: store.clone(),
        limiter: limiter.clone(),
        models: models.clone(),
        library: library.clone(),
        blobs: blobs.clone(),
        public_url: settings.http.public_url.clone(),
        data_dir: settings.data_dir.clone(),
        disk_percent: settings.monitor.disk_percent,
        overdue: watched.overdue.clone(),
        ambient: ambient.clone(),
        every: settings.monitor.health,
    });
    let hall = Hall::new(Rooms {
        catalog: settings.catalog.clone(),
        identity: Arc::clone(&identity),
        store: store.clone(),
        models: models.clone(),
        manual: Manual::new(PAGES),
        library: library.clone(),
        hasher,
        spam,
        files: Shelves::new(blobs, settings.files.clone()),
        audit: audit.clone(),
        ambient: ambient.clone(),
        tasks: tasks.clone(),
        stop: cut.clone(),
        deadline: settings.web.deadline,
    });
    let metrics = telemetry.metrics().clone();
    let read = Arc::new(Read { first: sources.clone(), last: ArcSwap::from_pointee(sources.clone()) });
    let ages: Arc<ArcSwap<Vec<SecretAge>>> = Arc::default();
    let office = office(&read, &ages, &store, telemetry, &replica(address), ambient);
    let reports = Mailing {
        wanted: settings.reports.clone(),
        store: store.clone(),
        post: post.clone(),
        sender,
        known: Arc::clone(&office.known),
        ambient: ambient.clone(),
    };
    let site = Site::new(Parts {
        config: settings.web.clone(),
        hall,
        keys: KeyService::new(Arc::clone(&identity), store.clone(), ambient.clone()),
        accounts,
        administration,
        identity: Arc::clone(&identity),
        front,
        fresh: web::Fresh::new(store.engine() == "postgres"),
        limiter,
        blocks: ArcSwap::from_pointee(AddressBlocks::new([])),
        models,
        audit,
        backups: backups.clone(),
        health,
        pulses,
        office,
        base_url,
        ages,
        settings: shown(Arc::clone(&read)),
        metrics: Box::new(move || metrics.render()),
        metrics_token: ArcSwapOption::empty(),
        ambient: ambient.clone(),
        open: AtomicBool::new(false),
    });
    let retention =
        Retention { config: settings.retention.clone(), store: store.clone(), ambient: ambient.clone() };
    let session_retention = settings.session_retention;
    Ok(House {
        store,
        identity,
        site,
        aws,
        library,
        read,
        backups,
        post,
        watched,
        looked,
        reports,
        retention,
        session_retention,
        tasks,
        cut,
        stop,
    })
}

/// What admins ask of operation.
fn office(
    read: &Arc<Read>,
    ages: &Arc<ArcSwap<Vec<SecretAge>>>,
    store: &Store,
    telemetry: &Telemetry,
    replica: &str,
    ambient: &Ambient,
) -> Office {
    let counted = telemetry.clone();
    let lines = Arc::new(move || (counted.count(Level::Error), counted.count(Level::Warning)));
    let (read, ages) = (Arc::clone(read), Arc::clone(ages));
    let known = Arc::new(move || {
        let secrets = ages.load().iter().map(|age| (age.name.clone(), age.days)).collect();
        known::known(&read.last.load(), secrets)
    });
    Office {
        store: store.clone(),
        slo: Slo::new(store.clone(), replica, lines, ambient.clone()),
        known,
        telemetry: telemetry.clone(),
        ambient: ambient.clone(),
    }
}

/// The name of this replica, the same after a restart: the machine (or pod) and the port.
fn replica(address: SocketAddr) -> String {
    let machine = rustix::system::uname();
    format!("{}:{}", machine.nodename().to_string_lossy(), address.port())
}

/// What the settings were read from: at the start, and the last time.
struct Read {
    first: Sources,
    last: ArcSwap<Sources>,
}

/// The settings in force, for the admin's page; worked out only when somebody asks. Where another value was read since
/// the start and needs a restart, the old one is shown and says so.
fn shown(read: Arc<Read>) -> Box<dyn Fn() -> Vec<web::Setting> + Send + Sync> {
    Box::new(move || {
        let rows = |sources| settings::shown::rows(&settings::inspect(sources), |_| true, |_| true);
        let mut asleep = rows(&read.first);
        asleep.retain(|row| !settings::table::is_live(row.name));
        let setting = |row: settings::shown::Row| {
            let before = asleep.iter().find(|before| before.name == row.name && before.value != row.value);
            let (value, origin, chosen) = match before {
                Some(before) => {
                    let origin = format!("{}; another value needs a restart", before.origin);
                    (before.value.clone(), origin, before.chosen)
                }
                None => (row.value, row.origin, row.chosen),
            };
            web::Setting { name: row.name.to_owned(), value, origin, secret: row.secret, chosen }
        };
        rows(&read.last.load()).into_iter().map(setting).collect()
    })
}

/// The relying party of passkeys: bound to the host of the public URL, else to `localhost`, where people develop.
fn party(settings: &Settings) -> Option<Party> {
    const NAME: &str = "Stoa";
    let secrets = &settings.identity.cookie_secrets;
    match &settings.http.public_url {
        None => Some(Party::local(NAME, secrets)),
        Some(url) => Party::new(NAME, url, &[], secrets)
            .inspect_err(|unfit| {
                tracing::warn!(?unfit, "passkeys are not offered: the public URL does not fit")
            })
            .ok(),
    }
}
