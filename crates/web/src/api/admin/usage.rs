//! How much the server was used in a period: by app, and by who asked.

use std::time::Duration;

use axum::extract::State;
use identity::{Admin, UsageRow};
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
}

/// What was used.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsedView {
    /// By whom or where: an app, or a principal with its kind.
    #[schema(example = "assistant")]
    name: String,
    /// Turns that were asked.
    requests: u64,
    /// Conversations that had a turn.
    conversations: u64,
    /// Tokens that models read.
    input_tokens: u64,
    /// Tokens that models wrote.
    output_tokens: u64,
}

impl UsedView {
    fn of(row: UsageRow) -> UsedView {
        let UsageRow { name, requests, conversations, input_tokens, output_tokens } = row;
        UsedView { name, requests, conversations, input_tokens, output_tokens }
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
}

/// How much the server was used, as the conversations that are still kept show it.
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
    let usage = site.administration.usage(&may, since, until).await?;
    Ok(axum::Json(UsageView {
        since,
        until,
        apps: usage.apps.into_iter().map(UsedView::of).collect(),
        principals: usage.principals.into_iter().map(UsedView::of).collect(),
    }))
}
