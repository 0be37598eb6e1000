//! The rows of what is carried: links to conversations, everything as an archive, what comes from elsewhere.

use serde_json::json;

use super::super::By;
use super::Cells::Plain;
use super::{Row, accounts, accounts_own, everybody, open, owners, row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        // The conversations of this table are empty: there is nothing to share in them.
        row("POST /api/v1/conversations/{id}/shares", accounts_own(409)).json(json!({"masked": true})),
        row("GET /api/v1/shares", Plain(accounts(200))),
        row("DELETE /api/v1/shares/{id}", accounts_own(204)),
        row("GET /api/v1/conversations/export", Plain(By { talking_key: 403, ..everybody(200) })),
        // Who may is told what is wrong with the body.
        row("POST /api/v1/conversations/import", Plain(accounts(415))),
        row("GET /apps/{app}/{conversation}/print", owners(200, true, false)).with("app", "assistant"),
        row("GET /account/conversations", Plain(accounts(200))),
        row("POST /account/shares/{id}/end", accounts_own(303)),
        // Nobody is looked at: who has the link reads, and this is none.
        row("GET /shared/{token}", Plain(open(404))).with("token", "nothing"),
        row("POST /shared/{token}", Plain(open(404))).with("token", "nothing").form("password=secret"),
    ]
}
