//! Conversations in order: pinned, put away, in a folder, tagged, many at once. Tags are a sealed list on the
//! conversation; keyed hashes beside it find them. A change of many is done whole or not at all.
//! It never changes what a conversation says, nor when it last spoke.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crypto::Place;
use kernel::{AppId, AuditEvent, Code, ConversationId, Fault, FolderId, Result, Subject};

use crate::Store;
use crate::connection::Sql;
use crate::conversation;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::tx::Tx;
use crate::value::{Value, values};

/// What changes in the order of conversations; what is `None` or empty stays.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Arrangement {
    /// Whether they stand above the others.
    pub pinned: Option<bool>,
    /// Whether they are put away.
    pub archived: Option<bool>,
    /// The folder they lie in, or none.
    pub folder: Option<Option<FolderId>>,
    /// All their tags.
    pub tags: Option<Vec<String>>,
    /// Tags that they get.
    pub add_tags: Vec<String>,
    /// Tags that they lose.
    pub remove_tags: Vec<String>,
    /// Temporary ones stay from now on.
    pub keep: bool,
}

impl Arrangement {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Arrangement::default()
    }

    fn touches_tags(&self) -> bool {
        self.tags.is_some() || !self.add_tags.is_empty() || !self.remove_tags.is_empty()
    }

    /// The tags of a conversation after this.
    fn tags_after(&self, before: Vec<String>) -> Vec<String> {
        let mut after: Vec<String> = Vec::new();
        let without: HashSet<String> = self.remove_tags.iter().map(|tag| tag.to_lowercase()).collect();
        for tag in self.tags.clone().unwrap_or(before).into_iter().chain(self.add_tags.iter().cloned()) {
            let small = tag.to_lowercase();
            if !without.contains(&small) && after.iter().all(|known| known.to_lowercase() != small) {
                after.push(tag);
            }
        }
        after
    }
}

/// A tag, and how many conversations have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagCount {
    /// As it was written.
    pub tag: String,
    /// Conversations.
    pub conversations: u32,
}

const fn place(id: &str) -> Place<'_> {
    Place { table: "conversations", column: "tags", row: id }
}

/// The tags of a conversation from its column.
pub(crate) fn open_tags(key: &SubjectKey, id: &str, sealed: Option<Vec<u8>>) -> Result<Vec<String>> {
    let Some(sealed) = sealed else { return Ok(Vec::new()) };
    serde_json::from_slice(&key.open(place(id), &sealed)?)
        .map_err(|_| Fault::internal("the tags of a conversation are not JSON"))
}

/// The keyed hash of a tag of this owner: upper and lower case are one.
pub(crate) fn tag_of(key: &SubjectKey, tag: &str) -> String {
    key.blind("tags").tag(&tag.to_lowercase())
}

impl Store {
    /// Most pinned conversations of an owner.
    pub const MOST_PINNED: u32 = 100;
    /// Most tags of a conversation.
    pub const MOST_TAGS: usize = 20;
    /// Most different tags of an owner.
    pub const MOST_OWN_TAGS: u32 = 500;

