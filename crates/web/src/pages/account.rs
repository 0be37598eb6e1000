//! The pages of one's own account: profile, sessions, API keys.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{AccountRead, AccountWrite, AppsRead, KeysManage, NewApiKey, Session, User};
use kernel::{AppId, KeyId, PageRequest, Role, SessionId};
use std::time::Duration;

use super::form::{Fields, onward, page, refused, sentence};
use super::person::{Person, proven};
use super::{app_view, security};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{self, key, say};
use crate::ui::account::{EmailPage, KeyView, KeysPage, ProfilePage, SessionView, SessionsPage};
use crate::ui::form::FormView;
use crate::ui::html;
use crate::ui::view::PersonView;

/// The pages of one's own account.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/account", get(profile))
        .route("/account/profile", post(rename))
        .route("/account/email", get(email).post(change_email))
        .route("/account/sessions", get(sessions))
        .route("/account/sessions/end-others", post(end_others))
        .route("/account/sessions/{id}/end", post(end_session))
        .route("/account/keys", get(keys).post(create_key))
        .route("/account/keys/{id}/rotate", post(rotate_key))
        .route("/account/keys/{id}/revoke", post(revoke_key))
        .merge(super::leaving::routes())
        .merge(security::routes())
}

/// What has just been done, as the query of a redirect tells it.
pub(super) fn done(word: &str) -> Option<String> {
    let words = match word {
        "saved" => key("Saved."),
        "email" => key("Done. Below is the address that your account has now."),
        "email-sent" => {
            key("A link is on its way to the new address. Your account has it once the link is opened.")
        }
        "password" => key("Your password is changed. You are signed out everywhere else."),
        "totp-off" => key("The second factor is off."),
        "passkey" => key("The passkey is added."),
        "passkey-gone" => key("The passkey is removed."),
        "ended" => key("Signed out there."),
        "others" => key("You are signed out everywhere else."),
        "unshared" => key("The link has ended. Whoever opens it finds nothing."),
        "revoked" => key("The key is revoked."),
        "proven" => key("Thank you. Now try it again."),
        _ => return None,
    };
    Some(words.to_owned())
}

fn role(user: &User) -> &'static str {
    if user.role == Role::Admin { key("administrator") } else { key("user") }
}

async fn show_profile(
    site: &Site,
    person: &Person,
    form: Option<FormView>,
    code: StatusCode,
) -> Outcome<Response> {
    let user = site.accounts.me(&person.may(site, AccountRead)?).await?;
    let mut shell = person.shell(site, "/account").await?;
    shell.done = done(&person.asked("done"));
    let mut issuers: Vec<String> = site
        .accounts
        .identities(&person.may(site, AccountRead)?)
        .await?
        .into_iter()
        .map(|one| one.issuer)
        .collect();
    issuers.dedup();
    let all = site.hall.apps(&person.may(site, AppsRead)?);
    let level = |app: &AppId| person.who.principal.level(app).map_or(key("use"), kernel::Level::as_str);
    let shown = ProfilePage {
        shell,
        person: PersonView {
            name: user.name.clone(),
            email: user.email.clone(),
            admin: user.role == Role::Admin,
        },
        form: form.unwrap_or_else(|| FormView::new().with("name", &user.name)),
        role: role(&user),
        created_at: user.created_at,
        verified: user.verified_at.is_some(),
        apps: all.iter().map(|app| (app_view(app, &person.who.principal), level(&app.id))).collect(),
        issuers,
        language: user.language,
    };
    Ok(page(code, html(&shown)?))
}

async fn profile(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show_profile(&site, &person, None, StatusCode::OK).await
}

async fn rename(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, AccountWrite)?;
    match site.accounts.set_name(&may, fields.text("name")).await {
        Ok(_) => Ok(onward("/account?done=saved")),
        Err(fault) => {
            let (status, form) = refused(fields.view(), fault)?;
            show_profile(&site, &person, Some(form), status).await
        }
    }
}

async fn show_email(site: &Site, person: &Person, form: FormView, code: StatusCode) -> Outcome<Response> {
    let user = site.accounts.me(&person.may(site, AccountRead)?).await?;
    let shell = person.shell(site, "/account").await?;
    let shown = EmailPage { shell, form, email: user.email, mail: site.accounts.sends_mail() };
    Ok(page(code, html(&shown)?))
}

async fn email(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show_email(&site, &person, FormView::new(), StatusCode::OK).await
}

async fn change_email(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    person.may(&site, AccountWrite)?;
    let person = proven!(person, &site, &fields, key("You are about to change the address of your account."));
    let may = person.may(&site, AccountWrite)?;
    let Err(fault) = site.accounts.change_email(&may, fields.text("address"), None, None).await else {
        let done = if site.accounts.sends_mail() { "email-sent" } else { "email" };
        return Ok(onward(&format!("/account?done={done}")));
    };
    // The service knows the field by another name than the form, whose own must not be taken for a user name.
    let words = fault.fields().first().map(|field| sentence(&field.detail));
    let (status, form) = refused(fields.view(), fault)?;
    let form = match words {
        Some(words) => fields.view().wrong("address", &words),
        None => form,
    };
    show_email(&site, &person, form, status).await
}

