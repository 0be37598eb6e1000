//! Finding: the index names messages that may be meant, the newest first; each is fetched, opened and read until the page
//! is full. Runs are looked up and their entries read only as far as the page needs. It never gives out what nobody read.

use std::collections::{HashMap, VecDeque, hash_map};
use std::sync::Arc;

use kernel::{ConversationId, Cursor, Fault, MessageId, Page, PageRequest, Result, Subject, Time};
use uuid::Uuid;

use super::known;
use super::narrow::{Named, Narrowing};
use super::part::{self, Entry};
use super::run::{Run, name, number, place};
use super::{FoundMessage, PURPOSE, TalkQuery, has_file};
use crate::Store;
use crate::blob::{list, with_list};
use crate::connection::Sql;
use crate::conversation::Conversation;
use crate::data_key::SubjectKey;
use crate::dialect::Engine;
use crate::message::{self, Role, open_json};
use crate::value::values;

/// Messages that one search reads at the most; the next page goes on.
const MOST_READ: usize = 512;

/// Messages that one search walks past at the most, read or not.
const MOST_WALKED: usize = 8_192;

/// Messages of few conversations that are all looked at, and what part of everything they may be: where they are a large
/// one, the index leads to them sooner.
const SMALL: i64 = 1_024;
const SHARE: i64 = 16;

/// Messages that are fetched at once, beyond those that make the page full: few in the beginning, because what the index
/// names is mostly meant.
const BEYOND: usize = 4;
const MOST: usize = 256;

/// Pages of entries that are read at once: the same.
const FIRST_PAGES: usize = 4;
const MOST_PAGES: usize = 64;

/// Pages of entries that one search reads at the most: those of some hundred thousand messages. The next page goes on.
const ALL_PAGES: usize = 512;

/// Runs that are looked up at once at the most.
const RUNS: usize = 64;
/// So many runs show how common a word is.
const SHOWN: usize = 16;
/// Parts that one statement reads at the most.
const PARTS: usize = 256;

/// A run, or what is in none, on its way to the page.
struct Source {
    run: Option<Run>,
    /// Places that are not known by entry yet, in order.
    todo: Vec<u32>,
    /// Candidates, the newest first.
    known: VecDeque<Entry>,
    /// Nothing of `todo` is newer.
    bound: i64,
}

/// What the walk goes by.
struct Walk<'a> {
    store: &'a Store,
    key: Arc<SubjectKey>,
    query: &'a TalkQuery,
    words: Vec<Word>,
    narrowing: Narrowing,
    /// The conversations that are meant, where those are few.
    within: Option<Named>,
    /// Only what stands before this.
    before: Option<(i64, u128)>,
    /// Runs that nobody has looked up yet, the newest first.
    waiting: VecDeque<Run>,
    sources: Vec<Source>,
    pages: usize,
    /// Pages that were read.
    learned: usize,
    chunk: usize,
    /// Runs that were looked up.
    looked_up: usize,
}

/// A word that a message must hold.
struct Word {
    /// As the index writes it, in one of these forms.
    forms: Vec<u64>,
    /// How often it was met in the first runs.
    met: usize,
}

/// The next candidates in order of time.
struct Step {
    entries: Vec<Entry>,
    /// There are more.
    more: bool,
    /// So much was read that it ends here: nothing that is newer than this is left.
    until: Option<i64>,
}

