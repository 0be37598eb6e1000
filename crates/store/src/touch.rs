//! When keys, sessions and accounts were last used: noted in memory, written together every few seconds, so that a
//! request costs no write. A crash loses the last seconds of it, which hurts nobody.
//! It never decides anything by these times.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{MutexGuard, PoisonError};

use kernel::{KeyId, Result, SessionId, Time, UserId};

use crate::Store;
use crate::value::values;

/// Rows in one job: other work comes in between.
const STEP: usize = 256;

/// Uses that are not written yet.
#[derive(Default)]
pub(crate) struct Touched {
    keys: HashMap<KeyId, Time>,
    sessions: HashMap<SessionId, Time>,
    users: HashMap<UserId, Time>,
}

fn note<K: Hash + Eq>(map: &mut HashMap<K, Time>, id: K, at: Time) {
    let last = map.entry(id).or_insert(at);
    *last = at.max(*last);
}

impl Store {
    fn touched(&self) -> MutexGuard<'_, Touched> {
        self.inside.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a key was used. Costs nothing now: uses are written together every few seconds.
    pub fn touch_key(&self, id: KeyId, at: Time) {
        note(&mut self.touched().keys, id, at);
    }

    /// Notes that a session was used. Costs nothing now: uses are written together every few seconds.
    pub fn touch_session(&self, id: SessionId, at: Time) {
        note(&mut self.touched().sessions, id, at);
    }

    /// Notes that somebody signed in. Costs nothing now: these are written together every few seconds.
    /// [`Store::open_session`] does it by itself.
    pub fn note_sign_in(&self, id: UserId, at: Time) {
        note(&mut self.touched().users, id, at);
    }

    /// Writes the uses noted so far. What could not be written waits for the next time.
    pub(crate) async fn write_touches(&self) -> Result<()> {
        let Touched { keys, sessions, users } = std::mem::take(&mut *self.touched());
        let outcome = [
            self.write_uses(KEYS, keys, Store::touch_key).await,
            self.write_uses(SESSIONS, sessions, Store::touch_session).await,
            self.write_uses(USERS, users, Store::note_sign_in).await,
        ];
        outcome.into_iter().collect()
    }

    async fn write_uses<K>(
        &self,
        sql: &'static str,
        uses: HashMap<K, Time>,
        again: impl Fn(&Store, K, Time),
    ) -> Result<()>
    where
        K: Copy + ToString,
    {
        let mut sorted: Vec<(String, K, Time)> =
            uses.into_iter().map(|(id, at)| (id.to_string(), id, at)).collect();
        // One order in every process, so that two replicas never wait for each other.
        sorted.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let mut outcome = Ok(());
        for step in sorted.chunks(STEP) {
            let rows: Vec<(String, Time)> = step.iter().map(|(name, _, at)| (name.clone(), *at)).collect();
            let written = self.write_plain("touch", move |tx| {
                Box::pin(async move {
                    for (id, at) in rows {
                        tx.run(sql, values![id, at]).await?;
                    }
                    Ok(())
                })
            });
            if let Err(fault) = written.await {
                step.iter().for_each(|(_, id, at)| again(self, *id, *at));
                outcome = Err(fault);
            }
        }
        outcome
    }
}

const KEYS: &str = "UPDATE api_keys SET last_used_at = $2 \
                    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
const SESSIONS: &str = "UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2";
const USERS: &str = "UPDATE users SET last_sign_in_at = $2 \
                     WHERE id = $1 AND (last_sign_in_at IS NULL OR last_sign_in_at < $2)";
