//! The wall clock, read in one place.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a tool beside the house, with no clock to be given")]
pub(crate) fn micros() -> i64 {
    let span = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// The day in UTC, as `2026-11-20`.
pub(crate) fn today() -> String {
    day(micros().div_euclid(86_400_000_000))
}

/// The civil date of a day since 1970 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn day(days: i64) -> String {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(19_782), "2024-02-29");
        assert_eq!(day(20_777), "2026-11-20");
    }
}
