//! Accounts, as admins see them: listed, made, invited, changed, erased.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use identity::{Admin, NewAccount, User, UserFilter};
use kernel::{Fault, PageRequest, Role, Time, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::input::{Hidden, Text};
use super::super::me::{ErasureView, ExportForm, export_answer};
use super::super::problems::{Changing, OnOne, Reading};
use super::super::view::List;
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    /// Its id.
    id: Uuid,
    /// Its address; `null` when it has none.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// What the person is called.
    name: String,
    /// `user` or `admin`.
    role: &'static str,
    /// It may sign in and use what it was granted.
    active: bool,
    /// Since when it is inactive.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Time>,
    /// The address is proven.
    verified: bool,
    /// It has a password.
    has_password: bool,
    /// An authenticator is enrolled.
    totp: bool,
    /// How many passkeys it has.
    passkeys: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When somebody last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in_at: Option<Time>,
}

impl UserView {
    pub(crate) fn of(user: User) -> UserView {
        UserView {
            id: user.id.uuid(),
            email: Some(user.email).filter(|email| !email.is_empty()),
            name: user.name,
            role: user.role.as_str(),
            active: user.disabled_at.is_none(),
            disabled_at: user.disabled_at,
            verified: user.verified_at.is_some(),
            has_password: user.has_password,
            totp: user.totp_at.is_some(),
            passkeys: user.passkeys,
            created_at: user.created_at,
            last_sign_in_at: user.last_sign_in_at,
        }
    }
}

/// Which accounts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only the one with exactly this address.
    q: Option<String>,
    /// Only those with this role.
    #[param(pattern = "^(user|admin)$")]
    role: Option<String>,
    /// Only those that are active, or only those that are not.
    active: Option<bool>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// The accounts, newest first.
#[utoipa::path(get, path = "/api/v1/admin/users", operation_id = "listUsers", tag = "admin", params(Filter), responses(
    (status = 200, description = "A piece of the list", body = List<UserView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(filter): Query<Filter>,
) -> Outcome<axum::Json<List<UserView>>> {
    let may = who.may(&site, Admin)?;
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let role = filter.role.as_deref().map(Role::parse).transpose()?;
    let wanted = UserFilter { role, q: filter.q.filter(|q| !q.trim().is_empty()), active: filter.active };
    let found = site.administration.users(&may, wanted, page).await?;
    Ok(axum::Json(List::of(found, UserView::of)))
}

/// An account to be made or invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRequest {
    /// The address.
    #[schema(value_type = String, format = "email", min_length = 1, max_length = 254, example = "ada@example.com")]
    email: Text,
    /// What to call the person.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<Text>,
    /// `user` (unless said) or `admin`.
    #[schema(value_type = Option<String>, pattern = "^(user|admin)$")]
    role: Option<Text>,
    /// The first password, at least 15 characters.
    #[schema(value_type = String, min_length = 15, max_length = 256)]
    password: Hidden,
}

/// Makes an account that can sign in at once.
#[utoipa::path(post, path = "/api/v1/admin/users", operation_id = "createUser", tag = "admin", request_body = UserRequest, responses(
    (status = 201, description = "The account", body = UserView),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Json(new): Json<UserRequest>,
) -> Outcome<(StatusCode, axum::Json<UserView>)> {
    let may = who.may(&site, Admin)?;
    let new = NewAccount {
        email: new.email.0,
        name: new.name.map(|name| name.0).unwrap_or_default(),
        role: role(new.role)?,
        password: new.password.0,
    };
    let made = site.administration.create_user(&may, new).await?;
    Ok((StatusCode::CREATED, axum::Json(UserView::of(made))))
}

fn role(given: Option<Text>) -> Result<Role, Fault> {
    given.map_or(Ok(Role::User), |role| Role::parse(&role.0))
}

/// Somebody to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationRequest {
    /// The address.
    #[schema(value_type = String, format = "email", min_length = 1, max_length = 254, example = "ada@example.com")]
    email: Text,
    /// `user` (unless said) or `admin`.
    #[schema(value_type = Option<String>, pattern = "^(user|admin)$")]
    role: Option<Text>,
}

/// An invitation.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationView {
    /// The token for `/api/v1/auth/register`, usable once. It is not shown again.
    invitation: String,
    /// The page where it is accepted: send it to the person where no mail is configured.
    url: String,
}

