//! How a command reaches the data of the deployment that it stands in: the same settings, the same keys, the
//! same store as the server, which may be running beside it.

use anyhow::anyhow;
use files::blob::Blobs;
use guard::outbound::aws::Aws;
use guard::outbound::{Outbound, install_crypto_provider};
use kernel::{Ambient, Fault};
use ops::backup::{Backups, Parts};
use store::Store;

use crate::cli::Global;
use crate::settings::keys::KEYRING_FILE;
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

/// Whether keys may be made that are not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fresh {
    /// As everywhere outside production.
    Allowed,
    /// A fresh key would open nothing.
    Refused,
}

/// The data with its backups, for work that may replace it, whatever its schema is.
pub(crate) struct Vault {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) backups: Backups,
}

/// Opens the data with its backups and gives them to `work`; closes the store in the end.
pub(crate) fn with_backups<T>(
    global: &Global,
    ambient: &Ambient,
    fresh: Fresh,
    work: impl AsyncFnOnce(&Vault) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let sources = sources(global, global.flags(), ambient)?;
    let (mut settings, _) = Settings::load(&sources).map_err(|refusal| anyhow!("{refusal}"))?;
    let keys = &settings.keys;
    if fresh == Fresh::Refused
        && keys.explicit.is_none()
        && keys.signing.is_empty()
        && !keys.data_dir.join(KEYRING_FILE).exists()
    {
        return Err(anyhow!(
            "there is no encryption key here, and a new one would open no backup; set ENCRYPTION_KEY to the one that \
             the backup was made with, or put the file `{KEYRING_FILE}` of the old data folder into `{}`",
            keys.data_dir.display()
        ));
    }
    let keyring = settings.open_keys(ambient.random()).map_err(|problem| anyhow!("{problem}"))?.keyring;
    install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        // Over a quota a write fails and says so; the signal that comes with it would end the process before.
        let quota = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        let _quota = tokio::signal::unix::signal(quota)?;
        let store =
            Store::open(settings.store.clone(), keyring.clone(), ambient.clone()).await.map_err(told)?;
        let outbound = Outbound::new(settings.models.timeouts.connect).map_err(told)?;
        let aws = Aws::new(settings.aws.clone(), outbound.operator().clone(), ambient.clone());
        let blobs = Blobs::open(&settings.blobs, outbound.operator(), &aws, ambient).map_err(told)?;
        let backups = Backups::new(Parts {
            config: settings.backups.clone(),
            store: store.clone(),
            keyring,
            blobs,
            client: outbound.operator().clone(),
            aws,
            ambient: ambient.clone(),
        });
        let vault = Vault { settings, store, backups };
        let outcome = work(&vault).await;
        vault.store.close().await;
        outcome
    })
}

/// Takes the keys of those who were erased out of the keyring beside the backups; a running server does it as well.
pub(crate) fn renew_keyring(global: &Global, ambient: &Ambient) -> anyhow::Result<()> {
    with_backups(global, ambient, Fresh::Refused, async |vault| {
        vault.backups.renew_keys(false).await.map_err(told).map(drop)
    })
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