/// A session as it is listed; `this` is the one that asks.
pub(super) fn session_view(session: &Session, this: Option<SessionId>) -> SessionView {
    SessionView {
        id: session.id.to_string(),
        person: String::new(),
        person_id: session.user.to_string(),
        this: this == Some(session.id),
        browser: session.kind == identity::SessionKind::Browser,
        agent: session.agent.clone(),
        address: session.ip.to_string(),
        method: session.method.clone(),
        created_at: session.created_at,
        seen_at: session.seen_at,
    }
}

/// The piece of a list that the query asks for.
pub(super) fn piece(person: &Person) -> Outcome<PageRequest> {
    Ok(PageRequest::parse(Some(50), Some(person.asked("after").as_str()))?)
}

async fn sessions(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.may(&site, AccountRead)?;
    let mut shell = person.shell(&site, "/account/sessions").await?;
    shell.done = done(&person.asked("done"));
    let found = site.accounts.sessions(&may, piece(&person)?).await?;
    let this = person.who.principal.session();
    let mut sessions: Vec<SessionView> = found.items.iter().map(|one| session_view(one, this)).collect();
    sessions.sort_by_key(|session| !session.this);
    Ok(page(StatusCode::OK, html(&SessionsPage { shell, sessions, next: found.next })?))
}

async fn end_session(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    site.accounts.end_session(&person.may(&site, AccountWrite)?, SessionId::parse(&id)?).await?;
    Ok(onward("/account/sessions?done=ended"))
}

async fn end_others(State(site): State<Site>, person: Person) -> Outcome<Response> {
    site.accounts.sign_out_everywhere(&person.may(&site, AccountWrite)?, true).await?;
    Ok(onward("/account/sessions?done=others"))
}

/// The beginning of a key, by which people know it again: the keys themselves are not kept.
pub(super) fn key_view(key: &identity::ApiKey) -> KeyView {
    let limit =
        |count: Option<u32>, words: &str| count.map(|count| say(words).with("count", count).to_string());
    let limits: Vec<String> = [
        limit(key.per_minute, texts::key("{count} a minute")),
        limit(key.per_hour, texts::key("{count} an hour")),
    ]
    .into_iter()
    .flatten()
    .collect();
    KeyView {
        id: key.id.to_string(),
        name: key.name.clone(),
        owner: String::new(),
        owner_id: key.user.map(|id| id.to_string()).unwrap_or_default(),
        apps: key.apps.iter().map(ToString::to_string).collect(),
        scopes: key.scopes.clone(),
        limits: limits.join(", "),
        created_at: key.created_at,
        used_at: key.last_used_at,
        expires_at: key.expires_at,
        revoked: key.revoked_at.is_some(),
    }
}

async fn show_keys(
    site: &Site,
    person: &Person,
    form: FormView,
    fresh: Option<(String, String)>,
    code: StatusCode,
) -> Outcome<Response> {
    let may = person.may(site, KeysManage)?;
    let mut shell = person.shell(site, "/account/keys").await?;
    shell.done = done(&person.asked("done"));
    let found = site.keys.list(&may, piece(person)?).await?;
    let all = site.hall.apps(&person.may(site, AppsRead)?);
    let shown = KeysPage {
        shell,
        form,
        keys: found.items.iter().map(key_view).collect(),
        next: found.next,
        apps: all
            .iter()
            .filter(|app| app.entry.keys)
            .map(|app| app_view(app, &person.who.principal))
            .collect(),
        fresh,
    };
    Ok(page(code, html(&shown)?))
}

async fn keys(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show_keys(&site, &person, FormView::new(), None, StatusCode::OK).await
}

async fn create_key(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let person = proven!(person, &site, &fields, key("You are about to make an API key."));
    let made = match wanted_key(&site, &fields) {
        Ok(wanted) => site.keys.create(&person.may(&site, KeysManage)?, wanted).await,
        Err(fault) => Err(fault),
    };
    match made {
        Ok((key, secret)) => {
            let fresh = Some((key.name, secret.expose().clone()));
            show_keys(&site, &person, FormView::new(), fresh, StatusCode::CREATED).await
        }
        Err(fault) => {
            let (status, form) = refused(fields.view(), fault)?;
            show_keys(&site, &person, form, None, status).await
        }
    }
}

fn wanted_key(site: &Site, fields: &Fields) -> kernel::Result<NewApiKey> {
    let apps = fields.all("app").into_iter().map(AppId::parse).collect::<kernel::Result<_>>()?;
    let days = fields.number("days")?;
    Ok(NewApiKey {
        name: fields.text("name").to_owned(),
        apps,
        scopes: fields.all("scope").into_iter().map(str::to_owned).collect(),
        per_minute: fields.number("per_minute")?,
        per_hour: fields.number("per_hour")?,
        expires_at: days.map(|days| site.ambient.now() + Duration::from_secs(u64::from(days) * 86_400)),
    })
}

async fn rotate_key(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    let person = proven!(person, &site, &fields, key("You are about to replace an API key."));
    let (key, secret) = site.keys.rotate(&person.may(&site, KeysManage)?, KeyId::parse(&id)?).await?;
    let fresh = Some((key.name, secret.expose().clone()));
    show_keys(&site, &person, FormView::new(), fresh, StatusCode::OK).await
}

async fn revoke_key(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    site.keys.revoke(&person.may(&site, KeysManage)?, KeyId::parse(&id)?).await?;
    Ok(onward("/account/keys?done=revoked"))
}
