//! One connection of either engine: how it is opened, and how one SQL text runs on both.
//! It never decides which connection is used when: that is the pool's.

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqlSafeStr as _, SqlStr,
    SqliteConnection,
};

use crate::config::{Config, Database, PostgresTls};
use crate::dialect::Engine;
use crate::trouble::Trouble;
use crate::value::{self, Row, Value};

/// A statement that takes longer than this on the wire counts as a lost connection. All statements of this
/// room touch few rows, so only a dead network or an overloaded server gets here.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1_500);

/// A statement's text: written here, or built here from parts that are.
#[derive(Clone)]
pub(crate) enum Sql {
    Fixed(&'static str),
    Built(std::sync::Arc<str>),
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Sql {
        Sql::Fixed(text)
    }
}

impl Sql {
    fn text(&self) -> SqlStr {
        match self {
            Sql::Fixed(text) => text.into_sql_str(),
            // Built from parts of this crate alone; values go in through placeholders.
            Sql::Built(text) => AssertSqlSafe(text.clone()).into_sql_str(),
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
    /// Moving SQLite's log.
    Checkpoint,
}

/// How connections are opened.
#[derive(Clone)]
pub(crate) enum Address {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

impl Address {
    /// From the configuration; makes the folder and the file of SQLite, readable by the owner alone.
    pub(crate) fn prepare(config: &Config) -> Result<Address, Trouble> {
        match &config.database {
            Database::Sqlite { path } => {
                make_private(path).map_err(|error| {
                    Trouble::defect(format!("the database file {} cannot be made: {error}", path.display()))
                })?;
                Ok(Address::Sqlite(Box::new(sqlite_options(path))))
            }
            Database::Postgres { url, tls } => {
                let options: PgConnectOptions =
                    url.expose().parse().map_err(|_| Trouble::defect("the database URL cannot be read"))?;
                Ok(Address::Postgres(Box::new(postgres_options(options, tls))))
            }
        }
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self, purpose: Purpose) -> Result<Connection, Trouble> {
        match self {
            Address::Sqlite(options) => {
                let options = options.as_ref().clone();
                let options = options.statement_cache_capacity(256);
                let options = match purpose {
                    Purpose::Read => options.pragma("query_only", "ON"),
                    Purpose::Write | Purpose::Checkpoint => options,
                };
                let mut connection = options.connect().await?;
                if purpose == Purpose::Write {
                    // The writer waits for other processes by itself, in shorter steps than SQLite's.
                    sqlx::raw_sql("PRAGMA busy_timeout = 5").execute(&mut connection).await?;
                }
                Ok(Connection::Sqlite(Box::new(connection)))
            }
            Address::Postgres(options) => Ok(Connection::Postgres(Box::new(options.connect().await?))),
        }
    }

    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Address::Sqlite(_) => Engine::Sqlite,
            Address::Postgres(_) => Engine::Postgres,
        }
    }
}

fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // The log of a commit holds every touched page whole, and a turn touches a dozen: half the usual size halves
        // what a small commit writes. Counts for new files alone.
        .page_size(2_048)
        // Free pages can be given back in small steps (`upkeep.rs`). Counts for new files, and for old ones from their
        // next full vacuum on.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        // An answer follows its commit, so a commit must survive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(2))
        // Deleted content is overwritten, and nothing spills into files beside the database.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        // Checkpoints run on a connection of their own (`checkpoint.rs`), so that no commit waits for one.
        .pragma("wal_autocheckpoint", "0")
        // A log that had grown is cut back when it is begun anew.
        .pragma("journal_size_limit", "67108864")
        .pragma("cache_size", "-8192")
        .row_buffer_size(256)
        .thread_name(|number| format!("stoa-sqlite-{number}"))
        .disable_statement_logging()
}

fn postgres_options(options: PgConnectOptions, tls: &PostgresTls) -> PgConnectOptions {
    let options = match tls {
        PostgresTls::Prefer => options.ssl_mode(PgSslMode::Prefer),
        PostgresTls::VerifyFull { authority: None } => options.ssl_mode(PgSslMode::VerifyFull),
        PostgresTls::VerifyFull { authority: Some(file) } => {
            options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(file)
        }
    };
    options
        .application_name("stoa")
        .statement_cache_capacity(256)
        // The server gives up a little after this side has: an abandoned statement holds no lock for long.
        .options([
            ("statement_timeout", "3000"),
            ("lock_timeout", "1200"),
            ("idle_in_transaction_session_timeout", "10000"),
        ])
        .disable_statement_logging()
}

/// An open connection.
pub(crate) enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

/// The same call on both engines: on SQLite as it is, on Postgres with [`PATIENCE`]. In a box, so that a future that waits
/// for a statement somewhere is not as large as all that the drivers keep while they wait.
macro_rules! on_both {
    ($connection:expr, |$inner:ident, $bind:ident, $row:ident| $run:expr) => {
        match $connection {
            Connection::Sqlite($inner) => {
                let ($inner, $bind, $row) = ($inner.as_mut(), value::for_sqlite, Row::Sqlite);
                Box::pin($run).await
            }
            Connection::Postgres($inner) => {
                let ($inner, $bind, $row) = ($inner.as_mut(), value::for_postgres, Row::Postgres);
                Box::pin(limited($run)).await
            }
        }
    };
}

/// Runs a future on the wire with [`PATIENCE`].
async fn limited<T>(future: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(answer) => answer,
        Err(_) => Err(Trouble::silent()),
    }
}

