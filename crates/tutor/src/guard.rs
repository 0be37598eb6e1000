//! The leak guard: looks through every outgoing text for the answer, in any form, and for the steps that give it
//! away. It knows what the learner knows already, and never shows what it found.

mod disguise;

use std::collections::HashSet;

use crate::exact::equation;
use crate::exact::rational::Rational;
use crate::exact::scan::{self, Number, Token};
use crate::fold;
use crate::problem::Problem;
use crate::secret::{Secret, Spans};
use disguise::{hidden, related};

/// What gives the answer away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leak {
    /// Its value.
    Value,
    /// An expression or relation that comes to it.
    Expression,
    /// Its words, or its code.
    Text,
    /// A step of the reference, nearly word for word.
    Step,
    /// A sentence that says what the answer is.
    Assertion,
    /// A number that nobody has said yet, where that is watched for.
    New,
}

/// Nouns that mean the answer.
pub(crate) const ANSWER_NOUNS: &[&str] = &[
    "answer",
    "answers",
    "solution",
    "result",
    "antwort",
    "lösung",
    "ergebnis",
    "réponse",
    "reponse",
    "résultat",
    "respuesta",
    "resultado",
    "solución",
    "risposta",
    "soluzione",
    "risultato",
    "resposta",
    "solução",
    "antwoord",
    "oplossing",
    "svar",
    "ответ",
    "odpowiedź",
    "答案",
    "답",
];

/// Looks through texts of one turn.
pub struct Guard {
    secrets: Vec<Secret>,
    spans: Option<Spans>,
    values: HashSet<Rational>,
    expressions: HashSet<String>,
    /// What everybody has read, as lines of words.
    known: String,
    /// The learner has said the answer: it is no secret any more.
    open: bool,
    strict: bool,
}

impl Guard {
    /// A guard of this problem, if there is one.
    pub fn new(problem: Option<&Problem>) -> Guard {
        let mut secrets = Vec::new();
        let mut spans = None;
        if let Some(problem) = problem {
            let answer = Secret::new(&problem.reference.answer);
            spans = Some(Spans::new(problem, &answer));
            secrets.push(answer);
            secrets.extend(problem.reference.accepted.iter().map(|answer| Secret::new(answer)));
        }
        let mut guard = Guard {
            secrets,
            spans,
            values: HashSet::new(),
            expressions: HashSet::new(),
            known: String::from(" "),
            open: false,
            strict: false,
        };
        if let Some(problem) = problem {
            guard.knows(&problem.statement);
        }
        guard
    }

    /// The learner has read or said this.
    pub fn knows(&mut self, text: &str) {
        let folded = fold::shown(text);
        self.values.extend(scan::numbers(&folded).iter().flat_map(Number::readings));
        self.expressions.extend(equation::find(&folded).expressions.into_iter().map(|(written, _)| written));
        self.known.push_str(fold::line(text).trim_start());
    }

    /// The learner has listed numbers to see which of them is taken up: they are read, and stay unsaid.
    pub(crate) fn overhears(&mut self, text: &str) {
        self.known.push_str(fold::line(text).trim_start());
    }

    /// The learner has said these numbers and expressions in turns before.
    pub(crate) fn remembers(
        &mut self,
        values: impl IntoIterator<Item = Rational>,
        expressions: impl IntoIterator<Item = String>,
    ) {
        self.values.extend(values);
        self.expressions.extend(expressions);
    }

    /// The learner has found the answer: only that of the transfer question stays secret.
    pub(crate) fn solved(&mut self, transfer: Option<&str>) {
        self.open = true;
        self.secrets = transfer.map(Secret::new).into_iter().collect();
        self.spans = None;
    }

    /// The answer of the transfer question is secret too.
    pub(crate) fn also(&mut self, answer: &str) {
        self.secrets.push(Secret::new(answer));
    }

    /// From now on a number that nobody has said is a leak as well.
    pub fn strict(&mut self) {
        self.strict = true;
    }

    /// What in this text gives the answer away. It may be the end of a longer one.
    pub fn leak(&self, text: &str) -> Option<Leak> {
        let folded = fold::shown(text);
        let numbers = scan::numbers(&folded);
        let line = fold::line(text);
        self.secrets
            .iter()
            .find_map(|secret| self.told(secret, text, &folded, &line, &numbers))
            .or_else(|| {
                self.spans.as_ref().filter(|spans| spans.found_in(&folded, &self.known)).map(|_| Leak::Step)
            })
            .or_else(|| self.asserted(&folded))
            .or_else(|| {
                let unknown = |number: &Number| !number.readings().any(|value| self.values.contains(&value));
                // Up to three things may be counted by anybody: "two ideas".
                let few =
                    |number: &Number| number.value.as_whole().is_some_and(|value| (0..=3).contains(&value));
                (self.strict && numbers.iter().any(|number| unknown(number) && !few(number)))
                    .then_some(Leak::New)
            })
    }

