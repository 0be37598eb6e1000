//! The end of one's own account: what will happen, the word that has to be typed, the proof, the receipt.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use identity::{AccountRead, DataErase, Erased};

use super::admin::other_word;
use super::form::{Fields, page, refused};
use super::frame;
use super::person::{Person, proven};
use crate::Site;
use crate::failure::Outcome;
use crate::texts::{count, key};
use crate::ui::form::FormView;
use crate::ui::html;
use crate::ui::sign::{ConfirmPage, SaidPage};

const PATH: &str = "/account/erase";

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/account/erase", get(ask).post(erase))
}

async fn show(
    site: &Site,
    person: &Person,
    word: String,
    form: FormView,
    code: StatusCode,
) -> Outcome<Response> {
    let shown = ConfirmPage {
        frame: frame(site, Some(&person.who), PATH).await,
        form,
        title: key("Erase your account?").to_owned(),
        effects: vec![
            key("Your conversations, files, keys and everything else of yours are deleted for good.")
                .to_owned(),
            key("You are signed out everywhere at once.").to_owned(),
            key("What older backups hold of you becomes unreadable.").to_owned(),
            key("You get a receipt. Download your data first if you want to keep it.").to_owned(),
        ],
        word,
        action: PATH.to_owned(),
        carried: Vec::new(),
        label: key("Erase").to_owned(),
        back: "/account".to_owned(),
    };
    Ok(page(code, html(&shown)?))
}

/// What has to be typed.
async fn word(site: &Site, person: &Person) -> Outcome<String> {
    let email = site.accounts.me(&person.may(site, AccountRead)?).await?.email;
    Ok(if email.is_empty() { "erase".to_owned() } else { email })
}

async fn ask(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let word = word(&site, &person).await?;
    show(&site, &person, word, FormView::new(), StatusCode::OK).await
}

async fn erase(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let word = word(&site, &person).await?;
    if fields.text("word") != word {
        let form = other_word(&word);
        return show(&site, &person, word, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let person = proven!(person, &site, &fields, key("You are about to erase your account."));
    match site.accounts.erase(&person.may(&site, DataErase)?).await {
        Ok(erased) => gone(&site, &erased).await,
        Err(fault) => {
            let (status, form) = refused(FormView::new(), fault)?;
            show(&site, &person, word, form, status).await
        }
    }
}

async fn gone(site: &Site, erased: &Erased) -> Outcome<Response> {
    let things: u64 = erased.counts.values().sum();
    let shown = SaidPage {
        frame: frame(site, None, PATH).await,
        icon: "check",
        title: key("Your account is erased"),
        text: count("{count} record went from {stores} stores, and the key without which no copy can be read.|{count} records went from {stores} stores, and the key without which no copy can be read.", things).with("stores", erased.counts.len()).to_string(),
        hint: key(
            "The bytes of files follow within seconds; the receipt says when it is certain. Keep its address: it cannot be found again.",
        ),
        next: (format!("/api/v1/erasures/{}", erased.id), key("The receipt")),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}
