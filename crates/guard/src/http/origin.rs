//! The `Origin` of a request: strict reading and comparison. It decides nothing.

use std::fmt;

use http::{HeaderMap, header};
use url::Url;

use super::host::Host;
use super::peer::Peer;

/// A web origin: scheme, host and port.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    https: bool,
    host: Host,
}

impl Origin {
    /// Reads `http(s)://host[:port]`, nothing before and nothing after.
    pub(super) fn parse(text: &str) -> Option<Origin> {
        let (https, rest) = match text.split_once("://")? {
            (scheme, rest) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            (scheme, rest) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return None,
        };
        Some(Origin { https, host: Host::parse(rest)? })
    }

    /// The origin of a URL; `None` when it has none that HTTP knows.
    pub(super) fn of_url(url: &Url) -> Option<Origin> {
        Origin::parse(&url.origin().ascii_serialization())
    }

    /// The origin under which the caller reached this server.
    pub(super) fn of_peer(peer: &Peer) -> Option<Origin> {
        Some(Origin { https: peer.https, host: peer.host()?.clone() })
    }

    pub(super) const fn https(&self) -> bool {
        self.https
    }

    pub(super) const fn host(&self) -> &Host {
        &self.host
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Origin) -> bool {
        self.https == other.https
            && self.host.name() == other.host.name()
            && self.host.effective_port(self.https) == other.host.effective_port(other.https)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.https { "https://" } else { "http://" })?;
        f.write_str(&self.host.authority(self.https))
    }
}

/// What a request says about its origin.
pub(super) enum Claimed {
    /// It names none.
    None,
    /// It names this one.
    Origin(Origin),
    /// `null`, several, or something that is no origin.
    Opaque,
}

/// Reads the `Origin` line.
pub(super) fn claimed(headers: &HeaderMap) -> Claimed {
    let mut lines = headers.get_all(header::ORIGIN).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Claimed::None,
        (Some(line), None) => match line.to_str().ok().and_then(Origin::parse) {
            Some(origin) => Claimed::Origin(origin),
            None => Claimed::Opaque,
        },
        _ => Claimed::Opaque,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_are_read() {
        for (text, shown) in [
            ("https://a.example", "https://a.example"),
            ("HTTPS://A.example:443", "https://a.example"),
            ("http://a.example:8080", "http://a.example:8080"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "null",
            "a.example",
            "https://",
            "https://a.example/",
            "https://a.example/x",
            "https://u@a.example",
            "https://a.example:x",
            "ftp://a.example",
            "https://*.example",
            "file://",
            "https://a.example https://b.example",
        ] {
            assert!(Origin::parse(bad).is_none(), "{bad}");
        }
        assert!(Origin::parse("http://a.example:443") != Origin::parse("https://a.example"));
        assert!(Origin::parse("https://a.example:443") == Origin::parse("https://a.example"));
    }
}