impl Store {
    /// Searches what this owner said and was told, the newest first. `read` judges the text of a message: what it
    /// refuses is not found. A page may hold less than was asked for while there is more: `next` tells.
    pub async fn search_talk<T: Send>(
        &self,
        owner: &Subject,
        query: &TalkQuery,
        read: &(dyn Fn(&str) -> Option<T> + Send + Sync),
        page: PageRequest,
    ) -> Result<Page<FoundMessage<T>>> {
        let key = self.subject_key(owner).await?;
        let blind = key.blind(PURPOSE);
        let words = query.words.iter().map(|forms| {
            let forms = forms.iter().map(|form| part::word(blind.number(form))).collect();
            Word { forms, met: 0 }
        });
        let before = page.after.as_ref().map(|cursor| (cursor.key, number(&cursor.tie).unwrap_or(0)));
        let nothing = Page { items: Vec::new(), next: None };
        let Some(narrowing) = Narrowing::of(query, &key) else { return Ok(nothing) };
        let mut walk = Walk {
            store: self,
            query,
            words: words.collect(),
            within: narrowing.named(self, owner).await?,
            narrowing,
            before,
            waiting: VecDeque::new(),
            sources: Vec::new(),
            pages: FIRST_PAGES,
            learned: 0,
            chunk: 8,
            looked_up: 0,
            key,
        };
        if walk.within.as_ref().is_some_and(|within| within.ids.is_empty()) {
            return Ok(nothing);
        }
        walk.begin(owner).await?;
        let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let (mut found, mut looked, mut walked) = (Vec::<(Hit, T)>::new(), 0, 0);
        let mut batch = wanted.saturating_add(BEYOND).min(MOST);
        let mut last: Option<Entry> = None;
        while looked < MOST_READ && walked < MOST_WALKED {
            let mut step = walk.next(batch, last).await?;
            walked += step.entries.len();
            last = step.entries.last().copied().or(last);
            if walk.within.is_none() {
                walk.narrowing.leave(self, owner, &mut step.entries).await?;
            }
            looked += step.entries.len();
            let mut texts = self.fetch(owner, &walk, &step.entries).await?;
            for entry in &step.entries {
                let Some((hit, text)) = texts.remove(&entry.message) else { continue };
                let Some(mark) = read(&text) else { continue };
                if found.len() == wanted {
                    // One more is there.
                    let next = found.last().map(|(last, _)| cursor(last.at.micros(), last.message));
                    return self.page_of(owner, found, next).await;
                }
                found.push((hit, mark));
            }
            if !step.more {
                let next = step.until.map(|at| cursor(at, MessageId::from_uuid(Uuid::max())));
                return self.page_of(owner, found, next).await;
            }
            batch = (batch * 2).min(MOST);
            tokio::task::yield_now().await;
        }
        let next = last.map(|last| cursor(last.at, MessageId::from_uuid(Uuid::from_u128(last.message))));
        self.page_of(owner, found, next).await
    }

    /// What was found with its conversations; those that went meanwhile are left out.
    async fn page_of<T>(
        &self,
        owner: &Subject,
        found: Vec<(Hit, T)>,
        next: Option<String>,
    ) -> Result<Page<FoundMessage<T>>> {
        let mut ids: Vec<ConversationId> = found.iter().map(|(hit, _)| hit.conversation).collect();
        ids.sort_unstable();
        ids.dedup();
        let known = self.conversations_of(owner, &ids).await?;
        let known: HashMap<ConversationId, Conversation> =
            known.into_iter().map(|conversation| (conversation.id, conversation)).collect();
        let whole = found.into_iter().filter_map(|(hit, mark)| {
            let conversation = known.get(&hit.conversation)?.clone();
            Some(FoundMessage { conversation, message: hit.message, role: hit.role, at: hit.at, mark })
        });
        Ok(Page { items: whole.collect(), next })
    }

