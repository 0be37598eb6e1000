//! Limits as people write them: `10 per minute`, `100/hour`, `10/2 minutes; 100 per day`. It reads; it never counts.

use std::fmt;
use std::time::Duration;

use super::config::Rule;

/// More limits than this in one setting are a mistake.
const MOST: usize = 10;

/// A text that is no list of limits. Shown to the operator; the text itself is not repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoLimit {
    /// Which part of the list is wrong, counted from 1.
    pub part: usize,
}

impl std::error::Error for NoLimit {}

impl fmt::Display for NoLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "part {} is no limit; write `10 per minute`, `100/hour`, or several as `10 per minute; 100 per 2 hours`",
            self.part
        )
    }
}

/// Reads limits separated by `;` or `,`. Each is a number, `per` or `/`, and a span: an optional number and
/// second, minute, hour or day, in singular or plural. There is at least one; numbers are at least 1; no span is
/// longer than 366 days.
pub fn parse(text: &str) -> Result<Vec<Rule>, NoLimit> {
    let mut rules = Vec::new();
    for (index, part) in text.split([';', ',']).enumerate() {
        let wrong = NoLimit { part: index + 1 };
        rules.push(rule(part).filter(|_| index < MOST).ok_or(wrong)?);
    }
    Ok(rules)
}

fn rule(text: &str) -> Option<Rule> {
    let text = text.trim().to_ascii_lowercase();
    let after_limit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let limit = number(text.strip_suffix(after_limit)?)?;
    let rest = after_limit.trim_start();
    let span = match rest.strip_prefix('/') {
        Some(span) => span.trim_start(),
        // `10perminute` is no limit: words need room.
        None => rest
            .strip_prefix("per")
            .filter(|_| rest.len() < after_limit.len())?
            .strip_prefix(' ')?
            .trim_start(),
    };
    let unit = span.trim_start_matches(|c: char| c.is_ascii_digit());
    let many = match span.strip_suffix(unit)? {
        "" => 1,
        digits => number(digits)?,
    };
    let seconds = match unit.trim_start() {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    let window = u64::from(many) * seconds;
    (window <= 366 * 86_400).then(|| Rule { limit, window: Duration::from_secs(window) })
}

fn number(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|number| (1..u32::MAX).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        for (text, rules) in [
            ("10 per minute", &[(10, 60)][..]),
            ("5 per second", &[(5, 1)]),
            ("100/hour", &[(100, 3600)]),
            ("100 / hour", &[(100, 3600)]),
            ("10/2 minutes", &[(10, 120)]),
            ("10 per 2 minutes", &[(10, 120)]),
            ("10 per 1 Minute", &[(10, 60)]),
            (" 10 PER minutes ; 100 per day ", &[(10, 60), (100, 86400)]),
            ("10/minute,100/hour;1000/day", &[(10, 60), (100, 3600), (1000, 86400)]),
            ("1/366 days", &[(1, 366 * 86400)]),
        ] {
            let read: Vec<_> = parse(text).unwrap().iter().map(|r| (r.limit, r.window.as_secs())).collect();
            assert_eq!(read, rules, "{text}");
        }
    }

    #[test]
    fn junk_is_named_by_its_place() {
        for (text, part) in [
            ("", 1),
            (" ", 1),
            ("10", 1),
            ("per minute", 1),
            ("10 per", 1),
            ("10 per fortnight", 1),
            ("10perminute", 1),
            ("10 perminute", 1),
            ("ten per minute", 1),
            ("-1 per minute", 1),
            ("+1 per minute", 1),
            ("0 per minute", 1),
            ("1.5 per minute", 1),
            ("10/0 minutes", 1),
            ("10/minute/hour", 1),
            ("10 per minute extra", 1),
            ("4294967296 per minute", 1),
            ("1/367 days", 1),
            ("1/99999999999 days", 1),
            ("10 per minute;", 2),
            ("10 per minute;;5 per hour", 2),
            ("10 per minute, x", 2),
            ("１０ per minute", 1),
            ("10 per minute\0", 1),
        ] {
            assert_eq!(parse(text), Err(NoLimit { part }), "{text:?}");
        }
        assert!(parse(&"1/day;".repeat(1000)).is_err());
        assert!(NoLimit { part: 1 }.to_string().contains("`10 per minute`"));
    }
}
