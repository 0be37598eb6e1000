//! Where the apps meet the rooms they work with. It owns no rule: the services are `conversation.rs`,
//! `turn.rs` and `once.rs`.

use std::sync::Arc;
use std::time::Duration;

use guard::content::SpamGuard;
use identity::hasher::Hasher;
use identity::{Admin, AppsRead, Identity, May};
use kernel::{Ambient, AppId, Result};
use knowledge::Manual;
use llm::Models;
use ops::audit::AuditSpool;
use store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::Canaries;
use crate::files::Shelves;
use crate::follow::Followed;
use crate::import::Bringing;
use crate::live::LiveTurns;
use crate::{App, Catalog, Library, kind};

/// The rooms that the apps work with.
pub struct Rooms {
    /// The apps.
    pub catalog: Catalog,
    /// Who may.
    pub identity: Arc<Identity>,
    /// Rows.
    pub store: Store,
    /// Model providers.
    pub models: Models,
    /// Stoa's own manual, from which the built-in answerer quotes.
    pub manual: Manual,
    /// The documents of the apps.
    pub library: Library,
    /// Passwords, of links that ask for one.
    pub hasher: Hasher,
    /// What only fills the line is kept out.
    pub spam: SpamGuard,
    /// Where files lie, and what may be kept.
    pub files: Shelves,
    /// Events that belong to no change.
    pub audit: AuditSpool,
    /// Time and randomness.
    pub ambient: Ambient,
    /// Tasks that must end before the process does: streams being written.
    pub tasks: TaskTracker,
    /// Cancelled when the server stops: streams end and are marked.
    pub stop: CancellationToken,
    /// An answer that does not stream takes at most this long.
    pub deadline: Duration,
}

/// The services of the apps. Cheap to clone.
#[derive(Clone)]
pub struct Hall {
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) live: LiveTurns,
    pub(crate) followed: Followed,
    pub(crate) canaries: Arc<Canaries>,
    pub(crate) bringing: Arc<Bringing>,
}

impl Hall {
    /// The services over these rooms.
    pub fn new(rooms: Rooms) -> Hall {
        Hall {
            rooms: Arc::new(rooms),
            live: LiveTurns::default(),
            followed: Followed::default(),
            canaries: Arc::default(),
            bringing: Arc::default(),
        }
    }

    /// The apps that the caller may enter, in the order of the configuration.
    pub fn apps(&self, may: &May<AppsRead>) -> Vec<App> {
        let open = may.who().apps();
        self.rooms.catalog.iter().filter(|app| open.contains(&app.id)).cloned().collect()
    }

    /// The apps in which people talk.
    pub fn talking(&self, _: &May<Admin>) -> Vec<App> {
        self.rooms.catalog.iter().filter(|app| kind::converses(app.kind)).cloned().collect()
    }

    /// The app, when there is one with this id.
    pub fn known(&self, id: AppId) -> Result<AppId> {
        self.rooms.catalog.get(&id).map(|_| id)
    }

    /// The app with this id, for who may do something in it.
    pub fn app(&self, id: &AppId) -> Result<App> {
        self.rooms.catalog.get(id).cloned()
    }

    /// Whether a model provider is configured; without one the built-in answerer serves.
    pub fn has_model(&self) -> bool {
        self.rooms.models.configured()
    }

    /// How many answers are being written now.
    pub fn turns_in_progress(&self) -> usize {
        self.live.len()
    }
}
