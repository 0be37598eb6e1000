//! Snapshots: every row of the database as it was at one moment, while others write, in a form that both engines read;
//! and the way back, in one transaction.
//! Data keys are not part of it: without them nothing that is sealed can be read, and they travel apart.

mod fill;
mod forget;
mod moment;
mod replace;
pub(crate) mod rows;

use std::collections::HashMap;

use kernel::{Fault, Result, Time};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender;

use crate::Store;
use crate::connection::{Connection, Purpose, Sql};
use crate::tables::TABLES;
use crate::trouble::Trouble;
use crate::value::{Row, values};

pub use replace::Plan;
use rows::Sum;

/// How many bytes of rows make a piece.
const PIECE: usize = 256 * 1024;

/// Tables that no snapshot holds: the keys, which replica does what just now, and the history of the schema, which the
/// schema itself brings.
const LEFT_OUT: [&str; 3] = ["data_keys", "leases", "schema_migrations"];

/// A part of a snapshot, in order.
#[derive(Clone, Debug)]
pub enum Piece {
    /// The rows that follow belong to this table.
    Table {
        /// Its name.
        name: String,
        /// The columns, in the order of the values.
        columns: Vec<String>,
    },
    /// Rows of that table.
    Rows(Vec<u8>),
    /// All of it has come: what must be there now.
    End(Vec<TableSum>),
}

/// What tells whether a table is the same as another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableSum {
    /// The name of the table.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// The sum over all rows, in whatever order.
    pub hash: String,
}

/// The end of the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last event.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

/// What a snapshot holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Which database it is of, whatever engine it lies in: the same after a restore.
    pub house: String,
    /// The newest migration.
    pub schema: u32,
    /// The engine that it was read from.
    pub engine: &'static str,
    /// When it was begun, by the clock of this process.
    pub at: Time,
    /// Every table.
    pub tables: Vec<TableSum>,
    /// The subjects that had a data key, and when it was made.
    pub subjects: Vec<(String, i64)>,
    /// The contents of files: name and size.
    pub blobs: Vec<(String, u64)>,
    /// The end of the audit log.
    pub head: Head,
}

/// A subject's data key, wrapped by the master key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrappedKey {
    /// Whose.
    pub subject: String,
    /// The key.
    #[serde(with = "hex")]
    pub wrapped: Vec<u8>,
    /// When it was made: another key of the same subject has another moment.
    pub created_at: i64,
}

mod hex {
    //! Bytes as hexadecimal digits in JSON.

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pair =
            |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
        bytes.ok_or_else(|| D::Error::custom("not hexadecimal"))
    }
}

/// The columns of every table, with their types, in the order in which rows may come in: what is pointed at before
/// what points there. Tables of another version come last.
pub(super) type Columns = Vec<(String, Vec<(String, String)>)>;

pub(super) fn arrange(rows: &[Row]) -> Result<Columns, Trouble> {
    let mut tables: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for row in rows {
        tables.entry(row.text(0)?).or_default().push((row.text(1)?, row.text(2)?));
    }
    let mut arranged: Columns = Vec::with_capacity(tables.len());
    for table in TABLES.iter().rev() {
        if let Some(columns) = tables.remove(table.name) {
            arranged.push((table.name.to_owned(), columns));
        }
    }
    let mut strangers: Columns = tables.into_iter().collect();
    strangers.sort_unstable();
    arranged.extend(strangers);
    Ok(arranged)
}

/// The text that reads the rows of a table.
pub(super) fn select(table: &str, columns: &[(String, String)]) -> Sql {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    Sql::Built(format!("SELECT {} FROM {table}", names.join(", ")).into())
}

/// Gathers the rows of a table into pieces, and their sum.
struct Gatherer {
    width: usize,
    sum: Sum,
    piece: Vec<u8>,
    row: Vec<u8>,
    /// The columns of `blobs` that are told apart.
    blob: Option<(usize, usize)>,
    blobs: Vec<(String, u64)>,
    head: Option<(usize, usize)>,
    end: Head,
}

