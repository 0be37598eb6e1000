//! Folders of conversations: few, nested a little, their names sealed. Deleting one never deletes a conversation: what
//! lay in it lies where the folder lay. It never tells a foreign folder from an unknown one.

use std::collections::HashMap;
use std::sync::Arc;

use crypto::Place;
use kernel::{AuditEvent, Code, Fault, FolderId, Result, Subject, Time};

use crate::Store;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::tx::Tx;
use crate::value::{Row, values};

/// A folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// The folder it lies in.
    pub parent: Option<FolderId>,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Time,
    /// How many conversations lie in it itself, put away or not.
    pub conversations: u32,
}

/// A folder to be made.
#[derive(Clone, Debug)]
pub struct NewFolder {
    /// Its id.
    pub id: FolderId,
    /// The folder it lies in.
    pub parent: Option<FolderId>,
    /// Its name.
    pub name: String,
}

/// What changes in a folder; what is `None` stays.
#[derive(Clone, Default, Debug)]
pub struct FolderChange {
    /// Its name.
    pub name: Option<String>,
    /// The folder it lies in, or none.
    pub parent: Option<Option<FolderId>>,
}

impl Folder {
    /// The names from the outermost folder down to each of these, by their ids.
    pub fn paths(folders: &[Folder]) -> HashMap<FolderId, Vec<String>> {
        let by_id: HashMap<FolderId, &Folder> = folders.iter().map(|folder| (folder.id, folder)).collect();
        let path = |folder: &Folder| {
            let mut names = Vec::new();
            let mut next = Some(folder);
            // However the rows are, this ends.
            while let Some(here) = next.filter(|_| names.len() <= Store::MOST_FOLDERS) {
                names.push(here.name.clone());
                next = here.parent.and_then(|parent| by_id.get(&parent).copied());
            }
            names.reverse();
            names
        };
        folders.iter().map(|folder| (folder.id, path(folder))).collect()
    }
}

const fn place(id: &str) -> Place<'_> {
    Place { table: "folders", column: "name", row: id }
}

/// A folder as it lies among the others.
struct Lies {
    id: String,
    parent: Option<String>,
}

async fn all(tx: &mut Tx, owner: &str) -> Result<Vec<Lies>, Refusal> {
    let rows = tx.all("SELECT id, parent_id FROM folders WHERE owner = $1", values![owner]).await?;
    rows.iter().map(|row| Ok(Lies { id: row.text(0)?, parent: row.maybe_text(1)? })).collect()
}

/// How many folders lie above this one, itself too; `None` when it is none of these, or lies below `except`.
fn depth(folders: &[Lies], id: &str, except: Option<&str>) -> Option<usize> {
    let mut depth = 0;
    let mut next = Some(id);
    while let Some(id) = next {
        if Some(id) == except || depth > folders.len() {
            return None;
        }
        next = folders.iter().find(|folder| folder.id == id)?.parent.as_deref();
        depth += 1;
    }
    Some(depth)
}

/// How many levels a folder has, itself the first.
fn height(folders: &[Lies], id: &str, most: usize) -> usize {
    let below = folders.iter().filter(|folder| folder.parent.as_deref() == Some(id));
    let deepest = below.map(|folder| if most == 0 { 0 } else { height(folders, &folder.id, most - 1) });
    1 + deepest.max().unwrap_or(0)
}

fn too_deep() -> Refusal {
    let sentence =
        format!("folders are nested {} deep at the most; choose one further up", Store::DEEPEST_FOLDER);
    Fault::invalid("parent_id", "too_deep", sentence).into()
}

fn taken() -> Refusal {
    Fault::new(Code::Conflict).say("there is a folder of this name here already").into()
}

fn tag(key: &SubjectKey, parent: Option<&str>, name: &str) -> String {
    key.blind("folders").tag(&format!("{}\n{}", parent.unwrap_or_default(), name.to_lowercase()))
}

