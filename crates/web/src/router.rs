//! The whole surface on a page.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use guard::http::Peer;
use http::{Extensions, HeaderMap, StatusCode, Version};
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
    /// What only accounts have, without answers that are kept to be repeated: they hold secrets of one moment.
    account: OpenApiRouter<Site>,
    /// Files that are read and stored, which are streams, and single ones that are thrown away.
    files: OpenApiRouter<Site>,
    /// Files that are thrown away together.
    file_deletions: OpenApiRouter<Site>,
    /// Documents and conversations on their way in: larger than other bodies, repeated safely by what they are.
    documents: OpenApiRouter<Site>,
    /// Keys and links: what only accounts have, where a POST is repeated safely.
    keys: OpenApiRouter<Site>,
    /// What only admins have.
    admin: OpenApiRouter<Site>,
    /// Where nobody has proven anything yet.
    entrance: OpenApiRouter<Site>,
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
        messages: OpenApiRouter::new()
            .routes(routes!(api::messages::list, api::messages::create))
            .routes(routes!(api::anew::regenerate))
            .routes(routes!(api::anew::go_on))
            .routes(routes!(api::anew::edit)),
        everything: OpenApiRouter::new()
            .routes(routes!(api::conversations::list, api::conversations::create))
            .routes(routes!(api::conversations::read, api::conversations::rename, api::conversations::delete))
            .routes(routes!(api::export::export))
            .routes(routes!(api::order::bulk))
            .routes(routes!(api::order::search))
            .routes(routes!(api::order::folders, api::order::create_folder))
            .routes(routes!(api::order::change_folder, api::order::delete_folder))
            .routes(routes!(api::order::tags))
            .routes(routes!(api::export::export_all))
            .routes(routes!(api::conversations::stop))
            .routes(routes!(api::feedback::rate))
            .routes(routes!(api::appeals::refused))
            .routes(routes!(api::appeals::answer))
            .routes(routes!(api::feedback::hand_off))
            .routes(routes!(api::desk::inbox))
            .routes(routes!(api::desk::read))
            .routes(routes!(api::desk::claim))
            .routes(routes!(api::desk::reply))
            .routes(routes!(api::desk::give_back))
            .routes(routes!(api::desk::close))
            .routes(routes!(api::desk::gaps))
            .routes(routes!(api::desk::resolve))
            .routes(routes!(api::desk::quality))
            .routes(routes!(api::apps::list))
            .routes(routes!(api::documents::read, api::documents::delete))
            .routes(routes!(api::documents::passages))
            .routes(routes!(api::documents::search))
            .routes(routes!(api::teaching::list, api::teaching::create))
            .routes(routes!(api::teaching::read, api::teaching::replace, api::teaching::delete))
            .routes(routes!(api::teaching::progress))
            .routes(routes!(api::teaching::own_progress))
            .routes(routes!(api::teaching::transcript))
            .routes(routes!(api::files::restore))
            .routes(routes!(api::files::restore_batch))
            .routes(routes!(api::files::declutter::ignore))
            .merge(
                // What a visitor has too; the words and answers are as private as those of an account.
                OpenApiRouter::new()
                    .routes(routes!(api::me::erase))
                    .routes(routes!(api::me::export))
                    .routes(routes!(api::auth::logout))
                    .layer(from_fn(who::secretive)),
            )
            .routes(routes!(api::whoami::show))
            .merge(
                OpenApiRouter::new()
                    .routes(routes!(openai::models::list))
                    .routes(routes!(openai::models::read))
                    .routes(routes!(openai::embeddings::create))
                    .routes(routes!(openai::moderations::create))
                    .layer(from_fn(who::credentialed)),
            ),
        account: OpenApiRouter::new()
            .routes(routes!(api::me::read, api::me::change))
            .routes(routes!(api::me::password))
            .routes(routes!(api::me::email))
            .routes(routes!(api::sessions::list))
            .routes(routes!(api::sessions::end))
            .routes(routes!(api::factors::begin_totp, api::factors::confirm_totp, api::factors::remove_totp))
            .routes(routes!(api::factors::renew_recovery))
            .routes(routes!(api::factors::passkeys))
            .routes(routes!(api::factors::begin_passkey))
            .routes(routes!(api::factors::finish_passkey))
            .routes(routes!(api::factors::remove_passkey))
            .routes(routes!(api::auth::logout_all)),
        files: OpenApiRouter::new()
            .routes(routes!(api::files::list, api::files::upload::create))
            .routes(routes!(api::files::usage))
            .routes(routes!(api::files::declutter::report))
            .routes(routes!(api::files::empty))
            .routes(routes!(api::files::read, api::files::delete))
            .routes(routes!(api::files::content::read)),
        file_deletions: OpenApiRouter::new()
            .routes(routes!(api::files::delete_many))
            .routes(routes!(api::files::declutter::apply)),
        documents: OpenApiRouter::new()
            .routes(routes!(api::documents::list, api::documents::create))
            .routes(routes!(api::import::create)),
        keys: OpenApiRouter::new()
            .routes(routes!(api::keys::list, api::keys::create))
            .routes(routes!(api::keys::revoke))
            .routes(routes!(api::keys::rotate))
            .routes(routes!(api::shares::create))
            .routes(routes!(api::shares::list))
            .routes(routes!(api::shares::end)),
        admin: admin(),
        entrance: OpenApiRouter::new()
            .routes(routes!(api::auth::register))
            .routes(routes!(api::auth::login))
            .routes(routes!(api::auth::refresh))
            .routes(routes!(api::auth::exchange))
            .routes(routes!(api::auth::setup))
            .routes(routes!(api::auth::begin_passkey))
            .routes(routes!(api::auth::finish_passkey))
            .routes(routes!(api::password::forgot))
            .routes(routes!(api::password::reset))
            .routes(routes!(api::password::verify))
            .routes(routes!(api::me::receipt)),
        public: OpenApiRouter::new()
            .routes(routes!(api::jwks::read))
            .routes(routes!(probes::live))
            .routes(routes!(probes::ready))
            .routes(routes!(probes::health))
            .routes(routes!(probes::metrics)),
    }
}

