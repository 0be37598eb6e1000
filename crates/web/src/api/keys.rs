//! API keys: an account makes, lists, replaces and ends its own. A key is shown once, in the answer that makes it.

use axum::extract::State;
use http::StatusCode;
use identity::{ApiKey, KeysManage, NewApiKey};
use kernel::{AppId, Fault, KeyId, Secret, Time};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

use super::conversations::app_field;
use super::input::Text;
use super::problems::{Changing, OnOne, Reading};
use super::sessions::Piece;
use super::view::List;
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// The longest life that can be asked for: ten years.
const LONGEST_DAYS: u32 = 3_650;

/// A key, without the key itself.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct KeyView {
    /// Its id.
    id: Uuid,
    /// What its maker calls it.
    name: String,
    /// Whose it is; `null` for a key of the operator.
    user_id: Option<Uuid>,
    /// The apps it may enter; empty means every app that its maker may enter and that takes keys.
    apps: Vec<String>,
    /// What it may be used for: `chat`, `read`, `write`, `documents`.
    scopes: Vec<String>,
    /// Limits of its own, beside those of the server.
    limits: KeyLimits,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    /// When it was ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Time>,
    /// When it was last used, to within some seconds.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Time>,
}

/// Limits of a key's own.
#[derive(Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyLimits {
    /// Turns in any minute.
    #[schema(minimum = 1)]
    per_minute: Option<u32>,
    /// Turns in any hour.
    #[schema(minimum = 1)]
    per_hour: Option<u32>,
}

impl KeyView {
    pub(crate) fn of(key: ApiKey) -> KeyView {
        let all = || identity::Scopes::ALL.words().into_iter().map(str::to_owned).collect();
        KeyView {
            id: key.id.uuid(),
            name: key.name,
            user_id: key.user.map(kernel::UserId::uuid),
            apps: key.apps.iter().map(ToString::to_string).collect(),
            scopes: if key.scopes.is_empty() { all() } else { key.scopes },
            limits: KeyLimits { per_minute: key.per_minute, per_hour: key.per_hour },
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// A new key, with the key itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewKeyView {
    /// The key. It is not shown again.
    key: String,
    /// What is kept of it.
    #[serde(flatten)]
    kept: KeyView,
}

impl NewKeyView {
    fn of((key, secret): (ApiKey, Secret<String>)) -> axum::Json<NewKeyView> {
        axum::Json(NewKeyView { key: secret.expose().clone(), kept: KeyView::of(key) })
    }
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    /// A name to recognise it by.
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "shop")]
    name: Text,
    /// The apps it may enter; every app that its maker may enter and that takes keys, unless said.
    #[serde(default)]
    apps: Vec<String>,
    /// What it may be used for: `chat`, `read`, `write`, `documents`; everything unless said.
    #[serde(default)]
    scopes: Vec<String>,
    /// Limits of its own; they can only tighten.
    limits: Option<KeyLimits>,
    /// When it stops working. Not with `expires_in_days`.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Text>,
    /// After how many days it stops working. Not with `expires_at`.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

impl KeyRequest {
    fn read(self, now: Time) -> Result<NewApiKey, Fault> {
        let limits = self.limits.unwrap_or_default();
        for (field, limit) in [("limits.per_minute", limits.per_minute), ("limits.per_hour", limits.per_hour)]
        {
            if limit == Some(0) {
                return Err(Fault::invalid(field, "out_of_range", "a limit is at least 1"));
            }
        }
        let expires_at = match (self.expires_at, self.expires_in_days) {
            (Some(_), Some(_)) => {
                let say = "give either `expires_at` or `expires_in_days`";
                return Err(Fault::invalid("expires_in_days", "contradiction", say));
            }
            (None, None) => None,
            (Some(text), None) => Some(Time::parse_rfc3339(&text.0).ok_or_else(|| {
                Fault::invalid("expires_at", "malformed", "write a time like 2027-01-31T00:00:00Z")
            })?),
            (None, Some(days)) if (1..=LONGEST_DAYS).contains(&days) => {
                Some(now + Duration::from_secs(u64::from(days) * 86_400))
            }
            (None, Some(_)) => {
                return Err(Fault::invalid("expires_in_days", "out_of_range", "1 to 3650 days"));
            }
        };
        if expires_at.is_some_and(|at| at <= now) {
            return Err(Fault::invalid("expires_at", "out_of_range", "a key must end in the future"));
        }
        let apps: Result<Vec<AppId>, Fault> = self.apps.iter().map(|app| app_field(app)).collect();
        Ok(NewApiKey {
            name: self.name.0,
            apps: apps?,
            scopes: self.scopes,
            per_minute: limits.per_minute,
            per_hour: limits.per_hour,
            expires_at,
        })
    }
}

/// One's own keys.
#[utoipa::path(get, path = "/api/v1/keys", operation_id = "listKeys", tag = "keys", params(Piece), responses(
    (status = 200, description = "A piece of the list", body = List<KeyView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(piece): Query<Piece>,
) -> Outcome<axum::Json<List<KeyView>>> {
    let found = site.keys.list(&who.may(&site, KeysManage)?, piece.page()?).await?;
    Ok(axum::Json(List::of(found, KeyView::of)))
}

/// Makes a key, never stronger than its maker. Only this answer holds it.
#[utoipa::path(post, path = "/api/v1/keys", operation_id = "createKey", tag = "keys", request_body = KeyRequest, responses(
    (status = 201, description = "The key", body = NewKeyView),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Json(request): Json<KeyRequest>,
) -> Outcome<(StatusCode, axum::Json<NewKeyView>)> {
    let may = who.may(&site, KeysManage)?;
    let new = request.read(site.ambient.now())?;
    Ok((StatusCode::CREATED, NewKeyView::of(site.keys.create(&may, new).await?)))
}

/// Ends a key for good.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", operation_id = "revokeKey", tag = "keys",
    params(("id" = Uuid, Path, description = "The key")), responses(
    (status = 204, description = "It has ended"),
    OnOne,
))]
pub(crate) async fn revoke(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, KeysManage)?;
    site.keys.revoke(&may, KeyId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces a key by a new one with the same rights; the old one ends at once. Only this answer holds the new one.
#[utoipa::path(post, path = "/api/v1/keys/{id}/rotate", operation_id = "rotateKey", tag = "keys",
    params(("id" = Uuid, Path, description = "The key")), responses(
    (status = 200, description = "The key", body = NewKeyView),
    OnOne,
))]
pub(crate) async fn rotate(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<NewKeyView>> {
    let may = who.may(&site, KeysManage)?;
    Ok(NewKeyView::of(site.keys.rotate(&may, KeyId::parse(&id)?).await?))
}
