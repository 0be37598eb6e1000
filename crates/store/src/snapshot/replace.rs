//! A database takes over the rows of another: a new one to be looked at, or the live one, whole and at once. Whatever
//! goes wrong before the commit leaves what was there. It never judges whether the rows are wanted.

use std::time::Duration;

use kernel::{AuditEvent, Fault, Result, Subject};
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::fill::{columns, empty, fill, put_keys};
use super::forget::{end_what_was_under_way, forget};
use super::{Columns, HOUSE, Head, Piece, TableSum, WrappedKey, house, unsound};
use crate::connection::Sql;
use crate::data_key::Refusal;
use crate::dialect::Company;
use crate::epoch::{self, Scope};
use crate::migrate::{self, STEPS, Step};
use crate::trouble::{Sort, Trouble};
use crate::tx::Tx;
use crate::value::{Value, values};
use crate::{Store, audit, secret};

/// How long a restore waits until it is alone.
const QUEUE: Duration = Duration::from_secs(60);

/// The audit log of the live database goes on where it can: nobody gets rid of an event by restoring an older copy.
const AUDIT: [&str; 3] = ["audit_events", "audit_head", "audit_cut"];

/// What the live database takes over besides rows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The newest migration of the rows.
    pub schema: u32,
    /// Whose rows they are.
    pub house: String,
    /// The end of the audit log among the rows.
    pub head: Head,
    /// The keys of the subjects among the rows.
    pub keys: Vec<WrappedKey>,
    /// What the audit log will say.
    pub event: AuditEvent,
}

/// What the live database knows that must not be undone by an older copy.
#[derive(Default)]
struct Kept {
    epochs: Vec<(String, i64)>,
    audit: bool,
    /// Statements with their values.
    rows: Vec<(&'static str, Vec<Value>)>,
}

fn steps(schema: u32) -> &'static [Step] {
    let end = usize::try_from(schema).unwrap_or(usize::MAX).min(STEPS.len());
    STEPS.get(..end).unwrap_or(STEPS)
}

impl Store {
    /// Fills a new database with rows of this version of the schema. Gives what is there then: it was read again.
    pub async fn fill_new(&self, schema: u32, mut pieces: Receiver<Piece>) -> Result<Vec<TableSum>> {
        self.migrate_with(steps(schema)).await?;
        let watch = self.watch("snapshot.fill");
        let work = async {
            let mut tx = Tx::begin(&self.inside.writes, Company::Alone).await?;
            unhurried(&mut tx).await?;
            let tables = columns(&mut tx).await?;
            empty(&mut tx, &tables, &[]).await?;
            let found = fill(&mut tx, &tables, &mut pieces, &[]).await?;
            tx.commit().await?;
            Ok::<_, Trouble>(found)
        };
        work.await.map_err(|trouble| watch.fault(trouble)).map_err(|fault| match fault.kind() {
            kernel::Kind::Internal => unsound(fault.cause().map(ToString::to_string).unwrap_or_default()),
            _ => fault,
        })
    }

    /// Makes a new database fit to be used: gives it the keys of its subjects, removes the data of those that were
    /// erased, ends what was under way. Gives how many rows of erased subjects went.
    pub async fn settle(&self, keys: Vec<WrappedKey>, erased: Vec<Subject>) -> Result<u64> {
        self.write_plain("snapshot.settle", move |tx| {
            Box::pin(async move {
                let tables = columns(tx).await?;
                tx.run("DELETE FROM data_keys", values![]).await?;
                put_keys(tx, &keys).await?;
                let mut count = 0;
                for subject in &erased {
                    count += forget(tx, &tables, subject).await?;
                }
                end_what_was_under_way(tx, &tables).await?;
                Ok(count)
            })
        })
        .await
    }

    /// Replaces everything, in one transaction: readers see the old data or the new. The schema becomes that of the
    /// plan. Sessions and tokens end, epochs move on, what was revoked stays revoked, the audit log goes on where it can.
    pub async fn replace(&self, mut pieces: Receiver<Piece>, plan: Plan) -> Result<()> {
        let watch = self.watch("snapshot.replace");
        let since = Instant::now();
        let mut tx = loop {
            match Tx::begin(&self.inside.writes, Company::Alone).await {
                Ok(tx) => break tx,
                // Others hold the lock, for moments.
                Err(trouble) if trouble.sort == Sort::Busy && since.elapsed() < QUEUE => {}
                Err(trouble) => return Err(watch.fault(trouble)),
            }
        };
        match self.replace_in(&mut tx, &mut pieces, plan).await {
            Ok(()) => tx.commit().await.map_err(|trouble| watch.fault(trouble)),
            Err(refusal) => {
                tx.rollback().await;
                watch.note(&refusal);
                Err(match refusal {
                    Refusal::Fault(fault) => fault,
                    Refusal::StaleKey => Fault::internal("a restore met a stale data key"),
                })
            }
        }
    }

    async fn replace_in(&self, tx: &mut Tx, pieces: &mut Receiver<Piece>, plan: Plan) -> Result<(), Refusal> {
        unhurried(tx).await?;
        let now = self.inside.ambient.now();
        let steps = steps(plan.schema);
        let mut tables = columns(tx).await?;
        let same = migrate::is_at(tx, &tables, steps).await?;
        let kept = keep(tx, &tables, &plan, same).await?;
        let skip: &[&str] = if kept.audit { &AUDIT } else { &[] };
        if !same {
            drop_all(tx, &tables).await?;
            migrate::make(tx, steps, now).await?;
            tables = columns(tx).await?;
        }
        empty(tx, &tables, skip).await?;
        fill(tx, &tables, pieces, skip).await?;
        put_keys(tx, &plan.keys).await?;
        end_what_was_under_way(tx, &tables).await?;
        for (sql, values) in kept.rows {
            tx.run(sql, values).await?;
        }
        move_epochs(tx, &kept.epochs, now).await?;
        let secrets = secret::read_in(tx, &self.inside.keyring).await?;
        audit::append(tx, &secrets.chain, &self.inside.ambient, vec![plan.event]).await?;
        Ok(())
    }
}