/// The folder of this path from the outermost, each made where it is missing; `None` for no path. The owner's data key must
/// be locked.
pub(crate) async fn find_or_make(
    tx: &mut Tx,
    store: &Store,
    key: &SubjectKey,
    path: &[String],
) -> Result<Option<String>, Refusal> {
    let mut parent: Option<String> = None;
    for name in path.iter().take(Store::DEEPEST_FOLDER) {
        let tag = tag(key, parent.as_deref(), name);
        let sql = "SELECT id FROM folders WHERE owner = $1 AND tag = $2";
        let id = match tx.one(sql, values![key.subject.as_str(), tag.as_str()]).await? {
            Some(row) => row.text(0)?,
            None => {
                room_for_one(&all(tx, &key.subject).await?)?;
                let id = FolderId::new(&store.inside.ambient).to_string();
                let sealed = key.seal(store, place(&id), name.as_bytes());
                let now = store.inside.ambient.now();
                tx.run(INSERT, values![id.as_str(), key.subject.as_str(), parent, tag, sealed, now]).await?;
                id
            }
        };
        parent = Some(id);
    }
    Ok(parent)
}

const INSERT: &str = "INSERT INTO folders (id, owner, parent_id, tag, name, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner, tag) DO NOTHING";

fn room_for_one(folders: &[Lies]) -> Result<(), Refusal> {
    if folders.len() < Store::MOST_FOLDERS {
        return Ok(());
    }
    let sentence = format!("{} folders are the most; delete one first", Store::MOST_FOLDERS);
    Err(Fault::invalid("name", "too_many", sentence).into())
}

impl Store {
    /// Most folders of an owner.
    pub const MOST_FOLDERS: usize = 200;
    /// Most levels of folders.
    pub const DEEPEST_FOLDER: usize = 4;

    /// Every folder of an owner, in the order of their names.
    pub async fn folders(&self, owner: &Subject) -> Result<Vec<Folder>> {
        let sql = "SELECT id, parent_id, name, created_at, (SELECT COUNT(*) FROM conversations c \
                   WHERE c.owner = folders.owner AND c.folder_id = folders.id) FROM folders WHERE owner = $1";
        let rows = self.read("folder.list").await?.all(sql, values![owner.to_string()]).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let read = |row: &Row, key: &SubjectKey| -> Result<Folder> {
            let id = row.text(0)?;
            Ok(Folder {
                parent: row.maybe_text(1)?.as_deref().map(FolderId::parse).transpose()?,
                name: key.open_text(place(&id), &row.bytes(2)?)?,
                created_at: row.time(3)?,
                conversations: row.count(4)?,
                id: FolderId::parse(&id)?,
            })
        };
        let opened =
            self.opened(owner, |key| rows.iter().map(|row| read(row, key)).collect::<Result<Vec<_>>>());
        let mut folders = opened.await?;
        folders.sort_by_cached_key(|folder| (folder.name.to_lowercase(), folder.id));
        Ok(folders)
    }

    /// A folder of this owner.
    pub async fn folder(&self, owner: &Subject, id: FolderId) -> Result<Folder> {
        let found = self.folders(owner).await?.into_iter().find(|folder| folder.id == id);
        found.ok_or_else(|| Code::NotFound.into())
    }

    /// Makes a folder. `conflict` when its name is taken there, `not_found` when there is no such parent.
    pub async fn create_folder(
        &self,
        owner: &Subject,
        new: NewFolder,
        audit: Vec<AuditEvent>,
    ) -> Result<Folder> {
        let now = self.inside.ambient.now();
        let (id, parent) = (new.id.to_string(), new.parent.map(|parent| parent.to_string()));
        self.with_subject_key(owner, |key: Arc<SubjectKey>| {
            let sealed = key.seal(self, place(&id), new.name.as_bytes());
            let tag = tag(&key, parent.as_deref(), &new.name);
            let (id, parent) = (id.clone(), parent.clone());
            self.write_sealed("folder.create", audit.clone(), move |tx| {
                Box::pin(async move {
                    // The owner's data key is locked, so nobody else counts at the same time.
                    data_key::hold_one(tx, &key).await?;
                    let folders = all(tx, &key.subject).await?;
                    room_for_one(&folders)?;
                    if let Some(parent) = &parent {
                        let above =
                            depth(&folders, parent, None).ok_or_else(|| Fault::new(Code::NotFound))?;
                        if above >= Self::DEEPEST_FOLDER {
                            return Err(too_deep());
                        }
                    }
                    let row = values![id, key.subject.as_str(), parent, tag, sealed, now];
                    if tx.run(INSERT, row).await? == 0 { Err(taken()) } else { Ok(()) }
                })
            })
        })
        .await?;
        Ok(Folder { id: new.id, parent: new.parent, name: new.name, created_at: now, conversations: 0 })
    }

