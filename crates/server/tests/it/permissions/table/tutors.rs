//! The rows of the tutor's pages.

use super::Cells::{Ids, Plain};
use super::{NONE, Row, accounts, admins, admins_any, open, row};

/// The tutor is open to every account, and managed by the admin alone.
pub(super) fn pages() -> Vec<Row> {
    let form = "title=Sum&statement=What+is+19+%2B+23%3F&answer=42";
    let begun = Ids { own: open(NONE), foreign: accounts(303), random: accounts(404) };
    let rows = vec![
        row("GET /apps/{app}", Plain(accounts(200))),
        row("GET /apps/{app}/ask", Plain(accounts(200))),
        row("GET /apps/{app}/progress", Plain(accounts(200))),
        row("POST /apps/{app}/problems/{id}/start", begun),
        row("GET /apps/{app}/problems", Plain(admins(200))),
        row("POST /apps/{app}/problems", Plain(admins(303))).form(form),
        row("GET /apps/{app}/problems/new", Plain(admins(200))),
        row("GET /apps/{app}/problems/{id}", admins_any(200)),
        row("GET /apps/{app}/problems/{id}/edit", admins_any(200)),
        row("POST /apps/{app}/problems/{id}/edit", admins_any(303)).form(form),
        row("POST /apps/{app}/problems/{id}/publish", admins_any(303)).form("published=no"),
        row("GET /apps/{app}/problems/{id}/delete", admins_any(200)),
        row("POST /apps/{app}/problems/{id}/delete", admins_any(303)),
        // A problem is no conversation about it: that one is not there for anybody.
        row("GET /apps/{app}/problems/{id}/transcripts/{conversation}", admins_any(404)),
    ];
    rows.into_iter().map(|row| row.with("app", "tutor")).collect()
}
