//! The registry of personal data: every table, whose data it holds, how it is exported and how erased.
//! Export and erasure are driven by it, and a test compares it with the real schema, so that no table is forgotten.

use std::collections::BTreeMap;

use crypto::Place;
use kernel::{AuditEvent, Fault, KeyId, Result, Subject};
use serde_json::{Map, Value as Json};

use crate::Store;
use crate::account::spare_last_admin;
use crate::blob;
use crate::connection::Sql;
use crate::data_key::{Refusal, SubjectKey};
use crate::epoch::{self, Scope};
use crate::identity;
use crate::tables::TABLES;
use crate::tx::Tx;
use crate::value::{Row, values};

/// What a column holds, for the export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// Plain text.
    Text,
    /// A number.
    Number,
    /// A time in microseconds.
    Time,
    /// A text sealed with the subject's data key and bound to the row's first column.
    SealedText,
    /// JSON sealed in the same way.
    SealedJson,
    /// Not given out: keys, tags and inner workings.
    Inner,
}

/// Whose data a table holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Rows that belong to a subject: those for which this condition on `$1`, the subject, is true.
    Subject {
        /// The condition.
        condition: &'static str,
        /// Whether its rows are part of an export.
        export: bool,
        /// Whether an erasure deletes its rows.
        erase: bool,
        /// Why it is so.
        why: &'static str,
    },
    /// No personal data.
    Nothing {
        /// Why not.
        why: &'static str,
    },
}

/// A table of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns in order, with what they hold.
    pub columns: &'static [(&'static str, Holds)],
    /// Whose data it holds.
    pub rule: Rule,
}

use Holds::{Inner, Number, SealedJson, SealedText, Text, Time};

/// A subject's data, table by table; each row is a JSON object.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SubjectExport {
    /// The tables with their rows.
    pub tables: BTreeMap<&'static str, Vec<Map<String, Json>>>,
}

impl Table {
    fn exported(&self) -> impl Iterator<Item = &'static (&'static str, Holds)> {
        self.columns.iter().filter(|(_, holds)| *holds != Inner)
    }

    /// A row whose first column is the table's own first column, to which sealed values are bound, and whose others
    /// are those that are exported.
    fn row(&self, row: &Row, key: &SubjectKey) -> Result<Map<String, Json>> {
        let id = row.text(0)?;
        let mut object = Map::new();
        for (place, (column, holds)) in (1..).zip(self.exported()) {
            let bound = Place { table: self.name, column, row: &id };
            let value = match holds {
                Text => row.maybe_text(place)?.map_or(Json::Null, Json::from),
                Number => row.maybe_int(place)?.map_or(Json::Null, Json::from),
                Time => row.maybe_time(place)?.map_or(Json::Null, |time| Json::from(time.rfc3339())),
                SealedText => match row.maybe_bytes(place)? {
                    Some(sealed) => Json::from(key.open_text(bound, &sealed)?),
                    None => Json::Null,
                },
                SealedJson => match row.maybe_bytes(place)? {
                    Some(sealed) => serde_json::from_slice(&key.open(bound, &sealed)?)
                        .map_err(|_| Fault::internal("sealed JSON is not JSON"))?,
                    None => Json::Null,
                },
                Inner => continue,
            };
            object.insert((*column).to_owned(), value);
        }
        Ok(object)
    }
}

/// Rows of an export read at once.
const PAGE: i64 = 500;

/// The keys of an account, whose conversations are the account's data.
const KEYS: &str = "SELECT id FROM api_keys WHERE user_id = $1 ORDER BY id";

/// The subjects whose data goes with this one: for an account the rows of its keys that [`KEYS`] gives, then itself.
fn together(subject: &Subject, keys: &[Row]) -> Result<Vec<Subject>> {
    let mut subjects = Vec::with_capacity(keys.len() + 1);
    for row in keys {
        subjects.push(Subject::Key(KeyId::parse(&row.text(0)?)?));
    }
    subjects.push(*subject);
    Ok(subjects)
}

impl Store {
    /// Everything that is stored about a subject, opened; about an account with what its keys did. Read in pages;
    /// the whole is held in memory.
    pub async fn export_subject(&self, subject: &Subject) -> Result<SubjectExport> {
        let keys = match subject {
            Subject::User(id) => self.read("subject.keys").await?.all(KEYS, values![id.to_string()]).await?,
            _ => Vec::new(),
        };
        let mut export = SubjectExport::default();
        for subject in together(subject, &keys)? {
            self.export_one(&subject, &mut export).await?;
        }
        Ok(export)
    }

    async fn export_one(&self, subject: &Subject, export: &mut SubjectExport) -> Result<()> {
        let key = self.subject_key(subject).await?;
        let mut reader = self.read("subject.export").await?;
        for table in TABLES {
            let Rule::Subject { condition, export: true, .. } = table.rule else { continue };
            let columns: Vec<&str> = table.exported().map(|(column, _)| *column).collect();
            let Some((first, _)) = table.columns.first() else { continue };
            let sql = format!(
                "SELECT {first}, {} FROM {} WHERE {condition} AND {first} > $2 ORDER BY {first} LIMIT $3",
                columns.join(", "),
                table.name
            );
            let sql = Sql::Built(sql.into());
            let rows = export.tables.entry(table.name).or_default();
            let mut after = String::new();
            loop {
                let page =
                    reader.all(sql.clone(), values![subject.to_string(), after.as_str(), PAGE]).await?;
                let Some(last) = page.last() else { break };
                after = last.text(0)?;
                for row in &page {
                    rows.push(table.row(row, &key)?);
                }
            }
        }
        Ok(())
    }

    /// Erases a subject: its rows, and its data key, without which no copy anywhere can be read; with an account
    /// goes what its keys did. Whatever the subject holds is revoked. Gives how many rows went from each table.
    /// `conflict` for the last active admin.
    pub async fn erase_subject(
        &self,
        subject: &Subject,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<(&'static str, u64)>> {
        let (subject, now) = (*subject, self.inside.ambient.now());
        let (counts, erased) =
            self.write_alone("subject.erase", audit, move |tx| Box::pin(erase(tx, subject, now))).await?;
        for subject in erased {
            self.inside.data_keys.invalidate(&subject).await;
        }
        Ok(counts)
    }
}

type Counts = Vec<(&'static str, u64)>;

async fn erase(tx: &mut Tx, subject: Subject, now: kernel::Time) -> Result<(Counts, Vec<Subject>), Refusal> {
    let mut keys = Vec::new();
    if let Subject::User(id) = subject {
        let id = id.to_string();
        let sql = "SELECT id, role, disabled_at FROM users WHERE id = $1";
        if let Some(row) = tx.one(sql, values![id.as_str()]).await? {
            spare_last_admin(tx, &row).await?;
        }
        identity::remember_erased(tx, &id, now).await?;
        keys = tx.all(KEYS, values![id]).await?;
        epoch::bump(tx, Scope::Users).await?;
        epoch::bump(tx, Scope::Keys).await?;
    }
    let subjects = together(&subject, &keys)?;
    let names: Vec<String> = subjects.iter().map(Subject::to_string).collect();
    // The rows of the data keys come first: every sealed write holds its own, so none is under way after this.
    for name in &names {
        let lock = format!("SELECT subject FROM data_keys WHERE subject = $1{}", tx.engine().locked());
        tx.all(Sql::Built(lock.into()), values![name.as_str()]).await?;
    }
    for name in &names {
        blob::doom_all(tx, name, now).await?;
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
    epoch::bump(tx, Scope::Subjects).await?;
    Ok((counts, subjects))
}
