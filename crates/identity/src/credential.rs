//! What a request shows as proof, read from its headers. It decides nothing: see [`crate::Identity::resolve`].

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

/// The name of the visitor's cookie.
pub const VISITOR_COOKIE: &str = "stoa_visitor";

/// The names that the cookie of a signed-in browser may have: a browser takes the first only over HTTPS, from one
/// host, for all paths; the second is shared below a domain; the third is for plain HTTP while developing.
pub const SESSION_COOKIES: [&str; 3] = ["__Host-stoa_session", "__Secure-stoa_session", "stoa_session"];

/// The name of the cookie by which a browser that has signed in before is known (it proves nothing by itself).
pub const DEVICE_COOKIE: &str = "stoa_device";

/// The credentials of one request, borrowed from its headers.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The value of the visitor's cookie.
    pub visitor: Option<&'a str>,
    /// The values of the session cookies, in the order of [`SESSION_COOKIES`].
    pub sessions: [Option<&'a str>; 3],
    /// The value of `Authorization: Bearer` when it looks like a JSON Web Token.
    pub token: Option<&'a str>,
    /// `X-API-Key`, or the value of `Authorization: Bearer` that is no token.
    pub key: Option<&'a str>,
    /// The headers contradict each other or cannot be read.
    pub malformed: Option<&'static str>,
}

impl<'a> Credentials<'a> {
    /// Reads the headers. Repeated or unreadable credential headers, an empty value and two different keys are
    /// `malformed`, never silently ignored.
    pub fn read(headers: &'a HeaderMap) -> Credentials<'a> {
        let mut malformed = None;
        let mut note = |why| -> Option<&'a str> {
            malformed = Some(why);
            None
        };
        let api_key = single(headers, "x-api-key").unwrap_or_else(&mut note);
        let bearer = match single(headers, AUTHORIZATION.as_str()) {
            Ok(Some(value)) => {
                strip_bearer(value).or_else(|| note("the Authorization header is not `Bearer` and a token"))
            }
            Ok(None) => None,
            Err(why) => note(why),
        };
        let (token, bearer) = match bearer {
            Some(value) if is_token(value) => (Some(value), None),
            other => (None, other),
        };
        let key = match (api_key, token.or(bearer)) {
            (Some(one), Some(two)) if one != two => {
                note("X-API-Key and Authorization hold different credentials")
            }
            _ => api_key.or(bearer),
        };
        let mut sessions = [None; 3];
        for (slot, name) in sessions.iter_mut().zip(SESSION_COOKIES) {
            *slot = one_cookie(headers, name).unwrap_or_else(&mut note);
        }
        Credentials { visitor: cookies(headers, VISITOR_COOKIE).next(), sessions, token, key, malformed }
    }

    /// Whether a credential that must be kept secret was shown: all but nothing.
    pub const fn any(&self) -> bool {
        self.visitor.is_some() || self.rides_on_header() || self.has_session() || self.malformed.is_some()
    }

    /// Whether a credential came in a header that no other site can make a browser send.
    pub const fn rides_on_header(&self) -> bool {
        self.key.is_some() || self.token.is_some()
    }

    /// Whether a session cookie came, valid or not.
    pub const fn has_session(&self) -> bool {
        let [host, secure, plain] = self.sessions;
        host.is_some() || secure.is_some() || plain.is_some()
    }
}

/// Whether a bearer value has the form of a JSON Web Token: three parts of base64url, the first a JSON object, which
/// in base64url always begins with `eyJ`. A signature that is missing makes it no key either.
fn is_token(value: &str) -> bool {
    let mut parts = value.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let plain =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    header.starts_with("eyJ") && !claims.is_empty() && [header, claims, signature].into_iter().all(plain)
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

/// The values of every cookie of this name.
pub(crate) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(move |pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// The one value of a cookie. A cookie that another host below the same domain has planted beside the right one
/// must not be chosen by the order in which the browser sends the two.
pub(crate) fn one_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, &'static str> {
    let mut values = cookies(headers, name).filter(|value| !value.is_empty());
    let first = values.next();
    match values.any(|value| Some(value) != first) {
        true => Err("two different session cookies of one name"),
        false => Ok(first),
    }
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
    fn a_token_is_told_from_a_key() {
        for (value, token) in [
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", true),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", true),
            ("stoa_0123456789", false),
            ("one.two.three", false),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0", false),
            ("eyJ.a.b.c", false),
            ("eyJ.a b.c", false),
        ] {
            let headers = headers(&[("authorization", &format!("Bearer {value}"))]);
            let read = Credentials::read(&headers);
            assert_eq!((read.token.is_some(), read.key.is_some()), (token, !token), "{value}");
        }
        let both = headers(&[("x-api-key", "k"), ("authorization", "Bearer eyJh.eyJz.c2ln")]);
        assert!(Credentials::read(&both).malformed.is_some());
    }

    #[test]
    fn a_planted_second_session_cookie_is_malformed() {
        let one = headers(&[("cookie", "stoa_session=a; stoa_session=a; __Host-stoa_session=b")]);
        let read = Credentials::read(&one);
        assert_eq!((read.sessions, read.malformed), ([Some("b"), None, Some("a")], None));
        let two = headers(&[("cookie", "stoa_session=a"), ("cookie", "stoa_session=b")]);
        assert!(Credentials::read(&two).malformed.is_some());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers = headers(&[("cookie", "a=b; stoa_visitor=xyz; c=d")]);
        assert_eq!(Credentials::read(&headers).visitor, Some("xyz"));
    }
}
