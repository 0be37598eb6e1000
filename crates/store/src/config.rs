//! Where the data lies and how many connections reach it. Values are valid already: `server::settings` made them.

use std::path::PathBuf;
use std::time::Duration;

use kernel::Secret;

/// Everything the store needs to open.
#[derive(Clone, Debug)]
pub struct Config {
    /// The engine and the place.
    pub database: Database,
    /// The connections.
    pub pool: Pool,
    /// Statements that take at least this long are logged.
    pub slow_query: Duration,
}

/// The engine and the place of the data.
#[derive(Clone, Debug)]
pub enum Database {
    /// One file on this machine.
    Sqlite {
        /// The database file; its folder exists or is made.
        path: PathBuf,
    },
    /// A server that speaks the Postgres protocol.
    Postgres {
        /// The whole URL with its password.
        url: Secret<String>,
        /// How the connection is protected.
        tls: PostgresTls,
    },
}

/// How a connection to Postgres is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostgresTls {
    /// The certificate must be valid for the host name; a private authority can be named.
    VerifyFull {
        /// PEM file of a private certificate authority.
        authority: Option<PathBuf>,
    },
    /// TLS when the server offers it; for loopback and development.
    Prefer,
}

/// The connections (row K6 of the requirements).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Connections that are kept.
    pub size: u32,
    /// Connections that may be opened above `size` under load.
    pub overflow: u32,
    /// How long a request waits for a connection before it gets 503.
    pub wait: Duration,
    /// How long opening a connection may take.
    pub connect: Duration,
    /// An idle connection is closed after this.
    pub idle: Duration,
    /// A connection is replaced after this.
    pub recycle: Duration,
}
