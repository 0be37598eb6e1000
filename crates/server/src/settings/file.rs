//! Reads `stoa.toml` into raw values with their lines. It owns the sentences about unknown keys and wrong types.
//! It never judges a value beyond its TOML type.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::form::Shape;
use super::problem::{Problem, closest};
use super::raw::{Origin, Raw};
use super::sources::Document;
use super::table::{self, Entry, Group};

/// What the file says.
#[derive(Default)]
pub(crate) struct Contents {
    /// The settings.
    pub(crate) values: Vec<(&'static dyn Entry, Raw, Origin)>,
    /// The entries of the lists.
    pub(crate) entries: Vec<ListEntry>,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
}

/// One entry of a list such as `[[apps]]`.
pub(crate) struct ListEntry {
    /// The list.
    pub(crate) group: &'static Group,
    /// The line where the entry begins.
    pub(crate) line: usize,
    /// Its fields.
    pub(crate) fields: Vec<(&'static dyn Entry, Raw, usize)>,
}

struct Reader<'a> {
    document: &'a Document,
    contents: Contents,
}

/// Reads the file; every problem is collected.
pub(crate) fn read(document: &Document) -> Contents {
    let mut reader = Reader { document, contents: Contents::default() };
    let (table, errors) = DeTable::parse_recoverable(&document.text);
    for error in errors {
        // The parser's own message can quote the file, and the file can hold secrets: only its first sentence is used.
        let line = reader.line(&error.span().unwrap_or_default());
        let message = error.message().lines().next().unwrap_or_default();
        reader.problem(line, "", format!("is no valid TOML: {}", without_quotes(message)));
    }
    if reader.contents.problems.is_empty() {
        reader.table("", table.get_ref());
    }
    reader.contents
}

fn without_quotes(message: &str) -> String {
    message.split('`').step_by(2).collect::<Vec<_>>().join("…")
}

impl Reader<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        self.document.text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
    }

    fn problem(&mut self, line: usize, name: &str, say: impl Into<String>) {
        let file = self.document.path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{file}:{line} {name}");
        self.contents.problems.push(Problem::new(place.trim(), say));
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            };
            let line = self.line(&key.span());
            let below = format!("{name}.");
            if let Some(entry) = table::all().find(|entry| entry.setting().name == name) {
                if let Some(raw) = self.value(&name, line, entry.shape(), value) {
                    let origin = Origin::File { path: self.document.path.clone(), line };
                    self.contents.values.push((entry, raw, origin));
                }
            } else if let Some(group) = table::GROUPS.iter().find(|group| group.name == name) {
                self.list(group, line, value);
            } else if is_prefix(&below) {
                match value.get_ref().as_table() {
                    Some(inner) => self.table(&name, inner),
                    None => self.problem(line, &name, format!("must be a table: `[{name}]`")),
                }
            } else {
                let say = unknown(&name, table::all());
                self.problem(line, &name, say);
            }
        }
    }

    fn list(&mut self, group: &'static Group, line: usize, value: &Spanned<DeValue<'_>>) {
        let tables: Option<Vec<_>> = value
            .get_ref()
            .as_array()
            .and_then(|items| items.iter().map(|item| item.get_ref().as_table()).collect());
        let Some(tables) = tables else {
            self.problem(line, group.name, format!("must be a list of tables: `[[{}]]`", group.name));
            return;
        };
        for table in tables {
            let mut fields = Vec::new();
            let mut first = None;
            for (key, value) in table {
                let line = self.line(&key.span());
                first = Some(first.map_or(line, |first: usize| first.min(line)));
                let name = format!("{}.{}", group.name, key.get_ref());
                match group.fields.iter().find(|field| field.setting().name == key.get_ref().as_ref()) {
                    Some(field) => {
                        if let Some(raw) = self.value(&name, line, field.shape(), value) {
                            fields.push((*field, raw, line));
                        }
                    }
                    None => {
                        let say = unknown(key.get_ref(), group.fields.iter().copied());
                        self.problem(line, &name, say);
                    }
                }
            }
            self.contents.entries.push(ListEntry { group, line: first.unwrap_or(line), fields });
        }
    }

    fn value(&mut self, name: &str, line: usize, shape: Shape, value: &Spanned<DeValue<'_>>) -> Option<Raw> {
        let raw = match (shape, value.get_ref()) {
            (Shape::Flag, DeValue::Boolean(flag)) => Some(Raw::one(flag.to_string())),
            (Shape::Whole { .. } | Shape::Decimal { .. }, DeValue::Integer(number)) => {
                let text = number.as_str();
                let decimal =
                    i128::from_str_radix(text, number.radix()).map_or(text.to_owned(), |n| n.to_string());
                Some(Raw::one(decimal))
            }
            (Shape::Decimal { .. }, DeValue::Float(number)) => Some(Raw::one(number.as_str())),
            (Shape::Text(_) | Shape::Choice(_), DeValue::String(text)) => Some(Raw::one(text.as_ref())),
            (Shape::List(_), DeValue::Array(items)) => {
                let texts: Option<Vec<String>> =
                    items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
                texts.map(Raw::many)
            }
            _ => None,
        };
        if raw.is_none() {
            let form = match shape {
                Shape::List(_) => "texts in brackets",
                Shape::Text(_) | Shape::Choice(_) => "text in quotes",
                Shape::Flag | Shape::Whole { .. } | Shape::Decimal { .. } => "without quotes",
            };
            self.problem(line, name, format!("must be {}, {form}", shape.words()));
        }
        raw
    }
}

