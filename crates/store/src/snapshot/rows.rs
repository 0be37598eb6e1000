//! Rows as bytes, the same for both engines, and what tells two tables apart: a sum over the hashes of their rows that
//! does not depend on the order in which an engine gives them. It never knows what a value means.

use crate::trouble::Trouble;
use crate::value::Value;

const NOTHING: u8 = 0;
const INT: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;

/// Writes an absent value.
pub(crate) fn nothing(into: &mut Vec<u8>) {
    into.push(NOTHING);
}

/// Writes a number.
pub(crate) fn int(value: i64, into: &mut Vec<u8>) {
    into.push(INT);
    into.extend_from_slice(&value.to_le_bytes());
}

/// Writes a text.
pub(crate) fn text(value: &str, into: &mut Vec<u8>) {
    long(TEXT, value.as_bytes(), into);
}

/// Writes bytes.
pub(crate) fn bytes(value: &[u8], into: &mut Vec<u8>) {
    long(BYTES, value, into);
}

fn long(kind: u8, value: &[u8], into: &mut Vec<u8>) {
    into.push(kind);
    into.extend_from_slice(&(value.len() as u64).to_le_bytes());
    into.extend_from_slice(value);
}

/// Reads values one after the other.
pub(super) struct Values<'a>(pub(super) &'a [u8]);

impl Values<'_> {
    fn take(&mut self, length: usize) -> Result<&[u8], Trouble> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<[u8; 8], Trouble> {
        self.take(8)?.try_into().map_err(|_| cut())
    }

    /// The next value. An absent one is given the type of the column, which Postgres wants to know.
    pub(super) fn next(&mut self, kind: Kind) -> Result<Value, Trouble> {
        let tag = self.take(1)?.first().copied().unwrap_or(NOTHING);
        let value = match tag {
            NOTHING => return Ok(kind.nothing()),
            INT => Value::Int(Some(i64::from_le_bytes(self.number()?))),
            TEXT | BYTES => {
                let length = usize::try_from(u64::from_le_bytes(self.number()?)).map_err(|_| cut())?;
                let taken = self.take(length)?.to_vec();
                match tag {
                    BYTES => Value::Bytes(Some(taken)),
                    _ => Value::Text(Some(String::from_utf8(taken).map_err(|_| cut())?)),
                }
            }
            _ => return Err(cut()),
        };
        match (kind, &value) {
            (Kind::Int, Value::Int(_)) | (Kind::Text, Value::Text(_)) | (Kind::Bytes, Value::Bytes(_)) => {
                Ok(value)
            }
            _ => Err(Trouble::defect("a value does not fit its column")),
        }
    }
}

fn cut() -> Trouble {
    Trouble::defect("rows of a snapshot cannot be read")
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

impl Kind {
    /// From the type as the engine names it.
    pub(super) fn parse(name: &str) -> Result<Kind, Trouble> {
        match name {
            "bigint" | "integer" => Ok(Kind::Int),
            "text" | "character varying" => Ok(Kind::Text),
            "blob" | "bytea" => Ok(Kind::Bytes),
            other => Err(Trouble::defect(format!("columns of the type {other} are not copied"))),
        }
    }

    const fn nothing(self) -> Value {
        match self {
            Kind::Int => Value::Int(None),
            Kind::Text => Value::Text(None),
            Kind::Bytes => Value::Bytes(None),
        }
    }
}

/// The sum of a table: hashes of its rows, added up. Equal rows in another order have the same sum; a row more, less or
/// different has another.
pub(super) struct Sum {
    key: [u8; 32],
    total: [u64; 4],
    rows: u64,
}

impl Sum {
    pub(super) fn new(table: &str) -> Sum {
        Sum { key: blake3::derive_key("stoa 2026 sums of tables", table.as_bytes()), total: [0; 4], rows: 0 }
    }

    /// Adds a row as it was written down.
    pub(super) fn add(&mut self, row: &[u8]) {
        let hash = blake3::keyed_hash(&self.key, row);
        let mut carry = false;
        for (total, part) in self.total.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
            let part = part.try_into().map_or(0, u64::from_le_bytes);
            let (sum, over) = total.overflowing_add(part);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            *total = sum;
            carry = over || again;
        }
        self.rows += 1;
    }

    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// 64 hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        self.total.iter().flat_map(|part| part.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were_written() {
        let mut written = Vec::new();
        int(-7, &mut written);
        text("größe", &mut written);
        bytes(&[0, 255], &mut written);
        nothing(&mut written);
        let mut values = Values(&written);
        assert_eq!(values.next(Kind::Int).unwrap(), Value::Int(Some(-7)));
        assert_eq!(values.next(Kind::Text).unwrap(), Value::Text(Some("größe".to_owned())));
        assert_eq!(values.next(Kind::Bytes).unwrap(), Value::Bytes(Some(vec![0, 255])));
        assert_eq!(values.next(Kind::Bytes).unwrap(), Value::Bytes(None));
        assert!(values.0.is_empty() && values.next(Kind::Int).is_err());
        for length in 0..written.len() {
            let mut values = Values(&written[..length]);
            let kinds = [Kind::Int, Kind::Text, Kind::Bytes, Kind::Bytes];
            assert!(kinds.into_iter().any(|kind| values.next(kind).is_err()), "cut at {length}");
        }
        assert!(Values(&written).next(Kind::Text).is_err(), "a number is no text");
    }

    #[test]
    fn the_order_of_rows_does_not_count_and_everything_else_does() {
        let sum = |table: &str, rows: &[&[u8]]| {
            let mut sum = Sum::new(table);
            rows.iter().for_each(|row| sum.add(row));
            (sum.rows(), sum.hex())
        };
        assert_eq!(sum("t", &[b"a", b"b"]), sum("t", &[b"b", b"a"]));
        assert_ne!(sum("t", &[b"a", b"b"]).1, sum("u", &[b"a", b"b"]).1);
        assert_ne!(sum("t", &[b"a", b"b"]).1, sum("t", &[b"a", b"c"]).1);
        assert_ne!(sum("t", &[b"a", b"a"]).1, sum("t", &[]).1);
        assert_eq!(sum("t", &[]).1.len(), 64);
    }
}
