//! `Identity` as a whole: what it knows, how it learns what changed behind its back, whom it tells. How credentials
//! become principals stands in `resolve.rs`, `session.rs` and `bearer.rs`.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use kernel::{Ambient, AppId, Code, Entry, Fault, Level, Result, Role, Subject, Time, UserEntry};
use parking_lot::Mutex;
use store::{Account, ApiKey, Epochs, Mode, Store};
use tokio::sync::watch;

use crate::Config;
use crate::cookie::SessionCookie;
use crate::issuer::Issuers;
use crate::key::Keys;
use crate::memory::{Holder, Memory};
use crate::principal::Apps;
use crate::session::Sliding;
use crate::token::Ring;
use crate::visitor::Visitors;

/// Resolves credentials and makes permissions. Shared by all requests.
pub struct Identity {
    pub(crate) visitors: Visitors,
    pub(crate) keys: Keys,
    pub(crate) visitor_apps: Apps,
    pub(crate) require_authentication: bool,
    pub(crate) cookie: SessionCookie,
    pub(crate) sliding: Sliding,
    pub(crate) memory: Memory,
    ring: ArcSwap<Ring>,
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    entries: Vec<(AppId, Entry)>,
    brake: ArcSwap<Mode>,
    floors: Floors,
    revoked: ArcSwap<HashSet<Subject>>,
    seen: Mutex<Option<Epochs>>,
    /// Counts what this process wrote itself, so that an older reading does not undo it.
    own: AtomicU64,
    moved: watch::Sender<u64>,
}

/// Below these, credentials without a row are dead.
#[derive(Default)]
struct Floors {
    visitors: AtomicI64,
    tokens: AtomicI64,
}

/// What the database says now, read after [`Identity::mark`].
#[derive(Clone, Debug, Default)]
pub struct News {
    /// The epochs.
    pub epochs: Epochs,
    /// The brake.
    pub brake: Mode,
    /// The subjects that were revoked.
    pub revoked: HashSet<Subject>,
    /// The keys, revoked ones too.
    pub keys: Vec<ApiKey>,
}

impl Identity {
    /// From the configuration. Keys of the database, the brake and epochs arrive with [`Identity::refresh`].
    /// An `internal` fault when there is no secret to sign with.
    pub fn new(config: &Config, store: Store, issuers: Arc<Issuers>, ambient: Ambient) -> Result<Identity> {
        let enterable = |rule: fn(&Entry) -> bool| -> Vec<AppId> {
            config.entries.iter().filter(|(_, entry)| rule(entry)).map(|(app, _)| app.clone()).collect()
        };
        Ok(Identity {
            ring: ArcSwap::from_pointee(Ring::new(&config.tokens, &config.cookie_secrets)?),
            issuers,
            visitors: Visitors::new(&config.cookie_secrets, config.visitor_lifetime, config.secure_cookies),
            keys: Keys::new(&config.environment_keys, enterable(|entry| entry.keys)),
            visitor_apps: Apps(enterable(|entry| entry.visitors).into()),
            require_authentication: config.require_authentication,
            cookie: SessionCookie::new(config.secure_cookies, config.cookie_domain.clone()),
            sliding: Sliding::new(config.session_lifetime, config.session_slide),
            memory: Memory::new(),
            store,
            ambient,
            entries: config.entries.clone(),
            brake: ArcSwap::default(),
            floors: Floors::default(),
            revoked: ArcSwap::default(),
            seen: Mutex::default(),
            own: AtomicU64::new(0),
            moved: watch::Sender::new(0),
        })
    }

    /// Whether anonymous visitors are refused everywhere.
    pub const fn requires_authentication(&self) -> bool {
        self.require_authentication
    }

    /// The public keys of access tokens as a JWK set, for `/.well-known/jwks.json`; `None` with HS256.
    pub fn jwks(&self) -> Option<serde_json::Value> {
        self.ring().jwks().cloned()
    }

