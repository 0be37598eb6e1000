//! Keeping the index up with what was said: whose messages are to be indexed, which runs are put together, what is
//! forgotten, and what an interrupted one left behind. How far it has looked is remembered; what it missed is found all
//! the same, because a search looks through what is not indexed. It never keeps a turn waiting.

use std::collections::HashSet;

use kernel::{Code, Fault, Result, Subject, Time};

use super::WordsOf;
use super::part::{self, Entry};
use super::run::{FULL, MERGED, RUNS, Run, SETTLED, name, number, place};
use crate::Store;
use crate::value::values;

/// Where it is remembered how far was looked.
const STATE: &str = "search";

/// Messages that are looked at in one step.
const STEP: u32 = 20_000;

/// Parts that are removed in one transaction.
const PIECE: i64 = 128;

/// Owners of whom something is forgotten in one round.
const FORGETFUL: u32 = 20;

/// A text before the ids of this time, and behind those from before: they begin with their milliseconds.
fn id_before(at: Time) -> String {
    let millis = at.micros().div_euclid(1_000);
    format!("{:08x}-{:04x}", millis >> 16, millis & 0xffff)
}

/// What was done in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SearchTended {
    /// Messages that were indexed.
    pub indexed: usize,
    /// Runs that were put together, or written anew without what was deleted.
    pub rewritten: usize,
    /// Runs that were removed.
    pub removed: usize,
    /// There is more to do at once.
    pub more: bool,
}

impl Store {
    /// One round. Whoever calls holds the lease of this name; `words_of` says what a word is.
    pub async fn tend_search(
        &self,
        lease: &str,
        holder: &str,
        words_of: WordsOf<'_>,
    ) -> Result<SearchTended> {
        let lease = (lease.to_owned(), holder.to_owned());
        let mut tended = SearchTended { removed: self.remove_debris().await?, ..SearchTended::default() };
        self.forget_gone(&lease, &mut tended).await?;
        self.index_due(words_of, &lease, &mut tended).await?;
        if tended.rewritten > 0 {
            tended.removed += self.remove_debris().await?;
        }
        Ok(tended)
    }

    /// Removes runs that do not count: replaced ones, and those that were never finished.
    async fn remove_debris(&self) -> Result<usize> {
        let mut removed = 0;
        loop {
            let sql = "SELECT id FROM search_runs WHERE ready = 0 ORDER BY id LIMIT 1";
            let Some(row) = self.read("search.debris").await?.one(sql, values![]).await? else {
                return Ok(removed);
            };
            let run = row.text(0)?;
            let more = self.write("search.remove", Vec::new(), move |tx| {
                Box::pin(async move {
                    let sql = "DELETE FROM search_parts WHERE run = $1 AND part IN \
                               (SELECT part FROM search_parts WHERE run = $1 ORDER BY part LIMIT $2)";
                    if tx.run(sql, values![run.as_str(), PIECE]).await? >= PIECE.unsigned_abs() {
                        return Ok(true);
                    }
                    tx.run("DELETE FROM search_runs WHERE id = $1 AND ready = 0", values![run]).await?;
                    Ok(false)
                })
            });
            if !more.await? {
                removed += 1;
            }
        }
    }

    /// Writes the runs anew that hold something of what was deleted.
    async fn forget_gone(&self, lease: &(String, String), tended: &mut SearchTended) -> Result<()> {
        let sql = "SELECT DISTINCT owner FROM search_gone ORDER BY owner LIMIT $1";
        let owners = self.read("search.gone").await?.all(sql, values![FORGETFUL]).await?;
        tended.more |= owners.len() as u64 == u64::from(FORGETFUL);
        for row in &owners {
            let owner = Subject::parse(&row.text(0)?)?;
            self.forget(&owner, lease, tended).await?;
        }
        Ok(())
    }

