//! The relying party itself: the name that passkeys are bound to, and the addresses of the pages that may ask for them.

use std::fmt;

use crypto::CookieJar;
use kernel::{Code, Fault, Secret};
use ring::digest;
use url::{Host, Url};

/// The one name without a certificate that browsers trust.
const LOCALHOST: &str = "localhost";

/// The relying party. Cheap to keep, dear to change: a passkey of one id is of no use under another.
#[derive(Clone)]
pub struct Party {
    pub(super) id: String,
    pub(super) name: String,
    origins: Origins,
    pub(super) jar: CookieJar,
}

#[derive(Clone)]
enum Origins {
    Exactly(Vec<String>),
    /// `localhost` under any port.
    Local,
}

/// Why a public address cannot have passkeys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// Browsers bind no passkey to an address.
    Address(String),
    /// Browsers have no passkeys over plain HTTP.
    Insecure(String),
    /// A further address is neither the public one's host nor below it.
    Elsewhere(String),
    /// Not the address of a page at all.
    NoHost(String),
}

impl Party {
    /// The party of a server with this public URL. Its host is the id that passkeys are bound to; pages under the URLs
    /// in `further` may use them too when their host is the same or below it. The first secret seals states, all of
    /// them open.
    pub fn new(
        name: &str,
        public: &Url,
        further: &[Url],
        secrets: &[Secret<String>],
    ) -> Result<Party, Unfit> {
        let id = host(public)?;
        let mut origins = vec![public.origin().ascii_serialization()];
        for url in further {
            let host = host(url)?;
            if host != id && !host.strip_suffix(&id).is_some_and(|rest| rest.ends_with('.')) {
                return Err(Unfit::Elsewhere(url.origin().ascii_serialization()));
            }
            origins.push(url.origin().ascii_serialization());
        }
        Ok(Party {
            id,
            name: name.to_owned(),
            origins: Origins::Exactly(origins),
            jar: CookieJar::new(secrets),
        })
    }

    /// The party of a server without a public URL, for development: `localhost`, under whatever port it is opened.
    pub fn local(name: &str, secrets: &[Secret<String>]) -> Party {
        let jar = CookieJar::new(secrets);
        Party { id: LOCALHOST.to_owned(), name: name.to_owned(), origins: Origins::Local, jar }
    }

    /// Takes these secrets from now on; what has begun goes on as long as its secret is among them.
    pub fn renew(&self, secrets: &[Secret<String>]) {
        self.jar.renew(secrets);
    }

    /// The id that passkeys are bound to. A page offers passkeys when its own host is this or below it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether a page of this origin, as the browser writes it, may use the passkeys.
    pub(super) fn admits(&self, origin: &str) -> bool {
        match &self.origins {
            Origins::Exactly(origins) => origins.iter().any(|one| one == origin),
            Origins::Local => Url::parse(origin).is_ok_and(|url| {
                host(&url).is_ok_and(|host| host == LOCALHOST) && url.origin().ascii_serialization() == origin
            }),
        }
    }

    /// What authenticators sign instead of the id.
    pub(super) fn hash(&self) -> digest::Digest {
        digest::digest(&digest::SHA256, self.id.as_bytes())
    }
}

/// The host of a page that can have passkeys.
fn host(url: &Url) -> Result<String, Unfit> {
    let host = match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() && !name.ends_with('.') => name,
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {
            return Err(Unfit::Address(url.host_str().unwrap_or_default().to_owned()));
        }
        _ => return Err(Unfit::NoHost(url.to_string())),
    };
    let local = host == LOCALHOST || host.ends_with(".localhost");
    match url.scheme() {
        "https" => Ok(host.to_owned()),
        "http" if local => Ok(host.to_owned()),
        "http" => Err(Unfit::Insecure(url.origin().ascii_serialization())),
        _ => Err(Unfit::NoHost(url.to_string())),
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Address(address) => write!(
                f,
                "passkeys need a name: browsers bind none to the address {address}. Set PUBLIC_URL to a URL with a \
                 host name, for development http://localhost and the port"
            ),
            Unfit::Insecure(origin) => write!(
                f,
                "passkeys need HTTPS: browsers have none on {origin}. Set PUBLIC_URL to an https URL, for development \
                 http://localhost and the port"
            ),
            Unfit::Elsewhere(origin) => {
                write!(
                    f,
                    "passkeys of the public URL cannot be used on {origin}: it is neither its host nor below it"
                )
            }
            Unfit::NoHost(url) => write!(f, "passkeys need a URL with a host name, which {url} is not"),
        }
    }
}

