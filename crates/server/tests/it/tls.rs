//! TLS that ends in the server: versions and protocols, HTTP to HTTPS, certificates that change, what a client may hold.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::secure::{Ca, get, now, whole};
use crate::world::{Caller, Case, KEY, Setup, World, check, eventually};

const HOST: &str = "chat.example.org";
const WAIT: Duration = Duration::from_secs(30);
const DAYS: i64 = 86_400;

/// A server of production that ends TLS with a certificate of this authority, and its port for plain HTTP.
async fn served(ca: &Ca) -> (World, std::net::SocketAddr) {
    let files = tempfile::tempdir().unwrap();
    ca.write(files.path(), &[HOST, "127.0.0.1"], now() + 60 * DAYS);
    // The folder of the certificate outlives the world that reads it.
    let files = files.keep();
    let setup = Setup::sqlite().production().unset("TRUSTED_PROXIES");
    let setup = setup.set("TLS_CERT_FILE", files.join("cert.pem").display());
    let setup = setup.set("TLS_KEY_FILE", files.join("key.pem").display());
    let world = setup.set("TLS_PLAIN_PORT", 0).set("ALERT_INTERVAL_MS", 100).start().await;
    let plain = |line: &serde_json::Value| line["message"].as_str().unwrap().starts_with("plain HTTP is");
    let plain = world.process.line("the plain port", plain).await;
    let plain = plain["address"].as_str().unwrap().parse().unwrap();
    (world, plain)
}

fn files(world: &World) -> std::path::PathBuf {
    std::path::Path::new(world.setting("TLS_CERT_FILE")).parent().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_is_served_and_http_leads_there() {
    let ca = Ca::new();
    let (world, plain) = served(&ca).await;
    let at = world.address();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = ca.shake(at, HOST, &["http/1.1"], &[version]).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
    }
    assert!(ca.shake(at, HOST, &["spdy/3"], rustls::ALL_VERSIONS).await.is_err());
    assert_eq!(old_hello(at).await, 0x15, "TLS 1.1 is answered with an alert");
    let page = ca.ask(at, get(HOST, "/").body(Full::default()).unwrap()).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains");
    let cookie = page.headers().get("set-cookie");
    assert!(cookie.is_none_or(|cookie| cookie.to_str().unwrap().contains("Secure")), "{cookie:?}");

    let mut sender = ca.http2(at, HOST).await;
    let asking: Vec<_> = (0..100)
        .map(|number| {
            let path = if number % 2 == 0 { "/api/v1/whoami" } else { "/sign-in" };
            let request = get(HOST, path).header("x-api-key", KEY).body(Full::default()).unwrap();
            sender.send_request(request)
        })
        .collect();
    for answer in futures_util::future::join_all(asking).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, http::Version::HTTP_2));
        assert!(!whole(answer).await.body().is_empty());
    }
    // A browser may send its cookies in pieces over HTTP/2 (RFC 9113, section 8.2.3).
    let visit = |cookies: Vec<String>| {
        let mut request = get(HOST, "/api/v1/conversations").method("POST");
        for cookie in cookies {
            request = request.header("cookie", cookie);
        }
        let request =
            request.header("origin", format!("https://{HOST}")).header("content-type", "application/json");
        request.body(Full::from(json!({"app": "assistant"}).to_string())).unwrap()
    };
    let first = sender.send_request(visit(Vec::new())).await.unwrap();
    assert_eq!(first.status(), 201);
    let visitor = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let again = sender.send_request(visit(vec!["theme=dark".into(), visitor, "x=y".into()])).await.unwrap();
    assert_eq!(again.status(), 201);
    let list = get(HOST, "/api/v1/conversations?app=assistant");
    let visitor = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let list = list.header("cookie", "theme=dark").header("cookie", visitor).body(Full::default()).unwrap();
    let list = whole(sender.send_request(list).await.unwrap()).await;
    let list: serde_json::Value = serde_json::from_slice(list.body()).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 2, "{list}");

    let stranger = Caller::new(plain).with("host", HOST);
    let holder = stranger.clone().with("x-api-key", KEY);
    let there = stranger.get("/apps/assistant?x=1").send().await;
    assert_eq!(
        (there.status, there.header("location")),
        (301, "https://chat.example.org/apps/assistant?x=1")
    );
    assert!(there.header("strict-transport-security").is_empty());
    check([
        Case::new(stranger.request("HEAD", "/sign-in"), 301),
        Case::new(stranger.post("/api/v1/chat").json(&json!({"message": "x"})), 403).code("https_required"),
        Case::new(stranger.delete("/api/v1/me"), 403).code("https_required"),
        Case::new(holder.get("/api/v1/apps"), 403).code("https_required"),
        Case::new(stranger.get("/live"), 200),
        Case::new(stranger.get("/ready"), 200),
        Case::new(stranger.get("/health"), 200).holds("\"https_enforced\":true"),
    ])
    .await;
    // Whoever speaks plain HTTP to the port of TLS gets no answer, and holds nobody up.
    assert!(Caller::new(at).get("/").try_send().await.is_err());
    let told = world.stoa(&["check"]).await;
    assert!(told.success() && told.out.contains("TLS ends here"), "{told:?}");
    assert!(told.out.contains("days left") && !told.out.contains("no proxy may say"), "{}", told.out);
}

/// A hello of TLS 1.1 with suites of its time; the type of the record that answers.
async fn old_hello(at: std::net::SocketAddr) -> u8 {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xC0, 0x13, 0x00, 0x2F, 1, 0]);
    let mut hello = vec![1, 0, 0, body.len() as u8];
    hello.extend(body);
    let mut record = vec![22, 3, 1, 0, hello.len() as u8];
    record.extend(hello);
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(&record).await.unwrap();
    stream.read_u8().await.unwrap()
}

