//! Each source of credentials against a small agent on loopback, and how credentials are kept and replaced.
//! The clock is turned by hand.

use std::io::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{Ambient, Clock, Random, Secret, Time};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use super::*;
use crate::outbound::{Outbound, install_crypto_provider};

/// The time at which every test begins.
const BEGIN: i64 = 1_800_000_000;

struct Turning(AtomicI64);
impl Clock for Turning {
    fn now(&self) -> Time {
        Time::from_seconds(self.0.load(Ordering::Relaxed))
    }
}
struct Zeros;
impl Random for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// An agent or service: answers by the line of the request, remembers whole requests, fails when told to.
struct Agent {
    url: Url,
    status: Arc<AtomicU16>,
    /// Seconds that credentials live from the beginning of the test.
    life: Arc<AtomicI64>,
    seen: Arc<Mutex<Vec<String>>>,
    given: Arc<AtomicUsize>,
}

impl Agent {
    async fn start() -> Agent {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let agent = Agent {
            url: format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap(),
            status: Arc::new(AtomicU16::new(200)),
            life: Arc::new(AtomicI64::new(3_600)),
            seen: Arc::default(),
            given: Arc::default(),
        };
        let (status, life, seen, given) =
            (agent.status.clone(), agent.life.clone(), agent.seen.clone(), agent.given.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (status, life, seen, given) = (status.clone(), life.clone(), seen.clone(), given.clone());
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let line = request.lines().next().unwrap_or_default().to_owned();
                    seen.lock().unwrap().push(request);
                    let end = Time::from_seconds(BEGIN + life.load(Ordering::Relaxed)).rfc3339_seconds();
                    let number = || given.fetch_add(1, Ordering::Relaxed) + 1;
                    let body = match line.split(' ').nth(1).unwrap_or_default() {
                        "/latest/api/token" => "the-token".to_owned(),
                        "/latest/meta-data/iam/security-credentials/" => "the-role\n".to_owned(),
                        "/" => format!(
                            "<R><Credentials><AccessKeyId>ASIA{}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                             <SessionToken>t&amp;</SessionToken><Expiration>{end}</Expiration></Credentials></R>",
                            number()
                        ),
                        _ => format!(
                            r#"{{"AccessKeyId":"ASIA{}","SecretAccessKey":"s","Token":"t","Expiration":"{end}"}}"#,
                            number()
                        ),
                    };
                    let status = status.load(Ordering::Relaxed);
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        agent
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return text;
            }
            continue;
        };
        let length =
            head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

struct Place {
    clock: Arc<Turning>,
    aws: Aws,
}

impl Place {
    fn new(config: Config) -> Place {
        install_crypto_provider();
        let clock = Arc::new(Turning(AtomicI64::new(BEGIN)));
        let ambient = Ambient::new(clock.clone(), Arc::new(Zeros));
        let client = Outbound::new(Duration::from_millis(500)).unwrap().operator().clone();
        Place { clock, aws: Aws::new(config, client, ambient) }
    }

    fn turn(&self, seconds: i64) {
        self.clock.0.store(BEGIN + seconds, Ordering::Relaxed);
    }

    async fn id(&self) -> String {
        self.aws.credentials().await.unwrap().key_id.clone()
    }
}

fn instance(agent: &Agent) -> Config {
    Config { metadata: Some(agent.url.clone()), ..Config::default() }
}

#[tokio::test]
async fn the_instance_is_asked_for_a_token_first() {
    let agent = Agent::start().await;
    let place = Place::new(instance(&agent));
    assert_eq!(place.id().await, "ASIA1");
    let seen = agent.seen();
    let lines: Vec<&str> = seen.iter().map(|request| request.lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "PUT /latest/api/token HTTP/1.1",
            "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1",
            "GET /latest/meta-data/iam/security-credentials/the-role HTTP/1.1",
        ]
    );
    assert!(seen[0].contains("x-aws-ec2-metadata-token-ttl-seconds: 300"));
    assert!(seen[1..].iter().all(|request| request.contains("x-aws-ec2-metadata-token: the-token")));
    assert_eq!(place.aws.config().source(), "the instance's role");
}

