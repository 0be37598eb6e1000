//! Who the server takes the caller for, and why.

use axum::Json;
use axum::extract::State;
use guard::limits::Standing;
use kernel::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::me::EntryView;
use super::problems::Reading;
use crate::Site;
use crate::failure::Outcome;
use crate::who::{self, Who};

/// Who the server takes the caller for.
#[derive(Serialize, ToSchema)]
pub(crate) struct WhoView {
    /// The principal.
    principal: PrincipalView,
    /// The address that the limiter sees.
    address: AddressView,
    /// What is left of the limits of chat.
    limits: Vec<LimitView>,
    /// Where the limits are counted: `memory`, `redis` or `fallback`.
    counted_in: &'static str,
}

/// The principal.
#[derive(Serialize, ToSchema)]
pub(crate) struct PrincipalView {
    /// `visitor`, `user` or `key`.
    kind: &'static str,
    /// Its id with its kind.
    #[schema(example = "key:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d")]
    id: String,
    /// How it was proven: `visitor`, `session` (a cookie), `token`, `id_token`, `key`.
    #[schema(example = "token")]
    method: &'static str,
    /// `user` or `admin`; `null` for who is no account.
    role: Option<&'static str>,
    /// The session that the request belongs to.
    session_id: Option<uuid::Uuid>,
    /// When the person last proved who they are.
    #[schema(value_type = Option<String>, format = DateTime)]
    proven_at: Option<Time>,
    /// What the credential may be used for; a key may be bounded.
    scopes: Vec<&'static str>,
    /// The apps it may enter.
    apps: Vec<String>,
    /// The same, with what may be done there.
    grants: Vec<EntryView>,
}

/// The address that the limiter sees.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddressView {
    /// The address.
    #[schema(example = "203.0.113.7")]
    ip: String,
    /// `peer`: the other end of the connection. `forwarded`: named by a trusted proxy.
    source: &'static str,
    /// The request came over HTTPS.
    https: bool,
}

/// What is left of one limit.
#[derive(Serialize, ToSchema)]
pub(crate) struct LimitView {
    /// What is limited.
    scope: &'static str,
    /// How many within the window.
    limit: u32,
    /// The window in seconds.
    window_seconds: u64,
    /// How many are left.
    remaining: u32,
    /// When one more is free.
    #[schema(value_type = String, format = DateTime)]
    reset_at: Time,
}

impl LimitView {
    fn of(standing: Standing) -> LimitView {
        LimitView {
            scope: standing.scope,
            limit: standing.rule.limit,
            window_seconds: standing.rule.window.as_secs(),
            remaining: standing.remaining,
            reset_at: standing.reset_at,
        }
    }
}

/// The principal, the address that the limiter sees and why, the limits left.
#[utoipa::path(get, path = "/api/v1/whoami", operation_id = "whoAmI", tag = "account", responses(
    (status = 200, description = "The caller", body = WhoView),
    Reading,
))]
pub(crate) async fn show(State(site): State<Site>, who: Who) -> Outcome<Json<WhoView>> {
    let left = who::limits_left(&site, &who).await;
    let subject = who.principal.subject();
    Ok(Json(WhoView {
        principal: PrincipalView {
            kind: subject.kind(),
            id: subject.to_string(),
            method: who.principal.method().as_str(),
            role: who.principal.role().map(kernel::Role::as_str),
            session_id: who.principal.session().map(kernel::SessionId::uuid),
            proven_at: who.principal.proven_at(),
            scopes: who.principal.scopes().words(),
            grants: EntryView::of(&who.principal),
            apps: who.principal.apps().iter().map(ToString::to_string).collect(),
        },
        address: AddressView { ip: who.peer.ip.to_string(), source: who.peer.via, https: who.peer.https },
        limits: left.into_iter().map(LimitView::of).collect(),
        counted_in: site.limiter.backend(),
    }))
}