    /// Changes the order of these conversations of the owner, all of them or none. `not_found` when one of them is not
    /// theirs, or not in one of these apps.
    pub async fn arrange(
        &self,
        owner: &Subject,
        apps: &[AppId],
        ids: &[ConversationId],
        to: Arrangement,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let now = self.inside.ambient.now().micros();
        let (apps, ids) = named(apps, ids);
        self.with_subject_key(owner, |key: Arc<SubjectKey>| {
            let (apps, ids, to, store) = (apps.clone(), ids.clone(), to.clone(), self.clone());
            self.write_sealed("conversation.arrange", audit.clone(), move |tx| {
                Box::pin(async move {
                    // The owner's data key is locked, so nobody else counts at the same time.
                    data_key::hold_one(tx, &key).await?;
                    if let Some(Some(folder)) = to.folder {
                        let sql = "SELECT id FROM folders WHERE owner = $1 AND id = $2";
                        let found = tx.one(sql, values![key.subject.as_str(), folder.to_string()]).await?;
                        found.ok_or_else(|| {
                            Fault::invalid("folder_id", "unknown", "there is no such folder; make it first")
                        })?;
                    }
                    for (id, tags) in lock(tx, &key.subject, &apps, &ids).await? {
                        let flag = |to: Option<bool>| {
                            (i64::from(to.is_some()), to.unwrap_or(false).then_some(now))
                        };
                        let ((repin, pinned), (rearchive, archived)) = (flag(to.pinned), flag(to.archived));
                        let folder = to.folder.flatten().map(|folder| folder.to_string());
                        let sql = "UPDATE conversations SET \
                             pinned_at = CASE WHEN $3 = 1 THEN $4 ELSE pinned_at END, \
                             archived_at = CASE WHEN $5 = 1 THEN $6 ELSE archived_at END, \
                             folder_id = CASE WHEN $7 = 1 THEN $8 ELSE folder_id END, \
                             temporary = CASE WHEN $9 = 1 THEN 0 ELSE temporary END WHERE owner = $1 AND id = $2";
                        let row = values![
                            key.subject.as_str(),
                            id.as_str(),
                            repin,
                            pinned,
                            rearchive,
                            archived,
                            i64::from(to.folder.is_some()),
                            folder,
                            i64::from(to.keep),
                        ];
                        tx.run(sql, row).await?;
                        if to.touches_tags() {
                            let after = to.tags_after(open_tags(&key, &id, tags)?);
                            tag(tx, &store, &key, &id, &after).await?;
                        }
                    }
                    within(tx, &key.subject, &to).await
                })
            })
        })
        .await
    }

