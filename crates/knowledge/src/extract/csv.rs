//! Rows of values. Each row becomes one line, `column: value; column: value`, so that a row alone says what its
//! values mean. Quotes as in RFC 4180; the delimiter is found by counting.

use super::budget::{Meter, Reason};
use super::draft::Draft;
use super::{BlockKind, Found};

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// Rows that are looked at to find the delimiter.
const SAMPLE: usize = 20;
/// Most columns of a row; a row with more is no row of a table.
const COLUMNS: usize = 4_096;

pub(crate) fn read(source: &str, meter: &Meter) -> Result<Found, Reason> {
    let delimiter = delimiter(source.get(..source.floor_char_boundary(64 * 1024)).unwrap_or(source), false);
    let mut rows = Rows { rest: source, delimiter: delimiter.unwrap_or(','), meter };
    let mut draft = Draft::new(meter);
    let mut warnings = Vec::new();
    let first = loop {
        match rows.next()? {
            Some(row) if row.iter().all(|value| value.trim().is_empty()) => {}
            Some(row) => break row,
            None => return Ok(Found::default()),
        }
    };
    let headed = is_header(&first);
    let columns: Vec<String> =
        if headed { first.iter().map(|name| name.trim().to_owned()).collect() } else { Vec::new() };
    if !headed {
        put(&mut draft, &columns, &first)?;
    }
    let mut uneven = 0_usize;
    while let Some(row) = rows.next()? {
        if row.iter().any(|value| !value.trim().is_empty()) {
            uneven += usize::from(headed && row.len() != columns.len());
            put(&mut draft, &columns, &row)?;
        }
    }
    if draft.blocks() == 0 && draft.is_blank() {
        // A header alone: its names are all the text there is.
        put(&mut draft, &[], &first)?;
    }
    if uneven > 0 {
        warnings.push(format!("{uneven} rows have more or fewer values than there are columns."));
    }
    let (text, blocks) = draft.finish();
    Ok(Found { title: None, text, blocks, warnings })
}

fn put(draft: &mut Draft<'_>, columns: &[String], row: &[String]) -> Result<(), Reason> {
    draft.begin(BlockKind::TableRow)?;
    let mut first = true;
    for (number, value) in row.iter().enumerate() {
        if value.trim().is_empty() {
            continue;
        }
        if !first {
            draft.words("; ")?;
        }
        first = false;
        if let Some(name) = columns.get(number).filter(|name| !name.is_empty()) {
            draft.words(name)?;
            draft.words(": ")?;
        }
        draft.words(value)?;
    }
    Ok(())
}

/// Whether a first row names columns: no value is missing, long or a number.
fn is_header(row: &[String]) -> bool {
    row.iter().any(|name| !name.trim().is_empty())
        && row.iter().all(|name| {
            let name = name.trim();
            name.chars().count() <= 80 && name.parse::<f64>().is_err() && !name.contains('\n')
        })
}

/// The delimiter of a table: the one that every row of the sample holds equally often. `strict`, without a name
/// that says CSV: three columns and three rows at least.
pub(crate) fn delimiter(head: &str, strict: bool) -> Option<char> {
    let unlimited = Meter::new(super::Budget::default());
    let mut best = None;
    for delimiter in DELIMITERS {
        let mut rows = Rows { rest: head, delimiter, meter: &unlimited };
        let mut widths = Vec::new();
        while widths.len() < SAMPLE {
            match rows.next() {
                Ok(Some(row)) if row.iter().all(|value| value.trim().is_empty()) => {}
                // The last row of a sample may be cut.
                Ok(Some(row)) if !rows.rest.is_empty() || widths.is_empty() || head.ends_with('\n') => {
                    widths.push(row.len());
                }
                _ => break,
            }
        }
        let Some(width) = widths.first().copied().filter(|width| *width > 1) else { continue };
        let even = widths.iter().filter(|other| **other == width).count();
        let enough = !strict || (width >= 3 && widths.len() >= 3 && even == widths.len());
        if enough && even * 10 >= widths.len() * 6 && best.is_none_or(|(most, _)| even * width > most) {
            best = Some((even * width, delimiter));
        }
    }
    match best {
        Some((_, delimiter)) => Some(delimiter),
        // One column is a table only by name.
        None => (!strict && head.lines().nth(1).is_some()).then_some(','),
    }
}

struct Rows<'a> {
    rest: &'a str,
    delimiter: char,
    meter: &'a Meter,
}

impl<'a> Rows<'a> {
    /// The values of the next row.
    fn next(&mut self) -> Result<Option<Vec<String>>, Reason> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.meter.element()?;
        let mut row = Vec::new();
        loop {
            let (value, ended) = self.value();
            self.meter.element()?;
            row.push(value);
            if row.len() > COLUMNS {
                return Err(Reason::broken("A row of the table has more than 4,096 columns."));
            }
            if ended {
                return Ok(Some(row));
            }
        }
    }

    /// One value, and whether the row ends after it. A quote that never ends reaches to the end of the line only:
    /// otherwise one stray quote would swallow the rest of the table.
    fn value(&mut self) -> (String, bool) {
        let bare = self.rest.trim_start_matches(' ');
        if let Some(inner) = bare.strip_prefix('"') {
            let mut value = String::new();
            let mut left = inner;
            while let Some((before, after)) = left.split_once('"') {
                value.push_str(before);
                if let Some(more) = after.strip_prefix('"') {
                    value.push('"');
                    left = more;
                    continue;
                }
                let (tail, ended) = self.plain(after);
                value.push_str(&tail);
                return (value, ended);
            }
        }
        self.plain(self.rest)
    }

    /// What stands up to the next delimiter or line end, and whether the row ends there.
    fn plain(&mut self, rest: &'a str) -> (String, bool) {
        let stop = rest.find([self.delimiter, '\n', '\r']).unwrap_or(rest.len());
        let (value, after) = rest.split_at_checked(stop).unwrap_or((rest, ""));
        let next = after.strip_prefix(self.delimiter);
        let line = || after.strip_prefix("\r\n").or_else(|| after.strip_prefix(['\n', '\r'])).unwrap_or("");
        self.rest = next.unwrap_or_else(line);
        (value.to_owned(), next.is_none())
    }
}
