//! Puts everything into a database, once: turns as callers write them, over a year; folders, tags and pins; the index.
//! A database that holds it already is taken as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crypto::{Keyring, MasterKey};
use kernel::{
    Ambient, AppId, Clock, ConversationId, FolderId, MessageId, PageRequest, Random, Secret, Subject, Time,
    VisitorId,
};
use knowledge::seek::words_of;
use store::{
    Arrangement, Config, ConversationFilter, Database, Joint, Message, NewFolder, Opening, Pool, PostgresTls,
    Role, Store, Turn,
};

use crate::corpus::{Corpus, LENGTH};

/// Conversations that are written side by side.
const SIDE: usize = 200;

/// Seconds over which everything was said.
const YEAR: i64 = 365 * 86_400;

/// A conversation of the first owner that is long by itself.
pub(crate) const LONG: usize = 2_000;

/// The clock of the machine, and how far behind it everything happens.
pub(crate) struct Behind(AtomicI64);

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

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) app: AppId,
    pub(crate) owners: Vec<Subject>,
    clock: Arc<Behind>,
}

impl World {
    /// Opens the database in this folder or at this address.
    pub(crate) async fn open(place: &str, owners: usize) -> World {
        let database = if place.starts_with("postgres") {
            rustls::crypto::ring::default_provider().install_default().unwrap();
            Database::Postgres { url: Secret::new(place.to_owned()), tls: PostgresTls::Prefer }
        } else {
            Database::Sqlite { path: std::path::Path::new(place).join("stoa.db") }
        };
        let pool = Pool {
            size: 20,
            overflow: 10,
            wait: Duration::from_secs(20),
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(60),
            recycle: Duration::from_secs(300),
        };
        let clock = Arc::new(Behind(AtomicI64::new(0)));
        let ambient = Ambient::new(clock.clone(), Arc::new(Counted));
        let keyring = Keyring::new(MasterKey::parse(&"ab".repeat(32)).unwrap(), Vec::new());
        let config = Config { database, pool, slow_query: Duration::from_secs(5) };
        let store = Store::open(config, keyring, ambient.clone()).await.unwrap();
        store.migrate().await.unwrap();
        store.check_key().await.unwrap();
        let owner = |n: usize| Subject::Visitor(VisitorId::from_uuid(uuid::Uuid::from_u128(n as u128 + 1)));
        let app = AppId::parse("assistant").unwrap();
        World { store, ambient, app, owners: (0..owners).map(owner).collect(), clock }
    }

    /// Writes what is not there yet.
    pub(crate) async fn fill(&self, corpus: &Corpus) {
        let first = self.list(0, ConversationFilter::default(), None).await;
        if first.0.is_empty() {
            self.write(corpus).await;
        }
        let since = Instant::now();
        let mut indexed = 0;
        loop {
            assert!(self.store.hold_lease("search", "example", Duration::from_secs(600)).await.unwrap());
            let tended = self.store.tend_search("search", "example", &words_of).await.unwrap();
            indexed += tended.indexed;
            if !tended.more {
                break;
            }
        }
        if indexed > 0 {
            let seconds = since.elapsed().as_secs_f64();
            println!(
                "{indexed} messages indexed in {seconds:.0} s: {:.0} a second",
                indexed as f64 / seconds
            );
        }
    }

    /// A page of the conversations of an owner, and where the next begins.
    pub(crate) async fn list(
        &self,
        owner: usize,
        filter: ConversationFilter,
        next: Option<&str>,
    ) -> (Vec<store::Conversation>, Option<String>) {
        let page = PageRequest::parse(Some(50), next).unwrap();
        let page = self.store.conversations(&self.owners[owner], filter, page).await.unwrap();
        (page.items, page.next)
    }

