//! Numbers and units of a text, in one spelling: `1,000`, `1.000` and `1000` are the same, `five` is `5`, `4,90` is
//! `4.9`. It never computes with them.

use std::collections::HashSet;

/// Numbers as words; those that mean something else in another language of the house (`once`, `cent`) are left out.
const WORDS: &[(&str, &str)] = &[
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("eleven", "11"),
    ("twelve", "12"),
    ("fourteen", "14"),
    ("fifteen", "15"),
    ("twenty", "20"),
    ("thirty", "30"),
    ("forty", "40"),
    ("fifty", "50"),
    ("sixty", "60"),
    ("ninety", "90"),
    ("zwei", "2"),
    ("drei", "3"),
    ("vier", "4"),
    ("fünf", "5"),
    ("sechs", "6"),
    ("sieben", "7"),
    ("acht", "8"),
    ("neun", "9"),
    ("zehn", "10"),
    ("elf", "11"),
    ("zwölf", "12"),
    ("vierzehn", "14"),
    ("dreißig", "30"),
    ("dos", "2"),
    ("tres", "3"),
    ("cuatro", "4"),
    ("cinco", "5"),
    ("seis", "6"),
    ("siete", "7"),
    ("ocho", "8"),
    ("nueve", "9"),
    ("diez", "10"),
    ("doce", "12"),
    ("treinta", "30"),
    ("deux", "2"),
    ("trois", "3"),
    ("quatre", "4"),
    ("cinq", "5"),
    ("sept", "7"),
    ("huit", "8"),
    ("neuf", "9"),
    ("dix", "10"),
    ("onze", "11"),
    ("douze", "12"),
    ("quatorze", "14"),
    ("trente", "30"),
];

/// Words of one measure, each row a unit: a sentence that says weeks where the passage says days is wrong.
const UNITS: &[&[&[&str]]] = &[
    &[
        &["second", "seconds", "sekunde", "sekunden", "segundo", "segundos", "seconde", "secondes"],
        &["minute", "minutes", "minuten", "minuto", "minutos"],
        &["hour", "hours", "stunde", "stunden", "hora", "horas", "heure", "heures"],
        &["day", "days", "tag", "tage", "tagen", "día", "días", "jour", "jours"],
        &["week", "weeks", "woche", "wochen", "semana", "semanas", "semaine", "semaines"],
        &["month", "months", "monat", "monate", "monaten", "mes", "meses", "mois"],
        &["year", "years", "jahr", "jahre", "jahren", "año", "años", "an", "ans", "année", "années"],
    ],
    &[
        &["€", "euro", "euros", "eur"],
        &["$", "dollar", "dollars", "usd", "dólar", "dólares"],
        &["£", "pound", "pounds", "gbp"],
        &["chf", "franken", "francs"],
        &["%", "percent", "prozent", "pourcent"],
    ],
    &[&["kg", "kilogram", "kilograms", "kilo", "kilos"], &["g", "gram", "grams", "gramm"], &["lb", "lbs"]],
    &[
        &["km", "kilometer", "kilometers", "kilometre", "kilometres"],
        &["mile", "miles", "meilen"],
        &["cm"],
        &["mm"],
    ],
];

/// The numbers of a text.
pub(super) fn numbers(text: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
        if let Some((_, number)) = WORDS.iter().find(|(name, _)| *name == word) {
            found.insert((*number).to_owned());
        }
    }
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let tail = rest.get(at..).unwrap_or("");
        let mut end = 0;
        let mut chars = tail.char_indices().peekable();
        while let Some((place, c)) = chars.next() {
            let inner = matches!(c, '.' | ',' | '\'' | '’' | '\u{a0}' | '\u{202f}')
                && chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
            if !c.is_ascii_digit() && !inner {
                break;
            }
            end = place + c.len_utf8();
        }
        // The full hour says nothing of its own.
        let minutes = rest.get(..at).is_some_and(|before| before.ends_with(':'));
        let number = plain(tail.get(..end).unwrap_or(""));
        if !(minutes && number == "0") {
            found.insert(number);
        }
        rest = tail.get(end.max(1)..).unwrap_or("");
    }
    found
}

/// One spelling: no marks between thousands, a full stop before decimals, no zeros that say nothing.
fn plain(number: &str) -> String {
    let parts: Vec<&str> = number.split(|c: char| !c.is_ascii_digit()).collect();
    let grouped = |parts: &[&str]| {
        parts.len() > 1
            && parts.iter().skip(1).all(|part| part.len() == 3)
            && parts.first().is_some_and(|first| first.len() <= 3 && *first != "0")
    };
    let (whole, decimals) = match parts.split_last() {
        Some(_) if grouped(&parts) => (parts.concat(), ""),
        Some((last, before)) if before.len() == 1 || grouped(before) => (before.concat(), *last),
        _ => (parts.concat(), ""),
    };
    let whole = whole.trim_start_matches('0');
    let decimals = decimals.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if decimals.is_empty() { whole.to_owned() } else { format!("{whole}.{decimals}") }
}

/// Whether the sentence names a unit where the passage names another one of the same measure instead.
pub(super) fn other_unit(sentence: &str, quote: &str) -> bool {
    if numbers(sentence).is_empty() {
        return false;
    }
    let (said, known) = (units(sentence), units(quote));
    said.iter().any(|(measure, unit)| {
        !known.contains(&(*measure, *unit)) && known.iter().any(|(other, _)| other == measure)
    })
}

fn units(text: &str) -> HashSet<(usize, usize)> {
    let lower = text.to_lowercase();
    let mut found = HashSet::new();
    let words = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let marks = ["€", "$", "£", "%"].into_iter().filter(|mark| lower.contains(mark));
    for word in words.chain(marks) {
        for (measure, rows) in UNITS.iter().enumerate() {
            if let Some(unit) = rows.iter().position(|row| row.contains(&word)) {
                found.insert((measure, unit));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut found: Vec<String> = numbers(text).into_iter().collect();
        found.sort();
        found
    }

    #[test]
    fn numbers_have_one_spelling() {
        assert_eq!(all("1,000 and 1.000 and 1000 and 1 000"), ["0", "1", "1000"]);
        assert_eq!(all("4,90 € is 4.9"), ["4.9"]);
        assert_eq!(all("1.234,50"), ["1234.5"]);
        assert_eq!(all("fünf Tage, five days, 05"), ["5"]);
        assert_eq!(all("open 9:00 to 18:30"), ["18", "30", "9"]);
        assert_eq!(all("2024-05-01"), ["1", "2024", "5"]);
        assert_eq!(all("no number"), Vec::<String>::new());
        assert_eq!(all("0.5 and 007"), ["0.5", "7"]);
    }

    #[test]
    fn units_of_one_measure_differ() {
        assert!(other_unit("within 30 weeks", "within 30 days"));
        assert!(!other_unit("within 30 days", "30 Tage"));
        assert!(other_unit("5 $", "5 €"));
        assert!(!other_unit("some weeks", "30 days"), "without a number nothing is counted");
    }
}
