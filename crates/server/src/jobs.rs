//! What the server does by itself: takes note of what other processes changed, tidies up, measures.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use apps::Library;
use guard::http::AddressBlocks;
use identity::{Identity, News};
use kernel::{Ambient, Fault, PageRequest, Result};
use ops::health::Telling;
use ops::monitor::Monitor;
use ops::report::Office;
use store::{ApiKey, Epochs, Store};
use tokio_util::sync::CancellationToken;
use web::Site;

use crate::wire::House;

/// How often the database is asked whether something was revoked or changed (CONTRACT section 2: within 1 s).
const WATCH: Duration = Duration::from_millis(250);
/// How often everything is read, moved or not.
const AFRESH: Duration = Duration::from_secs(60);
/// How often gauges are read and leftovers removed.
const TIDY: Duration = Duration::from_secs(15);
/// Processes that wrote answers this long ago and were not heard of since are forgotten.
const WRITERS: Duration = Duration::from_secs(24 * 60 * 60);
/// Revocations older than this are forgotten: every cookie from before has expired.
const REVOKED: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// How often the file store is looked after, and for how long one replica does it.
const FILES: Duration = Duration::from_secs(1);
const FILES_LEASE: Duration = Duration::from_secs(60);

/// How often the schema is looked at.
const SCHEMA: Duration = Duration::from_secs(5);

/// Watches the database for what changes permissions.
pub(crate) struct Watch {
    store: Store,
    identity: Arc<Identity>,
    site: Site,
    library: Library,
    ambient: Ambient,
    seen: Option<Epochs>,
}

impl Watch {
    pub(crate) fn new(house: &House, ambient: Ambient) -> Watch {
        let House { store, identity, site, library, .. } = house.clone();
        Watch { store, identity, site, library, ambient, seen: None }
    }

    /// Asks once; reads keys, blocks and revocations when an epoch has moved.
    pub(crate) async fn look(&mut self) -> Result<()> {
        let epochs = self.store.epochs().await?;
        // The index follows by itself: documents change nobody's rights, and reading them may take a while.
        self.library.note(epochs.documents);
        let rights = Epochs { documents: 0, ..epochs };
        if self.seen == Some(rights) {
            return Ok(());
        }
        let now = self.ambient.now();
        let mark = self.identity.mark();
        let keys = every_key(&self.store).await?;
        let revoked: HashSet<_> = self
            .store
            .revoked_subjects(now - REVOKED)
            .await?
            .into_iter()
            .map(|(subject, _)| subject)
            .collect();
        let blocks = self.store.blocks(now).await?;
        let nets = blocks.iter().filter_map(|block| AddressBlocks::parse(&block.net));
        self.site.blocks.store(Arc::new(AddressBlocks::new(nets)));
        let brake = self.store.lockdown().await?.mode;
        // What this process wrote in between is newer than what was read: then look again.
        let fresh = self.identity.refresh(mark, News { epochs, brake, revoked, keys });
        self.seen = fresh.then_some(rights);
        Ok(())
    }

    /// Asks again and again until `stop`, and whenever a request wants to know.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut away = false;
        let mut afresh = tokio::time::interval(AFRESH);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.site.fresh.wanted() => {}
                () = tokio::time::sleep(WATCH) => {}
                // Blocks end by time, which moves no epoch.
                _ = afresh.tick() => self.seen = None,
            }
            let look = self.site.fresh.begin();
            let looked = self.look().await;
            if let (Err(fault), false) = (&looked, away) {
                warn(fault, "permissions cannot be refreshed; the last known ones stand");
            }
            away = looked.is_err();
            self.site.fresh.end(look, !away);
        }
    }
}

/// Every key of the database, revoked and expired ones too.
pub(crate) async fn every_key(store: &Store) -> Result<Vec<ApiKey>> {
    let mut page = PageRequest::first(PageRequest::MOST);
    let mut keys = Vec::new();
    loop {
        let piece = store.keys(None, page).await?;
        keys.extend(piece.items);
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next))?,
            None => return Ok(keys),
        }
    }
}

/// Marks answers whose process is gone, removes expired leftovers (sessions `expired` after their end), sets the gauges.
pub(crate) async fn tidy(store: Store, expired: Duration, ambient: Ambient, stop: CancellationToken) {
    // At once the first time: a gauge that is missing looks like a server that is.
    loop {
        let state = store.pool_state();
        for (name, value) in [("max", state.max), ("open", state.open), ("idle", state.idle)] {
            metrics::gauge!("stoa_db_pool_connections", "state" => name).set(f64::from(value));
        }
        let now = ambient.now();
        let done = async {
            store.interrupt_lost().await?;
            store.purge_writers(now - WRITERS).await?;
            store.purge_idempotent(now).await?;
            store.purge_sessions(now - expired).await?;
            store.purge_tickets(now).await?;
            store.purge_shares(now).await?;
            metrics::gauge!("stoa_active_sessions").set(store.count_sessions().await? as f64);
            metrics::gauge!("stoa_reviews_open").set(store.open_reviews().await?.0 as f64);
            store.prune_revoked(now - REVOKED).await
        };
        if let Err(fault) = done.await {
            warn(&fault, "leftovers could not be removed");
        }
        if !pause(TIDY, &stop).await {
            return;
        }
    }
}

