//! Numbers in words, English and German, up to millions. It reads; `spell.rs` writes.

use super::rational::Rational;

/// A word that is a number by itself, below a hundred.
fn small(word: &str) -> Option<i64> {
    Some(match word {
        "zero" | "null" | "nil" => 0,
        "one" | "ein" | "eins" | "eine" | "einen" | "einem" | "einer" => 1,
        "two" | "zwei" | "zwo" => 2,
        "three" | "drei" => 3,
        "four" | "vier" => 4,
        "five" | "fünf" | "fuenf" => 5,
        "six" | "sechs" => 6,
        "seven" | "sieben" => 7,
        "eight" | "acht" => 8,
        "nine" | "neun" => 9,
        "ten" | "zehn" => 10,
        "eleven" | "elf" => 11,
        "twelve" | "zwölf" | "zwoelf" | "dozen" | "dutzend" => 12,
        "thirteen" | "dreizehn" => 13,
        "fourteen" | "vierzehn" => 14,
        "fifteen" | "fünfzehn" | "fuenfzehn" => 15,
        "sixteen" | "sechzehn" => 16,
        "seventeen" | "siebzehn" => 17,
        "eighteen" | "achtzehn" => 18,
        "nineteen" | "neunzehn" => 19,
        _ => return None,
    })
}

fn tens(word: &str) -> Option<i64> {
    Some(match word {
        "twenty" | "zwanzig" => 20,
        "thirty" | "dreißig" | "dreissig" => 30,
        "forty" | "fourty" | "vierzig" => 40,
        "fifty" | "fünfzig" | "fuenfzig" => 50,
        "sixty" | "sechzig" => 60,
        "seventy" | "siebzig" => 70,
        "eighty" | "achtzig" => 80,
        "ninety" | "neunzig" => 90,
        _ => return None,
    })
}

fn scale(word: &str) -> Option<i64> {
    Some(match word {
        "hundred" | "hundreds" | "hundert" => 100,
        "thousand" | "thousands" | "tausend" => 1_000,
        "million" | "millions" | "millionen" => 1_000_000,
        _ => return None,
    })
}

/// The denominator that a word names.
fn part(word: &str) -> Option<i64> {
    Some(match word {
        "half" | "halves" | "halb" | "halbe" | "halber" | "halbes" | "hälfte" => 2,
        "third" | "thirds" | "drittel" => 3,
        "quarter" | "quarters" | "fourth" | "fourths" | "viertel" => 4,
        "fifth" | "fifths" | "fünftel" => 5,
        "sixth" | "sixths" | "sechstel" => 6,
        "seventh" | "sevenths" | "siebtel" => 7,
        "eighth" | "eighths" | "achtel" => 8,
        "ninth" | "ninths" | "neuntel" => 9,
        "tenth" | "tenths" | "zehntel" => 10,
        "twelfth" | "twelfths" | "zwölftel" => 12,
        "hundredth" | "hundredths" | "hundertstel" => 100,
        _ => return None,
    })
}

/// A German number in one word: `zweitausendsechshundertvierzig`.
fn german(word: &str) -> Option<i64> {
    if word.is_empty() {
        return None;
    }
    if let Some(value) = small(word).or_else(|| tens(word)) {
        return Some(value);
    }
    for (name, size) in [("tausend", 1_000), ("hundert", 100)] {
        if let Some((before, after)) = word.split_once(name) {
            let many = if before.is_empty() { 1 } else { german(before)? };
            let after = after.strip_prefix("und").unwrap_or(after);
            let rest = if after.is_empty() { 0 } else { german(after)? };
            return (many < 1_000 && rest < size).then_some(many * size + rest);
        }
    }
    let (ones, tens_word) = word.split_once("und")?;
    Some(small(ones).filter(|ones| (1..10).contains(ones))? + tens(tens_word)?)
}

/// The number of words at the beginning that together name a number, and which.
/// `words` are folded and without hyphens.
pub(crate) fn read(words: &[&str]) -> Option<(usize, Rational)> {
    let (used, whole) = match cardinal(words) {
        Some(found) => found,
        // "half", "a third": without a cardinal before it.
        None => {
            let first = *words.first()?;
            let (skip, name) = if matches!(first, "a" | "an") { (1, *words.get(1)?) } else { (0, first) };
            if matches!(name, "half" | "hälfte" | "halb") || skip == 1 && part(name).is_some() {
                return Some((skip + 1, Rational::new(1, i128::from(part(name)?))?));
            }
            return None;
        }
    };
    let value = Rational::whole(whole);
    match words.get(used..).unwrap_or_default() {
        // "two and a half"
        ["and", "a" | "one", name, ..] if part(name).is_some() => {
            Some((used + 3, value.add(Rational::new(1, i128::from(part(name)?))?)?))
        }
        ["percent" | "prozent", ..] => Some((used, value)),
        // "three quarters"
        [name, ..] if whole < 100 && part(name).is_some() => {
            Some((used + 1, value.div(Rational::whole(part(name)?))?))
        }
        ["point" | "komma", digits @ ..] => {
            let spoken: Vec<i64> =
                digits.iter().map_while(|word| small(word).filter(|digit| *digit < 10)).collect();
            if spoken.is_empty() {
                return Some((used, value));
            }
            let fraction: String = spoken.iter().map(ToString::to_string).collect();
            Some((used + 1 + spoken.len(), Rational::decimal(&whole.to_string(), &fraction)?))
        }
        _ => Some((used, value)),
    }
}

