//! A database of its own for each test, on both engines, with a clock that can be turned.
//! It never touches a database that it did not make.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use crypto::{Keyring, MasterKey};
use futures_util::FutureExt as _;
use kernel::{Actor, AppId, AuditEvent, EventType};
use kernel::{Ambient, Clock, ConversationId, MessageId, Random, Secret, Subject, Time, UserId, VisitorId};
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use store::{Config, Database, Joint, Message, Opening, Pool, PostgresTls, Role, Store, Turn};

/// A clock that moves one microsecond with every look.
pub struct TestClock(pub AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Bytes that never repeat within one process.
pub struct TestRandom;

static DRAWN: AtomicU64 = AtomicU64::new(0);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&DRAWN.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

pub fn ambient() -> (Ambient, Arc<TestClock>) {
    let clock = Arc::new(TestClock(AtomicI64::new(1_795_222_923_000_000)));
    (Ambient::new(clock.clone(), Arc::new(TestRandom)), clock)
}

pub fn keyring() -> Keyring {
    Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new())
}

pub fn pool() -> Pool {
    Pool {
        size: 4,
        overflow: 4,
        wait: Duration::from_secs(5),
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(60),
        recycle: Duration::from_secs(60),
    }
}

/// One test's database and the store on it.
pub struct World {
    pub store: Store,
    pub config: Config,
    pub ambient: Ambient,
    pub clock: Arc<TestClock>,
    pub app: AppId,
    folder: tempfile::TempDir,
    database: Option<String>,
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where the services are")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
}

/// The URL of the Postgres server for tests; `None`, with a note, when there is none.
pub fn postgres_url() -> Option<String> {
    let url = setting("STOA_TEST_POSTGRES");
    if url.is_none() {
        assert!(setting("REQUIRE_SERVICES").as_deref() != Some("1"), "STOA_TEST_POSTGRES is not set");
        println!("skipped: STOA_TEST_POSTGRES is not set");
    }
    url
}

pub fn with_database(url: &str, name: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_path(name);
    url.to_string()
}

