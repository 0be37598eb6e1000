//! The rows of what people look at: the queue of admins, and appeals of everybody.

use serde_json::json;

use super::super::By;
use super::Cells::{Ids, Plain};
use super::{NONE, Row, admins, everybody, hidden, open, owners, row};

pub(super) fn rows() -> Vec<Row> {
    // Whoever may talk in the app hears that it does not refuse this text.
    let appeal = Plain(By { reading_key: 403, talking_key: 403, ..everybody(409) });
    // A review is made by what somebody wrote, not by an operation.
    let one = || Ids { own: open(NONE), foreign: open(NONE), random: admins(404) };
    let page = || Ids { own: open(NONE), foreign: open(NONE), random: hidden(404) };
    vec![
        row("POST /api/v1/apps/{app}/appeals", appeal)
            .with("app", "assistant")
            .json(json!({"text": "hello"})),
        // The message of the path is one of nothing.
        row("POST /api/v1/conversations/{id}/messages/{message}/appeal", owners(404, false, true))
            .json(json!({})),
        row("GET /api/v1/admin/review", Plain(admins(200))),
        row("GET /api/v1/admin/review/export", Plain(admins(200))),
        row("GET /api/v1/admin/review/{id}", one()),
        row("PUT /api/v1/admin/review/{id}", one()).json(json!({"decision": "upheld"})),
        row("GET /admin/review", Plain(hidden(200))),
        row("GET /admin/review/{id}", page()),
        row("POST /admin/review/{id}", page()).form("decision=upheld"),
    ]
}
