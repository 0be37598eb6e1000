//! The schema and its history: numbered files, each applied once in a transaction of its own.
//! It refuses a database that is newer than this program can work with, or whose history was altered, and changes
//! nothing then.

use kernel::{Fault, Result, Time};

use crate::Store;
use crate::connection::Connection;
use crate::side_by_side;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::values;

/// One step of the schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Migration {
    /// Its number: 1, 2, 3.
    pub version: u32,
    /// What it brings.
    pub name: String,
    /// When it was applied to this database.
    pub applied_at: Option<Time>,
}

/// A step as this program brings it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its number.
    pub version: u32,
    /// What it brings.
    pub name: &'static str,
    /// The text for both engines.
    pub text: &'static str,
}

/// Every step, in order.
pub const STEPS: &[Step] = &[
    Step {
        version: 1,
        name: "conversations_keys_audit",
        text: include_str!("../../../migrations/0001_conversations_keys_audit.sql"),
    },
    Step { version: 2, name: "accounts", text: include_str!("../../../migrations/0002_accounts.sql") },
    Step {
        version: 3,
        name: "message_details",
        text: include_str!("../../../migrations/0003_message_details.sql"),
    },
    Step { version: 4, name: "knowledge", text: include_str!("../../../migrations/0004_knowledge.sql") },
    Step { version: 5, name: "files", text: include_str!("../../../migrations/0005_files.sql") },
    Step { version: 6, name: "tutor", text: include_str!("../../../migrations/0006_tutor.sql") },
    Step { version: 7, name: "support", text: include_str!("../../../migrations/0007_support.sql") },
    Step { version: 8, name: "branches", text: include_str!("../../../migrations/0008_branches.sql") },
    Step { version: 9, name: "retention", text: include_str!("../../../migrations/0009_retention.sql") },
    Step { version: 10, name: "watch", text: include_str!("../../../migrations/0010_watch.sql") },
    Step { version: 11, name: "order", text: include_str!("../../../migrations/0011_order.sql") },
    Step { version: 12, name: "shares", text: include_str!("../../../migrations/0012_shares.sql") },
    Step { version: 13, name: "streams", text: include_str!("../../../migrations/0013_streams.sql") },
    Step { version: 14, name: "reviews", text: include_str!("../../../migrations/0014_reviews.sql") },
    Step { version: 15, name: "language", text: include_str!("../../../migrations/0015_language.sql") },
];

/// What the database says about a step.
pub(crate) struct Applied {
    pub(crate) version: i64,
    name: String,
    checksum: String,
    applied_at: Time,
}

fn checksum(step: &Step) -> String {
    blake3::hash(step.text.as_bytes()).to_hex().to_string()
}

/// Compares history and program. The error is a sentence for the operator.
fn compare(steps: &[Step], applied: &[Applied]) -> Result<(), String> {
    for row in applied {
        let known = steps.iter().find(|step| i64::from(step.version) == row.version);
        match known {
            None => {
                return Err(format!(
                    "The database has migration {} ({}), which this version of the program does not know: \
                     it was written by a newer version. Start that one, or run `stoa rollback`, which restores the \
                     snapshot from before that migration.",
                    row.version, row.name
                ));
            }
            Some(step) if checksum(step) != row.checksum => {
                return Err(format!(
                    "Migration {} ({}) differs from the one that was applied to this database. \
                     Use the program that made it, or restore a backup.",
                    row.version, row.name
                ));
            }
            Some(_) => {}
        }
    }
    // Steps are applied in order, so a hole means that the history was edited.
    if let Some((row, expected)) =
        applied.iter().zip(steps).find(|(row, expected)| row.version != i64::from(expected.version))
    {
        return Err(format!(
            "Migration {} is missing before {} in the history of the database.",
            expected.version, row.version
        ));
    }
    Ok(())
}

const REMEMBER: &str =
    "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
const HISTORY: &str = "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version";
const CREATE_HISTORY: &str = "CREATE TABLE IF NOT EXISTS schema_migrations \
     (version bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at bigint NOT NULL)";

fn history(rows: &[crate::value::Row]) -> Result<Vec<Applied>, Trouble> {
    rows.iter()
        .map(|row| {
            Ok(Applied {
                version: row.int(0)?,
                name: row.text(1)?,
                checksum: row.text(2)?,
                applied_at: row.time(3)?,
            })
        })
        .collect()
}

/// Whether the database has a step that these are older than.
fn is_newer(steps: &[Step], applied: &[Applied]) -> bool {
    let newest = steps.last().map_or(0, |step| i64::from(step.version));
    applied.iter().any(|row| row.version > newest)
}

