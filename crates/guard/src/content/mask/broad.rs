//! The broad mask: names of people, places and organisations, addresses, dates and ages too, for texts that leave the
//! hands of those who wrote them. It works by how words are written and by the words around them, in languages of the
//! Latin, Greek and Cyrillic alphabets that write names with a capital; it knows no names. So it takes out too much
//! rather than too little, what kind of name it was is not told, and names written small are not seen. It needs the
//! whole text, so there is no form of it for streams; logs go through [`Masker::standard`].

use super::token::{Form, Token, tokens};
use super::words::Meaning;
use super::{Found, Masker, PiiKind};
use std::borrow::Cow;

/// The text with everything taken out that [`find_broadly`] finds.
pub fn mask_broadly(text: &str) -> Cow<'_, str> {
    let finds = find_broadly(text);
    if finds.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for found in finds {
        masked.push_str(text.get(copied..found.range.start).unwrap_or_default());
        masked.push_str(found.kind.mask());
        copied = found.range.end;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Every find of [`Masker::everything`], and names, addresses, dates and ages. In the order of the text; none overlap.
pub fn find_broadly(text: &str) -> Vec<Found> {
    let mut finds = Masker::everything().find(text);
    let tokens = tokens(text, &finds);
    let sure = finds.len();
    let mut reader = Reader { text, tokens: &tokens, finds: &mut finds };
    let mut at = 0;
    while at < tokens.len() {
        at = reader.step(at).max(at + 1);
    }
    if finds.len() > sure {
        finds.sort_by_key(|found| found.range.start);
    }
    finds
}

/// What words for roads end with, in languages that write them as one word with the name.
const ROADS: &[&str] = &[
    "straße", "strasse", "gasse", "weg", "allee", "platz", "damm", "ufer", "straat", "laan", "plein",
    "gracht", "gade", "vej", "vegen", "veien", "gata", "gatan", "vägen", "katu", "tie", "utca",
];

struct Reader<'r> {
    text: &'r str,
    tokens: &'r [Token],
    finds: &'r mut Vec<Found>,
}

