//! Whether the reader of an open stream may go on reading: asked in a task of its own, so that neither a silent nor a
//! hurried model keeps the question from being answered.

use std::sync::Arc;
use std::time::Duration;

use identity::{Identity, Principal};
use kernel::{AppId, Result};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often it is asked when nothing tells that something changed: expiry is told by no one.
const PACE: Duration = Duration::from_millis(250);

/// For so many questions in a row the answer may be unknown, because the database is away, before the stream is
/// ended: two seconds. Whoever was just revoked must not read on for as long as an outage lasts.
const UNKNOWN: u32 = 8;

/// Watches one reader until dropped.
pub(crate) struct Standing {
    lost: CancellationToken,
    _end: DropGuard,
}

impl Standing {
    /// Watches whether `who` is still accepted and may still enter `app`.
    pub(crate) fn watch(identity: &Arc<Identity>, who: &Principal, app: &AppId) -> Standing {
        let (lost, end) = (CancellationToken::new(), CancellationToken::new());
        let (identity, who, app) = (Arc::clone(identity), who.clone(), app.clone());
        let (told, ended) = (lost.clone(), end.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = until_lost(&identity, &who, &app) => {
                    tracing::warn!("a stream was ended: its reader may not read any more");
                    told.cancel();
                }
            }
        });
        Standing { lost, _end: end.drop_guard() }
    }

    /// Returns when the reader may not go on.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

async fn until_lost(identity: &Identity, who: &Principal, app: &AppId) {
    let mut changes = identity.changes();
    let mut unknown = 0;
    loop {
        let enters: Result<bool> = identity.enters(who, app).await;
        match enters {
            Ok(true) => unknown = 0,
            Ok(false) => return,
            Err(_) => unknown += 1,
        }
        if unknown > UNKNOWN {
            return;
        }
        // An answer that is unknown is asked for again at the pace, not with every change that cannot be read either.
        let moved = async {
            if unknown > 0 || changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = moved => {}
            () = tokio::time::sleep(PACE) => {}
        }
    }
}
