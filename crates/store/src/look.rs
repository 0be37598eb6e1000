//! Looks at the database as a whole, for health, reports and `stoa doctor`: whether it can be written, its clock, its
//! size, who this server is to it, what waits in the outbox. It changes nothing that lasts.

use std::time::{Duration, Instant};

use kernel::{Result, Time};

use crate::Store;
use crate::connection::Sql;
use crate::dialect::Engine;
use crate::trouble::Trouble;
use crate::value::values;

/// What Postgres says about itself and about the user of this server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerFacts {
    /// The user may do anything.
    pub superuser: bool,
    /// The user may make roles or databases.
    pub may_make: bool,
    /// The addresses on which it listens, as it was configured.
    pub listens: String,
    /// How many connections it takes.
    pub max_connections: u64,
    /// How many it has, of everybody.
    pub connections: u64,
    /// Its version.
    pub version: String,
}

/// What waits in the outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Backlog {
    /// How many parcels.
    pub count: u64,
    /// Since when the oldest one waits.
    pub oldest: Option<Time>,
}

impl Store {
    /// How long a small write takes, from the queue to the disk. What is written is overwritten by the next.
    pub async fn ping_write(&self) -> Result<Duration> {
        let since = Instant::now();
        let now = self.inside.ambient.now();
        let sealed = self.secrets().await?.seal(crate::state::place("ping"), b"", &self.inside.ambient);
        self.write_plain("ping.write", move |tx| {
            Box::pin(async move { Ok(crate::state::put(tx, "ping", sealed, now).await?) })
        })
        .await?;
        Ok(since.elapsed())
    }

    /// The clock of the database server; `None` on SQLite, which has ours.
    pub async fn server_clock(&self) -> Result<Option<Time>> {
        if self.inside.engine == Engine::Sqlite {
            return Ok(None);
        }
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)";
        let row = self.read("clock.read").await?.one(sql, values![]).await?;
        Ok(row.map(|row| row.time(0)).transpose()?)
    }

    /// How many bytes the database takes on its disk.
    pub async fn database_size(&self) -> Result<u64> {
        let sql = match self.inside.engine {
            Engine::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Engine::Postgres => "SELECT pg_database_size(current_database())",
        };
        let row = self.read("size.read").await?.one(sql, values![]).await?;
        let bytes = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// How many bytes the stored files have, by what the rows say.
    pub async fn files_size(&self) -> Result<u64> {
        let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS bigint) FROM blobs";
        let row = self.read("size.files").await?.one(sql, values![]).await?;
        let bytes = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// What waits in the outbox.
    pub async fn outbox_backlog(&self) -> Result<Backlog> {
        let sql = "SELECT COUNT(*), MIN(created_at) FROM outbox";
        let Some(row) = self.read("outbox.backlog").await?.one(sql, values![]).await? else {
            return Ok(Backlog::default());
        };
        Ok(Backlog { count: u64::try_from(row.int(0)?).unwrap_or(0), oldest: row.maybe_time(1)? })
    }

    /// What Postgres says about itself; `None` on SQLite.
    pub async fn server_facts(&self) -> Result<Option<ServerFacts>> {
        if self.inside.engine == Engine::Sqlite {
            return Ok(None);
        }
        let sql = "SELECT CASE WHEN r.rolsuper THEN 1::bigint ELSE 0 END, \
             CASE WHEN r.rolcreaterole OR r.rolcreatedb THEN 1::bigint ELSE 0 END, \
             COALESCE(current_setting('listen_addresses', true), ''), \
             CAST(current_setting('max_connections') AS bigint), \
             (SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), \
             current_setting('server_version') \
             FROM pg_roles r WHERE r.rolname = current_user";
        let row = self.read("server.facts").await?.one(sql, values![]).await?;
        let read = |row: &crate::value::Row| -> Result<ServerFacts, Trouble> {
            Ok(ServerFacts {
                superuser: row.int(0)? == 1,
                may_make: row.int(1)? == 1,
                listens: row.text(2)?,
                max_connections: u64::try_from(row.int(3)?).unwrap_or(0),
                connections: u64::try_from(row.int(4)?).unwrap_or(0),
                version: row.text(5)?,
            })
        };
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// How many documents of all apps have this status: `failed` and `indexing` say whether the index is behind.
    pub async fn documents_with(&self, status: &str) -> Result<u64> {
        let sql = Sql::Fixed("SELECT COUNT(*) FROM documents WHERE status = $1");
        let row = self.read("document.status").await?.one(sql, values![status]).await?;
        let count = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many accounts there are, how many of them are active, have a second factor, and were seen since `since`.
    pub async fn account_counts(&self, since: Time) -> Result<AccountCounts> {
        let sql = "SELECT COUNT(*), \
             CAST(COALESCE(SUM(CASE WHEN disabled_at IS NULL THEN 1 ELSE 0 END), 0) AS bigint), \
             CAST(COALESCE(SUM(CASE WHEN disabled_at IS NULL AND totp_at IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = users.id) THEN 1 ELSE 0 END), 0) AS bigint), \
             CAST(COALESCE(SUM(CASE WHEN disabled_at IS NULL AND COALESCE(last_sign_in_at, created_at) < $1 THEN 1 ELSE 0 END), 0) AS bigint) \
             FROM users";
        let row = self.read("user.counts").await?.one(sql, values![since]).await?;
        let read = |row: &crate::value::Row| -> Result<AccountCounts, Trouble> {
            let count = |place| Ok::<_, Trouble>(u64::try_from(row.int(place)?).unwrap_or(0));
            Ok(AccountCounts { all: count(0)?, active: count(1)?, one_factor: count(2)?, stale: count(3)? })
        };
        Ok(row.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    /// How many events of each type were written from `since` until before `until`.
    pub async fn event_counts(&self, since: Time, until: Time) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT event_type, COUNT(*) FROM audit_events WHERE at >= $1 AND at < $2 \
             GROUP BY event_type ORDER BY event_type";
        let rows = self.read("audit.counts").await?.all(sql, values![since, until]).await?;
        let read = |row: &crate::value::Row| -> Result<(String, u64), Trouble> {
            Ok((row.text(0)?, u64::try_from(row.int(1)?).unwrap_or(0)))
        };
        rows.iter().map(|row| read(row).map_err(Into::into)).collect()
    }

    /// When an event of this type was written last.
    pub async fn last_event(&self, event_type: kernel::EventType) -> Result<Option<Time>> {
        let sql = "SELECT MAX(at) FROM audit_events WHERE event_type = $1";
        let row = self.read("audit.last").await?.one(sql, values![event_type.as_str()]).await?;
        Ok(row.map(|row| row.maybe_time(0)).transpose()?.flatten())
    }
}

/// Accounts, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AccountCounts {
    /// All.
    pub all: u64,
    /// Those that may sign in.
    pub active: u64,
    /// Of those, how many have a password alone.
    pub one_factor: u64,
    /// Of those, how many were not signed in since the time asked for.
    pub stale: u64,
}
