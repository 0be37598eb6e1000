//! The rows of customer service: the desk, and the documents that it answers from.

use serde_json::json;

use super::super::By;
use super::Cells::{Ids, Plain};
use super::{NONE, Row, nobody, open, owners, row, wish};

/// At the desk of the workspace, which the manager manages.
pub(super) fn desks() -> Vec<Row> {
    let desk = |status: u16| By { manager: status, admin: status, ..nobody() };
    let one = || Ids { own: open(NONE), foreign: open(NONE), random: desk(404) };
    // Nobody has an answer to rate here: the message in the path is one of nothing.
    let rated = owners(404, false, true);
    vec![
        row("POST /api/v1/conversations/{id}/messages/{message}/feedback", rated)
            .json(json!({"rating": "up"})),
        row("POST /api/v1/conversations/{id}/hand-off", wish()).json(json!({})),
        row("GET /api/v1/apps/{app}/inbox", Plain(desk(200))),
        row("GET /api/v1/apps/{app}/inbox/{id}", one()),
        row("POST /api/v1/apps/{app}/inbox/{id}/claim", one()),
        row("POST /api/v1/apps/{app}/inbox/{id}/reply", one()).json(json!({"content": "hello"})),
        row("POST /api/v1/apps/{app}/inbox/{id}/return", one()),
        row("POST /api/v1/apps/{app}/inbox/{id}/close", one()),
        row("GET /api/v1/apps/{app}/gaps", Plain(desk(200))),
        row("POST /api/v1/apps/{app}/gaps/{id}/resolve", one()),
        row("GET /api/v1/apps/{app}/quality", Plain(desk(200))),
    ]
}

/// In support, which members and keys may enter; the manager manages the workspace.
pub(super) fn documents() -> Vec<Row> {
    let readers = |status: u16| By {
        member: status,
        admin: status,
        operators_key: status,
        members_key: status,
        reading_key: status,
        ..nobody()
    };
    let changers = |status: u16| By { admin: status, operators_key: status, ..nobody() };
    let on_one = |done: By<u16>, nothing: By<u16>| Ids { own: open(NONE), foreign: done, random: nothing };
    let rows = vec![
        row("GET /api/v1/apps/{app}/documents", Plain(readers(200))),
        // Who may is told what is wrong with the body.
        row("POST /api/v1/apps/{app}/documents", Plain(changers(400)))
            .json(json!({"title": "t", "text": " "})),
        row("GET /api/v1/apps/{app}/documents/{id}", on_one(readers(200), readers(404))),
        row("GET /api/v1/apps/{app}/documents/{id}/passages", on_one(readers(200), readers(404))),
        row("DELETE /api/v1/apps/{app}/documents/{id}", on_one(changers(204), changers(404))),
        row("POST /api/v1/apps/{app}/search", Plain(readers(200))).json(json!({"query": "hello"})),
    ];
    rows.into_iter().map(|row| row.with("app", "support")).collect()
}
