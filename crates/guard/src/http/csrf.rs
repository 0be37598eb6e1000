//! Whether a state-changing request that rides on a cookie comes from this site's own pages.
//! It judges headers alone; whether a request rides on a cookie is known to `identity`.

use http::{HeaderMap, HeaderName};
use kernel::{Code, Fault, Result};

use super::origin::{Claimed, Origin, claimed};
use super::peer::Peer;

static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// `Origin` must be ours and `Sec-Fetch-Site` must be `same-origin` (or `none`: typed by the person), where they
/// are there; one of them must be. `csrf` otherwise, with the reason as the cause.
pub(super) fn admit(own: Option<&Origin>, headers: &HeaderMap, peer: &Peer) -> Result<()> {
    let refuse = |why: &'static str| Err(Fault::new(Code::Csrf).because(why));
    let mut lines = headers.get_all(&FETCH_SITE).iter();
    let site = match (lines.next(), lines.next()) {
        (None, _) => None,
        (Some(line), None) => match line.as_bytes() {
            b"same-origin" | b"none" => Some(()),
            _ => return refuse("Sec-Fetch-Site is not same-origin"),
        },
        _ => return refuse("Sec-Fetch-Site came twice"),
    };
    match claimed(headers) {
        Claimed::Origin(origin) => {
            if own == Some(&origin) || Origin::of_peer(peer).as_ref() == Some(&origin) {
                Ok(())
            } else {
                refuse("Origin is another site")
            }
        }
        Claimed::Opaque => refuse("Origin is null or malformed"),
        Claimed::None if site.is_some() => Ok(()),
        Claimed::None => refuse("neither Origin nor Sec-Fetch-Site came along"),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::http::host::{Asked, Host};

    #[test]
    fn only_our_own_pages() {
        let own = Origin::parse("https://example.com");
        let site = "sec-fetch-site";
        let cases: [(&[(&'static str, &str)], bool); 17] = [
            (&[("origin", "https://example.com")], true),
            (&[("origin", "https://example.com:443")], true),
            (&[("origin", "http://inner.example:8080")], true),
            (&[(site, "same-origin")], true),
            (&[(site, "none")], true),
            (&[(site, "same-origin"), ("origin", "https://example.com")], true),
            (&[], false),
            (&[("origin", "null")], false),
            (&[("origin", "null"), (site, "same-origin")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "http://example.com")], false),
            (&[("origin", "https://example.com.evil.example")], false),
            (&[("origin", "https://example.com"), (site, "cross-site")], false),
            (&[(site, "same-site")], false),
            (&[(site, "Same-Origin")], false),
            (&[(site, "same-origin"), (site, "cross-site")], false),
            (&[("origin", "https://example.com"), ("origin", "https://evil.example")], false),
        ];
        let peer = Peer {
            ip: "203.0.113.9".parse().unwrap(),
            https: false,
            asked: Asked::Host(Host::parse("inner.example:8080").unwrap()),
            via: "peer",
        };
        for (headers, passes) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(admit(own.as_ref(), &map, &peer).is_ok(), passes, "{headers:?}");
        }
    }
}
