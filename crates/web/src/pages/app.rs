//! The pages of an app beside its talk: which there are for whom, and what stands around them. It owns the table of
//! those pages and no page.

use axum::Router;
use identity::{AppsRead, Desk, DocumentsManage, DocumentsRead};
use kernel::{AppId, AppKind, Code, Fault};

use super::person::Person;
use super::{app_view, frame};
use crate::Site;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::app::{AppShell, Place};

/// The pages of apps beside their talk.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .merge(super::documents::routes())
        .merge(super::desk::routes())
        .merge(super::talk::routes())
        .merge(super::order::routes())
}

/// Whether apps of this kind answer from documents, and hand over to a person.
pub(super) const fn serves_customers(kind: AppKind) -> bool {
    match kind {
        AppKind::Support => true,
        AppKind::Chat | AppKind::Tutor | AppKind::Files => false,
    }
}

/// The app of a path; `not_found` where there is none for customers.
pub(super) fn service(site: &Site, app: &str) -> Outcome<apps::App> {
    let found = named(site, app)?;
    if serves_customers(found.kind) { Ok(found) } else { Err(Code::NotFound.into()) }
}

/// The app of a path.
pub(super) fn named(site: &Site, app: &str) -> Outcome<apps::App> {
    let id = AppId::parse(app).map_err(|_| Fault::new(Code::NotFound))?;
    Ok(site.hall.app(&id)?)
}

/// What stands around a page of an app; `here` is its path below the app.
pub(super) async fn shell(site: &Site, person: &Person, app: &apps::App, here: &str) -> AppShell {
    let back = format!("/apps/{}/{here}", app.id);
    let frame = frame(site, Some(&person.who), &back).await;
    let (identity, who) = (&site.identity, &person.who.principal);
    let reads = identity.may(who, DocumentsRead(app.id.clone())).is_ok();
    let desk = identity.may(who, Desk(app.id.clone())).ok();
    let enters = identity.may(who, AppsRead).is_ok() && who.apps().contains(&app.id);
    let mut places = Vec::new();
    let mut place = |path: &str, icon, name, count| {
        let href =
            if path.is_empty() { format!("/apps/{}", app.id) } else { format!("/apps/{}/{path}", app.id) };
        places.push(Place { href, icon, name, count, here: path == here });
    };
    if enters {
        place("", "chat", key("Conversations"), None);
    }
    if serves_customers(app.kind) {
        if reads {
            place("documents", "file", key("Documents"), None);
        }
        if let Some(may) = &desk {
            // The number is a convenience; the page itself tells of a failure.
            let waiting = site.hall.waiting(may).await.ok();
            place("desk", "inbox", key("Inbox"), waiting);
            place("desk/questions", "question", key("Questions"), None);
        }
    }
    if desk.is_some() {
        place("desk/quality", "chart", key("Quality"), None);
    }
    AppShell { frame, app: app_view(app, who), places, done: None, failed: None, now: site.ambient.now() }
}

/// Whether the person may change the documents of the app. Asking changes nothing and is not audited.
pub(super) fn manages(site: &Site, person: &Person, app: &AppId) -> bool {
    site.identity.may(&person.who.principal, DocumentsManage(app.clone())).is_ok()
}
