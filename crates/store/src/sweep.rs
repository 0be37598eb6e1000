//! Retention: what is older than its app keeps it is removed, in small batches. Each batch is one transaction with its
//! counts, so that whoever is killed between two of them leaves nothing half done and nothing uncounted, and two
//! replicas at once remove everything once. What a hold protects is passed by. It never decides how long anything is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Actor, AppId, AuditEvent, EventType, Result, Time};

use crate::Store;
use crate::chore;
use crate::data_key::Refusal;
use crate::file_trash;
use crate::hold::unheld;
use crate::sweep_talk;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Row, values};

/// What is removed together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SweepKind {
    /// What was said: messages, and conversations with all that belongs to them.
    Talk,
    /// What people thought of it and what came of it: opinions, outcomes, questions without an answer.
    Quality,
    /// Files, those in the trash too.
    Files,
}

/// What is to be removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweepOrder {
    /// In which app.
    pub app: AppId,
    /// What.
    pub kind: SweepKind,
    /// What was written before this time.
    pub before: Time,
    /// Opinions and their like outlive their conversation: they have a time of their own.
    pub spare_quality: bool,
}

/// What a batch has removed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Rows of each table; those that lost nothing are left out.
    pub counts: BTreeMap<&'static str, u64>,
    /// There may be more to remove.
    pub more: bool,
}

impl Swept {
    /// Adds what went from a table.
    pub(crate) fn add(&mut self, table: &'static str, count: u64) {
        if count > 0 {
            *self.counts.entry(table).or_default() += count;
        }
    }
}

/// The chore of telling the audit log.
const TOLD: &str = "retention";

/// Files of one owner, and rows of a table, that go in one transaction.
const ROWS: u32 = 200;

/// The tables of [`SweepKind::Quality`] with the column that says how old a row is.
const QUALITY: [(&str, [&str; 2]); 3] = [
    (
        "feedback",
        [
            concat!(
                "SELECT message_id FROM feedback q WHERE q.app = $1 AND q.updated_at < $2 AND ",
                unheld!("q.owner"),
                " LIMIT $3"
            ),
            concat!(
                "DELETE FROM feedback WHERE message_id IN (SELECT message_id FROM feedback q WHERE q.app = $1 AND q.updated_at < $2 AND ",
                unheld!("q.owner"),
                " LIMIT $3)"
            ),
        ],
    ),
    (
        "outcomes",
        [
            concat!(
                "SELECT message_id FROM outcomes q WHERE q.app = $1 AND q.created_at < $2 AND ",
                unheld!("q.owner"),
                " LIMIT $3"
            ),
            concat!(
                "DELETE FROM outcomes WHERE message_id IN (SELECT message_id FROM outcomes q WHERE q.app = $1 AND q.created_at < $2 AND ",
                unheld!("q.owner"),
                " LIMIT $3)"
            ),
        ],
    ),
    (
        "gaps",
        [
            concat!(
                "SELECT id FROM gaps q WHERE q.app = $1 AND q.created_at < $2 AND ",
                unheld!("q.owner"),
                " LIMIT $3"
            ),
            concat!(
                "DELETE FROM gaps WHERE id IN (SELECT id FROM gaps q WHERE q.app = $1 AND q.created_at < $2 AND ",
                unheld!("q.owner"),
                " LIMIT $3)"
            ),
        ],
    ),
];

const OLD_FILES: &str = concat!(
    "SELECT f.owner FROM files f WHERE f.app = $1 AND f.created_at < $2 AND ",
    unheld!("f.owner"),
    " ORDER BY f.created_at LIMIT 1"
);

/// Whether the app as a whole is held.
pub(crate) async fn app_held(tx: &mut Tx, app: &AppId) -> Result<bool, Trouble> {
    let held = tx.one("SELECT id FROM holds WHERE target = $1", values![format!("app:{app}")]).await?;
    Ok(held.is_some())
}

/// Counts what a batch has removed until the audit log says so.
pub(crate) async fn note(tx: &mut Tx, app: &str, swept: &Swept) -> Result<(), Trouble> {
    for (table, count) in &swept.counts {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        tx.run(
            "INSERT INTO sweeps (app, kind, count) VALUES ($1, $2, $3) \
             ON CONFLICT (app, kind) DO UPDATE SET count = sweeps.count + excluded.count",
            values![app, *table, count],
        )
        .await?;
    }
    Ok(())
}

impl Store {
    /// Removes one batch. Asking is cheap while there is nothing to remove.
    pub async fn sweep(&self, order: &SweepOrder) -> Result<Swept> {
        match order.kind {
            SweepKind::Talk => self.sweep_talk(order).await,
            SweepKind::Quality => self.sweep_quality(order).await,
            SweepKind::Files => self.sweep_files(order).await,
        }
    }

    async fn sweep_talk(&self, order: &SweepOrder) -> Result<Swept> {
        let mut reader = self.read("sweep.due").await?;
        let row = values![order.app.as_str(), order.before, 1_i64];
        let due = reader.one(sweep_talk::WHOLE, row.clone()).await?.is_some()
            || reader.one(sweep_talk::PARTS, row.clone()).await?.is_some()
            || reader.one(sweep_talk::APPEALS, row).await?.is_some();
        drop(reader);
        if !due {
            return Ok(Swept::default());
        }
        let order = order.clone();
        self.write_alone("sweep.talk", Vec::new(), move |tx| {
            Box::pin(async move { sweep_talk::sweep(tx, &order).await })
        })
        .await
    }