/// Whether the database of this transaction has exactly the schema of these steps.
pub(crate) async fn is_at(
    tx: &mut Tx,
    tables: &[(String, Vec<(String, String)>)],
    steps: &[Step],
) -> Result<bool, Trouble> {
    if tables.iter().all(|(name, _)| name != "schema_migrations") {
        return Ok(false);
    }
    let applied = history(&tx.all(HISTORY, values![]).await?)?;
    Ok(applied.len() == steps.len() && compare(steps, &applied).is_ok())
}

/// Makes the schema of these steps in the transaction, on a database that has none.
pub(crate) async fn make(tx: &mut Tx, steps: &[Step], now: Time) -> Result<(), Trouble> {
    tx.run(CREATE_HISTORY, values![]).await?;
    for step in steps {
        let script = tx.engine().migration(step.text);
        tx.script(script).await.map_err(|trouble| trouble.during(step.name))?;
        let row = values![step.version, step.name, checksum(step), now];
        tx.run(REMEMBER, row).await?;
        side_by_side::raise(tx, step).await?;
    }
    Ok(())
}

fn refused(sentence: String) -> Fault {
    Fault::internal(sentence.clone()).say(sentence)
}

impl Store {
    /// Every step that this program brings, with the time at which it was applied here. A database that is newer
    /// or altered is an `internal` fault whose sentence says which step and what to do.
    pub async fn migrations(&self) -> Result<Vec<Migration>> {
        let mut reader = self.read("migrate.status").await?;
        let exists = reader.one(self.inside.engine.table_exists(), values!["schema_migrations"]).await?;
        let applied = match exists {
            Some(_) => {
                let applied = history(&reader.all(HISTORY, values![]).await?)?;
                let floor = match is_newer(STEPS, &applied) {
                    true => reader.one(side_by_side::FLOOR, values![]).await?,
                    false => None,
                };
                side_by_side::tolerated(STEPS, applied, floor.as_ref())?
            }
            None => Vec::new(),
        };
        compare(STEPS, &applied).map_err(refused)?;
        let at =
            |version| applied.iter().find(|row| row.version == i64::from(version)).map(|row| row.applied_at);
        let migration = |step: &Step| Migration {
            version: step.version,
            name: step.name.to_owned(),
            applied_at: at(step.version),
        };
        Ok(STEPS.iter().map(migration).collect())
    }

    /// Applies the steps that are missing; gives those. Several processes may call it at once.
    pub async fn migrate(&self) -> Result<Vec<Migration>> {
        self.migrate_with(STEPS).await
    }

    /// [`Store::migrate`] with other steps, for the tests of failing and newer ones.
    #[doc(hidden)]
    pub async fn migrate_with(&self, steps: &[Step]) -> Result<Vec<Migration>> {
        self.migrate_stepping(steps, &mut |_, _| ()).await
    }

    /// [`Store::migrate_with`], which tells before each statement of a step, after the last one, and after the step
    /// was written into the history, how many of its statements have run: for the tests that kill it there.
    #[doc(hidden)]
    pub async fn migrate_stepping(&self, steps: &[Step], at: At<'_>) -> Result<Vec<Migration>> {
        let watch = self.watch("migrate");
        // Whoever migrates at the same time waits here; the lock ends with its connection.
        let lock = match self.inside.engine.migrators_lock() {
            None => None,
            Some(sql) => {
                let connect = self.inside.address.connect(crate::connection::Purpose::Write);
                let mut connection = connect.await.map_err(|trouble| watch.fault(trouble))?;
                connection.script(sql.to_owned()).await.map_err(|trouble| watch.fault(trouble))?;
                Some(connection)
            }
        };
        let outcome = self.apply(steps, at).await;
        if let Some(connection) = lock {
            Connection::close(connection).await;
        }
        outcome.map_err(|trouble| match trouble {
            Stop::Trouble(trouble) => watch.fault(trouble),
            Stop::Refused(sentence) => refused(sentence),
        })
    }

