//! Where alerts and mails go. Values are valid already: `server::settings` made them.

use std::time::Duration;

use kernel::Secret;
use url::Url;

/// Where alerts and mails go. Everything may be absent.
#[derive(Clone, Debug)]
pub struct Config {
    /// Alerts as signed JSON.
    pub webhook: Option<Webhook>,
    /// Alerts in Slack's form. The address is the credential.
    pub slack: Option<Secret<String>>,
    /// The mail server.
    pub smtp: Option<Smtp>,
    /// Who gets alerts by mail.
    pub alert_email: Option<String>,
    /// How often the outbox is looked at.
    pub pace: Duration,
}

/// Alerts as signed JSON.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address; it may hold a token.
    pub url: Secret<String>,
    /// The key of the signature.
    pub secret: Secret<String>,
}

/// The mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// User and password.
    pub login: Option<(String, Secret<String>)>,
    /// The sender of every mail: `Name <address>` or an address.
    pub from: String,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// TLS after `STARTTLS`, and nothing without it.
    StartTls,
    /// None: the server is on this machine.
    None,
}

/// The port of mail submission, and that of mail submission over TLS (RFC 6409, RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSION_TLS: u16 = 465;

impl Smtp {
    /// Reads `smtp://user:password@host:port` or `smtps://…`; on failure says what it must look like, without
    /// repeating it. Plain SMTP must become TLS on the way, except to this machine.
    pub fn parse(url: &str, from: String) -> Result<Smtp, &'static str> {
        const FORM: &str =
            "must be `smtp://` or `smtps://` with a host, as in `smtp://user:password@mail.example.com`";
        let url = Url::parse(url).map_err(|_| FORM)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let plain = !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
        if plain {
            return Err(FORM);
        }
        let (protection, port) = match url.scheme() {
            "smtps" => (Protection::Tls, SUBMISSION_TLS),
            "smtp" if is_loopback(&host) => (Protection::None, SUBMISSION),
            "smtp" => (Protection::StartTls, SUBMISSION),
            _ => return Err(FORM),
        };
        let login = match (decoded(url.username())?, url.password()) {
            (user, _) if user.is_empty() => None,
            (user, password) => Some((user, Secret::new(decoded(password.unwrap_or_default())?))),
        };
        Ok(Smtp { host, port: url.port().unwrap_or(port), protection, login, from })
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Undoes percent encoding.
fn decoded(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "holds a user name or password that is not well percent-encoded";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit().ok_or(FORM)?, digit().ok_or(FORM)?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| FORM)?);
    }
    let text = String::from_utf8(bytes).map_err(|_| FORM)?;
    // A line break would end the command that it stands in.
    if text.contains(char::is_control) { Err(FORM) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (String, u16, Protection, Option<(String, String)>);

    fn read(url: &str) -> Option<Read> {
        let smtp = Smtp::parse(url, "a@b.test".to_owned()).ok()?;
        let login = smtp.login.map(|(user, password)| (user, password.expose().clone()));
        Some((smtp.host, smtp.port, smtp.protection, login))
    }

    #[test]
    fn addresses_are_read() {
        let login = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(
            read("smtp://mail.example.com"),
            Some(("mail.example.com".into(), 587, Protection::StartTls, None))
        );
        assert_eq!(
            read("smtps://ops%40example.com:p%3As%25w@mail.example.com"),
            Some(("mail.example.com".into(), 465, Protection::Tls, login("ops@example.com", "p:s%w")))
        );
        assert_eq!(
            read("smtp://u:p@mail.example.com:2525/"),
            Some(("mail.example.com".into(), 2525, Protection::StartTls, login("u", "p")))
        );
        for local in ["smtp://127.0.0.1:25", "smtp://localhost:25", "smtp://[::1]:25"] {
            assert_eq!(read(local).unwrap().2, Protection::None, "{local}");
        }
        for bad in [
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://mail.example.com/path",
            "smtp://mail.example.com?tls=none",
            "smtp://u%0d%0aRCPT:p@mail.example.com",
            "smtp://u%zz:p@mail.example.com",
            "smtp://localhost.example.com/x",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read("smtp://localhost.example.com").unwrap().2, Protection::StartTls);
    }
}
