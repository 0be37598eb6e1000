//! What a request says about its origin: hosts, forwarded headers, schemes, origins. Nothing panics, a stranger's
//! `X-Forwarded-*` never counts, and a redirect leads to our own host. Each line of the input is one header value.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use guard::http::{AddressBlocks, BodyLimits, Config, Cors, Front, Host, Scheme, admit_length, limit_key};
use http::{HeaderMap, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] = [
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "origin",
    "referer",
    "content-length",
    "access-control-request-headers",
];
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

fn front() -> Front {
    Front::new(Config {
        allowed_hosts: Some(vec!["www.example.com".to_owned(), "*.example.org".to_owned()]),
        trusted_proxies: "10.0.0.0/8".parse().into_iter().collect(),
        enforce_https: true,
        public_url: None,
        cors: Cors {
            origins: vec!["https://app.example.com".to_owned()],
            methods: vec![Method::GET, Method::POST],
            headers: vec![http::header::CONTENT_TYPE],
        },
        bodies: BodyLimits { json: 1 << 20, other: 1 << 20, file: 1 << 24 },
    })
}

// The first line is the target of the request; the others are values of the headers in turn.
fuzz_target!(|data: &[u8]| {
    let front = front();
    let mut lines = data.split(|byte| *byte == b'\n');
    let uri: Uri = lines.next().and_then(|line| Uri::try_from(line).ok()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (line, name) in lines.zip(NAMES.iter().cycle()).take(32) {
        if let Ok(value) = HeaderValue::from_bytes(line)
            && !line.is_empty()
        {
            headers.append(*name, value);
        }
        if let Ok(text) = std::str::from_utf8(line) {
            read(text);
        }
    }

    let mut plain = headers.clone();
    NAMES.iter().filter(|name| name.starts_with("x-forwarded")).for_each(|name| drop(plain.remove(*name)));
    let direct = front.peer(STRANGER, false, &uri, &headers);
    assert_eq!(direct, front.peer(STRANGER, false, &uri, &plain), "a stranger's header counted");
    assert!(direct.ip == STRANGER && !direct.https && direct.via == "peer");

    let behind = front.peer(PROXY, false, &uri, &headers);
    assert_eq!(behind.ip, behind.ip.to_canonical());
    for peer in [&direct, &behind] {
        if let Some(host) = peer.host() {
            assert_eq!(Host::parse(&host.authority(true)).as_ref().map(Host::name), Some(host.name()));
        }
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let served = front.admit_host(uri.path(), peer).is_ok();
            if let Scheme::Redirect(to) = front.admit_scheme(&method, &uri, &headers, peer)
                && served
            {
                let to: Uri = to.parse().expect("a redirect to no address");
                let host = to.host().unwrap_or_default();
                let ours = host == "www.example.com" || host.ends_with(".example.org");
                assert!(to.scheme_str() == Some("https") && ours, "a redirect to {to}");
            }
            let _ = front.cors(&method, &headers, peer);
        }
        let _ = (front.same_origin(&headers, peer), limit_key(peer.ip));
    }
    let _ = admit_length(&headers, 1 << 20);
});

/// What is read is written in one way.
fn read(text: &str) {
    if let Some(host) = Host::parse(text) {
        assert!(
            !host.name().contains(|c: char| c.is_whitespace() || c.is_ascii_uppercase() || "/@".contains(c))
        );
    }
    if let Some(net) = AddressBlocks::parse(text) {
        assert!(AddressBlocks::new([net]).contains(net.addr().to_canonical()) || net.addr().is_ipv6());
    }
}
