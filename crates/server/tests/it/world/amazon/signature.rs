//! The check of a signature, by a reading of the rules of its own, and the dates that go with it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::{Asked, By, REGION, now};

/// Whose signature it is. Written from the rules for services that take their request without a query.
pub(super) fn verify(asked: &Asked, service: &str) -> Result<By, String> {
    let line = asked.header("authorization").strip_prefix("AWS4-HMAC-SHA256 ").ok_or("not signed")?;
    let part = |name: &str| {
        line.split(", ")
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
            .ok_or(format!("no {name}"))
    };
    let scope: Vec<&str> = part("Credential")?.split('/').collect();
    let [id, day, region, of, end] = scope[..] else { return Err("a scope of another form".to_owned()) };
    let by = By::ALL.into_iter().find(|by| by.credentials().0 == id).ok_or("an unknown key")?;
    let (_, secret, token) = by.credentials();
    let stamp = asked.header("x-amz-date");
    // Without a region STS is asked at the address for all regions.
    let region_holds = region == REGION || service == "sts" && region == "us-east-1";
    if !region_holds || of != service || end != "aws4_request" || !stamp.starts_with(day) {
        return Err(format!("a signature for something else: {scope:?}"));
    }
    if age(stamp).ok_or("a date of another form")? > 300 {
        return Err("RequestExpired".to_owned());
    }
    // The rounds of `end_credentials` hang at its end.
    if asked.header("x-amz-security-token").trim_end_matches('=')
        != token.unwrap_or_default().trim_end_matches('=')
    {
        return Err("another token".to_owned());
    }
    let names = part("SignedHeaders")?;
    let signed: Vec<&str> = names.split(';').collect();
    let must =
        ["host", "x-amz-date", "content-type"].into_iter().chain(token.map(|_| "x-amz-security-token"));
    if !must.into_iter().all(|name| signed.contains(&name)) || !signed.is_sorted() {
        return Err(format!("too little is signed: {names}"));
    }
    let headers: String = signed.iter().map(|name| format!("{name}:{}\n", asked.header(name))).collect();
    let body = hex(&Sha256::digest(&asked.body));
    let request = format!("{}\n{}\n\n{headers}\n{names}\n{body}", asked.method, encoded_again(&asked.path));
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{day}/{region}/{service}/aws4_request\n{}",
        hex(&Sha256::digest(request.as_bytes()))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for step in [day, region, service, "aws4_request", &text] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(step.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    if part("Signature")? != hex(&key) {
        return Err("another signature".to_owned());
    }
    Ok(by)
}

/// The path as it was sent, encoded once more.
fn encoded_again(path: &str) -> String {
    let one = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(one).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The days from the epoch to the beginning of a year, a month and a day (Howard Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// How many seconds ago, or ahead, `20261121T010203Z` is.
fn age(stamp: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| stamp.get(range)?.parse::<i64>().ok();
    let day = days(number(0..4)?, number(4..6)?, number(6..8)?);
    let seconds = day * 86_400 + number(9..11)? * 3_600 + number(11..13)? * 60 + number(13..15)?;
    Some(seconds.abs_diff(i64::try_from(now().as_secs()).ok()?))
}

pub(super) fn rfc3339(seconds: u64) -> String {
    let (mut day, rest) = (i64::try_from(seconds / 86_400).unwrap(), seconds % 86_400);
    let mut year = 1970;
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days(year, month + 1, 1) <= day {
        month += 1;
    }
    day -= days(year, month, 1);
    format!("{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z", day + 1, rest / 3_600, rest / 60 % 60, rest % 60)
}