    /// The messages of these entries that are still there and meant, with their texts.
    async fn fetch(
        &self,
        owner: &Subject,
        walk: &Walk<'_>,
        entries: &[Entry],
    ) -> Result<HashMap<u128, (Hit, String)>> {
        // A cross join keeps SQLite from going through all conversations of the owner.
        const HEAD: &str = "SELECT m.id, m.conversation_id, m.role, m.created_at, m.content, m.details, c.app \
             FROM messages m CROSS JOIN conversations c WHERE c.id = m.conversation_id \
             AND c.owner = ? AND c.temporary = 0 AND m.id IN";
        if entries.is_empty() {
            return Ok(HashMap::new());
        }
        let mut ids: Vec<String> =
            entries.iter().map(|entry| Uuid::from_u128(entry.message).to_string()).collect();
        // Few different numbers of ids make few different statements.
        let room = ids.len().next_power_of_two();
        ids.extend(ids.last().cloned().into_iter().cycle().take(room - ids.len()).collect::<Vec<_>>());
        let sql = with_list(self.inside.engine, HEAD, 1, ids.len(), "");
        let mut row = values![owner.to_string()];
        row.extend(list(&ids));
        let rows = self.read("search.fetch").await?.all(sql, row).await?;
        let (query, key) = (walk.query, &walk.key);
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let id = row.text(0)?;
            let (role, app) = (row.text(2)?, row.text(6)?);
            let role = Role::parse(&role).ok_or_else(|| Fault::internal("an unknown role is stored"))?;
            let mut fits = query.apps.iter().any(|open| open.as_str() == app)
                && query.from.is_none_or(|from| role == from);
            if fits && query.has_file {
                fits = has_file(&open_json(key, "details", &id, row.maybe_bytes(5)?)?);
            }
            if !fits {
                continue;
            }
            let text = key.open_text(message::place("content", &id), &row.bytes(4)?)?;
            let hit = Hit {
                message: MessageId::parse(&id)?,
                conversation: ConversationId::parse(&row.text(1)?)?,
                role,
                at: row.time(3)?,
            };
            found.insert(number(&id)?, (hit, text));
        }
        Ok(found)
    }
}

/// A message that was found, before its conversation is known.
struct Hit {
    message: MessageId,
    conversation: ConversationId,
    role: Role,
    at: Time,
}

fn cursor(at: i64, message: MessageId) -> String {
    Cursor { key: at, tie: message.to_string() }.encode()
}

