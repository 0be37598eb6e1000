//! A text as marks of arithmetic: numbers, operators, brackets, letters, and the words between them.
//! It never evaluates.

use super::number;
use super::rational::Rational;
use super::words;

/// A number in a text.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Number {
    /// What it is; `50 %` is a half.
    pub(crate) value: Rational,
    /// What it may be as well.
    pub(crate) others: Vec<Rational>,
    /// With a sign of percent.
    pub(crate) percent: bool,
    /// The digits after the point.
    pub(crate) places: u32,
    /// Names a place in an order: `42nd`.
    pub(crate) ordinal: bool,
    /// The word after it, when there is one.
    pub(crate) unit: Option<String>,
}

impl Number {
    /// Everything that it may be.
    pub(crate) fn readings(&self) -> impl Iterator<Item = Rational> {
        std::iter::once(self.value).chain(self.others.iter().copied())
    }
}

/// A mark.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Token {
    /// A number.
    Num(Number),
    /// `+ - * / ^`
    Op(char),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `=`
    Equal,
    /// "is", which may mean `=`.
    Is,
    /// A single letter that stands for a number.
    Letter(char),
    /// "of" after a part: a product.
    Of,
    /// Another word.
    Word(String),
    /// The end of a line or sentence, or a mark that parts.
    Break,
}

/// The marks of a folded text.
pub(crate) fn scan(folded: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = folded;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let next = after.chars().next().unwrap_or(' ');
        if c.is_ascii_digit() || c == '.' && next.is_ascii_digit() && !before.is_alphanumeric() {
            if let Some((token, len)) = digits(rest) {
                before = rest.get(..len).and_then(|text| text.chars().next_back()).unwrap_or('0');
                rest = rest.get(len..).unwrap_or_default();
                tokens.push(token);
                continue;
            }
            // More digits than fit: one mark, however many they are.
            let len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Break);
            before = '0';
            rest = rest.get(len.max(1)..).unwrap_or_default();
            continue;
        }
        if c.is_alphabetic() {
            let len = rest.find(|c: char| !c.is_alphabetic() && c != '\'').unwrap_or(rest.len());
            let (word, after) = rest.split_at(len);
            rest = lettered(word, after, &mut tokens);
            before = 'a';
            continue;
        }
        match c {
            '+' | '*' | '^' => tokens.push(Token::Op(c)),
            // Between letters, and between a number and its noun ("5-pound"), it is a hyphen.
            '-' if next.is_alphabetic() && before.is_alphanumeric() && !single(after) => {}
            '-' => tokens.push(Token::Op('-')),
            // "feet/yard" is a unit.
            '/' if before.is_alphabetic() && next.is_alphabetic() && !single(after) => {}
            '/' => tokens.push(Token::Op('/')),
            '(' | '[' => tokens.push(Token::Open),
            ')' | ']' => tokens.push(Token::Close),
            '=' => tokens.push(Token::Equal),
            '%' => percent(&mut tokens),
            '$' | '€' | '£' | '¥' | '"' | '\'' | '_' => {}
            c if c.is_whitespace() && c != '\n' => {}
            _ => tokens.push(Token::Break),
        }
        before = c;
        rest = after;
    }
    joined(tokens)
}

/// Whether a single letter stands at the beginning.
fn single(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_alphabetic)
        && !chars.next().is_some_and(|c| c.is_alphanumeric() || c == '\'')
}

fn percent(tokens: &mut [Token]) {
    if let Some(Token::Num(number)) = tokens.last_mut()
        && !number.percent
        && let Some(part) = number.value.div(Rational::whole(100))
    {
        number.others.push(number.value);
        number.value = part;
        number.percent = true;
    }
}

fn plain(value: Rational) -> Number {
    Number { value, others: Vec::new(), percent: false, places: 0, ordinal: false, unit: None }
}

fn digits(text: &str) -> Option<(Token, usize)> {
    let read = number::read(text)?;
    let after = text.get(read.len..).unwrap_or_default();
    let mut number =
        Number { others: read.other.into_iter().collect(), places: read.places, ..plain(read.value) };
    for ending in ["st", "nd", "rd", "th"] {
        let ends = after.strip_prefix(ending).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        if ends && read.places == 0 {
            number.ordinal = true;
            return Some((Token::Num(number), read.len + 2));
        }
    }
    // "1 1/2"
    if read.places == 0
        && let Some(fraction) = after.strip_prefix(' ')
        && let Some(over) = number::read(fraction).filter(|over| over.places == 0 && over.other.is_none())
        && let Some(under) = fraction.get(over.len..).and_then(|text| text.strip_prefix('/'))
        && let Some(bottom) = number::read(under).filter(|bottom| bottom.places == 0)
        && over.value < bottom.value
        && let Some(mixed) = over.value.div(bottom.value).and_then(|part| part.add(read.value))
    {
        return Some((Token::Num(plain(mixed)), read.len + 1 + over.len + 1 + bottom.len));
    }
    Some((Token::Num(number), read.len))
}

/// "This one", "ein Blech": a pronoun or article, and no number.
fn pronoun(word: &str, before: Option<&Token>) -> bool {
    const POINTING: &[&str] = &[
        "this", "that", "which", "each", "another", "every", "any", "no", "some", "the", "first", "last",
        "next", "right", "wrong", "only", "other", "same", "easy", "hard",
    ];
    match word {
        "one" => matches!(before, Some(Token::Word(word)) if POINTING.contains(&word.as_str())),
        "ein" | "eine" | "einen" | "einem" | "einer" => true,
        _ => false,
    }
}

