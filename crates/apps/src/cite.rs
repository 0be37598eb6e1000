//! From the marks `[1]`, `[2]` in an answer to citations of the passages it was given. A mark without a
//! passage is not a citation.

use std::collections::BTreeSet;

use llm::{Passage, Quote};
use serde_json::{Value, json};

/// The citations of an answer, in the order of their numbers. Whoever quotes numbers its quotes: the mark `[2]` is
/// the second of `quotes`. Without quotes a mark is the number of a passage, and all of the passage stands as the
/// quote. Either way it is cut from the passage itself, byte for byte.
pub(crate) fn citations(text: &str, passages: &[Passage], quotes: &[Quote]) -> Vec<Value> {
    marks(text)
        .into_iter()
        .filter_map(|number| {
            let place = number.checked_sub(1)?;
            let quoted = quotes.get(place);
            if quoted.is_none() && !quotes.is_empty() {
                return None;
            }
            let passage = passages.get(quoted.map_or(place, |quote| quote.passage))?;
            let quote = quoted.and_then(|quote| passage.text.get(quote.range.clone()));
            Some(json!({
                "number": number,
                "title": passage.title,
                "source": passage.source,
                "quote": quote.unwrap_or(&passage.text),
            }))
        })
        .collect()
}

fn marks(text: &str) -> BTreeSet<usize> {
    text.split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .filter(|(inside, _)| (1..=3).contains(&inside.len()))
        .filter_map(|(inside, _)| inside.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(title: &str) -> Passage {
        Passage {
            title: title.to_owned(),
            source: format!("{title}.md"),
            text: format!("text of {title}"),
            confidence: 1.0,
        }
    }

    #[test]
    fn only_marks_with_a_passage_are_citations() {
        let found = citations("See [2], [9], [x] and [2] again[", &[passage("a"), passage("b")], &[]);
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["number"], &found[0]["title"]), (&json!(2), &json!("b")));
        assert_eq!(found[0]["quote"], "text of b");
    }

    #[test]
    fn numbers_are_those_of_the_quotes_when_there_are_any() {
        let quotes = [1, 0, 1].map(|passage| Quote { passage, range: 0..4 });
        let found = citations("[1] [2] [3] [4]", &[passage("a"), passage("b")], &quotes);
        let titles: Vec<_> = found.iter().map(|one| one["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["b", "a", "b"]);
        assert_eq!(found[0]["quote"], "text");
    }
}
