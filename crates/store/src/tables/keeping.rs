//! What is kept, what was removed, and what is told about it.

use crate::registry::Holds::{Inner, Number, Text, Time};
use crate::registry::{Rule, Table};

pub(super) const HOLDS: Table = Table {
    name: "holds",
    columns: &[
        ("id", Text),
        ("target", Text),
        ("reason", Inner),
        ("created_by", Inner),
        ("created_at", Time),
    ],
    rule: Rule::Subject {
        condition: "target = $1",
        export: false,
        erase: true,
        why: "that the data must be kept: while a hold is there nothing is erased, so an erasure finds none",
    },
};

pub(super) const USAGE_DAYS: Table = Table {
    name: "usage_days",
    columns: &[
        ("id", Inner),
        ("day", Number),
        ("app", Text),
        ("owner", Text),
        ("requests", Number),
        ("conversations", Number),
        ("input_tokens", Number),
        ("output_tokens", Number),
        ("failed", Number),
    ],
    rule: Rule::Subject {
        condition: "owner = $1",
        export: true,
        erase: true,
        why: "how much the subject used what is no longer kept: numbers a day",
    },
};

pub(super) const ERASURES: Table = Table {
    name: "erasures",
    columns: &[
        ("id", Text),
        ("subject", Text),
        ("others", Text),
        ("counts", Text),
        ("erased_at", Time),
        ("scanned_at", Time),
        ("left_over", Text),
        ("settled_at", Time),
    ],
    rule: Rule::Subject {
        condition: "subject = $1",
        export: false,
        erase: false,
        why: "the receipt: a pseudonymous id and counts, by which an older backup that is restored is erased again",
    },
};

pub(super) const SWEEPS: Table = Table {
    name: "sweeps",
    columns: &[("app", Text), ("kind", Text), ("count", Number)],
    rule: Rule::Nothing { why: "counts of what retention removed, until the audit log says them" },
};

pub(super) const AUDIT_CUT: Table = Table {
    name: "audit_cut",
    columns: &[("id", Number), ("seq", Number), ("hash", Inner), ("cut_at", Time), ("seal", Inner)],
    rule: Rule::Nothing { why: "the beginning of the chain" },
};

pub(super) const CHORES: Table = Table {
    name: "chores",
    columns: &[("name", Text), ("done_at", Time), ("took_ms", Number), ("outcome", Text)],
    rule: Rule::Nothing { why: "when the server last looked after its database: numbers" },
};
