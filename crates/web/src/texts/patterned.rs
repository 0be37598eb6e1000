//! Sentences that other rooms have filled in already: `requests to files`, `a name has at most 100 characters`. Each is
//! found again by its pattern, and said in the language of the reader with the same values; a value that is a text itself is
//! translated too. It knows the patterns that pages show; what fits none stays as it is.

use std::borrow::Cow;

use super::{catalogue, count, find, key, language, say};
use kernel::Language;

/// A value is looked up so deep at the most.
const DEEP: usize = 3;

/// What the reports and the faults of other rooms say with values in it.
const PATTERNS: &[&str] = &[
    key("requests to {group}"),
    key("{value} (promised: {promise})"),
    key("more than {value}"),
    key("less than {value}"),
    key("in {value} ms"),
    key("{count}, of which {failed} failed"),
    key("{count}, of which {active} may sign in"),
    key("half within {half}, 95 of 100 within {most}, 99 within {all}"),
    key("{number}, the oldest since {ago}"),
    key("{turns} turns in {talks} conversations, {read} tokens in, {written} out"),
    key("{calls} calls, mean {mean} ms, longest {longest} ms"),
    key("{part} of {all}"),
    key("{days} days ({date})"),
    key("served at /docs, of version {version}"),
    key("app {name}"),
    key("admin {name}"),
    key("seen {ago}"),
    key("failures from {address}"),
    key("limited most: {address}"),
    key("{count} second ago|{count} seconds ago"),
    key("{count} minute ago|{count} minutes ago"),
    key("{count} hour ago|{count} hours ago"),
    key("{count} day ago|{count} days ago"),
    key("at most {limit} requests in {window} seconds; try again in {seconds} seconds"),
    key(
        "Your files would take more than your {quota} bytes; {used} are in use. Empty the trash, or delete files for good.",
    ),
    key("a file may have {most} bytes"),
    key("at most {most} files in one request"),
    key("one request brings at most {most} files"),
    key("a message brings at most {most} files"),
    key("{most} folders are the most; delete one first"),
    key("{most} pinned conversations are the most; unpin one first"),
    key("{most} different tags are the most; use one that you have"),
    key("a conversation has {most} tags at the most"),
    key("the name of a folder may hold {most} characters"),
    key("a tag may hold {most} characters"),
    key("folders are nested {most} deep at the most; choose one further up"),
    key("choose at least one file, and at most {most}"),
];

/// The text in the language of whoever reads, where it fits a pattern.
pub(super) fn retold(text: &str, depth: usize) -> Option<Cow<'static, str>> {
    if language() == Language::English || depth == DEEP || text.len() > 500 {
        return None;
    }
    PATTERNS.iter().find_map(|pattern| {
        let (form, values) = pattern.split('|').find_map(|form| Some((form, matched(form, text)?)))?;
        let number =
            values.iter().find(|(name, _)| *name == "count").and_then(|(_, value)| value.parse().ok());
        let mut sentence = match number {
            Some(number) if pattern.contains('|') => count(pattern, number),
            _ if find(form) == form && pattern.contains('|') => return None,
            _ => say(pattern),
        };
        for (name, value) in values {
            let told = catalogue::find(language(), value).map(Cow::Borrowed);
            let told =
                told.or_else(|| retold(value, depth + 1)).unwrap_or_else(|| Cow::Owned(value.to_owned()));
            sentence = sentence.with(name, told.into_owned());
        }
        Some(Cow::Owned(sentence.to_string()))
    })
}

/// The values that fill the places of a pattern to make this text.
fn matched<'t>(pattern: &'static str, text: &'t str) -> Option<Vec<(&'static str, &'t str)>> {
    let (first, mut rest_of_pattern) = pattern.split_once('{')?;
    let mut rest = text.strip_prefix(first)?;
    let mut values = Vec::new();
    loop {
        let (name, after) = rest_of_pattern.split_once('}')?;
        let (literal, next) =
            after.split_once('{').map_or((after, None), |(literal, next)| (literal, Some(next)));
        let value = match next {
            None => rest.strip_suffix(literal)?,
            Some(_) => rest.split_once(literal)?.0,
        };
        if value.is_empty() {
            return None;
        }
        values.push((name, value));
        rest = rest.get(value.len() + literal.len()..)?;
        match next {
            Some(next) => rest_of_pattern = next,
            None => return Some(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{in_language, told};
    use super::*;

    #[test]
    fn what_was_filled_in_is_said_in_another_language() {
        let german = |text: &str| in_language(Language::German, || told(text).into_owned());
        assert_eq!(german("3 days ago"), "vor 3 Tagen");
        assert_eq!(german("in 0.1 ms"), "in 0.1 ms");
        assert_eq!(german("a tag may hold 40 characters"), "ein Schlagwort darf 40 Zeichen haben");
        assert_eq!(german("2, the oldest since 1 days ago"), "2, das älteste vor 1 Tag");
        for same in ["nobody says this", "", "a tag may hold  characters", "{count}", "{"] {
            assert_eq!(german(same), same);
        }
        let english = "a tag may hold 40 characters";
        assert_eq!(in_language(Language::English, || told(english).into_owned()), english);
    }

    #[test]
    fn every_pattern_is_found_again_by_itself() {
        for form in PATTERNS.iter().flat_map(|pattern| pattern.split('|')) {
            let filled = form.replace(['{', '}'], "");
            let values = matched(form, &filled).unwrap();
            assert!(values.iter().all(|(name, value)| name == value), "{form}: {values:?}");
        }
    }
}