/// Looks after the file store: what was erased or thrown away for good is gone from the disk within a second or two.
async fn tend_files(site: Site, store: Store, ambient: Ambient, stop: CancellationToken) {
    let holder: String = ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    while pause(FILES, &stop).await {
        let round = async {
            // One replica at a time; the others would find nothing to do, and say so to the bucket.
            if !store.hold_lease("files", &holder, FILES_LEASE).await? {
                return Ok(apps::Tended::default());
            }
            site.hall.tend_files().await
        };
        match round.await {
            Ok(tended) if tended.expired + tended.removed + tended.examined > 0 => {
                let apps::Tended { expired, removed, examined, .. } = tended;
                tracing::info!(expired, removed, examined, "files tended");
            }
            Ok(_) => {}
            Err(fault) => warn(&fault, "the file store cannot be tended now"),
        }
    }
    if let Err(fault) = store.drop_lease("files", &holder).await {
        warn(&fault, "the lease of the file store ends by itself");
    }
}

/// How often the index of the search is looked after, and for how long one replica does it.
const SEARCH: Duration = Duration::from_secs(10);
const SEARCH_LEASE: Duration = Duration::from_secs(60);

/// Keeps the index of the search up with what was said, and deletes temporary conversations whose time has come.
async fn tend_search(site: Site, store: Store, ambient: Ambient, stop: CancellationToken) {
    let holder: String = ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut pace = SEARCH;
    while pause(pace, &stop).await {
        let round = async {
            if !store.hold_lease("search", &holder, SEARCH_LEASE).await? {
                return Ok((apps::SearchTended::default(), 0));
            }
            let gone = site.hall.sweep_temporary().await?;
            Ok((site.hall.tend_search("search", &holder).await?, gone))
        };
        pace = SEARCH;
        match round.await {
            Ok((tended, gone)) => {
                if tended.more {
                    pace = Duration::from_millis(10);
                }
                let apps::SearchTended { indexed, rewritten, removed, .. } = tended;
                if indexed + rewritten + removed > 0 || gone > 0 {
                    tracing::info!(indexed, rewritten, removed, temporary = gone, "search tended");
                }
            }
            Err(fault) => warn(&fault, "the search looks through what is not indexed"),
        }
    }
    if let Err(fault) = store.drop_lease("search", &holder).await {
        warn(&fault, "the lease of the search ends by itself");
    }
}

/// The name under which the store keeps the newest lines of the log that somebody should look at: for `stoa doctor`,
/// which may find no file.
pub(crate) const RECENT: &str = "recent_lines";

/// How many of them, and how often they are written when there are new ones.
const RECENT_LINES: usize = 50;
const RECENT_PACE: Duration = Duration::from_secs(30);

/// Keeps the newest lines of the log, masked as they are, sealed in the database.
async fn keep_recent(office: Office, stop: CancellationToken) {
    let mut kept = None;
    while pause(RECENT_PACE, &stop).await {
        let tail = office.log();
        let newest = tail.items.first().map(|line| line.at);
        if newest == kept {
            continue;
        }
        let lines: Vec<String> = tail.items.into_iter().take(RECENT_LINES).map(|line| line.line).collect();
        let Ok(text) = serde_json::to_string(&lines) else { continue };
        // A database that is away is told by others.
        if office.store.set_state(RECENT, &text, Vec::new()).await.is_ok() {
            kept = newest;
        }
    }
}

/// Looks whether another version has changed the schema so that this one can no longer work with it. Then readiness
/// says no, and whoever deploys sees why.
async fn follow_schema(house: House, stop: CancellationToken) {
    let mut fits = true;
    while pause(SCHEMA, &stop).await {
        let Ok(now) = house.store.fits().await else { continue };
        if now != fits {
            match now {
                true => tracing::info!("the schema is one that this version can work with again"),
                false => tracing::error!(
                    "a newer version changed the schema, and this one can no longer work with it; stop this one"
                ),
            }
            house.site.health.set_migrating(!now);
            fits = now;
        }
    }
}

/// Starts the jobs.
pub(crate) fn start(watch: Watch, house: &House, ambient: &Ambient) {
    let House { store, tasks, stop, .. } = house;
    tasks.spawn(watch.run(stop.clone()));
    tasks.spawn(follow_schema(house.clone(), stop.clone()));
    tasks.spawn(tidy(store.clone(), house.session_retention, ambient.clone(), stop.clone()));
    tasks.spawn(house.retention.clone().run(stop.clone()));
    tasks.spawn(ops::upkeep::run(store.clone(), ambient.clone(), stop.clone()));
    tasks.spawn(tend_files(house.site.clone(), store.clone(), ambient.clone(), stop.clone()));
    tasks.spawn(tend_search(house.site.clone(), store.clone(), ambient.clone(), stop.clone()));
    tasks.spawn(house.backups.clone().run(stop.clone()));
    tasks.spawn(Monitor::new(house.watched.clone()).run(stop.clone()));
    let telling = Telling {
        alerts: house.watched.alerts.clone(),
        store: store.clone(),
        ambient: ambient.clone(),
        replica: house.watched.replica.clone(),
    };
    house.site.health.parts().start(house.looked.clone(), &telling, tasks, stop);
    tasks.spawn(keep_recent(house.site.office.clone(), stop.clone()));
    tasks.spawn(house.site.office.slo.clone().run(house.site.health.clone(), stop.clone()));
    tasks.spawn(house.reports.clone().run(stop.clone()));
    house.library.run(stop);
    house.post.start(tasks, stop);
}

/// Waits; `false` when the server stops.
async fn pause(span: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(span) => true,
        () = stop.cancelled() => false,
    }
}

fn warn(fault: &Fault, what: &'static str) {
    let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(code = fault.code().as_str(), cause, "{what}");
}
