//! Every table of the schema with whose data it holds: the content of the registry (`registry.rs`).
//! It never reads or writes.

use crate::registry::Holds::{Inner, Number, SealedJson, SealedText, Text, Time};
use crate::registry::{Rule, Table};

/// Every table, in the order in which an erasure goes through them: what points before what is pointed at.
pub const TABLES: &[Table] = &[
    Table {
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
        ],
        rule: Rule::Subject {
            condition: "conversation_id IN (SELECT id FROM conversations WHERE owner = $1)",
            export: true,
            erase: true,
            why: "what the subject said and was told",
        },
    },
    Table {
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
        ],
        rule: Rule::Subject {
            condition: "owner = $1",
            export: true,
            erase: true,
            why: "the subject's conversations",
        },
    },
    Table {
        name: "idempotency",
        columns: &[
            ("tag", Inner),
            ("owner", Text),
            ("fingerprint", Inner),
            ("claimed_at", Time),
            ("expires_at", Time),
            ("status", Number),
            ("content_type", Text),
            ("body", Inner),
        ],
        rule: Rule::Subject {
            condition: "owner = $1",
            export: false,
            erase: true,
            why: "answers kept for a day to repeat them; the same content is exported from where it lives",
        },
    },
    Table {
        name: "data_keys",
        columns: &[("subject", Text), ("wrapped", Inner), ("created_at", Time)],
        rule: Rule::Subject {
            condition: "subject = $1",
            export: false,
            erase: true,
            why: "destroying the key makes every copy unreadable, in backups too",
        },
    },
    Table {
        name: "revoked_subjects",
        columns: &[("subject", Text), ("revoked_at", Time)],
        rule: Rule::Subject {
            condition: "subject = $1",
            export: false,
            erase: false,
            why: "a pseudonymous id that keeps an erased visitor's cookie from working; pruned when cookies have expired",
        },
    },
    Table {
        name: "audit_events",
        columns: &[
            ("seq", Number),
            ("id", Text),
            ("at", Time),
            ("event_type", Text),
            ("severity", Text),
            ("ip", Text),
            ("actor", Text),
            ("object", Text),
            ("details", Text),
            ("hash", Inner),
        ],
        rule: Rule::Subject {
            condition: "actor = $1",
            export: false,
            erase: false,
            why: "pseudonymous proof of what happened, kept for its own time; a chain with holes would prove nothing",
        },
    },
    Table {
        name: "audit_head",
        columns: &[("id", Number), ("seq", Number), ("hash", Inner), ("seal", Inner)],
        rule: Rule::Nothing { why: "the end of the chain" },
    },
    Table {
        name: "api_keys",
        columns: &[
            ("id", Text),
            ("name", Inner),
            ("digest", Inner),
            ("apps", Text),
            ("created_at", Time),
            ("expires_at", Time),
            ("revoked_at", Time),
            ("last_used_at", Time),
        ],
        rule: Rule::Nothing { why: "credentials of programs, made and named by the operator" },
    },
    Table {
        name: "blocks",
        columns: &[("net", Text), ("reason", Inner), ("created_at", Time), ("expires_at", Time)],
        rule: Rule::Nothing { why: "networks that the operator blocked, tied to no subject" },
    },
    Table {
        name: "epochs",
        columns: &[("scope", Text), ("value", Number)],
        rule: Rule::Nothing { why: "counters" },
    },
    Table {
        name: "state",
        columns: &[("name", Text), ("value", Inner), ("updated_at", Time)],
        rule: Rule::Nothing { why: "values of the server itself" },
    },
    Table {
        name: "server_secret",
        columns: &[
            ("id", Number),
            ("fingerprint", Text),
            ("wrapped", Inner),
            ("sealed", Inner),
            ("created_at", Time),
        ],
        rule: Rule::Nothing { why: "the store's own keys" },
    },
    Table {
        name: "schema_migrations",
        columns: &[("version", Number), ("name", Text), ("checksum", Text), ("applied_at", Time)],
        rule: Rule::Nothing { why: "the history of the schema" },
    },
];
