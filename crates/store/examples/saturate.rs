//! Measures recorded turns a second with everything on: sealing, audit, durable commits.
//! `cargo run --release -p store --example saturate -- FOLDER_OR_URL [seconds] [callers] [bytes]`
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool beside the house: it measures and stops at the first surprise"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crypto::{Keyring, MasterKey};
use kernel::{
    Actor, Ambient, AppId, AuditEvent, Clock, ConversationId, EventType, MessageId, PageRequest, Random,
};
use kernel::{Secret, Subject, Time, VisitorId};
use store::{Config, Database, Joint, Message, Opening, Pool, PostgresTls, Role, Store, Turn};

struct Wall;
impl Clock for Wall {
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Time::from_micros(since.as_micros() as i64)
    }
}

struct Counted;
static DRAWN: AtomicU64 = AtomicU64::new(0);
impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&DRAWN.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

fn message(ambient: &Ambient, id: ConversationId, role: Role, content: &str) -> Message {
    Message {
        id: MessageId::new(ambient),
        conversation_id: id,
        parent_id: None,
        role,
        content: content.to_owned(),
        citations: serde_json::Value::Null,
        created_at: ambient.now(),
        finish_reason: None,
        model: Some("model".into()),
        input_tokens: Some(10),
        output_tokens: Some(20),
        details: serde_json::Value::Null,
    }
}

fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, otherwise: u64| arguments.get(place).map_or(otherwise, |text| text.parse().unwrap());
    let (seconds, callers, bytes) = (number(1, 5), number(2, 512), number(3, 200) as usize);
    let database = if arguments[0].starts_with("postgres") {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        Database::Postgres { url: Secret::new(arguments[0].clone()), tls: PostgresTls::Prefer }
    } else {
        Database::Sqlite { path: std::path::Path::new(&arguments[0]).join("stoa.db") }
    };
    let pool = Pool {
        size: 20,
        overflow: 10,
        wait: Duration::from_secs(20),
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(60),
        recycle: Duration::from_secs(300),
    };
    let ambient = Ambient::new(Arc::new(Wall), Arc::new(Counted));
    let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
    let config = Config { database, pool, slow_query: Duration::from_secs(5) };
    let store = Store::open(config, keyring, ambient.clone()).await.unwrap();
    store.migrate().await.unwrap();
    store.check_key().await.unwrap();

    let app = AppId::parse("assistant").unwrap();
    let text = "x".repeat(bytes);
    let (begun, used) = (Instant::now(), processor_seconds());
    let end = begun + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (store, ambient, app, text) = (store.clone(), ambient.clone(), app.clone(), text.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                let mut last = None;
                while Instant::now() < end {
                    // A visitor talks ten times and makes room for the next.
                    let owner = Subject::Visitor(VisitorId::new(&ambient));
                    let mut known: Option<ConversationId> = None;
                    for _ in 0..10 {
                        let id = known.unwrap_or_else(|| ConversationId::new(&ambient));
                        let opening = match known {
                            Some(id) => Opening::Existing(id),
                            None => {
                                Opening::New { id, title: Some("A title".into()), topic: None, session: None }
                            }
                        };
                        let turn = Turn {
                            owner,
                            app: app.clone(),
                            opening,
                            joint: Joint::End,
                            user: message(&ambient, id, Role::User, &text),
                            assistant: message(&ambient, id, Role::Assistant, &text),
                            max_user_messages: Some(10),
                            max_conversations: Some(50),
                        };
                        let audit = vec![AuditEvent::new(EventType::DataWritten, Actor::Subject(owner))];
                        let since = Instant::now();
                        known = Some(store.record_turn(turn, audit).await.unwrap());
                        times.push(since.elapsed());
                        last = Some((owner, id));
                        if Instant::now() >= end {
                            break;
                        }
                    }
                }
                (times, last)
            })
        })
        .collect();
    let mut times = Vec::new();
    let mut places = Vec::new();
    for task in tasks {
        let (mine, last) = task.await.unwrap();
        times.extend(mine);
        places.extend(last);
    }
    let (elapsed, used) = (begun.elapsed().as_secs_f64(), processor_seconds() - used);
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{} turns, {:.0} turns/s, p50 {:.2} ms, p99 {:.2} ms, {:.1} us of processor time a turn",
        times.len(),
        times.len() as f64 / elapsed,
        at(0.5),
        at(0.99),
        used * 1e6 / times.len() as f64
    );

    let mut reads = Vec::new();
    for (owner, id) in places.iter().cycle().take(2_000) {
        let since = Instant::now();
        store.messages(owner, *id, PageRequest::first(100)).await.unwrap();
        reads.push(since.elapsed());
    }
    reads.sort();
    let at = |share: f64| reads[((reads.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("history: p50 {:.3} ms, p95 {:.3} ms, p99 {:.3} ms", at(0.5), at(0.95), at(0.99));
    let since = Instant::now();
    let verdict = store.verify_audit().await.unwrap();
    println!("audit: {verdict:?} in {:.2} s", since.elapsed().as_secs_f64());
    store.close().await;
}
