//! Looks after the database once a week: statistics are counted anew and free pages given back, by one replica, beside
//! requests that go on. It never removes anything.

use std::fmt;
use std::time::{Duration, Instant};

use kernel::{Ambient, Result, Time};
use store::{Store, Vacuumed};
use tokio_util::sync::CancellationToken;

/// What it is called in the list of chores.
pub const CHORE: &str = "upkeep";
/// How often.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(60);
/// For how long one replica has the work.
const SPAN: Duration = Duration::from_secs(60 * 60);

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// What the vacuum brought.
    pub vacuumed: Vacuumed,
    /// How long it all took.
    pub took: Duration,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Vacuumed { before, after, postponed } = self.vacuumed;
        write!(
            f,
            "statistics counted; {} bytes before, {} after, {} free",
            before.bytes, after.bytes, after.free
        )?;
        if postponed {
            f.write_str("; the file has to be rewritten as a whole: run `stoa maintain vacuum --whole` in a quiet hour")?;
        }
        Ok(())
    }
}

/// Whether it is time, given when it was last done. A clock that was set back does not keep it from ever being time.
pub fn is_due(last: Option<Time>, now: Time) -> bool {
    last.is_none_or(|last| last > now || now.since(last) >= WEEK)
}

/// Does it now, and notes it.
pub async fn keep_up(store: &Store) -> Result<Kept> {
    let began = Instant::now();
    store.analyze().await?;
    let vacuumed = store.vacuum(false).await?;
    let kept = Kept { vacuumed, took: began.elapsed() };
    store.note_chore(CHORE, kept.took, &kept.to_string()).await?;
    Ok(kept)
}

/// Does it whenever it is time, until `stop`.
pub async fn run(store: Store, ambient: Ambient, stop: CancellationToken) {
    let holder: String = ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
        let round = async {
            let due = || async {
                Ok::<bool, kernel::Fault>(is_due(
                    store.chore(CHORE).await?.map(|chore| chore.done_at),
                    ambient.now(),
                ))
            };
            // Asked again under the lease: another replica may have just done it.
            if due().await? && store.hold_lease(CHORE, &holder, SPAN).await? && due().await? {
                let kept = keep_up(&store).await?;
                let took_ms = u64::try_from(kept.took.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(took_ms, outcome = %kept, "the database was looked after");
                store.drop_lease(CHORE, &holder).await?;
            }
            Ok::<(), kernel::Fault>(())
        };
        if let Err(fault) = round.await {
            let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(
                code = fault.code().as_str(),
                cause,
                "the database could not be looked after; tried again"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_week() {
        let at = Time::from_seconds;
        assert!(is_due(None, at(0)));
        assert!(!is_due(Some(at(1_000)), at(1_000 + 6 * 86_400)));
        assert!(is_due(Some(at(1_000)), at(1_000 + 7 * 86_400)));
        assert!(is_due(Some(at(9_000_000)), at(1_000)));
    }
}
