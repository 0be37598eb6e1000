//! Files, their contents, and the documents that apps answer from.

use crate::registry::Holds::{Inner, Number, SealedText, Text, Time};
use crate::registry::{Rule, Table};

pub(super) const FILE_PAIRS: Table = Table {
    name: "file_pairs",
    columns: &[("id", Text), ("owner", Text), ("one", Text), ("other", Text), ("created_at", Time)],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "what the subject said about its files",
    },
};

pub(super) const FILES: Table = Table {
    name: "files",
    columns: &[
        ("id", Text),
        ("owner", Text),
        ("app", Text),
        ("blob", Inner),
        ("name", SealedText),
        ("folder", SealedText),
        ("media_type", Text),
        ("size", Number),
        ("digest", SealedText),
        ("created_at", Time),
        ("modified_at", Time),
        ("trashed_at", Time),
        ("batch", Text),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "the subject's files; their contents are read under /api/v1/files/{id}/content",
    },
};

pub(super) const BLOBS: Table = Table {
    name: "blobs",
    columns: &[
        ("id", Inner),
        ("owner", Text),
        ("tag", Inner),
        ("size", Number),
        ("files", Number),
        ("facts", Inner),
        ("facts_version", Number),
        ("created_at", Time),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: false,
        erase: true,
        why: "the contents of the subject's files, which are exported as files; with the rows go the bytes",
    },
};

pub(super) const BLOB_REMOVALS: Table = Table {
    name: "blob_removals",
    columns: &[("id", Text), ("due_at", Time), ("attempts", Number), ("erasure", Inner)],
    rule: Rule::Nothing { why: "random names of bytes that are about to be removed, and for which erasure" },
};

pub(super) const PASSAGES: Table = Table {
    name: "passages",
    columns: &[
        ("id", Text),
        ("document_id", Text),
        ("app", Text),
        ("visibility", Text),
        ("position", Number),
        ("headings", Inner),
        ("start_byte", Number),
        ("end_byte", Number),
        ("page", Number),
        ("text", Inner),
        ("words", Inner),
        ("vector", Inner),
    ],
    rule: Rule::Nothing { why: "what an app answers from: it belongs to the app, whoever added it" },
};

pub(super) const DOCUMENTS: Table = Table {
    name: "documents",
    columns: &[
        ("id", Text),
        ("app", Text),
        ("visibility", Text),
        ("content", Inner),
        ("title", Inner),
        ("name", Inner),
        ("kind", Text),
        ("bytes", Number),
        ("status", Text),
        ("reason", Inner),
        ("warnings", Inner),
        ("passages", Number),
        ("embedding", Text),
        ("added_by", Text),
        ("created_at", Time),
        ("updated_at", Time),
    ],
    rule: Rule::Subject {
        condition: "added_by = $1",
        export: false,
        erase: false,
        why: "documents belong to their app; who added one is a pseudonymous id, as in the audit log",
    },
};