    /// Renames or moves a folder.
    pub async fn change_folder(
        &self,
        owner: &Subject,
        id: FolderId,
        change: FolderChange,
        audit: Vec<AuditEvent>,
    ) -> Result<Folder> {
        let was = self.folder(owner, id).await?;
        let name = change.name.unwrap_or(was.name);
        let parent = change.parent.unwrap_or(was.parent).map(|parent| parent.to_string());
        let row = id.to_string();
        self.with_subject_key(owner, |key: Arc<SubjectKey>| {
            let sealed = key.seal(self, place(&row), name.as_bytes());
            let tag = tag(&key, parent.as_deref(), &name);
            let (id, parent) = (row.clone(), parent.clone());
            self.write_sealed("folder.change", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let folders = all(tx, &key.subject).await?;
                    if let Some(parent) = &parent {
                        if depth(&folders, parent, None).is_none() {
                            return Err(Fault::new(Code::NotFound).into());
                        }
                        let above = depth(&folders, parent, Some(&id)).ok_or_else(|| {
                            Fault::invalid("parent_id", "circle", "a folder cannot lie in itself")
                        })?;
                        if above + height(&folders, &id, Self::DEEPEST_FOLDER) > Self::DEEPEST_FOLDER {
                            return Err(too_deep());
                        }
                    }
                    let other = "SELECT id FROM folders WHERE owner = $1 AND tag = $2 AND id <> $3";
                    let row = values![key.subject.as_str(), tag.as_str(), id.as_str()];
                    if tx.one(other, row).await?.is_some() {
                        return Err(taken());
                    }
                    let sql =
                        "UPDATE folders SET parent_id = $3, tag = $4, name = $5 WHERE owner = $1 AND id = $2";
                    match tx.run(sql, values![key.subject.as_str(), id, parent, tag, sealed]).await? {
                        0 => Err(Fault::new(Code::NotFound).into()),
                        _ => Ok(()),
                    }
                })
            })
        })
        .await?;
        self.folder(owner, id).await
    }

    /// Deletes a folder. What lay in it lies where the folder lay; a folder whose name is taken there is a `conflict`.
    pub async fn delete_folder(&self, owner: &Subject, id: FolderId, audit: Vec<AuditEvent>) -> Result<()> {
        let folders = self.folders(owner).await?;
        let gone = folders.iter().find(|folder| folder.id == id).ok_or(Code::NotFound)?;
        let below: Vec<(String, String)> = folders
            .iter()
            .filter(|folder| folder.parent == Some(id))
            .map(|folder| (folder.id.to_string(), folder.name.clone()))
            .collect();
        let parent = gone.parent.map(|parent| parent.to_string());
        let id = id.to_string();
        self.with_subject_key(owner, |key: Arc<SubjectKey>| {
            let (id, parent, below) = (id.clone(), parent.clone(), below.clone());
            self.write_sealed("folder.delete", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let owner = key.subject.as_str();
                    let sql = "DELETE FROM folders WHERE owner = $1 AND id = $2";
                    if tx.run(sql, values![owner, id.as_str()]).await? == 0 {
                        return Err(Fault::new(Code::NotFound).into());
                    }
                    for (child, name) in below {
                        let tag = tag(&key, parent.as_deref(), &name);
                        let other = "SELECT id FROM folders WHERE owner = $1 AND tag = $2";
                        if tx.one(other, values![owner, tag.as_str()]).await?.is_some() {
                            let sentence =
                                "a folder inside it has the name of one beside it; rename that first";
                            return Err(Fault::new(Code::Conflict).say(sentence).into());
                        }
                        let sql = "UPDATE folders SET parent_id = $3, tag = $4 WHERE owner = $1 AND id = $2";
                        tx.run(sql, values![owner, child, parent.as_deref(), tag]).await?;
                    }
                    let sql = "UPDATE conversations SET folder_id = $3 WHERE owner = $1 AND folder_id = $2";
                    tx.run(sql, values![owner, id, parent]).await?;
                    Ok(())
                })
            })
        })
        .await
    }
}
