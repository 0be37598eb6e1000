//! `stoa serve`: checks the configuration, builds the house, serves until told to stop, and stops in order:
//! no new work, requests in flight, streams, spools, the database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use guard::outbound::{Outbound, install_crypto_provider};
use kernel::{Actor, Ambient, AuditEvent, EventType};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::data::{sources, told};
use super::paper::{Mark, complain};
use super::probe;
use crate::cli::{Global, Serve};
use crate::jobs::{self, Watch};
use crate::listen::{Acme, Keeper, Listener, Sockets, Stop, Tls};
use crate::reload::{CONFIGURATION, Reload, Start};
use crate::settings::{CertificateSource, PASSED, Profile, Settings, vault};
use crate::wire::{self, House};
use crate::{debugging, listen, measures};

/// Requests in flight may take this long after the signal to stop.
const GRACE: Duration = Duration::from_secs(20);
/// What is left after that may take this long to be written.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Runs the server. `false`: the configuration is refused.
pub(crate) fn run(global: &Global, serve: &Serve, ambient: &Ambient) -> anyhow::Result<bool> {
    let flags = global.flags().into_iter().chain(serve.flags()).collect();
    install_crypto_provider();
    let sources = sources(global, flags, ambient)?;
    let (mut settings, warnings) = match Settings::load(&sources) {
        Ok(loaded) => loaded,
        Err(refusal) => {
            complain(&refusal.to_string());
            return Ok(false);
        }
    };
    for warning in &warnings {
        complain(&format!("! validation warning: {warning}"));
    }
    if let Some(missing) = sources.missing() {
        complain(&format!("! validation warning: {missing}"));
    }
    let keys = settings.open_keys(ambient.random()).map_err(|problem| anyhow!("{problem}"))?;
    let telemetry = ops::telemetry::start(settings.telemetry.clone(), ambient.clone(), measures::mask)?;
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = settings.listen.workers {
        threads.worker_threads(workers);
    }
    let runtime = threads.enable_all().build().context("no runtime")?;
    let start = Start {
        places: global.places(),
        flags: sources.flags.clone(),
        profile: settings.profile,
        marks: settings.marks.clone(),
        secrets: settings.secrets.clone(),
        master: keys.keyring.fingerprint(),
        wanted: vault::wanted(&sources),
        vault: sources.vault.clone(),
        missing: sources.vault_missing.clone(),
    };
    let outcome = runtime.block_on(async {
        // From now on a SIGHUP is a wish and no longer the end.
        let hangup = signal(SignalKind::hangup()).context("signals cannot be received")?;
        let sockets = listen::open(settings.listen.address, settings.listen.plain)?;
        if settings.profile == Profile::Production {
            // The line as it is promised, beside the log, whose lines are JSON.
            complain(PASSED);
        }
        tracing::info!(origin = keys.origin, "the master key was found");
        let address = sockets.main.local_addr().context("the listener has no address")?;
        let base_url = base_url(&settings, address);
        let house = wire::build(&settings, &sources, base_url, address, keys.keyring, &telemetry, ambient)
            .await
            .map_err(told)?;
        let reload = Reload::new(start, house.clone(), ambient.clone());
        let follow = (reload, hangup);
        live(&settings, house, follow, sockets, serve.i_know, ambient).await
    });
    telemetry.flush(Duration::from_secs(2));
    outcome.map(|()| true)
}

