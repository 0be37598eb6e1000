//! When a backup is due: five fields as cron reads them (minute, hour, day of the month, month, day of the week), in
//! UTC. As in cron, a day fits when it fits either field that is restricted. It never reads a clock.

use std::fmt;
use std::time::Duration;

use kernel::Time;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// A schedule that fits no day in this many will never fit one: the 30th of February.
const FARTHEST_DAYS: i64 = 366 * 9;

/// A schedule.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the fields of days are restricted.
    restricted: (bool, bool),
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({})", self.text)
    }
}

fn field(text: &str, least: u32, most: u32) -> Option<u64> {
    let mut bits = 0_u64;
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step: u32 = step.map_or(Some(1), |step| step.parse().ok().filter(|step| *step > 0))?;
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (least, most),
            (_, Some((from, to))) => (from.parse().ok()?, to.parse().ok()?),
            (one, None) => {
                let one: u32 = one.parse().ok()?;
                // `5/10` means from the fifth on, as in most crons.
                (one, if part.contains('/') { most } else { one })
            }
        };
        if from < least || to > most || from > to {
            return None;
        }
        for value in (from..=to).step_by(usize::try_from(step).ok()?) {
            bits |= 1 << value;
        }
    }
    Some(bits)
}

impl Schedule {
    /// Reads five fields; `None` when they are no schedule.
    pub fn parse(text: &str) -> Option<Schedule> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
        let weekdays = field(weekday, 0, 7)?;
        Some(Schedule {
            text: fields.join(" "),
            minutes: field(minute, 0, 59)?,
            hours: field(hour, 0, 23)?,
            days: field(day, 1, 31)?,
            months: field(month, 1, 12)?,
            // Sunday is 0 and 7.
            weekdays: (weekdays | (weekdays >> 7)) & 0x7f,
            restricted: (!day.starts_with('*'), !weekday.starts_with('*')),
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn fits_day(&self, days_since_epoch: i64) -> bool {
        let (_, month, day) = civil(days_since_epoch);
        // 1970-01-01 was a Thursday.
        let weekday = (days_since_epoch + 4).rem_euclid(7);
        let in_days = self.days & (1 << day) != 0;
        let in_weekdays = self.weekdays & (1 << weekday) != 0;
        let fits = match self.restricted {
            (true, true) => in_days || in_weekdays,
            _ => in_days && in_weekdays,
        };
        fits && self.months & (1 << month) != 0
    }

    fn fits_minute(&self, minute: i64) -> bool {
        self.hours & (1 << (minute / 60)) != 0 && self.minutes & (1 << (minute % 60)) != 0
    }

    /// The last moment at or before `now` at which a backup was due.
    pub fn last(&self, now: Time) -> Option<Time> {
        let minutes = now.seconds().div_euclid(MINUTE);
        let (today, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
        for day in (today - FARTHEST_DAYS..=today).rev().filter(|day| self.fits_day(*day)) {
            let latest = if day == today { minute } else { 1_439 };
            if let Some(minute) = (0..=latest).rev().find(|minute| self.fits_minute(*minute)) {
                return Some(Time::from_seconds(day * DAY + minute * MINUTE));
            }
        }
        None
    }

    /// The next moment after `now` at which a backup is due.
    pub fn next(&self, now: Time) -> Option<Time> {
        let minutes = now.seconds().div_euclid(MINUTE) + 1;
        let (today, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
        for day in (today..=today + FARTHEST_DAYS).filter(|day| self.fits_day(*day)) {
            let earliest = if day == today { minute } else { 0 };
            if let Some(minute) = (earliest..1_440).find(|minute| self.fits_minute(*minute)) {
                return Some(Time::from_seconds(day * DAY + minute * MINUTE));
            }
        }
        None
    }

    /// How far two backups are apart about now.
    pub fn interval(&self, now: Time) -> Option<Duration> {
        let next = self.next(now)?;
        Some(self.next(next)?.since(next))
    }
}

/// Year, month and day of a day since 1970-01-01 in the Gregorian calendar (Howard Hinnant's `civil_from_days`).
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_moments_of_a_schedule() {
        for (schedule, now, last, next) in [
            ("0 2 * * *", "2026-11-21T02:00:00Z", "2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z"),
            ("0 2 * * *", "2026-11-21T01:59:59Z", "2026-11-20T02:00:00Z", "2026-11-21T02:00:00Z"),
            ("*/15 * * * *", "2026-11-21T10:07:30Z", "2026-11-21T10:00:00Z", "2026-11-21T10:15:00Z"),
            ("30 4 1 * *", "2026-03-01T04:00:00Z", "2026-02-01T04:30:00Z", "2026-03-01T04:30:00Z"),
            ("0 0 29 2 *", "2026-03-01T00:00:00Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"),
            // Saturday the 21st: Sundays by both names.
            ("0 3 * * 0", "2026-11-21T12:00:00Z", "2026-11-15T03:00:00Z", "2026-11-22T03:00:00Z"),
            ("0 3 * * 7", "2026-11-21T12:00:00Z", "2026-11-15T03:00:00Z", "2026-11-22T03:00:00Z"),
            // Both fields of days restricted: either fits.
            ("0 3 1 * 1", "2026-11-21T12:00:00Z", "2026-11-16T03:00:00Z", "2026-11-23T03:00:00Z"),
            ("5-10/5 8,20 * * *", "2026-11-21T12:00:00Z", "2026-11-21T08:10:00Z", "2026-11-21T20:05:00Z"),
        ] {
            let parsed = Schedule::parse(schedule).unwrap();
            assert_eq!(parsed.last(at(now)), Some(at(last)), "{schedule} before {now}");
            assert_eq!(parsed.next(at(now)), Some(at(next)), "{schedule} after {now}");
        }
        assert_eq!(
            Schedule::parse("0 2 * * *").unwrap().interval(at("2026-11-21T12:00:00Z")).unwrap().as_secs(),
            86_400
        );
        assert_eq!(Schedule::parse("0 0 30 2 *").unwrap().next(at("2026-11-21T12:00:00Z")), None);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "0 2 * *",
            "60 2 * * *",
            "0 24 * * *",
            "0 2 0 * *",
            "0 2 * 13 *",
            "0 2 * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "x * * * *",
        ] {
            assert!(Schedule::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, date) in
            [(0, (1970, 1, 1)), (-1, (1969, 12, 31)), (19_782, (2024, 2, 29)), (20_778, (2026, 11, 21))]
        {
            assert_eq!(civil(days), date);
        }
    }
}
