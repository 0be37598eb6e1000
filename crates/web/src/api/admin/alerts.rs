//! Alerts of the security monitor: read, and taken note of.

use axum::extract::State;
use identity::{Admin, Alert, AlertFilter};
use kernel::{AlertId, Fault, PageRequest, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::problems::{OnOne, Reading};
use super::super::view::List;
use crate::Site;
use crate::body::{Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// An alert.
#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertView {
    /// Its id.
    id: Uuid,
    /// What it is about; there is one open alert of a cause at a time.
    cause: String,
    /// What sort of alert it is.
    #[schema(example = "failed_sign_ins")]
    kind: String,
    /// `low`, `medium`, `high`, `critical`.
    severity: String,
    /// `open`; `acknowledged`: somebody has taken note; `closed`: it is over.
    state: &'static str,
    /// Ids, addresses and counts as they were when it was raised.
    #[schema(value_type = Object)]
    details: Value,
    /// How often it has happened so far.
    count: u64,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    raised_at: Time,
    /// When it happened last.
    #[schema(value_type = String, format = DateTime)]
    last_at: Time,
    /// When somebody took note of it.
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Time>,
    /// Who took note of it.
    acknowledged_by: Option<String>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Time>,
}

impl AlertView {
    fn of(alert: Alert) -> AlertView {
        let state = match (alert.closed_at, alert.acknowledged_at) {
            (_, Some(_)) => "acknowledged",
            (None, None) => "open",
            (Some(_), None) => "closed",
        };
        AlertView {
            id: alert.id.uuid(),
            cause: alert.cause,
            kind: alert.kind,
            severity: alert.severity,
            state,
            details: alert.details,
            count: alert.count,
            raised_at: alert.raised_at,
            last_at: alert.last_at,
            acknowledged_at: alert.acknowledged_at,
            acknowledged_by: alert.acknowledged_by,
            closed_at: alert.closed_at,
        }
    }
}

/// Which alerts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `open`, `acknowledged` or `closed`; all unless said.
    #[param(pattern = "^(open|acknowledged|closed)$")]
    state: Option<String>,
    /// Only of this kind.
    kind: Option<String>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// The alerts, newest first.
#[utoipa::path(get, path = "/api/v1/admin/alerts", operation_id = "listAlerts", tag = "admin", params(Filter), responses(
    (status = 200, description = "A piece of the list", body = List<AlertView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(filter): Query<Filter>,
) -> Outcome<axum::Json<List<AlertView>>> {
    let may = who.may(&site, Admin)?;
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let (open, acknowledged) = match filter.state.as_deref() {
        None => (None, None),
        Some("open") => (Some(true), Some(false)),
        Some("acknowledged") => (None, Some(true)),
        Some("closed") => (Some(false), Some(false)),
        Some(_) => {
            let say = "a state is `open`, `acknowledged` or `closed`";
            return Err(Fault::invalid("state", "unknown", say).into());
        }
    };
    let wanted = AlertFilter { open, acknowledged, kind: filter.kind };
    let found = site.administration.alerts(&may, wanted, page).await?;
    Ok(axum::Json(List::of(found, AlertView::of)))
}

/// Takes note of an alert: the next of its cause is a new one. Doing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/admin/alerts/{id}/acknowledge", operation_id = "acknowledgeAlert", tag = "admin",
    params(("id" = Uuid, Path, description = "The alert")), responses(
    (status = 200, description = "The alert", body = AlertView),
    OnOne,
))]
pub(crate) async fn acknowledge(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<AlertView>> {
    let may = who.may(&site, Admin)?;
    let noted = site.administration.acknowledge(&may, AlertId::parse(&id)?).await?;
    Ok(axum::Json(AlertView::of(noted)))
}
