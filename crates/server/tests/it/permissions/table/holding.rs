//! The rows of legal holds, and of the end of one's own account.

use super::Cells::{Ids, Plain};
use super::{NONE, Row, accounts, admins, hidden, hidden_any, open, row};
use serde_json::json;

pub(super) fn rows() -> Vec<Row> {
    let one = Ids { own: open(NONE), foreign: admins(204), random: admins(404) };
    let body = json!({"target": "app:tutor", "reason": "case 7"});
    vec![
        row("GET /api/v1/admin/holds", Plain(admins(200))),
        row("POST /api/v1/admin/holds", Plain(admins(201))).json(body),
        row("DELETE /api/v1/admin/holds/{id}", one),
        row("GET /admin/holds", Plain(hidden(200))),
        row("POST /admin/holds", Plain(hidden(400))).form("target=nothing&reason=case"),
        row("POST /admin/holds/{id}/end", hidden_any(303, 404)),
        row("GET /account/erase", Plain(accounts(200))),
        row("POST /account/erase", Plain(accounts(422))).form("word=wrong"),
    ]
}
