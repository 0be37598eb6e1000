//! What a person is to look at.

use crate::registry::Holds::{Inner, SealedText, Text, Time};
use crate::registry::{Rule, Table};

pub(super) const REVIEWS: Table = Table {
    name: "reviews",
    columns: &[
        ("id", Text),
        ("owner", Text),
        ("app", Text),
        ("conversation_id", Text),
        ("message_id", Text),
        ("about", Inner),
        ("source", Text),
        ("reason", Text),
        ("findings", Text),
        ("text", SealedText),
        ("appeal", SealedText),
        ("created_at", Time),
        ("appealed_at", Time),
        ("decision", Text),
        ("decided_at", Time),
        ("decided_by", Inner),
        ("note", SealedText),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "what was marked in the subject's talks, what the subject said against it, and what was decided",
    },
};
