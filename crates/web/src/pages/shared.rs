//! The page behind a link: a snapshot of a conversation for whoever has it, without signing in, without a cookie, without
//! a script. Unknown links and those that have ended get the same answer.

use apps::{SharedTalk, Snapshot, SnapshotMessage};
use axum::Router;
use axum::extract::State;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, extract::Request};
use guard::http::{Peer, limit_key};
use guard::limits::Claim;
use http::{HeaderName, HeaderValue, StatusCode};
use kernel::{Code, Fault, Secret};

use super::form::{Fields, page};
use crate::Site;
use crate::body::Path;
use crate::failure::{Failure, Outcome};
use crate::ui::form::FormView;
use crate::ui::paper::{self, Paper};
use crate::ui::view::{Beside, CitationView, Ending, MessageView, Speaker};
use crate::who;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Characters of a token: nothing else is looked up.
const TOKEN: usize = 43;

/// The page behind a link.
pub(crate) fn routes(site: &Site) -> Router<Site> {
    Router::new()
        .route("/shared/{token}", get(read).post(unlock))
        .layer(from_fn(unlisted))
        .layer(from_fn_with_state(site.clone(), who::entrance))
}

/// Search engines keep nothing of it, whatever the answer is.
async fn unlisted(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(ROBOTS, HeaderValue::from_static("noindex, nofollow, noarchive"));
    response
}

async fn read(
    State(site): State<Site>,
    Extension(peer): Extension<Peer>,
    Path(token): Path<String>,
) -> Outcome<Response> {
    show(&site, &peer, token, None).await
}

async fn unlock(
    State(site): State<Site>,
    Extension(peer): Extension<Peer>,
    Path(token): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    // A password of six characters must not be guessed at the pace of other pages.
    let address = limit_key(peer.ip);
    let claim = Claim { scope: "sign_in", key: &address, rules: &site.limiter.rules().sign_in };
    let limits = site.limiter.admit(&[claim]).await;
    if !limits.allowed {
        let fault = Fault::new(Code::RateLimited).retry_after(limits.retry_after);
        let mut response = Failure::from(fault).into_response();
        limits.write(site.ambient.now(), response.headers_mut());
        return Ok(response);
    }
    show(&site, &peer, token, Some(fields.secret("password"))).await
}

async fn show(
    site: &Site,
    peer: &Peer,
    token: String,
    password: Option<Secret<String>>,
) -> Outcome<Response> {
    if token.len() != TOKEN {
        return Err(Code::NotFound.into());
    }
    match site.hall.open_shared(Secret::new(token), password, peer.ip).await? {
        SharedTalk::Open(snapshot) => {
            let (masked, until) = (snapshot.masked, snapshot.expires_at);
            Ok(page(StatusCode::OK, paper::shared(&sheet(*snapshot), masked, until)?))
        }
        SharedTalk::Locked { wrong } => {
            let form = FormView::new();
            let form = if wrong { form.wrong("password", "This password is not right.") } else { form };
            let status = if wrong { StatusCode::FORBIDDEN } else { StatusCode::OK };
            Ok(page(status, paper::locked(&form)?))
        }
    }
}

/// The snapshot as a document. What it cites is shown, and leads nowhere: its reader may be anybody.
fn sheet(snapshot: Snapshot) -> Paper {
    Paper {
        title: snapshot.title.unwrap_or_else(|| "Conversation".to_owned()),
        app: snapshot.app,
        asker: "Person",
        taken_at: snapshot.taken_at,
        messages: snapshot.messages.into_iter().map(message).collect(),
    }
}

fn message(said: SnapshotMessage) -> MessageView {
    let beside = Beside {
        person: said.by_person.then(String::new),
        attached: said.attached.into_iter().map(|file| crate::ui::beside::attached(file, false)).collect(),
        ..Beside::shown(&said.details)
    };
    MessageView {
        id: said.id,
        speaker: if said.role == "user" { Speaker::Person } else { Speaker::Answerer },
        content: said.content,
        citations: CitationView::list(&said.citations, None),
        created_at: said.created_at,
        ending: Ending::from_finish_reason(said.finish_reason.as_deref()),
        model: said.model,
        beside,
    }
}
