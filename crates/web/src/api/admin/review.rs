//! The queue of what people look at of what the content rules found, what they decide, and the decisions as a file.

use apps::{Decision, Review, ReviewExport, ReviewFilter};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use guard::content::Category;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use identity::Admin;
use kernel::{AppId, Fault, PageRequest, ReviewId, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::problems::{Changing, OnOne, Reading};
use super::super::view::List;
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// How much was found of a category.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewFinding)]
pub(crate) struct FindingView {
    /// One of the categories of `/v1/moderations`, or `spam`.
    #[schema(example = "harassment")]
    category: String,
    /// How sure the rules are, 0 to 1.
    score: f64,
}

/// Something that a person is to look at. The words themselves are not in the list.
#[derive(Serialize, ToSchema)]
#[schema(as = Review)]
pub(crate) struct ReviewView {
    /// Its id.
    id: Uuid,
    /// The app.
    #[schema(example = "assistant")]
    app: String,
    /// Whose it is: `visitor:`, `user:` or `key:` and an id.
    owner: String,
    /// The conversation; `null` for a refused text, which is in none.
    conversation_id: Option<Uuid>,
    /// The message; `null` for a refused text.
    message_id: Option<Uuid>,
    /// `message`: what somebody wrote; `answer`: what somebody was answered; `file`: what came with a message; `refused`: a
    /// text that was refused and came with an appeal.
    source: &'static str,
    /// `review`: a rule of the app says so; `block`: it was refused; `withheld`: the rest of it was withheld; `support`: it
    /// was answered with words that help; `burst`: its writer sends more in a moment than people write.
    reason: &'static str,
    /// What was found, the gravest first.
    categories: Vec<FindingView>,
    /// `open` or `decided`.
    state: &'static str,
    /// `upheld`: the rules were right; `wrongly_flagged`: they were not; `null` while it is open.
    decision: Option<&'static str>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When its writer said that it is a mistake; `null` if never.
    #[schema(value_type = Option<String>, format = DateTime)]
    appealed_at: Option<Time>,
    /// When it was decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Time>,
    /// Who decided, as the audit log names them.
    decided_by: Option<String>,
    /// What they said about it; `null` in lists.
    note: Option<String>,
}

impl ReviewView {
    fn of(review: Review) -> ReviewView {
        let finding = |one: apps::Weight| FindingView {
            category: one.category,
            score: f64::from(one.hundredths) / 100.0,
        };
        ReviewView {
            id: review.id.uuid(),
            app: review.app.as_str().to_owned(),
            owner: review.owner.to_string(),
            conversation_id: review.message.map(|(conversation, _)| conversation.uuid()),
            message_id: review.message.map(|(_, message)| message.uuid()),
            source: review.source.as_str(),
            reason: review.reason.as_str(),
            categories: review.findings.into_iter().map(finding).collect(),
            state: if review.decision.is_some() { "decided" } else { "open" },
            decision: review.decision.map(Decision::as_str),
            created_at: review.created_at,
            appealed_at: review.appealed_at,
            decided_at: review.decided_at,
            decided_by: review.decided_by,
            note: review.note,
        }
    }
}

/// The same with its words.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewWithText)]
pub(crate) struct FullView {
    /// What the list says of it.
    #[serde(flatten)]
    review: ReviewView,
    /// The words that it is about; empty when they are gone.
    text: String,
    /// What its writer says against it.
    comment: Option<String>,
}

/// Which are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only in this app.
    app: Option<String>,
    /// Only with this category: one of `/v1/moderations`, or `spam`.
    category: Option<String>,
    /// `open` or `decided`; all unless said.
    #[param(pattern = "^(open|decided)$")]
    state: Option<String>,
    /// Only those that were appealed, or only the others.
    appealed: Option<bool>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// The category, when there is one of this name.
pub(crate) fn category(name: &str) -> Result<String, Fault> {
    let known = name == "spam" || Category::parse(name).is_some();
    let say = "a category is one of those of `/v1/moderations`, or `spam`";
    if known { Ok(name.to_owned()) } else { Err(Fault::invalid("category", "unknown", say)) }
}

/// What was marked or appealed, newest first. The words are given out one by one, and that is written into the audit log.
#[utoipa::path(get, path = "/api/v1/admin/review", operation_id = "listReviews", tag = "admin", params(Filter), responses(
    (status = 200, description = "A piece of the list", body = List<ReviewView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(filter): Query<Filter>,
) -> Outcome<axum::Json<List<ReviewView>>> {
    let may = who.may(&site, Admin)?;
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let open = match filter.state.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("decided") => Some(false),
        Some(_) => return Err(Fault::invalid("state", "unknown", "a state is `open` or `decided`").into()),
    };
    let wanted = ReviewFilter {
        app: filter.app.as_deref().map(AppId::parse).transpose()?,
        category: filter.category.as_deref().map(category).transpose()?,
        open,
        appealed: filter.appealed,
    };
    let found = site.hall.reviews(&may, &wanted, page).await?;
    Ok(axum::Json(List::of(found, ReviewView::of)))
}

