//! The leak guard: looks through every outgoing text for the answer, in any form, and for the steps that give it
//! away. It knows what the learner knows already, and never shows what it found.

use std::collections::HashSet;

use crate::exact::rational::Rational;
use crate::exact::scan::{self, Number, Token};
use crate::exact::{equation, words};
use crate::fold;
use crate::problem::Problem;
use crate::secret::{Secret, Spans};

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

/// A value in a dress that the scanner does not take for a number.
fn hidden(secret: &Secret, value: Rational, text: &str, folded: &str) -> bool {
    let bare: String = unaccented(folded).chars().filter(|c| c.is_alphabetic()).collect();
    let spelled = secret.spelled.iter().map(|word| unaccented(word)).filter(|word| word.len() >= 5);
    if spelled.into_iter().any(|word| bare.contains(&word)) {
        return true;
    }
    // Capitals that are words or units in their own right.
    let common = ["CM", "MM", "CD", "DC", "CV", "MD", "ML", "DI", "LI", "MI", "XL", "MIX", "XX"];
    if let Some(roman) = &secret.roman
        && !common.contains(&roman.as_str())
        && text.split(|c: char| !c.is_alphanumeric()).any(|word| word == roman)
    {
        return true;
    }
    let Some(whole) = value.as_whole().filter(|whole| *whole >= 0) else { return false };
    let digits = whole.to_string();
    if digits.len() >= 2 && spaced(folded).iter().any(|run| *run == digits) {
        return true;
    }
    let numerals: Vec<&str> = folded.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let backwards: String = digits.chars().rev().collect();
    if digits.len() >= 3 && backwards != digits && numerals.contains(&backwards.as_str()) {
        return true;
    }
    let binary = format!("{whole:b}");
    whole >= 8
        && numerals
            .iter()
            .any(|word| *word == binary || *word == format!("0b{binary}") || *word == format!("0x{whole:x}"))
}

fn unaccented(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect()
}

/// Runs of single digits that stand apart, `4 2`, `four-two`, joined.
fn spaced(folded: &str) -> Vec<String> {
    // "First digit: 4. Second digit: 2."
    let named = ["digit", "ziffer", "chiffre", "cifra"].iter().any(|noun| folded.contains(noun));
    let mut runs = Vec::new();
    let mut run = String::new();
    let mut rest = folded;
    while !rest.is_empty() {
        let len = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(len);
        let mut letters = word.chars();
        let digit = match (letters.next(), letters.next()) {
            (Some(c), None) if c.is_ascii_digit() => Some(c),
            _ => words::digit(word).filter(|_| word.len() > 1),
        };
        match digit {
            Some(digit) => run.push(digit),
            None if matches!(word, "and" | "then" | "und" | "dann") && run.len() >= 2 => {}
            None if word.is_empty() || named => {}
            None => runs.push(std::mem::take(&mut run)),
        }
        let gap = after.find(char::is_alphanumeric).unwrap_or(after.len());
        let (marks, next) = after.split_at(gap);
        // An operator between two digits makes a sum of them.
        if !named
            && (marks.contains(['+', '*', '/', '=', '(', ')', '$', '%', '?', '!', '\n'])
                || marks.contains(". ")
                || marks.contains('-') && run.len() < 2 && !marks.trim().is_empty() && word.len() == 1)
        {
            runs.push(std::mem::take(&mut run));
        }
        rest = next;
    }
    runs.push(run);
    runs.retain(|run| run.len() >= 2);
    runs
}

