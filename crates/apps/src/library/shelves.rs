//! The indexes of all apps in memory, and how they follow the database: what is new there is read piece by piece,
//! what is gone there is forgotten. It never writes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crypto::Blind;
use kernel::{AppId, DocumentId, PassageId, Result, Visibility};
use knowledge::{Card, Index, Scribe};
use parking_lot::RwLock;
use store::{IndexedPassage, ShelvedDocument, Store};

/// Documents that are put on the shelf before lists give their reserves back.
const MANY: usize = 100;

/// The documents of one app, ready to be searched.
pub(super) struct Shelf {
    pub(super) blind: Blind,
    pub(super) index: RwLock<Index>,
}

/// What is on the shelves.
#[derive(Default)]
pub(super) struct Shelves {
    apps: RwLock<HashMap<AppId, Arc<Shelf>>>,
    /// What is known of each document; held while the database is followed.
    known: tokio::sync::Mutex<HashMap<DocumentId, Known>>,
}

struct Known {
    app: AppId,
    vectors: bool,
}

impl Shelves {
    /// The shelf of an app; none when it has no documents.
    pub(super) fn of(&self, app: &AppId) -> Option<Arc<Shelf>> {
        self.apps.read().get(app).cloned()
    }

    /// Makes the shelves what the database says.
    pub(super) async fn refresh(&self, store: &Store, model: Option<&str>) -> Result<()> {
        let mut known = self.known.lock().await;
        let present = store.shelved_documents().await?;
        self.forget(&mut known, &present).await;
        let embedded = |document: &ShelvedDocument| model.is_some() && document.embedding.as_deref() == model;
        self.forget_vectors(&mut known, &present, embedded);
        let mut touched: HashMap<AppId, usize> = HashMap::new();
        for document in &present {
            let vectors = embedded(document);
            match known.get_mut(&document.id) {
                None => {
                    let shelf = self.shelf(store, &document.app).await?;
                    self.put(store, &shelf, document, vectors).await?;
                    known.insert(document.id, Known { app: document.app.clone(), vectors });
                    *touched.entry(document.app.clone()).or_default() += 1;
                }
                Some(known) if vectors && !known.vectors => {
                    let shelf = self.shelf(store, &document.app).await?;
                    put_vectors(store, &shelf, document.id).await?;
                    known.vectors = true;
                }
                Some(_) => {}
            }
        }
        for app in touched.into_iter().filter(|(_, count)| *count >= MANY).map(|(app, _)| app) {
            if let Some(shelf) = self.of(&app) {
                apart(move || shelf.index.write().settle()).await;
            }
        }
        Ok(())
    }

    /// Forgets what is no longer there, each shelf once.
    async fn forget(&self, known: &mut HashMap<DocumentId, Known>, present: &[ShelvedDocument]) {
        let there: HashSet<DocumentId> = present.iter().map(|document| document.id).collect();
        let mut gone: HashMap<AppId, HashSet<DocumentId>> = HashMap::new();
        known.retain(|id, known| {
            let stays = there.contains(id);
            if !stays {
                gone.entry(known.app.clone()).or_default().insert(*id);
            }
            stays
        });
        for (app, gone) in gone {
            if let Some(shelf) = self.of(&app) {
                apart(move || shelf.index.write().remove(&gone)).await;
            }
        }
    }

    /// Vectors that are not of this model any more say nothing beside those that are.
    fn forget_vectors(
        &self,
        known: &mut HashMap<DocumentId, Known>,
        present: &[ShelvedDocument],
        embedded: impl Fn(&ShelvedDocument) -> bool,
    ) {
        let stale: HashSet<AppId> = present
            .iter()
            .filter(|document| !embedded(document) && known.get(&document.id).is_some_and(|one| one.vectors))
            .map(|document| document.app.clone())
            .collect();
        for app in &stale {
            if let Some(shelf) = self.of(app) {
                shelf.index.write().drop_vectors();
            }
        }
        known.values_mut().filter(|known| stale.contains(&known.app)).for_each(|known| known.vectors = false);
    }