    async fn sweep_quality(&self, order: &SweepOrder) -> Result<Swept> {
        let row = values![order.app.as_str(), order.before, ROWS];
        let mut reader = self.read("sweep.due").await?;
        let mut due = false;
        for (_, [find, _]) in QUALITY {
            due |= reader.one(find, values![order.app.as_str(), order.before, 1_i64]).await?.is_some();
        }
        drop(reader);
        if !due {
            return Ok(Swept::default());
        }
        let app = order.app.clone();
        self.write_alone("sweep.quality", Vec::new(), move |tx| {
            Box::pin(async move {
                let mut swept = Swept::default();
                if app_held(tx, &app).await? {
                    return Ok(swept);
                }
                for (table, [_, remove]) in QUALITY {
                    let count = tx.run(remove, row.clone()).await?;
                    swept.more |= count == u64::from(ROWS);
                    swept.add(table, count);
                }
                note(tx, app.as_str(), &swept).await?;
                Ok(swept)
            })
        })
        .await
    }

    async fn sweep_files(&self, order: &SweepOrder) -> Result<Swept> {
        let row = values![order.app.as_str(), order.before];
        let found = self.read("sweep.due").await?.one(OLD_FILES, row).await?;
        let Some(owner) = found.map(|row| row.text(0)).transpose()? else { return Ok(Swept::default()) };
        let (app, before, now) = (order.app.clone(), order.before, self.inside.ambient.now());
        self.write("sweep.files", Vec::new(), move |tx| {
            Box::pin(async move {
                let mut swept = Swept::default();
                if app_held(tx, &app).await? {
                    return Ok(swept);
                }
                let audit = AuditEvent::new(EventType::FileDeleted, Actor::System)
                    .with("permanent", true)
                    .with("reason", "the app keeps files no longer");
                let count = file_trash::destroy_older(tx, &owner, &app, before, ROWS, now, &audit).await?;
                // Another owner may come next.
                swept.more = count > 0;
                swept.add("files", count);
                note(tx, app.as_str(), &swept).await?;
                Ok(swept)
            })
        })
        .await
    }

    /// Forgets alerts that were closed before this time. Gives how many.
    pub async fn prune_alerts(&self, before: Time) -> Result<u64> {
        let mut reader = self.read("alert.old").await?;
        let find = "SELECT id FROM alerts WHERE closed_at < $1 AND raised_at < $1 LIMIT 1";
        if reader.one(find, values![before]).await?.is_none() {
            return Ok(0);
        }
        drop(reader);
        self.write_alone("alert.prune", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM alerts WHERE id IN \
                           (SELECT id FROM alerts WHERE closed_at < $1 AND raised_at < $1 LIMIT $2)";
                let mut swept = Swept::default();
                swept.add("alerts", tx.run(sql, values![before, ROWS]).await?);
                note(tx, "", &swept).await?;
                Ok(swept.counts.values().sum())
            })
        })
        .await
    }

    /// Writes into the audit log what was removed since it was last told, unless that is less than `gap` ago or nothing
    /// was. Gives the counts by app and table.
    pub async fn tell_sweeps(&self, gap: Duration) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
        let counts = "SELECT app, kind, count FROM sweeps ORDER BY app, kind";
        if self.read("sweep.untold").await?.one(counts, values![]).await?.is_none() {
            return Ok(BTreeMap::new());
        }
        let now = self.inside.ambient.now();
        self.write_alone("sweep.tell", Vec::new(), move |tx| {
            Box::pin(async move {
                let told = tx.one("SELECT done_at FROM chores WHERE name = $1", values![TOLD]).await?;
                let told = told.map(|row| row.time(0)).transpose()?;
                // A clock that was set back must not silence the log.
                if told.is_some_and(|at| at <= now && now.since(at) < gap) {
                    return Ok(BTreeMap::new());
                }
                let removed = read(&tx.all(counts, values![]).await?)?;
                if removed.is_empty() {
                    return Ok(removed);
                }
                let total: u64 = removed.values().flat_map(BTreeMap::values).sum();
                let document = serde_json::to_value(&removed).map_err(kernel::Fault::internal)?;
                tx.events.push(
                    AuditEvent::new(EventType::DataErased, Actor::System)
                        .to("retention")
                        .with("reason", "retention")
                        .with("total", total)
                        .with("removed", document),
                );
                tx.run("DELETE FROM sweeps", values![]).await?;
                chore::put(tx, TOLD, now, Duration::ZERO, &format!("{total} rows")).await?;
                Ok(removed)
            })
        })
        .await
    }
}

fn read(rows: &[Row]) -> Result<BTreeMap<String, BTreeMap<String, u64>>, Refusal> {
    let mut removed: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in rows {
        let count = u64::try_from(row.int(2)?).unwrap_or(0);
        removed.entry(row.text(0)?).or_default().insert(row.text(1)?, count);
    }
    Ok(removed)
}
