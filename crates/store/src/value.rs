//! Values into statements and out of rows, the same for both engines.
//! It never knows what a value means: sealing, ids and times are turned into text, numbers and bytes before.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Column as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::snapshot::rows;
use crate::trouble::Trouble;

/// One value for a placeholder. An absent value still has a type: Postgres wants to know it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// An absent value of the same type.
    pub(crate) const fn nothing(&self) -> Value {
        match self {
            Value::Text(_) => Value::Text(None),
            Value::Int(_) => Value::Int(None),
            Value::Bytes(_) => Value::Bytes(None),
        }
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident, $value:ident => $convert:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Value { Value::$variant($convert) }
        }
    )*};
}

from! {
    &str => Text, value => Some(value.to_owned());
    String => Text, value => Some(value);
    Option<&str> => Text, value => value.map(str::to_owned);
    Option<String> => Text, value => value;
    i64 => Int, value => Some(value);
    u32 => Int, value => Some(i64::from(value));
    Option<i64> => Int, value => value;
    Option<u32> => Int, value => value.map(i64::from);
    Vec<u8> => Bytes, value => Some(value);
    Option<Vec<u8>> => Bytes, value => value;
    kernel::Time => Int, value => Some(value.micros());
    Option<kernel::Time> => Int, value => value.map(kernel::Time::micros);
}

/// The values of a statement, in the order of its placeholders.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use values;

fn add<A: Arguments>(mut arguments: A, values: Vec<Value>) -> Result<A, Trouble>
where
    for<'q> Option<String>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    for<'q> Option<i64>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    for<'q> Option<Vec<u8>>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
{
    arguments.reserve(values.len(), values.len() * 48);
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Int(number) => arguments.add(number),
            Value::Bytes(bytes) => arguments.add(bytes),
        }
        .map_err(|_| Trouble::defect("a value could not be bound"))?;
    }
    Ok(arguments)
}

/// The values for SQLite.
pub(crate) fn for_sqlite(values: Vec<Value>) -> Result<SqliteArguments, Trouble> {
    add(SqliteArguments::default(), values)
}

/// The values for Postgres.
pub(crate) fn for_postgres(values: Vec<Value>) -> Result<PgArguments, Trouble> {
    add(PgArguments::default(), values)
}

/// One row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getter {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(&self, index: usize) -> Result<$type, Trouble> {
            match self {
                Row::Sqlite(row) => row.try_get(index),
                Row::Postgres(row) => row.try_get(index),
            }
            .map_err(|_| Trouble::defect(concat!("a column is not a ", stringify!($name))))
        }
    )*};
}

impl Row {
    getter! {
        /// A text column that is never null.
        text -> String;
        /// A text column.
        maybe_text -> Option<String>;
        /// A number column that is never null.
        int -> i64;
        /// A number column.
        maybe_int -> Option<i64>;
        /// A column of bytes that is never null.
        bytes -> Vec<u8>;
        /// A column of bytes.
        maybe_bytes -> Option<Vec<u8>>;
    }

    /// Every value of the row, of whatever type.
    pub(crate) fn values(&self) -> Result<Vec<Value>, Trouble> {
        let wrong = |_| Trouble::defect("a column cannot be read");
        macro_rules! values {
            ($row:expr) => {{
                let mut values = Vec::with_capacity($row.len());
                for index in 0..$row.len() {
                    let kind = $row.column(index).type_info().name().to_ascii_uppercase();
                    values.push(match kind.as_str() {
                        "TEXT" | "VARCHAR" => Value::Text($row.try_get(index).map_err(wrong)?),
                        "BLOB" | "BYTEA" => Value::Bytes($row.try_get(index).map_err(wrong)?),
                        _ => Value::Int($row.try_get(index).map_err(wrong)?),
                    });
                }
                values
            }};
        }
        Ok(match self {
            Row::Sqlite(row) => values!(row),
            Row::Postgres(row) => values!(row),
        })
    }

    /// Writes the value of a column onto the end of `into`, in the form of a snapshot (`snapshot/rows.rs`), whatever
    /// its type is.
    pub(crate) fn encode(&self, index: usize, into: &mut Vec<u8>) -> Result<(), Trouble> {
        let wrong = |_| Trouble::defect("a column cannot be read");
        macro_rules! encode {
            ($row:expr) => {{
                let raw = $row.try_get_raw(index).map_err(wrong)?;
                if raw.is_null() {
                    rows::nothing(into);
                    return Ok(());
                }
                let kind = raw.type_info().name().to_ascii_uppercase();
                match kind.as_str() {
                    "TEXT" | "VARCHAR" | "NAME" => {
                        rows::text($row.try_get::<&str, _>(index).map_err(wrong)?, into)
                    }
                    "INTEGER" | "BIGINT" | "INT8" => {
                        rows::int($row.try_get::<i64, _>(index).map_err(wrong)?, into)
                    }
                    "BLOB" | "BYTEA" => rows::bytes($row.try_get::<&[u8], _>(index).map_err(wrong)?, into),
                    other => {
                        return Err(Trouble::defect(format!(
                            "a column has a type that is not copied: {other}"
                        )));
                    }
                }
            }};
        }
        match self {
            Row::Sqlite(row) => encode!(row),
            Row::Postgres(row) => encode!(row),
        }
        Ok(())
    }

    /// A column that holds a count; a negative or huge number is a defect.
    pub(crate) fn count(&self, index: usize) -> Result<u32, Trouble> {
        u32::try_from(self.int(index)?).map_err(|_| Trouble::defect("a count is out of range"))
    }

    /// A column that may hold a count.
    pub(crate) fn maybe_count(&self, index: usize) -> Result<Option<u32>, Trouble> {
        let number = self.maybe_int(index)?;
        number.map(u32::try_from).transpose().map_err(|_| Trouble::defect("a count is out of range"))
    }

    /// A time column that is never null.
    pub(crate) fn time(&self, index: usize) -> Result<kernel::Time, Trouble> {
        self.int(index).map(kernel::Time::from_micros)
    }

    /// A time column.
    pub(crate) fn maybe_time(&self, index: usize) -> Result<Option<kernel::Time>, Trouble> {
        Ok(self.maybe_int(index)?.map(kernel::Time::from_micros))
    }
}
