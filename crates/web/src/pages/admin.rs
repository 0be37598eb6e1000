//! The frame of the pages of admins, and their pages of sessions, keys, blocked addresses, the brake and settings. To
//! everybody else none of them exists.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{Admin, May, Mode, Revoked, What};
use kernel::{KeyId, SessionId, UserId};

use super::account::{key_view, piece, session_view};
use super::form::{Fields, local, onward, page};
use super::person::{Person, proven};
use super::{backups, frame, operation, review, users, watching};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{key, say};
use crate::ui::account::{KeyView, SessionView};
use crate::ui::admin::{AllKeysPage, AllSessionsPage, LockdownPage, SettingView, SettingsPage};
use crate::ui::form::FormView;
use crate::ui::html;
use crate::ui::shell::{Brake, Shell};
use crate::ui::sign::ConfirmPage;

/// The pages of admins.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/admin/sessions", get(sessions))
        .route("/admin/sessions/{id}/end", post(end_session))
        .route("/admin/keys", get(keys))
        .route("/admin/keys/{id}/revoke", post(revoke_key))
        .route("/admin/lockdown", get(lockdown))
        .route("/admin/lockdown/{mode}", get(ask_lockdown).post(set_lockdown))
        .route("/admin/revoke/{what}", get(ask_revoke).post(revoke))
        .route("/admin/settings", get(settings))
        .merge(super::blocks::routes())
        .merge(super::holds::routes())
        .merge(review::routes())
        .merge(users::routes())
        .merge(watching::routes())
        .merge(operation::routes())
        .merge(backups::routes())
}

/// What has just been done, as the query of a redirect tells it.
fn done(word: &str) -> Option<String> {
    let words = match word {
        "ended" => key("The session is ended."),
        "revoked" => key("The key is revoked."),
        "blocked" => key("The address is blocked."),
        "lifted" => key("The block is lifted."),
        "mode" => key("Done. It holds everywhere within a second."),
        "role" => key("The role is changed."),
        "active" => key("The account is active."),
        "inactive" => key("The account is inactive. It is refused everywhere."),
        "grant" => key("Saved. It holds from the next request on."),
        "erased" => key("The account is erased."),
        "made" => key("The account is made."),
        "decided" => key("Decided."),
        "held" => key("The hold is placed."),
        "unheld" => key("The hold has ended. What its time has come for goes now."),
        "noted" => key("Noted. The same cause raises a new alert when it comes again."),
        "backed-up" => key("The backup is made."),
        "backing-up" => key("The backup is being made; it goes on without you."),
        "verified" => key("The backup can be restored: it was tried out and is what it says."),
        "verifying" => key("The backup is being tried out; it goes on without you."),
        _ => return None,
    };
    Some(words.to_owned())
}

/// What stands around a page of admins.
pub(super) async fn shell(
    site: &Site,
    person: &Person,
    may: &May<Admin>,
    here: &'static str,
) -> Outcome<Shell> {
    let lockdown = site.administration.lockdown(may).await?;
    let brake = match lockdown.mode {
        Mode::Off => None,
        Mode::Users => Some(Brake {
            title: key("Accounts are locked."),
            text: key(
                "Administrators and anonymous visitors come in; other accounts and API keys are refused.",
            ),
        }),
        Mode::AdminOnly => Some(Brake {
            title: key("Only administrators come in."),
            text: key("Everybody else is refused, anonymous visitors too."),
        }),
    };
    Ok(Shell {
        frame: frame(site, Some(&person.who), here).await,
        admin: true,
        here,
        done: done(&person.asked("done")),
        failed: None,
        brake,
        open_alerts: watching::open_alerts(site, may).await,
        open_reviews: review::open_reviews(site, may).await,
        now: site.ambient.now(),
    })
}