impl Gatherer {
    fn new(table: &str, columns: &[(String, String)]) -> Gatherer {
        let at = |name: &str| columns.iter().position(|(column, _)| column == name);
        Gatherer {
            width: columns.len(),
            sum: Sum::new(table),
            piece: Vec::with_capacity(PIECE + 4_096),
            row: Vec::new(),
            blob: (table == "blobs").then(|| at("id").zip(at("size"))).flatten(),
            blobs: Vec::new(),
            head: (table == "audit_head").then(|| at("seq").zip(at("hash"))).flatten(),
            end: Head::default(),
        }
    }

    fn take(&mut self, row: &Row) -> Result<Option<Piece>, Trouble> {
        self.row.clear();
        for column in 0..self.width {
            row.encode(column, &mut self.row)?;
        }
        if let Some((id, size)) = self.blob {
            self.blobs.push((row.text(id)?, u64::try_from(row.int(size)?).unwrap_or(0)));
        }
        if let Some((seq, hash)) = self.head {
            self.end = Head { seq: row.int(seq)?, hash: row.text(hash)? };
        }
        self.sum.add(&self.row);
        self.piece.extend_from_slice(&self.row);
        Ok((self.piece.len() >= PIECE).then(|| self.flush()))
    }

    fn flush(&mut self) -> Piece {
        Piece::Rows(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE + 4_096)))
    }
}

impl Store {
    /// Gives out every row as it is at one moment, and in the end what it was. Writers go on meanwhile. Whoever takes
    /// the pieces may be slow; when nobody takes them any more it ends with a fault.
    pub async fn snapshot(&self, out: Sender<Piece>) -> Result<Snapshot> {
        let watch = self.watch("snapshot");
        let engine = self.inside.engine;
        let mut connection =
            self.inside.address.connect(Purpose::Read).await.map_err(|trouble| watch.fault(trouble))?;
        let begun = connection.begin(engine.begin_snapshot()).await;
        let outcome = match begun {
            Ok(()) => read_all(&mut connection, self.inside.ambient.now(), &out).await,
            Err(trouble) => Err(trouble),
        };
        connection.close().await;
        match outcome {
            Ok(snapshot) => {
                // Whoever does not wait for the end has been told already.
                let _ = out.send(Piece::End(snapshot.tables.clone())).await;
                Ok(snapshot)
            }
            Err(trouble) => Err(watch.fault(trouble)),
        }
    }

    /// The newest migration that was applied; `None` where there is no schema.
    pub async fn schema_version(&self) -> Result<Option<u32>> {
        let mut reader = self.read("schema.version").await?;
        if reader.one(self.inside.engine.table_exists(), values!["schema_migrations"]).await?.is_none() {
            return Ok(None);
        }
        let row = reader.one("SELECT MAX(version) FROM schema_migrations", values![]).await?;
        let version = row.map(|row| row.maybe_int(0)).transpose()?.flatten();
        Ok(version.and_then(|version| u32::try_from(version).ok()))
    }

    /// Which database this is; `None` while it has no keys of its own.
    pub async fn house(&self) -> Result<Option<String>> {
        let mut reader = self.read("snapshot.house").await?;
        if reader.one(self.inside.engine.table_exists(), values!["server_secret"]).await?.is_none() {
            return Ok(None);
        }
        let row = reader.one(HOUSE, values![]).await?;
        row.map(|row| Ok(house(&row.bytes(0)?))).transpose()
    }

    /// Every data key, wrapped, as they are now.
    pub async fn wrapped_keys(&self) -> Result<Vec<WrappedKey>> {
        let watch = self.watch("snapshot.keys");
        let work = async {
            let mut connection = self.inside.address.connect(Purpose::Read).await?;
            connection.begin(self.inside.engine.begin_snapshot()).await?;
            let mut keys = Vec::new();
            let mut take = |row: &Row| {
                keys.push(WrappedKey {
                    subject: row.text(0)?,
                    wrapped: row.bytes(1)?,
                    created_at: row.int(2)?,
                });
                Ok(None::<()>)
            };
            let sql = Sql::Fixed("SELECT subject, wrapped, created_at FROM data_keys ORDER BY subject");
            let read = connection.each(&sql, &mut take, None).await;
            connection.close().await;
            read.map(|()| keys)
        };
        work.await.map_err(|trouble| watch.fault(trouble))
    }
}