/// One of them with its words. Reading them is an event of the audit log.
#[utoipa::path(get, path = "/api/v1/admin/review/{id}", operation_id = "getReview", tag = "admin",
    params(("id" = Uuid, Path, description = "The review")), responses(
    (status = 200, description = "The review", body = FullView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<FullView>> {
    let (review, text) = site.hall.review(&who.may(&site, Admin)?, ReviewId::parse(&id)?).await?;
    let comment = review.appeal.clone();
    Ok(axum::Json(FullView { review: ReviewView::of(review), text, comment }))
}

/// What is right about one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    /// `upheld`: the rules were right; `wrongly_flagged`: they were not.
    #[schema(example = "wrongly_flagged", pattern = "^(upheld|wrongly_flagged)$")]
    decision: String,
    /// Why, for other admins.
    #[schema(max_length = 2_000)]
    note: Option<String>,
}

/// Decides. The same again changes nothing; whoever has decided may decide anew; of several at once one decides, and the
/// others get 409.
#[utoipa::path(put, path = "/api/v1/admin/review/{id}", operation_id = "decideReview", tag = "admin", request_body = DecisionRequest,
    params(("id" = Uuid, Path, description = "The review")), responses(
    (status = 200, description = "The review", body = ReviewView),
    Changing,
))]
pub(crate) async fn decide(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Json(wanted): Json<DecisionRequest>,
) -> Outcome<axum::Json<ReviewView>> {
    let may = who.may(&site, Admin)?;
    let unknown = || Fault::invalid("decision", "unknown", "a decision is `upheld` or `wrongly_flagged`");
    let decision = Decision::parse(&wanted.decision).ok_or_else(unknown)?;
    let decided = site.hall.decide(&may, ReviewId::parse(&id)?, decision, wanted.note).await?;
    Ok(axum::Json(ReviewView::of(decided)))
}

/// The decisions as a file to train the rules with: one JSON object a line with `label` (`rightly_flagged` or
/// `wrongly_flagged`), `categories` and `text`. The export is an event of the audit log.
#[utoipa::path(get, path = "/api/v1/admin/review/export", operation_id = "exportReviews", tag = "admin", responses(
    (status = 200, description = "The decisions, newest first", body = String, content_type = "application/x-ndjson"),
    Reading,
))]
pub(crate) async fn export(State(site): State<Site>, who: Who) -> Outcome<Response> {
    let export = site.hall.export_reviews(&who.may(&site, Admin)?);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"reviews.jsonl\"")),
    ];
    Ok((headers, Body::from_stream(pieces(site, export))).into_response())
}

/// The lines as the reader takes them. A fault, or an admin who is none any more, breaks the answer off, so that half a
/// file is never taken for a whole one.
fn pieces(
    site: Site,
    export: ReviewExport,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    StreamExt::fuse(stream::unfold((site, Some(export)), |(site, export)| async move {
        let mut export = export?;
        if !matches!(site.identity.stands(export.may().who()).await, Ok(true)) {
            return Some((Err(std::io::Error::other("not allowed any more")), (site, None)));
        }
        match export.piece().await {
            Ok(Some(lines)) => Some((Ok(Bytes::from(lines)), (site, Some(export)))),
            Ok(None) => None,
            Err(fault) => {
                tracing::warn!(code = fault.code().as_str(), "an export broke off");
                Some((Err(std::io::Error::other("broke off")), (site, None)))
            }
        }
    }))
}
