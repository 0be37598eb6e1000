//! What a learner's turn says: whether it asks for the answer, is stuck, agrees, tries an answer, claims something;
//! and what of its arithmetic is wrong. It never judges free text as right.

use crate::cues;
use crate::exact::equation::{self, Slip};
use crate::exact::rational::Rational;
use crate::exact::scan::{self, Number, Token};
use crate::fold;
use crate::guard::ANSWER_NOUNS;
use crate::problem::Problem;
use crate::secret::Secret;

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
        if !choices && right(problem, answered) {
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

enum Attempt {
    None,
    One(Number),
    Several,
}

/// The number that a text gives as its answer.
fn attempt(said: &str, folded: &str, told: &[Rational]) -> Attempt {
    let lines: Vec<&str> = folded.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let Some(last) = lines.last() else { return Attempt::None };
    let one = |text: &str| -> Option<Number> {
        let mut numbers = scan::numbers(text);
        if numbers.len() == 1 { numbers.pop() } else { None }
    };
    // A last line that is a number alone.
    let bare = scan::scan(last);
    let plain = |token: &Token| matches!(token, Token::Num(_) | Token::Break | Token::Op('-'));
    if bare.iter().all(plain)
        || bare.len() <= 3
            && bare.iter().all(|token| {
                plain(token) || matches!(token, Token::Word(_) | Token::Letter(_) | Token::Equal)
            })
    {
        match bare.iter().filter(|token| matches!(token, Token::Num(_))).count() {
            0 => {}
            1 => return negated(&bare).map_or(Attempt::None, Attempt::One),
            _ => return Attempt::Several,
        }
    }
    // The sentences from the last to the first: the first of them that states a result.
    let sentences = sentences(folded);
    let asking = said.trim_end().ends_with('?');
    for sentence in sentences.iter().rev() {
        let numbers = scan::numbers(sentence);
        if numbers.is_empty() {
            continue;
        }
        let line = fold::line(sentence);
        let choosing = [" or ", " oder ", " maybe "].iter().filter(|cue| line.contains(**cue)).count() > 0;
        if choosing && numbers.len() > 1 && equation::find(sentence).expressions.is_empty() {
            return Attempt::Several;
        }
        if let Some(number) = stated(sentence, told) {
            return Attempt::One(number);
        }
        let guesses = line.split_whitespace().count() <= 6;
        if guesses && let Some(number) = one(sentence) {
            return Attempt::One(number);
        }
        if asking {
            return Attempt::None;
        }
        if numbers.len() > 1 && line.split_whitespace().count() <= numbers.len() + 2 {
            return Attempt::Several;
        }
        break;
    }
    Attempt::None
}

fn negated(tokens: &[Token]) -> Option<Number> {
    let mut minus = false;
    for token in tokens {
        match token {
            Token::Op('-') => minus = true,
            Token::Num(number) => {
                let value = if minus { number.value.neg()? } else { number.value };
                return Some(Number { value, ..number.clone() });
            }
            _ => {}
        }
    }
    None
}

/// The number that a sentence ends in as its result: behind "=", "is", "has", "for a total of" …
fn stated(sentence: &str, told: &[Rational]) -> Option<Number> {
    const BEFORE: &[&str] = &[
        "get",
        "got",
        "gives",
        "total",
        "left",
        "leaves",
        "answer",
        "result",
        "needs",
        "need",
        "has",
        "have",
        "had",
        "cost",
        "costs",
        "spend",
        "spends",
        "spent",
        "makes",
        "made",
        "was",
        "were",
        "be",
        "would",
        "with",
        "about",
        "bought",
        "sold",
        "started",
        "sum",
        "means",
        "by",
        "of",
        "to",
        "need",
        "earns",
        "earned",
        "pay",
        "paid",
        "takes",
        "took",
        "saved",
        "saves",
        "drink",
        "drinks",
        "ate",
        "eats",
        "received",
        "receives",
        "ergebnis",
        "antwort",
        "lösung",
        "habe",
        "hat",
        "haben",
        "sind",
        "macht",
        "bekomme",
        "insgesamt",
        "bleiben",
        "kostet",
        "walks",
        "runs",
        "weighs",
        "lost",
        "gained",
        "reads",
        "use",
        "uses",
        "used",
        "buy",
        "buys",
        "sell",
        "sells",
        "remain",
        "remains",
        "owes",
        "there",
    ];
    let sentence = &unbracketed(sentence);
    let tokens = scan::scan(sentence);
    let line = fold::line(sentence);
    // A conclusion with one number that the problem does not hold: that number, wherever it stands.
    let concludes = CONCLUDES.iter().any(|cue| line.starts_with(&format!(" {cue} ")));
    let worked = tokens.iter().any(|token| matches!(token, Token::Equal));
    if concludes && !worked {
        let all: Vec<&Number> = tokens
            .iter()
            .filter_map(|token| if let Token::Num(number) = token { Some(number) } else { None })
            .collect();
        let new: Vec<&&Number> = all.iter().filter(|number| !told.contains(&number.value)).collect();
        match (all.as_slice(), new.as_slice()) {
            ([number], _) => return Some((*number).clone()),
            (_, [number]) if !told.is_empty() => return Some((**number).clone()),
            _ => {}
        }
    }
    // What stands behind the last sign or verb that states something.
    let verbal = |token: &Token| match token {
        Token::Equal | Token::Is => true,
        Token::Word(word) => BEFORE.contains(&word.as_str()) || ANSWER_NOUNS.contains(&word.as_str()),
        _ => false,
    };
    let cued = [" answer ", " result ", " solution ", " total ", " ergebnis ", " antwort ", " lösung "]
        .iter()
        .any(|cue| fold::line(sentence).contains(cue));
    let places: Vec<usize> =
        tokens.iter().enumerate().filter(|(_, token)| verbal(token)).map(|(at, _)| at).collect();
    for at in places.iter().rev() {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        let until = rest.iter().position(|token| matches!(token, Token::Break)).unwrap_or(rest.len());
        let rest = rest.get(..until).unwrap_or_default();
        let mut numbers =
            rest.iter().filter_map(|token| if let Token::Num(number) = token { Some(number) } else { None });
        let operated = rest.iter().any(|token| matches!(token, Token::Op(_)));
        match (numbers.next(), numbers.next()) {
            (Some(number), None) => return negated(rest).or_else(|| Some(number.clone())),
            (Some(first), Some(_)) => {
                let value = crate::exact::expression::read(rest).filter(|_| operated && cued);
                if let Some(value) = value.and_then(|read| read.linear.value()) {
                    return Some(Number { value, ..first.clone() });
                }
                // "= 50 dollars for 5 sandwiches": what comes first behind the sign.
                if matches!(tokens.get(*at), Some(Token::Equal | Token::Is)) && !operated {
                    return Some(first.clone());
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// What begins a sentence that states a result.
const CONCLUDES: &[&str] = &[
    "therefore",
    "so",
    "thus",
    "hence",
    "in total",
    "finally",
    "then",
    "also",
    "daher",
    "deshalb",
    "insgesamt",
    "altogether",
    "this means",
    "that means",
];

/// Without asides in brackets: those that hold words.
fn unbracketed(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(at) = rest.find('(') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find(')').map_or(from.len(), |end| end + 1);
        let (inside, after) = from.split_at(end);
        if fold::words(inside).filter(|word| word.chars().all(char::is_alphabetic) && word.len() > 1).count()
            < 2
        {
            out.push_str(inside);
        }
        rest = after;
    }
    out.push_str(rest);
    out
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
