//! The headers that every answer carries, whatever its status. Made at compile time; nothing is built per request.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Scripts, styles and pictures come from this server alone; nothing inline, nothing framed, nothing embedded.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'self'";

static OVER_HTTPS: [(HeaderName, HeaderValue); 11] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // Browsers dropped this filter; the value is promised in the contract and the policy below does the work.
    (header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
    ),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-embedder-policy"), HeaderValue::from_static("require-corp")),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), HeaderValue::from_static("none")),
    // The last one: plain HTTP leaves it out.
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
];

/// The headers for this scheme.
pub fn security_headers(https: bool) -> &'static [(HeaderName, HeaderValue)] {
    match OVER_HTTPS.split_last() {
        Some((_, plain)) if !https => plain,
        _ => &OVER_HTTPS,
    }
}

/// Puts the headers for this scheme on an answer, over whatever stood there.
pub fn secure(headers: &mut HeaderMap, https: bool) {
    headers.reserve(OVER_HTTPS.len());
    for (name, value) in security_headers(https) {
        headers.insert(name.clone(), value.clone());
    }
    if !https {
        headers.remove(header::STRICT_TRANSPORT_SECURITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_what_the_contract_names() {
        let mut headers = HeaderMap::new();
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("ALLOWALL"));
        secure(&mut headers, true);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-xss-protection", "1; mode=block"),
            ("referrer-policy", "strict-origin-when-cross-origin"),
            ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            let found: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(found, [value], "{name}");
        }
        secure(&mut headers, false);
        assert!(!headers.contains_key("strict-transport-security"));
        assert_eq!(headers.len(), OVER_HTTPS.len() - 1);
    }

    #[test]
    fn the_policy_has_no_hole() {
        let policy = CONTENT_SECURITY_POLICY;
        for hole in ["unsafe", "*", "data:", "blob:", "http", "  ", "\n"] {
            assert!(!policy.contains(hole), "{hole}");
        }
        assert!(policy.starts_with("default-src 'none';"));
        for directive in ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(directive), "{directive}");
        }
    }
}
