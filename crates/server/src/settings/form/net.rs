//! The forms of the network: addresses, URLs, host names, networks, origins, methods and header names.
//! It normalises (lower case, no trailing slash). It never resolves a name.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderName, Method};
use ipnet::IpNet;
use kernel::Secret;
use url::{Host, Url};

use super::{Complaint, Form, Shape};

/// The address to listen on.
pub(crate) const fn address() -> Form<IpAddr> {
    Form {
        read: |raw| {
            let text = raw.text();
            if text.eq_ignore_ascii_case("localhost") {
                return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
            }
            text.trim_start_matches('[')
                .trim_end_matches(']')
                .parse()
                .map_err(|_| "must be an IP address such as `127.0.0.1`, `0.0.0.0` or `::`".to_owned())
        },
        write: IpAddr::to_string,
        shape: Shape::Text("an IP address"),
    }
}

/// An `http` or `https` URL without credentials.
pub(crate) const fn url() -> Form<Url> {
    Form { read: |raw| web_url(&raw.text()), write: Url::to_string, shape: Shape::Text("a URL") }
}

/// A URL that names somebody and is compared as it was written: nothing is normalised.
pub(crate) const fn exact_url() -> Form<String> {
    Form {
        read: |raw| {
            let text = raw.text();
            let url = web_url(&text)?;
            if url.query().is_some() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Err("must be a URL without a query, such as `https://id.example.com`".to_owned());
            }
            Ok(text)
        },
        write: String::clone,
        shape: Shape::Text("a URL"),
    }
}

/// A URL that is a secret itself, such as that of a webhook.
pub(crate) const fn secret_url() -> Form<Secret<String>> {
    Form {
        read: |raw| web_url(&raw.text()).map(|url| Secret::new(url.into())),
        write: |url| url.expose().clone(),
        shape: Shape::Text("a URL"),
    }
}

fn web_url(text: &str) -> Result<Url, Complaint> {
    let complaint = "must be a URL such as `https://chat.example.com`";
    let url = Url::parse(text).map_err(|_| complaint.to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(complaint.to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must be a URL without user name and password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must be a URL without a `#` part".to_owned());
    }
    Ok(url)
}

/// Host names; `*.example.com` stands for every name below it, `*` for every name.
pub(crate) const fn hosts() -> Form<Vec<String>> {
    Form {
        read: |raw| raw.items().into_iter().map(host).collect(),
        write: |hosts| hosts.join(", "),
        shape: Shape::List("host names"),
    }
}

fn host(text: &str) -> Result<String, Complaint> {
    let complaint =
        || "must be host names without scheme, port and path, such as `chat.example.com`".to_owned();
    if text == "*" {
        return Ok(text.to_owned());
    }
    let (wildcard, name) = match text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
        Some(name) => ("*.", name),
        None => ("", text),
    };
    if name.contains(['/', '*', '@', '?', '#']) || name.is_empty() {
        return Err(complaint());
    }
    // A bare IPv6 address is an address; every other colon would be a port.
    if let Ok(IpAddr::V6(address)) = name.trim_matches(['[', ']']).parse() {
        return Ok(format!("[{address}]"));
    }
    if name.contains(':') {
        return Err(complaint());
    }
    Host::parse(name).map(|host| format!("{wildcard}{host}")).map_err(|_| complaint())
}

/// Networks in CIDR form; a single address stands for itself.
pub(crate) const fn nets() -> Form<Vec<IpNet>> {
    Form {
        read: |raw| {
            let net = |item: &str| {
                item.parse::<IpNet>().or_else(|_| item.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
                    "must be networks such as `10.0.0.0/8` or addresses such as `10.1.2.3`".to_owned()
                })
            };
            raw.items().into_iter().map(net).collect()
        },
        write: |nets| nets.iter().map(IpNet::to_string).collect::<Vec<_>>().join(", "),
        shape: Shape::List("networks"),
    }
}

/// Origins. Wildcards are kept as they are: production refuses them.
pub(crate) const fn origins() -> Form<Vec<String>> {
    Form {
        read: |raw| {
            let mut origins: Vec<String> = raw.items().into_iter().map(origin).collect::<Result<_, _>>()?;
            origins.sort();
            origins.dedup();
            Ok(origins)
        },
        write: |origins| origins.join(", "),
        shape: Shape::List("origins"),
    }
}

