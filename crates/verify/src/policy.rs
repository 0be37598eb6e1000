//! The headers that stand on every answer (CONTRACT section 5), as rules.
//! It judges headers and never asks.

use reqwest::header::HeaderMap;

/// Header and exact value.
const EXACT: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// Everything that is wrong with the headers of an answer, one short phrase each.
pub(crate) fn faults(headers: &HeaderMap, https: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in EXACT {
        if let Some(fault) = differs(headers, name, value) {
            faults.push(fault);
        }
    }
    match (https, headers.contains_key("strict-transport-security")) {
        (true, _) => faults.extend(differs(headers, "strict-transport-security", HSTS)),
        (false, true) => faults.push("strict-transport-security over plain HTTP".into()),
        (false, false) => {}
    }
    let policies = texts(headers, "content-security-policy");
    if policies.is_empty() {
        faults.push("no content-security-policy".into());
    }
    faults.extend(policies.iter().filter_map(|policy| loose(policy)));
    if texts(headers, "x-request-id").iter().all(|id| id.is_empty()) {
        faults.push("no x-request-id".into());
    }
    faults
}

/// What makes a content security policy useless, when something does.
pub(crate) fn loose(policy: &str) -> Option<String> {
    let mut has_default = false;
    for directive in policy.split(';') {
        let mut words = directive.split_ascii_whitespace().map(str::to_ascii_lowercase);
        let Some(name) = words.next() else { continue };
        has_default |= name == "default-src";
        for source in words {
            let bad = matches!(source.as_str(), "'unsafe-inline'" | "'unsafe-eval'" | "http:" | "https:")
                || source.contains('*')
                || (source == "data:"
                    && matches!(name.as_str(), "default-src" | "script-src" | "object-src"));
            if bad {
                return Some(format!("content-security-policy with {source} in {name}"));
            }
        }
    }
    (!has_default).then(|| "content-security-policy without default-src".to_owned())
}

fn differs(headers: &HeaderMap, name: &str, wanted: &str) -> Option<String> {
    match texts(headers, name).as_slice() {
        [] => Some(format!("no {name}")),
        [value] if *value == wanted => None,
        [value] => Some(format!("{name} is `{value}`, not `{wanted}`")),
        _ => Some(format!("{name} stands there more than once")),
    }
}

fn texts<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn right() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in EXACT {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("content-security-policy", HeaderValue::from_static("default-src 'self'"));
        headers.insert("x-request-id", HeaderValue::from_static("a"));
        headers
    }

    #[test]
    fn https_asks_for_hsts_and_http_forbids_it() {
        let mut headers = right();
        assert!(faults(&headers, false).is_empty());
        assert_eq!(faults(&headers, true), ["no strict-transport-security"]);
        headers.insert("strict-transport-security", HeaderValue::from_static(HSTS));
        assert!(faults(&headers, true).is_empty());
        assert_eq!(faults(&headers, false).len(), 1);
    }

    #[test]
    fn loose_policies_are_named() {
        for policy in [
            "default-src 'self'; script-src 'self' 'unsafe-inline'",
            "default-src *",
            "default-src 'self'; img-src https:",
            "default-src 'self'; script-src data:",
            "default-src 'self'; connect-src https://*.example.com",
            "script-src 'self'",
        ] {
            assert!(loose(policy).is_some(), "{policy}");
        }
        assert_eq!(loose("default-src 'none'; img-src 'self' data:; script-src 'self' 'nonce-abc'"), None);
    }

    #[test]
    fn a_header_twice_is_a_fault() {
        let mut headers = right();
        headers.append("x-frame-options", HeaderValue::from_static("DENY"));
        assert_eq!(faults(&headers, false), ["x-frame-options stands there more than once"]);
    }
}
