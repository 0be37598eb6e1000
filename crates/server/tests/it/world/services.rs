//! Postgres and Redis: those that the environment names, in which each test has a corner of its own, and servers
//! that a test starts for itself because it wants to stop them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A variable that tells the tests where things are.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where the services are")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Something that a test needs and that is not there: a skip that says so, or a failure where it was asked for.
pub fn required<T>(found: Option<T>, what: &str) -> Option<T> {
    if found.is_none() {
        assert!(setting("REQUIRE_SERVICES").as_deref() != Some("1"), "{what} is required and not there");
        println!("skipped: {what} is not there");
    }
    found
}

/// The Redis for tests.
pub fn redis_url() -> Option<String> {
    required(setting("STOA_TEST_REDIS"), "STOA_TEST_REDIS")
}

/// A Postgres database of one test, dropped with it.
pub struct Database {
    pub url: String,
    name: String,
    server: String,
}

impl Database {
    /// Makes one, where there is a Postgres server for tests.
    pub fn create() -> Option<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = required(setting("STOA_TEST_POSTGRES"), "STOA_TEST_POSTGRES")?;
        let name = format!("stoa_it_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        let database = Database { url: url.to_string(), name, server };
        assert!(database.ask(&format!("CREATE DATABASE {}", database.name)), "psql cannot make a database");
        Some(database)
    }

    fn ask(&self, sql: &str) -> bool {
        raw("psql", &[&self.server, "--quiet", "--no-psqlrc", "--command", sql])
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.ask(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A port that nobody uses at this moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Postgres server of one test, which may be stopped.
pub struct PostgresServer {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

impl PostgresServer {
    /// Makes and starts one, where the programs exist.
    pub fn start() -> Option<PostgresServer> {
        required(setting("STOA_TEST_POSTGRES"), "STOA_TEST_POSTGRES")?;
        let programs = required(programs(), "a Postgres that can be stopped")?;
        let folder = tempfile::tempdir().unwrap();
        let server = PostgresServer { folder, programs, port: free_port() };
        if is_root() {
            assert!(raw("chown", &["postgres", &server.folder.path().display().to_string()]));
        }
        let initdb = server.programs.join("initdb");
        assert!(server.run(&format!("{} -D {} -A trust -U postgres -N", initdb.display(), server.data())));
        let settings = format!(
            "fsync=off\nport={}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{}'\n",
            server.port,
            server.folder.path().display()
        );
        let file = Path::new(&server.data()).join("postgresql.conf");
        let text = std::fs::read_to_string(&file).unwrap() + &settings;
        std::fs::write(&file, text).unwrap();
        server.up();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn up(&self) {
        let log = self.folder.path().join("log");
        assert!(self.control(&format!("-l {} -w start", log.display())));
    }

    pub fn down(&self) {
        assert!(self.control("-m immediate -w stop"));
    }

    fn control(&self, what: &str) -> bool {
        self.run(&format!("{} -D {} {what}", self.programs.join("pg_ctl").display(), self.data()))
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Postgres refuses to run as root.
    fn run(&self, command: &str) -> bool {
        if is_root() { raw("su", &["postgres", "-c", command]) } else { raw("sh", &["-c", command]) }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.control("-m immediate stop");
    }
}

/// The folder with `initdb` and `pg_ctl`; the newest version of Debian's.
fn programs() -> Option<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.pop().filter(|folder| folder.join("pg_ctl").exists())
}

/// A Redis server of one test, which may be stopped.
pub struct RedisServer {
    child: Option<std::process::Child>,
    folder: tempfile::TempDir,
    port: u16,
}

impl RedisServer {
    /// Makes and starts one, where the program exists.
    pub fn start() -> Option<RedisServer> {
        redis_url()?;
        let found = raw("redis-server", &["--version"]).then_some(());
        required(found, "a Redis that can be stopped")?;
        let mut server = RedisServer { child: None, folder: tempfile::tempdir().unwrap(), port: free_port() };
        server.up();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn up(&mut self) {
        let port = self.port.to_string();
        #[expect(clippy::disallowed_methods, reason = "the test owns a Redis server")]
        let mut command = Command::new("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", ""]).current_dir(self.folder.path());
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.down();
    }
}

/// Runs a program; whether it succeeded.
pub fn raw(program: &str, arguments: &[&str]) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the tests own services")]
    let mut command = Command::new(program);
    let command = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}
