//! What a request shows as proof, read from its headers. It decides nothing: see [`crate::Identity::resolve`].

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

/// The name of the visitor's cookie.
pub const VISITOR_COOKIE: &str = "stoa_visitor";

/// The credentials of one request, borrowed from its headers.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The value of the visitor's cookie.
    pub visitor: Option<&'a str>,
    /// `X-API-Key`, or the value of `Authorization: Bearer`.
    pub key: Option<&'a str>,
    /// The headers contradict each other or cannot be read.
    pub malformed: Option<&'static str>,
}

impl<'a> Credentials<'a> {
    /// Reads the headers. Repeated or unreadable credential headers, an empty value and two different keys are
    /// `malformed`, never silently ignored.
    pub fn read(headers: &'a HeaderMap) -> Credentials<'a> {
        let mut read = Credentials { visitor: visitor_cookie(headers), ..Credentials::default() };
        let api_key = match single(headers, "x-api-key") {
            Ok(value) => value,
            Err(why) => {
                read.malformed = Some(why);
                None
            }
        };
        let bearer = match single(headers, AUTHORIZATION.as_str()) {
            Ok(Some(value)) => match strip_bearer(value) {
                Some(token) => Some(token),
                None => {
                    read.malformed = Some("the Authorization header is not `Bearer` and a token");
                    None
                }
            },
            Ok(None) => None,
            Err(why) => {
                read.malformed = Some(why);
                None
            }
        };
        read.key = match (api_key, bearer) {
            (Some(one), Some(two)) if one != two => {
                read.malformed = Some("X-API-Key and Authorization hold different credentials");
                None
            }
            (one, two) => one.or(two),
        };
        read
    }

    /// Whether a credential that must be kept secret was shown: all but nothing.
    pub const fn any(&self) -> bool {
        self.visitor.is_some() || self.key.is_some() || self.malformed.is_some()
    }
}

fn strip_bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("a credential header came twice");
    }
    match first.to_str() {
        Ok(value) if !value.trim().is_empty() => Ok(Some(value.trim())),
        Ok(_) => Err("a credential header is empty"),
        Err(_) => Err("a credential header is not text"),
    }
}

fn visitor_cookie(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|line| {
        line.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == VISITOR_COOKIE).then_some(value)
        })
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn keys_come_in_either_header() {
        for pairs in [
            &[("x-api-key", "k")][..],
            &[("authorization", "Bearer k")],
            &[("authorization", "bearer  k ")],
            &[("x-api-key", "k"), ("authorization", "Bearer k")],
        ] {
            let headers = headers(pairs);
            let read = Credentials::read(&headers);
            assert_eq!((read.key, read.malformed), (Some("k"), None), "{pairs:?}");
        }
    }

    #[test]
    fn contradictions_and_empty_values_are_malformed() {
        for pairs in [
            &[("x-api-key", "a"), ("authorization", "Bearer b")][..],
            &[("x-api-key", "a"), ("x-api-key", "b")],
            &[("x-api-key", "")],
            &[("authorization", "Basic dXNlcjpwYXNz")],
            &[("authorization", "Bearer ")],
        ] {
            assert!(Credentials::read(&headers(pairs)).malformed.is_some(), "{pairs:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers = headers(&[("cookie", "a=b; stoa_visitor=xyz; c=d")]);
        assert_eq!(Credentials::read(&headers).visitor, Some("xyz"));
    }
}
