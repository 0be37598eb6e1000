//! The rows of the file store: its operations, and its pages.

use serde_json::json;

use super::super::{By, RANDOM};
use super::Cells::{self, Ids, Plain};
use super::{NONE, Row, nobody, open, row};

/// Whoever may enter the file store; no key may, unless the app says so.
const fn keepers(status: u16) -> By<u16> {
    By { member: status, admin: status, ..nobody() }
}

/// An operation on a file of one's own.
const fn keepers_own(done: u16) -> Cells {
    let own = By { member: done, admin: done, ..open(NONE) };
    Ids { own, foreign: keepers(404), random: keepers(404) }
}

pub(super) fn files() -> Vec<Row> {
    vec![
        row("GET /api/v1/files", Plain(keepers(200))),
        // Who may is told what is wrong with the body.
        row("POST /api/v1/files", Plain(keepers(415))),
        row("GET /api/v1/files/usage", Plain(keepers(200))),
        row("DELETE /api/v1/files/trash", Plain(keepers(200))),
        row("POST /api/v1/files/delete", Plain(keepers(404))).json(json!({"file_ids": [RANDOM]})),
        row("GET /api/v1/files/declutter", Plain(keepers(200))),
        row("POST /api/v1/files/declutter/apply", Plain(keepers(404))).json(json!({"file_ids": [RANDOM]})),
        row("POST /api/v1/files/declutter/ignore", Plain(keepers(404)))
            .json(json!({"file_ids": [RANDOM, "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4e"]})),
        row("GET /api/v1/files/{id}", keepers_own(200)),
        row("GET /api/v1/files/{id}/content", keepers_own(200)),
        row("POST /api/v1/files/{id}/restore", keepers_own(200)),
        row("POST /api/v1/files/batches/{id}/restore", keepers_own(200)),
        row("DELETE /api/v1/files/{id}", keepers_own(200)),
    ]
}

/// The same on pages.
pub(super) fn pages() -> Vec<Row> {
    let one = format!("go={}", RANDOM);
    let two = format!("id={}&id=019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4e", RANDOM);
    let sure = format!("sure=yes&id={}", RANDOM);
    vec![
        row("GET /apps/{app}", Plain(keepers(303))).with("app", "files"),
        row("GET /files", Plain(keepers(200))),
        // Who may is told what is wrong with the body.
        row("POST /files", Plain(keepers(415))),
        row("GET /files/trash", Plain(keepers(200))),
        row("POST /files/{id}/restore", keepers_own(303)),
        row("POST /files/batches/{id}/restore", keepers_own(303)),
        row("POST /files/delete", Plain(keepers(404))).form(&sure),
        row("POST /files/destroy", Plain(keepers(404))).form(&sure),
        row("POST /files/trash/empty", Plain(keepers(303))).form("sure=yes"),
        row("GET /files/declutter", Plain(keepers(200))),
        row("POST /files/declutter/preview", Plain(keepers(404))).form(&one),
        row("POST /files/declutter/apply", Plain(keepers(404))).form(&one),
        row("POST /files/declutter/ignore", Plain(keepers(404))).form(&two),
    ]
}
