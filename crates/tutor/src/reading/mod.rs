//! What a learner's turn says: whether it asks for the answer, is stuck, agrees, tries an answer, claims something;
//! and what of its arithmetic is wrong. It never judges free text as right.

mod attempt;

use crate::cues;
use crate::exact::equation::{self, Slip};
use crate::exact::rational::Rational;
use crate::exact::scan::{self, Number};
use crate::fold;
use crate::problem::Problem;
use crate::secret::Secret;
use attempt::{Attempt, attempt};

/// How an attempt at the answer came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the answer.
    Right,
    /// It is another number, or other words.
    Wrong,
}

/// A claim of the learner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// In the learner's own words.
    pub text: String,
    /// It is said of all, without exception.
    pub universal: bool,
    /// A reason comes with it.
    pub reasoned: bool,
}

/// A turn of the learner, read.
#[derive(Clone, Default, Debug)]
pub struct Reading {
    /// It asks to be handed the answer.
    pub asks: bool,
    /// It asks for help, or knows no further.
    pub stuck: bool,
    /// It agrees, and no more.
    pub agrees: bool,
    /// It greets, and no more.
    pub greets: bool,
    /// It is about something else.
    pub elsewhere: bool,
    /// It is too short to say anything.
    pub vague: bool,
    /// It gives a reason, or a sum.
    pub reasoned: bool,
    /// It names several answers to choose from.
    pub several: bool,
    /// It takes something back.
    pub retracts: bool,
    /// It is a question.
    pub question: bool,
    /// Its words.
    pub words: usize,
    /// German; `None` when it cannot be told.
    pub german: Option<bool>,
    /// An attempt at the answer.
    pub verdict: Option<Verdict>,
    /// The attempt in the learner's words.
    pub attempt: Option<String>,
    /// A sum that is wrong: as it was written, what was said, and how it is wrong.
    pub slip: Option<(String, String, Slip)>,
    /// Sums that are right.
    pub right_sums: usize,
    /// What is claimed.
    pub claims: Vec<Claimed>,
    /// The number of the misconception that it shows.
    pub misconception: Option<usize>,
    /// A value of a step of the reference that was not said before.
    pub step: bool,
    pub(crate) values: Vec<Rational>,
    pub(crate) expressions: Vec<String>,
}

/// So many numbers in one turn, in no sum, are a list.
const LISTED: usize = 12;

impl Reading {
    /// The turn lists numbers to see which of them is taken up: none of them counts as said.
    pub(crate) fn lists(&self) -> bool {
        self.several || self.values.len() > LISTED && self.expressions.is_empty()
    }
}

/// Reads a turn.
pub fn read(said: &str, problem: Option<&Problem>) -> Reading {
    let folded = fold::shown(said);
    let line = fold::line(said);
    let found = equation::find(&folded);
    let numbers = scan::numbers(&folded);
    let words = line.split_whitespace().count();
    let mut reading = Reading {
        asks: cues::asks(&line),
        stuck: cues::stuck(&line),
        agrees: cues::agrees(&line),
        greets: cues::greets(&line),
        elsewhere: cues::elsewhere(&line) && numbers.is_empty(),
        retracts: cues::retracts(&line),
        question: said.contains('?'),
        reasoned: cues::reasons(&line) || !found.expressions.is_empty(),
        vague: words <= 2 && numbers.is_empty(),
        words,
        german: cues::german(&line),
        right_sums: found.sums.iter().filter(|sum| sum.slip.is_none()).count(),
        slip: found.sums.iter().find_map(|sum| Some((sum.left.clone(), sum.said.to_string(), sum.slip?))),
        values: numbers.iter().flat_map(Number::readings).collect(),
        expressions: found.expressions.iter().map(|(written, _)| written.clone()).collect(),
        claims: claims(said),
        ..Reading::default()
    };
    let Some(problem) = problem else { return reading };
    let told: Vec<Rational> =
        scan::numbers(&fold::shown(&problem.statement)).iter().map(|number| number.value).collect();
    let attempt = attempt(said, &folded, &told);
    reading.several = matches!(attempt, Attempt::Several);
    if let Attempt::One(number) = &attempt {
        let right = right(problem, |answer| answer.answered_by(number));
        reading.verdict = Some(if right { Verdict::Right } else { Verdict::Wrong });
        reading.attempt = Some(number.value.to_string());
    }
    let numeric = Secret::new(&problem.reference.answer).number.is_some();
    if !numeric {
        reading.verdict = None;
        reading.attempt = None;
        let choices = line.contains(" or ") || line.contains(" oder ") || reading.question;
        // A short word is an answer when it is all, or behind "it is"; a longer one wherever it stands.
        let answered = |answer: &Secret| {
            let alone = answer.text.as_ref().is_some_and(|text| {
                let text = text.trim();
                ["", " its", " it is", " the answer is", " i think its", " answer", " option", " es ist"]
                    .iter()
                    .any(|cue| line.trim_end() == format!("{cue} {text}"))
            });
            let code = answer.code.as_ref().is_some_and(|code| {
                said.chars()
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>()
                    .to_lowercase()
                    .contains(code.as_str())
            });
            alone || code || !answer.short() && answer.said_in(&line) && !problem_says(problem, answer)
        };
        let denied = |answer: &Secret| {
            answer.text.as_ref().is_some_and(|text| {
                [" not", " no", " never", " nicht", " kein", " keine"]
                    .iter()
                    .any(|cue| line.contains(&format!("{cue}{text}")))
            })
        };
        if !choices && right(problem, answered) && !right(problem, denied) {
            reading.verdict = Some(Verdict::Right);
            reading.attempt = Some(fold::quote(said, 8));
        }
    }
    if reading.asks && reading.verdict == Some(Verdict::Wrong) {
        reading.verdict = None;
        reading.attempt = None;
    }
    reading.misconception = problem.misconceptions.iter().position(|known| {
        let when = fold::line(&known.when);
        let number = Secret::new(&known.when);
        match &attempt {
            Attempt::One(said) if number.number.is_some() => number.is(said),
            _ => number.number.is_none() && !when.trim().is_empty() && line.contains(when.as_str()),
        }
    });
    let steps = problem.reference.steps.iter().flat_map(|step| equation::find(&fold::shown(step)).sums);
    let steps: Vec<Rational> = steps.map(|sum| sum.said).collect();
    reading.step = reading.values.iter().any(|value| steps.contains(value));
    reading
}

