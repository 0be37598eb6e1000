//! A Postgres server that a test may stop, and a line to one that may go silent.
//! It never touches the server that `STOA_TEST_POSTGRES` names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kernel::Secret;
use store::{Config, Database, PostgresTls};

use crate::world::{pool, postgres_url};

/// A Postgres server of one test, which may be stopped.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    pub port: u16,
}

/// The folder with `initdb` and `pg_ctl`; the newest version of Debian's.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    found.sort();
    found.pop().filter(|folder| folder.join("pg_ctl").exists())
}

impl Server {
    /// Makes and starts one. Only where the servers of the tests are wanted at all and the programs exist.
    pub fn start() -> Option<Server> {
        postgres_url()?;
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server { folder, programs, port };
        server.run(&format!("chmod 700 {0}; true", server.folder.path().display()));
        if is_root() {
            assert!(raw("chown", &["postgres", &server.folder.path().display().to_string()]));
        }
        assert!(server.run(&format!(
            "{}/initdb -D {} -A trust -U postgres -N",
            server.programs.display(),
            server.data()
        )));
        let settings = format!(
            "fsync=off\nport={port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{}'\nmax_connections=30\n",
            server.folder.path().display()
        );
        let file = Path::new(&server.data()).join("postgresql.conf");
        let old = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, old + &settings).unwrap();
        server.up();
        Some(server)
    }

    pub fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Runs a command as the user that Postgres accepts: it refuses to run as root.
    pub fn run(&self, command: &str) -> bool {
        if is_root() { raw("su", &["postgres", "-c", command]) } else { raw("sh", &["-c", command]) }
    }

    pub fn up(&self) {
        let log = self.folder.path().join("log");
        assert!(self.run(&format!(
            "{}/pg_ctl -D {} -l {} -w start",
            self.programs.display(),
            self.data(),
            log.display()
        )));
    }

    pub fn down(&self) {
        assert!(self.run(&format!(
            "{}/pg_ctl -D {} -m immediate -w stop",
            self.programs.display(),
            self.data()
        )));
    }

    pub fn config(&self) -> Config {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        Config {
            database: Database::Postgres { url: Secret::new(url), tls: PostgresTls::Prefer },
            pool: pool(),
            slow_query: Duration::from_secs(5),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run(&format!("{}/pg_ctl -D {} -m immediate stop", self.programs.display(), self.data()));
    }
}

fn raw(program: &str, arguments: &[&str]) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the test owns a database server")]
    let status = Command::new(program)
        .args(arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// Passes bytes on to the server of the tests until it is frozen: then it swallows them and says nothing, as a
/// network does that drops packets.
pub async fn proxy(url: &str) -> (u16, tokio::sync::watch::Sender<bool>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let target = url::Url::parse(url).unwrap();
    let target = (target.host_str().unwrap().to_owned(), target.port().unwrap_or(5432));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (freeze, frozen) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = tokio::net::TcpStream::connect(target.clone()).await else { continue };
            let ((mut near_in, mut near_out), (mut far_in, mut far_out)) =
                (near.into_split(), far.into_split());
            let (here, there) = (frozen.clone(), frozen.clone());
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = near_in.read(&mut bytes).await {
                    if !*here.borrow() && far_out.write_all(&bytes[..count]).await.is_err() {
                        break;
                    }
                }
            });
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = far_in.read(&mut bytes).await {
                    if !*there.borrow() && near_out.write_all(&bytes[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, freeze)
}
