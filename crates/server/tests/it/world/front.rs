//! A load balancer as operators run them: it asks every replica for `/ready`, hands requests to the next one that said
//! yes, keeps connections open between requests, and never tries twice.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Empty};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

/// How often each replica is asked; load balancers ask every second or two, and a restart waits in proportion.
const PACE: Duration = Duration::from_millis(100);
/// A replica that does not answer in this time is not ready.
const PATIENCE: Duration = Duration::from_millis(900);

type Answer = Response<Either<Incoming, Empty<Bytes>>>;

/// A replica as the balancer knows it.
struct Replica {
    address: SocketAddr,
    ready: AtomicBool,
}

#[derive(Default)]
struct Shared {
    replicas: Mutex<Vec<Arc<Replica>>>,
    turn: AtomicUsize,
    failed: AtomicU64,
}

/// The balancer. It serves as long as the runtime lives.
#[derive(Clone)]
pub struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Front {
    /// Starts one without replicas.
    pub async fn start() -> std::io::Result<Front> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let front = Front { address: listener.local_addr()?, shared: Arc::default() };
        let shared = Arc::clone(&front.shared);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Client<_, Incoming> = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            // What fails is to be seen.
            .retry_canceled_requests(false)
            .build(connector);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (shared, client) = (Arc::clone(&shared), client.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let (shared, client) = (Arc::clone(&shared), client.clone());
                        async move { Ok::<_, Infallible>(pass(&shared, &client, request).await) }
                    });
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(front)
    }

    /// Takes a replica in; it gets requests once it said that it is ready.
    pub fn add(&self, address: SocketAddr) {
        let replica = Arc::new(Replica { address, ready: AtomicBool::new(false) });
        self.list().push(Arc::clone(&replica));
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            while let Some(shared) = shared.upgrade() {
                let kept = lock(&shared).iter().any(|other| Arc::ptr_eq(other, &replica));
                drop(shared);
                if !kept {
                    return;
                }
                let ready = tokio::time::timeout(PATIENCE, is_ready(address)).await.unwrap_or(false);
                replica.ready.store(ready, Ordering::Release);
                tokio::time::sleep(PACE).await;
            }
        });
    }

    /// Forgets a replica.
    pub fn remove(&self, address: SocketAddr) {
        self.list().retain(|replica| replica.address != address);
    }

    /// How many replicas said that they are ready.
    pub fn ready(&self) -> usize {
        self.list().iter().filter(|replica| replica.ready.load(Ordering::Acquire)).count()
    }

    /// Requests that no replica answered.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Replica>>> {
        lock(&self.shared)
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Vec<Arc<Replica>>> {
    shared.replicas.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(
    shared: &Shared,
    client: &Client<HttpConnector, Incoming>,
    mut request: Request<Incoming>,
) -> Answer {
    let next = {
        let all = lock(shared);
        let ready: Vec<_> = all.iter().filter(|replica| replica.ready.load(Ordering::Acquire)).collect();
        let turn = shared.turn.fetch_add(1, Ordering::Relaxed);
        turn.checked_rem(ready.len()).and_then(|place| ready.get(place)).map(|replica| replica.address)
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = next.and_then(|address| format!("http://{address}{path}").parse::<Uri>().ok());
    let Some(uri) = uri else { return failed(shared, StatusCode::SERVICE_UNAVAILABLE) };
    *request.uri_mut() = uri;
    *request.version_mut() = hyper::Version::HTTP_11;
    match client.request(request).await {
        Ok(answer) => answer.map(Either::Left),
        Err(_) => failed(shared, StatusCode::BAD_GATEWAY),
    }
}

fn failed(shared: &Shared, status: StatusCode) -> Answer {
    shared.failed.fetch_add(1, Ordering::Relaxed);
    let mut answer = Response::new(Either::Right(Empty::new()));
    *answer.status_mut() = status;
    answer
}

async fn is_ready(address: SocketAddr) -> bool {
    let asked = async {
        let stream = tokio::net::TcpStream::connect(address).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        let driving = tokio::spawn(connection);
        let request =
            Request::get("/ready").header(HOST, address.to_string()).body(Empty::<Bytes>::new()).ok()?;
        let answer = sender.send_request(request).await.ok()?;
        let ready = answer.status() == StatusCode::OK;
        let _ = answer.into_body().collect().await;
        driving.abort();
        Some(ready)
    };
    asked.await.unwrap_or(false)
}