/// A certificate that is renewed on the disk is shown within seconds, to new connections; one that is broken never.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_taken_over_while_connections_stand() {
    let ca = Ca::new();
    let (world, plain) = served(&ca).await;
    let (at, folder) = (world.address(), files(&world));
    let mut standing = ca.http2(at, HOST).await;
    let mut ask = async || {
        let request = get(HOST, "/live").body(Full::<Bytes>::default()).unwrap();
        standing.send_request(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 200);
    let second = ca.write(&folder, &[HOST], now() + 70 * DAYS);
    eventually(WAIT, "the new certificate is shown", async || ca.seen(at, HOST).await.unwrap() == second)
        .await;
    assert_eq!(ask().await, 200);
    // The key of somebody else: what is shown stays, and somebody is told.
    let key = std::fs::read(folder.join("key.pem")).unwrap();
    std::fs::write(
        folder.join("key.pem"),
        crate::world::secure::pem("PRIVATE KEY", &crate::world::secure::der::new_key().unwrap()),
    )
    .unwrap();
    let refused = |line: &serde_json::Value| {
        line["message"].as_str().unwrap().starts_with("the new certificate is refused")
    };
    eventually(WAIT, "the log says so", async || world.process.lines().iter().any(refused)).await;
    let alert = async |event: &'static str| {
        let found = world.audited(event).await;
        found.iter().any(|event| event.to_string().contains("certificate"))
    };
    eventually(WAIT, "an alert", async || alert("alert.raised").await).await;
    assert_eq!(ca.seen(at, HOST).await.unwrap(), second);
    std::fs::write(folder.join("key.pem"), &key).unwrap();
    // One that ends tomorrow is shown, and warned of, by the server as by the commands.
    let short = ca.write(&folder, &[HOST], now() + DAYS);
    world.process.signal(1);
    eventually(WAIT, "the short one is shown", async || ca.seen(at, HOST).await.unwrap() == short).await;
    let told = world.stoa(&["doctor"]).await;
    assert!(told.out.contains("0 days left") || told.out.contains("1 days left"), "{}", told.out);
    let plain = Caller::new(plain).with("host", HOST);
    let worn = async || plain.get("/health").send().await.json()["services"]["api"] == "degraded";
    eventually(WAIT, "health says so", worn).await;
    let third = ca.write(&folder, &[HOST], now() + 80 * DAYS);
    eventually(WAIT, "the third is shown", async || ca.seen(at, HOST).await.unwrap() == third).await;
    assert_eq!(ask().await, 200, "the first connection stands");
    std::fs::remove_file(folder.join("cert.pem")).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ca.seen(at, HOST).await.unwrap(), third);
}

/// A client that opens and resets streams as fast as it can, one with a head that is too large, and one that does not
/// come to the point: each loses its connection, and nobody else notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_holds_nobody_up() {
    let ca = Ca::new();
    let (world, _) = served(&ca).await;
    let at = world.address();
    let mut rude = ca.shake(at, HOST, &["h2"], rustls::ALL_VERSIONS).await.unwrap();
    let mut silent = ca.shake(at, HOST, &["h2"], rustls::ALL_VERSIONS).await.unwrap();
    silent.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").await.unwrap();
    let shy = TcpStream::connect(at).await.unwrap();
    rude.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    // GET / of the host over https, from the static table (RFC 7541, appendix A).
    let mut head = vec![0x82, 0x87, 0x84, 0x41, HOST.len() as u8];
    head.extend(HOST.bytes());
    let mut flood = Vec::new();
    for number in 0..2_000_u32 {
        let stream = (number * 2 + 1).to_be_bytes();
        flood.extend([0, 0, head.len() as u8, 1, 5]);
        flood.extend(stream);
        flood.extend(&head);
        flood.extend([0, 0, 4, 3, 0]);
        flood.extend(stream);
        flood.extend(8_u32.to_be_bytes());
    }
    let (mut hear, mut say) = tokio::io::split(rude);
    let flooding = tokio::spawn(async move {
        let _ = say.write_all(&flood).await;
    });
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(WAIT, hear.read_to_end(&mut heard)).await;
    assert!(ended.is_ok(), "a flood of resets ends the connection");
    // GOAWAY with ENHANCE_YOUR_CALM (RFC 9113, section 7).
    assert!(goaway(&heard) == Some(11), "{:?}", goaway(&heard));
    flooding.abort();
    let mut sender = ca.http2(at, HOST).await;
    let large =
        get(HOST, "/live").header("x-large", "a".repeat(100_000)).body(Full::<Bytes>::default()).unwrap();
    let answer = sender.send_request(large).await;
    assert!(answer.is_err() || answer.unwrap().status() == 431);
    let mut sender = ca.http2(at, HOST).await;
    let answer =
        sender.send_request(get(HOST, "/live").body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    // Whoever stops in the middle of the preface, or of the handshake, is not waited for.
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(WAIT, silent.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "a preface may take ten seconds");
    let mut shy = shy;
    let closed = tokio::time::timeout(WAIT, shy.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "a handshake may take ten seconds");
}

/// The reason in the last GOAWAY frame among these.
fn goaway(mut bytes: &[u8]) -> Option<u32> {
    let mut reason = None;
    while bytes.len() >= 9 {
        let length = usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
        let frame = bytes.get(9..9 + length)?;
        if bytes[3] == 7 {
            reason = Some(u32::from_be_bytes(frame[4..8].try_into().unwrap()));
        }
        bytes = &bytes[9 + length..];
    }
    reason
}
