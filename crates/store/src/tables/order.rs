//! What brings conversations in order: folders, tags, and the index of the search.

use crate::registry::Holds::{Inner, Number, SealedText, Text, Time};
use crate::registry::{Rule, Table};

pub(super) const FOLDERS: Table = Table {
    name: "folders",
    columns: &[
        ("id", Text),
        ("owner", Text),
        ("parent_id", Text),
        ("tag", Inner),
        ("name", SealedText),
        ("created_at", Time),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "how the subject orders its conversations",
    },
};

pub(super) const CONVERSATION_TAGS: Table = Table {
    name: "conversation_tags",
    columns: &[("conversation_id", Text), ("tag", Inner), ("owner", Text)],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: false,
        erase: true,
        why: "keyed hashes of the tags that the conversations themselves hold and give out",
    },
};

pub(super) const SEARCH_RUNS: Table = Table {
    name: "search_runs",
    columns: &[
        ("id", Text),
        ("owner", Text),
        ("level", Number),
        ("messages", Number),
        ("first_at", Time),
        ("last_at", Time),
        ("ready", Number),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: false,
        erase: true,
        why: "made from the subject's messages, which are given out themselves",
    },
};

pub(super) const SEARCH_PARTS: Table = Table {
    name: "search_parts",
    columns: &[("run", Text), ("part", Number), ("content", Inner)],
    rule: Rule::Subject {
        condition: "run IN (SELECT id FROM search_runs WHERE owner = $1)",
        export: false,
        erase: true,
        why: "made from the subject's messages, which are given out themselves",
    },
};

pub(super) const SEARCH_GONE: Table = Table {
    name: "search_gone",
    columns: &[("conversation_id", Text), ("owner", Text)],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: false,
        erase: true,
        why: "ids of what the subject deleted, until the index has forgotten it",
    },
};
