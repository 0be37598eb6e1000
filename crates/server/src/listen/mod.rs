//! The listeners: sockets in, requests to the router. It bounds what a slow or silent client can hold, ends TLS where
//! that is configured, and on shutdown lets requests in flight finish.
//! It never looks at a request.

mod acme;
mod certificate;
mod connection;
mod der;
mod linger;
mod socket;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub(crate) use acme::{Acme, Authority};
pub(crate) use certificate::{Files, Keeper, MARGIN, load};
pub(crate) use socket::{Sockets, open};
pub(crate) use tls::Tls;

use connection::Served;

/// When a server is told to stop: what each listener does then.
#[derive(Clone)]
pub(crate) struct Stop {
    /// The server is leaving: answers over HTTP/1 tell the client to open another connection next time.
    pub(crate) leaving: CancellationToken,
    /// No connection is kept any longer.
    pub(crate) closing: CancellationToken,
    /// Requests in flight may take this long after that.
    pub(crate) grace: Duration,
}

/// A listener.
pub(crate) struct Listener {
    /// The socket.
    pub(crate) socket: TcpListener,
    /// TLS ends here.
    pub(crate) tls: Option<Arc<Tls>>,
    /// How many connections all listeners may hold.
    pub(crate) room: Arc<Semaphore>,
}

impl Listener {
    /// Serves until `stop`, then lets requests in flight finish. Until they have, new connections are still answered,
    /// one request each: load balancers have to hear from `/ready` that this server is leaving.
    pub(crate) async fn serve(self, router: Router, stop: Stop) {
        let (serving, late) = (GracefulShutdown::new(), GracefulShutdown::new());
        let served = Served::new(router, self.tls.clone(), stop.leaving.clone());
        loop {
            tokio::select! {
                biased;
                () = stop.closing.cancelled() => break,
                accepted = self.socket.accept() => self.take(accepted, &served, &serving).await,
            }
        }
        let served = served.last();
        let drained = serving.shutdown();
        tokio::pin!(drained);
        let over = tokio::time::sleep(stop.grace);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut drained => break,
                () = &mut over => break,
                accepted = self.socket.accept() => self.take(accepted, &served, &late).await,
            }
        }
        drop(self.socket);
        tokio::select! {
            () = late.shutdown() => {}
            () = &mut over => {}
        }
        if over.is_elapsed() {
            tracing::warn!("requests in flight were cut: they took longer than the shutdown may");
        }
    }

    async fn take(
        &self,
        accepted: std::io::Result<(TcpStream, SocketAddr)>,
        served: &Served,
        graceful: &GracefulShutdown,
    ) {
        match accepted {
            Ok((stream, peer)) => match Arc::clone(&self.room).try_acquire_owned() {
                Ok(place) => {
                    let (served, watcher) = (served.clone(), graceful.watcher());
                    tokio::spawn(async move {
                        served.connection(stream, peer, watcher).await;
                        drop(place);
                    });
                }
                Err(_) => {
                    metrics::counter!("stoa_connections_refused_total").increment(1);
                    tracing::debug!("a connection was refused: MAX_CONNECTIONS are open");
                }
            },
            Err(error) => {
                // Out of file descriptors, most often: wait for some to come back rather than spin.
                tracing::error!(%error, "no connection could be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
