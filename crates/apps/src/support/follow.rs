//! What a follow-up question is about: a short question, or one that points back, is searched for together with what
//! was asked before. It works on texts alone, by rules.

use knowledge::Language;

/// So few content words make a question that may lean on the one before.
const SHORT: usize = 2;
/// So many words of earlier questions are carried on.
const CARRIED: usize = 8;

/// Words that point back.
const BACK: &[&str] = &[
    "it", "its", "that", "this", "these", "those", "they", "them", "their", "there", "one", "ones", "he",
    "she", "him", "her", "his", "same", "es", "das", "dies", "diese", "dieser", "dieses", "sie", "ihn",
    "ihm", "ihr", "er", "davon", "dafür", "damit", "dazu", "dort", "eso", "esto", "esa", "ese", "ello",
    "ella", "él", "lo", "la", "ahí", "allí", "ça", "cela", "ceci", "celui", "celle", "il", "elle", "y", "en",
    "là",
];

/// Beginnings that go on with something.
const ON: &[&str] = &[
    "and ",
    "what about",
    "how about",
    "what if",
    "but ",
    "also ",
    "or ",
    "why",
    "und ",
    "aber ",
    "was ist mit",
    "wie sieht es",
    "wie ist es",
    "auch ",
    "oder ",
    "y ",
    "pero ",
    "qué pasa con",
    "qué tal",
    "también ",
    "et ",
    "mais ",
    "qu en est il",
    "aussi ",
];

/// The question as it is searched for: with the content words of the questions before when it leans on them.
/// `earlier` are the customer's messages, oldest first.
pub(crate) fn question(text: &str, earlier: &[&str]) -> String {
    let language = Language::of(text);
    let plain: String =
        text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let said = format!("{} ", words.join(" "));
    let own = language.content(text);
    let leans = ON.iter().any(|begin| said.starts_with(begin))
        || own.len() <= SHORT
        || (own.len() <= 2 * SHORT && words.iter().any(|word| BACK.contains(word)));
    if !leans || earlier.is_empty() {
        return text.to_owned();
    }
    let mut carried: Vec<&str> = Vec::new();
    for before in earlier.iter().rev().take(3) {
        for word in before.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            let stems = language.content(word);
            let says = !stems.is_empty() && !stems.iter().all(|stem| own.contains(stem));
            if says && !carried.contains(&word) && carried.len() < CARRIED {
                carried.push(word);
            }
        }
        // A question that stands by itself is where the talk began to be about this.
        if language.content(before).len() > SHORT {
            break;
        }
    }
    if carried.is_empty() { text.to_owned() } else { format!("{text} {}", carried.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leans_on_the_talk_carries_it() {
        let before = ["How do I return a damaged blender?"];
        assert_eq!(
            question("How long does it take?", &before),
            "How long does it take? return damaged blender"
        );
        assert_eq!(question("And from Austria?", &before), "And from Austria? return damaged blender");
        let german = ["Wie kann ich einen Mixer zurückgeben?"];
        assert!(question("Und was kostet das?", &german).ends_with("Mixer zurückgeben"));
        let chain = ["How do I return a damaged blender?", "And from Austria?"];
        assert!(question("How much is it?", &chain).contains("Austria return damaged blender"));
    }

    #[test]
    fn what_stands_by_itself_stays() {
        let before = ["How do I return a damaged blender?"];
        let own = "Which payment methods do you accept in Spain?";
        assert_eq!(question(own, &before), own);
        assert_eq!(question("How long does it take?", &[]), "How long does it take?");
    }
}
