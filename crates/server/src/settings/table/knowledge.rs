//! The rows of documents: what apps answer from.

use std::path::PathBuf;

use super::{Default, Room, always, settings};
use crate::settings::form;

/// Documents.
pub(crate) static KNOWLEDGE: Room = Room {
    title: "Documents",
    about: "What apps answer from. The index lies in the database and, while the server runs, in memory.",
    settings: KNOWLEDGE_ROWS,
};

settings! { @fields KNOWLEDGE_ROWS;
    /// The folder of the knowledge index. The index itself lies in the database, so nothing but the data folder lies here: when no database is named, the data folder is this one. It must be writable, or the server does not start.
    KNOWLEDGE_DIR: PathBuf = form::path(), "knowledge.directory", ["CHROMA_PERSIST_DIRECTORY"], Default::None;
    /// The model that makes vectors of passages and questions, at the first provider that speaks the OpenAI protocol. Without one documents are found by their words alone. Another model makes all vectors anew, in the background.
    EMBEDDING_MODEL: String = form::text("a model name"), "knowledge.embedding_model", ["OPENAI_EMBEDDING_MODEL"], Default::None;
    /// The largest document. A bare number counts MiB.
    MAX_DOCUMENT: u64 = form::mebibytes(), "knowledge.max_document_size", ["MAX_DOCUMENT_SIZE"], always("32");
    /// The most documents of one app.
    MAX_DOCUMENTS: u64 = form::whole::<1, 10_000_000>(), "knowledge.max_documents", ["MAX_DOCUMENTS_PER_APP"], always("20000");
    /// The most bytes that the documents of one app may have together. A bare number counts MiB.
    MAX_DOCUMENTS_TOTAL: u64 = form::mebibytes(), "knowledge.max_total_size", ["MAX_DOCUMENTS_SIZE_PER_APP"], always("4096");
}
