//! Values into statements and out of rows, the same for both engines.
//! It never knows what a value means: sealing, ids and times are turned into text, numbers and bytes before.

use sqlx::postgres::{PgArguments, PgColumn, PgRow};
use sqlx::{Arguments as _, Column as _, Row as _, TypeInfo as _};

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

    const fn is_nothing(&self) -> bool {
        matches!(self, Value::Text(None) | Value::Int(None) | Value::Bytes(None))
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

/// The values for Postgres.
pub(crate) fn for_postgres(values: Vec<Value>) -> Result<PgArguments, Trouble> {
    let mut arguments = PgArguments::default();
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

/// One row of an answer.
pub(crate) struct Row(Vec<Value>);

macro_rules! getter {
    ($($(#[$doc:meta])* $name:ident, $maybe:ident -> $type:ty, $variant:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $maybe(&self, index: usize) -> Result<Option<$type>, Trouble> {
            match self.0.get(index) {
                Some(Value::$variant(value)) => Ok(value.clone()),
                // What is absent has a type in Postgres alone.
                Some(value) if value.is_nothing() => Ok(None),
                _ => Err(Trouble::defect(concat!("a column is not a ", stringify!($variant)))),
            }
        }

        $(#[$doc])*
        /// It is never null.
        pub(crate) fn $name(&self, index: usize) -> Result<$type, Trouble> {
            self.$maybe(index)?.ok_or_else(|| Trouble::defect("a column is null"))
        }
    )*};
}

impl Row {
    getter! {
        /// A text column.
        text, maybe_text -> String, Text;
        /// A number column.
        int, maybe_int -> i64, Int;
        /// A column of bytes.
        bytes, maybe_bytes -> Vec<u8>, Bytes;
    }

    /// A row with these values.
    pub(crate) const fn new(values: Vec<Value>) -> Row {
        Row(values)
    }

    /// A row of Postgres.
    pub(crate) fn of_postgres(row: &PgRow) -> Result<Row, Trouble> {
        let wrong = |_| Trouble::defect("a column cannot be read");
        let value = |(index, column): (usize, &PgColumn)| {
            Ok(match column.type_info().name() {
                "TEXT" | "VARCHAR" | "NAME" => Value::Text(row.try_get(index).map_err(wrong)?),
                "INT8" => Value::Int(row.try_get(index).map_err(wrong)?),
                "INT4" => Value::Int(row.try_get::<Option<i32>, _>(index).map_err(wrong)?.map(i64::from)),
                "BYTEA" => Value::Bytes(row.try_get(index).map_err(wrong)?),
                // What a function gives that is called for what it does.
                "VOID" => Value::Text(None),
                other => {
                    return Err(Trouble::defect(format!("a column has a type that is not read: {other}")));
                }
            })
        };
        row.columns().iter().enumerate().map(value).collect::<Result<_, _>>().map(Row)
    }

    /// Every value of the row.
    pub(crate) fn values(&self) -> &[Value] {
        &self.0
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn size(&self) -> usize {
        let size = |value: &Value| match value {
            Value::Text(Some(text)) => text.len(),
            Value::Bytes(Some(bytes)) => bytes.len(),
            _ => 0,
        };
        self.0.iter().map(|value| size_of::<Value>() + size(value)).sum()
    }

    /// Writes the value of a column onto the end of `into`, in the form of a snapshot (`snapshot/rows.rs`), whatever
    /// its type is.
    pub(crate) fn encode(&self, index: usize, into: &mut Vec<u8>) -> Result<(), Trouble> {
        match self.0.get(index).ok_or_else(|| Trouble::defect("a row has too few columns"))? {
            Value::Text(Some(text)) => rows::text(text, into),
            Value::Int(Some(number)) => rows::int(*number, into),
            Value::Bytes(Some(bytes)) => rows::bytes(bytes, into),
            Value::Text(None) | Value::Int(None) | Value::Bytes(None) => rows::nothing(into),
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
