//! Everything that differs between SQLite and Postgres, in one place.
//! It never runs a statement.

use std::fmt::Write as _;

/// Which engine speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Whether a transaction may run beside others that write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Company {
    /// It keeps to the order of locks.
    Shared,
    /// It does not.
    Alone,
}

impl Engine {
    /// The engine as a word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        }
    }

    /// The text of a migration in this engine's types. An integer primary key is the row's own address in
    /// SQLite, which saves an index.
    pub(crate) fn migration(self, text: &str) -> String {
        let (bytes, int) = match self {
            Engine::Sqlite => ("blob", "integer"),
            Engine::Postgres => ("bytea", "bigint"),
        };
        text.replace("{bytes}", bytes).replace("{int}", int)
    }

    /// Begins a transaction that will write. SQLite takes its write lock at once: a transaction that read first
    /// and wanted to write later could only fail. In Postgres most transactions go side by side, because they
    /// lock rows in one order (data keys, conversations, messages, the head of the audit log) or only add rows;
    /// those that do not keep to it run alone, as all do that change accounts. The numbers are the words "stoa" and "alon" in ASCII.
    pub(crate) const fn begin(self, company: Company) -> &'static str {
        match (self, company) {
            (Engine::Sqlite, _) => "BEGIN IMMEDIATE",
            (Engine::Postgres, Company::Shared) => {
                "BEGIN; SELECT pg_advisory_xact_lock_shared(1937010529, 1634496366)"
            }
            (Engine::Postgres, Company::Alone) => {
                "BEGIN; SELECT pg_advisory_xact_lock(1937010529, 1634496366)"
            }
        }
    }

    /// Appended to a select whose rows must stay as they are until the commit. A writer of SQLite is alone;
    /// in Postgres the rows are locked in the order of the first column, the same in every process.
    pub(crate) const fn locked(self) -> &'static str {
        match self {
            Engine::Sqlite => "",
            Engine::Postgres => " ORDER BY 1 FOR NO KEY UPDATE",
        }
    }

    /// Appended to a select whose rows must stay until the commit, for any number of transactions at once.
    pub(crate) const fn shared(self) -> &'static str {
        match self {
            Engine::Sqlite => "",
            Engine::Postgres => " ORDER BY 1 FOR SHARE",
        }
    }

    /// The same as [`Engine::locked`] for a join, of which only the rows of the table named `m` are locked.
    pub(crate) const fn locked_messages(self) -> &'static str {
        match self {
            Engine::Sqlite => "",
            Engine::Postgres => " ORDER BY 1 FOR NO KEY UPDATE OF m",
        }
    }

    /// The head of the audit log, locked until the commit.
    pub(crate) const fn audit_head(self) -> &'static str {
        match self {
            Engine::Sqlite => "SELECT seq, hash, seal FROM audit_head WHERE id = 1",
            Engine::Postgres => "SELECT seq, hash, seal FROM audit_head WHERE id = 1 FOR NO KEY UPDATE",
        }
    }

    /// Writes the placeholder of the `number`th value (from 1) of a statement with many values. SQLite looks up
    /// numbered placeholders one by one in a list, which is quadratic; unnumbered ones it takes in order.
    pub(crate) fn placeholder(self, number: usize, into: &mut String) {
        match self {
            Engine::Sqlite => into.push('?'),
            Engine::Postgres => {
                let _ = write!(into, "${number}");
            }
        }
    }

    /// What makes a query take this index; Postgres knows how many rows there are and finds it by itself.
    pub(crate) fn by_index(self, name: &str) -> String {
        match self {
            Engine::Sqlite => format!(" INDEXED BY {name}"),
            Engine::Postgres => String::new(),
        }
    }

    /// The account that an audit event names in its details, as text or null.
    pub(crate) const fn account_in_details(self) -> &'static str {
        match self {
            Engine::Sqlite => "json_extract(details, '$.account')",
            Engine::Postgres => "(details::json ->> 'account')",
        }
    }

    /// Keeps other migrators out until the session ends; SQLite's transactions do that by themselves.
    /// The number is the word "stoa" in ASCII.
    pub(crate) const fn migrators_lock(self) -> Option<&'static str> {
        match self {
            Engine::Sqlite => None,
            Engine::Postgres => {
                Some("SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock(1937010529)")
            }
        }
    }

    /// Lets the statements of this transaction take their time: building an index does. A server that is killed
    /// meanwhile is missed within a second, where the engine can look; else the statement would go on to its end and
    /// hold its locks against the next start.
    pub(crate) const fn unhurried(self) -> Option<&'static str> {
        match self {
            Engine::Sqlite => None,
            Engine::Postgres => Some(
                "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'; \
                 SELECT set_config(name, '1000', true) FROM pg_settings \
                 WHERE name = 'client_connection_check_interval' AND version() LIKE '%linux%'",
            ),
        }
    }

    /// One row if the table `$1` exists.
    pub(crate) const fn table_exists(self) -> &'static str {
        match self {
            Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1",
            Engine::Postgres => {
                "SELECT table_name::text FROM information_schema.tables \
                 WHERE table_schema = current_schema() AND table_name = $1"
            }
        }
    }

    /// The name of every index, as text.
    pub(crate) const fn indexes(self) -> &'static str {
        match self {
            Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'index'",
            Engine::Postgres => "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema()",
        }
    }

    /// Begins a transaction that sees one moment, however long it reads, and keeps nobody from writing.
    pub(crate) const fn begin_snapshot(self) -> &'static str {
        match self {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; \
                 SET LOCAL idle_in_transaction_session_timeout = 0"
            }
        }
    }

    /// Every table, column and its type, as three columns of text, in order.
    pub(crate) const fn types(self) -> &'static str {
        match self {
            Engine::Sqlite => {
                "SELECT m.name, c.name, lower(c.type) FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
            }
            Engine::Postgres => {
                "SELECT c.table_name::text, c.column_name::text, lower(c.data_type::text) \
                 FROM information_schema.columns c JOIN information_schema.tables t \
                 ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE' \
                 WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position"
            }
        }
    }

    /// Lets rows point at rows that come later in the same transaction, where the engine can.
    pub(crate) const fn defer_references(self) -> Option<&'static str> {
        match self {
            Engine::Sqlite => Some("PRAGMA defer_foreign_keys = ON"),
            Engine::Postgres => None,
        }
    }

    /// Every table and column of the schema, as two columns of text.
    pub(crate) const fn columns(self) -> &'static str {
        match self {
            Engine::Sqlite => {
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
            }
            Engine::Postgres => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
            }
        }
    }
}
