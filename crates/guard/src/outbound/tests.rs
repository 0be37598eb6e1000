//! The client against small servers on loopback that behave well or badly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant as Wall;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;

const CONNECT: Duration = Duration::from_millis(500);

/// A server that hands each connection, after the head of its first request, to `serve`.
async fn server<F>(serve: impl Fn(TcpStream, String) -> F + Send + Sync + 'static) -> Url
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x?y", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head(&mut stream).await;
            tokio::spawn(serve(stream, head));
        }
    });
    url
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A server that answers each connection with these bytes and then waits until the client goes.
async fn answering(answer: &'static str) -> Url {
    server(move |mut stream, _| async move {
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

fn outbound() -> Outbound {
    Outbound::new(CONNECT).unwrap()
}

fn within(url: &Url, bounds: Bounds) -> Request {
    Request::get(url.clone(), HeaderMap::new()).within(bounds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test]
async fn a_post_arrives_and_its_answer_comes_back() {
    let url = server(|mut stream, head| async move {
        let mut body = [0; 7];
        stream.read_exact(&mut body).await.unwrap();
        let echo = head.to_lowercase() + &String::from_utf8_lossy(&body);
        let answer =
            format!("HTTP/1.1 201 Created\r\nx-a: b\r\ncontent-length: {}\r\n\r\n{echo}", echo.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let mut headers = HeaderMap::new();
    let mut key = HeaderValue::from_static("Bearer key");
    key.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, key);
    let answer =
        outbound().operator().post_json(&url, headers, Bytes::from_static(b"{\"a\":1}")).await.unwrap();
    assert_eq!(
        (answer.status, &answer.headers["x-a"]),
        (StatusCode::CREATED, &HeaderValue::from_static("b"))
    );
    let echo = String::from_utf8(answer.body.collect().await.unwrap().to_vec()).unwrap();
    for line in ["post /x?y http/1.1", "authorization: bearer key", "content-type: application/json", "stoa/"]
    {
        assert!(echo.contains(line), "{echo}");
    }
    assert!(echo.ends_with("{\"a\":1}"));
}

#[tokio::test]
async fn connections_are_used_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = connections.clone();
    let url = server(move |mut stream, _| {
        seen.fetch_add(1, Ordering::Relaxed);
        async move {
            loop {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                if head(&mut stream).await.is_empty() {
                    return;
                }
            }
        }
    })
    .await;
    let outbound = outbound();
    for _ in 0..5 {
        let answer = outbound.operator().get(&url, HeaderMap::new()).await.unwrap();
        assert_eq!(answer.body.collect().await.unwrap(), "ok");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let url = answering(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let answer = outbound().operator().get(&url, HeaderMap::new()).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
}

/// A server that streams without end and reports when its client has gone.
async fn endless() -> (Url, mpsc::UnboundedReceiver<()>) {
    let (gone, seen) = mpsc::unbounded_channel();
    let url = server(move |mut stream, _| {
        let gone = gone.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            loop {
                let wrote = stream.write_all(b"5\r\nhello\r\n").await;
                let read = tokio::time::timeout(millis(5), stream.read(&mut [0; 1])).await;
                if wrote.is_err() || matches!(read, Ok(Ok(0) | Err(_))) {
                    let _ = gone.send(());
                    return;
                }
            }
        }
    })
    .await;
    (url, seen)
}

#[tokio::test]
async fn dropping_the_body_or_the_call_closes_the_connection_at_once() {
    let outbound = outbound();
    let (url, mut gone) = endless().await;
    let mut answer = outbound.operator().get(&url, HeaderMap::new()).await.unwrap();
    assert!(answer.body.chunk().await.unwrap().is_some());
    let dropped = Wall::now();
    drop(answer);
    gone.recv().await.unwrap();
    assert!(dropped.elapsed() < millis(200), "{:?}", dropped.elapsed());

    let (gone, mut seen) = mpsc::unbounded_channel();
    let url = server(move |mut stream, _| {
        let gone = gone.clone();
        async move {
            let _ = stream.read(&mut [0; 1]).await;
            let _ = gone.send(());
        }
    })
    .await;
    let call = outbound.operator().get(&url, HeaderMap::new());
    assert!(tokio::time::timeout(millis(50), call).await.is_err());
    let dropped = Wall::now();
    seen.recv().await.unwrap();
    assert!(dropped.elapsed() < millis(200), "{:?}", dropped.elapsed());
}

#[tokio::test]
async fn every_step_has_its_time() {
    let outbound = outbound();
    let silent = server(|mut stream, _| async move {
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let bounds = Bounds { first_byte: millis(60), ..Bounds::OPERATOR };
    let failure = outbound.operator().send(within(&silent, bounds)).await.unwrap_err();
    assert_eq!(failure, Failure::Timeout(Step::FirstByte));

    let stops = answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
    let bounds = Bounds { idle: millis(60), ..Bounds::OPERATOR };
    let mut answer = outbound.operator().send(within(&stops, bounds)).await.unwrap();
    assert_eq!(answer.body.chunk().await.unwrap().unwrap(), "hello");
    assert_eq!(answer.body.chunk().await, Err(Failure::Timeout(Step::Idle)));
    assert_eq!(answer.body.chunk().await, Ok(None), "after a failure the body is over");

    // It drips forever and is never idle for long.
    let (drips, _gone) = endless().await;
    let bounds = Bounds { total: millis(100), idle: millis(90), ..Bounds::OPERATOR };
    let begun = Wall::now();
    let answer = outbound.operator().send(within(&drips, bounds)).await.unwrap();
    assert_eq!(answer.body.collect().await, Err(Failure::Timeout(Step::Total)));
    assert!(begun.elapsed() < millis(400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn bytes_are_counted() {
    let outbound = outbound();
    let bounds = Bounds { bytes: 12, ..Bounds::OPERATOR };
    let announced = answering("HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n").await;
    assert_eq!(outbound.operator().send(within(&announced, bounds)).await.unwrap_err(), Failure::TooLarge);
    let (endless, mut gone) = endless().await;
    let answer = outbound.operator().send(within(&endless, bounds)).await.unwrap();
    assert_eq!(answer.body.collect().await, Err(Failure::TooLarge));
    gone.recv().await.unwrap();
    let fits = answering(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello \r\n6\r\nworld!\r\n0\r\n\r\n",
    )
    .await;
    let answer = outbound.operator().send(within(&fits, bounds)).await.unwrap();
    assert_eq!(answer.body.collect().await.unwrap(), "hello world!");
}

#[tokio::test]
async fn what_is_broken_is_told_apart() {
    let outbound = outbound();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nobody: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let failure = outbound.operator().get(&nobody, HeaderMap::new()).await.unwrap_err();
    assert!(matches!(&failure, Failure::Connect(why) if why.contains("refused")), "{failure:?}");

    for garbage in ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let url = answering(garbage).await;
        let failure = outbound.operator().get(&url, HeaderMap::new()).await.unwrap_err();
        assert!(matches!(failure, Failure::Broken(_)), "{garbage:?} {failure:?}");
    }
    let cut = server(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
    })
    .await;
    let answer = outbound.operator().get(&cut, HeaderMap::new()).await.unwrap();
    assert!(matches!(answer.body.collect().await, Err(Failure::Broken(_))));

    let mut tls = answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    tls.set_scheme("https").unwrap();
    let failure = outbound.operator().get(&tls, HeaderMap::new()).await.unwrap_err();
    assert!(matches!(failure, Failure::Connect(_) | Failure::Timeout(Step::Connect)), "{failure:?}");
}

#[tokio::test]
async fn the_public_face_refuses_private_addresses() {
    let url = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let port = url.port().unwrap();
    let outbound = outbound();
    assert!(outbound.operator().get(&url, HeaderMap::new()).await.is_ok());
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "127.1"] {
        let url: Url = format!("http://{host}:{port}/").parse().unwrap();
        let failure = outbound.public().get(&url, HeaderMap::new()).await.unwrap_err();
        assert_eq!(failure, Failure::Refused(Rule::Address), "{host}");
    }
}

/// A public face whose resolver gives these addresses, and which takes loopback for public.
fn face(found: &'static [&'static str], asked: Arc<AtomicUsize>) -> Client {
    let find = move |_: String| -> Found {
        asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { Ok(found.iter().map(|ip| ip.parse().unwrap()).collect()) })
    };
    let open = |ip: IpAddr| is_public(ip) || ip == IpAddr::from([127, 0, 0, 1]);
    let lookup = Lookup { find: Arc::new(find), open };
    Client::guarded(CONNECT, tls().unwrap(), lookup, |url| admit_url(url, is_public)).unwrap()
}

#[tokio::test]
async fn a_name_is_resolved_once_and_every_address_is_checked() {
    let url = server(|mut stream, head| async move {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let url: Url = format!("http://docs.example:{}/", url.port().unwrap()).parse().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = face(&["127.0.0.1"], asked.clone()).get(&url, HeaderMap::new()).await.unwrap();
    let head = answer.body.collect().await.unwrap();
    assert!(String::from_utf8_lossy(&head).contains("host: docs.example:"), "{head:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    for found in [
        &["127.0.0.1", "10.0.0.1"][..],
        &["127.0.0.1", "::1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["64:ff9b::a9fe:a9fe"],
        &[],
    ] {
        let failure = face(found, asked.clone()).get(&url, HeaderMap::new()).await.unwrap_err();
        assert_eq!(failure, Failure::Refused(Rule::Address), "{found:?}");
    }
}

#[tokio::test]
async fn the_public_face_tightens_bounds() {
    let wide = Bounds { bytes: u64::MAX, total: Duration::MAX, ..Bounds::OPERATOR };
    assert_eq!(Bounds::PUBLIC.and(wide).bytes, Bounds::PUBLIC.bytes);
    assert_eq!(Bounds::PUBLIC.and(wide).total, Bounds::PUBLIC.total);
    let answer: &str = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    let url = answering(answer).await;
    let url: Url = format!("http://docs.example:{}/", url.port().unwrap()).parse().unwrap();
    let face = face(&["127.0.0.1"], Arc::default());
    assert_eq!(face.send(within(&url, wide)).await.unwrap_err(), Failure::TooLarge);
    // Spans beyond what a timer can hold are a very long time, not a panic.
    let url = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let forever =
        Bounds { first_byte: Duration::MAX, idle: Duration::MAX, total: Duration::MAX, bytes: u64::MAX };
    let request = Request::new(Method::GET, url, HeaderMap::new(), Bytes::new()).within(forever);
    assert_eq!(outbound().operator().send(request).await.unwrap().body.collect().await.unwrap(), "ok");
}

/// `cargo test --release -p guard calls_per_second -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement"]
async fn calls_per_second() {
    let begun = Wall::now();
    let outbound = outbound();
    eprintln!("making the client: {:?}", begun.elapsed());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    // The server runs on a thread of its own, so that the time of this thread is the client's.
    let listener = listener.into_std().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        listener.set_nonblocking(false).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut read = [0; 4096];
        while stream.read(&mut read).unwrap_or(0) > 0 {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        }
    });
    let calls = 20_000;
    let begun = Wall::now();
    for _ in 0..calls {
        let body = Bytes::from_static(b"{\"model\":\"m\",\"messages\":[]}");
        let answer = outbound.operator().post_json(&url, HeaderMap::new(), body).await.unwrap();
        assert_eq!(answer.body.collect().await.unwrap().len(), 2);
    }
    eprintln!("one call after the other on one connection: {:?} each", begun.elapsed() / calls);
}