/// A new database on the Postgres server, with its name.
async fn new_postgres(url: &str) -> (Database, String) {
    let name = format!("stoa_{}_{}", std::process::id(), DRAWN.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let url = Secret::new(with_database(url, &name));
    (Database::Postgres { url, tls: PostgresTls::Prefer }, name)
}

impl World {
    /// On a new SQLite file.
    pub async fn sqlite() -> World {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stoa.db");
        World::open(Database::Sqlite { path }, folder, None).await
    }

    /// On a new database of the Postgres server, if there is one.
    pub async fn postgres() -> Option<World> {
        install_tls();
        let url = postgres_url()?;
        let (database, name) = new_postgres(&url).await;
        Some(World::open(database, tempfile::tempdir().unwrap(), Some(name)).await)
    }

    async fn open(database: Database, folder: tempfile::TempDir, name: Option<String>) -> World {
        let world = World::empty(database, folder, name).await;
        world.store.migrate().await.unwrap();
        world
    }

    /// Another database of this engine, as the first version made it.
    pub async fn at_first_schema(&self) -> World {
        let world = self.blank().await;
        world.store.migrate_with(&store::STEPS[..1]).await.unwrap();
        world
    }

    /// Another database of this engine, without a schema.
    pub async fn blank(&self) -> World {
        let folder = tempfile::tempdir().unwrap();
        match &self.config.database {
            Database::Sqlite { .. } => {
                World::empty(Database::Sqlite { path: folder.path().join("stoa.db") }, folder, None).await
            }
            Database::Postgres { .. } => {
                let (database, name) = new_postgres(&postgres_url().unwrap()).await;
                World::empty(database, folder, Some(name)).await
            }
        }
    }

    async fn empty(database: Database, folder: tempfile::TempDir, name: Option<String>) -> World {
        let config = Config { database, pool: pool(), slow_query: Duration::from_secs(5) };
        let (ambient, clock) = ambient();
        let store = Store::open(config.clone(), keyring(), ambient.clone()).await.unwrap();
        let app = AppId::parse("assistant").unwrap();
        World { store, config, ambient, clock, app, folder, database: name }
    }

    /// On a database that somebody else made and will remove.
    pub async fn beside(config: Config) -> World {
        World::open(config.database, tempfile::tempdir().unwrap(), None).await
    }

    /// Another process on the same database.
    pub async fn second(&self) -> Store {
        Store::open(self.config.clone(), keyring(), self.ambient.clone()).await.unwrap()
    }

    /// Closes and drops everything.
    pub async fn end(self) {
        self.store.close().await;
        if let Some(name) = self.database
            && let Some(url) = postgres_url()
        {
            let mut admin = PgConnection::connect(&url).await.unwrap();
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut admin).await.unwrap();
        }
    }

    /// The folder of the SQLite file.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs SQL beside the store, as somebody who tampers or looks would.
    pub async fn tamper(&self, sql: &str) {
        self.try_to(sql).await.unwrap();
    }

    /// The same, which the database may refuse.
    pub async fn try_to(&self, sql: &str) -> Result<(), String> {
        match &self.config.database {
            Database::Sqlite { path } => beside(path).execute_batch(sql).map_err(|error| error.to_string()),
            Database::Postgres { url, .. } => {
                let mut raw = PgConnection::connect(url.expose()).await.unwrap();
                let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut raw).await;
                done.map(drop).map_err(|error| error.to_string())
            }
        }
    }

    /// A text that SQL beside the store gives.
    pub async fn text(&self, sql: &str) -> String {
        match &self.config.database {
            Database::Sqlite { path } => beside(path).query_row(sql, [], |row| row.get(0)).unwrap(),
            Database::Postgres { url, .. } => {
                let mut raw = PgConnection::connect(url.expose()).await.unwrap();
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut raw).await.unwrap()
            }
        }
    }

    /// A number that SQL beside the store gives.
    pub async fn number(&self, sql: &str) -> i64 {
        match &self.config.database {
            Database::Sqlite { path } => beside(path).query_row(sql, [], |row| row.get(0)).unwrap(),
            Database::Postgres { url, .. } => {
                let mut raw = PgConnection::connect(url.expose()).await.unwrap();
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut raw).await.unwrap()
            }
        }
    }

    pub fn visitor(&self) -> Subject {
        Subject::Visitor(VisitorId::new(&self.ambient))
    }

    pub fn user(&self) -> Subject {
        Subject::User(UserId::new(&self.ambient))
    }

    pub fn message(&self, conversation: ConversationId, role: Role, content: &str) -> Message {
        Message {
            id: MessageId::new(&self.ambient),
            conversation_id: conversation,
            parent_id: None,
            role,
            content: content.to_owned(),
            citations: Json::Null,
            created_at: self.ambient.now(),
            finish_reason: None,
            model: None,
            input_tokens: None,
            output_tokens: None,
            details: serde_json::Value::Null,
        }
    }

    /// A turn that begins a conversation.
    pub fn opening(&self, owner: Subject, said: &str) -> Turn {
        let id = ConversationId::new(&self.ambient);
        Turn {
            owner,
            app: self.app.clone(),
            opening: Opening::New { id, title: None, topic: None, session: None },
            joint: Joint::End,
            user: self.message(id, Role::User, said),
            assistant: self.message(id, Role::Assistant, &format!("answer to {said}")),
            max_user_messages: None,
            max_conversations: None,
        }
    }

    /// A turn in a conversation that exists.
    pub fn turn(&self, owner: Subject, id: ConversationId, said: &str) -> Turn {
        Turn { opening: Opening::Existing(id), ..self.opening(owner, said) }
    }
}

pub fn event(subject: Subject) -> Vec<AuditEvent> {
    vec![
        AuditEvent::new(EventType::DataWritten, Actor::Subject(subject))
            .from(std::net::IpAddr::from([192, 0, 2, 7])),
    ]
}

/// Runs a test in its world and ends the world whatever happens.
pub async fn within(world: World, test: impl AsyncFnOnce(&World)) {
    let outcome = AssertUnwindSafe(test(&world)).catch_unwind().await;
    world.end().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Each function becomes two tests: on SQLite and on Postgres.
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn test($world: &$crate::world::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::world::within($crate::world::World::sqlite().await, test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(world) = $crate::world::World::postgres().await {
                    $crate::world::within(world, test).await;
                }
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// A connection beside those of the store.
pub fn beside(path: &std::path::Path) -> rusqlite::Connection {
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.busy_timeout(Duration::from_secs(5)).unwrap();
    raw.pragma_update(None, "foreign_keys", true).unwrap();
    raw
}
