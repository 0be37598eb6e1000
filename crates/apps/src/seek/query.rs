//! What a person types to search: words, "exact phrases", beginnings with a star, and filters such as `tag:work`. A
//! filter that does not exist is refused with those that do. It never searches.

use kernel::{Fault, Result, Time};
use knowledge::Sought;
use store::Role;

/// Most characters of a query.
const LONGEST: usize = 500;
/// Most words, phrases and filters of one.
const MOST: usize = 24;

/// Every filter, for whoever wrote another.
const FILTERS: &str = "the filters are tag:, folder:, app:, before:, after:, has:file, is:pinned, is:archived, \
                       from:me and from:assistant; put quotes around the words to search for them as they stand";

/// A query, read.
#[derive(Clone, Default, Debug)]
pub(super) struct Query {
    pub(super) sought: Sought,
    pub(super) tags: Vec<String>,
    pub(super) folder: Option<String>,
    pub(super) app: Option<String>,
    pub(super) before: Option<Time>,
    pub(super) after: Option<Time>,
    pub(super) has_file: bool,
    pub(super) pinned: Option<bool>,
    pub(super) archived: Option<bool>,
    pub(super) from: Option<Role>,
}

fn refused(code: &'static str, sentence: impl Into<String>) -> Fault {
    Fault::invalid("q", code, sentence.into())
}

impl Query {
    /// Reads a query. The faults are on the field `q`.
    pub(super) fn parse(text: &str) -> Result<Query> {
        if text.chars().count() > LONGEST {
            return Err(refused("too_long", format!("a search may hold {LONGEST} characters")));
        }
        let mut query = Query::default();
        let mut count = 0;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            count += 1;
            if count > MOST {
                return Err(refused("too_many", format!("a search may hold {MOST} words and filters")));
            }
            let (filter, after) = filter(rest);
            let (word, quoted, after) = piece(after);
            match filter {
                Some(name) => query.filter(name, word)?,
                None if quoted => query.sought.phrase(word),
                None => match word.strip_suffix('*') {
                    Some(beginning) if !beginning.is_empty() => query.sought.beginning(beginning),
                    _ => query.sought.word(word),
                },
            }
            rest = after.trim_start();
        }
        if count == 0 || (query.sought.is_empty() && query.filters() == 0) {
            return Err(refused(
                "empty",
                "say what to search for: words, \"an exact phrase\", or a filter like tag:work",
            ));
        }
        Ok(query)
    }

    fn filters(&self) -> usize {
        let optional = [
            self.folder.is_some(),
            self.app.is_some(),
            self.before.is_some(),
            self.after.is_some(),
            self.has_file,
            self.pinned.is_some(),
            self.archived.is_some(),
            self.from.is_some(),
        ];
        self.tags.len() + optional.iter().filter(|set| **set).count()
    }

    fn filter(&mut self, name: &str, value: &str) -> Result<()> {
        let lower = value.to_lowercase();
        if value.trim().is_empty() {
            return Err(refused("incomplete", format!("say what follows `{name}:`")));
        }
        match (name, lower.as_str()) {
            ("tag", _) => self.tags.push(value.trim_start_matches('#').to_owned()),
            ("folder", _) => self.folder = Some(value.to_owned()),
            ("app", _) => self.app = Some(lower),
            ("before", _) => self.before = Some(day(name, value)?),
            ("after", _) => self.after = Some(day(name, value)?),
            ("has", "file" | "files") => self.has_file = true,
            ("is", "pinned") => self.pinned = Some(true),
            ("is", "archived") => self.archived = Some(true),
            ("from", "me" | "user") => self.from = Some(Role::User),
            ("from", "assistant") => self.from = Some(Role::Assistant),
            ("has" | "is" | "from", _) => {
                return Err(refused("unknown_filter", format!("`{name}:` knows no such word; {FILTERS}")));
            }
            _ => {
                return Err(refused("unknown_filter", format!("there is no filter of this name; {FILTERS}")));
            }
        }
        Ok(())
    }
}

/// The name of a filter in front of its value. `http://x`, `std::io` and `10:30` are none.
fn filter(text: &str) -> (Option<&str>, &str) {
    if let Some((name, value)) = text.split_once(':')
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase())
        && !value.starts_with(['/', ':', '\\'])
        && !value.starts_with(char::is_whitespace)
        && !value.is_empty()
    {
        return (Some(name), value);
    }
    (None, text)
}

/// The next word or quoted text, whether it was quoted, and what follows it. A quote that nobody closed goes to the end.
fn piece(text: &str) -> (&str, bool, &str) {
    if let Some(open) = text.strip_prefix(['"', '“', '„', '«']) {
        let (inside, after) = open.split_once(['"', '”', '“', '»']).unwrap_or((open, ""));
        return (inside, true, after);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    (word, false, after)
}

/// The beginning of a year, a month or a day, or a moment, in UTC.
fn day(name: &str, text: &str) -> Result<Time> {
    let whole = match text.len() {
        4 => format!("{text}-01-01T00:00:00Z"),
        7 => format!("{text}-01T00:00:00Z"),
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    Time::parse_rfc3339(&whole).ok_or_else(|| {
        refused("wrong_date", format!("`{name}:` takes a day like {name}:2026-11-21, a month or a year"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Query::parse(text).unwrap_err().fields()[0].code
    }

    #[test]
    fn words_phrases_and_filters() {
        let query = Query::parse(
            r#" cats "exact phrase" con* tag:work tag:"two words" folder:A/B from:me is:pinned before:2026-01 after:2025 has:file app:assistant"#,
        )
        .unwrap();
        let mut sought = Sought::default();
        sought.word("cats");
        sought.phrase("exact phrase");
        sought.beginning("con");
        assert_eq!(query.sought, sought);
        assert_eq!(query.tags, ["work", "two words"]);
        assert_eq!((query.folder.as_deref(), query.app.as_deref()), (Some("A/B"), Some("assistant")));
        assert_eq!((query.from, query.pinned, query.archived), (Some(Role::User), Some(true), None));
        assert!(query.has_file);
        let time = |text| Time::parse_rfc3339(text).unwrap();
        assert_eq!(query.before, Some(time("2026-01-01T00:00:00Z")));
        assert_eq!(query.after, Some(time("2025-01-01T00:00:00Z")));
        for plain in ["https://x.org", "std::io", "10:30", "a: b", "Note:this", "“open", "*", "key:"] {
            let query = Query::parse(plain).unwrap();
            assert_eq!(
                (query.sought.len(), query.filters()),
                (if plain == "a: b" { 2 } else { 1 }, 0),
                "{plain}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(code("  "), "empty");
        assert_eq!(code("model:x"), "unknown_filter");
        assert_eq!(code("is:starred"), "unknown_filter");
        assert!(Query::parse("model:x").unwrap_err().fields()[0].detail.contains("is:archived"));
        for wrong in ["before:yesterday", "after:2026-13-01", "before:20260101"] {
            assert_eq!(code(wrong), "wrong_date", "{wrong}");
        }
        assert_eq!(code("tag:\"\""), "incomplete");
        assert_eq!(code(&"x".repeat(501)), "too_long");
        assert_eq!(code(&"x ".repeat(25)), "too_many");
    }
}
