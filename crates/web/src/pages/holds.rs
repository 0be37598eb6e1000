//! The page of legal holds, for admins. To everybody else it does not exist.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{Admin, May};
use kernel::{HoldId, Subject, UserId};

use super::admin::{label, shell};
use super::form::{Fields, onward, page, refused};
use super::person::Person;
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::admin::{HoldView, HoldsPage};
use crate::ui::form::FormView;
use crate::ui::html;

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/admin/holds", get(holds).post(add)).route("/admin/holds/{id}/end", post(end))
}

async fn show(site: &Site, person: &Person, form: FormView, code: StatusCode) -> Outcome<Response> {
    let may = person.admin(site)?;
    let shell = shell(site, person, &may, "/admin/holds").await?;
    let mut holds = Vec::new();
    for hold in site.administration.holds(&may).await? {
        let target = hold.target.to_string();
        holds.push(HoldView {
            id: hold.id.to_string(),
            label: called(site, &may, &target).await,
            target,
            reason: hold.reason,
            by: match called(site, &may, &hold.created_by).await {
                name if name.is_empty() => hold.created_by,
                name => name,
            },
            created_at: hold.created_at,
        });
    }
    Ok(page(code, html(&HoldsPage { shell, form, holds })?))
}

/// The address of an account; empty for anything else.
async fn called(site: &Site, may: &May<Admin>, target: &str) -> String {
    match target.strip_prefix("user:").map(UserId::parse) {
        Some(Ok(id)) => label(site, may, id).await,
        _ => String::new(),
    }
}

async fn holds(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show(&site, &person, FormView::new().with("target", &person.asked("target")), StatusCode::OK).await
}

async fn add(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let typed = fields.text("target").trim().to_owned();
    let target = if typed.contains('@') {
        let wanted = identity::UserFilter { q: Some(typed.clone()), ..identity::UserFilter::default() };
        let found = site.administration.users(&may, wanted, kernel::PageRequest::first(1)).await?;
        match found.items.first() {
            Some(user) => Subject::User(user.id).to_string(),
            None => {
                let form = fields.view().wrong("target", key("There is no account with this address."));
                return show(&site, &person, form, StatusCode::UNPROCESSABLE_ENTITY).await;
            }
        }
    } else {
        typed
    };
    match site.administration.add_hold(&may, &target, fields.text("reason")).await {
        Ok(_) => Ok(onward("/admin/holds?done=held")),
        Err(fault) => {
            let (status, form) = refused(fields.view(), fault)?;
            show(&site, &person, form, status).await
        }
    }
}

async fn end(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    site.administration.remove_hold(&person.admin(&site)?, HoldId::parse(&id)?).await?;
    Ok(onward("/admin/holds?done=unheld"))
}
