//! The listener: sockets in, requests to the router. It bounds what a slow or silent client can hold, and on
//! shutdown lets requests in flight finish.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use web::Connection;

use crate::linger::Lingering;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4_096;
/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);
/// Requests of one HTTP/2 connection at the same time.
const STREAMS: u32 = 250;
/// A peer that does not answer a ping in this time is gone.
const PING: Duration = Duration::from_secs(20);

/// Takes the address, so that a port that is in use is known before anything else is done.
pub(crate) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
        .context("API_HOST: no socket")?;
    socket.set_reuseaddr(true).context("API_PORT: the socket refuses SO_REUSEADDR")?;
    let bound = socket.bind(address).and_then(|()| socket.listen(BACKLOG));
    bound.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!(
                "API_PORT: {address} is in use; stop the other program or choose another port with API_PORT"
            )
        }
        ErrorKind::PermissionDenied => {
            anyhow!("API_PORT: {address} may not be opened by this user; choose a port above 1023")
        }
        ErrorKind::AddrNotAvailable => anyhow!("API_HOST: {address} is no address of this machine"),
        _ => anyhow!("API_HOST: {address} cannot be opened: {error}"),
    })
}

/// Serves until `stop`, then lets requests in flight finish for `grace`.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, grace: Duration) {
    let graceful = GracefulShutdown::new();
    let builder = builder();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most often: wait for some to come back rather than spin.
                tracing::error!(%error, "no connection could be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        connection(&builder, &graceful, stream, peer, router.clone());
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(grace) => tracing::warn!("requests in flight were cut: they took longer than the shutdown may"),
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

fn connection(
    builder: &Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) {
    // Streams send small pieces; waiting to fill a packet would hold each of them back.
    let _ = stream.set_nodelay(true);
    let connection = Connection { peer: peer.ip(), tls: false };
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(connection);
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router
                    .oneshot(request.map(|body| Body::new(Lingering::new(body))))
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let serving = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let serving = graceful.watch(serving);
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
