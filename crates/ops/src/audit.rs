//! The way of audit events that belong to no change: refused credentials, broken rules, reads. They wait in a
//! bounded spool and are written in batches. Events of a change never come here: they travel in its transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Actor, AuditEvent, EventType};
use store::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events waiting at the most. A flood beyond that is counted, and the count itself is recorded.
const SPOOL: usize = 8_192;
const BATCH: usize = 256;

/// Takes events without making the caller wait. Cheap to clone.
#[derive(Clone)]
pub struct AuditSpool {
    sender: mpsc::Sender<AuditEvent>,
    lost: Arc<AtomicU64>,
}

impl AuditSpool {
    /// Starts the task that writes; it ends, with everything written, after `stop`.
    pub fn start(store: Store, tasks: &TaskTracker, stop: CancellationToken) -> AuditSpool {
        let (sender, receiver) = mpsc::channel(SPOOL);
        let lost = Arc::new(AtomicU64::new(0));
        tasks.spawn(write(store, receiver, Arc::clone(&lost), stop));
        AuditSpool { sender, lost }
    }

    /// Takes note of an event.
    pub fn note(&self, event: AuditEvent) {
        tracing::debug!(event_type = event.event_type.as_str(), actor = %event.actor, "audit event noted");
        if self.sender.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn write(
    store: Store,
    mut events: mpsc::Receiver<AuditEvent>,
    lost: Arc<AtomicU64>,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            count = events.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = stop.cancelled() => events.close(),
        }
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            tracing::error!(missing, "audit events were lost: more came than could be written");
            batch.push(
                AuditEvent::new(EventType::SecurityViolation, Actor::System)
                    .with("audit_events_lost", missing),
            );
        }
        if batch.is_empty() {
            continue;
        }
        // While the database is away the spool fills and holds; what does not fit is counted above.
        while let Err(fault) = store.record(batch.clone()).await {
            tracing::warn!(
                code = fault.code().as_str(),
                events = batch.len(),
                "audit events wait for the database"
            );
            if stop.is_cancelled() {
                tracing::error!(
                    events = batch.len(),
                    "audit events were lost: the server stopped without a database"
                );
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        batch.clear();
    }
}
