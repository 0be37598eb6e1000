//! The cookie of a signed-in browser: its name, its attributes, how it is taken away. Its value is opaque: a random
//! token whose digest stands in the database.

use std::time::Duration;

use crate::credential::SESSION_COOKIES;

/// How session cookies are named and set (CONTRACT section 3).
#[derive(Clone, Debug)]
pub(crate) struct SessionCookie {
    secure: bool,
    domain: Option<String>,
}

impl SessionCookie {
    pub(crate) const fn new(secure: bool, domain: Option<String>) -> SessionCookie {
        SessionCookie { secure, domain }
    }

    /// Which of [`SESSION_COOKIES`] is used.
    const fn slot(&self, https: bool) -> usize {
        match (self.secure || https, self.domain.is_some()) {
            (true, false) => 0,
            (true, true) => 1,
            (false, _) => 2,
        }
    }

    /// The value that counts among those that came. The plain name counts only where cookies need no HTTPS: over
    /// HTTPS anybody on the way could have planted it.
    pub(crate) fn pick<'a>(&self, values: &[Option<&'a str>; 3], https: bool) -> Option<&'a str> {
        values.get(self.slot(https)).copied().flatten()
    }

    /// The `Set-Cookie` value that signs a browser in for this long.
    pub(crate) fn set(&self, token: &str, lifetime: Duration, https: bool) -> String {
        self.line(token, lifetime.as_secs(), https)
    }

    /// The `Set-Cookie` value that takes the cookie away.
    pub(crate) fn clear(&self, https: bool) -> String {
        self.line("", 0, https)
    }

    fn line(&self, value: &str, seconds: u64, https: bool) -> String {
        let name = SESSION_COOKIES.get(self.slot(https)).copied().unwrap_or_default();
        let secure = if self.secure || https { "; Secure" } else { "" };
        // `__Host-` forbids a domain; the other names have one when it is configured.
        let domain = match &self.domain {
            Some(domain) => format!("; Domain={domain}"),
            None => String::new(),
        };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}{domain}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURS: Duration = Duration::from_secs(28_800);

    #[test]
    fn names_and_attributes_follow_the_prefix_rules() {
        let set = |secure, domain: Option<&str>, https| {
            SessionCookie::new(secure, domain.map(str::to_owned)).set("v", HOURS, https)
        };
        assert_eq!(
            set(true, None, false),
            "__Host-stoa_session=v; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(set(false, None, true), set(true, None, true));
        assert_eq!(
            set(true, Some("example.com"), true),
            "__Secure-stoa_session=v; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure; Domain=example.com"
        );
        assert_eq!(set(false, None, false), "stoa_session=v; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax");
        assert!(
            SessionCookie::new(true, None).clear(true).starts_with("__Host-stoa_session=; Path=/; Max-Age=0")
        );
    }

    #[test]
    fn a_plain_cookie_counts_for_nothing_over_https() {
        let values = [None, None, Some("planted")];
        assert_eq!(SessionCookie::new(false, None).pick(&values, true), None);
        assert_eq!(SessionCookie::new(true, None).pick(&values, false), None);
        assert_eq!(SessionCookie::new(false, None).pick(&values, false), Some("planted"));
    }
}
