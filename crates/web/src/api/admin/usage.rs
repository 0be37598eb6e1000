//! How much the server was used in a period: by app, and by who asked.

use std::time::Duration;

use axum::extract::State;
use identity::{Admin, UsageDay, UsageFilter, UsageRow};
use kernel::{Fault, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::problems::Reading;
use super::audit::moment;
use crate::Site;
use crate::body::Query;
use crate::failure::Outcome;
use crate::who::Who;

/// The period when none is said.
const PERIOD: Duration = Duration::from_secs(30 * 86_400);

/// Which period.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Period {
    /// From this time on; 30 days before its end unless said.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Until before this time; now unless said.
    #[param(format = DateTime)]
    until: Option<String>,
    /// Only of this app.
    #[param(example = "support")]
    app: Option<String>,
    /// Only of this principal, as the answer names them: `user:` and an id, say.
    principal: Option<String>,
}

/// What was used.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsedView {
    /// By whom or where: an app, or a principal with its kind.
    #[schema(example = "assistant")]
    name: String,
    /// Turns that were asked.
    requests: u64,
    /// Conversations that began.
    conversations: u64,
    /// Tokens that models read.
    input_tokens: u64,
    /// Tokens that models wrote.
    output_tokens: u64,
    /// Answers that failed or were interrupted.
    failed: u64,
    /// The part of the requests whose answer failed or was interrupted, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    error_rate: f64,
}

impl UsedView {
    fn of(row: UsageRow) -> UsedView {
        let UsageRow { name, requests, conversations, input_tokens, output_tokens, failed } = row;
        let error_rate = if requests == 0 { 0.0 } else { (failed as f64 / requests as f64).min(1.0) };
        UsedView { name, requests, conversations, input_tokens, output_tokens, failed, error_rate }
    }
}

/// What was used of one app on one day.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsedDayView {
    /// The day, in UTC.
    #[schema(value_type = String, format = Date, example = "2026-11-21")]
    day: String,
    /// How much; the name is the app.
    #[serde(flatten)]
    used: UsedView,
}

impl UsedDayView {
    fn of(day: UsageDay) -> UsedDayView {
        let date = day.day.rfc3339_seconds().chars().take(10).collect();
        UsedDayView { day: date, used: UsedView::of(day.row) }
    }
}

/// How much the server was used.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageView {
    /// From this time on.
    #[schema(value_type = String, format = DateTime)]
    since: Time,
    /// Until before this time.
    #[schema(value_type = String, format = DateTime)]
    until: Time,
    /// By app.
    apps: Vec<UsedView>,
    /// By who asked, the 100 who asked most.
    principals: Vec<UsedView>,
    /// By day and app, the newest first.
    days: Vec<UsedDayView>,
}

/// How much the server was used: by app, by who asked, and by day. What retention has removed is still counted, by whole
/// days; what people deleted is not.
#[utoipa::path(get, path = "/api/v1/admin/usage", operation_id = "readUsage", tag = "admin", params(Period), responses(
    (status = 200, description = "The usage", body = UsageView),
    Reading,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Query(period): Query<Period>,
) -> Outcome<axum::Json<UsageView>> {
    let may = who.may(&site, Admin)?;
    let until = moment("until", period.until)?.unwrap_or_else(|| site.ambient.now());
    let since = moment("since", period.since)?.unwrap_or(until - PERIOD);
    if since >= until {
        return Err(Fault::invalid("since", "out_of_range", "`since` must be before `until`").into());
    }
    if let Some(app) = &period.app {
        kernel::AppId::parse(app)?;
    }
    if let Some(principal) = &period.principal {
        let say = "`principal` is `user:`, `visitor:` or `key:` and an id";
        kernel::Subject::parse(principal).map_err(|_| Fault::invalid("principal", "malformed", say))?;
    }
    let filter = UsageFilter { app: period.app, principal: period.principal };
    let usage = site.administration.usage(&may, since, until, &filter).await?;
    Ok(axum::Json(UsageView {
        since,
        until,
        apps: usage.apps.into_iter().map(UsedView::of).collect(),
        principals: usage.principals.into_iter().map(UsedView::of).collect(),
        days: usage.days.into_iter().map(UsedDayView::of).collect(),
    }))
}
