//! A set of address ranges with a fast look-up: blocked addresses, trusted proxies, special-purpose ranges.
//! It never knows why a range is in the set.

use std::net::IpAddr;

use ipnet::IpNet;

/// A set of address ranges of both families. Looking up takes a binary search.
///
/// An IPv4 address written as IPv6 (`::ffff:a.b.c.d`) is the IPv4 address, in ranges and in questions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressBlocks {
    /// First and last address of each range; sorted, and none touches the next.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl AddressBlocks {
    /// The set of these ranges; they may overlap.
    pub fn new(nets: impl IntoIterator<Item = IpNet>) -> AddressBlocks {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for net in nets {
            match net {
                IpNet::V4(net) => v4.push((u32::from(net.network()), u32::from(net.broadcast()))),
                IpNet::V6(net) => match net.network().to_ipv4_mapped() {
                    Some(first) if net.prefix_len() >= 96 => {
                        let last = u128::from(net.broadcast()) & u128::from(u32::MAX);
                        v4.push((u32::from(first), u32::try_from(last).unwrap_or(u32::MAX)));
                    }
                    _ => v6.push((u128::from(net.network()), u128::from(net.broadcast()))),
                },
            }
        }
        AddressBlocks { v4: merged(v4), v6: merged(v6) }
    }

    /// Reads one range: `203.0.113.0/24`, or a single address.
    pub fn parse(text: &str) -> Option<IpNet> {
        let text = text.trim();
        let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
        Some(net.trunc())
    }

    /// Whether the address lies in one of the ranges.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match ip.to_canonical() {
            IpAddr::V4(ip) => holds(&self.v4, u32::from(ip)),
            IpAddr::V6(ip) => holds(&self.v6, u128::from(ip)),
        }
    }

    /// Whether there is no range at all.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn merged<T: Copy + Ord>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

fn holds<T: Copy + Ord>(ranges: &[(T, T)], at: T) -> bool {
    let after = ranges.partition_point(|range| range.0 <= at);
    after.checked_sub(1).and_then(|before| ranges.get(before)).is_some_and(|range| at <= range.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nets: &[&str]) -> AddressBlocks {
        AddressBlocks::new(nets.iter().map(|net| AddressBlocks::parse(net).unwrap()))
    }

    #[test]
    fn both_families_and_overlaps() {
        let blocks =
            set(&["10.0.0.0/8", "10.1.0.0/16", "203.0.113.7", "2001:db8::/32", "::ffff:192.0.2.0/120"]);
        for (ip, inside) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("9.255.255.255", false),
            ("11.0.0.0", false),
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("::ffff:203.0.113.7", true),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::1", false),
        ] {
            assert_eq!(blocks.contains(ip.parse().unwrap()), inside, "{ip}");
        }
        assert!(!AddressBlocks::default().contains("10.0.0.1".parse().unwrap()));
        assert!(set(&["0.0.0.0/0"]).contains("255.255.255.255".parse().unwrap()));
        assert!(set(&["::/0"]).contains("ffff::".parse().unwrap()));
    }

    #[test]
    fn text_forms() {
        assert_eq!(AddressBlocks::parse(" 10.1.2.3/8 ").unwrap().to_string(), "10.0.0.0/8");
        for bad in ["", "10.0.0.0/33", "10.0.0", "example.com", "fe80::1%eth0", "10.0.0.0/-1"] {
            assert!(AddressBlocks::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_large_set_agrees_with_a_plain_search() {
        let nets: Vec<IpNet> = (0..2000_u32)
            .map(|n| IpNet::from(IpAddr::from(n.wrapping_mul(7919 * 65_537).to_be_bytes())))
            .collect();
        let blocks = AddressBlocks::new(nets.iter().copied());
        for n in 0..4000_u32 {
            let ip = IpAddr::from(n.wrapping_mul(7919 * 65_537).to_be_bytes());
            assert_eq!(blocks.contains(ip), nets.iter().any(|net| net.contains(&ip)), "{ip}");
        }
    }
}
