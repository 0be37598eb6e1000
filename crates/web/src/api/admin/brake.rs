//! The brake: lock the server down, end what callers hold, block addresses. All of it holds within a second
//! everywhere, and all of it can be undone but the ends.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use identity::{Admin, Block, Lockdown, Mode, What};
use kernel::{Fault, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::input::Text;
use super::super::problems::{Changing, OnOne, Reading};
use super::super::view::List;
use crate::Site;
use crate::body::{Json, Path};
use crate::failure::Outcome;
use crate::who::Who;

/// The brake as it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Lockdown)]
pub(crate) struct LockdownView {
    /// `off`; `users`: accounts that are no admins, and all keys, are refused; `admin-only`: visitors too.
    #[schema(example = "off")]
    mode: &'static str,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Time>,
    /// Who set it so, as the audit log names them.
    by: Option<String>,
}

impl LockdownView {
    fn of(lockdown: Lockdown) -> axum::Json<LockdownView> {
        let Lockdown { mode, since, by } = lockdown;
        axum::Json(LockdownView { mode: mode.as_str(), since, by })
    }
}

/// How the brake stands.
#[utoipa::path(get, path = "/api/v1/admin/lockdown", operation_id = "readLockdown", tag = "admin", responses(
    (status = 200, description = "The brake", body = LockdownView),
    Reading,
))]
pub(crate) async fn lockdown(State(site): State<Site>, who: Who) -> Outcome<axum::Json<LockdownView>> {
    Ok(LockdownView::of(site.administration.lockdown(&who.may(&site, Admin)?).await?))
}

/// The brake as it should be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockdownRequest {
    /// `users`, `admin-only` or `off`.
    #[schema(value_type = String, pattern = "^(users|admin-only|off)$", example = "users")]
    mode: Text,
}

/// Pulls or releases the brake. Releasing restores exactly what was before.
#[utoipa::path(put, path = "/api/v1/admin/lockdown", operation_id = "setLockdown", tag = "admin", request_body = LockdownRequest, responses(
    (status = 200, description = "The brake as it is now", body = LockdownView),
    Changing,
))]
pub(crate) async fn set_lockdown(
    State(site): State<Site>,
    who: Who,
    Json(wanted): Json<LockdownRequest>,
) -> Outcome<axum::Json<LockdownView>> {
    let may = who.may(&site, Admin)?;
    let mode = Mode::parse(&wanted.mode.0)?;
    Ok(LockdownView::of(site.administration.set_lockdown(&may, mode).await?))
}

/// What should end.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeRequest {
    /// `sessions`, `tokens`, `keys` or `all`.
    #[schema(value_type = String, pattern = "^(sessions|tokens|keys|all)$", example = "tokens")]
    what: Text,
}

/// What has ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevokedView {
    /// Sessions of browsers.
    sessions: u64,
    /// Families of tokens.
    tokens: u64,
    /// API keys.
    keys: u64,
}

/// Ends what callers hold, everywhere: the caller's own too.
#[utoipa::path(post, path = "/api/v1/admin/revoke", operation_id = "revoke", tag = "admin", request_body = RevokeRequest, responses(
    (status = 200, description = "How much has ended", body = RevokedView),
    Changing,
))]
pub(crate) async fn revoke(
    State(site): State<Site>,
    who: Who,
    Json(wanted): Json<RevokeRequest>,
) -> Outcome<axum::Json<RevokedView>> {
    let may = who.may(&site, Admin)?;
    let what = match wanted.what.0.as_str() {
        "sessions" => What::Sessions,
        "tokens" => What::Tokens,
        "keys" => What::Keys,
        "all" => What::All,
        _ => return Err(Fault::invalid("what", "unknown", "`what` is sessions, tokens, keys or all").into()),
    };
    let ended = site.administration.revoke(&may, what).await?;
    Ok(axum::Json(RevokedView { sessions: ended.sessions, tokens: ended.tokens, keys: ended.keys }))
}

/// A network that is refused.
#[derive(Serialize, ToSchema)]
#[schema(as = Block)]
pub(crate) struct BlockView {
    /// The address or network.
    #[schema(example = "192.0.2.0/24")]
    net: String,
    /// Why.
    reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// Until when; `null` for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
}

impl BlockView {
    fn of(block: Block) -> BlockView {
        let Block { net, reason, created_at, expires_at } = block;
        BlockView { net, reason, created_at, expires_at }
    }
}

/// The networks that are refused.
#[utoipa::path(get, path = "/api/v1/admin/blocks", operation_id = "listBlocks", tag = "admin", responses(
    (status = 200, description = "The networks", body = List<BlockView>),
    Reading,
))]
pub(crate) async fn blocks(State(site): State<Site>, who: Who) -> Outcome<axum::Json<List<BlockView>>> {
    let found = site.administration.blocks(&who.may(&site, Admin)?).await?;
    Ok(axum::Json(List { items: found.into_iter().map(BlockView::of).collect(), next: None }))
}

/// A network to be refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockRequest {
    /// An address, or a network in CIDR notation.
    #[schema(value_type = String, min_length = 1, example = "192.0.2.0/24")]
    net: Text,
    /// For how many seconds; for good unless said.
    #[schema(minimum = 1)]
    for_seconds: Option<u64>,
    /// Why, for the list and the audit log.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    reason: Option<Text>,
}

/// Refuses a network from now on.
#[utoipa::path(post, path = "/api/v1/admin/blocks", operation_id = "addBlock", tag = "admin", request_body = BlockRequest, responses(
    (status = 201, description = "The network is refused", body = BlockView),
    Changing,
))]
pub(crate) async fn block(
    State(site): State<Site>,
    who: Who,
    Json(wanted): Json<BlockRequest>,
) -> Outcome<(StatusCode, axum::Json<BlockView>)> {
    let may = who.may(&site, Admin)?;
    if wanted.for_seconds == Some(0) {
        return Err(Fault::invalid("for_seconds", "out_of_range", "a block lasts at least a second").into());
    }
    let span = wanted.for_seconds.map(Duration::from_secs);
    let reason = wanted.reason.map(|reason| reason.0);
    let made = site.administration.block(&may, &wanted.net.0, span, reason.as_deref()).await?;
    Ok((StatusCode::CREATED, axum::Json(BlockView::of(made))))
}

/// Lets a network in again.
#[utoipa::path(delete, path = "/api/v1/admin/blocks/{net}", operation_id = "removeBlock", tag = "admin",
    params(("net" = String, Path, description = "The network as the list names it, its slash written as `%2F`")), responses(
    (status = 204, description = "It is not refused any more"),
    OnOne,
))]
pub(crate) async fn unblock(
    State(site): State<Site>,
    who: Who,
    Path(net): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, Admin)?;
    site.administration.unblock(&may, &net).await?;
    Ok(StatusCode::NO_CONTENT)
}
