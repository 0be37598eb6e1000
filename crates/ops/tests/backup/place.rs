//! A deployment to back up: a database, files, backups, and a clock that tests turn.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crypto::{Keyring, MasterKey};
use files::blob::{Blobs, Bucket, Keep};
use guard::outbound::Outbound;
use guard::outbound::aws::{self, Aws, Keys};
use kernel::{
    Actor, Ambient, AppId, AuditEvent, Clock, ConversationId, EventType, MessageId, PageRequest, Random,
    Secret, Subject, Time, UserId,
};
use ops::backup::{Backups, Config, Parts, Reason, Schedule, silently};
use store::{
    ConversationFilter, Database, Joint, Kept, Message, NewFile, Opening, Pool, Role, StagedBlob, Store, Turn,
};

pub struct TurningClock(AtomicI64);

impl TurningClock {
    pub fn turn(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Clock for TurningClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub struct Hashing;

static DRAWN: AtomicU64 = AtomicU64::new(0);

impl Random for Hashing {
    fn fill(&self, bytes: &mut [u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&DRAWN.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

/// 2026-11-21 01:30:00 UTC and some.
pub const BEGIN: i64 = 1_795_224_600_000_000;

pub fn keyring(byte: &str) -> Keyring {
    Keyring::new(MasterKey::parse(&byte.repeat(32)).unwrap(), Vec::new())
}

pub struct Place {
    pub store: Store,
    pub blobs: Blobs,
    pub backups: Backups,
    pub clock: Arc<TurningClock>,
    pub ambient: Ambient,
    pub folder: Arc<tempfile::TempDir>,
    pub bucket: Option<String>,
}

impl Place {
    pub async fn new() -> Place {
        Place::at(Arc::new(tempfile::tempdir().unwrap()), "data", None, "ab").await
    }

    pub async fn with_bucket(url: &str) -> Place {
        Place::at(Arc::new(tempfile::tempdir().unwrap()), "data", Some(url.to_owned()), "ab").await
    }

    /// Another installation beside this one, with the same backups and clock.
    pub async fn other(&self, name: &str, key: &str) -> Place {
        let clock = Arc::clone(&self.clock);
        Place::made(Arc::clone(&self.folder), name, self.bucket.clone(), key, clock, store::STEPS).await
    }

    /// With a schema of these steps alone.
    pub async fn with_schema(steps: &[store::Step]) -> Place {
        let clock = Arc::new(TurningClock(AtomicI64::new(BEGIN)));
        Place::made(Arc::new(tempfile::tempdir().unwrap()), "data", None, "ab", clock, steps).await
    }

    /// Another process on the same data.
    pub async fn second(&self) -> Place {
        self.other("data", "ab").await
    }

    async fn at(folder: Arc<tempfile::TempDir>, name: &str, bucket: Option<String>, key: &str) -> Place {
        let clock = Arc::new(TurningClock(AtomicI64::new(BEGIN)));
        Place::made(folder, name, bucket, key, clock, store::STEPS).await
    }

    async fn made(
        folder: Arc<tempfile::TempDir>,
        name: &str,
        bucket: Option<String>,
        key: &str,
        clock: Arc<TurningClock>,
        steps: &[store::Step],
    ) -> Place {
        guard::outbound::install_crypto_provider();
        let data = folder.path().join(name);
        let ambient = Ambient::new(clock.clone(), Arc::new(Hashing));
        let pool = Pool {
            size: 4,
            overflow: 4,
            wait: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            recycle: Duration::from_secs(60),
        };
        let database = Database::Sqlite { path: data.join("stoa.db") };
        let config = store::Config { database, pool, slow_query: Duration::from_secs(5) };
        let store = Store::open(config, keyring(key), ambient.clone()).await.unwrap();
        store.migrate_with(steps).await.unwrap();
        let outbound = Outbound::new(Duration::from_secs(2)).unwrap();
        let config = aws::Config {
            keys: Some(Keys {
                id: Secret::new("AKIDEXAMPLE".into()),
                secret: Secret::new("secret".into()),
                token: None,
            }),
            endpoint: bucket.as_ref().map(|url| url.parse().unwrap()),
            region: Some("eu-central-1".to_owned()),
            ..aws::Config::default()
        };
        let aws = Aws::new(config, outbound.operator().clone(), ambient.clone());
        let files = files::blob::Config { folder: data.join("files"), keep: Keep::Folder };
        let blobs = Blobs::open(&files, outbound.operator(), &aws, &ambient).unwrap();
        let config = Config {
            folder: folder.path().join("backups"),
            bucket: bucket
                .as_ref()
                .map(|_| Bucket::parse("s3://stoa-files/database", "eu-central-1").unwrap()),
            schedule: Schedule::parse("0 2 * * *"),
            keep: Duration::from_secs(30 * 86_400),
            keep_local: Duration::from_secs(7 * 86_400),
            scratch: data.join("scratch"),
            version: "test",
        };
        let backups = Backups::new(Parts {
            config,
            store: store.clone(),
            keyring: keyring(key),
            blobs: blobs.clone(),
            client: outbound.operator().clone(),
            aws,
            ambient: ambient.clone(),
        });
        Place { store, blobs, backups, clock, ambient, folder, bucket }
    }

    pub fn user(&self) -> Subject {
        Subject::User(UserId::new(&self.ambient))
    }

    fn message(&self, conversation: ConversationId, role: Role, content: &str) -> Message {
        Message {
            id: MessageId::new(&self.ambient),
            conversation_id: conversation,
            parent_id: None,
            role,
            content: content.to_owned(),
            citations: serde_json::Value::Null,
            created_at: self.ambient.now(),
            finish_reason: Some(store::FinishReason::Stop),
            model: None,
            input_tokens: None,
            output_tokens: None,
            details: serde_json::Value::Null,
        }
    }

    /// A conversation with one turn.
    pub async fn say(&self, owner: Subject, said: &str) {
        let id = ConversationId::new(&self.ambient);
        let turn = Turn {
            owner,
            app: AppId::parse("assistant").unwrap(),
            opening: Opening::New { id, title: Some(said.to_owned()), topic: None, session: None },
            user: self.message(id, Role::User, said),
            assistant: self.message(id, Role::Assistant, "an answer"),
            max_user_messages: None,
            max_conversations: None,
            joint: Joint::End,
        };
        self.store.record_turn(turn, vec![]).await.unwrap();
    }

    /// The titles of the conversations of somebody, in order.
    pub async fn titles(&self, owner: Subject) -> Vec<String> {
        titles(&self.store, owner).await
    }

    /// Stores a file with this content; the name of its bytes.
    pub async fn keep(&self, owner: Subject, name: &str, content: &[u8]) -> String {
        let key = self.store.content_key(&owner, true).await.unwrap();
        let id = self.blobs.new_id();
        let mut aside = self.blobs.aside(&id, key.sealer(&id)).await.unwrap();
        aside.write(content).await.unwrap();
        let staged = aside.finish().await.unwrap();
        self.store.announce_blob(&id, self.ambient.now() + Duration::from_secs(3_600)).await.unwrap();
        self.blobs.keep(&staged).await.unwrap();
        let digest = blake3::hash(content);
        let file = NewFile {
            id: kernel::id::FileId::new(&self.ambient),
            app: AppId::parse("files").unwrap(),
            name: name.to_owned(),
            folder: String::new(),
            media_type: "text/plain".to_owned(),
            digest: digest.to_hex().to_string(),
            modified_at: None,
            reuse: false,
            blob: StagedBlob {
                id: id.clone(),
                tag: key.tag(digest.as_bytes()),
                size: content.len() as u64,
                placed: true,
            },
        };
        let kept = self
            .store
            .keep_files(
                &key,
                vec![file],
                u64::MAX >> 1,
                AuditEvent::new(EventType::DataWritten, Actor::System),
            )
            .await
            .unwrap();
        assert!(matches!(kept, Kept::Stored(_)));
        id
    }

    /// The content of a file, opened.
    pub async fn content(&self, owner: Subject, id: &str, size: u64) -> kernel::Result<Vec<u8>> {
        let key = self.store.content_key(&owner, false).await?;
        let reader = self.blobs.read(id, size, 0..size, |header| key.opener(id, header, size)).await?;
        reader.collect().await
    }

    pub async fn back_up(&self) -> ops::backup::Made {
        self.backups.create(Reason::Manual, Actor::System, &silently()).await.unwrap()
    }

    /// Restores what this names, and tells how it went.
    pub async fn restore(&self, name: &str) -> kernel::Result<ops::backup::Restored> {
        let found = self.backups.find(name).await?;
        let prepared = self.backups.prepare(&found, true, None, &silently()).await?;
        self.backups.restore(prepared, Actor::System, async |_| Ok(()), &silently()).await
    }

    /// Every table but those that a restore writes to, with their sums: what must not change when nothing is done.
    pub async fn sums(&self) -> Vec<(String, u64, String)> {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let store = self.store.clone();
        let reading = tokio::spawn(async move { store.snapshot(sender).await });
        while receiver.recv().await.is_some() {}
        let tables = reading.await.unwrap().unwrap().tables;
        let own = ["audit_events", "audit_head", "epochs", "state", "alerts"];
        let kept = tables.into_iter().filter(|table| !own.contains(&table.name.as_str()));
        kept.map(|table| (table.name, table.rows, table.hash)).collect()
    }
}

pub async fn titles(store: &Store, owner: Subject) -> Vec<String> {
    let page = PageRequest::first(100);
    let found = store.conversations(&owner, ConversationFilter::default(), page).await.unwrap();
    let mut titles: Vec<String> = found.items.into_iter().filter_map(|one| one.title).collect();
    titles.sort_unstable();
    titles
}

/// Every file below a folder.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
