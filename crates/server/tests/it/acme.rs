//! An authority for certificates that speaks ACME: a server of the tests that gives nonces, takes accounts and orders,
//! and really looks (TLS-ALPN-01) whether the name is that of the server before it signs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::world::secure::{Ca, get, now};
use crate::world::{Process, Setup, World, eventually};

const HOST: &str = "chat.example.org";
const WAIT: Duration = Duration::from_secs(60);

/// What the authority knows.
#[derive(Default)]
struct State {
    nonces: Vec<String>,
    /// The public key of each account.
    accounts: Vec<Value>,
    /// Orders: the account, the token, whether the name was seen, the certificate.
    orders: Vec<Order>,
    /// Where the name leads to.
    looks_at: Vec<SocketAddr>,
    /// Why the last look failed.
    failed: Option<String>,
    /// Nonces that it will refuse, to be asked again.
    moody: usize,
}

struct Order {
    account: usize,
    token: String,
    seen: Option<bool>,
    chain: Option<String>,
}

/// The authority.
#[derive(Clone)]
struct Authority {
    address: SocketAddr,
    ca: Ca,
    state: Arc<Mutex<State>>,
    /// How long its certificates last, in seconds.
    lasts: i64,
}

impl Authority {
    async fn start(lasts: i64) -> Authority {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let authority = Authority { address, ca: Ca::new(), state: Arc::default(), lasts };
        authority.state.lock().unwrap().moody = 2;
        let own = authority.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let own = own.clone();
                        async move { Ok::<_, Infallible>(own.answer(request).await) }
                    });
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        authority
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn nonce(&self) -> String {
        let nonce = BASE64.encode(uuid());
        self.state.lock().unwrap().nonces.push(nonce.clone());
        nonce
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let mut answer = if method == Method::POST {
            let kind = request.headers()["content-type"].to_str().unwrap().to_owned();
            assert_eq!(kind, "application/jose+json");
            let body = request.into_body().collect().await.unwrap().to_bytes();
            self.post(&path, &body).await
        } else if path == "/directory" {
            let at = |path| self.url(path);
            json(
                200,
                &json!({"newNonce": at("/nonce"), "newAccount": at("/account"), "newOrder": at("/order")}),
            )
        } else {
            Response::new(Full::default())
        };
        answer.headers_mut().insert("replay-nonce", self.nonce().parse().unwrap());
        answer
    }

    /// Checks what every request must have (RFC 8555, section 6), and does what it asks.
    async fn post(&self, path: &str, body: &[u8]) -> Response<Full<Bytes>> {
        let body: Value = serde_json::from_slice(body).unwrap();
        let part = |name: &str| body[name].as_str().unwrap().to_owned();
        let head: Value = serde_json::from_slice(&BASE64.decode(part("protected")).unwrap()).unwrap();
        assert_eq!((&head["alg"], &head["url"]), (&json!("ES256"), &json!(self.url(path))));
        {
            let mut state = self.state.lock().unwrap();
            let fresh = state.nonces.iter().position(|nonce| head["nonce"] == nonce.as_str());
            let fresh = fresh.map(|at| state.nonces.swap_remove(at)).is_some();
            assert!(fresh, "a nonce is used once");
            if state.moody > 0 {
                state.moody -= 1;
                return problem(400, "badNonce", "too old");
            }
        }
        let account =
            head["kid"].as_str().map(|url| url.rsplit('/').next().unwrap().parse::<usize>().unwrap());
        let jwk = match account {
            Some(account) => self.state.lock().unwrap().accounts[account].clone(),
            None => head["jwk"].clone(),
        };
        let coordinate = |name: &str| BASE64.decode(jwk[name].as_str().unwrap()).unwrap();
        let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
        let signed = format!("{}.{}", part("protected"), part("payload"));
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &BASE64.decode(part("signature")).unwrap())
            .expect("the signature is that of the account");
        let payload = BASE64.decode(part("payload")).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let mut pieces = path.trim_start_matches('/').split('/');
        let (what, number) =
            (pieces.next().unwrap(), pieces.next().and_then(|text| text.parse::<usize>().ok()));
        match (what, number) {
            ("account", None) => {
                assert_eq!(payload["termsOfServiceAgreed"], true);
                assert_eq!(payload["contact"], json!(["mailto:ops@example.org"]));
                let mut state = self.state.lock().unwrap();
                state.accounts.push(jwk);
                placed(
                    json(201, &json!({"status": "valid"})),
                    &self.url(&format!("/account/{}", state.accounts.len() - 1)),
                )
            }
            ("order", None) => {
                assert_eq!(payload["identifiers"], json!([{"type": "dns", "value": HOST}]));
                let order = Order {
                    account: account.unwrap(),
                    token: BASE64.encode(uuid()),
                    seen: None,
                    chain: None,
                };
                let mut state = self.state.lock().unwrap();
                state.orders.push(order);
                let number = state.orders.len() - 1;
                drop(state);
                placed(self.order(201, number), &self.url(&format!("/order/{number}")))
            }
            ("order", Some(number)) => self.order(200, number),
            ("authorization", Some(number)) => {
                let state = self.state.lock().unwrap();
                let order = &state.orders[number];
                let status = match order.seen {
                    None => "pending",
                    Some(true) => "valid",
                    Some(false) => "invalid",
                };
                let error =
                    json!({"type": "urn:ietf:params:acme:error:unauthorized", "detail": state.failed});
                let mut challenge = json!({"type": "tls-alpn-01", "url": self.url(&format!("/challenge/{number}")), "token": order.token, "status": status});
                if order.seen == Some(false) {
                    challenge["error"] = error;
                }
                let other = json!({"type": "http-01", "url": self.url("/nowhere"), "token": "x", "status": "pending"});
                json(
                    200,
                    &json!({"status": status, "identifier": {"type": "dns", "value": HOST}, "challenges": [other, challenge]}),
                )
            }
            ("challenge", Some(number)) => {
                let (expected, at) = {
                    let mut state = self.state.lock().unwrap();
                    let order = &state.orders[number];
                    let key = &state.accounts[order.account];
                    let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
                    let thumbprint = BASE64.encode(digest(&SHA256, jwk.as_bytes()));
                    let expected = digest(&SHA256, format!("{}.{thumbprint}", order.token).as_bytes());
                    // Any replica may be the one that is looked at.
                    state.looks_at.rotate_left(1);
                    (expected.as_ref().to_vec(), state.looks_at[0])
                };
                let looked = look(at, &expected).await;
                let mut state = self.state.lock().unwrap();
                state.orders[number].seen = Some(looked.is_ok());
                state.failed = looked.err();
                json(
                    200,
                    &json!({"type": "tls-alpn-01", "status": "processing", "url": self.url(path), "token": "t"}),
                )
            }
            ("finalize", Some(number)) => {
                let request = BASE64.decode(payload["csr"].as_str().unwrap()).unwrap();
                let key = public_key(&request);
                assert!(contains(&request, HOST.as_bytes()));
                let own = self.ca.sign(key, &[HOST.to_owned()], now() + self.lasts);
                self.state.lock().unwrap().orders[number].chain = Some(self.ca.chain(&own));
                self.order(200, number)
            }
            ("certificate", Some(number)) => {
                let chain = self.state.lock().unwrap().orders[number].chain.clone().unwrap();
                let mut answer = Response::new(Full::from(chain));
                answer
                    .headers_mut()
                    .insert("content-type", "application/pem-certificate-chain".parse().unwrap());
                answer
            }
            _ => problem(404, "malformed", path),
        }
    }

    fn order(&self, status: u16, number: usize) -> Response<Full<Bytes>> {
        let state = self.state.lock().unwrap();
        let order = &state.orders[number];
        let at = |what: &str| self.url(&format!("/{what}/{number}"));
        let said = match (order.seen, &order.chain) {
            (_, Some(_)) => "valid",
            (Some(true), None) => "ready",
            (Some(false), None) => "invalid",
            (None, None) => "pending",
        };
        let mut body =
            json!({"status": said, "authorizations": [at("authorization")], "finalize": at("finalize")});
        if order.chain.is_some() {
            body["certificate"] = json!(at("certificate"));
        }
        json(status, &body)
    }

    fn orders(&self) -> usize {
        self.state.lock().unwrap().orders.iter().filter(|order| order.chain.is_some()).count()
    }

    fn leads_to(&self, at: &[SocketAddr]) {
        self.state.lock().unwrap().looks_at = at.to_vec();
    }
}

