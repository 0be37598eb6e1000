//! The pages of joining and signing in and out, over [`identity::Accounts`]. No answer tells whether an account exists.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{SET_COOKIE, VARY};
use http::{HeaderValue, StatusCode};
use identity::{AccountWrite, Browser, Context, Registration, Verified};
use kernel::{Code, Fault, Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::form::{Fields, local, onward, page, refused};
use super::guest::Guest;
use super::{LEAST, guest_frame};
use crate::Site;
use crate::body::{Json, Path};
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::form::FormView;
use crate::ui::html;
use crate::ui::sign::{Door, ForgotPage, ResetPage, SaidPage, SetupPage, SignInPage, SignUpPage, VerifyPage};

/// The pages that are open to whoever comes.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .route("/sign-in/passkey/begin", post(begin_passkey))
        .route("/sign-in/passkey", post(passkey))
        .route("/api/v1/auth/oidc/{name}/start", get(depart))
        .route("/api/v1/auth/oidc/{name}/callback", get(arrive))
        .route("/sign-up", get(sign_up_page).post(sign_up))
        .route("/forgot", get(forgot_page).post(forgot))
        .route("/reset", get(reset_page).post(reset))
        .route("/verify", get(verify_page).post(verify))
        .route("/setup", get(setup_page).post(setup))
        .route("/sign-out", post(sign_out))
}

/// What has just happened, as the query of a redirect tells it: a word of this list, never a text.
fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "out" => key("You are signed out."),
        "reset" => key("Your password is set. Sign in with it."),
        "verified" => key("Your address is confirmed. You can sign in."),
        "joined" => key("Your account is ready. You can sign in."),
        _ => return None,
    })
}

async fn sign_in_page(
    State(site): State<Site>,
    guest: Guest,
    RawQuery(query): RawQuery,
) -> Outcome<Response> {
    let query = Fields::of_query(query.as_deref());
    let back = local(query.text("return_to"));
    if guest.who.is_some() {
        return Ok(onward(if back.is_empty() { "/" } else { back }));
    }
    show_sign_in(&site, &guest, back, FormView::new(), StatusCode::OK, false, done(query.text("done"))).await
}

async fn show_sign_in(
    site: &Site,
    guest: &Guest,
    back: &str,
    form: FormView,
    code: StatusCode,
    second_factor: bool,
    done: Option<&'static str>,
) -> Outcome<Response> {
    let issuers = site.accounts.issuers().into_iter().map(|name| (name.to_owned(), title(name))).collect();
    let shown = SignInPage {
        frame: guest_frame(site, guest).await,
        form,
        return_to: back.to_owned(),
        second_factor,
        issuers,
        open: site.accounts.registration() == Registration::Open,
        mail: site.accounts.sends_mail(),
        done,
    };
    Ok(page(code, html(&shown)?))
}

/// A name of the configuration as people read it: `google` is "Google".
fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

async fn sign_in(
    State(site): State<Site>,
    guest: Guest,
    RawQuery(query): RawQuery,
    fields: Fields,
) -> Outcome<Response> {
    let query = Fields::of_query(query.as_deref());
    let back = local(query.text("return_to"));
    let from = guest.context();
    let code = Some(fields.text("code")).filter(|code| !code.is_empty());
    let proof = site.accounts.sign_in(fields.text("email"), &fields.secret("password"), code, &from).await;
    let fault = match proof {
        Ok(proof) => return enter(&site, proof, &from, back).await,
        Err(fault) => fault,
    };
    let form = fields.view();
    let mut response = match fault.code() {
        Code::SecondFactorRequired => {
            show_sign_in(&site, &guest, back, form, StatusCode::UNAUTHORIZED, true, None).await?
        }
        Code::Unauthenticated => {
            let (form, second) = match code {
                Some(_) => (form.wrong("code", key("The code or the password is not right.")), true),
                None => (form.say(key("The e-mail or the password is not right.")), false),
            };
            show_sign_in(&site, &guest, back, form, StatusCode::UNAUTHORIZED, second, None).await?
        }
        _ => {
            let (status, form) = refused(form, fault)?;
            show_sign_in(&site, &guest, back, form, status, code.is_some(), None).await?
        }
    };
    limits(&site, &from, &mut response);
    Ok(response)
}

