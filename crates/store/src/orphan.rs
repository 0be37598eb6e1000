//! Rows that point at nothing. The database forbids most of them; a restored or edited one may have them all the
//! same, and `stoa doctor` counts. It never deletes.

use kernel::Result;

use crate::Store;
use crate::connection::Sql;
use crate::value::values;

/// A kind of row that may be left over.
struct Pointer {
    table: &'static str,
    /// What its rows point with.
    column: &'static str,
    /// Which values of the column point at all.
    only: &'static str,
    /// What must be there for a row `o`.
    target: &'static str,
}

/// Visitors and keys have data without an account.
const USERS: &str = "LIKE 'user:%'";

const fn to_user(table: &'static str) -> Pointer {
    Pointer {
        table,
        column: "user_id",
        only: "IS NOT NULL",
        target: "SELECT 1 FROM users WHERE id = o.user_id",
    }
}

const POINTERS: &[Pointer] = &[
    to_user("grants"),
    to_user("sessions"),
    to_user("passkeys"),
    to_user("recovery_codes"),
    to_user("user_identities"),
    to_user("tickets"),
    to_user("outbox"),
    to_user("api_keys"),
    Pointer {
        table: "refresh_tokens",
        column: "session_id",
        only: "IS NOT NULL",
        target: "SELECT 1 FROM sessions WHERE id = o.session_id",
    },
    // What nobody can sign in to any more.
    Pointer {
        table: "conversations",
        column: "owner",
        only: USERS,
        target: "SELECT 1 FROM users WHERE id = substr(o.owner, 6)",
    },
    Pointer {
        table: "data_keys",
        column: "subject",
        only: USERS,
        target: "SELECT 1 FROM users WHERE id = substr(o.subject, 6)",
    },
    // What nobody can open any more.
    Pointer {
        table: "users",
        column: "id",
        only: "IS NOT NULL",
        target: "SELECT 1 FROM data_keys WHERE subject = 'user:' || o.id",
    },
];

impl Store {
    /// How many rows point at something that is not there, for each kind of row (`table.column`), zeros included.
    pub async fn orphans(&self) -> Result<Vec<(String, u64)>> {
        let mut reader = self.read("orphan.count").await?;
        let mut found = Vec::with_capacity(POINTERS.len());
        for Pointer { table, column, target, only } in POINTERS {
            let sql =
                format!("SELECT COUNT(*) FROM {table} o WHERE o.{column} {only} AND NOT EXISTS ({target})");
            let row = reader.one(Sql::Built(sql.into()), values![]).await?;
            let count = row.map_or(Ok(0), |row| row.count(0))?;
            found.push((format!("{table}.{column}"), u64::from(count)));
        }
        Ok(found)
    }
}
