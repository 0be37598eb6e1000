//! The number that a text gives as its answer. It never says whether it is right.

use super::sentences;
use crate::exact::equation;
use crate::exact::rational::Rational;
use crate::exact::scan::{self, Number, Token};
use crate::fold;
use crate::guard::ANSWER_NOUNS;

/// An attempt at the answer.
pub(super) enum Attempt {
    /// None was made.
    None,
    /// This number.
    One(Number),
    /// Several, to choose from.
    Several,
}

/// The number that a text gives as its answer.
pub(super) fn attempt(said: &str, folded: &str, told: &[Rational]) -> Attempt {
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
        if ASKING.iter().any(|word| line.starts_with(&format!(" {word} "))) {
            continue;
        }
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

/// What begins a question about the matter rather than about an answer.
const ASKING: &[&str] = &[
    "where", "how", "what", "why", "which", "when", "who", "wo", "wie", "was", "warum", "welche", "wann",
    "wer",
];

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
