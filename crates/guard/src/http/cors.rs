//! Which other origins may call, and what the browser is told. Exact origins only; nothing is reflected.
//! Cookies never cross: no answer allows credentials, other origins use keys and tokens.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::config;
use super::origin::{Claimed, Origin, claimed};
use super::peer::Peer;

/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(600);

/// What scripts of an allowed origin may read besides the headers that every script may.
const EXPOSED: &str = "x-request-id, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, ratelimit, \
                       ratelimit-policy, retry-after, content-disposition";

/// Headers to put on an answer.
pub type Headers = Vec<(HeaderName, HeaderValue)>;

/// What CORS says about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Crossing {
    /// The request comes from no page, or from our own.
    None,
    /// A preflight of an allowed origin: answer 204 with these headers.
    Preflight(Headers),
    /// A request of an allowed origin: add these headers to the answer.
    Actual(Headers),
    /// The origin, method or header is not allowed. Answer a preflight with 403 and nothing else; let an actual
    /// request pass without headers, so that the browser keeps the answer from the page.
    Refused {
        /// Whether it was a preflight.
        preflight: bool,
        /// What to log: the origin, the configured list, and what is probably meant.
        hint: String,
    },
}

/// The configured origins with their answers made beforehand.
#[derive(Clone, Debug)]
pub(super) struct CrossOrigin {
    origins: Vec<(Origin, HeaderValue)>,
    /// `*` is configured: any origin.
    any: bool,
    methods: Vec<Method>,
    headers: Vec<HeaderName>,
    allow_methods: HeaderValue,
    allow_headers: HeaderValue,
    listed: String,
}

impl CrossOrigin {
    pub(super) fn new(config: &config::Cors) -> CrossOrigin {
        let mut origins = Vec::new();
        for text in &config.origins {
            if let Some(origin) = Origin::parse(text)
                && let Ok(value) = HeaderValue::try_from(origin.to_string())
            {
                origins.push((origin, value));
            }
        }
        let list = |words: Vec<&str>| {
            HeaderValue::try_from(words.join(", ")).unwrap_or(HeaderValue::from_static(""))
        };
        CrossOrigin {
            origins,
            any: config.origins.iter().any(|origin| origin == "*"),
            methods: config.methods.clone(),
            headers: config.headers.clone(),
            allow_methods: list(config.methods.iter().map(Method::as_str).collect()),
            allow_headers: list(config.headers.iter().map(HeaderName::as_str).collect()),
            listed: if config.origins.is_empty() { "none".to_owned() } else { config.origins.join(", ") },
        }
    }

    /// Whether answers differ by origin, so that `Vary: Origin` belongs on all of them.
    pub(super) fn varies(&self) -> bool {
        !self.origins.is_empty()
    }

