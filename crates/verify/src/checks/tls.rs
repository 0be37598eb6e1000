//! What can be seen of TLS from outside: a chain that is trusted and lasts, nothing older than TLS 1.2, no cipher that
//! can be read. Old versions are asked for by hand, because no client library speaks them any more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::chance;
use crate::deployment::Deployment;
use crate::der;
use crate::verdict::{Verdict, ensure, fail, skip};

/// Authorities renew with 30 days left; with fewer than this the renewal has failed.
const FEW_DAYS: u64 = 14;
const PATIENCE: Duration = Duration::from_secs(5);

/// Ciphers of TLS 1.0 and 1.1 that any server of their time takes.
const OF_THEIR_TIME: [u16; 10] =
    [0xc014, 0xc013, 0xc00a, 0xc009, 0x0039, 0x0033, 0x0035, 0x002f, 0x000a, 0x0005];
/// Without encryption, for export, anonymous, RC4, DES, 3DES: what must be refused in every version.
const BROKEN: [u16; 12] =
    [0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0008, 0x0009, 0x000a, 0x0018, 0x003b, 0xc007, 0xc011];

/// The certificate, the versions, the ciphers.
pub(crate) async fn versions(deployment: &Deployment) -> Verdict {
    if !deployment.https() {
        return Err(skip("the address is plain HTTP"));
    }
    deployment.client.get("/live").send().await?;
    let Some(certificate) = deployment.client.certificate() else {
        return Err(fail("the certificate could not be had"));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = match der::ends(&certificate) {
        Some(ends) => ends.saturating_sub(now) / 86_400,
        None => return Err(fail("the certificate cannot be read")),
    };
    ensure(days >= FEW_DAYS, || format!("the certificate ends in {days} days")).map_err(|stop| {
        stop.why("from then on nobody gets in").fix("look at why it was not renewed, and renew it")
    })?;
    for (name, version, ciphers) in [
        ("TLS 1.0", 0x0301, &OF_THEIR_TIME[..]),
        ("TLS 1.1", 0x0302, &OF_THEIR_TIME[..]),
        ("TLS 1.2 with a broken cipher", 0x0303, &BROKEN[..]),
    ] {
        let taken = accepts(deployment, version, ciphers).await?;
        ensure(!taken, || format!("{name} is taken"))?;
    }
    Ok(format!("trusted, {days} days left; TLS 1.0, TLS 1.1 and broken ciphers are refused"))
}

/// Says hello in this version and listens whether the server goes on.
async fn accepts(deployment: &Deployment, version: u16, ciphers: &[u16]) -> Verdict<bool> {
    let url = deployment.client.base();
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let talk = async {
        let mut socket = TcpStream::connect((host, port)).await?;
        socket.write_all(&hello(version, ciphers, host)).await?;
        let mut head = [0; 6];
        socket.read_exact(&mut head).await?;
        std::io::Result::Ok(head)
    };
    match tokio::time::timeout(PATIENCE, talk).await {
        // A handshake record (22) with a ServerHello (2) in it: it goes on. Anything else is a refusal.
        Ok(Ok(head)) => Ok(head.first() == Some(&22) && head.last() == Some(&2)),
        Ok(Err(fault)) if fault.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(fail(format!("no connection ({fault})")))
        }
        Ok(Err(_)) => Ok(false),
        Err(_) => Err(fail(format!("no answer to a TLS hello within {} s", PATIENCE.as_secs()))),
    }
}

/// A ClientHello (RFC 5246, section 7.4.1.2) in its record.
fn hello(version: u16, ciphers: &[u16], host: &str) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    for _ in 0..4 {
        body.extend_from_slice(&chance::bits().to_be_bytes());
    }
    body.push(0); // no session
    sized(&mut body, &ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()).collect::<Vec<_>>());
    body.extend_from_slice(&[1, 0]); // no compression
    let mut extensions = Vec::new();
    if host.parse::<std::net::IpAddr>().is_err() {
        let mut name = vec![0];
        sized(&mut name, host.as_bytes());
        let mut list = Vec::new();
        sized(&mut list, &name);
        extension(&mut extensions, 0, &list); // server_name
    }
    extension(&mut extensions, 10, &[0, 6, 0, 29, 0, 23, 0, 24]); // supported_groups
    extension(&mut extensions, 11, &[1, 0]); // ec_point_formats
    if version >= 0x0303 {
        // signature_algorithms: with SHA-256 and with SHA-1
        extension(&mut extensions, 13, &[0, 10, 4, 3, 4, 1, 8, 4, 2, 3, 2, 1]);
    }
    sized(&mut body, &extensions);
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let mut handshake = vec![1];
    handshake.extend(length.iter().skip(1));
    handshake.extend(body);
    let mut record = vec![22, 3, 1];
    sized(&mut record, &handshake);
    record
}

/// Appends bytes behind their length in two bytes.
fn sized(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    to.extend_from_slice(bytes);
}

fn extension(to: &mut Vec<u8>, kind: u16, bytes: &[u8]) {
    to.extend_from_slice(&kind.to_be_bytes());
    sized(to, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_in_a_hello_is_right() {
        for host in ["chat.example.com", "192.0.2.1"] {
            let bytes = hello(0x0303, &BROKEN, host);
            let number = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
            assert_eq!(number(3), bytes.len() - 5, "the record");
            assert_eq!(number(7), bytes.len() - 9, "the message");
            let ciphers = 5 + 4 + 2 + 32 + 1;
            assert_eq!(number(ciphers), BROKEN.len() * 2);
            let extensions = ciphers + 2 + BROKEN.len() * 2 + 2;
            assert_eq!(number(extensions), bytes.len() - extensions - 2);
        }
    }
}