impl Walk<'_> {
    /// Finds out what there is to walk through.
    async fn begin(&mut self, owner: &Subject) -> Result<()> {
        let runs = self.store.runs(owner).await?;
        let all: i64 = runs.iter().map(|run| i64::from(run.messages)).sum();
        let small = |named: &&Named| named.messages <= SMALL.min(all / SHARE);
        let mut known = match self.within.as_ref().filter(small) {
            Some(named) => known::of(self.store, owner, &named.ids).await?,
            None => {
                self.waiting = runs.into_iter().filter(|run| self.reaches(run)).collect();
                known::waiting(self.store, owner).await?
            }
        };
        known.retain(|entry| self.admits(entry));
        known.sort_unstable_by(|one, other| other.cmp(one));
        self.sources.push(Source { run: None, todo: Vec::new(), known: known.into(), bound: i64::MIN });
        Ok(())
    }

    /// Whether a run may hold what is meant.
    fn reaches(&self, run: &Run) -> bool {
        self.before.is_none_or(|(at, _)| run.first_at <= at)
            && self.query.before.is_none_or(|time| run.first_at < time.micros())
            && self.query.after.is_none_or(|time| run.last_at >= time.micros())
    }

    fn admits(&self, entry: &Entry) -> bool {
        let query = self.query;
        self.before.is_none_or(|before| (entry.at, entry.message) < before)
            && query.before.is_none_or(|time| entry.at < time.micros())
            && query.after.is_none_or(|time| entry.at >= time.micros())
            && query.from.is_none_or(|from| entry.from_user == (from == Role::User))
            && (!query.has_file || entry.has_file)
            && self.within.as_ref().is_none_or(|within| within.numbers.contains(&entry.conversation))
    }

    /// The next candidates, at most `most`. `last` is the last one before.
    async fn next(&mut self, most: usize, mut last: Option<Entry>) -> Result<Step> {
        let mut entries: Vec<Entry> = Vec::with_capacity(most);
        while entries.len() < most {
            let newest =
                self.sources.iter().enumerate().filter_map(|(at, source)| Some((*source.known.front()?, at)));
            let newest = newest.max();
            // What nobody knows yet may be as new as this.
            let open =
                self.sources.iter().filter(|source| !source.todo.is_empty()).map(|source| source.bound);
            let unknown = open.chain(self.waiting.front().map(|run| run.last_at)).max();
            match (newest, unknown) {
                (None, None) => return Ok(Step { entries, more: false, until: None }),
                (Some((entry, at)), unknown) if unknown.is_none_or(|bound| entry.at > bound) => {
                    if let Some(source) = self.sources.get_mut(at) {
                        source.known.pop_front();
                    }
                    // A message that is in two runs is one message.
                    if last.is_none_or(|last| (last.at, last.message) != (entry.at, entry.message)) {
                        entries.push(entry);
                    }
                    last = Some(entry);
                }
                // Where it would begin again at the same place, it goes on.
                (_, Some(bound))
                    if self.learned >= ALL_PAGES && self.before.is_none_or(|(before, _)| bound < before) =>
                {
                    return Ok(Step { entries, more: false, until: Some(bound) });
                }
                (_, Some(bound)) if self.waiting.front().is_some_and(|run| run.last_at >= bound) => {
                    self.look_up().await?;
                }
                _ => self.learn().await?,
            }
        }
        Ok(Step { entries, more: true, until: None })
    }

    /// Looks up the words in the next runs: in the first of them all words at once, which shows how common each is, in the
    /// others the rarest first and the rest only where that leaves something.
    async fn look_up(&mut self) -> Result<()> {
        let count = self.chunk.min(self.waiting.len());
        self.chunk = (self.chunk * 2).min(RUNS);
        let runs: Vec<Run> = self.waiting.drain(..count).collect();
        let at_once = self.looked_up < SHOWN;
        self.looked_up += count;
        let every = |run: &Run| (0..run.messages).collect::<Vec<u32>>();
        let mut open: Vec<(Run, Option<Vec<u32>>)> = runs.into_iter().map(|run| (run, None)).collect();
        let step = if at_once { self.words.len().max(1) } else { 1 };
        let mut words = std::mem::take(&mut self.words);
        for words in words.chunks_mut(step) {
            let mut wanted: Vec<(String, i64)> = Vec::new();
            for (run, _) in &open {
                let parts = words.iter().flat_map(|word| &word.forms);
                wanted.extend(parts.map(|form| (run.id.clone(), part::part_of(run.level, *form))));
            }
            wanted.sort_unstable();
            wanted.dedup();
            let held = self.parts(&wanted).await?;
            for word in words {
                for (run, todo) in &mut open {
                    let mut places: Vec<u32> = Vec::new();
                    for form in &word.forms {
                        if let Some(bytes) = held.get(&(run.id.clone(), part::part_of(run.level, *form))) {
                            places.extend(part::find(bytes, *form)?);
                        }
                    }
                    word.met += places.len();
                    places.sort_unstable();
                    places.dedup();
                    if let Some(before) = todo {
                        places.retain(|place| before.binary_search(place).is_ok());
                    }
                    *todo = Some(places);
                }
            }
            open.retain(|(_, todo)| todo.as_ref().is_none_or(|todo| !todo.is_empty()));
        }
        if at_once {
            words.sort_by_key(|word| word.met);
        }
        self.words = words;
        for (run, todo) in open {
            let todo = todo.unwrap_or_else(|| every(&run));
            let bound = run.last_at;
            self.sources.push(Source { run: Some(run), todo, known: VecDeque::new(), bound });
        }
        Ok(())
    }

    /// Reads entries: of those runs first that may hold the newest.
    async fn learn(&mut self) -> Result<()> {
        let mut order: Vec<usize> = (0..self.sources.len()).collect();
        let bound = |at: &usize| self.sources.get(*at).map(|source| std::cmp::Reverse(source.bound));
        order.sort_by_key(bound);
        let mut wanted: Vec<(String, i64)> = Vec::new();
        let mut chosen: Vec<(usize, i64)> = Vec::new();
        for at in order {
            let Some(source) = self.sources.get(at) else { continue };
            let Some(run) = &source.run else { continue };
            let mut pages: Vec<i64> = source.todo.iter().rev().map(|place| part::page_of(*place)).collect();
            pages.dedup();
            // The newest pages of a run come first, so that what is left of it is older.
            for page in pages.into_iter().take(self.pages - wanted.len()) {
                wanted.push((run.id.clone(), page));
                chosen.push((at, page));
            }
            if wanted.len() >= self.pages {
                break;
            }
        }
        self.learned += wanted.len();
        self.pages = (self.pages * 2).min(MOST_PAGES);
        let held = self.parts(&wanted).await?;
        for (at, page) in chosen {
            let Some(source) = self.sources.get(at) else { continue };
            let run = source.run.as_ref().map(|run| run.id.clone()).unwrap_or_default();
            let entries = held.get(&(run, page)).map(|bytes| part::read_entries(bytes)).transpose()?;
            let entries = entries.unwrap_or_default();
            let first = u32::try_from((-1 - page).max(0)).unwrap_or(0) * part::PAGE as u32;
            let mut fresh = Vec::new();
            let mut todo = source.todo.clone();
            while let Some(place) = todo.pop_if(|place| *place >= first) {
                let entry = usize::try_from(place - first).ok().and_then(|at| entries.get(at));
                fresh.extend(entry.filter(|entry| self.admits(entry)).copied());
            }
            let bound = entries.first().map_or(source.bound, |oldest| oldest.at);
            if let Some(source) = self.sources.get_mut(at) {
                source.known.extend(fresh);
                source.todo = todo;
                source.bound = bound;
            }
        }
        // What is used up is in nobody's way.
        self.sources.retain(|source| !source.todo.is_empty() || !source.known.is_empty());
        Ok(())
    }

    /// Parts of runs, opened.
    async fn parts(&self, wanted: &[(String, i64)]) -> Result<HashMap<(String, i64), Vec<u8>>> {
        let mut held = HashMap::with_capacity(wanted.len());
        let mut reader = self.store.read("search.parts").await?;
        for pairs in wanted.chunks(PARTS) {
            let Some(last) = pairs.last() else { continue };
            // Few different numbers of pairs make few different statements. Asked for twice, a part is the same part.
            let room = pairs.len().next_power_of_two();
            let padded = pairs.iter().chain(std::iter::repeat_n(last, room - pairs.len()));
            let row = padded.flat_map(|(run, part)| values![run.as_str(), *part]).collect();
            for row in reader.all(parts_of(self.store.inside.engine, room), row).await? {
                let (run, part) = (row.text(0)?, row.int(1)?);
                let bound = name(&run, part);
                if let hash_map::Entry::Vacant(place_of) = held.entry((run, part)) {
                    place_of.insert(self.key.open(place(&bound), &row.bytes(2)?)?);
                }
            }
        }
        Ok(held)
    }
}

/// The text that reads so many parts of runs, each by its own key: the runs times the parts would be many more.
fn parts_of(engine: Engine, count: usize) -> Sql {
    let mut text = "WITH v (run, part) AS (VALUES ".to_owned();
    for at in 0..count {
        text.push_str(if at == 0 { "(" } else { ", (" });
        engine.placeholder(at * 2 + 1, &mut text);
        text.push_str(", ");
        engine.placeholder(at * 2 + 2, &mut text);
        text.push(')');
    }
    // A cross join keeps SQLite from going through all parts first.
    text.push_str(
        ") SELECT p.run, p.part, p.content FROM v CROSS JOIN search_parts p WHERE p.run = v.run AND p.part = v.part",
    );
    Sql::Built(text.into())
}
