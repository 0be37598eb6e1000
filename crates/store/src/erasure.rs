//! The end of a subject's data, with a receipt that outlives it: its rows, its data key, without which no copy anywhere
//! can be read, and the bytes of its files. The receipt holds counts and pseudonymous ids, nothing else; whoever holds
//! its own id, which cannot be guessed, may read it.

use std::collections::BTreeMap;

use kernel::{AuditEvent, Code, Fault, Result, Subject, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Store;
use crate::account::spare_last_admin;
use crate::blob;
use crate::connection::Sql;
use crate::data_key::Refusal;
use crate::epoch::{self, Scope};
use crate::erasure_scan::Scan;
use crate::hold;
use crate::identity;
use crate::registry::{KEYS, Rule, together};
use crate::tables::TABLES;
use crate::tx::Tx;
use crate::value::{Row, values};

/// What an erasure took away.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Erased {
    /// Names the receipt.
    pub id: Uuid,
    /// Whose data it was.
    pub subject: String,
    /// Who went with it: the keys of an account.
    #[serde(default)]
    pub others: Vec<String>,
    /// When it was erased.
    pub erased_at: Time,
    /// How many rows went from each table; those that held nothing are left out.
    pub counts: BTreeMap<String, u64>,
    /// What was found when it was looked whether anything is left.
    #[serde(default)]
    pub scan: Option<Scan>,
}

impl Erased {
    /// Everybody who was erased.
    pub fn subjects(&self) -> Result<Vec<Subject>> {
        self.others.iter().chain([&self.subject]).map(|name| Subject::parse(name)).collect()
    }
}

/// Where earlier versions kept receipts.
fn place(id: Uuid) -> String {
    format!("erasure:{id}")
}

const COLUMNS: &str =
    "id, subject, others, counts, erased_at, scanned_at, left_over, settled_at FROM erasures";

pub(crate) fn select(condition: &str) -> Sql {
    Sql::Built(format!("SELECT {COLUMNS} {condition}").into())
}

pub(crate) fn read(row: &Row) -> Result<Erased> {
    fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(Fault::internal)
    }
    let left = row.maybe_text(6)?.map(|text| json(&text)).transpose()?;
    let scan = match (row.maybe_time(5)?, left) {
        (Some(at), Some(left)) => Some(Scan { at, left, settled: row.maybe_time(7)?.is_some() }),
        _ => None,
    };
    Ok(Erased {
        id: Uuid::try_parse(&row.text(0)?).map_err(Fault::internal)?,
        subject: row.text(1)?,
        others: json(&row.text(2)?)?,
        counts: json(&row.text(3)?)?,
        erased_at: row.time(4)?,
        scan,
    })
}

impl Store {
    /// Erases a subject with everything that it holds. `conflict` for the last active admin, and while a legal hold
    /// is there; `not_found` for an account that does not exist.
    pub async fn erase(&self, subject: &Subject, audit: Vec<AuditEvent>) -> Result<Erased> {
        if self.hold_on(subject).await?.is_some() {
            return Err(hold::refusal());
        }
        if let Subject::User(id) = subject {
            self.user(*id).await?;
            // Inactive first: the rule of the last admin is asked in the same way as ever, and nothing of the account
            // can be used while it goes.
            self.set_active(*id, false, Vec::new()).await?;
        }
        let mut random = [0; 16];
        self.inside.ambient.random().fill(&mut random);
        // 122 random bits: an id like all others, and a secret.
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        let before = self.thin(subject).await?;
        let mut erased = self.erase_as(id, subject, audit).await?;
        if before > 0 {
            *erased.counts.entry("messages".to_owned()).or_default() += before;
            self.recount(&erased).await?;
        }
        self.scan_erasure(erased).await
    }