fn uuid() -> [u8; 16] {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 16];
    ring::rand::SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

fn json(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

fn problem(status: u16, kind: &str, detail: &str) -> Response<Full<Bytes>> {
    json(status, &json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail}))
}

fn placed(mut answer: Response<Full<Bytes>>, place: &str) -> Response<Full<Bytes>> {
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert("location", place.parse().unwrap());
    answer
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// The key in a request for a certificate: the value that begins with what every key on P-256 begins with.
fn public_key(request: &[u8]) -> &[u8] {
    const BEGINS: &[u8] = &[0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
    let at = request.windows(BEGINS.len()).position(|window| window == BEGINS).unwrap();
    &request[at..at + 0x59 + 2]
}

/// Looks as RFC 8737 section 3 wants it: the protocol, the one name, the digest in a critical extension.
async fn look(at: SocketAddr, expected: &[u8]) -> Result<(), String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let stream = TcpStream::connect(at).await.map_err(|error| error.to_string())?;
    let name = ServerName::try_from(HOST).unwrap();
    let shaken = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let shaken = shaken.map_err(|error| error.to_string())?;
    let session = shaken.get_ref().1;
    if session.alpn_protocol() != Some(b"acme-tls/1") {
        return Err("another protocol".into());
    }
    let own = &session.peer_certificates().unwrap()[0];
    // id-pe-acmeIdentifier, critical, the digest in two octet strings.
    let mut extension = vec![0x06, 8, 0x2B, 6, 1, 5, 5, 7, 1, 0x1F, 1, 1, 0xFF, 4, 0x22, 4, 0x20];
    extension.extend(expected);
    let name = [&[0x82, HOST.len() as u8][..], HOST.as_bytes()].concat();
    match contains(own, &extension) && contains(own, &name) {
        true => Ok(()),
        false => Err("the certificate does not hold the proof".into()),
    }
}

/// Takes any certificate: what it says is looked at, not who signed it. Verifiers know no such extension.
#[derive(Debug)]
struct Anyone(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn setup(authority: &Authority, setup: Setup) -> Setup {
    setup
        .set("PUBLIC_URL", format!("https://{HOST}"))
        .set("ACME_DOMAINS", HOST)
        .set("ACME_EMAIL", "ops@example.org")
        .set("ACME_DIRECTORY_URL", authority.url("/directory"))
}

async fn shown(authority: &Authority, at: SocketAddr) -> Option<Vec<u8>> {
    authority.ca.seen(at, HOST).await.ok()
}

/// A certificate is ordered, served, and renewed before its end while connections stand; after a restart the one that
/// was got is used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_got_and_renewed() {
    let authority = Authority::start(30).await;
    let mut world: World = setup(&authority, Setup::sqlite()).start().await;
    authority.leads_to(&[world.address()]);
    let at = world.address();
    eventually(WAIT, "a certificate", async || shown(&authority, at).await.is_some()).await;
    let first = shown(&authority, at).await.unwrap();
    let mut standing = authority.ca.http2(at, HOST).await;
    let live = || get(HOST, "/live").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(standing.send_request(live()).await.unwrap().status(), 200);
    // Nobody may look for other names, and a challenge that is over has no answer.
    assert!(look(at, &[0; 32]).await.is_err());
    eventually(WAIT, "a new one, a third of its life before its end", async || {
        shown(&authority, at).await.is_some_and(|now| now != first)
    })
    .await;
    assert_eq!(standing.send_request(live()).await.unwrap().status(), 200);
    assert_eq!(authority.state.lock().unwrap().accounts.len(), 1, "one account serves for all");
    let orders = authority.orders();
    let second = shown(&authority, at).await.unwrap();
    world.restart_with("LOG_LEVEL", "INFO").await;
    let at = world.address();
    authority.leads_to(&[at]);
    eventually(WAIT, "the kept one is shown at once", async || {
        shown(&authority, at).await == Some(second.clone()) || authority.orders() > orders
    })
    .await;
    assert!(!world.process.log().contains("PRIVATE KEY"));
}

/// Two replicas share one certificate: one orders, the authority may look at the other. A name that leads elsewhere
/// gets none, and somebody is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_a_certificate() {
    let Some(postgres) = Setup::postgres() else { return };
    let authority = Authority::start(20 * 86_400).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    authority.leads_to(&[elsewhere]);
    let world = setup(&authority, postgres).set("ALERT_INTERVAL_MS", 100).start().await;
    let second: Process = world.replica().await;
    let failed = |line: &Value| line["message"].as_str().unwrap().starts_with("no certificate was issued");
    eventually(WAIT, "the log says why", async || {
        world.process.lines().iter().chain(&second.lines()).any(failed)
    })
    .await;
    eventually(WAIT, "an alert", async || {
        world.audited("alert.raised").await.iter().any(|event| event.to_string().contains("certificate"))
    })
    .await;
    authority.leads_to(&[world.address(), second.address]);
    for at in [world.address(), second.address] {
        eventually(WAIT, "a certificate", async || shown(&authority, at).await.is_some()).await;
    }
    assert_eq!(shown(&authority, world.address()).await, shown(&authority, second.address).await);
    assert_eq!(authority.orders(), 1);
}