fn problem_says(problem: &Problem, answer: &Secret) -> bool {
    answer.said_in(&fold::line(&problem.statement))
}

fn right(problem: &Problem, is: impl Fn(&Secret) -> bool) -> bool {
    std::iter::once(&problem.reference.answer)
        .chain(&problem.reference.accepted)
        .any(|answer| is(&Secret::new(answer)))
}

/// Whether words are the answer to the transfer question.
pub(crate) fn transfers(said: &str, answer: &str) -> Option<bool> {
    let secret = Secret::new(answer);
    if secret.number.is_none() {
        return Some(secret.said_in(&fold::line(said)));
    }
    match attempt(said, &fold::shown(said), &[]) {
        Attempt::One(number) => Some(secret.answered_by(&number)),
        Attempt::Several | Attempt::None => None,
    }
}

/// Whether a whole solution, or a short reply, gives this answer. `None` when it gives none.
pub fn judge(said: &str, answer: &str) -> Option<Verdict> {
    read(said, Some(&Problem::plain("", answer, ""))).verdict
}

/// The sentences of a text. A point inside of a number ends none.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut from = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = match c {
            '\n' => true,
            '.' | '!' | '?' => chars.peek().is_none_or(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if ends {
            let behind = at + c.len_utf8();
            all.extend(text.get(from..behind));
            from = behind;
        }
    }
    all.extend(text.get(from..));
    all.retain(|sentence| !sentence.trim().is_empty());
    all
}

/// At most this many claims of a turn are kept.
const CLAIMS: usize = 4;

fn claims(said: &str) -> Vec<Claimed> {
    let mut all = Vec::new();
    for sentence in sentences(said) {
        let line = fold::line(sentence);
        if !sentence.trim_end().ends_with('?')
            && cues::claims(&line)
            && line.split_whitespace().count() >= 4
            && !cues::asks(&line)
            && !cues::stuck(&line)
        {
            all.push(Claimed {
                text: fold::quote(sentence, 16),
                universal: cues::universal(&line),
                reasoned: cues::reasons(&line),
            });
        }
    }
    all.truncate(CLAIMS);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_answers_are_recognised() {
        let table = [
            ("42", Some(Verdict::Right)),
            ("I think it's forty-two.", Some(Verdict::Right)),
            ("So the total is 6 * 7 = 42 cakes.", Some(Verdict::Right)),
            ("First 6 * 7 = 42, but then I subtract 2 and get 40.", Some(Verdict::Wrong)),
            ("She starts with 6 trays.\nThat gives 42.\n 42", Some(Verdict::Right)),
            ("x = 42", Some(Verdict::Right)),
            ("Die Antwort ist zweiundvierzig", Some(Verdict::Right)),
            ("the answer is 42.0 cakes", Some(Verdict::Right)),
            ("41, 42 or 43", None),
            ("Is it 41 or 42?", None),
            ("1 2 3 4 5 42", None),
            ("I do not know", None),
            ("-42", Some(Verdict::Wrong)),
            ("Where do I begin with this one", None),
            ("How do I use the 42", None),
            ("In total there are 43 cakes for 6 trays.", Some(Verdict::Wrong)),
        ];
        for (text, verdict) in table {
            assert_eq!(judge(text, "42"), verdict, "{text}");
        }
        assert_eq!(judge("50 percent", "1/2"), Some(Verdict::Right));
        assert_eq!(judge("98 inches", "98 feet"), Some(Verdict::Wrong));
        assert_eq!(judge("150 cm", "1.5 m"), Some(Verdict::Right));
        assert_eq!(judge("I think it is photosynthesis", "photosynthesis"), Some(Verdict::Right));
        assert_eq!(judge("B", "B"), Some(Verdict::Right));
        assert_eq!(judge("A or B", "B"), None);
        assert_eq!(judge("1,5", "1.5"), Some(Verdict::Right));
        assert_eq!(judge("1.200 €", "1200"), Some(Verdict::Right));
    }

    #[test]
    fn claims_are_kept_in_the_learners_words() {
        let reading =
            read("I think heavy things always fall faster. It rained. They do because they are heavy.", None);
        let texts: Vec<_> = reading
            .claims
            .iter()
            .map(|claim| (claim.text.as_str(), claim.universal, claim.reasoned))
            .collect();
        assert_eq!(
            texts,
            [
                ("I think heavy things always fall faster", true, false),
                ("They do because they are heavy", false, true)
            ]
        );
    }

    #[test]
    fn slips_are_seen_and_not_corrected() {
        let reading = read("6 * 7 = 48 so 48 cakes", Some(&Problem::plain("", "42", "")));
        assert_eq!(
            reading.slip.map(|(left, said, _)| (left, said)),
            Some(("6 × 7".to_owned(), "48".to_owned()))
        );
        assert_eq!(reading.verdict, Some(Verdict::Wrong));
    }
}
