//! What admins ask of operation: service levels, reports, slow statements, the newest lines of the log.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use identity::Admin;
use kernel::{Code, Fault};
use ops::report::{LogTail, Period, Queries, Report};
use ops::slo::SloReport;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::problems::Reading;
use crate::Site;
use crate::body::{Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// Which statements.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Over {
    /// Those whose mean is over this many milliseconds; 100 unless said, 0 for all.
    over_ms: Option<u64>,
}

/// What was promised and what was kept: availability, errors, latencies, statements, over an hour, a day, a week and a
/// month, exact after restarts and of all replicas.
#[utoipa::path(get, path = "/api/v1/admin/slo", operation_id = "readServiceLevels", tag = "admin", responses(
    (status = 200, description = "The service levels", body = Object),
    Reading,
))]
pub(crate) async fn slo(State(site): State<Site>, who: Who) -> Outcome<Json<SloReport>> {
    who.may(&site, Admin)?;
    Ok(Json(site.office.slo().await?))
}

/// The report of a day, a week or a month that ends now.
#[utoipa::path(get, path = "/api/v1/admin/reports/{period}", operation_id = "readReport", tag = "admin",
    params(("period" = String, Path, description = "`daily`, `weekly` or `monthly`")),
    responses((status = 200, description = "The report", body = Object), Reading))]
pub(crate) async fn report(
    State(site): State<Site>,
    who: Who,
    Path(period): Path<String>,
) -> Outcome<Json<Report>> {
    who.may(&site, Admin)?;
    let period = Period::parse(&period).ok_or(Fault::new(Code::NotFound))?;
    Ok(Json(site.office.report(period).await?))
}

/// Statements whose mean is high, with calls and mean.
#[utoipa::path(get, path = "/api/v1/admin/queries", operation_id = "listQueries", tag = "admin", params(Over), responses(
    (status = 200, description = "The statements, the slowest first", body = Object),
    Reading,
))]
pub(crate) async fn queries(
    State(site): State<Site>,
    who: Who,
    Query(over): Query<Over>,
) -> Outcome<Json<Queries>> {
    who.may(&site, Admin)?;
    Ok(Json(site.office.queries(Duration::from_millis(over.over_ms.unwrap_or(100))).await?))
}

/// The newest lines of the log at `WARNING` and `ERROR` of this replica, masked, and how many there were since its start.
#[utoipa::path(get, path = "/api/v1/admin/logs", operation_id = "readLog", tag = "admin", responses(
    (status = 200, description = "The lines, the newest first", body = Object),
    Reading,
))]
pub(crate) async fn logs(State(site): State<Site>, who: Who) -> Outcome<Json<LogTail>> {
    who.may(&site, Admin)?;
    Ok(Json(site.office.log()))
}
