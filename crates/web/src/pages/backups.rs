//! The page of backups: what there is, how old, when one was tried out; one more at the press of a button.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::admin::shell;
use super::form::{onward, page};
use super::person::Person;
use crate::Site;
use crate::api::admin::backups::{BackupView, attempt, begin};
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{key, say};
use crate::ui::admin::BackupsPage;
use crate::ui::html;

/// The page of backups.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/admin/backups", get(backups).post(create))
        .route("/admin/backups/{name}/verify", post(verify))
}

async fn backups(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/backups").await?;
    let (now, status) = (site.ambient.now(), site.backups.status().await?);
    let listed = site.backups.list().await?;
    let schedule = match &status.schedule {
        Some(schedule) => say("Made on the schedule {schedule} (UTC), and here.")
            .with("schedule", schedule.as_str())
            .to_string(),
        None => key("No schedule is set: they are made here and at the command line.").to_owned(),
    };
    let shown = BackupsPage {
        shell,
        backups: listed.into_iter().map(BackupView::of).collect(),
        schedule,
        freshness: status.backups(now).as_str(),
        last: status.last.as_ref().map(|last| last.at),
        failed: status.failed.as_ref().map(|failed| failed.at),
        drill: status.drills(now).as_str(),
        verified: status.verified.as_ref().map(|drill| (drill.at, drill.passed)),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn create(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let made = begin(&site.backups, &person.admin(&site)?).await?;
    Ok(onward(if made.is_some() {
        "/admin/backups?done=backed-up"
    } else {
        "/admin/backups?done=backing-up"
    }))
}

async fn verify(State(site): State<Site>, person: Person, Path(name): Path<String>) -> Outcome<Response> {
    let verified = attempt(&site.backups, &person.admin(&site)?, &name).await?;
    Ok(onward(if verified.is_some() {
        "/admin/backups?done=verified"
    } else {
        "/admin/backups?done=verifying"
    }))
}
