//! The pages of accounts, for admins: list, invite, make, roles, grants, erasure.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{AppsRead, NewAccount, User, UserFilter};
use kernel::{AppId, Code, Fault, Level, PageRequest, Role, UserEntry, UserId};

use super::account::{key_view, piece, session_view};
use super::admin::{other_word, shell};
use super::form::{Fields, onward, page, refused};
use super::person::{Person, proven};
use super::{LEAST, frame};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{key, say};
use crate::ui::admin::{GrantView, NewUserPage, UserPage, UserView, UsersPage};
use crate::ui::form::FormView;
use crate::ui::frame::encode;
use crate::ui::html;
use crate::ui::sign::ConfirmPage;

/// The pages of accounts.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/admin/users", get(list).post(add))
        .route("/admin/users/new", get(new))
        .route("/admin/users/{id}", get(show))
        .route("/admin/users/{id}/role", post(set_role))
        .route("/admin/users/{id}/state", post(set_state))
        .route("/admin/users/{id}/grants/{app}", post(set_grant))
        .route("/admin/users/{id}/erase", get(ask_erase).post(erase))
}

fn user_view(user: User) -> UserView {
    UserView {
        id: user.id.to_string(),
        admin: user.role == Role::Admin,
        active: user.disabled_at.is_none(),
        verified: user.verified_at.is_some(),
        second_factor: user.totp_at.is_some(),
        passkeys: user.passkeys,
        has_password: user.has_password,
        created_at: user.created_at,
        signed_in_at: user.last_sign_in_at,
        email: user.email,
        name: user.name,
    }
}