    fn told(
        &self,
        secret: &Secret,
        text: &str,
        folded: &str,
        line: &str,
        numbers: &[Number],
    ) -> Option<Leak> {
        if secret.number.is_none() {
            return self.worded(secret, text, line);
        }
        let known = secret.values.iter().any(|value| self.values.contains(value));
        let here = numbers.iter().any(|number| secret.is(number));
        if here && !known {
            return Some(Leak::Value);
        }
        if here && presented(secret, text) {
            return Some(Leak::Assertion);
        }
        let value = secret.values.first().copied();
        if !known && value.is_some_and(|value| hidden(secret, value, text, folded)) {
            return Some(Leak::Value);
        }
        let found = equation::find(folded);
        if found
            .expressions
            .iter()
            .any(|(written, value)| secret.values.contains(value) && !self.expressions.contains(written))
        {
            return Some(Leak::Expression);
        }
        related(folded, secret).then_some(Leak::Expression)
    }

    /// An answer in words.
    fn worded(&self, secret: &Secret, text: &str, line: &str) -> Option<Leak> {
        let answer = secret.text.as_ref()?;
        if let Some(code) = &secret.code {
            let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            if bare.to_lowercase().contains(code.as_str()) {
                return Some(Leak::Text);
            }
        }
        let known = self.known.contains(answer.as_str());
        if line.contains(answer.as_str()) && !secret.short() && !known {
            return Some(Leak::Text);
        }
        if (secret.short() || known) && asserts(line, answer) {
            return Some(Leak::Assertion);
        }
        // Letters apart, "p h o t o", or backwards.
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let (bare, word) = (letters(line), letters(answer));
        let backwards: String = word.chars().rev().collect();
        let hidden = word.chars().count() >= 5
            && !known
            && (bare.contains(&word) || backwards != word && bare.contains(&backwards));
        hidden.then_some(Leak::Text)
    }

    /// "The answer is 57": nobody may say so but the learner.
    fn asserted(&self, folded: &str) -> Option<Leak> {
        if self.open {
            return None;
        }
        let tokens = scan::scan(folded);
        let nouns = tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| matches!(token, Token::Word(word) if ANSWER_NOUNS.contains(&word.as_str())));
        for (at, _) in nouns {
            let own = at.checked_sub(1).and_then(|before| tokens.get(before));
            if matches!(own, Some(Token::Word(word)) if matches!(word.as_str(), "your" | "deine" | "dein" | "ihre" | "wrong" | "first"))
            {
                continue;
            }
            let mut after = tokens.iter().skip(at + 1).take(6);
            let says = after.any(|token| matches!(token, Token::Is | Token::Equal) || matches!(token, Token::Word(word) if matches!(word.as_str(), "est" | "es" | "è" | "é" | "lautet" | "beträgt" | "være" | "be")));
            if says && matches!(after.find(|token| !matches!(token, Token::Word(_))), Some(Token::Num(_))) {
                return Some(Leak::Assertion);
            }
        }
        None
    }
}

/// Whether a sentence says that the answer is these words.
fn asserts(line: &str, answer: &str) -> bool {
    let answer = answer.trim();
    [
        "answer is",
        "solution is",
        "result is",
        "correct answer",
        "its",
        "it is",
        "option",
        "choice",
        "antwort ist",
        "lösung ist",
        "ergebnis ist",
        "es ist",
        "réponse est",
        "respuesta es",
    ]
    .iter()
    .any(|cue| {
        line.contains(&format!(" {cue} {answer} ")) || line.contains(&format!(" {answer} is the {cue} "))
    }) || line.contains(&format!(" {answer} is correct "))
        || line.contains(&format!(" {answer} is right "))
}

/// Whether a number that everybody knows is held out as the answer: in a box, or as a sentence by itself.
fn presented(secret: &Secret, text: &str) -> bool {
    if text.contains("\\boxed") || text.contains("\\fbox") {
        return true;
    }
    crate::reading::sentences(text).iter().filter(|sentence| !crate::hold::asks(sentence)).any(|sentence| {
        let alone =
            sentence.split_whitespace().count() <= 3 && sentence.trim_end().ends_with(['.', '!', '*']);
        alone && scan::numbers(&fold::shown(sentence)).iter().any(|number| secret.is(number))
    })
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
