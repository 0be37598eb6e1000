//! A text as the broad mask reads it: words and numbers, how they are written, and what stands between them.
//! It never decides what is personal.

use std::ops::Range;

use super::Found;
use super::words::{Meaning, meaning};

/// How a token is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// A word that begins with a capital, and how it goes on.
    Capital,
    /// A word of capitals alone.
    Shout,
    /// One capital: an initial, or the English `I`.
    Initial,
    Small,
    /// Digits, maybe with letters or signs in them.
    Number,
    /// What was masked already.
    Taken,
}

/// A word or a number, and what stands before it.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) form: Form,
    pub(super) range: Range<usize>,
    /// A sentence begins here.
    pub(super) first: bool,
    /// What stands between the token before and this one is only white space or a sign that joins.
    pub(super) joined: bool,
    /// A comma or a line end lies between.
    pub(super) apart: bool,
    pub(super) meaning: Meaning,
}

/// The tokens of a text; what is `taken` is one each.
pub(super) fn tokens(text: &str, taken: &[Found]) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut taken = taken.iter().peekable();
    let (mut first, mut joined, mut apart) = (true, true, false);
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, c)) = chars.peek() {
        if let Some(found) = taken.next_if(|found| found.range.start <= start) {
            let (form, range) = (Form::Taken, found.range.clone());
            while chars.next_if(|(at, _)| *at < range.end).is_some() {}
            tokens.push(Token { form, range, first, joined, apart, meaning: Meaning::Common });
            (first, joined, apart) = (false, true, false);
            continue;
        }
        if !c.is_alphanumeric() {
            chars.next();
            let next = chars.peek().map_or(' ', |(_, c)| *c);
            match c {
                '.' if tokens.last().is_some_and(|last| abbreviates(text, last)) => {}
                '.' if next.is_alphanumeric() => {}
                '.' | '!' | '?' | ':' | '>' | '"' | '“' | '•' => {
                    (first, joined, apart) = (true, false, true)
                }
                '\n' => apart = true,
                ',' => apart = true,
                '\'' | '’' | '-' | '&' | '/' | '#' | ' ' | '\t' | '\r' => {}
                _ => joined = false,
            }
            continue;
        }
        let mut end = start;
        let mut before = ' ';
        while let Some(&(at, c)) = chars.peek() {
            // A hyphen or an apostrophe within a word belongs to it.
            let inner = matches!(c, '-' | '\'' | '’') && before.is_alphanumeric() && {
                let mut ahead = text.get(at..).unwrap_or_default().chars().skip(1);
                ahead.next().is_some_and(char::is_alphanumeric)
            };
            if !c.is_alphanumeric() && !inner && !is_mark(c) {
                break;
            }
            if taken.peek().is_some_and(|found| found.range.start <= at && at > start) {
                break;
            }
            before = c;
            end = at + c.len_utf8();
            chars.next();
        }
        let mut word = text.get(start..end).unwrap_or_default();
        // Whose: the name goes without it, and ends there.
        let mut owner = false;
        if let Some(bare) = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")) {
            (word, owner) = (bare, true);
        }
        let range = start..start + word.len();
        tokens.push(Token { form: form(word), range, first, joined, apart, meaning: meaning(word) });
        (first, joined, apart) = (false, !owner, false);
    }
    tokens
}

/// A combining mark: part of the letter before it.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Whether a dot behind the token ends no sentence: an initial, a title, `St.`, `Apt.`, `Inc.`.
fn abbreviates(text: &str, token: &Token) -> bool {
    let word = text.get(token.range.clone()).unwrap_or_default();
    token.form == Form::Initial
        || matches!(token.meaning, Meaning::Title | Meaning::Unit)
        || (matches!(word, "St" | "Ave" | "Rd" | "Blvd" | "Inc" | "Ltd" | "Co" | "Corp" | "No" | "P"))
}

fn form(word: &str) -> Form {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let Some(first) = letters.next() else { return Form::Number };
    if word.starts_with(|c: char| c.is_numeric()) {
        return Form::Number;
    }
    if !first.is_uppercase() {
        // `iPhone` and `d'Arc` hold a capital; only the second begins a name.
        let article = word.split(['\'', '’']).nth(1).and_then(|rest| rest.chars().next());
        return if article.is_some_and(char::is_uppercase) { Form::Capital } else { Form::Small };
    }
    match letters.clone().count() {
        0 => Form::Initial,
        _ if letters.all(|c| !c.is_lowercase()) => Form::Shout,
        _ => Form::Capital,
    }
}