/// Relations that come to the answer: "one more than 41", "the answer minus 1 is 41", "twice 21".
fn related(folded: &str, secret: &Secret) -> bool {
    let is = |value: Option<Rational>| value.is_some_and(|value| secret.values.contains(&value));
    let mut named = folded.to_owned();
    for noun in [
        "the answer",
        "the result",
        "the solution",
        "the number",
        "die antwort",
        "das ergebnis",
        "die lösung",
    ] {
        named = named.replace(noun, " z ");
    }
    if named != folded
        && equation::find(&named)
            .solved
            .iter()
            .any(|(letter, value, worked)| *letter == 'z' && *worked && is(Some(*value)))
    {
        return true;
    }
    let tokens = scan::scan(folded);
    tokens.windows(4).any(|window| match window {
        [Token::Num(by), Token::Word(how), Token::Word(than), Token::Num(from)]
            if than == "than" || than == "als" =>
        {
            match how.as_str() {
                "more" | "greater" | "mehr" => is(from.value.add(by.value)),
                "less" | "fewer" | "smaller" | "weniger" => is(from.value.sub(by.value)),
                _ => false,
            }
        }
        _ => false,
    }) || tokens.windows(2).any(|window| match window {
        [Token::Word(times), Token::Num(of)] => match times.as_str() {
            "twice" | "double" | "doppelt" => is(of.value.mul(Rational::whole(2))),
            "triple" | "thrice" => is(of.value.mul(Rational::whole(3))),
            _ => false,
        },
        _ => false,
    }) || tokens.windows(4).any(|window| match window {
        [Token::Word(between), Token::Num(low), Token::Word(_), Token::Num(high)]
            if between == "between" || between == "zwischen" =>
        {
            let middle = low.value.add(Rational::ONE);
            middle.is_some_and(|middle| middle.add(Rational::ONE) == Some(high.value)) && is(middle)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        let steps = "Each of the 6 trays holds 7 cakes so there are 6 * 7 = 42 cakes on the table";
        Guard::new(Some(&Problem::plain("There are 6 trays with 7 cakes each. How many cakes?", "42", steps)))
    }

    #[test]
    fn the_answer_is_found_in_every_dress() {
        let guard = guard();
        for text in [
            "The answer is 42.",
            "It comes to forty-two",
            "zweiundvierzig",
            "４２",
            "4 2",
            "four two",
            "4\u{200b}2",
            "42.0",
            "quarante-deux",
            "cuarenta y dos",
            "XLII",
            "the 42nd",
            "84/2",
            "21 + 21",
            "40 plus 2",
            r"\boxed{42}",
            r"$\frac{84}{2}$",
            "one more than 41",
            "The answer minus 1 is 41",
            "twice 21",
            "between 41 and 43",
            "**4**2",
            "&#52;&#50;",
            "6 × 7",
            "4200 %",
            "101010",
            "0x2a",
            "the result is 57",
        ] {
            assert!(guard.leak(text).is_some(), "{text}");
        }
        assert_eq!(guard.leak("so there are 6 * 7 cakes on the table"), Some(Leak::Expression));
    }

    #[test]
    fn what_is_known_may_be_said() {
        let mut guard = guard();
        assert_eq!(
            Guard::new(Some(&Problem::plain("He runs 2000 steps. And then?", "2000", "")))
                .leak("Well, **2000**."),
            Some(Leak::Assertion)
        );
        for text in [
            "What do the 6 trays and the 7 cakes have in common?",
            "How many are on 2 trays, and why?",
            "Which step is your first?",
        ] {
            assert_eq!(guard.leak(text), None, "{text}");
        }
        guard.knows("I think 6 * 7 = 42?");
        assert_eq!(guard.leak("You say 6 × 7 is 42. How did you work it out?"), None);
        assert_eq!(guard.leak("The answer is 42."), Some(Leak::Assertion));
        guard.solved(Some("72"));
        assert_eq!(guard.leak("The answer is 42."), None);
        assert_eq!(guard.leak("And then it is 72."), Some(Leak::Value));
    }

    #[test]
    fn words_and_code_are_answers_too() {
        let words = Guard::new(Some(&Problem::plain("How do plants feed?", "photosynthesis", "")));
        assert!(words.leak("It is called photo-synthesis.").is_some());
        assert!(words.leak("p h o t o s y n t h e s i s").is_some());
        assert_eq!(words.leak("What do plants take from the light?"), None);
        let choice = Guard::new(Some(&Problem::plain("Is it A or B?", "B", "")));
        assert!(choice.leak("The answer is B.").is_some());
        assert_eq!(choice.leak("What speaks for A, what for B?"), None);
        let code = Guard::new(Some(&Problem::plain("Why does the loop miss the last?", "range(n + 1)", "")));
        assert!(code.leak("Try `range( n+1 )` here").is_some());
    }

    #[test]
    fn strict_means_no_new_number() {
        let mut guard = guard();
        assert_eq!(guard.leak("What would 35 be?"), None);
        guard.strict();
        assert_eq!(guard.leak("What would 35 be?"), Some(Leak::New));
        assert_eq!(guard.leak("Name two ideas about the 7 cakes?"), None);
    }
}
