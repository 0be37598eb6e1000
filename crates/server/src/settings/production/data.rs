//! The rules about where the data lies: the database, Redis, encryption at rest, the data folder.

use super::Severity::{Violation, Warning};
use super::{Case, Rule};
use crate::settings::database::{DatabaseUrl, PostgresUrl, Server, SslMode};
use crate::settings::keys::KEYRING_FILE;
use crate::settings::strength::is_common_password;
use crate::settings::table::identity::{ENCRYPTION_ENABLED, ENCRYPTION_KEY};
use crate::settings::table::knowledge::KNOWLEDGE_DIR;
use crate::settings::table::server::*;

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "database",
        severity: Violation,
        holds: "the database is named",
        say: "no database is named",
        fix: "set it to `postgresql://user:password@host:5432/name`, or to `sqlite:PATH` for one machine",
        breaks: |case| {
            // A folder named for the data stands for SQLite in it: `checked` has put the address there.
            let named = case.values.is_explicit(&DATABASE_URL) || case.get(&DATABASE_URL).is_some();
            case.place_if(&DATABASE_URL, !named)
        },
    },
    Rule {
        id: "database-sample",
        severity: Violation,
        holds: "the address of the database is no sample",
        say: "the host is the placeholder of a guide",
        fix: "write the name of your database server",
        breaks: |case| {
            case.place_if(&DATABASE_URL, postgres(case).is_some_and(|url| is_sample_server(&url.server)))
        },
    },
    Rule {
        id: "database-password",
        severity: Violation,
        holds: "the database password is not one that everybody tries first",
        say: "the database password is missing, a default, or one that everybody tries first",
        fix: "give the database user a long random password",
        breaks: |case| {
            case.place_if(&DATABASE_URL, postgres(case).is_some_and(|url| has_weak_password(&url.server)))
        },
    },
    Rule {
        id: "database-tls",
        severity: Violation,
        holds: "the way to the database is encrypted and its certificate verified, or stays on this machine",
        say: "`sslmode` lets everybody on the way read the data",
        fix: "write `sslmode=verify-full` (and DATABASE_CA_FILE for a private authority)",
        breaks: |case| {
            let open =
                postgres(case).is_some_and(|url| !url.server.local && url.sslmode == Some(SslMode::Open));
            case.place_if(&DATABASE_URL, open)
        },
    },
    Rule {
        id: "database-authority",
        severity: Violation,
        holds: "the certificate authority of the database, if one is named, can be read",
        say: "the file of the certificate authority cannot be read",
        fix: "name a PEM file that the server may read",
        breaks: |case| {
            let of_url = postgres(case).and_then(|url| url.authority);
            let missing = |path: &std::path::PathBuf| std::fs::File::open(path).is_err();
            let mut places =
                case.place_if(&DATABASE_CA, case.get(&DATABASE_CA).as_ref().is_some_and(missing));
            places.extend(case.place_if(&DATABASE_URL, of_url.as_ref().is_some_and(missing)));
            places
        },
    },
    Rule {
        id: "database-replicas",
        severity: Violation,
        holds: "every replica reaches the same database",
        say: "several replicas cannot share a SQLite file",
        fix: "use Postgres, or one replica",
        breaks: |case| {
            let sqlite = matches!(case.get(&DATABASE_URL), Some(DatabaseUrl::Sqlite(_)));
            case.place_if(&REPLICAS, sqlite && case.get(&REPLICAS).is_some_and(|replicas| replicas > 1))
        },
    },
    Rule {
        id: "database-connections",
        severity: Warning,
        holds: "the replicas together open at most 500 connections",
        say: "the replicas together may open more than 500 connections; a Postgres server takes 100 unless told otherwise",
        fix: "lower DB_POOL_SIZE and DB_MAX_OVERFLOW, or raise `max_connections`",
        breaks: |case| {
            let each =
                case.get(&POOL_SIZE).unwrap_or_default() + case.get(&POOL_OVERFLOW).unwrap_or_default();
            let all = each.saturating_mul(case.get(&REPLICAS).unwrap_or(1));
            case.place_if(&POOL_SIZE, postgres(case).is_some() && all > 500)
        },
    },
    Rule {
        id: "redis-sample",
        severity: Violation,
        holds: "the address of Redis is no sample and its password no default",
        say: "the host is the placeholder of a guide, or the password one that everybody tries first",
        fix: "write the name of your Redis server and a long random password",
        breaks: |case| {
            let weak = case.get(&REDIS_URL).is_some_and(|url| {
                let common = |password| is_common_password(&url.server.user, password);
                is_sample_server(&url.server) || url.server.password.as_ref().is_some_and(common)
            });
            case.place_if(&REDIS_URL, weak)
        },
    },
    Rule {
        id: "redis-tls",
        severity: Warning,
        holds: "the way to Redis is encrypted, or stays on this machine",
        say: "the way to Redis is not encrypted",
        fix: "use `rediss://`",
        breaks: |case| {
            case.place_if(&REDIS_URL, case.get(&REDIS_URL).is_some_and(|url| !url.tls && !url.server.local))
        },
    },
    Rule {
        id: "redis-shared",
        severity: Warning,
        holds: "the replicas count the limits together",
        say: "several replicas without Redis count the limits apart",
        fix: "set it to a Redis that all of them reach",
        breaks: |case| {
            let many = case.get(&REPLICAS).is_some_and(|replicas| replicas > 1);
            case.place_if(&REDIS_URL, many && !case.values.is_explicit(&REDIS_URL))
        },
    },
    Rule {
        id: "encryption",
        severity: Violation,
        holds: "encryption at rest is on",
        say: "encryption at rest is switched off",
        fix: "set it to `true`, or remove it",
        breaks: |case| case.must_not_be(&ENCRYPTION_ENABLED, false),
    },
    Rule {
        id: "encryption-key",
        severity: Warning,
        holds: "the encryption key has a life of its own",
        say: "no encryption key is set, so it follows from the signing secret and cannot be replaced apart from it",
        fix: "set it to the output of `stoa secret encryption` before there is data",
        breaks: |case| case.place_if(&ENCRYPTION_KEY, !has_own_key(case)),
    },
    Rule {
        id: "data-folder",
        severity: Violation,
        holds: "the data folder can be written",
        say: "the data folder cannot be written",
        fix: "name a folder that the server may write",
        breaks: |case| case.place_if(&DATA_DIR, !case.facts.data_dir_writable && needs_folder(case)),
    },
    Rule {
        id: super::KNOWLEDGE_FOLDER,
        severity: Violation,
        holds: "the knowledge folder can be written",
        say: "the knowledge folder cannot be written",
        fix: "name a folder that the server may write, or remove the setting",
        breaks: |case| case.place_if(&KNOWLEDGE_DIR, !case.facts.knowledge_dir_writable),
    },
];

/// The master key is set, or lies in the data folder: it does not follow from the signing secret.
pub(super) fn has_own_key(case: &Case<'_>) -> bool {
    let folder = case.get(&DATA_DIR).unwrap_or_default();
    case.values.is_explicit(&ENCRYPTION_KEY) || folder.join(KEYRING_FILE).exists()
}

/// With everything elsewhere a read-only machine is fine.
fn needs_folder(case: &Case<'_>) -> bool {
    matches!(case.get(&DATABASE_URL), Some(DatabaseUrl::Sqlite(_)))
}

fn postgres(case: &Case<'_>) -> Option<PostgresUrl> {
    match case.get(&DATABASE_URL)? {
        DatabaseUrl::Postgres(url) => Some(url),
        DatabaseUrl::Sqlite(_) => None,
    }
}

fn is_sample_server(server: &Server) -> bool {
    let host = server.host.to_ascii_lowercase();
    matches!(host.as_str(), "host" | "hostname" | "dbhost" | "db-host") || host.starts_with("your-")
}

/// A local server may let its own users in without a password.
fn has_weak_password(server: &Server) -> bool {
    match &server.password {
        Some(password) => is_common_password(&server.user, password),
        None => !server.local,
    }
}
