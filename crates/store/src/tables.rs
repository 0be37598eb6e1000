//! Every table of the schema with whose data it holds: the content of the registry (`registry.rs`).
//! Conditions are on `$1`, a subject (`user:…`); the id of an account is what stands after its fifth letter, and no
//! other kind of subject has an id there. It never reads or writes.

use crate::registry::Table;

mod desk;
mod house;
mod keeping;
mod order;
mod people;
mod review;
mod shelf;
mod talk;

/// Every table, in the order in which an erasure goes through them: what points before what is pointed at.
pub const TABLES: &[Table] = &[
    keeping::HOLDS,
    keeping::USAGE_DAYS,
    desk::HAND_OFFS,
    desk::FEEDBACK,
    desk::OUTCOMES,
    desk::GAPS,
    review::REVIEWS,
    order::SEARCH_GONE,
    order::SEARCH_PARTS,
    order::SEARCH_RUNS,
    order::CONVERSATION_TAGS,
    talk::MESSAGE_PIECES,
    talk::SHARES,
    talk::MESSAGES,
    talk::ATTEMPTS,
    talk::CONVERSATIONS,
    order::FOLDERS,
    shelf::FILE_PAIRS,
    shelf::FILES,
    shelf::BLOBS,
    shelf::BLOB_REMOVALS,
    house::IDEMPOTENCY,
    people::REFRESH_TOKENS,
    people::SESSIONS,
    people::GRANTS,
    people::PASSKEYS,
    people::RECOVERY_CODES,
    people::USER_IDENTITIES,
    people::TICKETS,
    people::OUTBOX,
    people::API_KEYS,
    people::USERS,
    people::DATA_KEYS,
    people::REVOKED_SUBJECTS,
    house::AUDIT_EVENTS,
    house::AUDIT_HEAD,
    keeping::AUDIT_CUT,
    keeping::ERASURES,
    keeping::SWEEPS,
    keeping::CHORES,
    house::ALERTS,
    talk::PROBLEMS,
    shelf::PASSAGES,
    shelf::DOCUMENTS,
    house::LEASES,
    house::BLOCKS,
    house::EPOCHS,
    house::STATE,
    house::MEASURES,
    house::SERVER_SECRET,
    house::SCHEMA_MIGRATIONS,
];
