//! The pages of the queue of what people look at, for admins: the list with its filter, and one thing with its words. To
//! everybody else they do not exist.

use apps::{Decision, Review, ReviewFilter};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use guard::content::Category;
use http::StatusCode;
use identity::{Admin, May};
use kernel::{AppId, Code, Fault, ReviewId, UserId};

use super::account::piece;
use super::admin::{label, shell};
use super::form::{Fields, onward, page};
use super::person::Person;
use crate::Site;
use crate::api::admin::review::category;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::frame::encode;
use crate::ui::html;
use crate::ui::review::{ReviewPage, ReviewsPage, Seen};

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/admin/review", get(list)).route("/admin/review/{id}", get(one).post(decide))
}

/// How many wait; a count is no reason for a page to fail.
pub(super) async fn open_reviews(site: &Site, may: &May<Admin>) -> u64 {
    site.hall.open_reviews(may).await.map_or(0, |(open, _)| open)
}

/// The words of the filter.
const FILTER: [&str; 3] = ["state", "app", "category"];

async fn list(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let mut shell = shell(&site, &person, &may, "/admin/review").await?;
    if person.asked("failed") == "late" {
        shell.failed = Some(key("Somebody else has decided this already.").to_owned());
    }
    let asked = FILTER.map(|name| person.asked(name));
    let [state, app, wanted] = &asked;
    let filter = ReviewFilter {
        app: Some(app.as_str()).filter(|app| !app.is_empty()).and_then(|app| AppId::parse(app).ok()),
        category: Some(wanted.as_str()).and_then(|name| category(name).ok()),
        open: match state.as_str() {
            "decided" => Some(false),
            "all" => None,
            _ => Some(true),
        },
        appealed: (state == "appealed").then_some(true),
    };
    let found = site.hall.reviews(&may, &filter, piece(&person)?).await?;
    let (open, appealed) = site.hall.open_reviews(&may).await?;
    let query: String = FILTER
        .iter()
        .zip(&asked)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("&{name}={}", encode(value)))
        .collect();
    let mut categories: Vec<&'static str> = Category::ALL.iter().map(|one| one.as_str()).collect();
    categories.push("spam");
    let shown = ReviewsPage {
        shell,
        state: state.clone(),
        app: app.clone(),
        category: wanted.clone(),
        apps: site.hall.talking(&may).into_iter().map(|app| (app.id.to_string(), app.name)).collect(),
        categories,
        open,
        appealed,
        filtered: !query.is_empty(),
        reviews: found.items.into_iter().map(seen).collect(),
        next: found.next.map(|next| encode(&next)),
        query,
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

fn seen(review: Review) -> Seen {
    Seen {
        id: review.id.to_string(),
        app: review.app.to_string(),
        source: review.source.as_str(),
        reason: review.reason.as_str(),
        findings: review.findings.into_iter().map(|one| (one.category, one.hundredths)).collect(),
        created_at: review.created_at,
        appealed: review.appealed_at.is_some(),
        decision: review.decision.map_or("", Decision::as_str),
        decided_at: review.decided_at,
    }
}

/// One of them with its words: that they are read is written down.
async fn one(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let (review, text) = site.hall.review(&may, ReviewId::parse(&id)?).await?;
    let shell = shell(&site, &person, &may, "/admin/review").await?;
    let by = match review.decided_by.as_deref().and_then(|by| by.strip_prefix("user:")).map(UserId::parse) {
        Some(Ok(id)) => label(&site, &may, id).await,
        _ => String::new(),
    };
    let shown = ReviewPage {
        shell,
        owner: review.owner.to_string(),
        appeal: review.appeal.clone().unwrap_or_default(),
        note: review.note.clone().unwrap_or_default(),
        by,
        text,
        seen: seen(review),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn decide(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let decision = Decision::parse(fields.text("decision")).ok_or_else(|| Fault::new(Code::InvalidInput))?;
    let note = Some(fields.text("note").to_owned());
    // Back to the same part of the list.
    let back: String = FILTER
        .iter()
        .map(|name| (name, fields.text(name)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("&{name}={}", encode(value)))
        .collect();
    match site.hall.decide(&may, ReviewId::parse(&id)?, decision, note).await {
        Ok(_) => Ok(onward(&format!("/admin/review?done=decided{back}"))),
        Err(fault) if fault.code() == Code::Conflict => {
            Ok(onward(&format!("/admin/review?failed=late{back}")))
        }
        Err(fault) => Err(fault.into()),
    }
}