impl Reader<'_> {
    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    fn word(&self, at: usize) -> &str {
        self.token(at).and_then(|token| self.text.get(token.range.clone())).unwrap_or_default()
    }

    fn is(&self, at: usize, meaning: Meaning) -> bool {
        self.token(at).is_some_and(|token| token.meaning == meaning)
    }

    fn number(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| token.form == Form::Number)
    }

    fn take(&mut self, kind: PiiKind, from: usize, to: usize) {
        let (Some(first), Some(last)) = (self.token(from), self.token(to)) else { return };
        let range = first.range.start..last.range.end;
        self.finds.push(Found { kind, range });
    }

    /// Looks at the token and tells where to go on.
    fn step(&mut self, at: usize) -> usize {
        if let Some(last) = self.date(at) {
            self.take(PiiKind::Date, at, last);
            return last + 1;
        }
        if self.number(at) && self.age(at) {
            self.take(PiiKind::Age, at, at);
            return at + 1;
        }
        if let Some(last) = self.address(at) {
            self.take(PiiKind::Address, at, last);
            return last + 1;
        }
        if self.coded(at) {
            self.take(PiiKind::Address, at, at);
            return at + 1;
        }
        if self.is(at, Meaning::Title) && self.token(at).is_some_and(|token| token.form == Form::Capital) {
            self.take(PiiKind::Name, at, at);
            // The dot belongs to the title.
            if let Some(found) = self.finds.last_mut()
                && self.text.get(found.range.end..).is_some_and(|rest| rest.starts_with('.'))
            {
                found.range.end += 1;
            }
            return at + 1;
        }
        if let Some(last) = self.name(at) {
            self.take(PiiKind::Name, at, last);
            return last + 1;
        }
        at + 1
    }

    /// A date that begins here: where it ends.
    fn date(&self, at: usize) -> Option<usize> {
        let joined = |at: usize| self.token(at).is_some_and(|token| token.joined);
        let capital = |at: usize| self.token(at).is_some_and(|token| token.form != Form::Small);
        if self.is(at, Meaning::Weekday) && capital(at) {
            return Some(at);
        }
        if self.is(at, Meaning::Month) && capital(at) {
            // `May 5, 2020`; `May` alone is a word or a name.
            let mut last = at;
            while last < at + 2 && joined(last + 1) && self.calendar(last + 1) {
                last += 1;
            }
            return (last > at || self.word(at) != "May" && self.word(at) != "March").then_some(last);
        }
        if !self.number(at) {
            return None;
        }
        if let Some(end) = self.slashed(at) {
            let within = |next: &usize| self.token(*next).is_some_and(|token| token.range.end <= end);
            return (at..).take_while(within).last();
        }
        if self.year(at) {
            return Some(at);
        }
        // `5 May 2020`, `the 5th of May`.
        let month = if self.word(at + 1) == "of" { at + 2 } else { at + 1 };
        if self.calendar(at) && self.is(month, Meaning::Month) && joined(at + 1) && capital(month) {
            return Some(if self.calendar(month + 1) && joined(month + 1) { month + 1 } else { month });
        }
        None
    }

    /// A day or a year.
    fn calendar(&self, at: usize) -> bool {
        let digits = self.word(at).trim_end_matches(|c: char| c.is_ascii_lowercase());
        self.number(at) && digits.parse::<u16>().is_ok_and(|n| n <= 31 || (1800..2100).contains(&n))
    }

    /// A year by its own: four digits, `1990s`, behind a word that leads to one.
    fn year(&self, at: usize) -> bool {
        let digits = self.word(at).trim_end_matches('s');
        let led = at.checked_sub(1).is_some_and(|before| {
            matches!(
                self.word(before),
                "in" | "In"
                    | "since"
                    | "Since"
                    | "of"
                    | "from"
                    | "until"
                    | "year"
                    | "by"
                    | "before"
                    | "after"
                    | "during"
                    | "early"
                    | "late"
                    | "the"
                    | "to"
            )
        });
        led && digits.len() == 4 && digits.parse::<u16>().is_ok_and(|year| (1800..2100).contains(&year))
    }

    /// `11/21/2026`, `2026-11-21`, `21.11.2026`, as it stands in the text: where it ends.
    fn slashed(&self, at: usize) -> Option<usize> {
        let start = self.token(at)?.range.start;
        let rest = self.text.get(start..)?;
        // No date is longer.
        let digit = |c: &char| c.is_ascii_digit() || matches!(c, '/' | '.' | '-');
        let length = rest.chars().take(12).take_while(digit).count();
        let whole = rest.get(..length)?.trim_end_matches(['.', '-', '/']);
        let parts: Vec<u16> = whole.split(['/', '.', '-']).map_while(|part| part.parse().ok()).collect();
        let small = parts.iter().filter(|n| **n <= 31).count();
        let dated = parts.len() == 3
            && whole.split(['/', '.', '-']).count() == 3
            && small >= 2
            && parts.iter().all(|n| *n <= 99 || (1900..2100).contains(n));
        dated.then_some(start + whole.len())
    }

    /// A number of years that somebody has lived.
    fn age(&self, at: usize) -> bool {
        let word = self.word(at);
        let (digits, tail) = word.split_at(word.bytes().take_while(u8::is_ascii_digit).count());
        if !(1..=3).contains(&digits.len()) || digits.parse::<u16>().is_ok_and(|age| age > 120) {
            return false;
        }
        if matches!(tail, "-year-old" | "-years-old" | "yo") {
            return true;
        }
        if !tail.is_empty() {
            return false;
        }
        let behind = (self.word(at + 1), self.word(at + 2));
        let old = matches!(
            behind,
            ("years", "old" | "of")
                | ("year", "old")
                | ("y", "o")
                | ("yrs", "old")
                | ("year-old" | "years-old", _)
        );
        let before = (
            at.checked_sub(2).map_or("", |two| self.word(two)),
            at.checked_sub(1).map_or("", |one| self.word(one)),
        );
        old || matches!(
            before,
            ("age", "of" | "is") | (_, "aged" | "age" | "Age" | "Aged" | "turn" | "turned" | "turning")
        )
    }

    /// Letters and digits behind a word that says that they name a place or a licence.
    fn coded(&self, at: usize) -> bool {
        let led = |back: usize| at.checked_sub(back).is_some_and(|before| self.is(before, Meaning::Code));
        let digits = self.word(at).bytes().filter(u8::is_ascii_digit).count();
        digits >= 4 && self.token(at).is_some_and(|token| token.form != Form::Taken) && (1..=3).any(led)
    }

    /// An address that begins here: a unit (`Apt. 5`, `P.O. Box 9`), or a number and a name that touch each other.
    /// Where it ends.
    fn address(&self, at: usize) -> Option<usize> {
        let unit = |at: usize| self.is(at, Meaning::Unit) && self.number(at + 1);
        let named =
            |at: usize| self.token(at).is_some_and(|token| matches!(token.form, Form::Capital | Form::Shout));
        let post_box = self.word(at) == "P" && self.word(at + 1) == "O" && self.word(at + 2) == "Box";
        let begins = unit(at)
            || post_box
            || (self.number(at)
                && self.house(at)
                && (unit(at + 1) || self.street(at + 1) || self.doubled(at)))
            || (named(at) && !self.is(at, Meaning::Common) && self.street(at) && self.ends_in_number(at));
        if !begins {
            return None;
        }
        let (mut last, mut end) = (at, at);
        loop {
            let next = end + 1;
            let Some(token) = self.token(next) else { break };
            let belongs = token.joined
                && match token.form {
                    Form::Number => self.house(next),
                    Form::Capital | Form::Shout | Form::Initial => {
                        token.meaning != Meaning::Common || self.is(next, Meaning::Unit)
                    }
                    Form::Small => token.meaning == Meaning::Particle || self.is(next, Meaning::Road),
                    Form::Taken => false,
                };
            if !belongs {
                break;
            }
            end = next;
            if self
                .token(next)
                .is_some_and(|token| token.form != Form::Small || token.meaning == Meaning::Road)
            {
                last = next;
            }
        }
        (last > at).then_some(last)
    }

    /// Two numbers in front of a street: `19 1755 Nelson Mandela Drive`.
    fn doubled(&self, at: usize) -> bool {
        let next = at + 1;
        let joined = self.token(next).is_some_and(|token| token.joined && !token.apart);
        joined && self.number(next) && self.house(next) && self.street(next + 1)
    }

    /// A word for a road, or one that ends with it: `Ziegelgasse`.
    fn road(&self, at: usize) -> bool {
        self.is(at, Meaning::Road) || {
            let word = self.word(at).to_lowercase();
            ROADS.iter().any(|road| word.len() > road.len() + 2 && word.ends_with(road))
        }
    }

    /// The number of a house or an area.
    fn house(&self, at: usize) -> bool {
        let word = self.word(at);
        word.bytes().filter(u8::is_ascii_digit).count() <= 6 && word.len() <= 8
    }

    /// A name of a street: capitals that go to a word for a road, or to a number.
    fn street(&self, at: usize) -> bool {
        let run = (at..at + 6).take_while(|next| {
            self.token(*next).is_some_and(|token| {
                (*next == at || token.joined && !token.apart)
                    && (matches!(token.form, Form::Capital | Form::Shout | Form::Initial)
                        && token.meaning != Meaning::Common
                        || matches!(token.meaning, Meaning::Particle | Meaning::Road)
                        || *next > at && token.form == Form::Small && self.number(next + 1))
            })
        });
        let mut last = None;
        let mut road = false;
        for next in run {
            road |= self.road(next);
            last = Some(next);
        }
        last.is_some_and(|last| {
            road || self.number(last + 1) && self.house(last + 1) || self.is(last + 1, Meaning::Unit)
        }) && self.token(at).is_some_and(|token| token.joined)
    }

    fn ends_in_number(&self, at: usize) -> bool {
        let word = |at: usize| {
            self.token(at).is_some_and(|token| token.form == Form::Capital && token.joined && !token.apart)
        };
        let mut next = at + 1;
        let mut road = self.road(at);
        while word(next) {
            road |= self.road(next);
            next += 1;
        }
        road && self.number(next)
            && self.house(next)
            && self.token(next).is_some_and(|token| token.joined && !token.apart)
    }

    /// A name that begins here: where it ends.
    fn name(&self, at: usize) -> Option<usize> {
        if !self.begins_name(at) {
            return None;
        }
        let mut last = at;
        loop {
            let next = last + 1;
            let Some(token) = self.token(next) else { break };
            if !token.joined || token.apart {
                break;
            }
            if matches!(token.form, Form::Capital | Form::Shout | Form::Initial) && self.goes_on(next) {
                last = next;
                continue;
            }
            // `van der Berg`, `Torroella de Montgrí`, `Banc of Sabadell`: small words between capitals.
            let small = |at: usize| {
                self.is(at, Meaning::Particle)
                    && self.token(at).is_some_and(|token| token.joined && !token.apart)
            };
            let bridge = (1..=2).find(|count| {
                (next..next + count).all(small)
                    && self
                        .token(next + count)
                        .is_some_and(|token| token.form == Form::Capital && token.joined && !token.apart)
            });
            match bridge {
                Some(count) => last = next + count,
                None => break,
            }
        }
        // A code of the post behind the name of a place.
        let code = self.token(last + 1).is_some_and(|token| token.joined && !token.apart);
        let digits = self.word(last + 1);
        if code
            && (4..=6).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !self.year(last + 1)
        {
            return Some(last + 1);
        }
        let alone = last == at;
        let token = self.token(at)?;
        if alone && token.form == Form::Initial {
            return None;
        }
        // Capitals alone are more often an abbreviation.
        if alone && token.form == Form::Shout && token.range.len() < 5 {
            return None;
        }
        // A word before a colon is a label.
        if alone && self.text.get(token.range.end..).is_some_and(|rest| rest.starts_with(':')) {
            return None;
        }
        Some(last)
    }

    fn begins_name(&self, at: usize) -> bool {
        let Some(token) = self.token(at) else { return false };
        match token.form {
            Form::Capital | Form::Shout | Form::Initial => {}
            Form::Small | Form::Number | Form::Taken => return false,
        }
        match token.meaning {
            Meaning::Common => false,
            Meaning::Particle => !english(self.word(at)) && self.capital_behind(at),
            // At the beginning of a sentence every word has a capital: there, one that ends like an ordinary word is.
            _ if token.first && token.form == Form::Capital => {
                !ordinary(self.word(at)) || self.capital_behind(at)
            }
            _ => true,
        }
    }

    fn capital_behind(&self, at: usize) -> bool {
        self.token(at + 1).is_some_and(|token| {
            token.form == Form::Capital && token.joined && !token.apart && token.meaning != Meaning::Common
        })
    }

    fn goes_on(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| {
            let small = token.meaning == Meaning::Particle && english(self.word(at));
            !token.first && !small
        })
    }
}

/// A small word of English: with a capital it begins a sentence, not a name.
fn english(word: &str) -> bool {
    ["of", "do", "as", "den", "pod", "pri", "die", "des"].iter().any(|small| word.eq_ignore_ascii_case(small))
}

/// Whether a word of English ends like a word that is no name.
fn ordinary(word: &str) -> bool {
    ["ing", "ed", "ly", "tion", "ness", "ment", "able", "ous", "ful", "ive", "ity", "ally"]
        .iter()
        .any(|ending| word.len() > ending.len() + 2 && word.ends_with(ending))
}
