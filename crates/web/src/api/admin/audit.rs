//! The audit log: read in pieces, and exported as a stream that never holds more than a piece in memory.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use identity::{Admin, AuditFilter, May};
use kernel::{Fault, PageRequest, Severity, Time};
use ops::export::Form;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::problems::Reading;
use super::super::view::List;
use crate::Site;
use crate::body::Query;
use crate::failure::Outcome;
use crate::who::Who;

/// An event of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(crate) struct EventView {
    /// Its id.
    id: Uuid,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Time,
    /// What happened.
    #[schema(example = "auth.failure")]
    event_type: String,
    /// `low`, `medium`, `high`, `critical`.
    severity: String,
    /// Where the request came from.
    ip_address: Option<String>,
    /// Who did it.
    actor: String,
    /// What it was done to.
    object: Option<String>,
    /// More facts.
    #[schema(value_type = Object)]
    details: Value,
    /// The keyed hash over this event and the hash of the one before.
    hash: String,
}

impl EventView {
    fn of(event: identity::StoredEvent) -> EventView {
        EventView {
            id: event.id.uuid(),
            timestamp: event.at,
            event_type: event.event_type,
            severity: event.severity,
            ip_address: event.ip,
            actor: event.actor,
            object: event.object,
            details: event.details,
            hash: event.hash,
        }
    }
}

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only of this type, such as `auth.failure`.
    event: Option<String>,
    /// Only of this severity.
    #[param(pattern = "^(low|medium|high|critical)$")]
    severity: Option<String>,
    /// Only by this actor, such as `user:…`.
    actor: Option<String>,
    /// Only from this address.
    ip: Option<String>,
    /// Only about this object.
    object: Option<String>,
    /// Only at this time or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only before this time.
    #[param(format = DateTime)]
    until: Option<String>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

impl Filter {
    fn wanted(self) -> Result<AuditFilter, Fault> {
        let severity = self.severity.filter(|text| !text.is_empty());
        if let Some(severity) = &severity
            && !Severity::ALL.iter().any(|one| one.as_str() == severity)
        {
            let say = "a severity is low, medium, high or critical";
            return Err(Fault::invalid("severity", "unknown", say));
        }
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(AuditFilter {
            event_type: some(self.event),
            severity,
            actor: some(self.actor),
            ip: some(self.ip),
            object: some(self.object),
            since: moment("since", some(self.since))?,
            until: moment("until", some(self.until))?,
        })
    }
}

/// A time of a query.
pub(crate) fn moment(field: &'static str, text: Option<String>) -> Result<Option<Time>, Fault> {
    let parse = |text: String| {
        Time::parse_rfc3339(&text)
            .ok_or_else(|| Fault::invalid(field, "malformed", "write a time like 2026-11-21T08:00:00Z"))
    };
    text.map(parse).transpose()
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/api/v1/admin/audit", operation_id = "listAudit", tag = "admin", params(Filter), responses(
    (status = 200, description = "A piece of the list", body = List<EventView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(filter): Query<Filter>,
) -> Outcome<axum::Json<List<EventView>>> {
    let may = who.may(&site, Admin)?;
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let found = site.administration.audit(&may, filter.wanted()?, page).await?;
    Ok(axum::Json(List::of(found, EventView::of)))
}

/// Which events, and how they are written.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportFilter {
    /// `json` (unless said) or `csv`.
    #[param(pattern = "^(json|csv)$")]
    format: Option<String>,
    /// Only of this type.
    event: Option<String>,
    /// Only of this severity.
    #[param(pattern = "^(low|medium|high|critical)$")]
    severity: Option<String>,
    /// Only by this actor.
    actor: Option<String>,
    /// Only from this address.
    ip: Option<String>,
    /// Only about this object.
    object: Option<String>,
    /// Only at this time or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only before this time.
    #[param(format = DateTime)]
    until: Option<String>,
}

/// The audit log as a file, newest first. The export itself is an event.
#[utoipa::path(get, path = "/api/v1/admin/audit/export", operation_id = "exportAudit", tag = "admin", params(ExportFilter), responses(
    (status = 200, description = "A list of events, or a table", content((Vec<EventView> = "application/json"), (String = "text/csv"))),
    Reading,
))]
pub(crate) async fn export(
    State(site): State<Site>,
    who: Who,
    Query(filter): Query<ExportFilter>,
) -> Outcome<Response> {
    let may = who.may(&site, Admin)?;
    let form = Form::parse(filter.format.as_deref().unwrap_or("json"))?;
    let ExportFilter { event, severity, actor, ip, object, since, until, .. } = filter;
    let filter = Filter { event, severity, actor, ip, object, since, until, limit: None, after: None };
    let filter = filter.wanted()?;
    site.administration.note_audit_export(&may).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(form.content_type())),
        (CONTENT_DISPOSITION, HeaderValue::from_static(form.disposition())),
    ];
    Ok((headers, Body::from_stream(pieces(site, may, filter, form))).into_response())
}

/// What is left of an export.
enum Left {
    /// From this place on, with whether anything was written before.
    From(PageRequest, bool),
    /// Nothing.
    Nothing,
}

/// The export, piece by piece as the reader takes it. A fault, or an admin who is none any more, breaks the answer
/// off, so that half a log is never taken for a whole one.
fn pieces(
    site: Site,
    may: May<Admin>,
    filter: AuditFilter,
    form: Form,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    let first = Left::From(PageRequest::first(PageRequest::MOST), false);
    // Whoever compresses asks once more after the end.
    StreamExt::fuse(stream::unfold((site, may, first), move |(site, may, left)| {
        let filter = filter.clone();
        async move {
            let Left::From(page, begun) = left else { return None };
            if !matches!(site.identity.stands(may.who()).await, Ok(true)) {
                return Some((
                    Err(std::io::Error::other("not allowed any more")),
                    (site, may, Left::Nothing),
                ));
            }
            let piece = match site.administration.audit(&may, filter, page).await {
                Ok(piece) => piece,
                Err(fault) => {
                    tracing::warn!(code = fault.code().as_str(), "an export broke off");
                    return Some((Err(std::io::Error::other("broke off")), (site, may, Left::Nothing)));
                }
            };
            let next = piece
                .next
                .as_deref()
                .and_then(|after| PageRequest::parse(Some(PageRequest::MOST), Some(after)).ok());
            let text = form.piece(&piece.items, !begun, next.is_none());
            let left = next.map_or(Left::Nothing, |page| Left::From(page, begun || !piece.items.is_empty()));
            Some((Ok(Bytes::from(text)), (site, may, left)))
        }
    }))
}
