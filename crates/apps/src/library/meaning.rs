//! Vectors: made by the configured model for passages that can be found already, and for questions. A provider that
//! is away delays them and nothing else: documents are found by their words meanwhile, and health says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::{AppId, Code, DocumentId, Fault, PageRequest, PassageId, Result, Visibility};
use tokio_util::sync::CancellationToken;

use super::{Library, pause};

/// Passages in one request for vectors.
const BATCH: u32 = 48;
/// A search waits this long for the vector of its question, and is then one of words alone.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often somebody looks whether there is something to do.
const LOOK: Duration = Duration::from_millis(500);
/// After a failure somebody tries again after this long, then twice that, and so on…
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// …up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The job is one process's for this long at a time.
const LEASE: Duration = Duration::from_secs(30);
/// The name of the job.
const JOB: &str = "embeddings";

/// How the making of vectors goes.
pub(super) struct Meaning {
    model: Option<String>,
    /// Documents wait for vectors that cannot be made.
    stuck: AtomicBool,
    /// The model makes vectors of another width than those that are kept: they are all made again.
    changed: AtomicBool,
}

impl Meaning {
    pub(super) fn new(model: Option<String>) -> Meaning {
        Meaning { model, stuck: AtomicBool::new(false), changed: AtomicBool::new(false) }
    }

    /// Something that should be found by its meaning is not.
    pub(super) fn lags(&self) -> bool {
        self.model.is_some() && (self.stuck.load(Ordering::Relaxed) || self.changed.load(Ordering::Relaxed))
    }
}

impl Library {
    /// The vector of a question, if there is a model and it answers in time.
    pub(super) async fn vector_of(&self, query: &str) -> Option<Vec<f32>> {
        let model = self.0.meaning.model.clone()?;
        let asked = self.0.models.embed(vec![query.to_owned()], Some(model));
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(made)) => made.vectors.into_iter().next(),
            Ok(Err(fault)) => {
                tracing::warn!(
                    code = fault.code().as_str(),
                    "a question got no vector; words alone are searched"
                );
                None
            }
            Err(_) => {
                tracing::warn!("a question got no vector in time; words alone are searched");
                None
            }
        }
    }

    /// Makes vectors for documents that have none of the model, one process at a time, until `stop`.
    pub(super) async fn embed(self, stop: CancellationToken) {
        let Some(model) = self.0.meaning.model.clone() else { return };
        let mut wait = FIRST_PAUSE;
        loop {
            let outcome = tokio::select! {
                outcome = self.embed_next(&model) => outcome,
                () = stop.cancelled() => break,
            };
            let span = match outcome {
                Ok(did) => {
                    wait = FIRST_PAUSE;
                    self.0.meaning.stuck.store(false, Ordering::Relaxed);
                    if did { Duration::ZERO } else { LOOK }
                }
                // Removed while its vectors were made.
                Err(fault) if fault.code() == Code::NotFound => Duration::ZERO,
                Err(fault) => {
                    if !self.0.meaning.stuck.swap(true, Ordering::Relaxed) {
                        let code = fault.code().as_str();
                        tracing::warn!(code, "vectors of documents cannot be made; words alone are searched");
                    }
                    wait = (wait * 2).min(LONGEST_PAUSE);
                    wait / 2
                }
            };
            if !pause(span, &stop).await {
                break;
            }
        }
        // Another process need not wait for the end of the lease.
        if let Err(fault) = self.0.store.drop_lease(JOB, &self.0.holder).await {
            tracing::debug!(code = fault.code().as_str(), "a lease was not given back");
        }
    }

    /// Makes the vectors of one document. `false`: there is nothing to do, or another process does it.
    async fn embed_next(&self, model: &str) -> Result<bool> {
        if self.0.meaning.changed.load(Ordering::Relaxed) {
            self.0.store.forget_embeddings().await?;
            self.0.meaning.changed.store(false, Ordering::Relaxed);
        }
        let Some((app, document)) = self.0.store.unembedded_document(model).await? else { return Ok(false) };
        if !self.0.store.hold_lease(JOB, &self.0.holder, LEASE).await? {
            return Ok(false);
        }
        let mut page = PageRequest::first(BATCH);
        let mut width = None;
        loop {
            let piece = self.0.store.document_passages(&app, Visibility::Staff, document, page).await?;
            let (ids, texts): (Vec<PassageId>, Vec<String>) = piece
                .items
                .into_iter()
                .map(|passage| {
                    // With the headings a passage means what it means in its place.
                    let above = passage.headings.join(" > ");
                    (passage.id, format!("{}\n{above}\n\n{}", passage.title, passage.text))
                })
                .unzip();
            if !texts.is_empty() {
                let vectors = self.0.models.embed(texts, Some(model.to_owned())).await?.vectors;
                let made = vectors.first().map(Vec::len);
                if *width.get_or_insert(made) != made || vectors.len() != ids.len() {
                    return Err(Fault::new(Code::ModelUnavailable)
                        .because("the embedding model makes vectors of several widths"));
                }
                self.0.store.set_vectors(ids.into_iter().zip(vectors).collect()).await?;
            }
            match piece.next {
                Some(next) => page = PageRequest::parse(Some(BATCH), Some(&next))?,
                None => break,
            }
            if !self.0.store.hold_lease(JOB, &self.0.holder, LEASE).await? {
                return Ok(false);
            }
        }
        self.embedded(&app, document, model).await?;
        Ok(true)
    }

    async fn embedded(&self, app: &AppId, document: DocumentId, model: &str) -> Result<()> {
        self.0.store.finish_embedding(app, document, model).await?;
        self.catch_up().await;
        Ok(())
    }

    /// Takes note that vectors of questions do not fit those of passages.
    pub(super) fn misfit(&self) {
        if !self.0.meaning.changed.swap(true, Ordering::Relaxed) {
            tracing::warn!("the embedding model makes other vectors than before; all documents get new ones");
        }
    }
}
