//! `stoa probe`: asks the server of this machine whether it lives or is ready, for containers that have no other program
//! to ask with. It reads the same settings as the server for its port, and nothing of its data.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use kernel::Ambient;

use super::data::sources;
use super::paper::print;
use crate::cli::{Global, Probe};
use crate::settings;
use crate::settings::table::server::{HOST, PORT};
use crate::settings::table::tls::{ACME_DOMAINS, TLS_CERT, TLS_PLAIN_PORT};

/// More than any probe's answer.
const LONGEST: u64 = 64 << 10;

/// Asks and says what came. `false`: it does not live, or is not ready.
pub(crate) fn run(global: &Global, probe: &Probe, ambient: &Ambient) -> anyhow::Result<bool> {
    let inspection = settings::inspect(&sources(global, global.flags(), ambient)?);
    let values = &inspection.values;
    let plain = values.get(&TLS_PLAIN_PORT);
    let ends_tls = values.get(&TLS_CERT).is_some() || values.get(&ACME_DOMAINS).is_some();
    if probe.port.is_none() && ends_tls && plain.is_none() {
        bail!(
            "this server speaks TLS alone, and the probe does not: set TLS_PLAIN_PORT, which answers probes"
        );
    }
    let port = probe.port.or_else(|| u16::try_from(plain.or_else(|| values.get(&PORT))?).ok());
    let port = port.context("the port cannot be read: set API_PORT, or name it with --port")?;
    let host = values.get(&HOST).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let address = reachable(SocketAddr::new(host, port));
    let path = format!("/{}", probe.what.as_str());
    let (status, body) = ask(address, &path, Duration::from_secs(probe.timeout))
        .map_err(|fault| anyhow!("nobody answers at {address}{path}: {fault}"))?;
    print(&format!("{status} {body}\n"))?;
    Ok(status == 200)
}

/// Where a server that listens on every address can be reached from this machine.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let host: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    SocketAddr::new(host, address.port())
}

/// One request by hand: a client with TLS, pools and redirects would take longer to start than this takes.
fn ask(address: SocketAddr, path: &str, patience: Duration) -> std::io::Result<(u16, String)> {
    let mut socket = TcpStream::connect_timeout(&address, patience)?;
    socket.set_read_timeout(Some(patience))?;
    socket.set_write_timeout(Some(patience))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    socket.take(LONGEST).read_to_end(&mut answer)?;
    read(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "this is no HTTP"))
}

/// Status and body of an answer.
fn read(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.chars().filter(|c| !c.is_control()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_rubbish_is_not() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{\n}";
        assert_eq!(read(answer), Some((503, "{}".to_owned())));
        for wrong in ["", "HTTP/1.1 200 OK\r\n", "SSH-2.0\r\n\r\n", "HTTP/1.1 x\r\n\r\n"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_server_on_every_address_is_asked_on_this_machine() {
        for (listens, asked) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("192.0.2.1:3", "192.0.2.1:3")]
        {
            assert_eq!(reachable(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