fn admin() -> OpenApiRouter<Site> {
    use api::admin::{
        alerts, audit, backups, brake, grants, held, holds, operation, review, settings, usage, users,
    };
    OpenApiRouter::new()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::invite))
        .routes(routes!(users::read, users::change, users::erase))
        .routes(routes!(users::export))
        .routes(routes!(users::sign_out))
        .routes(routes!(grants::list))
        .routes(routes!(grants::set, grants::remove))
        .routes(routes!(held::sessions))
        .routes(routes!(held::end_session))
        .routes(routes!(held::keys))
        .routes(routes!(held::revoke_key))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(backups::list, backups::create))
        .routes(routes!(backups::verify))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(brake::lockdown, brake::set_lockdown))
        .routes(routes!(brake::revoke))
        .routes(routes!(brake::blocks, brake::block))
        .routes(routes!(brake::unblock))
        .routes(routes!(holds::list, holds::add))
        .routes(routes!(holds::remove))
        .routes(routes!(review::list))
        .routes(routes!(review::export))
        .routes(routes!(review::read, review::decide))
        .routes(routes!(usage::read))
        .routes(routes!(settings::list))
        .routes(routes!(operation::slo))
        .routes(routes!(operation::report))
        .routes(routes!(operation::queries))
        .routes(routes!(operation::logs))
}

/// The OpenAPI document of all of them.
pub(crate) fn document() -> OpenApi {
    let Groups {
        chat,
        messages,
        everything,
        account,
        files,
        file_deletions,
        documents,
        keys,
        admin,
        entrance,
        public,
    } = groups();
    let document = [
        chat,
        messages,
        everything,
        account,
        files,
        file_deletions,
        documents,
        keys,
        admin,
        entrance,
        public,
    ]
    .into_iter()
    .fold(OpenApiRouter::with_openapi(document::frame()), OpenApiRouter::merge)
    .into_openapi();
    document::finish(document)
}

/// The whole server as a service.
pub fn router(site: Site) -> Router {
    let Groups {
        chat,
        messages,
        everything,
        account,
        files,
        file_deletions,
        documents,
        keys,
        admin,
        entrance,
        public,
    } = groups();
    let everybody = from_fn_with_state(site.clone(), who::everything);
    let accounts = from_fn_with_state(site.clone(), who::accounts);
    let admins = from_fn_with_state(site.clone(), who::admins);
    let secretive = from_fn(who::secretive);
    let once = from_fn_with_state(site.clone(), once::once);
    let document = document();
    let compressed = SizeAbove::new(COMPRESS_ABOVE)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(without_secrets);
    Router::new()
        .merge(Router::from(chat).layer((from_fn_with_state(site.clone(), who::chat), once.clone())))
        .merge(Router::from(messages).layer((from_fn_with_state(site.clone(), who::by_method), once.clone())))
        .merge(Router::from(everything).layer((everybody.clone(), once.clone())))
        .merge(Router::from(documents).layer(everybody.clone()))
        .merge(
            Router::from(account).layer(accounts.clone()).layer(secretive.clone()).layer(everybody.clone()),
        )
        .merge(
            Router::from(keys)
                .layer(once.clone())
                .layer(accounts)
                .layer(secretive.clone())
                .layer(everybody.clone()),
        )
        .merge(
            Router::from(admin)
                .layer(once.clone())
                .layer(admins)
                .layer(secretive.clone())
                .layer(everybody.clone()),
        )
        .merge(Router::from(files).layer(from_fn_with_state(site.clone(), who::files)))
        .merge(
            Router::from(file_deletions)
                .layer(once.clone())
                .layer(from_fn_with_state(site.clone(), who::file_deletions)),
        )
        .merge(Router::from(entrance).layer(secretive).layer(from_fn_with_state(site.clone(), who::entrance)))
        .merge(Router::from(public))
        .merge(
            pages::routes(&document).layer(everybody).layer(from_fn_with_state(site.clone(), pages::around)),
        )
        .merge(
            pages::file_deletions()
                .layer(from_fn_with_state(site.clone(), who::file_deletions))
                .layer(from_fn_with_state(site.clone(), pages::around)),
        )
        .merge(pages::shared::routes(&site))
        .merge(pages::entrance(&site))
        .merge(pages::assets())
        .merge(document::routes(&document))
        .route("/api/health", get(probes::health))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        // One layer of four, the outermost first: each layer for itself would put every request and its body in a box anew.
        .layer((
            from_fn_with_state(site.clone(), front::front),
            CompressionLayer::new().compress_when(compressed),
            CatchPanicLayer::custom(panicked),
            RequestDecompressionLayer::new(),
        ))
        .with_state(site)
}

/// The length of a compressed answer tells about the secrets in it (SAFETY W32).
fn without_secrets(_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<who::Incompressible>().is_none()
}

async fn unknown_path(State(site): State<Site>, request: Request) -> Failure {
    let (parts, _) = request.into_parts();
    if let Some(peer) = parts.extensions.get::<Peer>() {
        who::speak_as(&site, &parts.headers, peer).await;
    }
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

/// A panic costs one request, never the process; the panic itself has been logged by the hook.
fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Failure::from(Fault::internal("a handler panicked")).into_response()
}
