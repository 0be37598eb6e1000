//! A server's rooms of identity without a server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crypto::password::Cost;
use crypto::{Blind, Keyring, MasterKey};
use guard::limits::{Limiter, Rule, Rules};
use guard::outbound::Outbound;
use http::{HeaderMap, HeaderName, HeaderValue};
use identity::hasher::Hasher;
use identity::issuer::Issuers;
use identity::oidc::SignIn;
use identity::passkey::Party;
use identity::trust::{AccessTokens, PasswordRules};
use identity::{
    AccountParts, Accounts, Administration, Config, Context, Credentials, Identity, KeyService, News,
    Principal, Refusal, Registration, Resolved, Tokens, Verified,
};
use kernel::{
    Actor, Ambient, AppId, AuditEvent, Clock, Entry, EventType, PageRequest, Random, Role, Secret, Time,
};
use store::{AuditFilter, Database, NewUser, Pool, Store, StoredEvent, User};
use tokio_util::task::TaskTracker;

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
pub const PASSWORD: &str = "seven quiet otters paint";
pub const OTHER: &str = "eleven loud herons whistle";
pub const ENVIRONMENT_KEY: &str = "0123456789abcdef0123456789abcdef";

pub struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Time {
        // Each look is later than the one before, as on a real clock: ids and floors differ.
        Time::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Dice;
static DRAWN: AtomicU64 = AtomicU64::new(1);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            // SplitMix64: never the same twice within a process.
            let mut z = DRAWN.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            piece.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
    }
}

pub struct World {
    pub identity: Arc<Identity>,
    pub accounts: Arc<Accounts>,
    pub keys: KeyService,
    pub administration: Administration,
    pub store: Store,
    pub clock: Arc<Hands>,
    pub tasks: TaskTracker,
    _folder: Arc<tempfile::TempDir>,
    path: std::path::PathBuf,
    setup: Setup,
}

#[derive(Clone)]
pub struct Setup {
    pub registration: Registration,
    pub mail: bool,
    pub sign_in: u32,
    pub require_authentication: bool,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            registration: Registration::Open,
            mail: false,
            sign_in: 1_000_000,
            require_authentication: false,
        }
    }
}

