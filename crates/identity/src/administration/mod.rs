//! What admins do: users, grants, sessions, keys, the brake, the log, alerts. The command line does the same through
//! the store with `Actor::Operator`. Every change is audited in its transaction and holds at once.

mod brake;
mod holds;
mod records;
mod subjects;
mod users;

use std::sync::Arc;

use kernel::{Ambient, AuditEvent, EventType};
use store::Store;

use crate::{Accounts, Admin, Identity, May};

pub use brake::{Revoked, What};
pub use holds::hold_reason;
pub use subjects::NewAccount;

/// The services of admins.
pub struct Administration {
    identity: Arc<Identity>,
    accounts: Arc<Accounts>,
    store: Store,
    ambient: Ambient,
}

impl Administration {
    /// Over these rooms.
    pub const fn new(
        identity: Arc<Identity>,
        accounts: Arc<Accounts>,
        store: Store,
        ambient: Ambient,
    ) -> Administration {
        Administration { identity, accounts, store, ambient }
    }
}

/// An event of something that an admin did.
fn event(may: &May<Admin>, what: EventType) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address())
}