fn is_prefix(below: &str) -> bool {
    table::all().any(|entry| entry.setting().name.starts_with(below))
        || table::GROUPS.iter().any(|group| group.name.starts_with(below))
}

fn unknown(name: &str, known: impl Iterator<Item = &'static dyn Entry> + Clone) -> String {
    let by_variable = known.clone().find(|entry| entry.setting().variables.contains(&name));
    let meant = by_variable
        .map(|entry| entry.setting().name)
        .or_else(|| closest(name, known.map(|entry| entry.setting().name)));
    match meant {
        Some(meant) => format!("is no setting; did you mean `{meant}`?"),
        None => "is no setting; `stoa config example` prints them all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn contents(text: &str) -> Contents {
        read(&Document { path: PathBuf::from("stoa.toml"), text: text.to_owned() })
    }

    fn problems(text: &str) -> Vec<String> {
        contents(text).problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn values_come_with_their_lines() {
        let contents = contents(
            "environment = \"staging\"\n[server]\nport = 0x1F90\n\n[http]\ncors_origins = [\"https://a.example\"]\n",
        );
        assert!(contents.problems.is_empty());
        let found: Vec<_> = contents
            .values
            .iter()
            .map(|(entry, raw, origin)| (entry.setting().name, raw.text(), origin.to_string()))
            .collect();
        assert!(found.contains(&("server.port", "8080".to_owned(), "stoa.toml:3".to_owned())));
        assert!(found.contains(&(
            "http.cors_origins",
            "https://a.example".to_owned(),
            "stoa.toml:6".to_owned()
        )));
    }

    #[test]
    fn every_slip_is_named_at_once() {
        let found = problems(
            "prot = 1\nPORT = 3000\n[server]\nport = \"8080\"\nhots = \"x\"\n[nonsense]\na = 1\n[[apps]]\nidd = \"x\"\n",
        );
        assert_eq!(found.len(), 6, "{found:?}");
        assert!(found.iter().any(|line| line.starts_with("stoa.toml:2") && line.contains("`server.port`")));
        assert!(found.iter().any(|line| line.contains("server.port: must be a whole number")));
        assert!(found.iter().any(|line| line.contains("did you mean `server.host`")));
        assert!(found.iter().any(|line| line.contains("did you mean `id`")));
    }

    #[test]
    fn broken_files_are_refused_without_a_quote() {
        for text in [
            "a = hunter2",
            "[server",
            "session_secret = \"hunter2",
            "a = 1\na = 2",
            "[[server]]\nport=1",
            "apps = 3",
        ] {
            let found = problems(text);
            assert!(!found.is_empty(), "{text}");
            assert!(found.iter().all(|line| !line.contains("hunter2")), "{found:?}");
        }
    }

    #[test]
    fn lists_are_read_field_by_field() {
        let contents = contents(
            "[[apps]]\nid = \"handbook\"\nkind = \"chat\"\n[[apps]]\nid = \"tutor\"\nremove = true\n[[identity.issuers]]\nname = \"x\"\n",
        );
        assert!(contents.problems.is_empty());
        let lines: Vec<_> = contents.entries.iter().map(|entry| (entry.group.name, entry.line)).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.contains(&("apps", 5)) && lines.contains(&("identity.issuers", 8)));
    }
}
