//! A problem that is taught: what the learner sees, and the reference that only the house knows.
//! It never shows itself in a log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A problem.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What it is called.
    pub title: String,
    /// What the learner is given.
    pub statement: String,
    /// What the house knows.
    pub reference: Reference,
    /// The maker's own hints, the faintest first. None may hold the answer.
    #[serde(default)]
    pub hints: Vec<String>,
    /// Wrong ideas to expect.
    #[serde(default)]
    pub misconceptions: Vec<Misconception>,
}

/// What no learner sees.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The final answer: `42`, `1/2`, `98 feet`, `x = 4`, `photosynthesis`.
    pub answer: String,
    /// Other answers that are as right.
    #[serde(default)]
    pub accepted: Vec<String>,
    /// The way there, a step a line.
    #[serde(default)]
    pub steps: Vec<String>,
    /// What a good summary mentions.
    #[serde(default)]
    pub rubric: Vec<String>,
    /// The question that shows whether the idea has been understood.
    #[serde(default)]
    pub transfer: Option<Transfer>,
}

/// The same idea with other numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The question.
    pub question: String,
    /// Its answer.
    pub answer: String,
}

/// A wrong idea to expect.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misconception {
    /// The wrong answer, or words, that show it.
    pub when: String,
    /// What to ask then.
    pub ask: String,
}

impl fmt::Debug for Problem {
    /// Shows nothing of it: a reference in a log would be a leak.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Problem")
    }
}

impl Problem {
    /// A problem without a title: a statement, its answer, and the way there with a step a line.
    pub fn plain(statement: &str, answer: &str, solution: &str) -> Problem {
        let steps = solution.lines().map(str::trim).filter(|line| !line.is_empty());
        Problem {
            statement: statement.to_owned(),
            reference: Reference {
                answer: answer.to_owned(),
                steps: steps.map(str::to_owned).collect(),
                ..Reference::default()
            },
            ..Problem::default()
        }
    }

    /// The question that the statement ends with, without its mark.
    pub(crate) fn goal(&self) -> String {
        let asked = self
            .statement
            .split_inclusive(['.', '!', '?', '\n'])
            .rfind(|part| part.trim_end().ends_with('?'));
        let goal = asked.unwrap_or(self.statement.as_str());
        crate::fold::quote(goal, 14)
    }

    /// What the statement counts: `20 chickens`.
    pub(crate) fn quantities(&self) -> Vec<String> {
        let plain = crate::fold::quote(&self.statement, usize::MAX);
        let full = self.statement.replace(['?', '!', '*', '_', '`', '<', '>', '[', ']', '"'], " ");
        let words: Vec<&str> = if plain.is_empty() { Vec::new() } else { full.split_whitespace().collect() };
        let mut found: Vec<String> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            if !word.contains(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let trimmed =
                word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '$' | '€' | '£' | '%'));
            let ended = word.ends_with(['.', ',', ';', ':', ')']);
            let next = words.get(at + 1).filter(|next| !ended && next.starts_with(char::is_alphabetic));
            let phrase = match next {
                Some(next) if !word.contains('%') => {
                    format!("{trimmed} {}", next.trim_end_matches(|c: char| !c.is_alphanumeric()))
                }
                _ => trimmed.to_owned(),
            };
            if phrase.len() <= 40 && !found.contains(&phrase) {
                found.push(phrase);
            }
        }
        found.truncate(12);
        found
    }
}

/// A problem that a learner writes down as a plain sum or equation: `what is 17 * 23?`, `solve 2x + 3 = 11`,
/// `add 1/2 and 1/3`. Gives the statement; what it comes to is worked out again when it is needed.
pub fn implicit(said: &str) -> Option<Problem> {
    let shown = crate::fold::shown(said);
    let taught = |answer: &str| Problem::plain(&said.chars().take(500).collect::<String>(), answer, "");
    let found = crate::exact::equation::find(&shown);
    if found.sums.is_empty()
        && let Some(value) = crate::exact::spoken::ordered(&shown)
    {
        return Some(taught(&value.to_string()));
    }
    let line = crate::fold::line(said);
    let asks = said.contains('?')
        || [
            "what is",
            "whats",
            "solve",
            "calculate",
            "compute",
            "how much is",
            "work out",
            "evaluate",
            "find",
            "was ist",
            "wie viel ist",
            "löse",
            "berechne",
        ]
        .iter()
        .any(|cue| line.contains(&format!(" {cue} ")));
    if !asks {
        return None;
    }
    let equation = found
        .solved
        .iter()
        .find(|(_, _, worked)| *worked)
        .map(|(letter, value, _)| format!("{letter} = {value}"));
    let single = || match found.expressions.as_slice() {
        [(_, value)] if found.sums.is_empty() => Some(value.to_string()),
        _ => None,
    };
    let answer = equation.or_else(single)?;
    Some(taught(&answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_and_quantities_come_from_the_statement() {
        let problem = Problem::plain(
            "Wendi feeds 20 chickens 3 cups each. She has 15% left, $2.50 a bag. How many cups?",
            "60",
            "",
        );
        assert_eq!(problem.goal(), "How many cups");
        assert_eq!(problem.quantities(), ["20 chickens", "3 cups", "15%", "$2.50 a"]);
    }

    #[test]
    fn sums_that_a_learner_brings_are_problems() {
        assert_eq!(implicit("What is 17 * 23?").unwrap().reference.answer, "391");
        assert_eq!(implicit("solve 2x + 3 = 11").unwrap().reference.answer, "x = 4");
        assert_eq!(implicit("I want to add 1/2 and 1/3").unwrap().reference.answer, "5/6");
        assert!(implicit("Why is the sky blue?").is_none());
        assert!(implicit("I think 3 + 4 = 8").is_none());
    }
}
