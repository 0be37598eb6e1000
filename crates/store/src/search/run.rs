//! Runs of the index: made from messages that are not indexed yet, put together when they are many, and written anew
//! without what was deleted. A run counts from one commit on, in which what it replaces ceases to count; whoever is
//! killed before that leaves debris, which `tend.rs` removes. It never runs twice at once: whoever calls holds the lease.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crypto::Place;
use kernel::{Ambient, Fault, Result, Subject};
use uuid::Uuid;

use super::part::{self, Entry, Words};
use super::{PURPOSE, WordsOf, has_file};
use crate::Store;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::message::{self, open_json};
use crate::value::{Row, Value, values};

/// Messages of a new run at the most, and at the least: smaller ones are looked through.
pub(super) const FULL: u32 = 512;
pub(super) const LEAST: usize = 256;

/// So many small runs become one large one.
pub(super) const MERGED: usize = 16;

/// An answer of which a late end may still come is not indexed.
pub(super) const SETTLED: std::time::Duration = std::time::Duration::from_secs(600);

/// Rows of a part that are written in one transaction.
const PIECE: usize = 64;

/// A run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) level: i64,
    pub(super) messages: u32,
    pub(super) first_at: i64,
    pub(super) last_at: i64,
}

pub(super) const RUNS: &str = "SELECT id, level, messages, first_at, last_at FROM search_runs \
                               WHERE owner = $1 AND ready = 1 ORDER BY last_at DESC, id DESC";

impl Run {
    pub(super) fn read(row: &Row) -> Result<Run> {
        Ok(Run {
            id: row.text(0)?,
            level: row.int(1)?,
            messages: row.count(2)?,
            first_at: row.int(3)?,
            last_at: row.int(4)?,
        })
    }
}

pub(super) const fn place(name: &str) -> Place<'_> {
    Place { table: "search_parts", column: "content", row: name }
}

/// The name of a part, to which it is sealed.
pub(super) fn name(run: &str, part: i64) -> String {
    format!("{run} {part}")
}

/// What a run is made of.
#[derive(Default)]
struct Draft {
    entries: Vec<Entry>,
    words: Words,
}

/// What changes in the commit from which on a run counts.
#[derive(Clone, Default)]
struct Turnover {
    /// Up to where conversations are indexed: which, from where, to where.
    indexed: Vec<(String, i64, i64)>,
    /// The runs that it replaces.
    replaced: Vec<String>,
    /// Whoever writes must still hold this lease.
    lease: (String, String),
}

/// Messages that are not indexed yet, conversation by conversation from the oldest on, each up to the first that is not
/// complete: what comes after that waits, so that one number says how far the index is.
const PENDING: &str = "WITH c AS MATERIALIZED (SELECT c.id, c.searched, (SELECT MIN(x.position) FROM messages x \
     WHERE x.conversation_id = c.id AND x.position > c.searched AND (x.finish_reason IS NULL OR x.created_at >= $2)) AS stop \
     FROM conversations c WHERE c.owner = $1 AND c.messages > c.searched AND c.temporary = 0 ORDER BY c.id LIMIT $3) \
     SELECT m.id, m.conversation_id, m.position, m.created_at, m.role, m.content, m.details, c.searched \
     FROM c JOIN messages m ON m.conversation_id = c.id AND m.position > c.searched \
     WHERE c.stop IS NULL OR m.position < c.stop ORDER BY c.id, m.position LIMIT $3";