impl std::error::Error for Unfit {}

impl From<Unfit> for Fault {
    fn from(unfit: Unfit) -> Fault {
        Fault::new(Code::NotFound)
            .say("This server has no passkeys: its public address does not allow them.")
            .because(unfit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(public: &str, further: &[&str]) -> Result<Party, Unfit> {
        let further: Vec<Url> = further.iter().map(|url| Url::parse(url).unwrap()).collect();
        Party::new("Stoa", &Url::parse(public).unwrap(), &further, &[])
    }

    #[test]
    fn the_id_is_the_host_of_the_public_url() {
        assert_eq!(party("https://Chat.Example.com:8443/x/?y", &[]).unwrap().id(), "chat.example.com");
        assert_eq!(party("https://bücher.example", &[]).unwrap().id(), "xn--bcher-kva.example");
        assert_eq!(party("http://localhost:8080", &[]).unwrap().id(), "localhost");
        assert_eq!(party("http://stoa.localhost:8080", &[]).unwrap().id(), "stoa.localhost");
        assert_eq!(party("https://intranet", &[]).unwrap().id(), "intranet");
    }

    #[test]
    fn what_cannot_have_passkeys_is_told_why() {
        for (url, unfit) in [
            ("http://127.0.0.1:8080", Unfit::Address("127.0.0.1".to_owned())),
            ("https://[::1]", Unfit::Address("[::1]".to_owned())),
            ("https://10.0.0.1", Unfit::Address("10.0.0.1".to_owned())),
            ("http://chat.example.com", Unfit::Insecure("http://chat.example.com".to_owned())),
            ("http://notlocalhost", Unfit::Insecure("http://notlocalhost".to_owned())),
            ("https://example.com.", Unfit::NoHost("https://example.com./".to_owned())),
            ("ftp://example.com", Unfit::NoHost("ftp://example.com/".to_owned())),
            ("mailto:a@example.com", Unfit::NoHost("mailto:a@example.com".to_owned())),
        ] {
            assert_eq!(party(url, &[]).err(), Some(unfit), "{url}");
        }
        assert!(party("http://127.0.0.1:8080", &[]).err().unwrap().to_string().contains("http://localhost"));
    }

    #[test]
    fn origins_are_compared_to_the_letter() {
        let party =
            party("https://example.com/base", &["https://www.example.com", "https://example.com:8443"])
                .unwrap();
        for origin in ["https://example.com", "https://www.example.com", "https://example.com:8443"] {
            assert!(party.admits(origin), "{origin}");
        }
        for origin in [
            "http://example.com",
            "https://example.com/",
            "https://example.com:443",
            "https://EXAMPLE.com",
            "https://a.example.com",
            "https://example.com.evil.net",
            "https://evil.net",
            "null",
            "",
        ] {
            assert!(!party.admits(origin), "{origin}");
        }
    }

    #[test]
    fn a_further_address_lies_at_or_below_the_id() {
        for url in ["https://evil.net", "https://notexample.com", "https://com"] {
            assert!(matches!(party("https://example.com", &[url]), Err(Unfit::Elsewhere(_))), "{url}");
        }
        assert!(matches!(party("https://example.com", &["https://10.0.0.1"]), Err(Unfit::Address(_))));
        assert!(matches!(party("https://example.com", &["http://a.example.com"]), Err(Unfit::Insecure(_))));
    }

    #[test]
    fn development_has_any_port_of_localhost_and_nothing_else() {
        let party = Party::local("Stoa", &[]);
        assert_eq!(party.id(), "localhost");
        for origin in ["http://localhost", "http://localhost:8080", "https://localhost:1"] {
            assert!(party.admits(origin), "{origin}");
        }
        for origin in [
            "http://127.0.0.1:8080",
            "http://localhost:8080/",
            "http://localhost:80",
            "http://localhost.evil.net",
            "http://a.localhost",
            "http://user@localhost",
            "ftp://localhost",
            "localhost",
        ] {
            assert!(!party.admits(origin), "{origin}");
        }
    }
}
