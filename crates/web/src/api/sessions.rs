//! Where an account is signed in: browsers and programs, and signing out there.

use axum::extract::State;
use http::StatusCode;
use identity::{AccountRead, AccountWrite, Session};
use kernel::{PageRequest, SessionId, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::problems::{OnOne, Reading};
use super::view::List;
use crate::Site;
use crate::body::{Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// One sign-in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    /// Its id.
    id: Uuid,
    /// Whose it is.
    user_id: Uuid,
    /// `browser` (a cookie) or `token` (a family of tokens).
    kind: &'static str,
    /// How: `password`, `totp`, `recovery`, `passkey`, `oidc`, `id_token`, `setup`.
    #[schema(example = "password")]
    method: String,
    /// What the browser or program calls itself.
    agent: String,
    /// Where from.
    #[schema(example = "203.0.113.7")]
    ip: String,
    /// It is the session of this very request.
    current: bool,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was last used, to within some seconds.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Time,
    /// When it ends, if it is not used.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
}

impl SessionView {
    pub(crate) fn of(session: Session, who: &Who) -> SessionView {
        SessionView {
            id: session.id.uuid(),
            user_id: session.user.uuid(),
            kind: session.kind.as_str(),
            current: who.principal.session() == Some(session.id),
            method: session.method,
            agent: session.agent,
            ip: session.ip.to_string(),
            created_at: session.created_at,
            last_used_at: session.seen_at,
            expires_at: session.expires_at,
        }
    }
}

/// Which piece of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Piece {
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

impl Piece {
    pub(crate) fn page(&self) -> Result<PageRequest, kernel::Fault> {
        PageRequest::parse(self.limit, self.after.as_deref())
    }
}

/// Where one is signed in, newest first.
#[utoipa::path(get, path = "/api/v1/me/sessions", operation_id = "listMySessions", tag = "account", params(Piece), responses(
    (status = 200, description = "A piece of the list", body = List<SessionView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(piece): Query<Piece>,
) -> Outcome<axum::Json<List<SessionView>>> {
    let found = site.accounts.sessions(&who.may(&site, AccountRead)?, piece.page()?).await?;
    Ok(axum::Json(List::of(found, |session| SessionView::of(session, &who))))
}

/// Signs out there.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", operation_id = "endMySession", tag = "account",
    params(("id" = Uuid, Path, description = "The session")), responses(
    (status = 204, description = "It has ended"),
    OnOne,
))]
pub(crate) async fn end(State(site): State<Site>, who: Who, Path(id): Path<String>) -> Outcome<StatusCode> {
    let may = who.may(&site, AccountWrite)?;
    site.accounts.end_session(&may, SessionId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
