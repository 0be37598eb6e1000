//! Accounts, what they sign in with and what they may.

use crate::registry::Holds::{Inner, Number, SealedText, Text, Time};
use crate::registry::{Rule, Table};

pub(super) const REFRESH_TOKENS: Table = Table {
    name: "refresh_tokens",
    columns: &[
        ("digest", Inner),
        ("session_id", Text),
        ("created_at", Time),
        ("expires_at", Time),
        ("used_at", Time),
    ],
    rule: Rule::Subject {
        condition: "session_id IN (SELECT id FROM sessions WHERE user_id = substr($1, 6))",
        export: false,
        erase: true,
        why: "digests of random tokens; what they stand for is exported as sessions",
    },
};

pub(super) const SESSIONS: Table = Table {
    name: "sessions",
    columns: &[
        ("id", Text),
        ("user_id", Text),
        ("kind", Text),
        ("digest", Inner),
        ("method", Text),
        ("agent", SealedText),
        ("ip", Text),
        ("created_at", Time),
        ("proven_at", Time),
        ("extended_at", Time),
        ("seen_at", Time),
        ("expires_at", Time),
    ],
    rule: Rule::Subject {
        condition: "user_id = substr($1, 6)",
        export: true,
        erase: true,
        why: "where and when the account is signed in",
    },
};

pub(super) const GRANTS: Table = Table {
    name: "grants",
    columns: &[("app", Text), ("user_id", Text), ("level", Text), ("created_at", Time)],
    rule: Rule::Subject {
        condition: "user_id = substr($1, 6)",
        export: true,
        erase: true,
        why: "what the account may enter",
    },
};

pub(super) const PASSKEYS: Table = Table {
    name: "passkeys",
    columns: &[
        ("id", Text),
        ("user_id", Text),
        ("credential", Inner),
        ("name", SealedText),
        ("public_key", Inner),
        ("sign_count", Inner),
        ("created_at", Time),
        ("last_used_at", Time),
    ],
    rule: Rule::Subject {
        condition: "user_id = substr($1, 6)",
        export: true,
        erase: true,
        why: "what the account signs in with",
    },
};

pub(super) const RECOVERY_CODES: Table = Table {
    name: "recovery_codes",
    columns: &[("digest", Inner), ("user_id", Text), ("used_at", Time)],
    rule: Rule::Subject {
        condition: "user_id = substr($1, 6)",
        export: false,
        erase: true,
        why: "digests of codes that the person holds",
    },
};

pub(super) const USER_IDENTITIES: Table = Table {
    name: "user_identities",
    columns: &[
        ("tag", Inner),
        ("user_id", Text),
        ("issuer", Text),
        ("subject", SealedText),
        ("created_at", Time),
    ],
    rule: Rule::Subject {
        condition: "user_id = substr($1, 6)",
        export: true,
        erase: true,
        why: "who the person is elsewhere",
    },
};

pub(super) const TICKETS: Table = Table {
    name: "tickets",
    columns: &[
        ("digest", Inner),
        ("purpose", Text),
        ("user_id", Text),
        ("email", Inner),
        ("email_tag", Inner),
        ("role", Text),
        ("created_at", Time),
        ("expires_at", Time),
    ],
    rule: Rule::Subject {
        // An invitation may wait for the address of an account that was made otherwise.
        condition: "(user_id = substr($1, 6) OR email_tag IN (SELECT email_tag FROM users WHERE id = substr($1, 6)))",
        export: false,
        erase: true,
        why: "links in mails that have not been followed yet; they end by themselves",
    },
};

pub(super) const OUTBOX: Table = Table {
    name: "outbox",
    columns: &[
        ("id", Text),
        ("sink", Text),
        ("user_id", Text),
        ("payload", Inner),
        ("attempts", Number),
        ("created_at", Time),
        ("next_at", Time),
    ],
    rule: Rule::Subject {
        condition: "user_id = substr($1, 6)",
        export: false,
        erase: true,
        why: "mails on their way; they are forgotten when they have arrived",
    },
};

pub(super) const API_KEYS: Table = Table {
    name: "api_keys",
    columns: &[
        ("id", Text),
        ("user_id", Text),
        ("name", SealedText),
        ("digest", Inner),
        ("apps", Text),
        ("scopes", Text),
        ("per_minute", Number),
        ("per_hour", Number),
        ("created_at", Time),
        ("expires_at", Time),
        ("revoked_at", Time),
        ("last_used_at", Time),
        ("rotated_at", Time),
    ],
    rule: Rule::Subject {
        condition: "user_id = substr($1, 6)",
        export: true,
        erase: true,
        why: "credentials that the account made for its programs; those of the operator belong to no subject",
    },
};

pub(super) const USERS: Table = Table {
    name: "users",
    columns: &[
        ("id", Text),
        ("email_tag", Inner),
        ("email", SealedText),
        ("name", SealedText),
        ("role", Text),
        ("disabled_at", Time),
        ("verified_at", Time),
        ("password", Inner),
        ("password_at", Time),
        ("totp", Inner),
        ("totp_at", Time),
        ("totp_step", Inner),
        ("valid_from", Time),
        ("created_at", Time),
        ("last_sign_in_at", Time),
        ("language", Text),
    ],
    rule: Rule::Subject {
        condition: "id = substr($1, 6)",
        export: true,
        erase: true,
        why: "the account itself",
    },
};

pub(super) const DATA_KEYS: Table = Table {
    name: "data_keys",
    columns: &[("subject", Text), ("wrapped", Inner), ("created_at", Time)],
    rule: Rule::Subject {
        condition: "subject = $1",
        export: false,
        erase: true,
        why: "destroying the key makes every copy unreadable, in backups too",
    },
};

pub(super) const REVOKED_SUBJECTS: Table = Table {
    name: "revoked_subjects",
    columns: &[("subject", Text), ("revoked_at", Time)],
    rule: Rule::Subject {
        condition: "subject = $1",
        export: false,
        erase: false,
        why: "a pseudonymous id that keeps an erased visitor's cookie from working; pruned when cookies have expired",
    },
};