    /// Takes the messages of who has very many away in small steps, so that the erasure itself keeps nobody waiting for
    /// long. Whoever is interrupted here asks again. Gives how many went.
    async fn thin(&self, subject: &Subject) -> Result<u64> {
        const STEP: u32 = 2_000;
        let name = subject.to_string();
        let sql = "SELECT CAST(COALESCE(SUM(messages), 0) AS bigint) FROM conversations WHERE owner = $1";
        let row = self.read("erasure.size").await?.one(sql, values![name.as_str()]).await?;
        if row.map_or(Ok(0), |row| row.int(0))? <= i64::from(STEP) * 2 {
            return Ok(0);
        }
        let mut gone = 0;
        loop {
            let row = values![name.as_str(), STEP];
            let step = self
                .write_alone("erasure.thin", Vec::new(), move |tx| {
                    Box::pin(async move {
                        let sql = "DELETE FROM messages WHERE id IN (SELECT m.id FROM conversations c \
                                   JOIN messages m ON m.conversation_id = c.id WHERE c.owner = $1 LIMIT $2)";
                        Ok(tx.run(sql, row).await?)
                    })
                })
                .await?;
            gone += step;
            if step < u64::from(STEP) {
                break;
            }
        }
        self.thin_search(&name).await?;
        Ok(gone)
    }

    /// Writes other counts onto a receipt.
    async fn recount(&self, erased: &Erased) -> Result<()> {
        let row =
            values![erased.id.to_string(), serde_json::to_string(&erased.counts).map_err(Fault::internal)?];
        self.write("erasure.recount", Vec::new(), move |tx| {
            Box::pin(async move {
                tx.run("UPDATE erasures SET counts = $2 WHERE id = $1", row).await?;
                Ok(())
            })
        })
        .await
    }

    /// The erasure itself, without a look at what is left.
    async fn erase_as(&self, id: Uuid, subject: &Subject, audit: Vec<AuditEvent>) -> Result<Erased> {
        let (subject, now) = (*subject, self.inside.ambient.now());
        let (erased, gone) =
            self.write_alone("subject.erase", audit, move |tx| Box::pin(erase(tx, id, subject, now))).await?;
        for subject in gone {
            self.inside.data_keys.invalidate(&subject).await;
        }
        Ok(erased)
    }

