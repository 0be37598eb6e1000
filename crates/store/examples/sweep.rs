//! Measures retention beside requests: how fast old conversations go, how long a batch keeps writers waiting, and what
//! the vacuum brings afterwards.
//! `cargo run --release -p store --example sweep -- FOLDER_OR_URL [conversations]`
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool beside the house: it measures and stops at the first surprise"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crypto::{Keyring, MasterKey};
use kernel::{Ambient, AppId, Clock, ConversationId, MessageId, Random, Secret, Subject, Time, VisitorId};
use store::{
    Config, Database, Joint, Message, Opening, Pool, PostgresTls, Role, Store, SweepKind, SweepOrder, Turn,
};

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

fn turn(ambient: &Ambient, app: &AppId) -> Turn {
    let id = ConversationId::new(ambient);
    let message = |role| Message {
        id: MessageId::new(ambient),
        conversation_id: id,
        parent_id: None,
        role,
        content: "x".repeat(400),
        citations: serde_json::Value::Null,
        created_at: ambient.now(),
        finish_reason: None,
        model: Some("model".into()),
        input_tokens: Some(10),
        output_tokens: Some(20),
        details: serde_json::Value::Null,
    };
    Turn {
        owner: Subject::Visitor(VisitorId::new(ambient)),
        app: app.clone(),
        opening: Opening::New { id, title: Some("a title".into()), topic: None, session: None },
        user: message(Role::User),
        assistant: message(Role::Assistant),
        joint: Joint::End,
        max_user_messages: None,
        max_conversations: None,
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let place = arguments.get(1).expect("a folder or a postgres URL");
    let count: usize = arguments.get(2).map_or(20_000, |text| text.parse().unwrap());
    let database = if place.contains("://") {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        Database::Postgres { url: Secret::new(place.clone()), tls: PostgresTls::Prefer }
    } else {
        Database::Sqlite { path: std::path::Path::new(place).join("sweep.db") }
    };
    let pool = Pool {
        size: 8,
        overflow: 8,
        wait: Duration::from_secs(30),
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(60),
        recycle: Duration::from_secs(600),
    };
    let ambient = Ambient::new(Arc::new(Wall), Arc::new(Counted));
    let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
    let config = Config { database, pool, slow_query: Duration::from_secs(5) };
    let store = Store::open(config, keyring, ambient.clone()).await.unwrap();
    store.migrate().await.unwrap();
    let app = AppId::parse("support").unwrap();
    for chunk in 0..count.div_ceil(500) {
        let turns =
            (0..500.min(count - chunk * 500)).map(|_| store.record_turn(turn(&ambient, &app), vec![]));
        for done in futures_util::future::join_all(turns).await {
            done.unwrap();
        }
    }
    store.flush_log().await.unwrap();
    let full = store.size().await.unwrap();
    let order = SweepOrder { app, kind: SweepKind::Talk, before: ambient.now(), spare_quality: false };

    // Somebody goes on talking meanwhile.
    let stop = Arc::new(AtomicBool::new(false));
    let (other, stopped, clock) = (store.clone(), Arc::clone(&stop), ambient.clone());
    let talking = tokio::spawn(async move {
        let app = AppId::parse("assistant").unwrap();
        let mut waits = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let since = Instant::now();
            other.record_turn(turn(&clock, &app), vec![]).await.unwrap();
            waits.push(since.elapsed());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        waits.sort_unstable();
        waits
    });
    let (began, mut rows, mut batches, mut longest) = (Instant::now(), 0, 0_u32, Duration::ZERO);
    loop {
        let since = Instant::now();
        let swept = store.sweep(&order).await.unwrap();
        longest = longest.max(since.elapsed());
        rows += swept.counts.values().sum::<u64>();
        batches += 1;
        if !swept.more {
            break;
        }
    }
    let took = began.elapsed();
    stop.store(true, Ordering::Relaxed);
    let waits = talking.await.unwrap();
    let part = |of: usize| waits[(waits.len() * of / 100).min(waits.len() - 1)];
    println!(
        "{count} conversations: {rows} rows in {took:.1?}, {:.0} rows/s, {batches} batches, the longest {longest:.1?}",
        rows as f64 / took.as_secs_f64()
    );
    println!(
        "{} turns beside it: p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        waits.len(),
        part(50),
        part(99),
        waits[waits.len() - 1]
    );
    let since = Instant::now();
    let done = store.vacuum(false).await.unwrap();
    println!(
        "vacuum: {} to {} bytes in {:.1?} (full: {})",
        done.before.bytes,
        done.after.bytes,
        since.elapsed(),
        full.bytes
    );
    store.close().await;
}
