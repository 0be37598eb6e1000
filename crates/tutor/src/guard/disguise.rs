//! Values in disguise: spelled in other languages, digits apart, backwards, in another base, as a relation.
//! It knows nothing of what has been said.

use crate::exact::rational::Rational;
use crate::exact::scan::{self, Token};
use crate::exact::{equation, words};
use crate::secret::Secret;

/// A value in a dress that the scanner does not take for a number.
pub(super) fn hidden(secret: &Secret, value: Rational, text: &str, folded: &str) -> bool {
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
    if digits.len() >= 2 && spaced(folded).contains(&digits) {
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
pub(super) fn related(folded: &str, secret: &Secret) -> bool {
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
