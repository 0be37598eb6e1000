//! What is said in conversations, and what is learned.

use crate::registry::Holds::{Inner, Number, SealedJson, SealedText, Text, Time};
use crate::registry::{Rule, Table};

pub(super) const MESSAGES: Table = Table {
    name: "messages",
    columns: &[
        ("id", Text),
        ("conversation_id", Text),
        ("position", Number),
        ("parent_id", Text),
        ("role", Text),
        ("content", SealedText),
        ("citations", SealedJson),
        ("created_at", Time),
        ("finish_reason", Text),
        ("model", Text),
        ("input_tokens", Number),
        ("output_tokens", Number),
        ("details", SealedJson),
        ("writer", Inner),
    ],
    rule: Rule::Subject {
        condition: "conversation_id IN (SELECT id FROM conversations WHERE owner = $1)",
        export: true,
        erase: true,
        why: "what the subject said and was told",
    },
};

pub(super) const MESSAGE_PIECES: Table = Table {
    name: "message_pieces",
    columns: &[("id", Inner), ("message_id", Text), ("began", Number), ("content", SealedText)],
    rule: Rule::Subject {
        condition: "message_id IN (SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id \
                    WHERE c.owner = $1)",
        export: true,
        erase: true,
        why: "what the subject is being told at this moment",
    },
};

pub(super) const ATTEMPTS: Table = Table {
    name: "attempts",
    columns: &[
        ("conversation_id", Text),
        ("problem_id", Text),
        ("app", Text),
        ("owner", Text),
        ("started_at", Time),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "what the subject learned with the tutor",
    },
};

pub(super) const CONVERSATIONS: Table = Table {
    name: "conversations",
    columns: &[
        ("id", Text),
        ("owner", Text),
        ("app", Text),
        ("session_tag", Inner),
        ("title", SealedText),
        ("topic", SealedText),
        ("created_at", Time),
        ("updated_at", Time),
        ("user_messages", Number),
        ("messages", Number),
        ("last_message", Inner),
        ("branched", Inner),
        ("pinned_at", Time),
        ("archived_at", Time),
        ("folder_id", Text),
        ("tags", SealedJson),
        ("temporary", Number),
        ("searched", Inner),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "the subject's conversations",
    },
};

/// What others may read of a conversation. The content opens with the link alone, which is not here.
pub(super) const SHARES: Table = Table {
    name: "shares",
    columns: &[
        ("id", Text),
        ("owner", Text),
        ("conversation_id", Text),
        ("app", Text),
        ("digest", Inner),
        ("content", Inner),
        ("password", Inner),
        ("masked", Number),
        ("messages", Number),
        ("created_at", Time),
        ("expires_at", Time),
        ("opened_at", Time),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "what the subject shows to others of its conversations",
    },
};

pub(super) const PROBLEMS: Table = Table {
    name: "problems",
    columns: &[
        ("id", Text),
        ("app", Text),
        ("content", Inner),
        ("level", Text),
        ("published", Number),
        ("created_at", Time),
        ("updated_at", Time),
    ],
    rule: Rule::Nothing {
        why: "what an app teaches, with the answers: it belongs to the app and to no person",
    },
};