const HOUSE: &str = "SELECT sealed FROM server_secret WHERE id = 1";

/// The name of a database, from the sealed form of its own keys: that never changes and tells nothing about them.
pub(super) fn house(sealed: &[u8]) -> String {
    let hash = blake3::derive_key("stoa 2026 name of a database", sealed);
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn read_all(connection: &mut Connection, at: Time, out: &Sender<Piece>) -> Result<Snapshot, Trouble> {
    let engine = connection.engine();
    let types = connection.all(&Sql::Fixed(engine.types()), values![]).await?;
    let tables = arrange(&types)?;
    let schema = connection
        .all(&Sql::Fixed("SELECT MAX(version) FROM schema_migrations"), values![])
        .await?
        .first()
        .map(|row| row.maybe_int(0))
        .transpose()?
        .flatten()
        .and_then(|version| u32::try_from(version).ok())
        .ok_or_else(|| Trouble::defect("the database has no schema"))?;
    let house = connection.all(&Sql::Fixed(HOUSE), values![]).await?;
    let house = house.first().ok_or_else(|| Trouble::defect("the database has no keys of its own yet"))?;
    let mut snapshot = Snapshot {
        house: self::house(&house.bytes(0)?),
        schema,
        engine: engine.as_str(),
        at,
        tables: Vec::with_capacity(tables.len()),
        subjects: Vec::new(),
        blobs: Vec::new(),
        head: Head::default(),
    };
    for (table, columns) in tables.iter().filter(|(table, _)| !LEFT_OUT.contains(&table.as_str())) {
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let gone = |_| Trouble::busy("nobody takes the rows any more");
        out.send(Piece::Table { name: table.clone(), columns: names }).await.map_err(gone)?;
        let mut gatherer = Gatherer::new(table, columns);
        connection.each(&select(table, columns), &mut |row| gatherer.take(row), Some(out)).await?;
        if !gatherer.piece.is_empty() {
            out.send(gatherer.flush()).await.map_err(gone)?;
        }
        snapshot.tables.push(TableSum {
            name: table.clone(),
            rows: gatherer.sum.rows(),
            hash: gatherer.sum.hex(),
        });
        snapshot.blobs.append(&mut gatherer.blobs);
        if gatherer.head.is_some() {
            snapshot.head = gatherer.end;
        }
    }
    let mut take = |row: &Row| {
        snapshot.subjects.push((row.text(0)?, row.int(1)?));
        Ok(None::<()>)
    };
    let subjects = Sql::Fixed("SELECT subject, created_at FROM data_keys");
    connection.each(&subjects, &mut take, None).await?;
    Ok(snapshot)
}

/// What differs between two lists of sums, in a sentence; `None` when nothing does. Tables that `skip` names do not count.
pub(super) fn differ(expected: &[TableSum], found: &[TableSum], skip: &[&str]) -> Option<String> {
    let kept = |sums: &[TableSum]| {
        let mut sums: Vec<TableSum> =
            sums.iter().filter(|sum| !skip.contains(&sum.name.as_str())).cloned().collect();
        sums.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        sums
    };
    let (expected, found) = (kept(expected), kept(found));
    for sum in &expected {
        match found.iter().find(|other| other.name == sum.name) {
            None => return Some(format!("the table {} is missing", sum.name)),
            Some(other) if other.rows != sum.rows => {
                return Some(format!("{} has {} rows in place of {}", sum.name, other.rows, sum.rows));
            }
            Some(other) if other.hash != sum.hash => return Some(format!("{} has other rows", sum.name)),
            Some(_) => {}
        }
    }
    let more = found.iter().find(|sum| expected.iter().all(|other| other.name != sum.name));
    more.map(|sum| format!("the table {} is too much", sum.name))
}

/// A fault about what was to be copied.
pub(super) fn unsound(say: impl std::fmt::Display) -> Fault {
    Fault::internal(format!("the copy of the data is not sound: {say}"))
}
