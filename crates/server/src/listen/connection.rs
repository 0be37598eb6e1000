//! One connection: the handshake, HTTP/1 or HTTP/2, and how long a client may take to ask.
//! A head that comes slowly is not waited for; a connection that is kept and silent is left alone for longer than any
//! load balancer keeps it, because closing one just as it is used again costs somebody a request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use web::Connection;

use super::linger::Lingering;
use super::tls::{Shaken, Tls};

/// How long the head of a request may take to arrive, and the handshake and the first head together.
const HEAD: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// A kept connection that asks nothing is closed after this. Load balancers close theirs after 60 s; whoever closes
/// first must not be the one who is asked.
const IDLE: Duration = Duration::from_secs(75);
/// The largest head, in bytes.
const HEAD_BYTES: u32 = 64 * 1024;
/// Requests of one HTTP/2 connection at the same time.
const STREAMS: u32 = 250;
/// Streams of one HTTP/2 connection that were reset before anybody looked at them; more end the connection.
const RESETS: usize = 40;
/// Streams that this side had to reset because the client broke the protocol; more end the connection.
const FAULTS: usize = 256;
/// A peer that does not answer a ping in this time is gone.
const PING: Duration = Duration::from_secs(20);

/// What every connection of a listener is served with.
#[derive(Clone)]
pub(super) struct Served {
    router: Router,
    tls: Option<Arc<Tls>>,
    leaving: CancellationToken,
    keep: bool,
}

impl Served {
    pub(super) fn new(router: Router, tls: Option<Arc<Tls>>, leaving: CancellationToken) -> Served {
        Served { router, tls, leaving, keep: true }
    }

    /// The same for connections that come when the server is closing: one request each.
    pub(super) fn last(self) -> Served {
        Served { keep: false, ..self }
    }

    /// Serves a connection to its end.
    pub(super) async fn connection(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Streams send small pieces; waiting to fill a packet would hold each of them back.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else {
            return self.requests(self.builder(), stream, peer, watcher).await;
        };
        match tokio::time::timeout(HEAD, tls.shake(stream)).await {
            Ok(Ok(Shaken::Ready(stream))) => {
                let builder = match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => self.builder().http2_only(),
                    _ => self.builder().http1_only(),
                };
                self.requests(builder, *stream, peer, watcher).await;
            }
            Ok(Ok(Shaken::Challenge)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
            Err(_) => tracing::debug!("a handshake took too long"),
        }
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(HEAD_BYTES as usize)
            .keep_alive(self.keep);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEAD_BYTES)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(FAULTS)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING);
        builder
    }

    async fn requests<S>(
        &self,
        builder: Builder<TokioExecutor>,
        stream: S,
        peer: SocketAddr,
        watcher: Watcher,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let pace = Arc::new(Pace::new());
        let connection = Connection { peer: peer.ip(), tls: self.tls.is_some() };
        let (router, leaving, asked) = (self.router.clone(), self.leaving.clone(), Arc::clone(&pace));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(connection);
            let busy = asked.begin(request.version());
            let old = request.version() != Version::HTTP_2;
            let (router, leaving) = (router.clone(), leaving.clone());
            async move {
                let answer = router.oneshot(request.map(|body| Body::new(Lingering::new(body)))).await;
                let mut answer = answer.unwrap_or_else(|never| match never {});
                if old && leaving.is_cancelled() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(held(answer, busy))
            }
        });
        let stream = Paced { stream, pace: Arc::clone(&pace) };
        let serving = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        tokio::select! {
            ended = watcher.watch(serving) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
            }
            () = pace.too_slow() => tracing::debug!("a connection was closed: a head took too long"),
        }
    }
}

/// The request counts as being answered until the last byte of its answer is written.
fn held(answer: Response<Body>, busy: Busy) -> Response<Body> {
    if axum::body::HttpBody::is_end_stream(answer.body()) {
        return answer;
    }
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &busy;
            frame
        }))
    })
}

/// Since when a client has been sending a head.
struct Pace {
    began: Instant,
    /// Milliseconds since `began` plus one; zero: nothing is waited for.
    since: AtomicU64,
    /// Requests that are being answered.
    busy: AtomicUsize,
    /// HTTP/2, where frames that are no head come at any time. Its peer is watched by pings.
    framed: AtomicBool,
}

impl Pace {
    fn new() -> Pace {
        Pace {
            began: Instant::now(),
            since: AtomicU64::new(1),
            busy: AtomicUsize::new(0),
            framed: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// Bytes came.
    fn read(&self) {
        if self.busy.load(Ordering::Relaxed) == 0 && self.since.load(Ordering::Relaxed) == 0 {
            self.since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// A head is there.
    fn begin(self: &Arc<Pace>, version: Version) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
        if version == Version::HTTP_2 {
            self.framed.store(true, Ordering::Relaxed);
        }
        Busy(Arc::clone(self))
    }

    /// Waits until a head has taken too long.
    async fn too_slow(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let since = self.since.load(Ordering::Relaxed);
            if self.framed.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            if since > 0 && self.now().saturating_sub(since) > HEAD.as_millis() as u64 {
                return;
            }
        }
    }
}

/// A request that is being answered.
struct Busy(Arc<Pace>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that tells when bytes come.
struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        if into.filled().len() > before {
            self.pace.read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }
}
