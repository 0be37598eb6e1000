//! The page of one's own security: password, second factor, passkeys.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{AccountRead, AccountWrite, Enrolment, RecoveryCodes};
use kernel::{Code, PasskeyId};

use super::account::done;
use super::form::{Fields, local, onward, page, refused};
use super::person::{Person, proven};
use super::{LEAST, LEAST_WITH_SECOND};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::account::{PasskeyView, RecoveryPage, SecurityPage, TotpPage};
use crate::ui::form::FormView;
use crate::ui::{html, picture};

/// The routes of the page.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/account/security", get(show))
        .route("/account/prove", get(prove_page).post(prove))
        .route("/account/password", post(change_password))
        .route("/account/totp", post(begin_totp))
        .route("/account/totp/confirm", post(confirm_totp))
        .route("/account/totp/remove", post(remove_totp))
        .route("/account/totp/recovery", post(new_recovery))
        .route("/account/passkeys/{id}/remove", post(remove_passkey))
}

async fn show_security(
    site: &Site,
    person: &Person,
    password: FormView,
    form: FormView,
    code: StatusCode,
) -> Outcome<Response> {
    let may = person.may(site, AccountRead)?;
    let user = site.accounts.me(&may).await?;
    let mut shell = person.shell(site, "/account/security").await?;
    shell.done = done(&person.asked("done"));
    let recovery_left = match user.totp_at {
        Some(_) => site.accounts.recovery_left(&may).await?,
        None => 0,
    };
    let passkeys = site.accounts.passkeys(&may).await?;
    let shown = SecurityPage {
        shell,
        email: user.email,
        password,
        has_password: user.has_password,
        password_at: user.password_at,
        least: if user.totp_at.is_some() { LEAST_WITH_SECOND } else { LEAST },
        totp_at: user.totp_at,
        recovery_left,
        passkeys: passkeys
            .into_iter()
            .map(|one| PasskeyView {
                id: one.id.to_string(),
                name: one.name,
                created_at: one.created_at,
                used_at: one.last_used_at,
            })
            .collect(),
        form,
    };
    Ok(page(code, html(&shown)?))
}

async fn show(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show_security(&site, &person, FormView::new(), FormView::new(), StatusCode::OK).await
}

/// For scripts: they send the person here when a proof is wanted, and the person comes back.
async fn prove_page(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let back = person.asked("return_to");
    let fields = Fields::of_query(Some(&format!("return_to={}", crate::ui::frame::encode(local(&back)))));
    let _ = proven!(person, &site, &fields, key("You are about to change how you sign in."));
    Ok(onward(if local(&back).is_empty() { "/account/security" } else { local(&back) }))
}

async fn prove(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let _ = proven!(person, &site, &fields, key("You are about to change how you sign in."));
    let back = local(fields.text("return_to"));
    let back = if back.is_empty() { "/account/security" } else { back };
    Ok(onward(&format!("{back}?done=proven")))
}

async fn change_password(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, AccountWrite)?;
    let code = Some(fields.text("code")).filter(|code| !code.is_empty());
    let (current, new) = (fields.secret("password"), fields.secret("new_password"));
    let fault = match site.accounts.change_password(&may, &current, &new, code).await {
        Ok(()) => return Ok(onward("/account/security?done=password")),
        Err(fault) => fault,
    };
    let (status, form) = match fault.code() {
        Code::Unauthenticated => {
            let words = key("Your current password is not right.");
            (StatusCode::UNPROCESSABLE_ENTITY, FormView::new().wrong("password", words))
        }
        Code::SecondFactorRequired => {
            (StatusCode::UNPROCESSABLE_ENTITY, FormView::new().wrong("code", key("The code is wanted too.")))
        }
        _ => refused(FormView::new(), fault)?,
    };
    show_security(&site, &person, form, FormView::new(), status).await
}

async fn begin_totp(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let person = proven!(person, &site, &fields, key("You are about to set up a second factor."));
    let enrolment = site.accounts.begin_totp(&person.may(&site, AccountWrite)?, None).await;
    match enrolment {
        Ok(enrolment) => show_totp(&site, &person, &enrolment).await,
        Err(fault) => {
            let (status, form) = refused(FormView::new(), fault)?;
            show_security(&site, &person, FormView::new(), form, status).await
        }
    }
}

async fn show_totp(site: &Site, person: &Person, enrolment: &Enrolment) -> Outcome<Response> {
    let secret = enrolment.secret.expose();
    let groups: Vec<String> =
        secret.chars().collect::<Vec<_>>().chunks(4).map(|four| four.iter().collect()).collect();
    let shown = TotpPage {
        shell: person.shell(site, "/account/security").await?,
        form: FormView::new(),
        picture: picture(enrolment.picture.expose()),
        secret: groups.join(" "),
        address: enrolment.address.expose().clone(),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn confirm_totp(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, AccountWrite)?;
    match site.accounts.confirm_totp(&may, fields.text("code")).await {
        Ok(codes) => show_recovery(&site, &person, &codes).await,
        Err(fault) if matches!(fault.code(), Code::Unauthenticated | Code::InvalidInput) => {
            // The secret cannot be shown a second time: it is asked for anew, and the app takes the new one.
            let words = key("That code was not right, so the second factor is not on. Set it up again.");
            let form = FormView::new().say(words);
            show_security(&site, &person, FormView::new(), form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(fault) => {
            let (status, form) = refused(FormView::new(), fault)?;
            show_security(&site, &person, FormView::new(), form, status).await
        }
    }
}

async fn show_recovery(site: &Site, person: &Person, codes: &RecoveryCodes) -> Outcome<Response> {
    let shown = RecoveryPage {
        shell: person.shell(site, "/account/security").await?,
        codes: codes.0.iter().map(|code| code.expose().clone()).collect(),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn remove_totp(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let what = key("You are about to turn the second factor off.");
    let password = match person.password(&site, &fields, what).await? {
        Ok(password) => password,
        Err(page) => return Ok(page),
    };
    match site.accounts.remove_totp(&person.may(&site, AccountWrite)?, &password).await {
        Ok(()) => Ok(onward("/account/security?done=totp-off")),
        Err(fault) => {
            let (status, form) = not_right(fault)?;
            show_security(&site, &person, FormView::new(), form, status).await
        }
    }
}

async fn new_recovery(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let what = key("You are about to make new recovery codes; the old ones stop working.");
    let password = match person.password(&site, &fields, what).await? {
        Ok(password) => password,
        Err(page) => return Ok(page),
    };
    match site.accounts.regenerate_recovery(&person.may(&site, AccountWrite)?, &password).await {
        Ok(codes) => show_recovery(&site, &person, &codes).await,
        Err(fault) => {
            let (status, form) = not_right(fault)?;
            show_security(&site, &person, FormView::new(), form, status).await
        }
    }
}

fn not_right(fault: kernel::Fault) -> Outcome<(StatusCode, FormView)> {
    if fault.code() == Code::Unauthenticated {
        let form = FormView::new().say(key("The password was not right. Nothing has been changed."));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form));
    }
    // Fields of that form are not on this page: their words are said about the whole.
    let words = fault.fields().first().map(|field| field.detail.to_string());
    let (status, form) = refused(FormView::new(), fault)?;
    Ok((status, words.map_or(form, |words| FormView::new().say(&super::form::sentence(&words)))))
}

async fn remove_passkey(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    let person = proven!(person, &site, &fields, key("You are about to remove a passkey."));
    let may = person.may(&site, AccountWrite)?;
    site.accounts.remove_passkey(&may, PasskeyId::parse(&id)?, None).await?;
    Ok(onward("/account/security?done=passkey-gone"))
}
