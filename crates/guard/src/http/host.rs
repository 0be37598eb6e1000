//! Which host a request asks for: strict reading of `host[:port]`, and the list of hosts that are served.
//! Nothing is routed or authorised by a host; it is only listed or refused.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::uri::Authority;

/// A well-formed host, in lower case, with its port when one was named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    name: String,
    port: Option<u16>,
    literal: bool,
}

impl Host {
    /// Reads `host[:port]`: a DNS name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// `None` for everything else: user names, paths, spaces, zone ids, empty or absurd ports, names that are no
    /// DNS names. One dot at the end of a name is dropped, since it names the same host.
    pub fn parse(text: &str) -> Option<Host> {
        if let Some(rest) = text.strip_prefix('[') {
            let (inside, after) = rest.split_once(']')?;
            let address: Ipv6Addr = inside.parse().ok()?;
            let port = if after.is_empty() { None } else { Some(port(after.strip_prefix(':')?)?) };
            return Some(Host { name: format!("[{address}]"), port, literal: true });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, digits)) => (name, Some(port(digits)?)),
            None => (text, None),
        };
        if name.parse::<Ipv4Addr>().is_ok() {
            return Some(Host { name: name.to_owned(), port, literal: true });
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        is_name(name).then(|| Host { name: name.to_ascii_lowercase(), port, literal: false })
    }

    /// The name without its port: lower case, IPv6 in brackets and in canonical form.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port, when one was named.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is an address instead of a name, as load balancers write it when they probe.
    pub const fn is_address(&self) -> bool {
        self.literal
    }

    /// The same host for this scheme: the port that the scheme implies is left out.
    pub fn authority(&self, https: bool) -> String {
        match self.port {
            Some(port) if port != implied_port(https) => format!("{}:{port}", self.name),
            _ => self.name.clone(),
        }
    }

    /// The port that a connection to this host uses.
    pub(super) fn effective_port(&self, https: bool) -> u16 {
        self.port.unwrap_or(implied_port(https))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

const fn implied_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

fn port(digits: &str) -> Option<u16> {
    // `parse` alone would take `+80`.
    let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// RFC 1123 names, and `_` besides, which container networks put into names.
fn is_name(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// What a request says about the host it wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// One well-formed host.
    Host(Host),
    /// None at all.
    Missing,
    /// Something that is no host, several hosts, or two that differ.
    Malformed,
}

impl Asked {
    /// Reads the request target's authority (HTTP/2, or HTTP/1.1 in absolute form) and the `Host` lines.
    /// Where both are there they must agree.
    pub(super) fn read<'a>(
        target: Option<&Authority>,
        mut lines: impl Iterator<Item = &'a http::HeaderValue>,
    ) -> Asked {
        let line = lines.next();
        if lines.next().is_some() {
            return Asked::Malformed;
        }
        let line = line.map(|value| value.to_str().ok().and_then(Host::parse));
        let target = target.map(|authority| Host::parse(authority.as_str()));
        match (target, line) {
            (None, None) => Asked::Missing,
            (Some(Some(host)), None) | (None, Some(Some(host))) => Asked::Host(host),
            (Some(Some(a)), Some(Some(b))) if a == b => Asked::Host(a),
            _ => Asked::Malformed,
        }
    }

    /// The host, when there is a well-formed one.
    pub const fn host(&self) -> Option<&Host> {
        match self {
            Asked::Host(host) => Some(host),
            Asked::Missing | Asked::Malformed => None,
        }
    }
}

/// The hosts that are served.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    exact: HashSet<String>,
    /// With their leading dot: `.example.com`.
    below: Vec<String>,
    any: bool,
}

impl Hosts {
    /// `None` serves every well-formed host; `*.example.com` every name below `example.com`, not itself.
    pub(super) fn new(allowed: Option<&[String]>, own: Option<&str>) -> Hosts {
        let mut hosts = Hosts { exact: HashSet::new(), below: Vec::new(), any: allowed.is_none() };
        for entry in allowed.unwrap_or_default().iter().map(String::as_str).chain(own) {
            let entry = entry.trim().to_ascii_lowercase();
            if let Some(parent) = entry.strip_prefix('*') {
                hosts.below.push(parent.to_owned());
            } else if let Ok(IpAddr::V6(address)) = entry.trim_matches(['[', ']']).parse() {
                hosts.exact.insert(format!("[{address}]"));
            } else {
                hosts.exact.insert(entry.strip_suffix('.').unwrap_or(&entry).to_owned());
            }
        }
        hosts
    }

