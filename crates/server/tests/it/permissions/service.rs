//! The rows of the pages of customer service. The member uses support and nobody but admins manages it; the manager
//! manages the workspace, where answers are rated too.

use super::By;
use super::table::{Cells, NONE, Row, known, nobody, open, owners, row};
use Cells::{Ids, Plain};

/// Its rows.
pub fn rows() -> Vec<Row> {
    let reads = |status: u16| By { plain: 403, manager: 403, talking_key: 403, ..known(status) };
    let manages = |status: u16| By { admin: status, operators_key: status, ..nobody() };
    let desk = |status: u16| By { admin: status, ..nobody() };
    let one = |cells: By<u16>| Ids { own: open(NONE), foreign: open(NONE), random: cells };
    let at = |operation, cells| row(operation, cells).with("app", "support");
    vec![
        at("GET /apps/{app}/documents", Plain(reads(200))),
        at("POST /apps/{app}/documents", Plain(manages(415))).form("visibility=everyone"),
        at("POST /apps/{app}/documents/text", Plain(manages(400))).form("title=&text="),
        at("GET /apps/{app}/documents/{id}", one(reads(404))),
        at("POST /apps/{app}/documents/{id}/remove", one(manages(404))).form("sure=yes"),
        at("GET /apps/{app}/desk", Plain(desk(200))),
        at("GET /apps/{app}/desk/beat", Plain(desk(200))),
        at("GET /apps/{app}/desk/questions", Plain(desk(200))),
        at("POST /apps/{app}/desk/questions/{id}/resolve", one(desk(404))),
        row("GET /apps/{app}/desk/quality", Plain(By { manager: 200, ..desk(200) })),
        at("GET /apps/{app}/desk/{id}", one(desk(404))),
        at("GET /apps/{app}/desk/{id}/beat", one(desk(404))),
        at("POST /apps/{app}/desk/{id}/claim", one(desk(404))),
        at("POST /apps/{app}/desk/{id}/reply", one(desk(404))).form("content=hello"),
        at("POST /apps/{app}/desk/{id}/return", one(desk(404))),
        at("POST /apps/{app}/desk/{id}/close", one(desk(404))),
        at("POST /apps/{app}/{conversation}/person", wish()),
        // Nobody has an answer to rate here: the message in the path is one of nothing.
        row("POST /apps/{app}/{conversation}/messages/{message}/feedback", owners(404, false, true))
            .form("rating=up"),
        row("GET /fragments/conversations/{conversation}/news", owners(200, true, false)),
    ]
}

/// A person can be asked for where customers are served; the others have their conversation in the assistant.
fn wish() -> Cells {
    let Ids { own, foreign, random } = owners(400, false, true) else { return Plain(open(NONE)) };
    Ids { own: By { talking_key: 303, ..own }, foreign, random }
}
