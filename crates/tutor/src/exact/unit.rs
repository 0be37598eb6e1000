//! Units that learners write behind numbers, and what one is in terms of another. It knows a few of daily life.

use super::rational::Rational;

/// The dimension of a unit and how many of the smallest unit it holds.
pub(crate) fn known(word: &str) -> Option<(&'static str, Rational)> {
    let (dimension, num, den): (&str, i128, i128) = match word {
        "mm" | "millimeter" | "millimeters" | "millimetre" | "millimetres" => ("length", 10, 1),
        "cm" | "centimeter" | "centimeters" | "centimetre" | "centimetres" | "zentimeter" => {
            ("length", 100, 1)
        }
        "m" | "meter" | "meters" | "metre" | "metres" => ("length", 10_000, 1),
        "km" | "kilometer" | "kilometers" | "kilometre" | "kilometres" => ("length", 10_000_000, 1),
        "inch" | "inches" | "zoll" => ("length", 254, 1),
        "ft" | "foot" | "feet" => ("length", 3_048, 1),
        "yd" | "yard" | "yards" => ("length", 9_144, 1),
        "mi" | "mile" | "miles" | "meile" | "meilen" => ("length", 16_093_440, 1),
        "mg" | "milligram" | "milligrams" | "milligramm" => ("mass", 1, 1),
        "g" | "gram" | "grams" | "gramm" => ("mass", 1_000, 1),
        "kg" | "kilogram" | "kilograms" | "kilo" | "kilos" | "kilogramm" => ("mass", 1_000_000, 1),
        "ml" | "milliliter" | "milliliters" | "millilitre" | "millilitres" => ("volume", 1, 1),
        "l" | "liter" | "liters" | "litre" | "litres" => ("volume", 1_000, 1),
        "second" | "seconds" | "sec" | "secs" | "sekunde" | "sekunden" => ("time", 1, 1),
        "minute" | "minutes" | "min" | "mins" | "minuten" => ("time", 60, 1),
        "hour" | "hours" | "hrs" | "stunde" | "stunden" => ("time", 3_600, 1),
        "day" | "days" | "tag" | "tage" => ("time", 86_400, 1),
        "week" | "weeks" | "woche" | "wochen" => ("time", 604_800, 1),
        "cent" | "cents" => ("money", 1, 1),
        "dollar" | "dollars" | "euro" | "euros" => ("money", 100, 1),
        _ => return None,
    };
    Some((dimension, Rational::new(num, den)?))
}

/// Whether two quantities are the same. A missing or unknown unit is taken as the right one.
pub(crate) fn same(a: Rational, a_unit: Option<&str>, b: Rational, b_unit: Option<&str>) -> bool {
    match (a_unit.and_then(known), b_unit.and_then(known)) {
        (Some((one, size)), Some((another, other_size))) => {
            one == another && a.mul(size).is_some_and(|a| b.mul(other_size) == Some(a))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_compared_by_what_they_hold() {
        let r = Rational::whole;
        assert!(same(r(150), Some("cm"), Rational::new(3, 2).unwrap(), Some("m")));
        assert!(!same(r(98), Some("feet"), r(98), Some("inches")));
        assert!(!same(r(98), Some("feet"), r(98), Some("minutes")));
        assert!(same(r(98), Some("feet"), r(98), None) && same(r(98), Some("feet"), r(98), Some("long")));
    }
}