impl Store {
    /// Indexes messages of an owner that are not yet. Gives how many; none when there are too few.
    pub(super) async fn index_run(
        &self,
        owner: &Subject,
        words_of: WordsOf<'_>,
        lease: &(String, String),
    ) -> Result<usize> {
        let settled = self.inside.ambient.now() - SETTLED;
        let row = values![owner.to_string(), settled, FULL];
        let rows = self.read("search.pending").await?.all(PENDING, row).await?;
        if rows.len() < LEAST {
            return Ok(0);
        }
        let key = self.subject_key(owner).await?;
        let blind = key.blind(PURPOSE);
        let mut indexed: HashMap<String, (i64, i64)> = HashMap::new();
        let mut read: Vec<(Entry, HashSet<u64>)> = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, conversation, position) = (row.text(0)?, row.text(1)?, row.int(2)?);
            let text = key.open_text(message::place("content", &id), &row.bytes(5)?)?;
            let details = open_json(&key, "details", &id, row.maybe_bytes(6)?)?;
            let mut words = HashSet::new();
            words_of(&text, &mut |word| {
                words.insert(part::word(blind.number(word)));
            });
            let entry = Entry {
                at: row.int(3)?,
                message: number(&id)?,
                conversation: number(&conversation)?,
                from_user: row.text(4)? == "user",
                has_file: has_file(&details),
            };
            read.push((entry, words));
            indexed.entry(conversation).or_insert((row.int(7)?, 0)).1 = position;
            if read.len().is_multiple_of(64) {
                // Others want the thread too.
                tokio::task::yield_now().await;
            }
        }
        read.sort_unstable_by_key(|(entry, _)| *entry);
        let mut draft = Draft::default();
        for (place, (entry, words)) in (0..).zip(read) {
            draft.entries.push(entry);
            for word in words {
                draft.words.entry(word).or_default().push(place);
            }
        }
        let mut indexed: Vec<_> = indexed.into_iter().map(|(id, (from, to))| (id, from, to)).collect();
        // In one order, as everybody locks them.
        indexed.sort_unstable();
        let count = draft.entries.len();
        let turnover = Turnover { indexed, replaced: Vec::new(), lease: lease.clone() };
        self.write_run(&key, 0, draft, turnover).await?;
        Ok(count)
    }

    /// Writes these runs anew as one of this level, without the messages that `gone` names.
    pub(super) async fn rewrite_runs(
        &self,
        owner: &Subject,
        runs: &[Run],
        level: i64,
        gone: &HashSet<u128>,
        lease: &(String, String),
    ) -> Result<()> {
        let key = self.subject_key(owner).await?;
        let mut entries: Vec<(Entry, usize, u32)> = Vec::new();
        let mut words: Vec<Vec<(u64, Vec<u32>)>> = Vec::with_capacity(runs.len());
        for (which, run) in runs.iter().enumerate() {
            let sql = "SELECT part, content FROM search_parts WHERE run = $1 ORDER BY part";
            let rows = self.read("search.rewrite").await?.all(sql, values![run.id.as_str()]).await?;
            let mut pages: Vec<(i64, Vec<Entry>)> = Vec::new();
            let mut held = Vec::new();
            for row in &rows {
                let number = row.int(0)?;
                let bytes = key.open(place(&name(&run.id, number)), &row.bytes(1)?)?;
                if number < 0 {
                    pages.push((number, part::read_entries(&bytes)?));
                } else {
                    part::read_words(&bytes, |word, places| held.push((word, places)))?;
                }
            }
            // From -1 down.
            pages.reverse();
            let all = pages.into_iter().flat_map(|(_, entries)| entries);
            entries.extend((0..).zip(all).map(|(place, entry)| (entry, which, place)));
            words.push(held);
            tokio::task::yield_now().await;
        }
        entries.retain(|(entry, ..)| !gone.contains(&entry.message));
        entries.sort_unstable();
        let mut moved: Vec<HashMap<u32, u32>> = runs.iter().map(|_| HashMap::new()).collect();
        for (to, (_, which, from)) in (0..).zip(&entries) {
            if let Some(moved) = moved.get_mut(*which) {
                moved.insert(*from, to);
            }
        }
        let mut draft =
            Draft { entries: entries.into_iter().map(|(entry, ..)| entry).collect(), words: Words::new() };
        for (held, moved) in words.into_iter().zip(&moved) {
            for (word, places) in held {
                let mut places = places.iter().filter_map(|place| moved.get(place)).peekable();
                if places.peek().is_some() {
                    draft.words.entry(word).or_default().extend(places);
                }
            }
        }
        for places in draft.words.values_mut() {
            places.sort_unstable();
        }
        let replaced = runs.iter().map(|run| run.id.clone()).collect();
        self.write_run(&key, level, draft, Turnover { indexed: Vec::new(), replaced, lease: lease.clone() })
            .await
    }

    /// Writes a run in pieces, and lets it count in the end.
    async fn write_run(
        &self,
        key: &Arc<SubjectKey>,
        level: i64,
        draft: Draft,
        turnover: Turnover,
    ) -> Result<()> {
        let id = fresh(&self.inside.ambient);
        if let (Some(first), Some(last)) = (draft.entries.first(), draft.entries.last()) {
            let messages = i64::try_from(draft.entries.len()).unwrap_or(i64::MAX);
            let row = values![id.as_str(), key.subject.as_str(), level, messages, first.at, last.at];
            let pages = part::write_entries(&draft.entries);
            let pages = (1..).zip(pages).map(|(page, bytes): (i64, _)| (-page, bytes));
            let parts: Vec<(i64, Vec<u8>)> = pages.chain(part::write_words(level, &draft.words)).collect();
            drop(draft);
            self.begin_run(key, row).await?;
            for piece in parts.chunks(PIECE) {
                self.write_parts(key, &id, piece).await?;
            }
        }
        self.finish_run(key, id, turnover).await
    }

    async fn begin_run(&self, key: &Arc<SubjectKey>, row: Vec<Value>) -> Result<()> {
        let key = key.clone();
        let begun = self.write_sealed("search.begin", Vec::new(), move |tx| {
            Box::pin(async move {
                data_key::hold_one(tx, &key).await?;
                let sql = "INSERT INTO search_runs (id, owner, level, messages, first_at, last_at, ready) \
                           VALUES ($1, $2, $3, $4, $5, $6, 0)";
                tx.run(sql, row).await?;
                Ok(())
            })
        });
        begun.await.map_err(interrupted)
    }

    async fn write_parts(&self, key: &Arc<SubjectKey>, run: &str, parts: &[(i64, Vec<u8>)]) -> Result<()> {
        let mut rows = Vec::with_capacity(parts.len() * 3);
        for (number, bytes) in parts {
            rows.extend(values![run, *number, key.seal(self, place(&name(run, *number)), bytes)]);
        }
        let key = key.clone();
        let written = self.write_sealed("search.write", Vec::new(), move |tx| {
            Box::pin(async move {
                data_key::hold_one(tx, &key).await?;
                PARTS.run(tx, rows).await?;
                Ok(())
            })
        });
        written.await.map_err(interrupted)
    }

    async fn finish_run(&self, key: &Arc<SubjectKey>, id: String, turnover: Turnover) -> Result<()> {
        let (key, now) = (key.clone(), self.inside.ambient.now());
        let finished = self.write_sealed("search.finish", Vec::new(), move |tx| {
            Box::pin(async move {
                data_key::hold_one(tx, &key).await?;
                let (lease, holder) = turnover.lease;
                let held = "SELECT name FROM leases WHERE name = $1 AND holder = $2 AND expires_at > $3";
                if tx.one(held, values![lease, holder, now]).await?.is_none() {
                    // Another replica may have removed what was written.
                    return Err(interrupted(Refusal::StaleKey).into());
                }
                for (conversation, from, to) in turnover.indexed {
                    let sql = "UPDATE conversations SET searched = $3 WHERE id = $1 AND searched = $2";
                    let row = values![conversation.as_str(), from, to];
                    if tx.run(sql, row).await? == 0 {
                        // Deleted while it was read, or written anew: then its entries are of no use.
                        let sql = "INSERT INTO search_gone (conversation_id, owner) VALUES ($1, $2) \
                                   ON CONFLICT (conversation_id) DO NOTHING";
                        tx.run(sql, values![conversation, key.subject.as_str()]).await?;
                    }
                }
                tx.run("UPDATE search_runs SET ready = 1 WHERE id = $1", values![id]).await?;
                for run in turnover.replaced {
                    tx.run("UPDATE search_runs SET ready = 0 WHERE id = $1", values![run]).await?;
                }
                Ok(())
            })
        });
        finished.await.map_err(interrupted)
    }
}

const PARTS: crate::bulk::Rows = crate::bulk::Rows {
    verb: crate::bulk::Verb::Insert("INSERT INTO search_parts (run, part, content)", ""),
    width: 3,
};

/// What is written anew is begun again; an owner whose key has gone has nothing to be indexed.
fn interrupted(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Fault(fault) => fault,
        Refusal::StaleKey => Fault::new(kernel::Code::Conflict).because("the index was changed meanwhile"),
    }
}

/// An id in the order of time.
fn fresh(ambient: &Ambient) -> String {
    kernel::MessageId::new(ambient).to_string()
}

/// An id as the index writes it.
pub(super) fn number(id: &str) -> Result<u128> {
    Uuid::try_parse(id).map(|id| id.as_u128()).map_err(|_| Fault::internal("an id is not a UUID"))
}