    /// Whether this host is served. Its port does not matter.
    pub(super) fn serve(&self, host: &Host) -> bool {
        self.any
            || self.exact.contains(&host.name)
            || self.below.iter().any(|parent| {
                !host.literal && host.name.len() > parent.len() && host.name.ends_with(parent.as_str())
            })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn well_formed_hosts() {
        for (text, name, port) in [
            ("example.com", "example.com", None),
            ("EXAMPLE.com:8443", "example.com", Some(8443)),
            ("example.com.", "example.com", None),
            ("127.0.0.1:8080", "127.0.0.1", Some(8080)),
            ("[::1]:80", "[::1]", Some(80)),
            ("[0:0::0:1]", "[::1]", None),
            ("my_service:1", "my_service", Some(1)),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
        ] {
            let host = Host::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((host.name(), host.port()), (name, port), "{text}");
        }
        assert_eq!(Host::parse("a.example:443").unwrap().authority(true), "a.example");
        assert_eq!(Host::parse("a.example:443").unwrap().authority(false), "a.example:443");
    }

    #[test]
    fn everything_else_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = ["abcdefg"; 40].join(".");
        for text in [
            "",
            ".",
            ":",
            "example.com:",
            "example.com:+80",
            "example.com:80:80",
            "example.com:65536",
            "example.com:000080",
            "user@example.com",
            "user:pass@example.com",
            "example.com/admin",
            "example.com?x",
            "example.com#x",
            "exam ple.com",
            " example.com",
            "example.com\t",
            "a..b",
            "-a.b",
            "bücher.example",
            "[fe80::1%eth0]",
            "[fe80::1%25eth0]:80",
            "[::1",
            "[::1]80",
            "::1",
            "[127.0.0.1]",
            "example.com,evil.example",
            "a\r\nb",
            "*",
            long.as_str(),
            longer.as_str(),
        ] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn two_hosts_must_agree() {
        let read = |target: Option<&'static str>, lines: &[&'static str]| {
            let target = target.map(Authority::from_static);
            let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_static(line)).collect();
            Asked::read(target.as_ref(), lines.iter())
        };
        let host = |text: &str| Asked::Host(Host::parse(text).unwrap());
        assert_eq!(read(None, &[]), Asked::Missing);
        assert_eq!(read(None, &["a.example"]), host("a.example"));
        assert_eq!(read(Some("a.example"), &[]), host("a.example"));
        assert_eq!(read(Some("a.example"), &["A.example"]), host("a.example"));
        assert_eq!(read(Some("a.example"), &["b.example"]), Asked::Malformed);
        assert_eq!(read(None, &["a.example", "a.example"]), Asked::Malformed);
        assert_eq!(read(Some("u@a.example"), &[]), Asked::Malformed);
        assert_eq!(read(None, &[""]), Asked::Malformed);
        let foreign = HeaderValue::from_bytes(b"caf\xc3\xa9.example").unwrap();
        assert_eq!(Asked::read(None, [&foreign].into_iter()), Asked::Malformed);
    }

    #[test]
    fn listed_hosts_and_those_below_a_star() {
        let list = ["yourdomain.com", "*.example.com", "::1", "10.0.0.1"].map(str::to_owned);
        let hosts = Hosts::new(Some(&list), Some("public.example"));
        for (text, served) in [
            ("yourdomain.com", true),
            ("yourdomain.com:8443", true),
            ("YOURDOMAIN.com.", true),
            ("www.yourdomain.com", false),
            ("a.example.com", true),
            ("a.b.example.com", true),
            ("example.com", false),
            ("evilexample.com", false),
            ("[::1]:80", true),
            ("10.0.0.1", true),
            ("10.0.0.2", false),
            ("public.example", true),
        ] {
            assert_eq!(hosts.serve(&Host::parse(text).unwrap()), served, "{text}");
        }
        assert!(Hosts::new(None, None).serve(&Host::parse("anything.example").unwrap()));
        assert!(!Hosts::new(Some(&[]), None).serve(&Host::parse("anything.example").unwrap()));
    }
}
