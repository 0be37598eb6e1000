//! HTTPS enforcement: what happens to a request that came over plain HTTP.
//! A redirect goes to the public URL, or to the listed host asked for; never anywhere else.

use http::{HeaderMap, HeaderName, Method, Uri, header};
use kernel::{Code, Fault};

use super::origin::Origin;
use super::peer::Peer;

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The names of the cookies that carry a credential of this server.
pub const CREDENTIAL_COOKIES: [&str; 4] =
    ["stoa_visitor", "stoa_session", "__Secure-stoa_session", "__Host-stoa_session"];

/// What to do with a request because of its scheme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Go on.
    Pass,
    /// Answer 301 with this `Location`, which is ASCII.
    Redirect(String),
    /// Answer 403 `https_required`. A credential that came along has been exposed: name its owner in the audit log.
    Refuse(Option<Exposed>),
}

/// A credential that travelled over plain HTTP, by its carrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exposed {
    /// `Authorization`.
    Authorization,
    /// `X-API-Key`.
    ApiKey,
    /// One of this server's own cookies.
    Cookie,
}

impl Exposed {
    /// The carrier as a word for the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Exposed::Authorization => "authorization",
            Exposed::ApiKey => "x-api-key",
            Exposed::Cookie => "cookie",
        }
    }

    /// The first credential that these headers carry.
    pub fn find(headers: &HeaderMap) -> Option<Exposed> {
        if headers.contains_key(header::AUTHORIZATION) {
            Some(Exposed::Authorization)
        } else if headers.contains_key(&API_KEY) {
            Some(Exposed::ApiKey)
        } else {
            let ours = headers.get_all(header::COOKIE).iter().any(|line| has_credential(line.as_bytes()));
            ours.then_some(Exposed::Cookie)
        }
    }

    /// The refusal, with a sentence that tells the caller to replace what was shown.
    pub fn fault(exposed: Option<Exposed>) -> Fault {
        let fault = Fault::new(Code::HttpsRequired);
        match exposed {
            Some(_) => {
                fault.say("Use HTTPS. The credential of this request travelled in the clear: replace it.")
            }
            None => fault.say("Use HTTPS."),
        }
    }
}

/// Whether a `Cookie` line names one of our cookies. Works on bytes: other parts of the line may be no text.
fn has_credential(line: &[u8]) -> bool {
    line.split(|byte| *byte == b';').any(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        CREDENTIAL_COOKIES.iter().any(|ours| ours.as_bytes() == name)
    })
}

/// The rule itself, for a server that enforces HTTPS and a path that is no probe.
pub(super) fn admit(
    public: Option<&Origin>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    peer: &Peer,
) -> Scheme {
    if peer.https {
        return Scheme::Pass;
    }
    let exposed = Exposed::find(headers);
    let harmless = exposed.is_none() && (*method == Method::GET || *method == Method::HEAD);
    if !harmless {
        return Scheme::Refuse(exposed);
    }
    let target = match (public, peer.host()) {
        (Some(public), _) if public.https() => format!("{public}"),
        // The port asked for spoke plain HTTP, so the redirect names the standard port of HTTPS.
        (_, Some(host)) => format!("https://{}", host.name()),
        _ => return Scheme::Refuse(None),
    };
    Scheme::Redirect(target + &path_and_query(uri))
}

/// Path and query as ASCII, always beginning with `/`.
fn path_and_query(uri: &Uri) -> String {
    let text = uri.path_and_query().map_or("/", |it| it.as_str());
    let mut ascii = String::with_capacity(text.len() + 1);
    if !text.starts_with('/') {
        ascii.push('/');
    }
    for byte in text.bytes() {
        match byte {
            0x21..=0x7e => ascii.push(char::from(byte)),
            _ => ascii.push_str(&format!("%{byte:02X}")),
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::http::host::{Asked, Host};

    fn decide(public: Option<&str>, method: &str, uri: &str, headers: &[(&'static str, &str)]) -> Scheme {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let peer = Peer {
            ip: "203.0.113.9".parse().unwrap(),
            https: false,
            asked: Asked::Host(Host::parse("www.example.com:8080").unwrap()),
            via: "peer",
        };
        let public = public.map(|text| Origin::parse(text).unwrap());
        admit(public.as_ref(), &method.parse().unwrap(), &uri.parse().unwrap(), &map, &peer)
    }

    #[test]
    fn pages_are_redirected_with_path_and_query() {
        let public = Some("https://example.com");
        for (public, method, uri, to) in [
            (public, "GET", "/", "https://example.com/"),
            (public, "HEAD", "/a%20b?x=1&y=%2F", "https://example.com/a%20b?x=1&y=%2F"),
            (public, "GET", "//evil.example/x", "https://example.com//evil.example/x"),
            (public, "GET", "/\\evil.example", "https://example.com/\\evil.example"),
            (public, "GET", "http://evil.example/x?y", "https://example.com/x?y"),
            (public, "GET", "/caf\u{e9}", "https://example.com/caf%C3%A9"),
            (Some("https://example.com:8443"), "GET", "/x", "https://example.com:8443/x"),
            (Some("http://example.com"), "GET", "/x", "https://www.example.com/x"),
            (None, "GET", "/x", "https://www.example.com/x"),
        ] {
            let Ok(parsed) = uri.parse::<Uri>() else {
                // The reader of requests refuses such a target before this rule sees it.
                continue;
            };
            assert_eq!(
                decide(public, method, &parsed.to_string(), &[]),
                Scheme::Redirect(to.to_owned()),
                "{uri}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused_and_the_credential_named() {
        let refuse = |method: &str, headers: &[(&'static str, &str)]| {
            decide(Some("https://example.com"), method, "/x", headers)
        };
        assert_eq!(refuse("POST", &[]), Scheme::Refuse(None));
        assert_eq!(refuse("OPTIONS", &[]), Scheme::Refuse(None));
        for (headers, exposed) in [
            (vec![("authorization", "Bearer x")], Exposed::Authorization),
            (vec![("authorization", "")], Exposed::Authorization),
            (vec![("x-api-key", "k")], Exposed::ApiKey),
            (vec![("cookie", "a=b; stoa_visitor=x")], Exposed::Cookie),
            (vec![("cookie", "a=b"), ("cookie", "__Host-stoa_session=x")], Exposed::Cookie),
            (vec![("cookie", "caf\u{e9}=1;stoa_session = x")], Exposed::Cookie),
        ] {
            for method in ["GET", "HEAD", "POST"] {
                assert_eq!(refuse(method, &headers), Scheme::Refuse(Some(exposed)), "{headers:?}");
            }
        }
        for cookie in ["theme=dark", "x=stoa_visitor", "my_stoa_visitor=1", "", "====;;;"] {
            assert!(matches!(refuse("GET", &[("cookie", cookie)]), Scheme::Redirect(_)), "{cookie}");
        }
        assert_eq!(Exposed::fault(None).code(), Code::HttpsRequired);
    }
}