    /// The keys of access tokens.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        self.ring.load_full()
    }

    /// Takes over the secrets of another configuration: those of cookies and access tokens, and the keys of the
    /// environment. Everything else stays as it was at the start. Requests in flight keep what they have been
    /// granted; open streams of a key that is gone end like those of a revoked one. An `internal` fault when there is
    /// no secret to sign with: then nothing is taken over.
    pub fn renew(&self, config: &Config) -> Result<()> {
        let ring = Ring::new(&config.tokens, &config.cookie_secrets)?;
        self.ring.store(Arc::new(ring));
        self.visitors.renew(&config.cookie_secrets);
        self.keys.renew(&config.environment_keys);
        self.tell();
        Ok(())
    }

    /// To be taken before the database is read for [`Identity::refresh`].
    pub fn mark(&self) -> u64 {
        self.own.load(Ordering::Acquire)
    }

    /// Takes note of what the database says now. False when this process has itself written keys or the brake since
    /// `mark` was taken: those are left as they are, and the database must be read again.
    pub fn refresh(&self, mark: u64, news: News) -> bool {
        let News { epochs, brake, revoked, keys } = news;
        self.revoked.store(Arc::new(revoked));
        // Floors only rise: what was read before this process raised one itself must not lower it.
        self.raise_visitors(epochs.server.saturating_add(epochs.visitors));
        self.raise_tokens(epochs.tokens);
        let fresh = self.mark() == mark;
        if fresh {
            self.keys.replace(keys);
            self.brake.store(Arc::new(brake));
        }
        let before = self.seen.lock().replace(epochs);
        let people =
            |epochs: Epochs| (epochs.server, epochs.subjects, epochs.users, epochs.sessions, epochs.tokens);
        if before.map(people) != Some(people(epochs)) {
            self.memory.forget();
        }
        if before != Some(epochs) {
            self.tell();
        }
        fresh
    }

    /// Moves whenever something changed that may end an open stream: ask [`Identity::stands`] then.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Forgets what is remembered of accounts and sessions: this process has just changed something of them.
    pub fn forget(&self) {
        self.memory.forget();
        self.tell();
    }

    /// Sets the brake in this process, which has just written it.
    pub(crate) fn set_brake(&self, mode: Mode) {
        self.own.fetch_add(1, Ordering::AcqRel);
        self.brake.store(Arc::new(mode));
        self.forget();
    }

    /// Takes note of a key that this process has just made or replaced.
    pub(crate) fn learn_key(&self, key: &ApiKey) {
        self.own.fetch_add(1, Ordering::AcqRel);
        self.keys.learn(key);
        self.tell();
    }

    /// Takes note that this process has just revoked this key, or all of the database.
    pub(crate) fn revoke_key(&self, id: Option<kernel::KeyId>) {
        self.own.fetch_add(1, Ordering::AcqRel);
        self.keys.revoke(id);
        self.tell();
    }

    /// Raises the floor of tokens in this process, which has just raised it in the database.
    pub(crate) fn raise_tokens(&self, floor: i64) {
        self.floors.tokens.fetch_max(floor, Ordering::AcqRel);
    }

    /// Raises the floor of visitors in this process, which has just raised it in the database.
    pub(crate) fn raise_visitors(&self, floor: i64) {
        self.floors.visitors.fetch_max(floor, Ordering::AcqRel);
    }

    /// Whether there is such an app.
    pub(crate) fn has_app(&self, app: &AppId) -> bool {
        self.entries.iter().any(|(known, _)| known == app)
    }

    /// Whether what is shown to whoever has a link may be shown now: not while the brake is pulled, whoever it lets pass,
    /// and nowhere where nobody comes in without a credential.
    pub fn open_to_strangers(&self) -> Result<()> {
        match self.brake() {
            _ if self.require_authentication => Err(Fault::new(Code::NotFound)),
            Mode::Off => Ok(()),
            Mode::Users | Mode::AdminOnly => Err(Fault::new(Code::LockedDown)),
        }
    }

    fn tell(&self) {
        self.moved.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn brake(&self) -> Mode {
        **self.brake.load()
    }

    pub(crate) fn visitor_epoch(&self) -> i64 {
        self.floors.visitors.load(Ordering::Acquire)
    }

    /// What was issued before this moment and has no row is dead.
    pub(crate) fn tokens_from(&self) -> Time {
        Time::from_micros(self.floors.tokens.load(Ordering::Acquire))
    }

    pub(crate) fn visitor_stands(&self, epoch: i64, subject: Subject) -> bool {
        epoch >= self.visitor_epoch() && !self.is_revoked(subject)
    }

    pub(crate) fn is_revoked(&self, subject: Subject) -> bool {
        self.revoked.load().contains(&subject)
    }

    /// The account with the apps that it may enter and manage: default deny.
    pub(crate) fn hold(&self, account: Account) -> Holder {
        let admin = account.role == Role::Admin;
        let granted = |app: &AppId| Holder::granted(&account, app);
        let enters = |app: &AppId, entry: &Entry| match entry.users {
            UserEntry::Nobody => false,
            UserEntry::Granted => admin || granted(app).is_some(),
            UserEntry::Everybody => true,
        };
        let manages = |app: &AppId| admin || granted(app) == Some(Level::Manage);
        let all = || self.entries.iter();
        let apps = all().filter(|(app, entry)| enters(app, entry)).map(|(app, _)| app.clone()).collect();
        let managed = all().filter(|(app, _)| manages(app)).map(|(app, _)| app.clone()).collect();
        Holder { apps: Apps(apps), managed: Apps(managed), account }
    }
}