pub fn app(id: &str) -> AppId {
    AppId::parse(id).unwrap()
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

impl World {
    pub async fn open() -> World {
        World::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> World {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = folder.path().join("stoa.db");
        let clock = Arc::new(Hands(AtomicI64::new(1_795_222_923_000_000)));
        World::build(setup, folder, path, clock).await
    }

    /// Another replica on the same database.
    pub async fn replica(&self) -> World {
        let clock = Arc::clone(&self.clock);
        World::build(self.setup.clone(), Arc::clone(&self._folder), self.path.clone(), clock).await
    }

    async fn build(
        setup: Setup,
        folder: Arc<tempfile::TempDir>,
        path: std::path::PathBuf,
        clock: Arc<Hands>,
    ) -> World {
        let ambient = Ambient::new(clock.clone(), Arc::new(Dice));
        let pool = Pool {
            size: 4,
            overflow: 4,
            wait: Duration::from_secs(20),
            connect: Duration::from_secs(5),
            idle: MINUTE,
            recycle: MINUTE,
        };
        let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
        let tags = Blind::new(keyring.purpose_key("stoa 2026 account tags"));
        let config =
            store::Config { database: Database::Sqlite { path: path.clone() }, pool, slow_query: MINUTE };
        let store = Store::open(config, keyring, ambient.clone()).await.unwrap();
        store.migrate().await.unwrap();
        store.check_key().await.unwrap();
        let entry = |visitors, keys, users| Entry { visitors, keys, users };
        use kernel::UserEntry::{Everybody, Granted};
        let config = Config {
            cookie_secrets: vec![secret("a signing secret of the tests, long enough")],
            secure_cookies: false,
            cookie_domain: None,
            session_lifetime: 8 * HOUR,
            session_slide: HOUR,
            registration: setup.registration,
            mail: setup.mail,
            tokens: AccessTokens::default(),
            passwords: PasswordRules { cost: Cost::TEST, parallel: 8, waiting: 10_000, words: Vec::new() },
            firebase: None,
            issuers: Vec::new(),
            visitor_lifetime: 24 * HOUR,
            environment_keys: vec![secret(ENVIRONMENT_KEY)],
            require_authentication: setup.require_authentication,
            entries: vec![
                (app("assistant"), entry(true, true, Everybody)),
                (app("workspace"), entry(false, false, Granted)),
                (app("support"), entry(false, true, Granted)),
            ],
        };
        let rule = |limit| vec![Rule { limit, window: MINUTE }];
        let rules = Rules {
            sign_in: rule(setup.sign_in),
            file_delete: rule(20),
            chat_visitor: rule(10),
            chat_address: rule(30),
            chat_principal: rule(30),
            everything: rule(300),
        };
        let limits = guard::limits::Config { enabled: true, redis: None, replicas: 1, rules };
        let outbound = Outbound::new(MINUTE).unwrap();
        let issuers = Arc::new(Issuers::new(&config, &outbound, &ambient));
        let oidc = SignIn::new(&config, Arc::clone(&issuers), "http://127.0.0.1:8080", &outbound, &ambient);
        let identity =
            Arc::new(Identity::new(&config, store.clone(), Arc::clone(&issuers), ambient.clone()).unwrap());
        let tasks = TaskTracker::new();
        let parts = AccountParts {
            identity: Arc::clone(&identity),
            store: store.clone(),
            limiter: Limiter::new(limits, ambient.clone()),
            ambient: ambient.clone(),
            tags,
            tasks: tasks.clone(),
            hasher: Hasher::new(&config.passwords, ambient.clone()).unwrap(),
            oidc,
            party: Some(Party::local("Stoa", &config.cookie_secrets)),
        };
        let accounts = Arc::new(Accounts::new(&config, parts));
        let keys = KeyService::new(Arc::clone(&identity), store.clone(), ambient.clone());
        let administration =
            Administration::new(Arc::clone(&identity), Arc::clone(&accounts), store.clone(), ambient);
        let world = World {
            identity,
            accounts,
            keys,
            administration,
            store,
            clock,
            tasks,
            _folder: folder,
            path,
            setup,
        };
        world.look().await;
        world
    }

    /// What the watch of a server does four times a second.
    pub async fn look(&self) -> bool {
        let mark = self.identity.mark();
        let epochs = self.store.epochs().await.unwrap();
        let keys = self.store.keys(None, PageRequest::first(100)).await.unwrap().items;
        let brake = self.store.lockdown().await.unwrap().mode;
        let revoked = self.store.revoked_subjects(Time::EPOCH).await.unwrap();
        let revoked = revoked.into_iter().map(|(subject, _)| subject).collect();
        self.identity.refresh(mark, News { epochs, brake, revoked, keys })
    }

    pub fn turn(&self, span: Duration) {
        self.clock.0.fetch_add(span.as_micros() as i64, Ordering::Relaxed);
    }

    pub fn ambient(&self) -> Ambient {
        Ambient::new(self.clock.clone(), Arc::new(Dice))
    }

    /// An account with [`PASSWORD`], made as the command line does.
    pub async fn user(&self, email: &str, role: Role) -> User {
        let ambient = self.ambient();
        let rules = PasswordRules { cost: Cost::TEST, ..PasswordRules::default() };
        let hash = Hasher::new(&rules, ambient.clone()).unwrap().hash(secret(PASSWORD)).await.unwrap();
        let new = NewUser {
            id: kernel::UserId::new(&ambient),
            email: email.to_owned(),
            name: "Ann".to_owned(),
            role,
            verified: true,
            password: Some(hash),
        };
        let event = AuditEvent::new(EventType::UserChanged, Actor::Operator);
        self.store.create_user(new, vec![event]).await.unwrap()
    }

    pub fn from(&self, ip: IpAddr) -> Context {
        Context::new(ip, false)
    }

    pub async fn sign_in(&self, email: &str) -> kernel::Result<Verified> {
        self.accounts.sign_in(email, &secret(PASSWORD), None, &self.from(HOME)).await
    }

    /// Signs in a browser: the header that it sends from then on.
    pub async fn browser(&self, email: &str) -> Caller {
        let verified = self.sign_in(email).await.unwrap();
        let browser = self.accounts.open_browser(verified, &self.from(HOME)).await.unwrap();
        Caller::cookie(browser.cookies[0].split(';').next().unwrap())
    }

    pub async fn tokens(&self, email: &str) -> Tokens {
        let verified = self.sign_in(email).await.unwrap();
        self.accounts.open_tokens(verified, &self.from(HOME)).await.unwrap()
    }

    pub async fn program(&self, email: &str) -> Caller {
        Caller::bearer(self.tokens(email).await.access_token.expose())
    }

    pub async fn ask(&self, caller: &Caller) -> Result<Resolved, Refusal> {
        self.identity.resolve(Credentials::read(&caller.0), HOME, false).await
    }

    pub async fn principal(&self, caller: &Caller) -> Principal {
        self.ask(caller).await.unwrap().principal
    }

    /// The code with which a caller is refused.
    pub async fn refused(&self, caller: &Caller) -> &'static str {
        match self.ask(caller).await {
            Ok(resolved) => panic!("{:?} was let in", resolved.principal),
            Err(refusal) => refusal.fault.code().as_str(),
        }
    }

    pub async fn events(&self, event_type: &str) -> Vec<StoredEvent> {
        let filter = AuditFilter { event_type: Some(event_type.to_owned()), ..AuditFilter::default() };
        self.store.audit_events(filter, PageRequest::first(100)).await.unwrap().items
    }

    /// Waits for the work that goes on after answers.
    pub async fn settle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }
}

/// What a caller sends with each request.
#[derive(Clone)]
pub struct Caller(pub HeaderMap);

impl Caller {
    pub fn nobody() -> Caller {
        Caller(HeaderMap::new())
    }

    pub fn cookie(pair: &str) -> Caller {
        Caller::nobody().with("cookie", pair)
    }

    pub fn bearer(token: &str) -> Caller {
        Caller::nobody().with("authorization", &format!("Bearer {token}"))
    }

    pub fn key(key: &str) -> Caller {
        Caller::nobody().with("x-api-key", key)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Caller {
        self.0.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }
}

pub fn code<T>(result: kernel::Result<T>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(fault) => fault.code().as_str(),
    }
}