#[tokio::test]
async fn the_containers_token_is_read_anew_each_time() {
    let agent = Agent::start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "first").unwrap();
    let container = Container {
        url: agent.url.join("v2/credentials/x").unwrap(),
        token: Some(ContainerToken::File(file.path().to_owned())),
    };
    let place = Place::new(Config { container: Some(container), ..Config::default() });
    assert_eq!(place.id().await, "ASIA1");
    std::fs::write(file.path(), "second").unwrap();
    place.turn(3_601);
    agent.life.store(9_000, Ordering::Relaxed);
    assert_eq!(place.id().await, "ASIA2");
    let seen = agent.seen();
    assert!(
        seen[0].contains("authorization: first\r\n") && seen[1].contains("authorization: second\r\n"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_web_identity_is_exchanged_without_a_signature() {
    let agent = Agent::start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "ey.a+b.c").unwrap();
    let identity = WebIdentity {
        token_file: file.path().to_owned(),
        role_arn: "arn:aws:iam::123456789012:role/stoa".to_owned(),
        session_name: "stoa".to_owned(),
    };
    let config =
        Config { web_identity: Some(identity), endpoint: Some(agent.url.clone()), ..Config::default() };
    let place = Place::new(config.clone());
    let credentials = place.aws.credentials().await.unwrap();
    assert_eq!(credentials.token.as_ref().unwrap().expose(), "t&");
    let request = agent.seen().remove(0);
    assert!(
        request.contains("Action=AssumeRoleWithWebIdentity")
            && request.contains("WebIdentityToken=ey.a%2Bb.c")
    );
    assert!(request.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fstoa"));
    assert!(!request.to_lowercase().contains("authorization"));
    drop(file);
    assert!(matches!(Place::new(config).aws.credentials().await, Err(Failure::TokenFile(_))));
}

#[tokio::test]
async fn many_who_need_new_credentials_make_one_request() {
    let agent = Agent::start().await;
    let place = Place::new(instance(&agent));
    let asking = (0..50).map(|_| place.id());
    let ids = futures_util::future::join_all(asking).await;
    assert!(ids.iter().all(|id| id == "ASIA1"), "{ids:?}");
    assert_eq!(agent.given.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn credentials_are_replaced_before_they_end_and_the_old_ones_bridge_an_outage() {
    let agent = Agent::start().await;
    let place = Place::new(instance(&agent));
    assert_eq!(place.id().await, "ASIA1");
    place.turn(3_299);
    assert_eq!(place.id().await, "ASIA1", "they still live for more than five minutes");
    agent.status.store(500, Ordering::Relaxed);
    place.turn(3_301);
    assert_eq!(place.id().await, "ASIA1", "the source is away; the old ones count");
    let asked = agent.seen().len();
    place.turn(3_310);
    assert_eq!(place.id().await, "ASIA1");
    assert_eq!(agent.seen().len(), asked, "a source that has just failed is left alone for a while");
    place.turn(3_600);
    assert!(matches!(place.aws.credentials().await, Err(Failure::Refused { status: 500, .. })));
    let asked = agent.seen().len();
    assert!(place.aws.credentials().await.is_err());
    assert_eq!(agent.seen().len(), asked, "those who waited hear of the same failure");
    agent.status.store(200, Ordering::Relaxed);
    agent.life.store(9_000, Ordering::Relaxed);
    place.turn(3_602);
    assert!(place.id().await.starts_with("ASIA"));
    // What has ended already is not taken.
    agent.life.store(-1, Ordering::Relaxed);
    place.turn(9_001);
    assert!(matches!(place.aws.credentials().await, Err(Failure::Garbage(..))));
}

#[tokio::test]
async fn no_other_source_is_asked_when_one_fails() {
    let agent = Agent::start().await;
    let away = Container { url: "http://127.0.0.1:9/c".parse().unwrap(), token: None };
    let mut config = Config { container: Some(away), ..instance(&agent) };
    let place = Place::new(config.clone());
    assert!(matches!(place.aws.credentials().await, Err(Failure::Call(..))));
    assert!(agent.seen().is_empty());
    let keys = Keys { id: Secret::new("AKIA".to_owned()), secret: Secret::new("s".to_owned()), token: None };
    config.keys = Some(keys);
    place.aws.renew(config).await;
    assert_eq!(place.id().await, "AKIA");
    place.aws.renew(instance(&agent)).await;
    assert_eq!(place.id().await, "ASIA1", "credentials of the earlier configuration are forgotten");
    let nowhere = Place::new(Config::default());
    assert_eq!(nowhere.aws.credentials().await.unwrap_err(), Failure::NoCredentials);
}