fn origin(text: &str) -> Result<String, Complaint> {
    let complaint =
        || "must be origins of scheme and host without a path, such as `https://app.example.com`".to_owned();
    if text.contains('*') {
        return Ok(text.to_ascii_lowercase());
    }
    let url = web_url(text).map_err(|_| complaint())?;
    if url.path() != "/" || url.query().is_some() {
        return Err(complaint());
    }
    Ok(url.origin().ascii_serialization())
}

/// HTTP methods.
pub(crate) const fn methods() -> Form<Vec<Method>> {
    Form {
        read: |raw| {
            let method = |item: &str| match item.to_ascii_uppercase().as_str() {
                "GET" => Ok(Method::GET),
                "HEAD" => Ok(Method::HEAD),
                "POST" => Ok(Method::POST),
                "PUT" => Ok(Method::PUT),
                "DELETE" => Ok(Method::DELETE),
                "PATCH" => Ok(Method::PATCH),
                "OPTIONS" => Ok(Method::OPTIONS),
                _ => Err("must be HTTP methods such as `GET,POST,PUT,DELETE`, each named".to_owned()),
            };
            raw.items().into_iter().map(method).collect()
        },
        write: |methods| methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", "),
        shape: Shape::List("HTTP methods"),
    }
}

/// Names of request headers.
pub(crate) const fn headers() -> Form<Vec<HeaderName>> {
    Form {
        read: |raw| {
            let header = |item: &str| match HeaderName::from_bytes(item.as_bytes()) {
                Ok(name) if item != "*" => Ok(name),
                _ => Err("must be header names such as `Content-Type,Authorization`, each named".to_owned()),
            };
            raw.items().into_iter().map(header).collect()
        },
        write: |headers| headers.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", "),
        shape: Shape::List("header names"),
    }
}

/// The machine itself: a loopback address or a name that always means it.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.to_ascii_lowercase().ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::raw::Raw;

    fn read<T>(form: &Form<T>, text: &str) -> Option<T> {
        (form.read)(&Raw::one(text)).ok()
    }

    #[test]
    fn hosts_are_names_alone() {
        let names = read(&hosts(), "Example.COM, *.example.org,127.0.0.1,::1,bücher.example").unwrap();
        assert_eq!(names, ["example.com", "*.example.org", "127.0.0.1", "[::1]", "xn--bcher-kva.example"]);
        for bad in ["https://example.com", "example.com:80", "a/b", "a b", "*.*", "x@y"] {
            assert_eq!(read(&hosts(), bad), None, "{bad}");
        }
    }

    #[test]
    fn origins_are_normalised_or_refused() {
        let two = read(&origins(), " https://App.example.com/ , http://localhost:3000").unwrap();
        assert_eq!(two, ["http://localhost:3000", "https://app.example.com"]);
        assert_eq!(read(&origins(), "https://example.com:443").unwrap(), ["https://example.com"]);
        for bad in ["app.example.com", "https://example.com/app", "ftp://x", "null", "https://u:p@x"] {
            assert_eq!(read(&origins(), bad), None, "{bad}");
        }
    }

    #[test]
    fn urls_carry_no_credential() {
        assert!(read(&url(), "https://example.com/base").is_some());
        for bad in
            ["example.com", "javascript:alert(1)", "https://u:p@example.com", "https://", "https://x/#y"]
        {
            assert!(read(&url(), bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn names_that_are_urls_stay_as_they_were_written() {
        for text in ["https://id.example.com", "https://id.example.com/", "https://ID.example.com:443/a"] {
            assert_eq!(read(&exact_url(), text).unwrap(), text);
        }
        for bad in ["id.example.com", "https://id.example.com?x", "https://id.example.com/#x", "https://a b/"]
        {
            assert_eq!(read(&exact_url(), bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_and_addresses() {
        assert_eq!(read(&nets(), "10.0.0.0/8, 192.0.2.1,fd00::/8").unwrap().len(), 3);
        assert_eq!(read(&nets(), "10.0.0.0/99"), None);
        assert_eq!(read(&address(), "localhost"), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(read(&address(), "example.com"), None);
        assert!(is_loopback("127.0.0.9") && is_loopback("[::1]") && is_loopback("localhost"));
        assert!(!is_loopback("10.0.0.1") && !is_loopback("localhost.example.com"));
    }

    #[test]
    fn methods_and_headers_are_named() {
        assert_eq!(read(&methods(), "get,POST").unwrap(), [Method::GET, Method::POST]);
        assert_eq!(read(&methods(), "*"), None);
        assert_eq!(read(&headers(), "X-API-Key").unwrap(), ["x-api-key"]);
        assert_eq!(read(&headers(), "*"), None);
    }
}
