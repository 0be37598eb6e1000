//! The rows of operation: service levels, reports, statements, the log.

use super::Cells::Plain;
use super::{Row, admins, hidden, row};

/// For admins alone.
pub(super) fn rows() -> Vec<Row> {
    vec![
        row("GET /api/v1/admin/slo", Plain(admins(200))),
        row("GET /api/v1/admin/reports/{period}", Plain(admins(200))).with("period", "weekly"),
        row("GET /api/v1/admin/queries", Plain(admins(200))),
        row("GET /api/v1/admin/logs", Plain(admins(200))),
        row("GET /admin/slo", Plain(hidden(200))),
        row("GET /admin/reports", Plain(hidden(200))),
        row("GET /admin/reports/{period}", Plain(hidden(200))).with("period", "monthly"),
    ]
}
