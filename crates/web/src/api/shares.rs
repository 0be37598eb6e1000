//! Links to conversations: an account shows a snapshot of one to whoever has the link, sees which links work, ends them.

use apps::{Share, ShareWish};
use axum::extract::State;
use http::StatusCode;
use identity::{ConversationRead, ConversationShare};
use kernel::{ConversationId, Fault, ShareId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::input::{Hidden, Text};
use super::problems::{Changing, OnOne, Reading};
use super::sessions::Piece;
use super::view::List;
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// A link, without what it carries.
#[derive(Serialize, ToSchema)]
#[schema(as = Share)]
pub(crate) struct ShareView {
    /// Its id.
    id: Uuid,
    /// The conversation that it shows a snapshot of.
    conversation_id: Uuid,
    /// The app of that.
    app: String,
    /// What the conversation is called now.
    title: Option<String>,
    /// It asks for a password.
    password_protected: bool,
    /// Personal data in it is masked.
    masked: bool,
    /// How many messages it shows.
    message_count: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
    /// When it was opened first.
    #[schema(value_type = Option<String>, format = DateTime)]
    opened_at: Option<Time>,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> ShareView {
        ShareView {
            id: share.id.uuid(),
            conversation_id: share.conversation_id.uuid(),
            app: share.app.to_string(),
            title: share.title,
            password_protected: share.locked,
            masked: share.masked,
            message_count: share.messages,
            created_at: share.created_at,
            expires_at: share.expires_at,
            opened_at: share.opened_at,
        }
    }
}

/// A new link, with the address.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewShareView {
    /// The address. It is not shown again.
    #[schema(example = "https://stoa.example.com/shared/…")]
    url: String,
    /// What is kept of it.
    #[serde(flatten)]
    kept: ShareView,
}

/// A link to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareRequest {
    /// After how many days it ends; 30 unless said. Not with `expires_at`.
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: Option<u32>,
    /// When it ends. Not with `expires_in_days`.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Text>,
    /// Take out what names people: names, addresses, numbers, dates. The masked text is what is kept.
    #[serde(default)]
    masked: bool,
    /// Ask for this before anything is shown.
    #[schema(value_type = Option<String>, min_length = 6, max_length = 200)]
    password: Option<Hidden>,
}

impl ShareRequest {
    fn read(self) -> Result<ShareWish, Fault> {
        let until = self.expires_at.map(|text| {
            Time::parse_rfc3339(&text.0).ok_or_else(|| {
                Fault::invalid("expires_at", "malformed", "write a time like 2027-01-31T00:00:00Z")
            })
        });
        Ok(ShareWish {
            days: self.expires_in_days,
            until: until.transpose()?,
            masked: self.masked,
            password: self.password.map(|password| password.0),
        })
    }
}

/// Makes a link to a snapshot of a conversation: what it says now, without what is said later. Whoever has the link may
/// read it until it ends, is ended, or words in the conversation are edited or the conversation is deleted.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/shares", operation_id = "shareConversation", tag = "conversations", request_body = ShareRequest,
    params(("id" = Uuid, Path, description = "The conversation")), responses(
    (status = 201, description = "The link; its address is shown once", body = NewShareView),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Json(request): Json<ShareRequest>,
) -> Outcome<(StatusCode, axum::Json<NewShareView>)> {
    let (may, read) = (who.may(&site, ConversationShare)?, who.may(&site, ConversationRead)?);
    let made = site.hall.share(&may, &read, ConversationId::parse(&id)?, request.read()?).await?;
    let url = format!("{}/shared/{}", site.base_url, made.token.expose());
    Ok((StatusCode::CREATED, axum::Json(NewShareView { url, kept: made.share.into() })))
}

/// The links that the caller has given out and that still work, the newest first.
#[utoipa::path(get, path = "/api/v1/shares", operation_id = "listShares", tag = "conversations", params(Piece), responses(
    (status = 200, description = "A piece of the list", body = List<ShareView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(piece): Query<Piece>,
) -> Outcome<axum::Json<List<ShareView>>> {
    let may = who.may(&site, ConversationShare)?;
    let found = site.hall.shared_by(&may, piece.page()?).await?;
    Ok(axum::Json(List::of(found, ShareView::from)))
}

/// Ends a link: from now on it shows nothing, and what it showed is gone.
#[utoipa::path(delete, path = "/api/v1/shares/{id}", operation_id = "endShare", tag = "conversations",
    params(("id" = Uuid, Path, description = "The link")), responses(
    (status = 204, description = "It has ended"),
    OnOne,
))]
pub(crate) async fn end(State(site): State<Site>, who: Who, Path(id): Path<String>) -> Outcome<StatusCode> {
    let may = who.may(&site, ConversationShare)?;
    site.hall.end_share(&may, ShareId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
