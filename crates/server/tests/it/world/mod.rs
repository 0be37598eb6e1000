//! A running server of one test's own: the binary, its folder, its database, the model provider it asks.
//! It never touches a server, database or folder that it did not make.

mod amazon;
mod balancer;
mod case;
mod client;
mod events;
mod front;
mod issuer;
mod people;
mod process;
#[path = "../../../../ops/tests/watching/receivers.rs"]
mod receivers;
pub mod secure;
mod services;
mod upstream;
mod way;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use amazon::{Amazon, By, Does};
pub use case::{Case, check};
pub use client::{Answer, Caller, Request};
pub use events::{Event, Events, text};
pub use front::Front;
pub use issuer::Issuer;
pub use people::{PASSWORD, Person, signed_in};
pub use process::{Output, Process, command, run};
pub use receivers::{Hook, Smtp};
pub use services::{PostgresServer, RedisServer, is_root, raw, raw_output, redis_url, setting};
pub use upstream::{Mode, Upstream};
pub use way::{Passage, Way};

use serde_json::{Value, json};

/// The API keys of the environment that every world knows. They are made up and strong enough for production.
pub const KEY: &str = "it-key-1-Vb7qTz0RkYp3Wn8sXd5LmHf2Gc9Jr4Ea";
pub const OTHER_KEY: &str = "it-key-2-Qx4nBv8ZcLk6Pw1tRy9SgUd3Hj7Mf5Ke";
/// What the provider must be shown, and nobody else.
pub const MODEL_KEY: &str = "sk-it-upstream-6fJ2kQ9wZr7Tn4Vb8Xc3Lm5Pd1Hs0Gy";
/// A signing secret for those tests that need one.
pub const SESSION_SECRET: &str = "Zt5Kq9Wb2Xn7Vm4Lc8Rj1Hf6Gd3Sp0YaEuTiOwBx";

/// What a server is started with.
pub struct Setup {
    database: Option<services::Database>,
    redis: Option<RedisServer>,
    replicas: Option<usize>,
    variables: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    model: bool,
}

/// A running server.
pub struct World {
    pub process: Process,
    pub upstream: Upstream,
    pub folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    database: Option<services::Database>,
    /// Ends with the world.
    _redis: Option<RedisServer>,
}

/// How many replicas every server of the tests is, where that was asked for: `STOA_TEST_REPLICAS`.
pub fn replicas() -> usize {
    setting("STOA_TEST_REPLICAS").map_or(1, |count| count.parse().expect("STOA_TEST_REPLICAS is a number"))
}

impl Setup {
    /// On SQLite; on Postgres and Redis where the tests run on replicas.
    pub fn sqlite() -> Setup {
        let alone = Setup::alone();
        match replicas() {
            2.. => alone.shared().unwrap_or_else(Setup::alone),
            _ => alone,
        }
    }

