//! Answers of the house: the sentences of the documents that answer, word for word, with their places; or that there
//! are none, with what comes closest. It never asks a model.

use knowledge::answer::{self, Source};
use knowledge::evidence::{self, Finding};
use knowledge::{Language, sentence};
use serde_json::Value;

use super::ground::{Given, heading};
use super::words::words;

/// Sentences that are quoted at the most.
const MOST: usize = 3;
/// A further sentence is quoted when it is at least this good beside the best.
const CLOSE: f32 = 0.85;
/// A sentence shorter than this in bytes takes the next one along.
const SHORT: usize = 60;
/// Titles of closest passages that are shown.
const TITLES: usize = 3;

/// Words of the house with what they cite.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) citations: Vec<Value>,
    /// The documents say something else than the question takes for granted.
    pub(crate) differs: bool,
    /// Where to look instead: the titles that the text names, with their places.
    pub(crate) closest: Vec<Value>,
}

/// The sentences that answer; `None` when none shares a word with the question.
pub(crate) fn quote(question: &str, language: Language, given: &[Given]) -> Option<Reply> {
    let headings: Vec<String> = given.iter().map(|passage| heading(&passage.found)).collect();
    let sources: Vec<Source<'_>> = given
        .iter()
        .zip(&headings)
        .map(|(passage, heading)| Source { heading, text: &passage.found.text, score: passage.found.score })
        .collect();
    let found = answer::pick(question, &sources, MOST);
    let best = found.first()?.score;
    let differs = found.first().is_some_and(|first| differs(question, given, first));
    let mut reply = Reply { differs, ..Reply::default() };
    let mut quoted: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
    for sentence in found.iter().filter(|sentence| sentence.score >= CLOSE * best) {
        let Some(passage) = given.get(sentence.passage) else { continue };
        let range = whole(&passage.found.text, sentence.range.clone());
        if quoted
            .iter()
            .any(|(at, other)| *at == sentence.passage && other.start < range.end && range.start < other.end)
        {
            continue;
        }
        let number = reply.citations.len() + 1;
        let Some(citation) = passage.cite(number, &range) else { continue };
        let text = passage.found.text.get(range.clone()).unwrap_or("");
        reply.text.push_str("\n\n");
        for line in text.lines() {
            reply.text.push_str(&format!("> {}\n", line.trim_end()));
        }
        reply
            .text
            .push_str(&format!("\n[{number}] {}", headings.get(sentence.passage).map_or("", String::as_str)));
        reply.citations.push(citation);
        quoted.push((sentence.passage, range));
    }
    let lead = if differs { words(language).differs } else { words(language).quoted };
    reply.text.insert_str(0, lead);
    (!reply.citations.is_empty()).then_some(reply)
}

/// Whether the sentence that answers contradicts what the question takes for granted: another number, the opposite.
fn differs(question: &str, given: &[Given], first: &answer::Sentence) -> bool {
    let Some(passage) = given.get(first.passage) else { return false };
    let text = passage.found.text.get(first.range.clone()).unwrap_or("");
    // Only a question that can be answered by no takes something for granted.
    let word = question.split_whitespace().next().unwrap_or("").to_lowercase();
    let asks = [
        "who", "what", "when", "where", "which", "why", "how", "wer", "was", "wann", "wo", "welche", "warum",
        "wie",
    ];
    if asks.contains(&word.as_str()) || !question.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    evidence::Passage::new(&heading(&passage.found), text, question).judge(question) == Finding::Contradicted
}

/// A short sentence and one that announces what follows take the next along.
fn whole(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let words = text.get(range.clone()).unwrap_or("");
    if words.len() >= SHORT && !words.ends_with(':') {
        return range;
    }
    let next = sentence::sentences(text).into_iter().find(|next| next.start >= range.end);
    match next {
        Some(next) if !text.get(next.clone()).unwrap_or("").starts_with('#') => range.start..next.end,
        _ => range,
    }
}

/// There is no answer: says so, names what comes closest, offers a person (or says that one has been asked).
pub(crate) fn nothing(language: Language, given: &[Given], waiting: bool) -> Reply {
    let words = words(language);
    let mut text = words.nothing.to_owned();
    let mut titles: Vec<String> = Vec::new();
    let mut closest = Vec::new();
    for passage in given {
        let title = heading(&passage.found);
        if !titles.contains(&title) && titles.len() < TITLES {
            closest.push(passage.place(&title));
            titles.push(title);
        }
    }
    if !titles.is_empty() {
        text.push_str(&format!("\n\n{}\n", words.closest));
        for title in titles {
            text.push_str(&format!("\n- {title}"));
        }
    }
    text.push_str(&format!("\n\n{}", if waiting { words.asked } else { words.offer }));
    Reply { text, closest, ..Reply::default() }
}

#[cfg(test)]
mod tests {
    use super::super::ground::tests::found;
    use super::*;

    const TEXT: &str = "Returns are easy. You may send a blender back within 30 days of delivery, in the box it came in. \
        The customer pays for the parcel unless the blender is broken.";

    fn given(question: &str) -> Vec<Given> {
        vec![Given::new(found("Returns", TEXT), question)]
    }

    #[test]
    fn quotes_are_the_very_words() {
        let question = "How many days do I have to send a blender back?";
        let reply = quote(question, Language::English, &given(question)).unwrap();
        assert!(reply.text.starts_with("Quoted from the documents:"));
        for citation in &reply.citations {
            let at = |name: &str| usize::try_from(citation[name].as_u64().unwrap()).unwrap() - 100;
            assert_eq!(citation["quote"], TEXT[at("start")..at("end")]);
        }
        assert!(reply.citations[0]["quote"].as_str().unwrap().contains("30 days"));
        assert!(!reply.differs);
    }

    #[test]
    fn a_wrong_premise_is_answered_with_what_the_documents_say() {
        let question = "May I send a blender back within 60 days of delivery?";
        let reply = quote(question, Language::English, &given(question)).unwrap();
        assert!(
            reply.differs && reply.text.starts_with("The documents say something else"),
            "{}",
            reply.text
        );
    }

    #[test]
    fn nothing_says_so_in_the_language_of_the_question() {
        for (language, word) in [
            (Language::English, "no answer"),
            (Language::German, "keine Antwort"),
            (Language::Spanish, "No he encontrado"),
            (Language::French, "pas trouvé"),
        ] {
            let reply = nothing(language, &given("q"), false);
            assert!(reply.text.contains(word) && reply.text.contains("- Returns"), "{}", reply.text);
            assert!(reply.citations.is_empty());
            assert_eq!(reply.closest[0]["line"], "Returns");
        }
    }
}
