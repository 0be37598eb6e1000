//! The addresses of the database and of Redis, taken apart. It owns what they say about host, password and TLS.
//! It never connects, and never shows a password: not in a complaint, not in `config show`.

use std::path::PathBuf;

use kernel::Secret;
use url::Url;

use super::form::is_loopback;

/// Where the data lies, as `DATABASE_URL` says it.
#[derive(Clone, Debug)]
pub(crate) enum DatabaseUrl {
    /// A file on this machine.
    Sqlite(PathBuf),
    /// A server.
    Postgres(PostgresUrl),
}

/// A Postgres address, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct PostgresUrl {
    /// The whole URL without the parameters that concern TLS.
    pub(crate) url: Secret<String>,
    /// The server.
    pub(crate) server: Server,
    /// What the URL asks of TLS.
    pub(crate) sslmode: Option<SslMode>,
    /// `sslrootcert`: a private certificate authority.
    pub(crate) authority: Option<PathBuf>,
}

/// The parts of an address that the production rules look at.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// The host name, address or socket folder.
    pub(crate) host: String,
    /// The host is this machine.
    pub(crate) local: bool,
    /// The user name; empty when there is none.
    pub(crate) user: String,
    /// The password, decoded.
    pub(crate) password: Option<Secret<String>>,
    /// The address with `***` in place of the password.
    pub(crate) shown: String,
}

/// What a Postgres URL asks of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SslMode {
    /// `disable`, `allow` or `prefer`: somebody on the way can read everything.
    Open,
    /// `require`, `verify-ca` or `verify-full`: all three are held to the strictest.
    Verified,
}

/// A Redis address, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct RedisUrl {
    /// The whole URL.
    pub(crate) url: Url,
    /// The server.
    pub(crate) server: Server,
    /// The connection is `rediss://`.
    pub(crate) tls: bool,
}

const SHAPE: &str = "must look like `postgresql://user:password@host:5432/name` or `sqlite:data/stoa.db`; \
    a password with special characters is percent-encoded";

/// Reads `DATABASE_URL`. The complaint never repeats a part of it.
pub(crate) fn parse_database(text: &str) -> Result<DatabaseUrl, String> {
    if let Some(rest) = text.strip_prefix("sqlite:") {
        return parse_sqlite(rest).map(DatabaseUrl::Sqlite);
    }
    let (scheme, _) = text.split_once("://").ok_or(SHAPE)?;
    // `postgresql+asyncpg://` and its like name a driver of another language.
    let (engine, driver) = scheme.split_once('+').map_or((scheme, None), |(engine, d)| (engine, Some(d)));
    if !matches!(engine, "postgres" | "postgresql") {
        return Err(SHAPE.to_owned());
    }
    let text = match driver {
        Some(_) => format!("postgresql{}", text.get(scheme.len()..).unwrap_or_default()),
        None => text.to_owned(),
    };
    // A socket is named by `host=` alone; the grammar of URLs wants a host after a user all the same.
    let text = if text.contains("host=/") { text.replacen("@/", "@localhost/", 1) } else { text };
    let mut url = Url::parse(&text).map_err(|_| SHAPE)?;
    let (mut sslmode, mut authority, mut socket) = (None, None, None);
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "sslmode" | "ssl-mode" => sslmode = Some(parse_sslmode(&value)?),
            "sslrootcert" | "ssl-root-cert" => authority = Some(PathBuf::from(value.as_ref())),
            "host" => {
                socket = Some(value.to_string());
                kept.push((name.into_owned(), value.into_owned()));
            }
            _ => kept.push((name.into_owned(), value.into_owned())),
        }
    }
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    let host = match socket {
        Some(socket) => socket,
        None => decode(url.host_str().unwrap_or_default())?,
    };
    if host.is_empty() || url.path().len() < 2 {
        return Err(SHAPE.to_owned());
    }
    let local = host.starts_with('/') || is_loopback(&host);
    let server = server(&url, host, local)?;
    Ok(DatabaseUrl::Postgres(PostgresUrl { url: Secret::new(url.into()), server, sslmode, authority }))
}

fn parse_sqlite(rest: &str) -> Result<PathBuf, String> {
    let path = rest.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains(":memory:") {
        return Err("must name a file, such as `sqlite:data/stoa.db`; a database in memory would lose \
            every conversation"
            .to_owned());
    }
    Ok(PathBuf::from(path))
}

fn parse_sslmode(text: &str) -> Result<SslMode, String> {
    match text {
        "disable" | "allow" | "prefer" => Ok(SslMode::Open),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Verified),
        _ => Err("has an unknown `sslmode`: use `verify-full`".to_owned()),
    }
}

