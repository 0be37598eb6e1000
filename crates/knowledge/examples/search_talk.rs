//! How fast everything that was said is searched: an owner with very many messages, or many owners. Words follow Zipf's
//! law, messages are 20 to 140 words long. Every phrase that is asked for was cut from a message that is known, which
//! must be found.
//!
//! `cargo run --release -p knowledge --example search_talk -- FOLDER_OR_POSTGRES_URL [messages] [owners] [rounds]`

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads the clock; no part of the server")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crypto::{Keyring, MasterKey};
use kernel::{
    Ambient, AppId, Clock, ConversationId, MessageId, PageRequest, Random, Secret, Subject, Time, VisitorId,
};
use knowledge::Sought;
use knowledge::seek::words_of;
use store::{Config, Database, Joint, Message, Opening, Pool, PostgresTls, Role, Store, TalkQuery, Turn};

/// The clock of the machine, and how far behind it everything happens.
struct Behind(AtomicI64);
impl Clock for Behind {
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Time::from_micros(since.as_micros() as i64 - self.0.load(Ordering::Relaxed))
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

/// Numbers that are the same in every run.
struct Dice(u64);
impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
    fn part(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Words of a language that nobody speaks, the common ones short.
const WORDS: usize = 60_000;

fn spell(mut rank: usize) -> String {
    const PIECES: [&str; 20] = [
        "ka", "re", "to", "mi", "su", "la", "ne", "vo", "pi", "da", "shu", "bre", "ton", "mar", "gel", "fin",
        "rop", "zem", "lus", "win",
    ];
    let mut word = String::new();
    rank += 20;
    while rank > 0 {
        word.push_str(PIECES[rank % 20]);
        rank /= 20;
    }
    word
}

/// A rank by Zipf's law.
fn rank(dice: &mut Dice) -> usize {
    ((WORDS as f64).powf(dice.part()) as usize).min(WORDS) - 1
}

fn text(dice: &mut Dice, words: &[String]) -> String {
    let length = 20 + dice.roll() % 120;
    let words: Vec<&str> = (0..length).map(|_| words[rank(dice)].as_str()).collect();
    words.join(" ")
}

fn message(ambient: &Ambient, id: ConversationId, role: Role, content: String) -> Message {
    Message {
        id: MessageId::new(ambient),
        conversation_id: id,
        parent_id: None,
        role,
        content,
        citations: serde_json::Value::Null,
        created_at: ambient.now(),
        finish_reason: None,
        model: None,
        input_tokens: None,
        output_tokens: None,
        details: serde_json::Value::Null,
    }
}

fn turn(
    ambient: &Ambient,
    app: &AppId,
    owner: Subject,
    at: Option<ConversationId>,
    said: [String; 2],
) -> Turn {
    let id = at.unwrap_or_else(|| ConversationId::new(ambient));
    let opening = match at {
        Some(id) => Opening::Existing(id),
        None => Opening::New { id, title: Some("A conversation".into()), topic: None, session: None },
    };
    let [user, assistant] = said;
    Turn {
        owner,
        app: app.clone(),
        opening,
        joint: Joint::End,
        user: message(ambient, id, Role::User, user),
        assistant: message(ambient, id, Role::Assistant, assistant),
        max_user_messages: None,
        max_conversations: None,
    }
}

fn show(name: &str, mut times: Vec<Duration>, found: usize) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!(
        "{name:<28} p50 {:6.1} ms  p95 {:6.1} ms  p99 {:6.1} ms  ({} searches, {found} messages)",
        at(0.5),
        at(0.95),
        at(0.99),
        times.len()
    );
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, otherwise: usize| arguments.get(place).map_or(otherwise, |text| text.parse().unwrap());
    let (messages, owners, rounds) = (number(1, 1_000_000), number(2, 1), number(3, 100));
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
    let clock = Arc::new(Behind(AtomicI64::new(86_400_000_000)));
    let ambient = Ambient::new(clock.clone(), Arc::new(Counted));
    let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
    let store =
        Store::open(Config { database, pool, slow_query: Duration::from_secs(5) }, keyring, ambient.clone())
            .await
            .unwrap();
    store.migrate().await.unwrap();
    store.check_key().await.unwrap();
    let app = AppId::parse("assistant").unwrap();
    let words: Vec<String> = (0..WORDS).map(spell).collect();
    let mut dice = Dice(7);

    let whose: Vec<Subject> = (0..owners).map(|_| Subject::Visitor(VisitorId::new(&ambient))).collect();
    let (since, mut bytes, mut written) = (Instant::now(), 0, 0);
    let mut known: Vec<(Subject, String)> = Vec::new();
    while written < messages {
        // Ten turns in each of so many conversations.
        let mut talks = Vec::new();
        for n in 0..200 {
            let owner = whose[(written / 20 + n) % owners];
            let said = [text(&mut dice, &words), text(&mut dice, &words)];
            let first = turn(&ambient, &app, owner, None, said);
            talks.push((owner, store.record_turn(first, vec![])));
        }
        let ids = futures_join(talks).await;
        let mut rest = Vec::new();
        for (n, (owner, id)) in ids.into_iter().enumerate() {
            for _ in 0..9 {
                let said = [text(&mut dice, &words), text(&mut dice, &words)];
                bytes += said[0].len() + said[1].len();
                if n == 0 && dice.roll().is_multiple_of(8) {
                    known.push((owner, said[0].clone()));
                }
                rest.push((owner, store.record_turn(turn(&ambient, &app, owner, Some(id), said), vec![])));
            }
        }
        futures_join(rest).await;
        written += 4_000;
    }
    let seconds = since.elapsed().as_secs_f64();
    println!(
        "{written} messages of {owners} owners, {} bytes each, written in {seconds:.0} s",
        bytes / (written * 9 / 10)
    );

    clock.0.store(0, Ordering::Relaxed);
    let since = Instant::now();
    let mut indexed = 0;
    loop {
        assert!(store.hold_lease("search", "example", Duration::from_secs(600)).await.unwrap());
        let tended = store.tend_search("search", "example", &words_of).await.unwrap();
        indexed += tended.indexed;
        if !tended.more {
            break;
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    println!("{indexed} messages indexed in {seconds:.0} s: {:.0} a second", indexed as f64 / seconds);
    let (mut held, mut waiting, mut size) = (0, 0, 0);
    for owner in whose.iter().take(50) {
        let (here, there, bytes) = store.search_size(owner).await.unwrap();
        held += here;
        waiting += there;
        size += bytes;
    }
    println!(
        "index: {:.0} bytes a message; {waiting} of {} messages are looked through",
        size as f64 / held.max(1) as f64,
        held + waiting
    );

    let mut kinds: Vec<(&str, Vec<Duration>, usize)> = [
        "exact phrase of 4 words",
        "two words",
        "one common word",
        "one rare word",
        "beginning of a word",
        "phrase of common words",
        "word and from:me",
    ]
    .map(|name| (name, Vec::new(), 0))
    .into();
    let mut every = Vec::new();
    for round in 0..rounds {
        for (kind, (_, times, sum)) in kinds.iter_mut().enumerate() {
            let (owner, said) = &known[dice.roll() as usize % known.len()];
            let said: Vec<&str> = said.split(' ').collect();
            let at = dice.roll() as usize % (said.len() - 4);
            let mut sought = Sought::default();
            let mut must = None;
            match kind {
                0 => {
                    sought.phrase(&said[at..at + 4].join(" "));
                    must = Some(said.join(" "));
                }
                1 => {
                    sought.word(said[at]);
                    sought.word(said[at + 2]);
                }
                2 => sought.word(&words[dice.roll() as usize % 20]),
                3 => sought.word(&words[20_000 + dice.roll() as usize % 30_000]),
                4 => sought.beginning(&words[500 + dice.roll() as usize % 20_000][..5]),
                5 => sought.phrase(
                    &(0..3).map(|_| words[rank(&mut dice) % 40].as_str()).collect::<Vec<_>>().join(" "),
                ),
                _ => sought.word(said[at]),
            }
            let query = TalkQuery {
                words: sought.needs().to_vec(),
                apps: vec![app.clone()],
                from: (kind == 6).then_some(Role::User),
                ..TalkQuery::default()
            };
            let read = |text: &str| sought.read(text).map(|_| text.to_owned());
            let since = Instant::now();
            let mut page = store.search_talk(owner, &query, &read, PageRequest::first(20)).await.unwrap();
            let took = since.elapsed();
            if round > 0 {
                times.push(took);
                every.push(took);
                *sum += page.items.len();
            }
            // A phrase that is there is found, on whatever page.
            while let Some(must) = &must {
                if page.items.iter().any(|found| found.mark == *must) {
                    break;
                }
                let next = page.next.expect("a phrase that was said is found");
                let next = PageRequest::parse(Some(20), Some(&next)).unwrap();
                page = store.search_talk(owner, &query, &read, next).await.unwrap();
            }
        }
    }
    for (name, times, found) in kinds {
        show(name, times, found);
    }
    let count = every.len();
    show("all of them", every, count);
    store.close().await;
}

/// All of these at once, as many callers do.
async fn futures_join<T, F>(all: Vec<(Subject, F)>) -> Vec<(Subject, T)>
where
    T: Send + 'static,
    F: Future<Output = kernel::Result<T>>,
{
    let mut done = Vec::with_capacity(all.len());
    let (owners, tasks): (Vec<Subject>, Vec<F>) = all.into_iter().unzip();
    for (owner, result) in owners.into_iter().zip(futures_util::future::join_all(tasks).await) {
        done.push((owner, result.unwrap()));
    }
    done
}