    async fn forget(
        &self,
        owner: &Subject,
        lease: &(String, String),
        tended: &mut SearchTended,
    ) -> Result<()> {
        let name_of = owner.to_string();
        let sql =
            "SELECT conversation_id FROM search_gone WHERE owner = $1 ORDER BY conversation_id LIMIT 1000";
        let rows = self.read("search.gone").await?.all(sql, values![name_of.as_str()]).await?;
        let ids = rows.iter().map(|row| Ok(row.text(0)?)).collect::<Result<Vec<String>>>()?;
        tended.more |= ids.len() == 1_000;
        let gone = ids.iter().map(|id| number(id)).collect::<Result<HashSet<u128>>>()?;
        let mut left = HashSet::new();
        for id in &ids {
            let sql = "SELECT id FROM messages WHERE conversation_id = $1";
            for row in self.read("search.left").await?.all(sql, values![id.as_str()]).await? {
                left.insert(number(&row.text(0)?)?);
            }
        }
        for run in self.runs(owner).await? {
            let entries = self.entries(owner, &run).await?;
            let dead: HashSet<u128> = entries
                .iter()
                .filter(|entry| gone.contains(&entry.conversation) && !left.contains(&entry.message))
                .map(|entry| entry.message)
                .collect();
            if !dead.is_empty() {
                self.rewrite_runs(owner, std::slice::from_ref(&run), run.level, &dead, lease).await?;
                tended.rewritten += 1;
            }
        }
        self.write("search.forgotten", Vec::new(), move |tx| {
            Box::pin(async move {
                for id in ids {
                    let sql = "DELETE FROM search_gone WHERE conversation_id = $1 AND owner = $2";
                    tx.run(sql, values![id, name_of.as_str()]).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Indexes what was said since the last round, of those who said enough.
    async fn index_due(
        &self,
        words_of: WordsOf<'_>,
        lease: &(String, String),
        tended: &mut SearchTended,
    ) -> Result<()> {
        let from = self.get_state(STATE).await?.unwrap_or_default();
        // What is too young to be indexed is looked at later, so that nobody is passed by.
        let young = id_before(self.inside.ambient.now() - SETTLED);
        let sql = "SELECT id FROM messages WHERE id > $1 AND id < $2 ORDER BY id LIMIT 1 OFFSET $3";
        let mut reader = self.read("search.due").await?;
        let far = reader.one(sql, values![from.as_str(), young.as_str(), STEP]).await?;
        let newest = "SELECT MAX(id) FROM messages WHERE id > $1 AND id < $2";
        let to = match &far {
            Some(row) => Some(row.text(0)?),
            None => {
                let row = reader.one(newest, values![from.as_str(), young]).await?;
                row.map(|row| row.maybe_text(0)).transpose()?.flatten()
            }
        };
        let Some(to) = to else { return Ok(()) };
        tended.more |= far.is_some();
        let due = "SELECT c.owner FROM conversations c WHERE c.messages > c.searched AND c.temporary = 0 AND c.owner IN \
                   (SELECT DISTINCT o.owner FROM messages m JOIN conversations o ON o.id = m.conversation_id \
                   WHERE m.id > $1 AND m.id <= $2) GROUP BY c.owner HAVING SUM(c.messages - c.searched) >= $3";
        let owners = reader.all(due, values![from.as_str(), to.as_str(), FULL]).await?;
        drop(reader);
        for row in &owners {
            let owner = Subject::parse(&row.text(0)?)?;
            if let Err(fault) = self.index_owner(&owner, words_of, lease, tended).await {
                // One owner, who may be going at this moment, must not keep the others.
                let busy = matches!(fault.code(), Code::Unavailable | Code::Timeout);
                if busy || self.lease_holder(&lease.0).await?.as_deref() != Some(lease.1.as_str()) {
                    return Err(fault);
                }
                tracing::warn!(code = fault.code().as_str(), "messages of an owner are not indexed yet");
            }
        }
        self.set_state(STATE, &to, Vec::new()).await
    }

    async fn index_owner(
        &self,
        owner: &Subject,
        words_of: WordsOf<'_>,
        lease: &(String, String),
        tended: &mut SearchTended,
    ) -> Result<()> {
        loop {
            if !self.hold_lease(&lease.0, &lease.1, std::time::Duration::from_secs(60)).await? {
                return Err(Fault::new(Code::Conflict).because("another replica has the index"));
            }
            let indexed = self.index_run(owner, words_of, lease).await?;
            if indexed == 0 {
                return Ok(());
            }
            tended.indexed += indexed;
            let mut small: Vec<Run> =
                self.runs(owner).await?.into_iter().filter(|run| run.level == 0).collect();
            if small.len() >= MERGED {
                small.sort_unstable_by_key(|run| (run.first_at, run.id.clone()));
                small.truncate(MERGED);
                self.rewrite_runs(owner, &small, 1, &HashSet::new(), lease).await?;
                tended.rewritten += 1;
            }
        }
    }

    /// The runs of an owner that count, the newest first.
    pub(super) async fn runs(&self, owner: &Subject) -> Result<Vec<Run>> {
        let rows = self.read("search.runs").await?.all(RUNS, values![owner.to_string()]).await?;
        rows.iter().map(Run::read).collect()
    }

    async fn entries(&self, owner: &Subject, run: &Run) -> Result<Vec<Entry>> {
        let key = self.subject_key(owner).await?;
        let sql = "SELECT part, content FROM search_parts WHERE run = $1 AND part < 0";
        let rows = self.read("search.entries").await?.all(sql, values![run.id.as_str()]).await?;
        let mut entries = Vec::new();
        for row in &rows {
            let bytes = key.open(place(&name(&run.id, row.int(0)?)), &row.bytes(1)?)?;
            entries.extend(part::read_entries(&bytes)?);
        }
        Ok(entries)
    }

    /// How much the index of an owner holds: messages in it, those that wait for it, and bytes.
    #[doc(hidden)]
    pub async fn search_size(&self, owner: &Subject) -> Result<(u64, u64, u64)> {
        let mut reader = self.read("search.size").await?;
        let mut number = async |sql: &'static str| -> Result<u64> {
            let row = reader.one(sql, values![owner.to_string()]).await?;
            let found = row.map(|row| row.maybe_int(0)).transpose()?.flatten();
            Ok(u64::try_from(found.unwrap_or(0)).unwrap_or(0))
        };
        Ok((
            number("SELECT CAST(SUM(messages) AS bigint) FROM search_runs WHERE owner = $1 AND ready = 1").await?,
            number("SELECT CAST(SUM(messages - searched) AS bigint) FROM conversations WHERE owner = $1 AND messages > searched AND temporary = 0").await?,
            number("SELECT CAST(SUM(length(p.content)) AS bigint) FROM search_runs r JOIN search_parts p ON p.run = r.id WHERE r.owner = $1").await?,
        ))
    }
}
