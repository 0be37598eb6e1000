//! The answer that must not be said, in every form that it may take. It never prints itself.

use crate::exact::rational::Rational;
use crate::exact::scan::{self, Number};
use crate::exact::{equation, expression, spell, unit};
use crate::fold;
use crate::problem::Problem;

/// Words of a step that, in this order, give it away.
const STEP: usize = 6;
/// Words of any other reference text.
const SPAN: usize = 9;

/// One answer.
#[derive(Clone)]
pub(crate) struct Secret {
    /// Its value and unit, when it is a number.
    pub(crate) number: Option<(Rational, Option<String>)>,
    /// What a percentage may be written as.
    pub(crate) values: Vec<Rational>,
    /// Its words, with a space at each end, when it is none.
    pub(crate) text: Option<String>,
    /// Without spaces, for what has marks of code.
    pub(crate) code: Option<String>,
    /// The number in words of other languages.
    pub(crate) spelled: Vec<String>,
    /// As a Roman numeral.
    pub(crate) roman: Option<String>,
}

impl Secret {
    /// From the answer as the maker wrote it.
    pub(crate) fn new(answer: &str) -> Secret {
        let folded = fold::shown(answer);
        let number = numeric(&folded);
        let mut secret = Secret {
            number: None,
            values: Vec::new(),
            text: None,
            code: None,
            spelled: Vec::new(),
            roman: None,
        };
        if let Some(number) = number {
            secret.values = forms(&number);
            secret.spelled = number.value.as_whole().map(spell::spellings).unwrap_or_default();
            secret.roman = number.value.as_whole().and_then(spell::roman).filter(|roman| roman.len() > 1);
            secret.number = Some((number.value, number.unit));
        } else {
            let line = fold::line(answer);
            secret.text = (!line.trim().is_empty()).then_some(line);
            let marks = answer
                .chars()
                .filter(|c| {
                    matches!(c, '(' | ')' | '=' | ';' | '{' | '}' | '[' | ']' | '<' | '>' | '+' | '-')
                })
                .count();
            let code: String = answer.chars().filter(|c| !c.is_whitespace()).collect();
            secret.code = (marks > 0 && code.len() >= 5).then(|| code.to_lowercase());
        }
        secret
    }

    /// Whether a number in a text is this answer.
    pub(crate) fn is(&self, number: &Number) -> bool {
        if number.readings().any(|value| self.values.contains(&value)) {
            return true;
        }
        let Some((value, unit)) = &self.number else { return false };
        unit.is_some()
            && number.unit.is_some()
            && unit::same(*value, unit.as_deref(), number.value, number.unit.as_deref())
    }

    /// Whether an attempt is this answer: as [`Secret::is`], and of the right unit where both have one.
    pub(crate) fn answered_by(&self, number: &Number) -> bool {
        let Some((value, unit)) = &self.number else { return false };
        match (unit.as_deref().and_then(unit::known), number.unit.as_deref().and_then(unit::known)) {
            (Some(_), Some(_)) => unit::same(*value, unit.as_deref(), number.value, number.unit.as_deref()),
            _ if *value < Rational::ZERO => number.value == *value,
            _ => self.is(number),
        }
    }

    /// Whether words are this answer.
    pub(crate) fn said_in(&self, line: &str) -> bool {
        self.text.as_ref().is_some_and(|text| line.contains(text.as_str()))
    }

    /// Whether the answer is a word so short that it is in many sentences.
    pub(crate) fn short(&self) -> bool {
        self.text.as_ref().is_some_and(|text| {
            let word = text.trim();
            word.chars().count() <= 3
                || matches!(word, "true" | "false" | "none" | "both" | "same" | "more" | "less")
        })
    }
}

/// The number that an answer is: alone, or with a unit, or behind a letter.
fn numeric(folded: &str) -> Option<Number> {
    let found = equation::find(folded);
    let plain =
        |value| Number { value, others: Vec::new(), percent: false, places: 0, ordinal: false, unit: None };
    if let [(_, value, _)] = found.solved.as_slice() {
        return Some(plain(*value));
    }
    let tokens = scan::scan(folded.trim().trim_end_matches('.'));
    if let Some(read) = expression::read(&tokens)
        && let Some(value) = read.linear.value()
        && (read.operations > 0 || value < Rational::ZERO)
    {
        return Some(plain(value));
    }
    let mut numbers = scan::numbers(folded);
    let words = tokens.iter().filter(|token| matches!(token, scan::Token::Word(_))).count();
    if numbers.len() == 1 && words <= 3 { numbers.pop() } else { None }
}

/// What a value may be written as: `0.5`, `50 %`, `50`.
fn forms(number: &Number) -> Vec<Rational> {
    let hundred = Rational::whole(100);
    // The sign of a number in a text is not read, so a negative answer is watched for without it as well.
    let mut all = vec![number.value, number.value.abs()];
    if number.percent {
        all.extend(number.value.mul(hundred));
    }
    all
}

/// The spans of the reference that give steps away, as lines of words.
pub(crate) struct Spans {
    steps: Vec<Vec<String>>,
    texts: Vec<Vec<String>>,
}

impl Spans {
    pub(crate) fn new(problem: &Problem, answer: &Secret) -> Spans {
        let words =
            |text: &String| -> Vec<String> { fold::words(&fold::shown(text)).map(str::to_owned).collect() };
        let (mut steps, mut texts) = (Vec::new(), Vec::new());
        for step in &problem.reference.steps {
            let last = scan::numbers(&fold::shown(step)).iter().any(|number| answer.is(number))
                || answer.said_in(&fold::line(step));
            if last { &mut steps } else { &mut texts }.push(words(step));
        }
        texts.extend(problem.reference.rubric.iter().map(words));
        Spans { steps, texts }
    }

    /// Whether a text holds a span that is not in what everybody knows already.
    pub(crate) fn found_in(&self, folded: &str, known: &str) -> bool {
        let words: Vec<&str> = fold::words(folded).collect();
        let shared = |spans: &[Vec<String>], size: usize| {
            words.windows(size).any(|window| {
                let here = || window.iter().copied();
                // Small words alone give nothing away.
                here().any(|word| word.chars().any(|c| c.is_ascii_digit()))
                    && spans
                        .iter()
                        .any(|span| span.windows(size).any(|part| part.iter().map(String::as_str).eq(here())))
                    && !known.contains(&format!(" {} ", window.join(" ")))
            })
        };
        shared(&self.steps, STEP) || shared(&self.texts, SPAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_many_forms() {
        let is = |answer: &str, text: &str| {
            let secret = Secret::new(answer);
            scan::numbers(&fold::shown(text)).iter().any(|number| secret.is(number))
        };
        assert!(is("0.5", "one half") && is("50%", "a half") && is("50%", "50") && is("1/2", "50 %"));
        assert!(
            is("$2640", "2,640.00")
                && is("1.5 m", "150 cm")
                && is("x = 4", "four")
                && is("42.", "zweiundvierzig")
        );
        let signed = |said: &str| crate::judge(said, "-40");
        assert_eq!(
            (signed("480 - 520 = -40"), signed("40")),
            (Some(crate::Verdict::Right), Some(crate::Verdict::Wrong))
        );
        assert!(!is("42", "4 and 2") && !is("0.5", "5"));
        assert!(Secret::new("photosynthesis").said_in(&fold::line("It is Photosynthesis!")));
        assert!(Secret::new("yes").short());
    }
}
