//! Numbers as people write them: groups of digits with separators, and what such a number can be.
//! It reads the groups once; cards, social security numbers and telephones are told apart by their own files.

use super::scan::Hit;
use super::view::{View, is_digit, is_word};
use super::{card, phone, ssn};

/// Most groups that one number has.
const MOST_GROUPS: usize = 8;
/// Most digits that one number has: 19 of a card, and room to see that a number is longer.
const MOST_DIGITS: usize = 24;

/// What stands between two groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Separator {
    /// The first group.
    #[default]
    None,
    /// A space.
    Space,
    /// `-`
    Hyphen,
    /// `.`
    Dot,
    /// `/`
    Slash,
    /// A bracket, with or without a space.
    Bracket,
}

/// A run of digits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    /// What stands before it.
    pub(super) before: Separator,
    /// How many digits.
    pub(super) count: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// Groups of digits that may be one number.
pub(super) struct Number {
    /// Where it begins, sign and bracket included.
    pub(super) start: usize,
    /// `+` stands before it.
    pub(super) plus: bool,
    /// A bracket opens before the first group.
    pub(super) bracket: bool,
    groups: [Group; MOST_GROUPS],
    count: usize,
    digits: [u8; MOST_DIGITS],
}

impl Number {
    /// The first `count` groups.
    pub(super) fn groups(&self, count: usize) -> &[Group] {
        self.groups.get(..count.min(self.count)).unwrap_or(&[])
    }

    /// The digits (as ASCII) of the first `count` groups.
    pub(super) fn digits(&self, count: usize) -> &[u8] {
        let total = self.groups(count).iter().map(|group| group.count).sum::<usize>();
        self.digits.get(..total).unwrap_or(&[])
    }

    /// Where the first `count` groups end.
    pub(super) fn end(&self, count: usize) -> usize {
        self.groups(count).last().map_or(self.start, |group| group.end)
    }

    /// Whether all separators within the first `count` groups are the same, and which it is.
    pub(super) fn uniform(&self, count: usize) -> Option<Separator> {
        let groups = self.groups(count);
        let separator = groups.get(1).map_or(Separator::None, |group| group.before);
        groups.iter().skip(1).all(|group| group.before == separator).then_some(separator)
    }

    /// Whether the number may end after `count` groups: at its end, or where a space follows.
    fn may_end(&self, count: usize) -> bool {
        match self.groups.get(count) {
            Some(next) if count < self.count => next.before == Separator::Space,
            _ => true,
        }
    }
}

/// A card, social security number or telephone number that begins at `at`: a digit, `+` or `(`.
pub(super) fn find(view: &View<'_>, at: usize) -> Option<Hit> {
    let joined =
        matches!(view.behind(at, 1), b'.' | b'-' | b':' | b'/' | b'+') && is_word(view.behind(at, 2));
    if joined && is_digit(view.behind(at, 2)) {
        return None;
    }
    let number = read(view, at)?;
    if number.digits(MOST_GROUPS).len() < 7 {
        return None;
    }
    let ends = |count: &usize| number.may_end(*count);
    let counts = || (1..=number.count).rev().filter(ends);
    let hit = counts()
        .find_map(|count| card::check(view, &number, count))
        .or_else(|| counts().find_map(|count| ssn::check(view, &number, count)))
        .or_else(|| counts().find_map(|count| phone::check(view, &number, count)))?;
    Some(Hit { number: stands_for_json_number(view, &number, hit), ..hit })
}

/// Reads sign, bracket and groups; `None` when no digit comes.
fn read(view: &View<'_>, at: usize) -> Option<Number> {
    let mut number = Number {
        start: at,
        plus: false,
        bracket: false,
        groups: [Group::default(); MOST_GROUPS],
        count: 0,
        digits: [0; MOST_DIGITS],
    };
    let mut next = at;
    if view.at(next) == b'+' {
        number.plus = true;
        next += 1;
    }
    if view.at(next) == b'(' {
        number.bracket = true;
        next += 1;
        // `(+44) 20 …`
        if !number.plus && view.at(next) == b'+' {
            number.plus = true;
            next += 1;
        }
    }
    let mut before = Separator::None;
    let mut total = 0;
    while number.count < MOST_GROUPS {
        let end = view.run(next, MOST_DIGITS + 1 - total, is_digit);
        let follows = view.at(end);
        let extension = matches!(follows, b'x' | b'X') && is_digit(view.at(end + 1));
        if end == next || (is_word(follows) && !extension) {
            break;
        }
        for digit in view.slice(next, end) {
            *number.digits.get_mut(total)? = *digit;
            total += 1;
        }
        *number.groups.get_mut(number.count)? = Group { before, count: end - next, end };
        number.count += 1;
        let Some((separator, start)) = separator(view, end) else { break };
        before = separator;
        next = start;
    }
    (number.count > 0).then_some(number)
}

/// What stands between the group that ends at `end` and the next digit, and where that digit is.
fn separator(view: &View<'_>, end: usize) -> Option<(Separator, usize)> {
    let (separator, next) = match view.at(end) {
        b' ' => match view.at(end + 1) {
            b'(' => (Separator::Bracket, end + 2),
            _ => (Separator::Space, end + 1),
        },
        b'-' => (Separator::Hyphen, end + 1),
        b'.' => (Separator::Dot, end + 1),
        b'/' => (Separator::Slash, end + 1),
        b')' => match view.at(end + 1) {
            b' ' | b'-' | b'.' => (Separator::Bracket, end + 2),
            _ => (Separator::Bracket, end + 1),
        },
        b'(' => (Separator::Bracket, end + 1),
        // A space that does not break: C2 A0.
        0xc2 if view.at(end + 1) == 0xa0 => (Separator::Space, end + 2),
        _ => return None,
    };
    is_digit(view.at(next)).then_some((separator, next))
}

/// Whether the number stands bare where a JSON document has a value: after `"name":` or `[`, before `,`, `}` or `]`.
fn stands_for_json_number(view: &View<'_>, number: &Number, hit: Hit) -> bool {
    if number.plus || number.bracket || hit.end - hit.start != number.digits(1).len() {
        return false;
    }
    let after = view.at(hit.end + usize::from(view.at(hit.end) == b' '));
    if !matches!(after, b',' | b'}' | b']') {
        return false;
    }
    let before = view.before(hit.start, 4).trim_ascii_end();
    matches!(before, [.., b'"', b':'] | [.., b'[' | b','])
}