    async fn shelf(&self, store: &Store, app: &AppId) -> Result<Arc<Shelf>> {
        if let Some(shelf) = self.of(app) {
            return Ok(shelf);
        }
        let blind = store.word_key(app).await?;
        let shelf = Arc::new(Shelf { blind, index: RwLock::new(Index::default()) });
        Ok(Arc::clone(self.apps.write().entry(app.clone()).or_insert(shelf)))
    }

    /// Reads a document from the database onto its shelf. What was put there before a failure is taken off again.
    async fn put(
        &self,
        store: &Store,
        shelf: &Arc<Shelf>,
        document: &ShelvedDocument,
        vectors: bool,
    ) -> Result<()> {
        shelf.index.write().begin(document.id, document.visibility);
        let read = fill(store, shelf, document, vectors).await;
        let mut index = shelf.index.write();
        match read {
            Ok(true) => index.finish(document.id),
            // More passages than a shelf has places: the document is listed and not found.
            Ok(false) => {
                tracing::error!(app = %document.app, "an app has more passages than can be searched");
                index.remove(&HashSet::from([document.id]));
            }
            Err(_) => index.remove(&HashSet::from([document.id])),
        }
        read.map(drop)
    }
}

/// `false`: there is no room.
async fn fill(store: &Store, shelf: &Arc<Shelf>, document: &ShelvedDocument, vectors: bool) -> Result<bool> {
    let mut pieces = Pieces::of(document.id, vectors);
    while let Some(piece) = pieces.next(store).await? {
        let cards = cards(store, shelf, document, &piece).await?;
        let (shelf, id) = (Arc::clone(shelf), document.id);
        let vectors = vectors_of(piece);
        let added = apart(move || {
            let mut index = shelf.index.write();
            let room = index.add(id, &cards);
            index.set_vectors(id, &vectors);
            room
        });
        if added.await != Some(true) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn put_vectors(store: &Store, shelf: &Shelf, document: DocumentId) -> Result<()> {
    let mut pieces = Pieces::of(document, true);
    while let Some(piece) = pieces.next(store).await? {
        shelf.index.write().set_vectors(document, &vectors_of(piece));
    }
    Ok(())
}

fn vectors_of(piece: Vec<IndexedPassage>) -> Vec<(PassageId, Vec<f32>)> {
    piece.into_iter().filter_map(|passage| Some((passage.id, passage.vector?))).collect()
}

/// The passages of a document, piece by piece.
struct Pieces {
    document: DocumentId,
    vectors: bool,
    after: Option<u32>,
    more: bool,
}

impl Pieces {
    fn of(document: DocumentId, vectors: bool) -> Pieces {
        Pieces { document, vectors, after: None, more: true }
    }

    async fn next(&mut self, store: &Store) -> Result<Option<Vec<IndexedPassage>>> {
        if !self.more {
            return Ok(None);
        }
        let piece = store.indexed_passages(self.document, self.after, self.vectors).await?;
        self.more = piece.len() >= Store::INDEX_PIECE as usize;
        self.after = piece.last().map(|(position, _)| *position);
        Ok(Some(piece.into_iter().map(|(_, passage)| passage).collect()))
    }
}

/// The cards of passages. Those that another version of this program wrote are written anew from the text.
async fn cards(
    store: &Store,
    shelf: &Shelf,
    document: &ShelvedDocument,
    pieces: &[IndexedPassage],
) -> Result<Vec<(PassageId, Card)>> {
    let mut cards = Vec::with_capacity(pieces.len());
    let mut strange = Vec::new();
    for passage in pieces {
        match Card::decode(&passage.words) {
            Some(card) => cards.push((passage.id, card)),
            None => strange.push(passage.id),
        }
    }
    for ids in strange.chunks(256) {
        let texts = store.passages(&document.app, Visibility::Staff, ids).await?;
        let mut scribe = Scribe::new(&shelf.blind);
        for text in texts {
            let headings = text.headings.join("\n");
            let card = scribe.card(&[(&text.text, 1), (&text.title, 1), (&headings, 1)]);
            cards.push((text.id, card));
        }
    }
    Ok(cards)
}

/// Does work that takes a while on a thread that may block; `None` when the runtime is ending.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