async fn list(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/users").await?;
    let (q, role, state) = (person.asked("q"), person.asked("role"), person.asked("state"));
    let filter = UserFilter {
        q: Some(q.clone()).filter(|q| !q.is_empty()),
        role: Role::parse(&role).ok(),
        active: match state.as_str() {
            "active" => Some(true),
            "inactive" => Some(false),
            _ => None,
        },
    };
    // What is no address fits nobody: that is an empty list, not a fault.
    let found = match site.administration.users(&may, filter, piece(&person)?).await {
        Ok(found) => found,
        Err(fault) if fault.code() == Code::InvalidInput => kernel::Page { items: Vec::new(), next: None },
        Err(fault) => return Err(fault.into()),
    };
    let next = found.next.map(|next| {
        format!(
            "/admin/users?after={}&q={}&role={}&state={}",
            encode(&next),
            encode(&q),
            encode(&role),
            encode(&state)
        )
    });
    let shown = UsersPage {
        shell,
        filter: FormView::new().with("q", &q).with("role", &role).with("state", &state),
        users: found.items.into_iter().map(user_view).collect(),
        next,
        filtered: !(q.is_empty() && role.is_empty() && state.is_empty()),
        totals: Some(site.administration.count_users(&may).await?),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn show_new(
    site: &Site,
    person: &Person,
    form: FormView,
    invitation: Option<(String, String)>,
    code: StatusCode,
) -> Outcome<Response> {
    let may = person.admin(site)?;
    let shell = shell(site, person, &may, "/admin/users").await?;
    let mail = site.accounts.sends_mail();
    Ok(page(code, html(&NewUserPage { shell, form, mail, least: LEAST, invitation })?))
}

async fn new(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show_new(&site, &person, FormView::new(), None, StatusCode::OK).await
}

async fn add(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    person.admin(&site)?;
    let person = proven!(person, &site, &fields, key("You are about to add a user."));
    let may = person.admin(&site)?;
    let email = fields.text("email").to_owned();
    let role = if fields.text("role") == "admin" { Role::Admin } else { Role::User };
    let fault = if fields.text("how") == "password" {
        let new = NewAccount {
            email,
            name: fields.text("name").to_owned(),
            role,
            password: fields.secret("password"),
        };
        match site.administration.create_user(&may, new).await {
            Ok(user) => return Ok(onward(&format!("/admin/users/{}?done=made", user.id))),
            Err(fault) => fault,
        }
    } else {
        match site.administration.invite(&may, &email, role).await {
            Ok(token) => {
                let link = format!("{}/sign-up#token={}", site.base_url, token.expose());
                let shown = Some((email, link));
                return show_new(&site, &person, FormView::new(), shown, StatusCode::CREATED).await;
            }
            Err(fault) => fault,
        }
    };
    let (status, form) = match fault.code() {
        Code::Conflict => {
            let form = fields.view().wrong("email", key("There is an account with this address."));
            (StatusCode::CONFLICT, form)
        }
        _ => refused(fields.view(), fault)?,
    };
    show_new(&site, &person, form, None, status).await
}

fn anyway(entry: UserEntry, visitors: bool) -> &'static str {
    match (visitors, entry) {
        (true, UserEntry::Everybody) => key("open to everybody"),
        (false, UserEntry::Everybody) => key("open to every account"),
        (_, UserEntry::Granted) => "",
        (_, UserEntry::Nobody) => key("not for accounts"),
    }
}

async fn show_user(
    site: &Site,
    person: &Person,
    id: UserId,
    failed: Option<String>,
    code: StatusCode,
) -> Outcome<Response> {
    let may = person.admin(site)?;
    let user = site.administration.user(&may, id).await?;
    let mut shell = shell(site, person, &may, "/admin/users").await?;
    shell.failed = failed;
    let held = site.administration.grants(&may, id).await?;
    let level = |app: &AppId| match held.iter().find(|(one, _)| one == app) {
        Some((_, Level::Use)) => "use",
        Some((_, Level::Manage)) => "manage",
        None => "none",
    };
    let grants = site
        .hall
        .apps(&person.may(site, AppsRead)?)
        .iter()
        .map(|app| GrantView {
            app: app.id.to_string(),
            name: app.name.clone(),
            level: level(&app.id),
            anyway: anyway(app.entry.users, app.entry.visitors),
        })
        .collect();
    let first = || PageRequest::first(50);
    let sessions = site.administration.sessions(&may, Some(id), first()).await?;
    let keys = site.administration.keys(&may, Some(id), first()).await?;
    let this = person.who.principal.session();
    let key = |key| {
        let mut view = key_view(key);
        view.owner_id = String::new();
        view
    };
    let shown = UserPage {
        shell,
        own: person.who.principal.user() == Some(id),
        user: user_view(user),
        grants,
        sessions: sessions.items.iter().map(|one| session_view(one, this)).collect(),
        keys: keys.items.iter().map(key).collect(),
    };
    Ok(page(code, html(&shown)?))
}

async fn show(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    person.admin(&site)?;
    show_user(&site, &person, UserId::parse(&id)?, None, StatusCode::OK).await
}

/// Goes back to the page of the account, or shows it with what could not be done.
async fn back_to(
    site: &Site,
    person: &Person,
    id: UserId,
    outcome: Result<(), Fault>,
    done: &str,
) -> Outcome<Response> {
    match outcome {
        Ok(()) => Ok(onward(&format!("/admin/users/{id}?done={done}"))),
        Err(fault) if fault.code() == Code::NotFound => Err(fault.into()),
        Err(fault) => {
            let (status, form) = refused(FormView::new(), fault)?;
            let words = form.problem.unwrap_or_else(|| key("That is not possible.").to_owned());
            show_user(site, person, id, Some(words), status).await
        }
    }
}

/// Nobody changes their own role or state by accident: another admin does.
fn not_own(person: &Person, id: UserId) -> Result<(), Fault> {
    if person.who.principal.user() == Some(id) {
        return Err(Fault::new(Code::Conflict)
            .say(key("your own role and access are for another administrator to change")));
    }
    Ok(())
}

async fn set_role(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    person.admin(&site)?;
    let (id, role) = (UserId::parse(&id)?, Role::parse(fields.text("role"))?);
    let person = proven!(person, &site, &fields, key("You are about to change a role."));
    let may = person.admin(&site)?;
    let outcome = match not_own(&person, id) {
        Ok(()) => site.administration.set_role(&may, id, role).await.map(|_| ()),
        Err(fault) => Err(fault),
    };
    back_to(&site, &person, id, outcome, "role").await
}

async fn set_state(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    person.admin(&site)?;
    let (id, active) = (UserId::parse(&id)?, fields.text("active") == "true");
    let person = proven!(person, &site, &fields, key("You are about to change who may sign in."));
    let may = person.admin(&site)?;
    let outcome = match not_own(&person, id) {
        Ok(()) => site.administration.set_active(&may, id, active).await.map(|_| ()),
        Err(fault) => Err(fault),
    };
    back_to(&site, &person, id, outcome, if active { "active" } else { "inactive" }).await
}

async fn set_grant(
    State(site): State<Site>,
    person: Person,
    Path((id, app)): Path<(String, String)>,
    fields: Fields,
) -> Outcome<Response> {
    person.admin(&site)?;
    let (id, app) = (UserId::parse(&id)?, AppId::parse(&app)?);
    let person = proven!(person, &site, &fields, key("You are about to change what somebody may do."));
    let may = person.admin(&site)?;
    let known = site.hall.apps(&person.may(&site, AppsRead)?).iter().any(|one| one.id == app);
    if !known {
        return Err(Code::NotFound.into());
    }
    let outcome = match fields.text("level") {
        "none" => match site.administration.remove_grant(&may, id, &app).await {
            // There was none: that is how it should be.
            Err(fault) if fault.code() == Code::NotFound => Ok(()),
            outcome => outcome.map(|_| ()),
        },
        level => site.administration.set_grant(&may, id, &app, Level::parse(level)?).await.map(|_| ()),
    };
    back_to(&site, &person, id, outcome, "grant").await
}

async fn show_erase(
    site: &Site,
    person: &Person,
    id: UserId,
    form: FormView,
    code: StatusCode,
) -> Outcome<Response> {
    let user = site.administration.user(&person.admin(site)?, id).await?;
    let path = format!("/admin/users/{id}");
    let shown = ConfirmPage {
        frame: frame(site, Some(&person.who), &path).await,
        form,
        title: key("Erase this account?").to_owned(),
        effects: vec![
            say("The account {name} and everything it wrote is deleted for good.")
                .with("name", word(&user))
                .to_string(),
            key("Its sessions and keys are dead at once.").to_owned(),
            key("What older backups hold of it becomes unreadable.").to_owned(),
        ],
        word: word(&user),
        action: format!("{path}/erase"),
        carried: Vec::new(),
        label: key("Erase").to_owned(),
        back: path,
    };
    Ok(page(code, html(&shown)?))
}

/// What has to be typed: the address, so that it is the right account.
fn word(user: &User) -> String {
    if user.email.is_empty() { "erase".to_owned() } else { user.email.clone() }
}

async fn ask_erase(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    person.admin(&site)?;
    show_erase(&site, &person, UserId::parse(&id)?, FormView::new(), StatusCode::OK).await
}

async fn erase(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let id = UserId::parse(&id)?;
    let user = site.administration.user(&may, id).await?;
    let word = word(&user);
    if fields.text("word") != word {
        return show_erase(&site, &person, id, other_word(&word), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let person = proven!(person, &site, &fields, key("You are about to erase an account."));
    let may = person.admin(&site)?;
    let outcome = match not_own(&person, id) {
        Ok(()) => site.administration.erase(&may, id).await.map(|_| ()),
        Err(fault) => Err(fault),
    };
    match outcome {
        Ok(()) => Ok(onward("/admin/users?done=erased")),
        fault => back_to(&site, &person, id, fault, "").await,
    }
}