    async fn apply(&self, steps: &[Step], at: At<'_>) -> Result<Vec<Migration>, Stop> {
        let mut done = Vec::new();
        loop {
            let mut tx = Tx::begin(&self.inside.writes, crate::dialect::Company::Alone).await?;
            if let Some(sql) = self.inside.engine.unhurried() {
                tx.script(sql.to_owned()).await?;
            }
            tx.run(CREATE_HISTORY, values![]).await?;
            let applied = history(&tx.all(HISTORY, values![]).await?)?;
            let floor = match is_newer(steps, &applied) {
                true => tx.one(side_by_side::FLOOR, values![]).await?,
                false => None,
            };
            let applied = side_by_side::tolerated(steps, applied, floor.as_ref())?;
            if let Err(sentence) = compare(steps, &applied) {
                tx.rollback().await;
                return Err(Stop::Refused(sentence));
            }
            let Some(step) =
                steps.iter().find(|step| applied.iter().all(|row| row.version != i64::from(step.version)))
            else {
                tx.commit().await?;
                return Ok(done);
            };
            let now = self.inside.ambient.now();
            // A step that fails leaves the transaction, and with it the old schema.
            let text = self.inside.engine.migration(step.text);
            let mut ran = 0;
            for statement in text.split_inclusive(";\n") {
                at(step.version, ran);
                if let Err(trouble) = tx.script(statement.to_owned()).await {
                    tx.rollback().await;
                    return Err(Stop::Trouble(trouble.during(step.name)));
                }
                ran += 1;
            }
            at(step.version, ran);
            let row = values![step.version, step.name, checksum(step), now];
            tx.run(REMEMBER, row).await?;
            at(step.version, ran + 1);
            side_by_side::raise(&mut tx, step).await?;
            tx.commit().await?;
            tracing::info!(version = step.version, name = step.name, "migration applied");
            done.push(Migration { version: step.version, name: step.name.to_owned(), applied_at: Some(now) });
        }
    }

    /// The indexes of the frequent queries that this database lacks: somebody dropped them, and the query behind
    /// each reads whole tables now.
    pub async fn missing_indexes(&self) -> Result<Vec<&'static str>> {
        let rows = self.read("migrate.indexes").await?.all(self.inside.engine.indexes(), values![]).await?;
        let found = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        let lacks = |index: &&'static str| !found.iter().any(|name| name == index);
        Ok(FREQUENT.iter().copied().filter(lacks).collect())
    }

    /// Every table with its columns, in order: what the test of the registry compares.
    #[doc(hidden)]
    pub async fn schema(&self) -> Result<Vec<(String, String)>> {
        let rows = self.read("migrate.schema").await?.all(self.inside.engine.columns(), values![]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }
}

/// The indexes of the frequent queries: history, the list of conversations, sessions, accounts, keys, the audit log,
/// what purges and the outbox look for.
pub(crate) const FREQUENT: &[&str] = &[
    "messages_in_conversation",
    "messages_being_written",
    "message_pieces_in_message",
    "conversations_by_owner",
    "conversations_by_session",
    "problems_by_app",
    "attempts_by_problem",
    "attempts_by_owner",
    "api_keys_by_digest",
    "api_keys_by_user",
    "audit_events_by_time",
    "audit_events_by_type",
    "audit_events_by_address",
    "users_by_email",
    "users_by_time",
    "user_identities_by_user",
    "passkeys_by_credential",
    "passkeys_by_user",
    "sessions_by_digest",
    "sessions_by_user",
    "sessions_by_time",
    "sessions_by_expiry",
    "refresh_tokens_by_session",
    "refresh_tokens_by_expiry",
    "tickets_by_user",
    "grants_by_time",
    "alerts_by_cause",
    "alerts_by_time",
    "outbox_by_time",
    "documents_by_content",
    "documents_by_time",
    "documents_by_status",
    "passages_in_document",
    "hand_offs_open",
    "hand_offs_by_app",
    "hand_offs_by_owner",
    "hand_offs_by_conversation",
    "feedback_by_owner",
    "feedback_by_app",
    "feedback_by_conversation",
    "outcomes_by_owner",
    "outcomes_by_app",
    "outcomes_by_conversation",
    "gaps_by_owner",
    "gaps_by_app",
    "gaps_by_conversation",
    "files_by_owner",
    "files_by_blob",
    "files_by_batch",
    "files_by_trash",
    "blobs_by_tag",
    "blobs_by_size",
    "blobs_by_facts",
    "blob_removals_by_time",
    "blob_removals_by_erasure",
    "conversations_by_app",
    "files_by_app",
    "holds_by_target",
    "erasures_by_subject",
    "erasures_unsettled",
    "usage_days_by_day",
    "usage_days_by_owner",
    "conversations_pinned",
    "conversations_archived",
    "conversations_in_folder",
    "conversations_temporary",
    "conversations_unsearched",
    "folders_by_tag",
    "conversation_tags_by_owner",
    "search_runs_by_owner",
    "search_runs_unready",
    "search_gone_by_owner",
    "shares_by_digest",
    "shares_by_owner",
    "shares_by_conversation",
    "shares_by_expiry",
    "reviews_by_about",
    "reviews_by_time",
    "reviews_open",
    "reviews_by_owner",
    "reviews_by_app",
    "reviews_by_conversation",
];

/// Is told the step and how many of its statements have run.
#[doc(hidden)]
pub type At<'a> = &'a mut (dyn FnMut(u32, usize) + Send);

enum Stop {
    Trouble(Trouble),
    Refused(String),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Stop {
        Stop::Trouble(trouble)
    }
}