    pub(super) fn decide(
        &self,
        own: Option<&Origin>,
        method: &Method,
        headers: &HeaderMap,
        peer: &Peer,
    ) -> Crossing {
        let claim = claimed(headers);
        let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
        let preflight = *method == Method::OPTIONS && wanted.is_some();
        let origin = match &claim {
            Claimed::None => return Crossing::None,
            Claimed::Opaque if self.any => None,
            Claimed::Opaque => {
                return self.refuse(preflight, "the origin is `null` or no origin at all");
            }
            Claimed::Origin(origin) => Some(origin),
        };
        let allowed = match origin {
            Some(origin) if own == Some(origin) || Origin::of_peer(peer).as_ref() == Some(origin) => {
                return Crossing::None;
            }
            Some(origin) => match self.origins.iter().find(|(listed, _)| listed == origin) {
                Some((_, value)) => value.clone(),
                None if self.any => HeaderValue::from_static("*"),
                None => return self.refuse(preflight, &self.guess(origin)),
            },
            None => HeaderValue::from_static("*"),
        };
        let mut answer = vec![
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed),
            (header::VARY, HeaderValue::from_static("Origin")),
        ];
        if !preflight {
            answer.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED)));
            return Crossing::Actual(answer);
        }
        if !wanted
            .is_some_and(|wanted| self.methods.iter().any(|m| m.as_str().as_bytes() == wanted.as_bytes()))
        {
            return self.refuse(true, "the method is not in `CORS_ALLOW_METHODS`");
        }
        if !self.takes_headers(headers) {
            return self.refuse(true, "a header is not in `CORS_ALLOW_HEADERS`");
        }
        answer.push((header::ACCESS_CONTROL_ALLOW_METHODS, self.allow_methods.clone()));
        answer.push((header::ACCESS_CONTROL_ALLOW_HEADERS, self.allow_headers.clone()));
        answer.push((header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(PREFLIGHT_LIFETIME.as_secs())));
        Crossing::Preflight(answer)
    }

    fn takes_headers(&self, headers: &HeaderMap) -> bool {
        headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter().all(|line| {
            line.to_str().is_ok_and(|line| {
                line.split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .all(|name| self.headers.iter().any(|listed| listed.as_str().eq_ignore_ascii_case(name)))
            })
        })
    }

    fn refuse(&self, preflight: bool, why: &str) -> Crossing {
        Crossing::Refused { preflight, hint: format!("{why}; configured origins: {}", self.listed) }
    }

    /// What the caller probably meant: row 003.42 asks for a hint on http/https.
    fn guess(&self, origin: &Origin) -> String {
        let same_name = |listed: &&(Origin, HeaderValue)| listed.0.host().name() == origin.host().name();
        match self.origins.iter().find(same_name) {
            Some((listed, _)) if listed.https() != origin.https() => {
                format!("{origin} is not {listed}: the protocol differs (http and https are two origins)")
            }
            Some((listed, _)) => format!("{origin} is not {listed}: the port differs"),
            None => format!("{origin} is not in `CORS_ORIGINS`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::host::{Asked, Host};

    fn decide(origins: &[&str], method: &str, headers: &[(&'static str, &str)]) -> Crossing {
        let config = config::Cors {
            origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
            methods: vec![Method::GET, Method::POST, Method::PUT, Method::DELETE],
            headers: ["content-type", "authorization", "x-api-key"].map(HeaderName::from_static).to_vec(),
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let peer = Peer {
            ip: "203.0.113.9".parse().unwrap(),
            https: true,
            asked: Asked::Host(Host::parse("api.example.com").unwrap()),
            via: "peer",
        };
        let own = Origin::parse("https://example.com");
        CrossOrigin::new(&config).decide(own.as_ref(), &method.parse().unwrap(), &map, &peer)
    }

    fn value(headers: &Headers, name: &str) -> Option<String> {
        headers.iter().find(|it| it.0 == name).map(|it| it.1.to_str().unwrap().to_owned())
    }

    const APP: &[&str] = &["https://app.example.com", "http://localhost:3000"];

    #[test]
    fn actual_requests() {
        let Crossing::Actual(headers) = decide(APP, "POST", &[("origin", "https://APP.example.com:443")])
        else {
            panic!("allowed")
        };
        assert_eq!(value(&headers, "access-control-allow-origin").unwrap(), "https://app.example.com");
        assert_eq!(value(&headers, "vary").unwrap(), "Origin");
        assert_eq!(value(&headers, "access-control-allow-credentials"), None);
        assert_eq!(decide(APP, "POST", &[]), Crossing::None);
        assert_eq!(decide(APP, "POST", &[("origin", "https://example.com")]), Crossing::None);
        assert_eq!(decide(APP, "POST", &[("origin", "https://api.example.com")]), Crossing::None);
    }

    #[test]
    fn refusals_say_what_is_meant() {
        for (origin, hint) in [
            ("http://app.example.com", "protocol differs"),
            ("https://app.example.com:8443", "port differs"),
            ("https://evil.example", "not in `CORS_ORIGINS`"),
            ("https://app.example.com.evil.example", "not in `CORS_ORIGINS`"),
            ("https://evilapp.example.com", "not in `CORS_ORIGINS`"),
            ("null", "no origin at all"),
            ("https://app.example.com/", "no origin at all"),
            ("caf\u{e9}", "no origin at all"),
            ("", "no origin at all"),
        ] {
            let Crossing::Refused { preflight: false, hint: said } =
                decide(APP, "GET", &[("origin", origin)])
            else {
                panic!("{origin}")
            };
            assert!(said.contains(hint) && said.contains("http://localhost:3000"), "{said}");
        }
        let twice = [("origin", "https://app.example.com"), ("origin", "https://app.example.com")];
        assert!(matches!(decide(APP, "GET", &twice), Crossing::Refused { .. }));
        let none = decide(&[], "GET", &[("origin", "https://evil.example")]);
        assert!(matches!(none, Crossing::Refused { hint, .. } if hint.ends_with("configured origins: none")));
    }

    #[test]
    fn preflights_name_only_what_is_configured() {
        let ask = |method: &str, headers: &str| {
            let origin = ("origin", "https://app.example.com");
            let method = ("access-control-request-method", method);
            decide(APP, "OPTIONS", &[origin, method, ("access-control-request-headers", headers)])
        };
        let Crossing::Preflight(headers) = ask("PUT", "Content-Type,x-api-key") else { panic!("allowed") };
        assert_eq!(value(&headers, "access-control-allow-methods").unwrap(), "GET, POST, PUT, DELETE");
        assert_eq!(
            value(&headers, "access-control-allow-headers").unwrap(),
            "content-type, authorization, x-api-key"
        );
        assert!(matches!(ask("PATCH", ""), Crossing::Refused { preflight: true, .. }));
        assert!(matches!(ask("put", ""), Crossing::Refused { preflight: true, .. }));
        assert!(matches!(ask("GET", "x-evil"), Crossing::Refused { preflight: true, .. }));
        assert!(matches!(ask("GET", "*"), Crossing::Refused { preflight: true, .. }));
        assert!(matches!(ask("GET", ""), Crossing::Preflight(_)));
        let plain = decide(APP, "OPTIONS", &[("origin", "https://app.example.com")]);
        assert!(matches!(plain, Crossing::Actual(_)));
    }

    #[test]
    fn a_star_allows_any_origin_and_no_credentials() {
        for origin in ["https://anything.example", "null"] {
            let Crossing::Actual(headers) = decide(&["*"], "GET", &[("origin", origin)]) else {
                panic!("{origin}")
            };
            assert_eq!(value(&headers, "access-control-allow-origin").unwrap(), "*");
            assert_eq!(value(&headers, "access-control-allow-credentials"), None);
        }
    }
}
