//! All of a subject's data, given out: table by table as the registry says, in pieces of bounded size, opened.
//! It never writes.

use std::sync::Arc;

use kernel::{Result, Subject};
use serde_json::{Map, Value as Json};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::SubjectKey;
use crate::registry::{KEYS, Rule, SubjectExport, Table, together};
use crate::tables::TABLES;
use crate::value::values;

/// Rows of an export read at once: of the longest messages some megabytes.
const PAGE: i64 = 100;

/// Rows of one table, each a JSON object.
pub type ExportedRows = (&'static str, Vec<Map<String, Json>>);

/// An export under way. Every table comes at least once, one that holds nothing with no rows; what comes of one table
/// comes in a row.
pub struct SubjectPages {
    store: Store,
    subjects: Vec<(Subject, Arc<SubjectKey>)>,
    /// Which table, which subject, and the row after which it goes on.
    table: usize,
    subject: usize,
    after: String,
}

impl Store {
    /// Begins to give out everything that is stored about a subject; about an account with what its keys did.
    pub async fn export_pages(&self, subject: &Subject) -> Result<SubjectPages> {
        let keys = match subject {
            Subject::User(id) => self.read("subject.keys").await?.all(KEYS, values![id.to_string()]).await?,
            _ => Vec::new(),
        };
        let mut subjects = Vec::new();
        for subject in together(subject, &keys)? {
            subjects.push((subject, self.fresh_key(&subject).await?));
        }
        Ok(SubjectPages { store: self.clone(), subjects, table: 0, subject: 0, after: String::new() })
    }

    /// The same as a whole, which is held in memory: for what is known to be small.
    pub async fn export_subject(&self, subject: &Subject) -> Result<SubjectExport> {
        let mut pages = self.export_pages(subject).await?;
        let mut export = SubjectExport::default();
        while let Some((table, rows)) = pages.next().await? {
            export.tables.entry(table).or_default().extend(rows);
        }
        Ok(export)
    }
}

impl SubjectPages {
    /// The next rows; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<ExportedRows>> {
        while let Some(table) = TABLES.get(self.table) {
            let Rule::Subject { condition, export: true, .. } = table.rule else {
                self.table += 1;
                continue;
            };
            let Some((subject, key)) = self.subjects.get(self.subject) else {
                (self.table, self.subject) = (self.table + 1, 0);
                continue;
            };
            let (name, key) = (subject.to_string(), Arc::clone(key));
            let rows = self.page(table, condition, &name, &key).await?;
            return Ok(Some((table.name, rows)));
        }
        Ok(None)
    }

    /// The next rows of a table, and where it goes on.
    async fn page(
        &mut self,
        table: &'static Table,
        condition: &str,
        subject: &str,
        key: &SubjectKey,
    ) -> Result<Vec<Map<String, Json>>> {
        let columns: Vec<&str> = table.exported().map(|(column, _)| *column).collect();
        let first = table.columns.first().map_or("id", |(column, _)| *column);
        let sql = format!(
            "SELECT {first}, {} FROM {} WHERE {condition} AND {first} > $2 ORDER BY {first} LIMIT $3",
            columns.join(", "),
            table.name
        );
        let mut reader = self.store.read("subject.export").await?;
        let page = reader.all(Sql::Built(sql.into()), values![subject, self.after.as_str(), PAGE]).await?;
        drop(reader);
        let rows = page.iter().map(|row| table.row(row, key)).collect::<Result<Vec<_>>>()?;
        match page.last() {
            Some(last) if page.len() as i64 == PAGE => self.after = last.text(0)?,
            _ => (self.subject, self.after) = (self.subject + 1, String::new()),
        }
        Ok(rows)
    }
}