/// A word, or several that together are a number or an operator; gives the text behind them.
fn lettered<'a>(word: &str, after: &'a str, tokens: &mut Vec<Token>) -> &'a str {
    // "2x", "x", "100 x 12"
    let mut letters = word.chars();
    if let (Some(letter), None) = (letters.next(), letters.next())
        && !matches!(letter, 'a' | 'i' | 'o' | 's' | 't')
    {
        let nouns = tokens.iter().rev().take(2).take_while(|token| matches!(token, Token::Word(_))).count();
        let value_before = matches!(tokens.iter().rev().nth(nouns), Some(Token::Num(_) | Token::Close));
        let value_after = after
            .trim_start()
            .trim_start_matches(['$', '€', '£'])
            .starts_with(|c: char| c.is_ascii_digit() || c == '(');
        tokens.push(if letter == 'x' && value_before && value_after {
            Token::Op('*')
        } else {
            Token::Letter(letter)
        });
        return after;
    }
    if matches!(word, "million" | "millionen" | "thousand" | "tausend" | "hundred" | "hundert")
        && let Some(Token::Num(number)) = tokens.last_mut()
    {
        let size = match word {
            "million" | "millionen" => 1_000_000,
            "thousand" | "tausend" => 1_000,
            "hundred" | "hundert" => 100,
            _ => 0,
        };
        if size > 0
            && let Some(value) = number.value.mul(Rational::whole(size))
        {
            let unscaled = number.value;
            *number = Number { others: vec![unscaled], ..plain(value) };
            return after;
        }
    }
    // Up to eight words with single spaces or hyphens between them may be a number.
    let mut ahead: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    while ahead.len() < 10 {
        let tail = after.get(at..).unwrap_or_default();
        let skipped = tail.len() - tail.trim_start_matches([' ', '-']).len();
        if skipped == 0 || skipped > 2 {
            break;
        }
        let tail = tail.get(skipped..).unwrap_or_default();
        let len = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        if len == 0 {
            break;
        }
        let Some(next) = tail.get(..len) else { break };
        at += skipped + len;
        ahead.push((next, at));
    }
    let all: Vec<&str> = std::iter::once(word).chain(ahead.iter().map(|(word, _)| *word)).collect();
    let behind = |used: usize| match used.checked_sub(2).and_then(|last| ahead.get(last)) {
        Some((_, at)) => after.get(*at..).unwrap_or_default(),
        None => after,
    };
    for used in (1..=all.len().min(4)).rev() {
        if let Some(value) = all.get(..used).and_then(words::ordinal)
            && all
                .get(..used)
                .is_some_and(|part| used == 1 || words::read(part).is_none_or(|(n, _)| n < used))
        {
            tokens.push(Token::Num(Number { ordinal: true, ..plain(Rational::whole(value)) }));
            return behind(used);
        }
    }
    if let Some((used, value)) = words::read(&all)
        && !(used == 1 && pronoun(word, tokens.last()))
    {
        tokens.push(Token::Num(plain(value)));
        return behind(used);
    }
    let second = ahead.first().map(|(word, _)| *word);
    let (token, used) = match (word, second) {
        ("plus", _) => (Token::Op('+'), 1),
        ("minus" | "less", _) => (Token::Op('-'), 1),
        ("times" | "mal", _) => (Token::Op('*'), 1),
        ("multiplied", Some("by")) | ("multipliziert", Some("mit")) => (Token::Op('*'), 2),
        ("divided", Some("by")) | ("geteilt", Some("durch")) | ("dividiert", Some("durch")) => {
            (Token::Op('/'), 2)
        }
        ("equals" | "gleich" | "makes" | "ergibt", _) => (Token::Equal, 1),
        ("is", Some("equal")) => (Token::Equal, 3),
        ("is" | "are" | "ist" | "sind" | "gives", _) => (Token::Is, 1),
        ("of" | "von", _) => (Token::Of, 1),
        ("percent" | "prozent", _) => {
            percent(tokens);
            return after;
        }
        ("per", Some("cent")) => {
            percent(tokens);
            return behind(2);
        }
        _ => (Token::Word(word.to_owned()), 1),
    };
    tokens.push(token);
    behind(used)
}

/// Numbers know the word behind them.
fn joined(mut tokens: Vec<Token>) -> Vec<Token> {
    for at in 0..tokens.len() {
        let unit = match tokens.get(at + 1) {
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Letter(letter @ ('m' | 'g' | 'l'))) => letter.to_string(),
            _ => continue,
        };
        if let Some(Token::Num(number)) = tokens.get_mut(at) {
            number.unit = Some(unit);
        }
    }
    tokens
}

/// The numbers of a folded text.
pub(crate) fn numbers(folded: &str) -> Vec<Number> {
    let numbers = scan(folded).into_iter();
    numbers.filter_map(|token| if let Token::Num(number) = token { Some(number) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_every_dress() {
        let found = |text: &str| -> Vec<String> {
            numbers(&crate::fold::fold(text)).iter().map(|number| number.value.to_string()).collect()
        };
        assert_eq!(
            found("She has twenty-six apples, 1 1/2 pies and 50 % of $2,640."),
            ["26", "1.5", "0.5", "2640"]
        );
        assert_eq!(found("the 42nd and the forty-second, third"), ["42", "42"]);
        assert_eq!(found("zweiundvierzig Äpfel, 3 Millionen, 3,5 kg"), ["42", "3000000", "3.5"]);
        assert_eq!(found("4-5 and 5-pound bags"), ["4", "5", "5"]);
        assert_eq!(found("half of it, three quarters, one half"), ["0.5", "0.75", "0.5"]);
    }
}
