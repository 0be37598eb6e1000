//! The whole surface on a page.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use guard::http::Peer;
use http::header::ACCEPT_ENCODING;
use kernel::{Code, Fault};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::decompression::RequestDecompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::failure::Failure;
use crate::{Site, api, document, front, once, openai, pages, probes, who};

/// Answers smaller than this are not compressed (row 003.09).
const COMPRESS_ABOVE: u64 = 1_024;

/// The routes, grouped by what happens before their handlers.
struct Groups {
    /// A turn by POST; counted as chat.
    chat: OpenApiRouter<Site>,
    /// A turn by POST, reading by GET.
    messages: OpenApiRouter<Site>,
    /// Everything else that needs a caller.
    everything: OpenApiRouter<Site>,
    /// No caller, no limit.
    public: OpenApiRouter<Site>,
}

fn groups() -> Groups {
    Groups {
        chat: OpenApiRouter::new()
            .merge(
                OpenApiRouter::new().routes(routes!(openai::chat::create)).layer(from_fn(who::credentialed)),
            )
            .routes(routes!(api::chat::create)),
        messages: OpenApiRouter::new().routes(routes!(api::messages::list, api::messages::create)),
        everything: OpenApiRouter::new()
            .routes(routes!(api::conversations::list, api::conversations::create))
            .routes(routes!(api::conversations::read, api::conversations::rename, api::conversations::delete))
            .routes(routes!(api::conversations::export))
            .routes(routes!(api::conversations::stop))
            .routes(routes!(api::apps::list))
            .routes(routes!(api::whoami::show))
            .merge(
                OpenApiRouter::new()
                    .routes(routes!(openai::models::list))
                    .routes(routes!(openai::models::read))
                    .routes(routes!(openai::embeddings::create))
                    .layer(from_fn(who::credentialed)),
            ),
        public: OpenApiRouter::new()
            .routes(routes!(probes::live))
            .routes(routes!(probes::ready))
            .routes(routes!(probes::health))
            .routes(routes!(probes::metrics)),
    }
}

/// The OpenAPI document of all of them.
pub(crate) fn document() -> OpenApi {
    let Groups { chat, messages, everything, public } = groups();
    let document = OpenApiRouter::with_openapi(document::frame())
        .merge(chat)
        .merge(messages)
        .merge(everything)
        .merge(public)
        .into_openapi();
    document::finish(document)
}

/// The whole server as a service.
pub fn router(site: Site) -> Router {
    let Groups { chat, messages, everything, public } = groups();
    let once = from_fn_with_state(site.clone(), once::once);
    let document = document();
    let compressed =
        SizeAbove::new(COMPRESS_ABOVE).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    Router::new()
        .merge(Router::from(chat).layer(once.clone()).layer(from_fn_with_state(site.clone(), who::chat)))
        .merge(
            Router::from(messages)
                .layer(once.clone())
                .layer(from_fn_with_state(site.clone(), who::by_method)),
        )
        .merge(Router::from(everything).layer(once).layer(from_fn_with_state(site.clone(), who::everything)))
        .merge(Router::from(public))
        .merge(pages::routes(&document).layer(from_fn_with_state(site.clone(), who::everything)))
        .merge(pages::assets())
        .merge(document::routes(&document))
        .route("/api/health", get(probes::health))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(RequestDecompressionLayer::new())
        .layer(map_response(unreadable))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CompressionLayer::new().compress_when(compressed))
        .layer(from_fn_with_state(site.clone(), front::front))
        .with_state(site)
}

async fn unknown_path() -> Failure {
    Code::NotFound.into()
}

/// A wrong method on a path that needs a caller says first that a caller is needed.
async fn wrong_method(State(site): State<Site>, request: Request) -> Response {
    let path = request.uri().path();
    let needs_caller = path.starts_with("/api/v1/") || path.starts_with("/v1/");
    let (parts, _) = request.into_parts();
    if let Some(peer) = parts.extensions.get::<Peer>().filter(|_| needs_caller)
        && let Some(refusal) = who::stranger(&site, &parts.headers, peer).await
    {
        return refusal.into_response();
    }
    Failure::from(Code::MethodNotAllowed).into_response()
}

/// The layer that reads compressed bodies refuses other encodings with a bare status that lists those it takes.
async fn unreadable(response: Response) -> Response {
    let Some(taken) = response.headers().get(ACCEPT_ENCODING).cloned() else { return response };
    let fault = Fault::new(Code::UnsupportedType).say("the `Content-Encoding` of the body is not taken here");
    let mut refusal = Failure::from(fault).into_response();
    refusal.headers_mut().insert(ACCEPT_ENCODING, taken);
    refusal
}

/// A panic costs one request, never the process; the panic itself has been logged by the hook.
fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Failure::from(Fault::internal("a handler panicked")).into_response()
}