/// Reads `REDIS_URL`; `token` is the password of an address that carries none.
pub(crate) fn parse_redis(text: &str) -> Result<RedisUrl, String> {
    let shape = "must look like `redis://:password@host:6379/0` or `rediss://…`";
    let url = Url::parse(text).map_err(|_| shape)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    if !matches!(url.scheme(), "redis" | "rediss") || host.is_empty() {
        return Err(shape.to_owned());
    }
    let database = url.path().trim_matches('/');
    if !(database.is_empty() || database.bytes().all(|b| b.is_ascii_digit())) {
        return Err(shape.to_owned());
    }
    let local = is_loopback(&host);
    let server = server(&url, host, local)?;
    Ok(RedisUrl { tls: url.scheme() == "rediss", url, server })
}

fn server(url: &Url, host: String, local: bool) -> Result<Server, String> {
    let password = url.password().map(decode).transpose()?.filter(|password| !password.is_empty());
    let mut shown = url.clone();
    if password.is_some() && shown.set_password(Some("***")).is_err() {
        return Err(SHAPE.to_owned());
    }
    Ok(Server {
        host,
        local,
        user: decode(url.username())?,
        password: password.map(Secret::new),
        shown: shown.into(),
    })
}

/// Undoes percent-encoding; text that is no UTF-8 afterwards is refused.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(SHAPE.to_owned()) };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| SHAPE)?);
    }
    String::from_utf8(bytes).map_err(|_| SHAPE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(text: &str) -> PostgresUrl {
        match parse_database(text).unwrap() {
            DatabaseUrl::Postgres(url) => url,
            DatabaseUrl::Sqlite(_) => panic!("not Postgres"),
        }
    }

    #[test]
    fn a_postgres_url_is_taken_apart() {
        let url =
            postgres("postgresql://stoa:p%40ss@db.example.com:5432/chat?sslmode=require&application_name=x");
        assert_eq!(url.server.host, "db.example.com");
        assert_eq!(url.server.user, "stoa");
        assert_eq!(url.server.password.unwrap().expose(), "p@ss");
        assert_eq!(url.sslmode, Some(SslMode::Verified));
        assert!(!url.server.local);
        assert_eq!(url.url.expose(), "postgresql://stoa:p%40ss@db.example.com:5432/chat?application_name=x");
        assert_eq!(url.server.shown, "postgresql://stoa:***@db.example.com:5432/chat?application_name=x");
    }

    #[test]
    fn this_machine_is_known() {
        for text in [
            "postgresql://a:b@localhost/c",
            "postgres://a:b@127.0.0.1:5433/c",
            "postgresql://a:b@[::1]/c",
            "postgresql:///c?host=/run/postgresql",
            "postgresql://a:b@/c?host=/run/postgresql",
            "postgresql://a@%2Frun%2Fpostgresql/c",
        ] {
            assert!(postgres(text).server.local, "{text}");
        }
        assert!(!postgres("postgresql+asyncpg://a:b@10.0.0.1/c").server.local);
    }

    #[test]
    fn the_printed_examples_are_malformed_and_nothing_is_repeated() {
        for text in [
            "postgresql://user:password@host:port/dbname",
            "mysql://user:hunter2@host/db",
            "postgresql://hunter2",
            "hunter2",
            "postgresql://a:hunter2@db/c?sslmode=never",
            "postgresql://a:hunter2@/c",
            "postgresql://a:%zz@db/c",
            "sqlite:",
            "sqlite::memory:",
        ] {
            let complaint = parse_database(text).unwrap_err();
            assert!(!complaint.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn sqlite_names_a_file() {
        for (text, path) in [
            ("sqlite:data/stoa.db", "data/stoa.db"),
            ("sqlite://data/stoa.db?mode=rwc", "data/stoa.db"),
            ("sqlite:///var/lib/stoa.db", "/var/lib/stoa.db"),
        ] {
            assert!(matches!(parse_database(text).unwrap(), DatabaseUrl::Sqlite(p) if p == *path), "{text}");
        }
    }

    #[test]
    fn redis_is_taken_apart() {
        let redis = parse_redis("redis://user:hunter2@host:6379").unwrap();
        assert_eq!(redis.server.host, "host");
        assert_eq!(redis.server.password.as_ref().unwrap().expose(), "hunter2");
        assert!(!redis.server.shown.contains("hunter2") && !redis.tls);
        assert!(parse_redis("redis://localhost:6379/0").unwrap().server.local);
        for bad in ["http://localhost", "localhost:6379", "redis://", "redis://h/x"] {
            assert!(parse_redis(bad).is_err(), "{bad}");
        }
    }
}
