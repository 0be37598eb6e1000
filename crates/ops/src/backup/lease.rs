//! One process at a time: a lease of the database, kept while the work goes on, that ends soon after its holder has
//! died. It never knows what the work is.

use std::fs;
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
        let since = tokio::time::Instant::now();
        loop {
            if let Some(held) = self.try_hold(name).await? {
                return Ok(held);
            }
            if since.elapsed() > PATIENCE {
                return Err(Fault::new(Code::Conflict)
                    .say("Another backup or restore is going on. Try again when it has ended."));
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// Holds a lease, unless another does.
    pub(super) async fn try_hold(&self, name: &'static str) -> Result<Option<Held>> {
        let mark: String = self.0.ambient.bytes::<4>().iter().map(|byte| format!("{byte:02x}")).collect();
        let holder = format!("{}/{mark}", self.0.holder);
        if !self.0.store.hold_lease(name, &holder, SPAN).await? {
            // Nobody needs to wait for a process of this machine that was killed.
            let other = self.0.store.lease_holder(name).await?;
            let Some(dead) =
                other.filter(|other| Process::of(other).is_some_and(|process| process.is_dead()))
            else {
                return Ok(None);
            };
            self.0.store.drop_lease(name, &dead).await?;
            if !self.0.store.hold_lease(name, &holder, SPAN).await? {
                return Ok(None);
            }
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
        Ok(Some(Held { backups: self.clone(), name, holder, renewing: Some(renewing) }))
    }
}

/// A process of this machine, as the names of holders tell it: which start of which machine, which space of process
/// numbers, which number, and when it began, since numbers are given out again.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Process {
    machine: String,
    number: u32,
    began: String,
}

impl Process {
    fn this() -> Option<Process> {
        let number = std::process::id();
        Some(Process { machine: machine()?, number, began: began(number)? })
    }

    /// The one in the name of a holder.
    fn of(holder: &str) -> Option<Process> {
        let mut parts = holder.split('/');
        let (machine, number, began) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Process { machine: machine.to_owned(), number: number.parse().ok()?, began: began.to_owned() })
    }

    /// It was here and is no more. Of other machines nothing is known.
    fn is_dead(&self) -> bool {
        machine().as_ref() == Some(&self.machine) && began(self.number).as_ref() != Some(&self.began)
    }
}

/// The name of this process among those who hold leases; `mark` where the system tells nothing.
pub(super) fn name(mark: &str) -> String {
    match Process::this() {
        Some(Process { machine, number, began }) => format!("{machine}/{number}/{began}/{mark}"),
        None => mark.to_owned(),
    }
}

fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    let digits: String = space.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Some(format!("{}-{digits}", boot.trim()))
}

/// When a process began, in the ticks of its machine; `None` when there is none.
fn began(number: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name in parentheses may hold anything; what is counted stands after it, and the time is the 22nd field.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    // A process that was killed and not waited for does nothing any more.
    (fields.next()? != "Z").then(|| fields.nth(18).map(str::to_owned)).flatten()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_living_are_told_from_the_dead() {
        let this = Process::this().unwrap();
        assert_eq!(Process::of(&name("mark")), Some(this.clone()));
        assert!(!this.is_dead());
        assert!(
            Process { began: "0".to_owned(), ..this.clone() }.is_dead(),
            "the number was given out again"
        );
        assert!(!Process { machine: "another".to_owned(), began: "0".to_owned(), ..this }.is_dead());
        assert_eq!(Process::of("0123456789abcdef/0011"), None);
    }
}
