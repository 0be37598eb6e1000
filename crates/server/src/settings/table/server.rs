//! The rows of the profile, the server itself, the database, Redis and the logs.

use std::net::IpAddr;
use std::path::PathBuf;

use kernel::Secret;
use ops::telemetry::{Format, Level};
use url::Url;

use super::{Default, Room, always, follows, per, settings};
use crate::settings::database::{DatabaseUrl, RedisUrl};
use crate::settings::form;
use crate::settings::profile::Profile;

/// The profile.
pub(crate) static PROFILE: Room = Room {
    title: "Profile",
    about: "What the deployment is for. It decides many defaults.",
    settings: PROFILE_ROWS,
};

settings! { @fields PROFILE_ROWS;
    /// What the deployment is for: `development`, `staging` or `production`. Anything else refuses to start.
    /// Production refuses to start unless every production rule holds.
    ENVIRONMENT: Profile = form::choice_profile(), "environment", ["ENVIRONMENT", "FLASK_ENV", "NODE_ENV"], always("development");
    /// Lowers the default log level to `DEBUG`. Production refuses `true`.
    DEBUG: bool = form::flag(), "debug", ["DEBUG", "FLASK_DEBUG"], always("false");
}

/// The server.
pub(crate) static SERVER: Room = Room {
    title: "Server",
    about: "Where the server listens and where people find it.",
    settings: SERVER_ROWS,
};

settings! { @fields SERVER_ROWS;
    /// The address to listen on.
    HOST: IpAddr = form::address(), "server.host", ["API_HOST"], per("127.0.0.1", "0.0.0.0", "0.0.0.0");
    /// The port to listen on.
    PORT: u64 = form::whole::<0, 65_535>(), "server.port", ["API_PORT", "PORT"], always("8080");
    /// Where people reach the server. Redirects and links lead there; its host is served when `ALLOWED_HOSTS` names none.
    PUBLIC_URL: Url = form::url(), "server.public_url", ["PUBLIC_URL", "NEXTAUTH_URL", "FRONTEND_URL"], Default::None;
    /// The folder of everything that the server keeps on this machine: the SQLite database, keys, logs.
    DATA_DIR: PathBuf = form::path(), "server.data_dir", ["STOA_DATA_DIR"], follows("`data`; the knowledge folder when that is named and no database is");
    /// How many threads answer requests.
    WORKERS: u64 = form::whole::<1, 1_024>(), "server.workers", ["WORKERS", "WEB_CONCURRENCY"], follows("as many as the process may use cores");
    /// How many connections may be open at once; more are closed as they come.
    MAX_CONNECTIONS: u64 = form::whole::<10, 1_000_000>(), "server.max_connections", ["MAX_CONNECTIONS"], always("10000");
    /// How many seconds a server that was told to stop still takes requests, while `/ready` says 503: load balancers need that long to notice. Requests in flight have 20 seconds after the signal.
    DRAIN: u64 = form::whole::<0, 18>(), "server.drain_seconds", ["DRAIN_SECONDS"], per("0", "5", "5");
    /// How many replicas share the limits. Each keeps to its share while Redis is away.
    REPLICAS: u64 = form::whole::<1, 10_000>(), "server.replicas", ["REPLICAS"], always("1");
    /// An answer that does not stream takes at most this many seconds; then 504.
    DEADLINE: u64 = form::whole::<1, 3_600>(), "server.deadline_seconds", ["REQUEST_TIMEOUT_SECONDS"], always("30");
    /// Requests that take longer than this many seconds are logged as slow.
    SLOW_REQUEST: u64 = form::whole::<1, 3_600>(), "server.slow_request_seconds", ["SLOW_REQUEST_SECONDS"], always("5");
}

/// The database.
pub(crate) static DATABASE: Room =
    Room { title: "Database", about: "SQLite in one file, or Postgres.", settings: DATABASE_ROWS };

