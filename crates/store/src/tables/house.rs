//! The server's own records.

use crate::registry::Holds::{Inner, Number, Text, Time};
use crate::registry::{Rule, Table};

pub(super) const IDEMPOTENCY: Table = Table {
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
};

pub(super) const AUDIT_EVENTS: Table = Table {
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
};

pub(super) const AUDIT_HEAD: Table = Table {
    name: "audit_head",
    columns: &[("id", Number), ("seq", Number), ("hash", Inner), ("seal", Inner)],
    rule: Rule::Nothing { why: "the end of the chain" },
};

pub(super) const ALERTS: Table = Table {
    name: "alerts",
    columns: &[
        ("id", Text),
        ("cause", Text),
        ("kind", Text),
        ("severity", Text),
        ("details", Inner),
        ("count", Number),
        ("raised_at", Time),
        ("last_at", Time),
        ("acknowledged_at", Time),
        ("acknowledged_by", Text),
        ("closed_at", Time),
    ],
    rule: Rule::Nothing {
        why: "what the operator was warned of: ids, addresses and counts, as in the audit log",
    },
};

pub(super) const LEASES: Table = Table {
    name: "leases",
    columns: &[("name", Text), ("holder", Text), ("expires_at", Time)],
    rule: Rule::Nothing { why: "which replica does which job" },
};

pub(super) const BLOCKS: Table = Table {
    name: "blocks",
    columns: &[("net", Text), ("reason", Inner), ("created_at", Time), ("expires_at", Time)],
    rule: Rule::Nothing { why: "networks that the operator blocked, tied to no subject" },
};

pub(super) const EPOCHS: Table = Table {
    name: "epochs",
    columns: &[("scope", Text), ("value", Number)],
    rule: Rule::Nothing { why: "counters" },
};

pub(super) const STATE: Table = Table {
    name: "state",
    columns: &[("name", Text), ("value", Inner), ("updated_at", Time)],
    rule: Rule::Nothing { why: "values of the server itself" },
};

pub(super) const MEASURES: Table = Table {
    name: "measures",
    columns: &[
        ("replica", Text),
        ("span", Number),
        ("at", Time),
        ("what", Text),
        ("calls", Number),
        ("failed", Number),
        ("total", Number),
        ("longest", Number),
        ("detail", Text),
    ],
    rule: Rule::Nothing {
        why: "counts and times of the server by route group and statement, tied to no subject",
    },
};

pub(super) const SERVER_SECRET: Table = Table {
    name: "server_secret",
    columns: &[
        ("id", Number),
        ("fingerprint", Text),
        ("wrapped", Inner),
        ("sealed", Inner),
        ("created_at", Time),
    ],
    rule: Rule::Nothing { why: "the store's own keys" },
};

pub(super) const SCHEMA_MIGRATIONS: Table = Table {
    name: "schema_migrations",
    columns: &[("version", Number), ("name", Text), ("checksum", Text), ("applied_at", Time)],
    rule: Rule::Nothing { why: "the history of the schema" },
};
