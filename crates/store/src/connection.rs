//! One connection of either engine: how it is opened, and how one SQL text runs on both.
//! It never decides which connection is used when: that is the pool's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqlSafeStr as _, SqlStr};
use tokio::sync::mpsc;

use crate::config::{Config, Database, PostgresTls};
use crate::dialect::Engine;
use crate::sqlite::Sqlite;
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
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Sql::Fixed(text) => text,
            Sql::Built(text) => text,
        }
    }

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
    /// A file that exists.
    Sqlite(PathBuf),
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
                Ok(Address::Sqlite(path.clone()))
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
            Address::Sqlite(file) => Ok(Connection::Sqlite(Sqlite::open(file, purpose).await?)),
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
    Sqlite(Sqlite),
    Postgres(Box<PgConnection>),
}

/// Runs a future on the wire with [`PATIENCE`]. In a box, so that a future that waits for a statement somewhere is not as
/// large as all that the driver keeps while it waits.
async fn limited<T>(future: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    match tokio::time::timeout(PATIENCE, Box::pin(future)).await {
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

/// What is made of a row.
pub(crate) type Take<'a, T> = &'a mut (dyn FnMut(&Row) -> Result<Option<T>, Trouble> + Send);

/// Sends what is made of a row.
pub(crate) async fn hand_on<T: Send>(
    row: &Row,
    take: Take<'_, T>,
    out: Option<&mpsc::Sender<T>>,
) -> Result<(), Trouble> {
    match (take(row)?, out) {
        (Some(made), Some(out)) => {
            out.send(made).await.map_err(|_| Trouble::busy("nobody takes the rows any more"))
        }
        _ => Ok(()),
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
        match self {
            Connection::Sqlite(inner) => inner.run(sql, values).await,
            Connection::Postgres(inner) => {
                let values = value::for_postgres(values)?;
                let query = sqlx::query_with(sql.text(), values).execute(inner.as_mut());
                limited(async { Ok(query.await?.rows_affected()) }).await
            }
        }
    }

    /// Runs a query; gives all rows.
    pub(crate) async fn all(&mut self, sql: &Sql, values: Vec<Value>) -> Result<Vec<Row>, Trouble> {
        match self {
            Connection::Sqlite(inner) => inner.all(sql, values).await,
            Connection::Postgres(inner) => {
                let values = value::for_postgres(values)?;
                let query = sqlx::query_with(sql.text(), values).fetch_all(inner.as_mut());
                limited(async { query.await?.iter().map(Row::of_postgres).collect() }).await
            }
        }
    }

    /// Runs a text without values in one step, on Postgres of several statements: the beginning of a transaction.
    pub(crate) async fn begin(&mut self, text: &'static str) -> Result<(), Trouble> {
        match self {
            Connection::Sqlite(inner) => inner.run(&Sql::Fixed(text), Vec::new()).await.map(drop),
            Connection::Postgres(inner) => {
                let begun = sqlx::raw_sql(text).execute(inner.as_mut());
                limited(async { Ok(begun.await.map(drop)?) }).await
            }
        }
    }

    /// Runs a text of several statements without values: a migration. Takes as long as it takes.
    pub(crate) async fn script(&mut self, text: String) -> Result<(), Trouble> {
        match self {
            Connection::Sqlite(inner) => inner.script(text).await,
            Connection::Postgres(inner) => {
                Ok(sqlx::raw_sql(AssertSqlSafe(text)).execute(inner.as_mut()).await.map(drop)?)
            }
        }
    }

    /// Runs a statement that may take its time; gives the number of rows that it changed.
    pub(crate) async fn toil(&mut self, sql: &Sql, values: Vec<Value>) -> Result<u64, Trouble> {
        match self {
            Connection::Sqlite(inner) => inner.toil(sql, values).await,
            Connection::Postgres(inner) => {
                let query = sqlx::query_with(sql.text(), value::for_postgres(values)?);
                Ok(stalled(query.execute(inner.as_mut())).await?.rows_affected())
            }
        }
    }

    /// Runs a query without values over any number of rows, none of which is kept. What `take` makes of them goes out.
    pub(crate) async fn each<T: Send>(
        &mut self,
        sql: &Sql,
        take: Take<'_, T>,
        out: Option<&mpsc::Sender<T>>,
    ) -> Result<(), Trouble> {
        match self {
            Connection::Sqlite(inner) => inner.each(sql, take, out).await,
            Connection::Postgres(inner) => {
                let mut rows = sqlx::query(sql.text()).fetch(inner.as_mut());
                while let Some(row) = stalled(rows.try_next()).await? {
                    hand_on(&Row::of_postgres(&row)?, take, out).await?;
                }
                Ok(())
            }
        }
    }

    /// Says goodbye, to a server within a second.
    pub(crate) async fn close(self) {
        match self {
            Connection::Sqlite(inner) => inner.close().await,
            Connection::Postgres(inner) => {
                // A server that is gone needs no goodbye.
                let _ = tokio::time::timeout(Duration::from_secs(1), inner.close()).await;
            }
        }
    }
}
