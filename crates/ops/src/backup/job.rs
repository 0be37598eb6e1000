//! What a server does by itself: a backup when it is due, also one that was missed; what is old goes; a drill now and
//! then; the keyring follows erasures. Of many replicas one does it. It never restores.

use std::time::Duration;

use kernel::{Actor, Fault, Result, Time};
use tokio_util::sync::CancellationToken;

use super::{Backups, Reason, lease, silently};

/// How often is looked whether something is due, and whether somebody was erased.
const PACE: Duration = Duration::from_secs(2);
/// How often the database is asked what it knows of backups.
const LOOK: Duration = Duration::from_secs(15);
/// After a failure the next attempt waits this long.
const AGAIN: Duration = Duration::from_secs(600);
/// A drill is made after a scheduled backup when the last one lies back this far.
const DRILL: Duration = Duration::from_secs(7 * 86_400);

impl Backups {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let (mut looked, mut epoch, mut away) = (None::<Time>, None, false);
        if let Err(fault) = self.begin_to_wait().await {
            warn(&fault, "what is known of backups cannot be written now");
        }
        loop {
            let now = self.now();
            if looked.is_none_or(|at| now < at || now.since(at) >= LOOK) {
                self.look().await;
                looked = Some(now);
            }
            let round = async {
                self.follow_erasures(&mut epoch).await?;
                self.make_due().await
            };
            let outcome = tokio::select! {
                outcome = round => outcome,
                () = stop.cancelled() => return,
            };
            match outcome {
                Err(fault) if !away => {
                    away = true;
                    warn(&fault, "backups cannot be looked after now");
                }
                outcome => away = outcome.is_err(),
            }
            tokio::select! {
                () = tokio::time::sleep(PACE) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Takes the keys of erased subjects out of the keyring.
    async fn follow_erasures(&self, seen: &mut Option<i64>) -> Result<()> {
        let now = self.0.store.epochs().await?.subjects;
        if *seen == Some(now) {
            return Ok(());
        }
        if let Some(house) = self.0.store.house().await?
            && let Some(keys) = self.keys(&house, None).await?
            && keys.epoch != now
        {
            self.renew_keys(false).await?;
        }
        *seen = Some(now);
        Ok(())
    }

    /// Makes a backup when one is due and nobody else makes it.
    pub(super) async fn make_due(&self) -> Result<()> {
        if !self.is_due() {
            return Ok(());
        }
        // Whoever comes second finds that it has been made.
        let Some(turn) = self.try_hold(lease::SCHEDULE).await? else { return Ok(()) };
        self.status().await?;
        if self.is_due() {
            // A failure has been recorded, and raises an alert; the next attempt comes by itself.
            if self.create(Reason::Scheduled, Actor::System, &silently()).await.is_ok() {
                self.prune().await?;
                self.drill_when_due().await;
            }
        }
        turn.end().await;
        Ok(())
    }

    fn is_due(&self) -> bool {
        let (now, known) = (self.now(), self.known());
        let Some(due) = known.due(now) else { return false };
        known.failed.is_none_or(|failed| failed.at < due || now < failed.at || now.since(failed.at) >= AGAIN)
    }

    async fn drill_when_due(&self) {
        let (now, known) = (self.now(), self.known());
        if known.verified.is_none_or(|drill| !drill.passed || now.since(drill.at) >= DRILL) {
            // What it finds has been recorded.
            let _ = self.verify_newest().await;
        }
    }
}

fn warn(fault: &Fault, what: &'static str) {
    let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(code = fault.code().as_str(), cause, "{what}");
}