fn cardinal(words: &[&str]) -> Option<(usize, i64)> {
    let (mut total, mut group, mut used) = (0_i64, 0_i64, 0_usize);
    let mut last = i64::MAX;
    let mut rest = words;
    while let [word, after @ ..] = rest {
        if let Some(size) = scale(word) {
            let article = used == 0;
            if article || group > 0 || total == 0 {
                let many = if group == 0 { 1 } else { group };
                if size == 100 {
                    group = many.checked_mul(100)?;
                } else {
                    total = total.checked_add(many.checked_mul(size)?)?;
                    group = 0;
                }
                last = size;
            } else {
                break;
            }
        } else if let Some(value) = tens(word) {
            if last <= 90 {
                break;
            }
            group += value;
            last = 20;
        } else if let Some(value) = small(word) {
            // "a dozen", "two dozen"
            if matches!(*word, "dozen" | "dutzend") && used > 0 && group > 0 {
                group = group.checked_mul(12)?;
            } else {
                if last <= 19 || last == 20 && !(1..10).contains(&value) {
                    break;
                }
                group += value;
            }
            last = 1;
        } else if *word == "and"
            && used > 0
            && last >= 100
            && after.first().is_some_and(|next| small(next).is_some() || tens(next).is_some())
        {
            // "two hundred and six": joined below.
        } else if *word == "a"
            && used == 0
            && after.first().is_some_and(|next| scale(next).is_some() || *next == "dozen")
        {
            // "a hundred"
        } else if let Some(value) = german(word).filter(|_| used == 0) {
            return Some((1, value));
        } else {
            break;
        }
        used += 1;
        rest = after;
    }
    let named = words.get(..used)?.iter().any(|word| *word != "a" && *word != "and");
    named.then_some((used, total.checked_add(group)?))
}

/// The value of an ordinal: `forty-second`, `42nd`. Below eleven an ordinal names a place and is no number here.
pub(crate) fn ordinal(words: &[&str]) -> Option<i64> {
    let (last, before) = words.split_last()?;
    let ones = match *last {
        "first" => 1,
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "eleventh" => 11,
        "twelfth" => 12,
        other => {
            let stem = other
                .strip_suffix("ieth")
                .map(|stem| format!("{stem}y"))
                .or_else(|| other.strip_suffix("th").map(str::to_owned))?;
            if let Some(value) = tens(&stem) { value } else { small(&stem).or_else(|| scale(&stem))? }
        }
    };
    let high = match before.last().and_then(|word| tens(word)) {
        Some(value) if ones < 10 => value,
        _ => 0,
    };
    Some(high + ones).filter(|value| *value > 10)
}

/// The digit that a word names.
pub(crate) fn digit(word: &str) -> Option<char> {
    if matches!(word, "o" | "oh") {
        return Some('0');
    }
    char::from_digit(u32::try_from(small(word).filter(|value| *value < 10)?).ok()?, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_numbers() {
        let table = [
            ("forty two", 42),
            ("two thousand six hundred and forty", 2_640),
            ("a hundred", 100),
            ("one million two hundred thousand and five", 1_200_005),
            ("zweiundvierzig", 42),
            ("zweitausendsechshundertvierzig", 2_640),
            ("hundertfünf", 105),
            ("nineteen", 19),
            ("two dozen", 24),
            ("seven", 7),
        ];
        for (text, value) in table {
            let words: Vec<&str> = text.split(' ').collect();
            assert_eq!(read(&words), Some((words.len(), Rational::whole(value))), "{text}");
        }
        assert_eq!(read(&["two", "and", "a", "half"]), Some((4, Rational::new(5, 2).unwrap())));
        assert_eq!(read(&["three", "quarters"]), Some((2, Rational::new(3, 4).unwrap())));
        assert_eq!(read(&["one", "half"]), Some((2, Rational::new(1, 2).unwrap())));
        assert_eq!(read(&["three", "point", "one", "four"]), Some((4, Rational::new(157, 50).unwrap())));
        assert_eq!(read(&["undone"]), None);
        assert_eq!(read(&["the"]), None);
        assert_eq!(ordinal(&["forty", "second"]), Some(42));
        assert_eq!(ordinal(&["third"]), None);
        // Two numbers beside each other are two.
        assert_eq!(read(&["four", "two"]), Some((1, Rational::whole(4))));
    }
}
