//! The sockets that the server listens on: opened here, or handed over by whoever starts it (`LISTEN_FDS`, the way of
//! systemd), which keeps them open across a restart so that nobody is turned away meanwhile.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::{Context as _, anyhow};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4_096;

/// The sockets of a server.
pub(crate) struct Sockets {
    /// The one that people reach.
    pub(crate) main: TcpListener,
    /// Plain HTTP beside TLS.
    pub(crate) plain: Option<TcpListener>,
    /// The main one was handed over: who connects waits in its queue until the server answers.
    pub(crate) handed_over: bool,
}

/// Takes the addresses, so that a port that is in use is known before anything else is done. A socket that was handed
/// over takes the place of an address: the first is the main one, the second the plain one.
pub(crate) fn open(main: SocketAddr, plain: Option<SocketAddr>) -> anyhow::Result<Sockets> {
    let mut given = listenfd::ListenFd::from_env();
    let mut next = |place: usize| -> anyhow::Result<Option<TcpListener>> {
        let Some(socket) = given.take_tcp_listener(place).context("LISTEN_FDS: a socket is not for TCP")?
        else {
            return Ok(None);
        };
        socket.set_nonblocking(true).context("LISTEN_FDS: a socket that was handed over cannot be used")?;
        let socket = TcpListener::from_std(socket).context("LISTEN_FDS: a socket cannot be used")?;
        tracing::info!(address = ?socket.local_addr().ok(), "a socket was handed over");
        Ok(Some(socket))
    };
    let (first, second) = (next(0)?, next(1)?);
    let handed_over = first.is_some();
    let main = match first {
        Some(socket) => socket,
        None => bind(main, "API_PORT")?,
    };
    let plain = match (plain, second) {
        (None, _) => None,
        (Some(_), Some(socket)) => Some(socket),
        (Some(address), None) => Some(bind(address, "TLS_PLAIN_PORT")?),
    };
    Ok(Sockets { main, plain, handed_over })
}

fn bind(address: SocketAddr, port: &'static str) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
        .context("API_HOST: no socket")?;
    socket.set_reuseaddr(true).with_context(|| format!("{port}: the socket refuses SO_REUSEADDR"))?;
    let bound = socket.bind(address).and_then(|()| socket.listen(BACKLOG));
    bound.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("{port}: {address} is in use; stop the other program or choose another port with {port}")
        }
        ErrorKind::PermissionDenied => {
            anyhow!("{port}: {address} may not be opened by this user; choose a port above 1023")
        }
        ErrorKind::AddrNotAvailable => anyhow!("API_HOST: {address} is no address of this machine"),
        _ => anyhow!("API_HOST: {address} cannot be opened: {error}"),
    })
}
