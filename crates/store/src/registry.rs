//! The registry of personal data: every table, whose data it holds, how it is exported and how erased.
//! Export and erasure are driven by it, and a test compares it with the real schema, so that no table is forgotten.

use std::collections::BTreeMap;

use crypto::Place;
use kernel::{Fault, KeyId, Result, Subject};
use serde_json::{Map, Value as Json};

use crate::data_key::SubjectKey;
use crate::value::Row;

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
    pub(crate) fn exported(&self) -> impl Iterator<Item = &'static (&'static str, Holds)> {
        self.columns.iter().filter(|(_, holds)| *holds != Inner)
    }

    /// A row whose first column is the table's own first column, to which sealed values are bound, and whose others
    /// are those that are exported.
    pub(crate) fn row(&self, row: &Row, key: &SubjectKey) -> Result<Map<String, Json>> {
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

/// The keys of an account, whose conversations are the account's data.
pub(crate) const KEYS: &str = "SELECT id FROM api_keys WHERE user_id = $1 ORDER BY id";

/// The subjects whose data goes with this one: for an account the rows of its keys that [`KEYS`] gives, then itself.
pub(crate) fn together(subject: &Subject, keys: &[Row]) -> Result<Vec<Subject>> {
    let mut subjects = Vec::with_capacity(keys.len() + 1);
    for row in keys {
        subjects.push(Subject::Key(KeyId::parse(&row.text(0)?)?));
    }
    subjects.push(*subject);
    Ok(subjects)
}
