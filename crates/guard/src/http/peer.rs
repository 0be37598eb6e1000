//! Who is at the other end: the address that counts, whether it speaks HTTPS, and the host it asked for.
//! `X-Forwarded-*` counts when the socket's peer is a trusted proxy, and never beyond the first untrusted hop.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use super::blocks::AddressBlocks;
use super::host::Asked;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Who sent a request, as far as the connection and trusted proxies tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// The address that limits, blocks and the audit log use. IPv4 is never written as IPv6.
    pub ip: IpAddr,
    /// Whether the caller used HTTPS.
    pub https: bool,
    /// The host the caller asked for.
    pub asked: Asked,
    /// How the address was found: `peer` (the socket) or `forwarded` (a trusted proxy said so).
    pub via: &'static str,
}

impl Peer {
    /// The host, when there is a well-formed one.
    pub const fn host(&self) -> Option<&super::Host> {
        self.asked.host()
    }

    /// Reads the connection and, when its other end is trusted, what the proxies say.
    pub(super) fn read(
        trusted: &AddressBlocks,
        socket: IpAddr,
        tls: bool,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Peer {
        let socket = socket.to_canonical();
        let asked = Asked::read(uri.authority(), headers.get_all(header::HOST).iter());
        let direct = Peer { ip: socket, https: tls, asked, via: "peer" };
        if trusted.is_empty() || !trusted.contains(socket) {
            return direct;
        }
        let (ip, hops) = walk(trusted, socket, headers);
        let https = match nth_from_right(headers, &FORWARDED_PROTO, hops) {
            Some(scheme) => scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            None => direct.https,
        };
        let asked = match nth_from_right(headers, &FORWARDED_HOST, hops) {
            Some(host) => match host.and_then(super::Host::parse) {
                Some(host) => Asked::Host(host),
                None => Asked::Malformed,
            },
            None => direct.asked,
        };
        let via = if hops > 0 { "forwarded" } else { "peer" };
        Peer { ip, https, asked, via }
    }
}

/// The parts of a list header from the right: the last one was written by the nearest proxy.
/// A part that is no ASCII text is `None`.
fn from_right<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = Option<&'a str>> {
    let parts = |value: &'a HeaderValue| match value.to_str() {
        Ok(text) => (Some(text.rsplit(',').map(|part| Some(part.trim()))), None),
        Err(_) => (None, Some(None)),
    };
    headers
        .get_all(name)
        .iter()
        .rev()
        .map(parts)
        .flat_map(|(list, broken)| list.into_iter().flatten().chain(broken))
}

/// The part that belongs to the caller's hop: proxies that append have one part a hop, those that overwrite
/// have one part in all. Nothing further left than the hops walked is ever used.
fn nth_from_right<'a>(headers: &'a HeaderMap, name: &'a HeaderName, hops: usize) -> Option<Option<&'a str>> {
    from_right(headers, name).take(hops.max(1)).last()
}

