//! The tables of the desk of customer service, with whose data they hold. It never reads or writes.

use crate::registry::Holds::{Inner, Number, SealedText, Text, Time};
use crate::registry::{Rule, Table};

/// Who asked for a person, and who came.
pub(super) const HAND_OFFS: Table = Table {
    name: "hand_offs",
    columns: &[
        ("id", Text),
        ("conversation_id", Text),
        ("owner", Text),
        ("app", Text),
        ("state", Text),
        ("reason", SealedText),
        ("claimed_by", Inner),
        ("created_at", Time),
        ("claimed_at", Time),
        ("updated_at", Time),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "where the subject asked for a person; who came is another's matter",
    },
};

/// What people think of answers.
pub(super) const FEEDBACK: Table = Table {
    name: "feedback",
    columns: &[
        ("message_id", Text),
        ("conversation_id", Text),
        ("owner", Text),
        ("app", Text),
        ("rating", Text),
        ("comment", SealedText),
        ("created_at", Time),
        ("updated_at", Time),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "what the subject thought of answers",
    },
};

/// What came of each turn.
pub(super) const OUTCOMES: Table = Table {
    name: "outcomes",
    columns: &[
        ("message_id", Text),
        ("conversation_id", Text),
        ("owner", Text),
        ("app", Text),
        ("outcome", Text),
        ("created_at", Time),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "what came of the subject's questions",
    },
};

/// Questions without an answer.
pub(super) const GAPS: Table = Table {
    name: "gaps",
    columns: &[
        ("id", Text),
        ("conversation_id", Text),
        ("owner", Text),
        ("app", Text),
        ("question", SealedText),
        ("confidence", Number),
        ("created_at", Time),
        ("resolved_at", Time),
        ("resolved_by", Inner),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "what the subject asked in vain, with personal data masked",
    },
};
