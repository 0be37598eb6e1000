//! Points in time as microseconds since the Unix epoch, in UTC. It owns their text form (RFC 3339).
//! It never reads a clock: see [`crate::Clock`].

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// The epoch itself.
    pub const EPOCH: Time = Time(0);

    /// The time `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Time {
        Time(micros)
    }

    /// The time `seconds` seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Time {
        Time(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with microseconds, always 27 characters: `2026-11-21T01:02:03.000004Z`.
    pub fn rfc3339(self) -> String {
        match Timestamp::from_microsecond(self.0) {
            Ok(at) => format!("{at:.6}"),
            // Outside of the years -9999 to 9999: no clock shows it, and the text stays well-formed.
            Err(_) => "9999-12-31T23:59:59.999999Z".to_owned(),
        }
    }

    /// RFC 3339 in UTC with whole seconds: `2026-11-21T01:02:03Z`.
    pub fn rfc3339_seconds(self) -> String {
        match Timestamp::from_second(self.seconds()) {
            Ok(at) => at.to_string(),
            Err(_) => "9999-12-31T23:59:59Z".to_owned(),
        }
    }

    /// Reads RFC 3339 with any offset; `None` when the text is not one.
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        text.parse::<Timestamp>().ok().map(|at| Time(at.as_microsecond()))
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Time;
    fn add(self, span: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, span: Duration) -> Time {
        Time(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_fixed_width_and_reads_back() {
        for micros in [0, 1, 999_999, 1_795_222_923_000_004] {
            let time = Time::from_micros(micros);
            assert_eq!(time.rfc3339().len(), 27);
            assert_eq!(Time::parse_rfc3339(&time.rfc3339()), Some(time));
        }
        assert_eq!(Time::EPOCH.rfc3339_seconds(), "1970-01-01T00:00:00Z");
        assert_eq!(Time::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn spans_never_wrap() {
        let time = Time::from_seconds(10);
        assert_eq!(time + Duration::from_secs(5), Time::from_seconds(15));
        assert_eq!(time.since(Time::from_seconds(20)), Duration::ZERO);
        assert_eq!((Time::from_micros(i64::MAX) + Duration::MAX).micros(), i64::MAX);
    }
}