    /// Erases a subject; gives how many rows went from each table.
    #[doc(hidden)]
    pub async fn erase_subject(
        &self,
        subject: &Subject,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<(&'static str, u64)>> {
        let id = Uuid::from_bytes(self.inside.ambient.bytes::<16>());
        let erased = self.erase_as(id, subject, audit).await?;
        let count = |table: &'static str| (table, erased.counts.get(table).copied().unwrap_or(0));
        Ok(TABLES.iter().map(|table| count(table.name)).collect())
    }

    /// Erases again who was erased before: what a restored backup has brought back, and what another process wrote in
    /// the moment of the erasure. The receipt is kept here if it is not yet. Gives how many rows went.
    pub async fn repeat_erasure(&self, erased: &Erased) -> Result<u64> {
        let (known, subjects, now) = (erased.clone(), erased.subjects()?, self.inside.ambient.now());
        let gone = subjects.clone();
        let count = self
            .write_alone("subject.repeat", Vec::new(), move |tx| {
                Box::pin(async move {
                    let counts = remove(tx, known.id, &subjects, now).await?;
                    keep(tx, &known).await?;
                    Ok(counts.iter().map(|(_, count)| count).sum())
                })
            })
            .await?;
        for subject in gone {
            self.inside.data_keys.invalidate(&subject).await;
        }
        Ok(count)
    }

    /// The receipt with this id; `not_found` when there is none.
    pub async fn erasure(&self, id: Uuid) -> Result<Erased> {
        let row =
            self.read("erasure.get").await?.one(select("WHERE id = $1"), values![id.to_string()]).await?;
        if let Some(row) = row {
            return read(&row);
        }
        let text = self.get_state(&place(id)).await?.ok_or_else(|| Fault::new(Code::NotFound))?;
        serde_json::from_str(&text).map_err(Fault::internal)
    }

    /// Receipts in the order of their times, those after this one: what a restored backup has to be erased of again.
    pub async fn erasures_after(&self, after: Option<(Time, Uuid)>, limit: u32) -> Result<Vec<Erased>> {
        let (at, id) =
            after.map_or((Time::from_micros(i64::MIN), String::new()), |(at, id)| (at, id.to_string()));
        let sql =
            select("WHERE erased_at >= $1 AND (erased_at > $1 OR id > $2) ORDER BY erased_at, id LIMIT $3");
        let rows = self.read("erasure.list").await?.all(sql, values![at, id, limit]).await?;
        rows.iter().map(read).collect()
    }
}

type Counts = Vec<(&'static str, u64)>;

async fn erase(
    tx: &mut Tx,
    id: Uuid,
    subject: Subject,
    now: Time,
) -> Result<(Erased, Vec<Subject>), Refusal> {
    let mut keys = Vec::new();
    if let Subject::User(id) = subject {
        let id = id.to_string();
        let sql = "SELECT id, role, disabled_at FROM users WHERE id = $1";
        if let Some(row) = tx.one(sql, values![id.as_str()]).await? {
            spare_last_admin(tx, &row).await?;
        }
        identity::remember_erased(tx, &id, now).await?;
        keys = tx.all(KEYS, values![id]).await?;
    }
    let subjects = together(&subject, &keys)?;
    hold::refuse_held(tx, &subjects).await?;
    let counts = remove(tx, id, &subjects, now).await?;
    let named = |(table, count): &(&'static str, u64)| (*count > 0).then(|| ((*table).to_owned(), *count));
    let others = subjects.iter().filter(|other| **other != subject).map(Subject::to_string).collect();
    let counts = counts.iter().filter_map(named).collect();
    let erased = Erased { id, subject: subject.to_string(), others, erased_at: now, counts, scan: None };
    keep(tx, &erased).await?;
    Ok((erased, subjects))
}

/// Keeps the receipt; it is there before anybody hears of the erasure.
async fn keep(tx: &mut Tx, erased: &Erased) -> Result<(), Refusal> {
    let others = serde_json::to_string(&erased.others).map_err(Fault::internal)?;
    let counts = serde_json::to_string(&erased.counts).map_err(Fault::internal)?;
    let sql = "INSERT INTO erasures (id, subject, others, counts, erased_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (id) DO NOTHING";
    tx.run(sql, values![erased.id.to_string(), erased.subject.as_str(), others, counts, erased.erased_at])
        .await?;
    Ok(())
}

/// Takes away what these subjects have, and revokes what they hold.
async fn remove(tx: &mut Tx, id: Uuid, subjects: &[Subject], now: Time) -> Result<Counts, Refusal> {
    let names: Vec<String> = subjects.iter().map(Subject::to_string).collect();
    // The rows of the data keys come first: every sealed write holds its own, so none is under way after this.
    for name in &names {
        let lock = format!("SELECT subject FROM data_keys WHERE subject = $1{}", tx.engine().locked());
        tx.all(Sql::Built(lock.into()), values![name.as_str()]).await?;
    }
    for name in &names {
        blob::doom_all(tx, name, now, &id.to_string()).await?;
    }
    let mut counts = Vec::new();
    for table in TABLES {
        let Rule::Subject { condition, erase: true, .. } = table.rule else { continue };
        let sql = Sql::Built(format!("DELETE FROM {} WHERE {condition}", table.name).into());
        let mut count = 0;
        for name in &names {
            count += tx.run(sql.clone(), values![name.as_str()]).await?;
        }
        counts.push((table.name, count));
    }
    for name in names {
        tx.run(
            "INSERT INTO revoked_subjects (subject, revoked_at) VALUES ($1, $2) \
             ON CONFLICT (subject) DO UPDATE SET revoked_at = excluded.revoked_at",
            values![name, now],
        )
        .await?;
    }
    if subjects.iter().any(|subject| matches!(subject, Subject::User(_))) {
        epoch::bump(tx, Scope::Users).await?;
        epoch::bump(tx, Scope::Keys).await?;
    }
    epoch::bump(tx, Scope::Subjects).await?;
    Ok(counts)
}
