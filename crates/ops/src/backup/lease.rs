//! One process at a time: a lease of the database, kept while the work goes on, that ends soon after its holder has
//! died. It never knows what the work is.

use std::time::Duration;

use kernel::{Code, Fault, Result};
use tokio::task::JoinHandle;

use super::Backups;

/// Making and restoring.
pub(super) const BACKUP: &str = "backup";
/// Making what is due.
pub(super) const SCHEDULE: &str = "backup.schedule";
/// Writing the keyring.
pub(super) const KEYS: &str = "backup.keys";
/// While it is held, no bytes of files are removed (`apps::files::tending`).
pub(super) const FILES: &str = "backup.files";

/// How long a lease lives without its holder, and how often the holder asks for more.
const SPAN: Duration = Duration::from_secs(20);
const RENEWAL: Duration = Duration::from_secs(5);
/// How long one waits for another: a little longer than a dead one holds on.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(500);

/// A lease that is held. Dropped without its end, it ends by itself.
pub(super) struct Held {
    backups: Backups,
    name: &'static str,
    holder: String,
    renewing: Option<JoinHandle<()>>,
}

impl Backups {
    /// Waits for a lease and holds it; `conflict` when another has it for too long.
    pub(super) async fn hold(&self, name: &'static str) -> Result<Held> {
        let mark: String = self.0.ambient.bytes::<4>().iter().map(|byte| format!("{byte:02x}")).collect();
        let holder = format!("{}/{mark}", self.0.holder);
        let since = tokio::time::Instant::now();
        while !self.0.store.hold_lease(name, &holder, SPAN).await? {
            if since.elapsed() > PATIENCE {
                return Err(Fault::new(Code::Conflict)
                    .say("Another backup or restore is going on. Try again when it has ended."));
            }
            tokio::time::sleep(STEP).await;
        }
        let (store, again) = (self.0.store.clone(), holder.clone());
        let renewing = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL).await;
                if let Err(fault) = store.hold_lease(name, &again, SPAN).await {
                    tracing::debug!(?fault, name, "a lease could not be renewed");
                }
            }
        });
        Ok(Held { backups: self.clone(), name, holder, renewing: Some(renewing) })
    }
}

impl Held {
    /// Gives the lease up. Where that fails it ends by itself.
    pub(super) async fn end(mut self) {
        if let Some(renewing) = self.renewing.take() {
            renewing.abort();
        }
        let _ = self.backups.0.store.drop_lease(self.name, &self.holder).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(renewing) = self.renewing.take() else { return };
        renewing.abort();
        let (store, name, holder) = (self.backups.0.store.clone(), self.name, self.holder.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { store.drop_lease(name, &holder).await });
        }
    }
}