/// A step of a long statement that takes longer than this counts as a lost connection.
const STALL: Duration = Duration::from_secs(120);

async fn stalled<T>(future: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Trouble> {
    match tokio::time::timeout(STALL, future).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Trouble::silent()),
    }
}

impl Connection {
    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) async fn run(&mut self, sql: &Sql, values: Vec<Value>) -> Result<u64, Trouble> {
        on_both!(self, |inner, bind, _row| async {
            Ok(sqlx::query_with(sql.text(), bind(values)?).execute(inner).await?.rows_affected())
        })
    }

    /// Runs a query; gives all rows.
    pub(crate) async fn all(&mut self, sql: &Sql, values: Vec<Value>) -> Result<Vec<Row>, Trouble> {
        on_both!(self, |inner, bind, row| async {
            let rows = sqlx::query_with(sql.text(), bind(values)?).fetch_all(inner).await?;
            Ok(rows.into_iter().map(row).collect())
        })
    }

    /// Runs a text of several statements without values in one step: the beginning of a transaction.
    pub(crate) async fn begin(&mut self, text: &'static str) -> Result<(), Trouble> {
        on_both!(self, |inner, _bind, _row| async {
            sqlx::raw_sql(text).execute(inner).await?;
            Ok(())
        })
    }

    /// Runs a text of several statements without values: a migration. Takes as long as it takes.
    pub(crate) async fn script(&mut self, text: String) -> Result<(), Trouble> {
        let script = sqlx::raw_sql(AssertSqlSafe(text));
        match self {
            Connection::Sqlite(inner) => script.execute(inner.as_mut()).await.map(drop)?,
            Connection::Postgres(inner) => script.execute(inner.as_mut()).await.map(drop)?,
        }
        Ok(())
    }

    /// Runs a statement that may take its time; gives the number of rows that it changed.
    pub(crate) async fn toil(&mut self, sql: &Sql, values: Vec<Value>) -> Result<u64, Trouble> {
        Ok(match self {
            Connection::Sqlite(inner) => {
                let query = sqlx::query_with(sql.text(), value::for_sqlite(values)?);
                query.execute(inner.as_mut()).await?.rows_affected()
            }
            Connection::Postgres(inner) => {
                let query = sqlx::query_with(sql.text(), value::for_postgres(values)?);
                stalled(query.execute(inner.as_mut())).await?.rows_affected()
            }
        })
    }

    /// Runs a query without values over any number of rows, none of which is kept. What `take` makes of them goes out.
    pub(crate) async fn each<T: Send>(
        &mut self,
        sql: &Sql,
        take: &mut (dyn FnMut(&Row) -> Result<Option<T>, Trouble> + Send),
        out: Option<&tokio::sync::mpsc::Sender<T>>,
    ) -> Result<(), Trouble> {
        macro_rules! each {
            ($inner:expr, $row:expr) => {{
                let mut rows = sqlx::query(sql.text()).fetch($inner.as_mut());
                while let Some(row) = stalled(rows.try_next()).await? {
                    if let (Some(made), Some(out)) = (take(&$row(row))?, out) {
                        out.send(made).await.map_err(|_| Trouble::busy("nobody takes the rows any more"))?;
                    }
                }
            }};
        }
        match self {
            Connection::Sqlite(inner) => each!(inner, Row::Sqlite),
            Connection::Postgres(inner) => each!(inner, Row::Postgres),
        }
        Ok(())
    }

    /// Says goodbye to the server, within a second.
    pub(crate) async fn close(self) {
        let goodbye = async {
            match self {
                Connection::Sqlite(inner) => inner.close().await,
                Connection::Postgres(inner) => inner.close().await,
            }
        };
        // A server that is gone needs no goodbye.
        let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
    }
}