/// Opens the session of a browser and goes on.
pub(super) async fn enter(site: &Site, proof: Verified, from: &Context, back: &str) -> Outcome<Response> {
    let Browser { cookies, .. } = site.accounts.open_browser(proof, from).await?;
    let mut response = onward(if back.is_empty() { "/" } else { back });
    for cookie in cookies {
        let cookie = HeaderValue::from_str(&cookie).map_err(Fault::internal)?;
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("cookie"));
    limits(site, from, &mut response);
    Ok(response)
}

fn limits(site: &Site, from: &Context, response: &mut Response) {
    if let Some(verdict) = from.limits() {
        verdict.write(site.ambient.now(), response.headers_mut());
    }
}

/// Off to another issuer.
async fn depart(
    State(site): State<Site>,
    guest: Guest,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome<Response> {
    let query = Fields::of_query(query.as_deref());
    let back = local(query.text("return_to"));
    let from = guest.context();
    match site.accounts.oidc_start(&name, if back.is_empty() { "/" } else { back }, &from).await {
        Ok(departure) => {
            let mut response = onward(departure.url.as_str());
            let cookie = HeaderValue::from_str(&departure.cookie).map_err(Fault::internal)?;
            response.headers_mut().append(SET_COOKIE, cookie);
            Ok(response)
        }
        Err(fault) => not_arrived(&site, &guest, back, fault).await,
    }
}

/// Back from another issuer.
async fn arrive(
    State(site): State<Site>,
    guest: Guest,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Outcome<Response> {
    let from = guest.context();
    let cookie = guest.cookie(site.accounts.oidc_cookie());
    let query = query.unwrap_or_default();
    let arrived = async {
        match site.accounts.oidc_finish(&name, &query, cookie.as_deref(), &from).await {
            Ok(arrival) => enter(&site, arrival.verified, &from, local(&arrival.return_to)).await,
            Err(fault) => not_arrived(&site, &guest, "", fault).await,
        }
    };
    let mut response = arrived.await.unwrap_or_else(IntoResponse::into_response);
    // A journey ends here, whatever came of it: its memory must not serve a second answer.
    let forget = HeaderValue::from_str(&site.accounts.oidc_forget()).map_err(Fault::internal)?;
    response.headers_mut().append(SET_COOKIE, forget);
    Ok(response)
}

/// The page of signing in again, with what went wrong elsewhere.
async fn not_arrived(site: &Site, guest: &Guest, back: &str, fault: Fault) -> Outcome<Response> {
    tracing::warn!(code = fault.code().as_str(), cause = ?fault.cause(), "a sign-in elsewhere failed");
    let (status, form) = match fault.code() {
        Code::NotFound => return Err(fault.into()),
        Code::Unauthenticated => {
            let words = key("Signing in there did not work, or took too long. Try again.");
            (StatusCode::UNAUTHORIZED, FormView::new().say(words))
        }
        Code::Unavailable | Code::Timeout => {
            let words =
                key("The other side cannot be reached at the moment. Try again, or sign in another way.");
            (StatusCode::SERVICE_UNAVAILABLE, FormView::new().say(words))
        }
        _ => refused(FormView::new(), fault)?,
    };
    show_sign_in(site, guest, back, form, status, false, None).await
}

/// What the browser is asked, for scripts.
#[derive(Serialize)]
struct Ceremony {
    options: Value,
    state: String,
}

async fn begin_passkey(State(site): State<Site>, guest: Guest) -> Outcome<axum::Json<Ceremony>> {
    let (options, state) = site.accounts.begin_passkey_sign_in(&guest.context()).await?;
    Ok(axum::Json(Ceremony { options, state }))
}

/// What the browser answered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    state: String,
    answer: Value,
}

async fn passkey(State(site): State<Site>, guest: Guest, Json(shown): Json<Answered>) -> Outcome<Response> {
    let from = guest.context();
    let proof = site.accounts.finish_passkey_sign_in(&shown.state, &shown.answer, &from).await?;
    let entered = enter(&site, proof, &from, "").await?;
    let mut response = axum::Json(serde_json::json!({"status": "signed_in"})).into_response();
    for cookie in entered.headers().get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

async fn sign_out(State(site): State<Site>, guest: Guest) -> Outcome<Response> {
    let mut response = onward("/sign-in?done=out");
    if let Some(who) = &guest.who {
        let may = who.may(&site, AccountWrite)?;
        let cookie = site.accounts.sign_out(&may, guest.peer.https).await?;
        let cookie = HeaderValue::from_str(&cookie).map_err(Fault::internal)?;
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

fn door(site: &Site) -> Door {
    match site.accounts.registration() {
        Registration::Open => Door::Open,
        Registration::Invite => Door::Invited,
        Registration::Off => Door::Closed,
    }
}

async fn show_sign_up(
    site: &Site,
    guest: &Guest,
    back: &str,
    form: FormView,
    code: StatusCode,
) -> Outcome<Response> {
    // An invitation is good while nobody else may join, too.
    let door = match door(site) {
        Door::Closed if !form.value("invitation").is_empty() => Door::Invited,
        Door::Open if !form.value("invitation").is_empty() => Door::Invited,
        door => door,
    };
    let frame = guest_frame(site, guest).await;
    let shown = SignUpPage { frame, form, return_to: back.to_owned(), door, least: LEAST };
    Ok(page(code, html(&shown)?))
}

async fn sign_up_page(
    State(site): State<Site>,
    guest: Guest,
    RawQuery(query): RawQuery,
) -> Outcome<Response> {
    let query = Fields::of_query(query.as_deref());
    let invitation =
        [query.text("invitation"), query.text("token")].into_iter().find(|text| !text.is_empty());
    let form = FormView::new().with("invitation", invitation.unwrap_or_default());
    show_sign_up(&site, &guest, local(query.text("return_to")), form, StatusCode::OK).await
}

async fn sign_up(State(site): State<Site>, guest: Guest, fields: Fields) -> Outcome<Response> {
    let from = guest.context();
    let invitation = Some(fields.text("invitation")).filter(|token| !token.is_empty());
    let password = fields.secret("password");
    let made =
        site.accounts.register(fields.text("email"), &password, fields.text("name"), invitation, &from).await;
    if let Err(fault) = made {
        let (status, form) = refused(fields.view(), fault)?;
        let mut response = show_sign_up(&site, &guest, local(fields.text("return_to")), form, status).await?;
        limits(&site, &from, &mut response);
        return Ok(response);
    }
    if !site.accounts.sends_mail() {
        return Ok(onward("/sign-in?done=joined"));
    }
    let text = key("We have sent a mail to the address that you gave. Follow its link to finish.");
    said(
        &site,
        &guest,
        "mail",
        key("Look into your mail"),
        text,
        key("Nothing there? Look into the folder for spam."),
    )
    .await
}

async fn said(
    site: &Site,
    guest: &Guest,
    icon: &'static str,
    title: &'static str,
    text: &str,
    hint: &'static str,
) -> Outcome<Response> {
    let shown = SaidPage {
        frame: guest_frame(site, guest).await,
        icon,
        title,
        text: text.to_owned(),
        hint,
        next: ("/sign-in".to_owned(), key("Go to sign-in")),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn show_forgot(site: &Site, guest: &Guest, form: FormView, code: StatusCode) -> Outcome<Response> {
    let shown = ForgotPage { frame: guest_frame(site, guest).await, form, mail: site.accounts.sends_mail() };
    Ok(page(code, html(&shown)?))
}

async fn forgot_page(State(site): State<Site>, guest: Guest) -> Outcome<Response> {
    show_forgot(&site, &guest, FormView::new(), StatusCode::OK).await
}

async fn forgot(State(site): State<Site>, guest: Guest, fields: Fields) -> Outcome<Response> {
    let from = guest.context();
    if let Err(fault) = site.accounts.forgot(fields.text("email"), &from).await {
        let (status, form) = refused(fields.view(), fault)?;
        return show_forgot(&site, &guest, form, status).await;
    }
    let text = key("If this address has an account here, a link to choose a new password is on its way.");
    said(&site, &guest, "mail", key("Look into your mail"), text, key("The link works once, for 30 minutes."))
        .await
}

/// The token of a link, from the query; most links carry it in the fragment, which only the page itself sees.
fn linked(field: &str, query: Option<&str>) -> FormView {
    FormView::new().with(field, Fields::of_query(query).text("token"))
}

async fn show_reset(site: &Site, guest: &Guest, form: FormView, code: StatusCode) -> Outcome<Response> {
    Ok(page(code, html(&ResetPage { frame: guest_frame(site, guest).await, form, least: LEAST })?))
}

async fn reset_page(State(site): State<Site>, guest: Guest, RawQuery(query): RawQuery) -> Outcome<Response> {
    show_reset(&site, &guest, linked("reset", query.as_deref()), StatusCode::OK).await
}

async fn reset(State(site): State<Site>, guest: Guest, fields: Fields) -> Outcome<Response> {
    let from = guest.context();
    match site.accounts.reset(fields.text("reset"), &fields.secret("password"), &from).await {
        Ok(()) => Ok(onward("/sign-in?done=reset")),
        Err(fault) => {
            let (status, form) = stale(fields.view(), fault, "reset")?;
            show_reset(&site, &guest, form, status).await
        }
    }
}

/// A link that is used up or too old is a matter of the form, not a page that does not exist.
fn stale(form: FormView, fault: Fault, field: &'static str) -> Outcome<(StatusCode, FormView)> {
    let about_token = fault.fields().iter().any(|one| one.field == "token");
    let wrong = matches!(fault.code(), Code::NotFound | Code::Unauthenticated | Code::TokenExpired);
    if about_token || wrong {
        let words = key("This link has been used, or is too old. Ask for a new one.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form.wrong(field, words)));
    }
    refused(form, fault)
}

async fn show_verify(site: &Site, guest: &Guest, form: FormView, code: StatusCode) -> Outcome<Response> {
    Ok(page(code, html(&VerifyPage { frame: guest_frame(site, guest).await, form })?))
}

async fn verify_page(State(site): State<Site>, guest: Guest, RawQuery(query): RawQuery) -> Outcome<Response> {
    show_verify(&site, &guest, linked("verify", query.as_deref()), StatusCode::OK).await
}

async fn verify(State(site): State<Site>, guest: Guest, fields: Fields) -> Outcome<Response> {
    match site.accounts.verify(fields.text("verify"), &guest.context()).await {
        Ok(()) => Ok(onward("/sign-in?done=verified")),
        Err(fault) => {
            let (status, form) = stale(fields.view(), fault, "verify")?;
            show_verify(&site, &guest, form, status).await
        }
    }
}

async fn show_setup(site: &Site, guest: &Guest, form: FormView, code: StatusCode) -> Outcome<Response> {
    Ok(page(code, html(&SetupPage { frame: guest_frame(site, guest).await, form, least: LEAST })?))
}

async fn setup_page(State(site): State<Site>, guest: Guest, RawQuery(query): RawQuery) -> Outcome<Response> {
    if !site.accounts.setup_open().await? {
        return Ok(onward("/sign-in"));
    }
    show_setup(&site, &guest, linked("setup", query.as_deref()), StatusCode::OK).await
}

async fn setup(State(site): State<Site>, guest: Guest, fields: Fields) -> Outcome<Response> {
    let from = guest.context();
    let password: Secret<String> = fields.secret("password");
    match site.accounts.claim(fields.text("setup"), fields.text("email"), &password, &from).await {
        Ok(proof) => enter(&site, proof, &from, "/admin").await,
        Err(fault) => {
            let about_token = fault.fields().iter().any(|one| one.field == "token");
            let wrong = matches!(fault.code(), Code::NotFound | Code::Unauthenticated | Code::TokenExpired);
            let (status, form) = if about_token || wrong {
                let words =
                    key("This token is not right, or is too old. A restart of the server prints a new one.");
                (StatusCode::UNPROCESSABLE_ENTITY, fields.view().wrong("setup", words))
            } else {
                refused(fields.view(), fault)?
            };
            let mut response = show_setup(&site, &guest, form, status).await?;
            limits(&site, &from, &mut response);
            Ok(response)
        }
    }
}
