//! What is coming in right now: how many uploads of each owner, and how many bytes of them lie aside. It keeps many
//! uploads at once from filling the disk with what the quota will refuse in the end. It counts in this process alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Code, Fault, Result, Subject};
use parking_lot::Mutex;

/// How many uploads of one owner may be under way here.
const UPLOADS: u32 = 16;

/// What is coming in.
#[derive(Clone, Default)]
pub(crate) struct Incoming(Arc<Mutex<HashMap<Subject, Now>>>);

#[derive(Default)]
struct Now {
    uploads: u32,
    bytes: u64,
}

/// One upload. Dropped, it is over.
pub(crate) struct Arriving {
    all: Incoming,
    owner: Subject,
    /// What its owner may still bring.
    room: u64,
    bytes: u64,
}

impl Incoming {
    /// Begins an upload of an owner who has `room` bytes left.
    pub(crate) fn begin(&self, owner: Subject, room: u64) -> Result<Arriving> {
        let mut all = self.0.lock();
        let now = all.entry(owner).or_default();
        if now.uploads >= UPLOADS {
            return Err(Fault::new(Code::RateLimited)
                .say(format!("at most {UPLOADS} uploads at the same time; wait for one to end"))
                .retry_after(Duration::from_secs(1)));
        }
        now.uploads += 1;
        Ok(Arriving { all: self.clone(), owner, room, bytes: 0 })
    }
}

impl Arriving {
    /// Counts bytes that have come; `false` when all uploads of the owner together bring more than there is room for.
    pub(crate) fn count(&mut self, bytes: u64) -> bool {
        let mut all = self.all.0.lock();
        let now = all.entry(self.owner).or_default();
        now.bytes = now.bytes.saturating_add(bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        now.bytes <= self.room
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        let over = all.get_mut(&self.owner).is_none_or(|now| {
            now.uploads = now.uploads.saturating_sub(1);
            now.bytes = now.bytes.saturating_sub(self.bytes);
            now.uploads == 0
        });
        if over {
            all.remove(&self.owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_uploads_of_an_owner_share_the_room() {
        let user = |n: u128| Subject::User(kernel::UserId::from_uuid(uuid::Uuid::from_u128(n)));
        let all = Incoming::default();
        let (mut one, mut two) = (all.begin(user(1), 100).unwrap(), all.begin(user(1), 100).unwrap());
        let mut other = all.begin(user(2), 100).unwrap();
        assert!(one.count(60) && other.count(100) && !two.count(60));
        drop(one);
        assert!(two.count(10));
        drop((two, other));
        assert!(all.0.lock().is_empty(), "nothing is remembered of what is over");
        let many: Vec<_> = (0..UPLOADS).map(|_| all.begin(user(1), 1).unwrap()).collect();
        assert_eq!(all.begin(user(1), 1).err().unwrap().code(), Code::RateLimited);
        assert!(all.begin(user(2), 1).is_ok());
        drop(many);
        assert!(all.begin(user(1), 1).is_ok());
    }
}