async fn live(
    settings: &Settings,
    house: House,
    (reload, hangup): (Reload, Signal),
    sockets: Sockets,
    i_know: bool,
    ambient: &Ambient,
) -> anyhow::Result<()> {
    let address = sockets.main.local_addr().context("the listener has no address")?;
    let plain = sockets.plain.as_ref().and_then(|socket| socket.local_addr().ok());
    let drain = settings.listen.drain;
    let stop = Stop {
        leaving: CancellationToken::new(),
        closing: house.stop.child_token(),
        grace: GRACE.saturating_sub(drain),
    };
    let (tls, keeping) = keep_certificate(settings, &house, ambient)?;
    let router = web::router(house.site.clone());
    let alone = !sockets.handed_over;
    let opening = Box::pin(open(settings, i_know, alone, &house, ambient));
    // Probes are answered before everything else is; but whoever waits in the queue of a socket that was handed over
    // would rather wait than hear that the server is starting.
    let (serving, debugging) = if sockets.handed_over {
        let debugging = opening.await?;
        (answer(settings, sockets, tls, router, &stop), debugging)
    } else {
        let serving = answer(settings, sockets, tls, router, &stop);
        (serving, opening.await?)
    };
    if let Some(room) = probe::room(settings, &house.store).await.filter(|room| room.mark != Mark::Good) {
        tracing::warn!("{}: {}; {}", room.name, room.say, room.fix);
    }
    keeping.start(&house);
    house.tasks.spawn(reload.run(hangup, house.stop.clone()));
    announce(settings, address, plain);
    tokio::select! {
        told = wait_for_signal() => told?,
        () = debugging::over(debugging) => {}
    }
    tracing::info!("stopping: readiness says no");
    house.site.health.set_draining();
    stop.leaving.cancel();
    // Whoever sends requests here needs a moment to hear of it.
    tokio::time::sleep(drain).await;
    tracing::info!("stopping: no new work is taken");
    stop.closing.cancel();
    let (cut, grace) = (house.cut.clone(), stop.grace);
    // Streams get the same grace as requests; what is still being written then is cut, stored and marked.
    tokio::spawn(async move {
        tokio::time::sleep(grace.saturating_sub(Duration::from_secs(2))).await;
        cut.cancel();
    });
    serving.wait().await;
    house.cut.cancel();
    house.stop.cancel();
    house.tasks.close();
    if tokio::time::timeout(LAST_WORDS, house.tasks.wait()).await.is_err() {
        tracing::error!("the server stopped before everything was written");
    }
    house.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What keeps the certificate of a running server.
enum Keeping {
    Nothing,
    Files(Box<Keeper>),
    Authority(Box<Acme>),
}

impl Keeping {
    fn start(self, house: &House) {
        match self {
            Keeping::Nothing => {}
            Keeping::Files(keeper) => drop(house.tasks.spawn(keeper.run(house.stop.clone()))),
            Keeping::Authority(acme) => drop(house.tasks.spawn(acme.run(house.stop.clone()))),
        }
    }
}

/// The end of TLS, when it ends here, and what keeps its certificate.
fn keep_certificate(
    settings: &Settings,
    house: &House,
    ambient: &Ambient,
) -> anyhow::Result<(Option<Arc<Tls>>, Keeping)> {
    match settings.listen.certificate.clone() {
        None => Ok((None, Keeping::Nothing)),
        Some(CertificateSource::Files(files)) => {
            let tls = Arc::new(Tls::new(None)?);
            tls.show(listen::load(&files).map_err(|why| anyhow!("TLS_CERT_FILE: {why}"))?);
            let keeper = Keeper::new(files, Arc::clone(&tls), house.watched.clone(), ambient.clone());
            Ok((Some(tls), Keeping::Files(Box::new(keeper))))
        }
        Some(CertificateSource::Authority(authority)) => {
            let outbound = Outbound::new(settings.models.timeouts.connect).map_err(told)?;
            let (acme, tls) = Acme::new(authority, &house.store, outbound, house.watched.clone(), ambient)?;
            Ok((Some(tls), Keeping::Authority(Box::new(acme))))
        }
    }
}

/// Lets the listeners answer.
fn answer(
    settings: &Settings,
    sockets: Sockets,
    tls: Option<Arc<Tls>>,
    router: axum::Router,
    stop: &Stop,
) -> TaskTracker {
    let (serving, room) = (TaskTracker::new(), Arc::new(Semaphore::new(settings.listen.connections)));
    let handed_over = sockets.handed_over;
    let listeners = [Some((sockets.main, tls)), sockets.plain.map(|socket| (socket, None))];
    for (socket, tls) in listeners.into_iter().flatten() {
        let listener = Listener { socket, tls, room: Arc::clone(&room), handed_over };
        serving.spawn(listener.serve(router.clone(), stop.clone()));
    }
    serving.close();
    serving
}

/// Brings the schema up to date, checks the key, reads permissions; then requests are answered.
async fn open(
    settings: &Settings,
    i_know: bool,
    alone: bool,
    house: &House,
    ambient: &Ambient,
) -> anyhow::Result<Option<Duration>> {
    house.backups.upgrade().await.map_err(told)?;
    house.store.check_key().await.map_err(told)?;
    let debugging = debugging::admit(settings, i_know, &house.store, ambient).await?;
    // Where one process has the database for itself, every answer without an end was cut by the last stop. Who takes a
    // socket over from another lets that one finish what it writes.
    if alone && house.store.engine() == "sqlite" {
        let cut = house.store.interrupt_every().await.map_err(told)?;
        if cut > 0 {
            tracing::warn!(messages = cut, "answers were interrupted by the last stop");
        }
    }
    note_configuration(&settings.marks.digest(), house).await.map_err(told)?;
    let mut watch = Watch::new(house, ambient.clone());
    watch.look().await.map_err(told)?;
    jobs::start(watch, house, ambient);
    offer_setup(house, ambient).await.map_err(told)?;
    house.site.open();
    Ok(debugging)
}

/// While nobody runs the server, whoever reads its terminal may claim it. The token goes there alone: a log is read
/// by more people.
async fn offer_setup(house: &House, ambient: &Ambient) -> kernel::Result<()> {
    if let Some((token, ends)) = house.site.accounts.open_setup().await? {
        let url = &house.site.base_url;
        let minutes = ends.since(ambient.now()).as_secs().div_ceil(60);
        complain(&format!(
            "Stoa has no admin yet. Claim it within {minutes} minutes at {url}/setup with the set-up token {}",
            token.expose()
        ));
    }
    Ok(())
}

/// Records that the configuration differs from that of the last start.
async fn note_configuration(configuration: &str, house: &House) -> kernel::Result<()> {
    let known = house.store.get_state(CONFIGURATION).await?;
    if known.as_deref() == Some(configuration) {
        return Ok(());
    }
    let event = AuditEvent::new(EventType::ConfigChanged, Actor::System)
        .with("before", known)
        .with("after", configuration);
    house.store.set_state(CONFIGURATION, configuration, vec![event]).await
}

/// Where people reach the server: the public URL, or the address it listens on.
fn base_url(settings: &Settings, address: SocketAddr) -> String {
    match &settings.http.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None if settings.listen.certificate.is_some() => format!("https://{address}"),
        None => format!("http://{address}"),
    }
}

fn announce(settings: &Settings, address: SocketAddr, plain: Option<SocketAddr>) {
    if let Some(plain) = plain {
        tracing::info!(address = %plain, "plain HTTP is redirected and refused");
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        environment = settings.profile.as_str(),
        %address,
        "Stoa is ready at {}",
        base_url(settings, address)
    );
    if settings.models.providers.is_empty() {
        tracing::warn!(
            "no model provider is configured: the built-in answerer serves (set OPENAI_API_KEY, OPENAI_BASE_URL or BEDROCK_MODEL)"
        );
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be received")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {
            // A second Ctrl-C is impatience: the default action ends the process at once.
            tokio::spawn(async move {
                interrupt.recv().await;
                std::process::exit(130);
            });
        }
    }
    Ok(())
}