    /// On SQLite, in any case: for what only one process has.
    pub fn alone() -> Setup {
        let variables = [
            ("API_PORT", "0"),
            ("API_KEYS", &format!("{KEY},{OTHER_KEY}") as &str),
            // Tests that are not about it provoke what the monitor tells about.
            ("ALERT_INTERVAL_MS", "60000"),
            // How full the disk of the machine is is no matter of the tests.
            ("ALERT_DISK_PERCENT", "0"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Setup {
            database: None,
            redis: None,
            replicas: None,
            variables: BTreeMap::from(variables),
            files: BTreeMap::new(),
            model: true,
        }
    }

    /// On a new database of the Postgres server for tests, if there is one.
    pub fn postgres() -> Option<Setup> {
        if replicas() > 1 {
            return Setup::alone().shared();
        }
        let database = services::Database::create()?;
        let setup = Setup::alone().set("DATABASE_URL", &database.url);
        Some(Setup { database: Some(database), ..setup })
    }

    /// On a new database of Postgres and a Redis of its own.
    fn shared(self) -> Option<Setup> {
        let (database, redis) = (services::Database::create()?, RedisServer::start()?);
        let setup = self.set("DATABASE_URL", &database.url).set("REDIS_URL", redis.url());
        // The tests of one machine share one Postgres.
        let setup = setup.set("DB_POOL_SIZE", 4).set("DB_MAX_OVERFLOW", 8);
        Some(Setup { database: Some(database), redis: Some(redis), ..setup })
    }

    /// This many replicas on one Postgres and one Redis, behind one address that sends nobody to the same one twice.
    pub fn replicas(count: usize) -> Option<Setup> {
        Some(Setup { replicas: Some(count), ..Setup::alone().shared()? })
    }

    /// With this variable.
    pub fn set(mut self, name: &str, value: impl ToString) -> Setup {
        self.variables.insert(name.to_owned(), value.to_string());
        self
    }

    /// With this file in the folder where the server runs; what comes later under the same name is added.
    pub fn file(mut self, name: &str, text: &str) -> Setup {
        self.files.entry(name.to_owned()).or_default().push_str(text);
        self
    }

    /// Without this variable.
    pub fn unset(mut self, name: &str) -> Setup {
        self.variables.remove(name);
        self
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Without a model provider: the built-in answerer serves.
    pub fn without_model(mut self) -> Setup {
        self.model = false;
        self
    }

    /// No limits, for tests that are about something else and ask often.
    pub fn unlimited(self) -> Setup {
        self.set("RATE_LIMIT_ENABLED", "false")
    }

    /// The variables that production asks for.
    pub fn production(self) -> Setup {
        self.set("ENVIRONMENT", "production")
            .set("SESSION_SECRET", SESSION_SECRET)
            .set("PUBLIC_URL", "https://chat.example.org")
            .set("ALLOWED_HOSTS", "chat.example.org,127.0.0.1")
            .set("TRUSTED_PROXIES", "127.0.0.1")
            .set("API_HOST", "127.0.0.1")
    }

    /// Everything but the server itself: for commands, and for servers that refuse to start.
    pub async fn prepare(mut self) -> (tempfile::TempDir, BTreeMap<String, String>, Upstream) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &self.files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let upstream = Upstream::start().await;
        if self.model {
            for (name, value) in
                [("OPENAI_BASE_URL", upstream.url()), ("OPENAI_API_KEY", MODEL_KEY.to_owned())]
            {
                self.variables.entry(name.to_owned()).or_insert(value);
            }
        }
        let data = folder.path().join("data");
        self.variables.entry("STOA_DATA_DIR".to_owned()).or_insert_with(|| data.display().to_string());
        if self.variables.get("ENVIRONMENT").is_some_and(|name| name == "production") {
            let file = format!("sqlite:{}", data.join("stoa.db").display());
            self.variables.entry("DATABASE_URL".to_owned()).or_insert(file);
        }
        (folder, self.variables, upstream)
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(mut self) -> World {
        let (database, redis, count) = (self.database.take(), self.redis.take(), self.replicas);
        let (folder, variables, upstream) = self.prepare().await;
        let process = match count {
            Some(count) => Process::several(folder.path(), &variables, count).await,
            None => Process::start(folder.path(), &variables).await,
        };
        World { process, upstream, folder, variables, database, _redis: redis }
    }
}

impl World {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// Somebody who keeps no cookie: everybody's first visit.
    pub fn anonymous(&self) -> Caller {
        Caller::new(self.address())
    }

    /// Somebody with a cookie jar.
    pub fn visitor(&self) -> Caller {
        Caller::new(self.address()).with_jar()
    }

    /// The holder of [`KEY`].
    pub fn key(&self) -> Caller {
        self.anonymous().with("x-api-key", KEY)
    }

    /// The holder of [`OTHER_KEY`].
    pub fn stranger(&self) -> Caller {
        self.anonymous().with("x-api-key", OTHER_KEY)
    }

    /// The value of a variable that the server was started with.
    pub fn setting(&self, name: &str) -> &str {
        &self.variables[name]
    }

    /// The folder of the server's data.
    pub fn data(&self) -> PathBuf {
        PathBuf::from(&self.variables["STOA_DATA_DIR"])
    }

    /// The database of this world, where it is not a file of its own.
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(|database| database.url.clone())
    }

    /// The variables of this world with another value for one.
    pub fn with(&self, name: &str, value: &str) -> BTreeMap<String, String> {
        let mut variables = self.variables.clone();
        variables.insert(name.to_owned(), value.to_owned());
        variables
    }

    /// Runs a command of the binary beside the server, on the same settings.
    pub async fn stoa(&self, arguments: &[&str]) -> Output {
        process::run(self.folder.path(), &self.variables, arguments).await
    }

    /// The same, with something to read on its standard input.
    pub async fn stoa_with(&self, arguments: &[&str], input: &str) -> Output {
        process::run_with(self.folder.path(), &self.variables, arguments, input).await
    }

    /// Runs a command that must succeed and reads what it prints, one JSON document a line.
    pub async fn told(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.stoa(arguments).await;
        assert!(output.success(), "{arguments:?}: {output:?}");
        let documents = serde_json::Deserializer::from_str(&output.out).into_iter::<Value>();
        documents.collect::<Result<_, _>>().unwrap()
    }

    /// Events of this type in the audit log, newest first.
    pub async fn audited(&self, event: &str) -> Vec<Value> {
        self.told(&["audit", "list", "--json", "--limit", "10000", "--event", event]).await
    }

    /// Waits until the audit log holds an event of this type that `wanted` accepts.
    pub async fn await_audit(&self, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..50 {
            if let Some(found) = self.audited(event).await.into_iter().find(&wanted) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {event} in the audit log: {:?}", self.told(&["audit", "list", "--json"]).await);
    }

    /// The audit chain is whole; gives the number of events.
    pub async fn verify_audit(&self) -> u64 {
        let verdict = self.told(&["audit", "verify", "--json"]).await.remove(0);
        assert_eq!(verdict["intact"], true, "{verdict}");
        verdict["events"].as_u64().unwrap()
    }

    /// Ends the server as a power cut would, and starts it again on the same data.
    pub async fn crash(&mut self) {
        self.process.kill().await;
        self.process = Process::start(self.folder.path(), &self.variables).await;
    }

    /// Ends the server in order, and starts it again on the same data with this variable.
    pub async fn restart_with(&mut self, name: &str, value: &str) {
        assert_eq!(self.process.terminate().await, Some(0));
        self.variables.insert(name.to_owned(), value.to_owned());
        self.process = Process::start(self.folder.path(), &self.variables).await;
    }

    /// Starts the server again that was ended.
    pub async fn start_again(&mut self) {
        self.process = Process::start(self.folder.path(), &self.variables).await;
    }

    /// A command of the binary on the same settings, to be run by the test.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        process::command(self.folder.path(), &self.variables, arguments)
    }

    /// Another replica on the same settings and data.
    pub async fn replica(&self) -> Process {
        Process::one(self.folder.path(), &self.variables).await
    }

    /// A conversation of this caller; its id.
    pub async fn conversation(&self, caller: &Caller) -> String {
        let answer = caller.post("/api/v1/conversations").json(&json!({"app": "assistant"})).send().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Says something in a conversation and gets the whole turn.
    pub async fn say(&self, caller: &Caller, conversation: &str, text: &str) -> Value {
        let path = format!("/api/v1/conversations/{conversation}/messages");
        let answer = caller.post(&path).json(&json!({"content": text})).send().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// The messages of a conversation, oldest first, however many pieces they come in.
    pub async fn messages(&self, caller: &Caller, conversation: &str) -> Vec<Value> {
        let path = format!("/api/v1/conversations/{conversation}/messages?limit=100");
        let messages = everything(caller, &path).await;
        assert!(messages.iter().all(|message| message["citations"].is_array()), "{messages:?}");
        messages
    }
}

/// Every item of a list.
pub async fn everything(caller: &Caller, path: &str) -> Vec<Value> {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let answer = caller.get(&format!("{path}{next}")).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let piece = answer.json();
        items.extend(piece["items"].as_array().unwrap().iter().cloned());
        match piece["next"].as_str() {
            Some(after) => next = format!("&after={after}"),
            None => return items,
        }
    }
}

/// Asks again and again until it holds; fails after `deadline`.
pub async fn eventually(deadline: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds().await {
        assert!(began.elapsed() < deadline, "not within {deadline:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A folder of the data to measure against; `None`, with a note, when it is not there.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let base = setting("STOA_DATA").map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let folder = base.join(name);
    if !folder.exists() {
        println!("skipped: there is no {name} in the folder that STOA_DATA names");
        return None;
    }
    Some(folder)
}

/// Each function becomes two tests: on SQLite and on Postgres. It gets the setup and starts the world itself.
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($setup:ident) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn test($setup: $crate::world::Setup) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                test($crate::world::Setup::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(setup) = $crate::world::Setup::postgres() {
                    test(setup).await;
                }
            }
        }
    )*};
}
pub(crate) use on_both_engines;