/// The address of somebody, for lists that know ids.
pub(super) async fn label(site: &Site, may: &May<Admin>, id: UserId) -> String {
    match site.administration.user(may, id).await {
        Ok(user) => [user.email, user.name].into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// The labels of these accounts, each asked for once.
pub(super) async fn labels(
    site: &Site,
    may: &May<Admin>,
    ids: impl Iterator<Item = UserId>,
) -> HashMap<String, String> {
    let mut known = HashMap::new();
    for id in ids {
        if let Entry::Vacant(place) = known.entry(id.to_string()) {
            place.insert(label(site, may, id).await);
        }
    }
    known
}

async fn sessions(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/sessions").await?;
    let found = site.administration.sessions(&may, None, piece(&person)?).await?;
    let names = labels(&site, &may, found.items.iter().map(|session| session.user)).await;
    let this = person.who.principal.session();
    let sessions: Vec<SessionView> = found
        .items
        .iter()
        .map(|session| {
            let mut view = session_view(session, this);
            view.person = names.get(&view.person_id).cloned().unwrap_or_default();
            view
        })
        .collect();
    Ok(page(StatusCode::OK, html(&AllSessionsPage { shell, sessions, next: found.next })?))
}

/// Where a form wants to go back to; only pages of admins.
pub(super) fn back<'a>(fields: &'a Fields, otherwise: &'a str) -> &'a str {
    let wanted = local(fields.text("back"));
    if wanted.starts_with("/admin/") && !wanted.contains('?') { wanted } else { otherwise }
}

async fn end_session(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    site.administration.end_session(&person.admin(&site)?, SessionId::parse(&id)?).await?;
    Ok(onward(&format!("{}?done=ended", back(&fields, "/admin/sessions"))))
}

async fn keys(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/keys").await?;
    let found = site.administration.keys(&may, None, piece(&person)?).await?;
    let names = labels(&site, &may, found.items.iter().filter_map(|key| key.user)).await;
    let keys: Vec<KeyView> = found
        .items
        .iter()
        .map(|key| {
            let mut view = key_view(key);
            view.owner = match key.user {
                Some(_) => names.get(&view.owner_id).cloned().unwrap_or_default(),
                None => say("the operator").to_string(),
            };
            view
        })
        .collect();
    Ok(page(StatusCode::OK, html(&AllKeysPage { shell, keys, next: found.next })?))
}

async fn revoke_key(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    site.administration.revoke_key(&person.admin(&site)?, KeyId::parse(&id)?).await?;
    Ok(onward(&format!("{}?done=revoked", back(&fields, "/admin/keys"))))
}

async fn lockdown(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let mut shell = shell(&site, &person, &may, "/admin/lockdown").await?;
    let number = |name: &str| person.asked(name).parse::<u64>().ok();
    if let (Some(sessions), Some(tokens), Some(keys)) = (number("sessions"), number("tokens"), number("keys"))
    {
        shell.done = Some(
            say("Ended: {sessions} of browsers, {tokens} of programs. Revoked: {keys} keys.")
                .with("sessions", sessions)
                .with("tokens", tokens)
                .with("keys", keys)
                .to_string(),
        );
    }
    let found = site.administration.lockdown(&may).await?;
    let by = match found.by.as_deref().and_then(|by| by.strip_prefix("user:")) {
        Some(id) => match UserId::parse(id) {
            Ok(id) => label(&site, &may, id).await,
            Err(_) => String::new(),
        },
        None => found.by.unwrap_or_default(),
    };
    let since = found.since.filter(|_| found.mode != Mode::Off);
    let mode = found.mode.as_str();
    Ok(page(StatusCode::OK, html(&LockdownPage { shell, mode, since, by })?))
}

/// The page that asks before the brake is moved.
fn question(mode: Mode) -> (&'static str, &'static [&'static str], &'static str) {
    match mode {
        Mode::Off => (
            key("Release the brake?"),
            const {
                &[
                    key("Everybody may do again what their account, grants and keys allow."),
                    key("Nothing was altered meanwhile."),
                ]
            },
            key("Release"),
        ),
        Mode::Users => (
            key("Lock the accounts?"),
            const {
                &[
                    key("Every account that is no administrator, and every API key, is refused."),
                    key("Anonymous visitors go on."),
                    key("Answers that are being written are cut within a second."),
                ]
            },
            key("Lock"),
        ),
        Mode::AdminOnly => (
            key("Let administrators in alone?"),
            const {
                &[
                    key("Everybody but signed-in administrators is refused, anonymous visitors too."),
                    key("Answers that are being written are cut within a second."),
                ]
            },
            key("Lock"),
        ),
    }
}

async fn show_question(
    site: &Site,
    person: &Person,
    texts: (&str, &[&str], &str),
    word: &str,
    action: &str,
    form: FormView,
    code: StatusCode,
) -> Outcome<Response> {
    let (title, effects, label) = texts;
    let shown = ConfirmPage {
        frame: frame(site, Some(&person.who), action).await,
        form,
        title: title.to_owned(),
        effects: effects.iter().map(|&effect| effect.to_owned()).collect(),
        word: word.to_owned(),
        action: action.to_owned(),
        carried: Vec::new(),
        label: label.to_owned(),
        back: "/admin/lockdown".to_owned(),
    };
    Ok(page(code, html(&shown)?))
}

/// The form after another word was typed.
pub(super) fn other_word(word: &str) -> FormView {
    FormView::new().wrong(
        "word",
        &say("Type “{word}” to go on; anything else changes nothing.").with("word", word).to_string(),
    )
}

async fn ask_lockdown(
    State(site): State<Site>,
    person: Person,
    Path(mode): Path<String>,
) -> Outcome<Response> {
    person.admin(&site)?;
    let mode = Mode::parse(&mode).map_err(|_| kernel::Code::NotFound)?;
    let action = format!("/admin/lockdown/{}", mode.as_str());
    show_question(&site, &person, question(mode), mode.as_str(), &action, FormView::new(), StatusCode::OK)
        .await
}

async fn set_lockdown(
    State(site): State<Site>,
    person: Person,
    Path(mode): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    person.admin(&site)?;
    let mode = Mode::parse(&mode).map_err(|_| kernel::Code::NotFound)?;
    if fields.text("word") != mode.as_str() {
        let action = format!("/admin/lockdown/{}", mode.as_str());
        let form = other_word(mode.as_str());
        let code = StatusCode::UNPROCESSABLE_ENTITY;
        return show_question(&site, &person, question(mode), mode.as_str(), &action, form, code).await;
    }
    let person = proven!(person, &site, &fields, key("You are about to move the brake."));
    site.administration.set_lockdown(&person.admin(&site)?, mode).await?;
    Ok(onward("/admin/lockdown?done=mode"))
}

const WHATS: [(What, &str, &str, &[&str]); 4] = [
    (
        What::Sessions,
        "sessions",
        key("End every session?"),
        const {
            &[
                key("Every browser and every program is signed out, this one too."),
                key("Everybody signs in again."),
            ]
        },
    ),
    (
        What::Tokens,
        "tokens",
        key("End every token?"),
        const {
            &[
                key("Every access and refresh token is dead at once."),
                key("Programs that signed in must sign in again."),
            ]
        },
    ),
    (
        What::Keys,
        "keys",
        key("Revoke every API key?"),
        const {
            &[
                key("Every key that was made here is revoked for good."),
                key("Keys of the environment end with the environment."),
            ]
        },
    ),
    (
        What::All,
        "all",
        key("End all of it?"),
        const {
            &[
                key("Every session, token and API key is dead at once, this session too."),
                key("Anonymous visitors begin anew."),
                key("This cannot be undone."),
            ]
        },
    ),
];

fn what(word: &str) -> Outcome<&'static (What, &'static str, &'static str, &'static [&'static str])> {
    WHATS.iter().find(|one| one.1 == word).ok_or_else(|| kernel::Code::NotFound.into())
}

async fn ask_revoke(State(site): State<Site>, person: Person, Path(word): Path<String>) -> Outcome<Response> {
    person.admin(&site)?;
    let (_, word, title, effects) = what(&word)?;
    let action = format!("/admin/revoke/{word}");
    show_question(
        &site,
        &person,
        (title, effects, key("End")),
        word,
        &action,
        FormView::new(),
        StatusCode::OK,
    )
    .await
}

async fn revoke(
    State(site): State<Site>,
    person: Person,
    Path(word): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    person.admin(&site)?;
    let (what, word, title, effects) = what(&word)?;
    if fields.text("word") != *word {
        let (action, code) = (format!("/admin/revoke/{word}"), StatusCode::UNPROCESSABLE_ENTITY);
        return show_question(
            &site,
            &person,
            (title, effects, key("End")),
            word,
            &action,
            other_word(word),
            code,
        )
        .await;
    }
    let person = proven!(person, &site, &fields, key("You are about to end what is in use."));
    let Revoked { sessions, tokens, keys, .. } =
        site.administration.revoke(&person.admin(&site)?, *what).await?;
    Ok(onward(&format!("/admin/lockdown?sessions={sessions}&tokens={tokens}&keys={keys}")))
}

async fn settings(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/settings").await?;
    let ages = site.ages.load_full().as_ref().clone();
    let mut groups: Vec<(String, Vec<SettingView>)> = Vec::new();
    for setting in (site.settings)() {
        let group = setting.name.split_once('.').map_or("general", |(group, _)| group);
        let title = group.to_owned();
        let view = SettingView {
            name: setting.name,
            value: setting.value.unwrap_or_default(),
            origin: setting.origin,
            secret: setting.secret,
            chosen: setting.chosen,
        };
        match groups.iter_mut().find(|(name, _)| *name == title) {
            Some((_, settings)) => settings.push(view),
            None => groups.push((title, vec![view])),
        }
    }
    Ok(page(StatusCode::OK, html(&SettingsPage { shell, groups, ages })?))
}
