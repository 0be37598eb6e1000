//! What kind of answer a question wants, told by its first words in four languages: a person, a time, a place, a
//! number. It never looks at what the question is about.

use crate::language::Language;

/// The kind of answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A name that the question does not hold: these are the words it holds.
    Who(Vec<String>),
    /// A year, a date, a day, a span of time that the question does not hold.
    When(Vec<String>),
    /// A name after a word of place.
    Where(Vec<String>),
    /// A number that the question does not hold.
    HowMany(Vec<String>),
    /// Anything.
    Other,
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "januar",
    "februar",
    "märz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "janvier",
    "février",
    "mars",
    "avril",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "days",
    "day",
    "weeks",
    "week",
    "months",
    "hours",
    "hour",
    "minutes",
    "years",
    "century",
    "tage",
    "tagen",
    "wochen",
    "stunden",
    "monate",
    "jahre",
    "jahrhundert",
    "días",
    "semanas",
    "meses",
    "horas",
    "años",
    "siglo",
    "jours",
    "semaines",
    "mois",
    "heures",
    "ans",
    "siècle",
];

const NUMBERS: &[&str] = &[
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "twenty",
    "hundred",
    "thousand",
    "million",
    "billion",
    "half",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
    "hundert",
    "tausend",
    "millionen",
    "milliarden",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "cien",
    "mil",
    "millones",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "sept",
    "huit",
    "neuf",
    "dix",
    "cent",
    "mille",
    "millions",
];

impl Kind {
    /// The kind that a question asks for.
    pub(crate) fn of(question: &str, language: Language) -> Kind {
        let lower = question.to_lowercase();
        let words: Vec<&str> =
            lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let has = |word: &str| words.contains(&word);
        let pair = |one: &str, two: &[&str]| {
            words.windows(2).any(|pair| matches!(pair, [a, b] if *a == one && two.contains(b)))
        };
        let held = || words.iter().map(|word| (*word).to_owned()).collect();
        let (who, when, place, many) = match language {
            Language::English => (
                has("who") || has("whose") || has("whom"),
                has("when")
                    || pair("what", &["year", "date", "day", "time", "month", "century"])
                    || pair("which", &["year", "day", "month"])
                    || pair("how", &["long"]),
                has("where")
                    || pair("what", &["city", "country", "state"])
                    || pair("which", &["city", "country"]),
                pair(
                    "how",
                    &["many", "much", "far", "large", "big", "high", "tall", "old", "often", "deep", "wide"],
                ) || has("percentage")
                    || pair("what", &["percent", "number"]),
            ),
            Language::German => (
                has("wer") || has("wem") || has("wen") || has("wessen"),
                has("wann")
                    || pair("welchem", &["jahr", "tag", "datum", "monat", "jahrhundert"])
                    || pair("welches", &["jahr", "datum"])
                    || pair("wie", &["lange"]),
                has("wo") || has("wohin") || has("woher"),
                pair("wie", &["viel", "viele", "vielen", "hoch", "groß", "weit", "oft", "alt", "lang"])
                    || has("wieviel")
                    || has("wieviele")
                    || has("prozent"),
            ),
            Language::Spanish => (
                has("quién") || has("quiénes") || has("quien"),
                has("cuándo") || pair("qué", &["año", "día", "fecha", "mes", "siglo"]),
                has("dónde") || has("adónde"),
                has("cuánto") || has("cuántos") || has("cuánta") || has("cuántas") || has("porcentaje"),
            ),
            Language::French => (
                has("qui") && words.first().is_some_and(|word| *word == "qui" || *word == "à"),
                has("quand")
                    || pair("quelle", &["année", "date", "heure"])
                    || pair("quel", &["jour", "mois", "siècle"]),
                has("où"),
                has("combien") || has("pourcentage"),
            ),
        };
        match (when, many, who, place) {
            (true, ..) => Kind::When(held()),
            (_, true, ..) => Kind::HowMany(held()),
            (_, _, true, _) => Kind::Who(held()),
            (.., true) => Kind::Where(held()),
            _ => Kind::Other,
        }
    }

    /// Whether a sentence may hold such an answer.
    pub(crate) fn fits(&self, sentence: &str) -> bool {
        let lower = || sentence.to_lowercase();
        let among = |list: &[&str], asked: &[String]| {
            lower()
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| list.contains(&word) && !asked.iter().any(|other| other == word))
        };
        let number = |asked: &[String]| {
            sentence.split(|c: char| !c.is_alphanumeric()).any(|word| {
                word.starts_with(|c: char| c.is_ascii_digit()) && !asked.iter().any(|other| other == word)
            })
        };
        match self {
            Kind::Other => false,
            Kind::When(asked) => number(asked) || among(MONTHS, asked),
            Kind::HowMany(asked) => number(asked) || among(NUMBERS, asked),
            Kind::Who(asked) | Kind::Where(asked) => {
                // A capital letter inside the sentence, in a word that the question does not hold.
                sentence.split_whitespace().skip(1).any(|word| {
                    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
                    bare.starts_with(char::is_uppercase) && !asked.contains(&bare.to_lowercase())
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_tell_the_kind() {
        let of = |question: &str| Kind::of(question, Language::of(question));
        assert!(matches!(of("When was it founded?"), Kind::When(_)));
        assert!(matches!(of("Wie viele Tage habe ich?"), Kind::HowMany(_)));
        assert!(matches!(of("¿Cuánto cuesta el envío?"), Kind::HowMany(_)));
        assert!(matches!(of("Who pays for the return?"), Kind::Who(_)));
        assert!(matches!(of("Où se trouve la boutique ?"), Kind::Where(_)));
        assert_eq!(of("Why is it late?"), Kind::Other);
    }

    #[test]
    fn kinds_fit_sentences() {
        let when = Kind::of("When did it open?", Language::English);
        assert!(when.fits("It opened on a Monday."));
        assert!(!when.fits("It opened late."));
        let many = Kind::of("How many of 3?", Language::English);
        assert!(many.fits("It takes two weeks."));
        assert!(!many.fits("All 3 are gone."));
        let who = Kind::of("Who leads Acme?", Language::English);
        assert!(who.fits("The head of Acme is Ann Miller."));
        assert!(!who.fits("The head of Acme is new."));
    }
}