/// Walks `X-Forwarded-For` from the right through trusted proxies, to the first address that is not one.
/// Gives the address and the number of parts read. A part that is no address ends the walk at the proxy that wrote it.
fn walk(trusted: &AddressBlocks, socket: IpAddr, headers: &HeaderMap) -> (IpAddr, usize) {
    let (mut ip, mut hops) = (socket, 0);
    for part in from_right(headers, &FORWARDED_FOR) {
        let Some(address) = part.and_then(address) else { break };
        (ip, hops) = (address, hops + 1);
        if !trusted.contains(address) {
            break;
        }
    }
    (ip, hops)
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(part: &str) -> Option<IpAddr> {
    let bare = match part.strip_prefix('[') {
        Some(rest) => {
            let (inside, after) = rest.split_once(']')?;
            let port = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
            if !port || inside.parse::<Ipv6Addr>().is_err() {
                return None;
            }
            inside
        }
        None => match part.split_once(':') {
            Some((ip, port)) if !port.contains(':') => is_port(port).then_some(ip)?,
            _ => part,
        },
    };
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

fn is_port(digits: &str) -> bool {
    (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The key under which limits count an address: IPv4 whole, IPv6 by its /64, which one household or machine holds.
pub fn limit_key(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let prefix = u128::from(ip) & !u128::from(u64::MAX);
            format!("{}/64", Ipv6Addr::from(prefix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Host;

    fn peer(socket: &str, tls: bool, headers: &[(&'static str, &str)]) -> Peer {
        let trusted = AddressBlocks::new(
            ["10.0.0.0/8", "fd00::/8", "192.0.2.1"].iter().filter_map(|net| AddressBlocks::parse(net)),
        );
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Peer::read(&trusted, socket.parse().unwrap(), tls, &Uri::from_static("/"), &map)
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_counts() {
        let for_ = "x-forwarded-for";
        for (socket, headers, ip, via) in [
            ("203.0.113.9", vec![(for_, "198.51.100.1")], "203.0.113.9", "peer"),
            ("10.0.0.1", vec![], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, "198.51.100.1")], "198.51.100.1", "forwarded"),
            ("::ffff:10.0.0.1", vec![(for_, "198.51.100.1")], "198.51.100.1", "forwarded"),
            ("10.0.0.1", vec![(for_, "6.6.6.6, 198.51.100.1")], "198.51.100.1", "forwarded"),
            ("10.0.0.1", vec![(for_, "6.6.6.6,198.51.100.1 , 10.2.2.2")], "198.51.100.1", "forwarded"),
            ("10.0.0.1", vec![(for_, "198.51.100.1"), (for_, "10.2.2.2")], "198.51.100.1", "forwarded"),
            ("10.0.0.1", vec![(for_, "10.9.9.9, 10.2.2.2")], "10.9.9.9", "forwarded"),
            ("10.0.0.1", vec![(for_, "198.51.100.1:4711")], "198.51.100.1", "forwarded"),
            ("fd00::1", vec![(for_, "[2001:db8::7]:4711")], "2001:db8::7", "forwarded"),
            ("fd00::1", vec![(for_, "2001:db8::7")], "2001:db8::7", "forwarded"),
            ("10.0.0.1", vec![(for_, "::ffff:198.51.100.1")], "198.51.100.1", "forwarded"),
            // What is no address ends the walk at the proxy that wrote it; it never becomes a bucket of its own.
            ("10.0.0.1", vec![(for_, "198.51.100.1, unknown")], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, "unknown, 10.3.3.3")], "10.3.3.3", "forwarded"),
            ("10.0.0.1", vec![(for_, "")], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, ",,,")], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, "fe80::1%eth0")], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, "198.51.100.1, ünknown")], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, "127.1")], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, "198.51.100.1:")], "10.0.0.1", "peer"),
            ("10.0.0.1", vec![(for_, "[198.51.100.1]")], "10.0.0.1", "peer"),
        ] {
            let peer = peer(socket, false, &headers);
            assert_eq!((peer.ip, peer.via), (ip.parse().unwrap(), via), "{socket} {headers:?}");
        }
    }

    #[test]
    fn scheme_and_host_count_from_trusted_proxies_alone() {
        let forwarded =
            [("x-forwarded-proto", "https"), ("x-forwarded-host", "a.example"), ("host", "b.example")];
        let stranger = peer("203.0.113.9", false, &forwarded);
        assert!(!stranger.https);
        assert_eq!(stranger.host().unwrap().name(), "b.example");
        let proxy = peer("10.0.0.1", false, &forwarded);
        assert!(proxy.https);
        assert_eq!(proxy.host().unwrap().name(), "a.example");
        assert!(!peer("10.0.0.1", true, &[("x-forwarded-proto", "http")]).https);
        assert!(peer("10.0.0.1", true, &[]).https);
    }

    #[test]
    fn a_forged_part_left_of_the_hops_is_never_read() {
        let one_hop = [
            ("x-forwarded-for", "6.6.6.6, 198.51.100.1"),
            ("x-forwarded-proto", "https, http"),
            ("x-forwarded-host", "evil.example, b.example"),
        ];
        let seen = peer("10.0.0.1", false, &one_hop);
        assert!(!seen.https);
        assert_eq!(seen.host().unwrap().name(), "b.example");
        let two_hops = [("x-forwarded-for", "198.51.100.1, 10.2.2.2"), ("x-forwarded-proto", "https, http")];
        assert!(peer("10.0.0.1", false, &two_hops).https);
        let overwritten = [("x-forwarded-for", "198.51.100.1, 10.2.2.2"), ("x-forwarded-proto", "https")];
        assert!(peer("10.0.0.1", false, &overwritten).https);
        assert_eq!(peer("10.0.0.1", false, &[("x-forwarded-host", "u@evil")]).asked, Asked::Malformed);
    }

    #[test]
    fn the_authority_of_http_2_is_the_host() {
        let uri = Uri::from_static("https://a.example:8443/x");
        let none = AddressBlocks::default();
        let peer = Peer::read(&none, "192.0.2.9".parse().unwrap(), true, &uri, &HeaderMap::new());
        assert_eq!(peer.asked, Asked::Host(Host::parse("a.example:8443").unwrap()));
    }

    #[test]
    fn a_long_list_is_walked_once() {
        let long = "10.0.0.2, ".repeat(5000) + "10.0.0.2";
        assert_eq!(peer("10.0.0.1", false, &[("x-forwarded-for", &long)]).ip.to_string(), "10.0.0.2");
    }

    #[test]
    fn limits_count_ipv6_by_its_network() {
        for (ip, key) in [
            ("203.0.113.9", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(limit_key(ip.parse().unwrap()), key);
        }
    }
}