/// Invites somebody: a mail where mail is configured, and in any case a link to pass on.
#[utoipa::path(post, path = "/api/v1/admin/invitations", operation_id = "invite", tag = "admin", request_body = InvitationRequest, responses(
    (status = 201, description = "The invitation", body = InvitationView),
    Changing,
))]
pub(crate) async fn invite(
    State(site): State<Site>,
    who: Who,
    Json(new): Json<InvitationRequest>,
) -> Outcome<(StatusCode, axum::Json<InvitationView>)> {
    let may = who.may(&site, Admin)?;
    let token = site.administration.invite(&may, &new.email.0, role(new.role)?).await?;
    let invitation = token.expose().clone();
    let url = format!("{}/register?invitation={invitation}", site.base_url);
    Ok((StatusCode::CREATED, axum::Json(InvitationView { invitation, url })))
}

/// One account.
#[utoipa::path(get, path = "/api/v1/admin/users/{id}", operation_id = "readUser", tag = "admin",
    params(("id" = Uuid, Path, description = "The account")), responses(
    (status = 200, description = "The account", body = UserView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<UserView>> {
    let may = who.may(&site, Admin)?;
    Ok(axum::Json(UserView::of(site.administration.user(&may, UserId::parse(&id)?).await?)))
}

/// What replaces the old values; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// What to call the person.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<Text>,
    /// `user` or `admin`.
    #[schema(value_type = Option<String>, pattern = "^(user|admin)$")]
    role: Option<Text>,
    /// `false`: every credential of the account is refused from now on; it keeps everything.
    active: Option<bool>,
}

/// Changes an account. The last active admin stays one.
#[utoipa::path(put, path = "/api/v1/admin/users/{id}", operation_id = "changeUser", tag = "admin", request_body = UserChange,
    params(("id" = Uuid, Path, description = "The account")), responses(
    (status = 200, description = "The account", body = UserView),
    Changing,
))]
pub(crate) async fn change(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Json(change): Json<UserChange>,
) -> Outcome<axum::Json<UserView>> {
    let may = who.may(&site, Admin)?;
    let id = UserId::parse(&id)?;
    let role = change.role.map(|role| Role::parse(&role.0)).transpose()?;
    if let Some(name) = &change.name {
        site.administration.set_name(&may, id, &name.0).await?;
    }
    if let Some(role) = role {
        site.administration.set_role(&may, id, role).await?;
    }
    if let Some(active) = change.active {
        site.administration.set_active(&may, id, active).await?;
    }
    Ok(axum::Json(UserView::of(site.administration.user(&may, id).await?)))
}

/// Erases an account with everything in it. The answer is the receipt.
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}", operation_id = "eraseUser", tag = "admin",
    params(("id" = Uuid, Path, description = "The account")), responses(
    (status = 200, description = "The receipt", body = ErasureView),
    OnOne,
))]
pub(crate) async fn erase(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<ErasureView>> {
    let may = who.may(&site, Admin)?;
    Ok(ErasureView::of(site.administration.erase(&may, UserId::parse(&id)?).await?))
}

/// All data of an account, for a person who asks for it by letter.
#[utoipa::path(get, path = "/api/v1/admin/users/{id}/export", operation_id = "exportUser", tag = "admin",
    params(("id" = Uuid, Path, description = "The account"), ExportForm), responses(
    (status = 200, description = "Everything that is stored, as it is read", content(
        (super::super::me::ExportView = "application/json"),
        (Vec<u8> = "application/zip"),
    )),
    OnOne,
))]
pub(crate) async fn export(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Query(form): Query<ExportForm>,
) -> Outcome<Response> {
    let (form, may) = (form.read()?, who.may(&site, Admin)?);
    let id = UserId::parse(&id)?;
    let pages = site.administration.export(&may, id).await?;
    Ok(export_answer(site.hall.takeout_of(&may, kernel::Subject::User(id), pages, form), form))
}

/// Signs an account out everywhere.
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/sessions", operation_id = "signOutUser", tag = "admin",
    params(("id" = Uuid, Path, description = "The account")), responses(
    (status = 204, description = "Every session of the account has ended"),
    OnOne,
))]
pub(crate) async fn sign_out(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, Admin)?;
    site.administration.sign_out_user(&may, UserId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
