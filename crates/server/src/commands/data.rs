//! How a command reaches the data of the deployment that it stands in: the same settings, the same keys, the
//! same store as the server, which may be running beside it.

use anyhow::anyhow;
use guard::outbound::install_crypto_provider;
use kernel::{Ambient, Fault};
use store::Store;

use crate::cli::Global;
use crate::settings::{Flag, Settings, Sources, vault};

/// What the settings of this process are read from, Secrets Manager included where it is asked.
pub(crate) fn sources(global: &Global, flags: Vec<Flag>, ambient: &Ambient) -> std::io::Result<Sources> {
    let mut sources = Sources::of_process(&global.places(), flags);
    vault::complete_blocking(&mut sources, ambient)?;
    Ok(sources)
}

/// Opens the store and gives it to `work`; closes it in the end. `migrated`: refuse when the schema is behind.
pub(crate) fn with_store<T>(
    global: &Global,
    ambient: &Ambient,
    migrated: bool,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    open(global, ambient, migrated, async |store, _| work(store).await)
}

/// The same, for work that has to know the settings too; the schema must be up to date.
pub(crate) fn with_settings<T>(
    global: &Global,
    ambient: &Ambient,
    work: impl AsyncFnOnce(&Store, &Settings) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    open(global, ambient, true, work)
}

fn open<T>(
    global: &Global,
    ambient: &Ambient,
    migrated: bool,
    work: impl AsyncFnOnce(&Store, &Settings) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let sources = sources(global, global.flags(), ambient)?;
    let (mut settings, _) = Settings::load(&sources).map_err(|refusal| anyhow!("{refusal}"))?;
    let keys = settings.open_keys(ambient.random()).map_err(|problem| match sources.missing() {
        Some(missing) => anyhow!("{missing} ({problem})"),
        None => anyhow!("{problem}"),
    })?;
    install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(settings.store.clone(), keys.keyring, ambient.clone()).await.map_err(told)?;
        if migrated {
            let missing =
                store.migrations().await.map_err(told)?.iter().any(|step| step.applied_at.is_none());
            if missing {
                return Err(anyhow!("the database is behind this version; run `stoa migrate` first"));
            }
            store.check_key().await.map_err(told)?;
        }
        let outcome = work(&store, &settings).await;
        store.close().await;
        outcome
    })
}

/// A fault as the operator should read it: the sentence, and the cause, which holds no secret.
pub(crate) fn told(fault: Fault) -> anyhow::Error {
    match fault.cause() {
        Some(cause) => anyhow!("{fault}: {cause}"),
        None => anyhow!("{fault}"),
    }
}