settings! { @fields DATABASE_ROWS;
    /// Where the data lies: `sqlite:PATH` or `postgresql://user:password@host:port/name`. Production needs it said.
    /// `sslmode=require` is held to `verify-full`; on this machine TLS is optional.
    DATABASE_URL: DatabaseUrl = form::database(), "database.url", ["DATABASE_URL"], follows("`stoa.db` in the data folder; none in production"), address;
    /// PEM file of the private authority that signed the certificate of Postgres.
    DATABASE_CA: PathBuf = form::path(), "database.ca_file", ["DATABASE_CA_FILE", "PGSSLROOTCERT"], Default::None;
    /// Connections that are kept.
    POOL_SIZE: u64 = form::whole::<1, 1_000>(), "database.pool_size", ["DB_POOL_SIZE"], per("5", "10", "20");
    /// Connections that may be opened above that under load.
    POOL_OVERFLOW: u64 = form::whole::<0, 1_000>(), "database.pool_overflow", ["DB_MAX_OVERFLOW"], per("10", "20", "30");
    /// How many seconds a request waits for a connection before it gets 503.
    POOL_WAIT: u64 = form::whole::<1, 300>(), "database.pool_wait_seconds", ["DB_POOL_TIMEOUT"], always("20");
    /// How many seconds opening a connection may take.
    POOL_CONNECT: u64 = form::whole::<1, 60>(), "database.connect_seconds", ["DB_CONNECT_TIMEOUT"], always("2");
    /// An idle connection is closed after this many seconds.
    POOL_IDLE: u64 = form::whole::<1, 86_400>(), "database.idle_seconds", ["DB_IDLE_TIMEOUT"], always("30");
    /// A connection is replaced after this many seconds.
    POOL_RECYCLE: u64 = form::whole::<1, 86_400>(), "database.recycle_seconds", ["DB_POOL_RECYCLE"], always("300");
    /// Statements that take at least this many milliseconds are logged.
    SLOW_QUERY: u64 = form::whole::<1, 600_000>(), "database.slow_query_ms", ["SLOW_QUERY_MS"], always("1000");
}

/// Redis.
pub(crate) static REDIS: Room = Room {
    title: "Redis",
    about: "Counts the limits for all replicas. One process needs none.",
    settings: REDIS_ROWS,
};

settings! { @fields REDIS_ROWS;
    /// The Redis that counts the limits for all replicas: `redis://` or `rediss://`. Without it each process counts alone.
    REDIS_URL: RedisUrl = form::redis(), "redis.url", ["REDIS_URL"], Default::None, address;
    /// The password for Redis when the URL carries none.
    REDIS_TOKEN: Secret<String> = form::secret(), "redis.token", ["REDIS_TOKEN"], Default::None, secret;
}

/// The logs.
pub(crate) static LOGS: Room = Room {
    title: "Logs",
    about: "Lines go to standard output, and to a file when asked.",
    settings: LOGS_ROWS,
};

settings! { @fields LOGS_ROWS;
    /// The least level that is written. Production refuses `DEBUG`.
    LOG_LEVEL: Level = form::choice_level(), "logs.level", ["LOG_LEVEL"], follows("`INFO`; `DEBUG` with `debug = true`");
    /// JSON, one object a line, or text for a person.
    LOG_FORMAT: Format = form::choice_format(), "logs.format", ["LOG_FORMAT"], follows("`json`; `text` in development at a terminal");
    /// Personal data is masked in every field. Production refuses `false`.
    MASK_PII: bool = form::flag(), "logs.mask", ["MASK_PII_IN_LOGS"], always("true");
    /// Lines are written to a file too.
    LOG_TO_FILE: bool = form::flag(), "logs.to_file", ["LOG_TO_FILE"], always("false");
    /// That file. Older ones get `.1`, `.2`, … appended.
    LOG_FILE: PathBuf = form::path(), "logs.file", ["LOG_FILE"], follows("`logs/stoa.log` in the data folder");
    /// A log file is closed before it would grow past this many bytes.
    LOG_MAX_BYTES: u64 = form::bytes(), "logs.max_bytes", ["LOG_MAX_BYTES"], always("10485760");
    /// How many log files are kept, the one being written included.
    LOG_KEEP: u64 = form::whole::<1, 1_000>(), "logs.keep", ["LOG_KEEP_FILES"], always("5");
}
