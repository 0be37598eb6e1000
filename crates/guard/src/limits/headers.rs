//! A verdict as headers: the three that the contract promises, the two of the IETF draft beside them, and
//! `Retry-After`. It decides nothing.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use kernel::Time;

use super::claim::Verdict;

static LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
static REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
static RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static STATE: HeaderName = HeaderName::from_static("ratelimit");

impl Verdict {
    /// Puts the headers on an answer; nothing when nothing limited.
    ///
    /// `X-RateLimit-Reset` is RFC 3339; `RateLimit` and `RateLimit-Policy` are structured fields with seconds
    /// (draft-ietf-httpapi-ratelimit-headers). Times are rounded up: whoever waits as told is served.
    pub fn write(&self, now: Time, headers: &mut HeaderMap) {
        if !self.is_limited() {
            return;
        }
        headers.insert(LIMIT.clone(), HeaderValue::from(self.limit));
        headers.insert(REMAINING.clone(), HeaderValue::from(self.remaining));
        let up = Duration::from_micros(999_999);
        set(headers, &RESET, (self.reset_at + up).rfc3339_seconds());
        let Verdict { scope, limit, remaining, .. } = self;
        set(headers, &POLICY, format!("\"{scope}\";q={limit};w={}", seconds(self.window)));
        set(headers, &STATE, format!("\"{scope}\";r={remaining};t={}", seconds(self.reset_at.since(now))));
        if !self.allowed {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(self.retry_after).max(1)));
        }
    }
}

fn set(headers: &mut HeaderMap, name: &HeaderName, value: String) {
    // Scopes are plain words, so this never fails; a header less is better than a broken answer.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name.clone(), value);
    }
}

/// Whole seconds, rounded up.
const fn seconds(span: Duration) -> u64 {
    span.as_secs().saturating_add(if span.subsec_nanos() > 0 { 1 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(verdict: Verdict) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        verdict.write(Time::from_seconds(1_795_222_923), &mut headers);
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn refusals_say_when_to_come_back() {
        let now = Time::from_seconds(1_795_222_923);
        let verdict = Verdict {
            allowed: false,
            limit: 10,
            remaining: 0,
            reset_at: now + Duration::from_millis(41_200),
            retry_after: Duration::from_millis(41_200),
            scope: "chat",
            window: Duration::from_secs(60),
        };
        let pairs = [
            ("ratelimit", "\"chat\";r=0;t=42"),
            ("ratelimit-policy", "\"chat\";q=10;w=60"),
            ("retry-after", "42"),
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "2026-11-21T01:02:45Z"),
        ];
        assert_eq!(written(verdict), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let allowed = Verdict { allowed: true, remaining: 3, ..verdict };
        assert!(written(allowed).iter().all(|line| line.0 != "retry-after"));
        assert!(written(Verdict::unlimited(now)).is_empty());
        let at_once = Verdict { retry_after: Duration::ZERO, ..verdict };
        assert!(written(at_once).contains(&("retry-after".to_owned(), "1".to_owned())));
    }
}
