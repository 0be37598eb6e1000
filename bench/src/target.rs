//! Where requests may go: loopback and nowhere else. A load driver pointed at somebody else's server is a weapon.

use std::net::SocketAddr;

use anyhow::{Result, bail};
use hyper::Uri;

/// The socket of an `http` address on loopback, and the path behind it.
pub(crate) fn socket(url: &str) -> Result<(SocketAddr, String)> {
    let address = authority(url)?;
    let uri: Uri = url.parse()?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok((address, path.to_owned()))
}

/// The socket of an `http` address on loopback. Refuses every other.
pub(crate) fn authority(url: &str) -> Result<SocketAddr> {
    let uri: Uri = url.parse()?;
    if uri.scheme_str() != Some("http") {
        bail!("write the target as http://127.0.0.1:PORT");
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let host = if host == "localhost" { "127.0.0.1" } else { host };
    // Names are not resolved: a name can point anywhere.
    let Ok(ip) = host.parse::<std::net::IpAddr>() else {
        bail!("the target must be an address of loopback, not a name");
    };
    if !ip.is_loopback() {
        bail!("{ip} is not loopback; this driver measures the machine it runs on and nothing else");
    }
    Ok(SocketAddr::new(ip, uri.port_u16().unwrap_or(80)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_a_target() {
        assert_eq!(authority("http://127.0.0.1:9000/v1").unwrap().port(), 9000);
        assert_eq!(socket("http://localhost:1/a?b=c").unwrap().1, "/a?b=c");
        assert!(authority("http://[::1]:9000").is_ok());
        for bad in ["http://10.0.0.1/", "http://example.com/", "https://127.0.0.1/", "http://0.0.0.0/", "x"] {
            assert!(authority(bad).is_err(), "{bad}");
        }
    }
}