    async fn write(&self, corpus: &Corpus) {
        let conversations = corpus.messages / LENGTH;
        let since = Instant::now();
        let mut all: Vec<ConversationId> = Vec::with_capacity(conversations);
        for batch in (0..conversations).step_by(SIDE) {
            // Everything is said over a year, the last of it an hour ago.
            let left = (conversations - batch) as i64 * YEAR / conversations as i64 + 3_600;
            self.clock.0.store(left * 1_000_000, Ordering::Relaxed);
            let these = batch..(batch + SIDE).min(conversations);
            let first = these.clone().map(|at| self.say(corpus, at, None, at * LENGTH));
            let ids = futures_util::future::join_all(first).await;
            let rest = these.clone().zip(&ids).flat_map(|(at, id)| {
                (1..LENGTH / 2).map(move |turn| self.say(corpus, at, Some(*id), at * LENGTH + turn * 2))
            });
            futures_util::future::join_all(rest).await;
            all.extend(ids);
        }
        // A long conversation beside them, of texts that are nobody's.
        let long = self.say(corpus, 0, None, corpus.messages).await;
        for turns in (1..LONG / 2).collect::<Vec<_>>().chunks(SIDE) {
            let more = turns.iter().map(|turn| self.say(corpus, 0, Some(long), corpus.messages + turn * 2));
            futures_util::future::join_all(more).await;
        }
        self.clock.0.store(0, Ordering::Relaxed);
        let seconds = since.elapsed().as_secs_f64();
        println!("{} messages of {} owners written in {seconds:.0} s", corpus.messages, corpus.owners);
        let since = Instant::now();
        self.arrange(corpus, &all).await;
        println!("put into folders and tagged in {:.0} s", since.elapsed().as_secs_f64());
    }

    async fn say(
        &self,
        corpus: &Corpus,
        at: usize,
        known: Option<ConversationId>,
        number: usize,
    ) -> ConversationId {
        let id = known.unwrap_or_else(|| ConversationId::new(&self.ambient));
        let opening = match known {
            Some(id) => Opening::Existing(id),
            None => Opening::New { id, title: Some(corpus.title(number)), topic: None, session: None },
        };
        let turn = Turn {
            owner: self.owners[corpus.owner(at)],
            app: self.app.clone(),
            opening,
            joint: Joint::End,
            user: self.message(id, Role::User, corpus.text(number), number),
            assistant: self.message(id, Role::Assistant, corpus.text(number + 1), number + 1),
            max_user_messages: None,
            max_conversations: None,
        };
        self.store.record_turn(turn, vec![]).await.unwrap()
    }

    fn message(&self, id: ConversationId, role: Role, content: String, number: usize) -> Message {
        let details = if number.is_multiple_of(50) {
            serde_json::json!({"files": [{"name": "a file"}]})
        } else {
            serde_json::Value::Null
        };
        Message {
            id: MessageId::new(&self.ambient),
            conversation_id: id,
            parent_id: None,
            role,
            content,
            citations: serde_json::Value::Null,
            created_at: self.ambient.now(),
            finish_reason: None,
            model: None,
            input_tokens: None,
            output_tokens: None,
            details,
        }
    }

    /// One conversation of a hundred lies in the folder `few`, every second in `half`; likewise the tags `few` and
    /// `most`; some are pinned, one of twenty is put away.
    async fn arrange(&self, corpus: &Corpus, all: &[ConversationId]) {
        let of = |at: usize| -> Vec<(usize, ConversationId)> {
            let mine = all.iter().skip(at).step_by(self.owners.len());
            mine.enumerate().map(|(nth, id)| (nth, *id)).collect()
        };
        for (at, owner) in self.owners.iter().enumerate() {
            let mine = of(at);
            debug_assert_eq!(mine.len(), corpus.messages / LENGTH / corpus.owners);
            let mut folders = Vec::new();
            for name in ["few", "half"] {
                let new = NewFolder { id: FolderId::new(&self.ambient), parent: None, name: name.into() };
                folders.push(Some(self.store.create_folder(owner, new, vec![]).await.unwrap().id));
            }
            let tag = |tag: &str| Arrangement { add_tags: vec![tag.into()], ..Arrangement::default() };
            let folder = |folder| Arrangement { folder: Some(folder), ..Arrangement::default() };
            let flag = |pinned, archived| Arrangement { pinned, archived, ..Arrangement::default() };
            type Which = fn(usize) -> bool;
            let wanted: [(Arrangement, Which); 6] = [
                (folder(folders[1]), |nth| nth % 2 == 0),
                (folder(folders[0]), |nth| nth % 100 == 3),
                (tag("most"), |nth| nth % 10 != 0),
                (tag("few"), |nth| nth % 100 == 5),
                (flag(Some(true), None), |nth| nth % 50 == 7 && nth < 2_000),
                (flag(None, Some(true)), |nth| nth % 20 == 9),
            ];
            for (to, which) in wanted {
                let ids: Vec<_> = mine.iter().filter(|(nth, _)| which(*nth)).map(|(_, id)| *id).collect();
                for ids in ids.chunks(200) {
                    let apps = std::slice::from_ref(&self.app);
                    self.store.arrange(owner, apps, ids, to.clone(), vec![]).await.unwrap();
                }
            }
        }
    }
}