async fn unhurried(tx: &mut Tx) -> Result<(), Trouble> {
    match tx.engine().unhurried() {
        Some(sql) => tx.script(sql.to_owned()).await,
        None => Ok(()),
    }
}

/// Every epoch becomes greater than it ever was, so that all processes look anew; what was signed in before ends.
async fn move_epochs(tx: &mut Tx, before: &[(String, i64)], now: kernel::Time) -> Result<(), Refusal> {
    for (scope, value) in before {
        let sql = "UPDATE epochs SET value = CASE WHEN value < $2 THEN $2 ELSE value END WHERE scope = $1";
        tx.run(sql, values![scope.as_str(), *value]).await?;
    }
    tx.run("UPDATE epochs SET value = value + 1 WHERE scope <> 'visitors'", values![]).await?;
    let scopes = tx.all("SELECT scope FROM epochs", values![]).await?;
    let scopes: Vec<String> = scopes.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    for scope in [Scope::Sessions, Scope::Tokens] {
        if scopes.iter().any(|name| name == scope.as_str()) {
            epoch::raise(tx, scope, now).await?;
        }
    }
    Ok(())
}

async fn drop_all(tx: &mut Tx, tables: &Columns) -> Result<(), Trouble> {
    if let Some(sql) = tx.engine().defer_references() {
        tx.script(sql.to_owned()).await?;
    }
    // What points before what is pointed at; tables of another version came last and go first.
    for (table, _) in tables.iter().rev() {
        let cascade = match tx.engine() {
            crate::dialect::Engine::Sqlite => "",
            crate::dialect::Engine::Postgres => " CASCADE",
        };
        tx.script(format!("DROP TABLE {table}{cascade}")).await?;
    }
    Ok(())
}

/// Statements that read what is kept, and those that write it again: the columns of the one are the values of the other.
const KEPT: &[(&str, &str)] = &[
    (
        "SELECT subject, revoked_at FROM revoked_subjects",
        "INSERT INTO revoked_subjects (subject, revoked_at) VALUES ($1, $2) \
         ON CONFLICT (subject) DO UPDATE SET revoked_at = excluded.revoked_at",
    ),
    (
        "SELECT id, revoked_at FROM api_keys WHERE revoked_at IS NOT NULL",
        "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
    ),
    (
        "SELECT id, disabled_at FROM users WHERE disabled_at IS NOT NULL",
        "UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL",
    ),
    (
        "SELECT net, reason, created_at, expires_at FROM blocks",
        "INSERT INTO blocks (net, reason, created_at, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (net) DO NOTHING",
    ),
    // Who was erased: it is looked again whether anything of them came back, and that goes.
    (
        "SELECT id, subject, others, counts, erased_at FROM erasures",
        "INSERT INTO erasures (id, subject, others, counts, erased_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET settled_at = NULL",
    ),
    // What must be kept is not forgotten with an older copy.
    (
        "SELECT id, target, reason, created_by, created_at FROM holds",
        "INSERT INTO holds (id, target, reason, created_by, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    ),
    // The brake, receipts of erasures of earlier versions, and what is known of backups.
    (
        "SELECT name, value, updated_at FROM state \
         WHERE name = 'lockdown' OR name LIKE 'erasure:%' OR name LIKE 'backup.%'",
        "INSERT INTO state (name, value, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    ),
];

async fn keep(tx: &mut Tx, tables: &Columns, plan: &Plan, same: bool) -> Result<Kept, Refusal> {
    let has = |name: &str| tables.iter().any(|(table, _)| table == name);
    let mut kept = Kept::default();
    if has("epochs") {
        for row in tx.all("SELECT scope, value FROM epochs", values![]).await? {
            kept.epochs.push((row.text(0)?, row.int(1)?));
        }
    }
    if !same {
        return Ok(kept);
    }
    // Of another database nothing can be read, and nothing concerns the rows that come.
    let row = tx.one(HOUSE, values![]).await?;
    if row.map(|row| row.bytes(0)).transpose()?.map(|sealed| house(&sealed)).as_ref() != Some(&plan.house) {
        return Ok(kept);
    }
    for (read, write) in KEPT {
        let mut found = Vec::new();
        let mut take = |row: &crate::value::Row| {
            found.push(row.values().to_vec());
            Ok(())
        };
        tx.look(Sql::Fixed(read), &mut take).await?;
        kept.rows.extend(found.into_iter().map(|values| (*write, values)));
    }
    kept.audit = goes_on(tx, &plan.head).await?;
    Ok(kept)
}

/// Whether the audit log of the live database begins with that of the rows and goes on from there.
async fn goes_on(tx: &mut Tx, head: &Head) -> Result<bool, Trouble> {
    let Some(row) = tx.one("SELECT seq, hash FROM audit_head WHERE id = 1", values![]).await? else {
        return Ok(false);
    };
    let (seq, hash) = (row.int(0)?, row.text(1)?);
    if head.seq == 0 || seq <= head.seq {
        return Ok(seq > head.seq || (seq == head.seq && hash == head.hash));
    }
    let row = tx.one("SELECT hash FROM audit_events WHERE seq = $1", values![head.seq]).await?;
    // An event that was pruned since can say nothing against it.
    Ok(row.map(|row| row.text(0)).transpose()?.is_none_or(|hash| hash == head.hash))
}
