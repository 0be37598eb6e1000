//! Hosts that the answers of an app may link to. It never looks a host up.

/// A list of hosts: `example.com`, `*.example.com` for every name below it, `*` for every host.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LinkHosts(Vec<String>);

impl LinkHosts {
    /// Adds a host as it is written in the settings. Says what is wrong with another text.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let lower = text.trim().to_ascii_lowercase();
        let name = lower.strip_prefix("*.").unwrap_or(&lower);
        let label =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if lower == "*" || (name.len() <= 253 && name.split('.').all(label)) {
            self.0.push(lower);
            return Ok(());
        }
        Err("a host is a name such as `example.com`, `*.example.com` or `*`, without a scheme or path"
            .to_owned())
    }

    /// Whether an address with this host, and perhaps a port, is allowed. Names that are written in other letters, and
    /// whatever else stands before a host, never are.
    pub fn allow_authority(&self, authority: &str) -> bool {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        if host.is_empty() || !host.bytes().all(plain) || !port.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
        let host = host.to_ascii_lowercase();
        self.0.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some("") => true,
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => host == *allowed,
        })
    }

    /// Whether this address may be linked to: one of these hosts over HTTP, or none at all.
    pub fn allow(&self, address: &str) -> bool {
        let lower = address.to_ascii_lowercase();
        let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
        match rest {
            Some(rest) => self.allow_authority(rest.split(['/', '?', '#']).next().unwrap_or("")),
            None => {
                lower.starts_with('#') || (lower.starts_with("mailto:") && !lower.contains(['?', '&', '%']))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[&str]) -> LinkHosts {
        let mut hosts = LinkHosts::default();
        list.iter().for_each(|host| hosts.add(host).unwrap());
        hosts
    }

    #[test]
    fn hosts_are_names_or_everything_below_one() {
        let some = hosts(&["Docs.example.com", "*.shop.example"]);
        for good in [
            "https://docs.example.com/a?b",
            "http://DOCS.example.com:8080",
            "https://a.b.shop.example/",
            "#x",
        ] {
            assert!(some.allow(good), "{good}");
        }
        for bad in [
            "https://example.com",
            "https://shop.example",
            "https://evilshop.example",
            "https://docs.example.com@evil.example",
            "https://docs.example.com\\@evil.example",
            "https://docs.example.com.evil.example",
            "//docs.example.com",
            "javascript:alert(1)",
            "mailto:me@evil.example?body=x",
            "https://",
            "/path",
        ] {
            assert!(!some.allow(bad), "{bad}");
        }
        assert!(hosts(&["*"]).allow("https://anything.example/x") && !hosts(&["*"]).allow("data:x"));
        assert!(!LinkHosts::default().allow("https://example.com"));
        for wrong in ["", "https://example.com", "exa mple.com", "*.", "a..b", "*x.example"] {
            assert!(LinkHosts::default().add(wrong).is_err(), "{wrong}");
        }
    }
}
