//! The front of the server: one value that holds what was configured and answers every question of `http`.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::{Code, Fault, Result};

use super::blocks::AddressBlocks;
use super::config::{BodyLimits, Config};
use super::cors::{CrossOrigin, Crossing};
use super::host::{Asked, Hosts};
use super::origin::Origin;
use super::peer::Peer;
use super::scheme::Scheme;
use super::{csrf, headers, scheme};

/// What the front of the server allows. Immutable; share it in an `Arc`.
#[derive(Clone, Debug)]
pub struct Front {
    hosts: Hosts,
    trusted: AddressBlocks,
    enforce_https: bool,
    public: Option<Origin>,
    cross: CrossOrigin,
    bodies: BodyLimits,
}

impl Front {
    /// Prepares the configuration for fast answers. The host of the public URL is always served.
    pub fn new(config: Config) -> Front {
        let public = config.public_url.as_ref().and_then(Origin::of_url);
        let own = public.as_ref().map(|public| public.host().name());
        Front {
            hosts: Hosts::new(config.allowed_hosts.as_deref(), own),
            trusted: AddressBlocks::new(config.trusted_proxies),
            enforce_https: config.enforce_https,
            cross: CrossOrigin::new(&config.cors),
            bodies: config.bodies,
            public,
        }
    }

    /// Who is at the other end of this connection: `socket` is its address, `tls` whether it is encrypted.
    pub fn peer(&self, socket: IpAddr, tls: bool, uri: &Uri, headers: &HeaderMap) -> Peer {
        Peer::read(&self.trusted, socket, tls, uri, headers)
    }

    /// Whether the host asked for is served: `unknown_host` when it is not listed, `invalid_input` when there is
    /// none or it is malformed (RFC 9112, section 3.2, asks for 400).
    ///
    /// Load balancers probe by address, and containers probe themselves as `localhost`, so the probe paths also answer to those and to no host.
    pub fn admit_host(&self, path: &str, peer: &Peer) -> Result<()> {
        match &peer.asked {
            Asked::Host(host) if self.hosts.serve(host) => Ok(()),
            Asked::Host(host) if (host.is_address() || host.name() == "localhost") && is_probe(path) => {
                Ok(())
            }
            Asked::Host(_) => Err(Fault::new(Code::UnknownHost)),
            Asked::Missing if is_probe(path) => Ok(()),
            Asked::Missing => Err(Fault::new(Code::InvalidInput).say("The request names no host.")),
            Asked::Malformed => {
                Err(Fault::new(Code::InvalidInput).say("The host of the request is malformed."))
            }
        }
    }

    /// What happens because of the scheme. Ask [`Front::admit_host`] first: a redirect may go to the host asked for.
    pub fn admit_scheme(&self, method: &Method, uri: &Uri, headers: &HeaderMap, peer: &Peer) -> Scheme {
        if !self.enforce_https || is_probe(uri.path()) {
            return Scheme::Pass;
        }
        scheme::admit(self.public.as_ref(), method, uri, headers, peer)
    }

    /// What CORS says about the request.
    pub fn cors(&self, method: &Method, headers: &HeaderMap, peer: &Peer) -> Crossing {
        self.cross.decide(self.public.as_ref(), method, headers, peer)
    }

    /// Whether `Vary: Origin` belongs on every answer, so that no cache mixes origins.
    pub fn varies_by_origin(&self) -> bool {
        self.cross.varies()
    }

    /// Whether a state-changing request that rides on a cookie comes from our own pages; else `csrf`.
    pub fn same_origin(&self, headers: &HeaderMap, peer: &Peer) -> Result<()> {
        csrf::admit(self.public.as_ref(), headers, peer)
    }

    /// The headers of every answer.
    pub fn security_headers(&self, https: bool) -> &'static [(HeaderName, HeaderValue)] {
        headers::security_headers(https)
    }

    /// How large bodies may be.
    pub const fn body_limits(&self) -> BodyLimits {
        self.bodies
    }

    /// Whether plain HTTP is refused.
    pub const fn enforces_https(&self) -> bool {
        self.enforce_https
    }
}

/// The paths that load balancers and orchestrators ask, over plain HTTP and by address.
pub fn is_probe(path: &str) -> bool {
    matches!(path, "/live" | "/ready" | "/health" | "/api/health")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Cors;

    fn front(hosts: Option<&[&str]>) -> Front {
        Front::new(Config {
            allowed_hosts: hosts.map(|hosts| hosts.iter().map(|&host| host.to_owned()).collect()),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            enforce_https: true,
            public_url: Some("https://example.com/".parse().unwrap()),
            cors: Cors::default(),
            bodies: BodyLimits { json: 1, other: 2, file: 3 },
        })
    }

    fn ask(front: &Front, uri: &str, host: Option<&'static str>) -> Peer {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert("host", HeaderValue::from_static(host));
        }
        front.peer("203.0.113.9".parse().unwrap(), false, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn hosts_and_probes() {
        let front = front(Some(&["www.example.com"]));
        for (path, host, code) in [
            ("/", Some("www.example.com"), None),
            ("/", Some("example.com"), None),
            ("/", Some("evil.example"), Some(Code::UnknownHost)),
            ("/", Some("10.1.2.3"), Some(Code::UnknownHost)),
            ("/", None, Some(Code::InvalidInput)),
            ("/", Some("a b"), Some(Code::InvalidInput)),
            ("/live", Some("10.1.2.3:8080"), None),
            ("/ready", Some("[::1]:8080"), None),
            ("/health", None, None),
            ("/health", Some("evil.example"), Some(Code::UnknownHost)),
            ("/health/", Some("10.1.2.3"), Some(Code::UnknownHost)),
            ("/api/health", Some("a b"), Some(Code::InvalidInput)),
        ] {
            let refused = front.admit_host(path, &ask(&front, path, host)).err().map(|fault| fault.code());
            assert_eq!(refused, code, "{path} {host:?}");
        }
    }

    #[test]
    fn probes_answer_over_plain_http() {
        let front = front(None);
        for (uri, passes) in [("/live", true), ("/health?x", true), ("/", false), ("/healthy", false)] {
            let peer = ask(&front, uri, Some("example.com"));
            let scheme = front.admit_scheme(&Method::GET, &uri.parse().unwrap(), &HeaderMap::new(), &peer);
            assert_eq!(scheme == Scheme::Pass, passes, "{uri}");
        }
    }
}
