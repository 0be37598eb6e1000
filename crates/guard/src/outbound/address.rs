//! Which addresses a URL from a user or a document may lead to: public unicast ones, and no other.
//! It judges addresses and URLs; it never resolves or connects.

use std::net::IpAddr;
use std::sync::LazyLock;

use url::{Host, Url};

use super::failure::Rule;
use crate::http::AddressBlocks;

/// Every IPv4 range that is not ordinary public unicast: the IANA special-purpose registry
/// (RFC 6890 and its updates), multicast, the reserved class E, and the metadata addresses of clouds that lie
/// in public space.
const CLOSED_V4: &[&str] = &[
    "0.0.0.0/8",        // this network
    "10.0.0.0/8",       // private
    "100.64.0.0/10",    // shared by carriers; Alibaba's metadata
    "127.0.0.0/8",      // loopback
    "168.63.129.16/32", // Azure's wire server
    "169.254.0.0/16",   // link-local; metadata of most clouds
    "172.16.0.0/12",    // private
    "192.0.0.0/24",     // protocol assignments; Oracle's metadata
    "192.0.2.0/24",     // documentation
    "192.31.196.0/24",  // AS112
    "192.52.193.0/24",  // AMT
    "192.88.99.0/24",   // 6to4 relays
    "192.168.0.0/16",   // private
    "192.175.48.0/24",  // AS112
    "198.18.0.0/15",    // benchmarks
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved, broadcast
];

/// The only IPv6 range in which public unicast lives. Mapped and compatible IPv4, NAT64, link-local, unique-local,
/// multicast, loopback and segment routing all lie outside of it.
const OPEN_V6: &str = "2000::/3";

/// What is special inside of [`OPEN_V6`].
const CLOSED_V6: &[&str] = &[
    "2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID
    "2001:db8::/32",     // documentation
    "2002::/16",         // 6to4 carries any IPv4 address inside
    "2620:4f:8000::/48", // AS112
    "3fff::/20",         // documentation
];

/// Which addresses are public.
#[derive(Clone, Debug)]
pub(super) struct Public {
    open_v6: AddressBlocks,
    closed: AddressBlocks,
}

static PUBLIC: LazyLock<Public> = LazyLock::new(|| Public {
    open_v6: AddressBlocks::new(AddressBlocks::parse(OPEN_V6)),
    closed: AddressBlocks::new(
        CLOSED_V4.iter().chain(CLOSED_V6).filter_map(|range| AddressBlocks::parse(range)),
    ),
});

/// Whether an address is ordinary public unicast.
///
/// An IPv4 address inside of IPv6 is refused whatever it is: nobody publishes such an address, attackers write them.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => !PUBLIC.closed.contains(ip),
        IpAddr::V6(v6) => {
            v6.to_ipv4_mapped().is_none() && PUBLIC.open_v6.contains(ip) && !PUBLIC.closed.contains(ip)
        }
    }
}

/// Judges a URL before anything is resolved: scheme, credentials, port, and the host when it is an address.
pub(super) fn admit_url(url: &Url, open: fn(IpAddr) -> bool) -> Result<(), Rule> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Rule::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Rule::Credentials);
    }
    let address = match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() => None,
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        _ => return Err(Rule::Address),
    };
    if address.is_some_and(|ip| !open(ip)) {
        return Err(Rule::Address);
    }
    match url.port_or_known_default() {
        Some(80 | 443 | 1024..) => Ok(()),
        _ => Err(Rule::Port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_is_read() {
        let ranges = CLOSED_V4.iter().chain(CLOSED_V6).chain([&OPEN_V6]);
        assert!(ranges.into_iter().all(|range| AddressBlocks::parse(range).is_some()));
    }

    #[test]
    fn special_addresses_are_closed() {
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:a9fe:a9fe",
            "::ffff:8.8.8.8",
            "::ffff:0:7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.128.0.0", "223.255.255.255"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "3ffe::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn urls_are_judged_as_they_will_be_used() {
        for (url, verdict) in [
            ("https://example.com/x", Ok(())),
            ("http://example.com:8080/", Ok(())),
            ("https://8.8.8.8/", Ok(())),
            ("ftp://example.com/", Err(Rule::Scheme)),
            ("file:///etc/passwd", Err(Rule::Scheme)),
            ("gopher://127.0.0.1/", Err(Rule::Scheme)),
            ("https://user@example.com/", Err(Rule::Credentials)),
            ("https://:pass@example.com/", Err(Rule::Credentials)),
            ("https://example.com@127.0.0.1/", Err(Rule::Credentials)),
            ("http://example.com:22/", Err(Rule::Port)),
            ("http://example.com:25/", Err(Rule::Port)),
            ("http://example.com:0/", Err(Rule::Port)),
            ("http://127.0.0.1/", Err(Rule::Address)),
            ("http://127.1/", Err(Rule::Address)),
            ("http://2130706433/", Err(Rule::Address)),
            ("http://0x7f.0.0.1/", Err(Rule::Address)),
            ("http://0177.0.0.1/", Err(Rule::Address)),
            ("http://127。0。0。1/", Err(Rule::Address)),
            ("http://①②⑦.0.0.1/", Err(Rule::Address)),
            ("http://[::1]/", Err(Rule::Address)),
            ("http://[::ffff:a9fe:a9fe]/latest", Err(Rule::Address)),
            ("http://0/", Err(Rule::Address)),
        ] {
            assert_eq!(admit_url(&url.parse().unwrap(), is_public), verdict, "{url}");
        }
    }
}
