//! What went wrong in the database, sorted by what it means for the caller.
//! It never repeats the database's own message to anybody: messages may hold values. Codes and names of
//! constraints are enough for the log.

use std::fmt;
use std::time::Duration;

use kernel::{Code, Fault};

/// When a caller should try again after the database was away or full.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// What a failure means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sort {
    /// The server, the file or the connection is gone: the connection must not be used again.
    Away,
    /// The database is there and cannot do it now: locked, full, shutting down. Trying again may help.
    Busy,
    /// A unique value is taken.
    Taken,
    /// A defect: ours, or of the schema.
    Defect,
}

/// A failure of one statement.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) sort: Sort,
    /// The other side did not say a word: trying again at once would only cost the same time again.
    pub(crate) silent: bool,
    cause: String,
}

impl Trouble {
    /// A defect, described for the log.
    pub(crate) fn defect(cause: impl Into<String>) -> Trouble {
        Trouble { sort: Sort::Defect, silent: false, cause: cause.into() }
    }

    /// The database did not answer in time.
    pub(crate) fn silent() -> Trouble {
        Trouble { silent: true, ..Trouble::away("the database does not answer") }
    }

    /// The database cannot be reached.
    pub(crate) fn away(cause: impl Into<String>) -> Trouble {
        Trouble { sort: Sort::Away, silent: false, cause: cause.into() }
    }

    /// The database has no room for this now.
    pub(crate) fn busy(cause: impl Into<String>) -> Trouble {
        Trouble { sort: Sort::Busy, silent: false, cause: cause.into() }
    }

    /// The same again, for another caller.
    pub(crate) fn again(&self) -> Trouble {
        Trouble { sort: self.sort, silent: self.silent, cause: self.cause.clone() }
    }

    /// With the name of the operation in front of the cause.
    pub(crate) fn during(mut self, operation: &str) -> Trouble {
        self.cause = format!("{operation}: {}", self.cause);
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Trouble {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default().into_owned();
                let sort = if error.is_unique_violation() { Sort::Taken } else { sort_postgres(&code) };
                let cause = match error.constraint() {
                    Some(constraint) => format!("database error {code} ({constraint})"),
                    None => format!("database error {code}"),
                };
                Trouble { sort, silent: false, cause }
            }
            sqlx::Error::Io(error) => Trouble::away(format!("connection lost: {}", error.kind())),
            sqlx::Error::Tls(error) => Trouble::away(format!("TLS with the database failed: {error}")),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Trouble::away("no connection"),
            sqlx::Error::Protocol(_) => Trouble::away("the database broke the protocol"),
            sqlx::Error::Configuration(error) => Trouble::defect(format!("database configuration: {error}")),
            // The texts of the rest name columns and types, never values.
            other => Trouble::defect(other.to_string()),
        }
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        match error {
            rusqlite::Error::SqliteFailure(error, _) => {
                let code = error.extended_code;
                Trouble { sort: sort_sqlite(code), silent: false, cause: format!("database error {code}") }
            }
            // The rest are about texts of statements, their placeholders and the types of columns: our own doing. Their
            // words may quote a statement, never a value; the name of the kind is enough.
            other => {
                let told = format!("{other:?}");
                let kind = told.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
                Trouble::defect(format!("SQLite: {kind}"))
            }
        }
    }
}

/// Sorts an extended result code of SQLite (`sqlite.org/rescode.html`; the low byte is the primary code).
fn sort_sqlite(code: i32) -> Sort {
    // CONSTRAINT_PRIMARYKEY, CONSTRAINT_UNIQUE
    if matches!(code, 1_555 | 2_067) {
        return Sort::Taken;
    }
    match code & 0xff {
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, FULL, PROTOCOL
        5..=9 | 13 | 15 => Sort::Busy,
        // IOERR, CORRUPT, CANTOPEN, NOTADB
        10 | 11 | 14 | 26 => Sort::Away,
        _ => Sort::Defect,
    }
}

/// Sorts an SQLSTATE of Postgres (appendix A of its manual; the first two characters are the class).
fn sort_postgres(code: &str) -> Sort {
    match code.get(..2).unwrap_or_default() {
        // 08 connection, 57 shutdown and cancelled, 53 out of resources, 28 who are you, 3D no such database,
        // 25006 read only after a failover, 40 deadlock and serialisation, 55 lock not available
        "08" | "28" | "3D" => Sort::Away,
        "57" if code != "57014" => Sort::Away,
        "53" | "57" | "40" | "55" => Sort::Busy,
        "25" => Sort::Away,
        _ => Sort::Defect,
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Fault {
        match trouble.sort {
            Sort::Away | Sort::Busy => {
                Fault::new(Code::Unavailable).retry_after(RETRY).because(trouble.cause)
            }
            Sort::Taken => Fault::new(Code::Conflict).because(trouble.cause),
            Sort::Defect => Fault::internal(trouble.cause),
        }
    }
}