    /// Deletes these conversations of the owner with everything in them, all of them or none.
    pub async fn delete_conversations(
        &self,
        owner: &Subject,
        apps: &[AppId],
        ids: &[ConversationId],
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let (apps, ids) = named(apps, ids);
        let owner = owner.to_string();
        self.write("conversation.delete", audit, move |tx| {
            Box::pin(async move {
                // In one order, as everybody locks them.
                lock(tx, &owner, &apps, &ids).await?;
                for id in &ids {
                    conversation::delete(tx, &owner, id).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The tags of an owner, in the order of the alphabet.
    pub async fn tags(&self, owner: &Subject) -> Result<Vec<TagCount>> {
        let owner_name = owner.to_string();
        let sql = "SELECT t.tag, CAST(COUNT(*) AS bigint), MIN(t.conversation_id) FROM conversation_tags t \
                   WHERE t.owner = $1 GROUP BY t.tag";
        let mut reader = self.read("tag.list").await?;
        let rows = reader.all(sql, values![owner_name.as_str()]).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.subject_key(owner).await?;
        let mut counts = BTreeMap::new();
        for row in &rows {
            counts.insert(row.text(0)?, (row.count(1)?, row.text(2)?));
        }
        let mut tags = Vec::new();
        while let Some((_, (_, id))) = counts.first_key_value() {
            let sql = "SELECT tags FROM conversations WHERE owner = $1 AND id = $2";
            let row = reader.one(sql, values![owner_name.as_str(), id.as_str()]).await?;
            let sealed = row.map(|row| row.maybe_bytes(0)).transpose()?.flatten();
            for tag in open_tags(&key, id, sealed)? {
                if let Some((conversations, _)) = counts.remove(&tag_of(&key, &tag)) {
                    tags.push(TagCount { tag, conversations });
                }
            }
            // The one whose name was looked for; whoever untags at this moment takes it away.
            counts.pop_first();
        }
        tags.sort_by_cached_key(|tag| tag.tag.to_lowercase());
        Ok(tags)
    }

    /// Deletes temporary conversations in which nothing was said since `before`, and nothing is being said, whoever
    /// made them. Gives how many went.
    pub async fn sweep_temporary(&self, before: kernel::Time) -> Result<u64> {
        const OVER: &str = concat!(
            "SELECT c.id, c.owner FROM conversations c WHERE c.temporary = 1 AND c.updated_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.finish_reason IS NULL) AND ",
            crate::hold::unheld!("c.owner"),
            " AND NOT EXISTS (SELECT 1 FROM holds a WHERE a.target = 'app:' || c.app) ORDER BY c.updated_at LIMIT 50"
        );
        if self.read("sweep.due").await?.one(OVER, values![before]).await?.is_none() {
            return Ok(0);
        }
        self.write_alone("sweep.temporary", Vec::new(), move |tx| {
            Box::pin(async move {
                let rows = tx.all(OVER, values![before]).await?;
                for row in &rows {
                    let (id, owner) = (row.text(0)?, row.text(1)?);
                    let app = conversation::delete(tx, &owner, &id).await?;
                    let mut swept = crate::sweep::Swept::default();
                    swept.add("conversations", 1);
                    crate::sweep::note(tx, &app, &swept).await?;
                }
                Ok(rows.len() as u64)
            })
        })
        .await
    }
}

fn named(apps: &[AppId], ids: &[ConversationId]) -> (Vec<String>, Vec<String>) {
    let mut ids: Vec<String> = ids.iter().map(ConversationId::to_string).collect();
    ids.sort_unstable();
    ids.dedup();
    (apps.iter().map(|app| app.as_str().to_owned()).collect(), ids)
}

/// Locks conversations; gives their tags. `not_found` unless all are the owner's, in these apps.
async fn lock(
    tx: &mut Tx,
    owner: &str,
    apps: &[String],
    ids: &[String],
) -> Result<Vec<(String, Option<Vec<u8>>)>, Refusal> {
    let engine = tx.engine();
    let head = format!("SELECT id, app, tags FROM conversations WHERE {} AND id IN", conversation::OWN);
    let sql: Sql = crate::blob::with_list(engine, &head, 1, ids.len(), engine.locked());
    let row = std::iter::once(Value::from(owner)).chain(crate::blob::list(ids)).collect();
    let rows = tx.all(sql, row).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        if apps.contains(&row.text(1)?) {
            found.push((row.text(0)?, row.maybe_bytes(2)?));
        }
    }
    if found.len() == ids.len() { Ok(found) } else { Err(Fault::new(Code::NotFound).into()) }
}

/// Writes the tags of a conversation.
pub(crate) async fn tag(
    tx: &mut Tx,
    store: &Store,
    key: &SubjectKey,
    id: &str,
    tags: &[String],
) -> Result<(), Refusal> {
    if tags.len() > Store::MOST_TAGS {
        let sentence = format!("a conversation has {} tags at the most", Store::MOST_TAGS);
        return Err(Fault::invalid("tags", "too_many", sentence).into());
    }
    tx.run("DELETE FROM conversation_tags WHERE conversation_id = $1", values![id]).await?;
    for tag in tags {
        let sql = "INSERT INTO conversation_tags (conversation_id, tag, owner) VALUES ($1, $2, $3) \
                   ON CONFLICT (conversation_id, tag) DO NOTHING";
        tx.run(sql, values![id, tag_of(key, tag), key.subject.as_str()]).await?;
    }
    let text = serde_json::to_vec(tags).map_err(Fault::internal)?;
    let sealed = (!tags.is_empty()).then(|| key.seal(store, place(id), &text));
    let sql = "UPDATE conversations SET tags = $3 WHERE owner = $1 AND id = $2";
    tx.run(sql, values![key.subject.as_str(), id, sealed]).await?;
    Ok(())
}

/// Refuses what would be too many after this.
async fn within(tx: &mut Tx, owner: &str, to: &Arrangement) -> Result<(), Refusal> {
    if to.pinned == Some(true) && pinned(tx, owner).await? > Store::MOST_PINNED {
        let sentence = format!("{} pinned conversations are the most; unpin one first", Store::MOST_PINNED);
        return Err(Fault::invalid("pinned", "too_many", sentence).into());
    }
    if to.touches_tags() { within_tags(tx, owner).await } else { Ok(()) }
}

/// How many conversations of an owner are pinned.
pub(crate) async fn pinned(tx: &mut Tx, owner: &str) -> Result<u32, Refusal> {
    let sql = "SELECT COUNT(*) FROM conversations WHERE owner = $1 AND pinned_at IS NOT NULL";
    Ok(tx.one(sql, values![owner]).await?.map_or(Ok(0), |row| row.count(0))?)
}

/// Refuses more different tags than an owner may have.
pub(crate) async fn within_tags(tx: &mut Tx, owner: &str) -> Result<(), Refusal> {
    let sql = "SELECT COUNT(DISTINCT tag) FROM conversation_tags WHERE owner = $1";
    let count = tx.one(sql, values![owner]).await?.map_or(Ok(0), |row| row.count(0))?;
    if count > Store::MOST_OWN_TAGS {
        let sentence = format!("{} different tags are the most; use one that you have", Store::MOST_OWN_TAGS);
        return Err(Fault::invalid("tags", "too_many", sentence).into());
    }
    Ok(())
}
