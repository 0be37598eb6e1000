//! One's own account: what it is, its name and password, all of its data, its end.

use std::time::Duration;

use apps::{Takeout, TakeoutForm};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use identity::{AccountRead, AccountWrite, DataErase, DataExport, Erased, User};
use kernel::{Code, Fault, Language, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::auth::Accepted;
use super::input::{Hidden, Text};
use super::order::given;
use super::problems::{Changing, Entrance, Reading};
use crate::Site;
use crate::body::{Json, MaybeJson, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// Who proved their identity this long ago need not do it again for a sensitive change.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// An app and what the account may do in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// The app.
    #[schema(example = "workspace")]
    pub(crate) app: String,
    /// `use` or `manage`.
    #[schema(example = "use")]
    pub(crate) level: &'static str,
}

impl EntryView {
    /// The apps that a caller may enter.
    pub(crate) fn of(who: &identity::Principal) -> Vec<EntryView> {
        let level = |app| who.level(app).map_or("use", kernel::Level::as_str);
        who.apps().iter().map(|app| EntryView { app: app.to_string(), level: level(app) }).collect()
    }
}

/// One's own account.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeView {
    /// Its id.
    id: Uuid,
    /// Its address; `null` when it has none.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// What the person is called.
    name: String,
    /// `user` or `admin`.
    role: &'static str,
    /// The address is proven.
    verified: bool,
    /// It has a password; one that came through another issuer may have none.
    has_password: bool,
    /// When the password was set.
    #[schema(value_type = Option<String>, format = DateTime)]
    password_changed_at: Option<Time>,
    /// The second factor.
    second_factor: SecondFactorView,
    /// The apps it may enter.
    apps: Vec<EntryView>,
    /// The language in which it is spoken to on every device and in mails: `en`, `de`, `es`, `fr` or `ar`; `null`: as each
    /// browser asks for.
    #[schema(example = "de")]
    language: Option<&'static str>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When somebody last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in_at: Option<Time>,
}

/// The second factor of an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecondFactorView {
    /// An authenticator is enrolled.
    totp: bool,
    /// How many recovery codes are left.
    recovery_codes_left: u32,
    /// How many passkeys it has.
    passkeys: u32,
}

impl MeView {
    fn of(user: User, who: &Who, recovery_codes_left: u32) -> axum::Json<MeView> {
        axum::Json(MeView {
            id: user.id.uuid(),
            email: Some(user.email).filter(|email| !email.is_empty()),
            name: user.name,
            role: user.role.as_str(),
            verified: user.verified_at.is_some(),
            has_password: user.has_password,
            password_changed_at: user.password_at,
            second_factor: SecondFactorView {
                totp: user.totp_at.is_some(),
                recovery_codes_left,
                passkeys: user.passkeys,
            },
            apps: EntryView::of(&who.principal),
            language: user.language.map(Language::tag),
            created_at: user.created_at,
            last_sign_in_at: user.last_sign_in_at,
        })
    }
}

/// One's own account.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "readMe", tag = "account", responses(
    (status = 200, description = "The account", body = MeView),
    Reading,
))]
pub(crate) async fn read(State(site): State<Site>, who: Who) -> Outcome<axum::Json<MeView>> {
    let may = who.may(&site, AccountRead)?;
    let user = site.accounts.me(&may).await?;
    let left = site.accounts.recovery_left(&may).await?;
    Ok(MeView::of(user, &who, left))
}

/// What replaces the old values.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeChange {
    /// What to call the person.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<Text>,
    /// In which language to speak to them: `en`, `de`, `es`, `fr` or `ar`; `null` leaves it to each browser.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, pattern = "^(en|de|es|fr|ar)$")]
    language: Option<Option<String>>,
}

/// Changes one's own name or language, or both.
#[utoipa::path(put, path = "/api/v1/me", operation_id = "changeMe", tag = "account", request_body = MeChange, responses(
    (status = 200, description = "The account", body = MeView),
    Changing,
))]
pub(crate) async fn change(
    State(site): State<Site>,
    who: Who,
    Json(change): Json<MeChange>,
) -> Outcome<axum::Json<MeView>> {
    let may = who.may(&site, AccountWrite)?;
    let language = change.language.map(|tag| tag.as_deref().map(language_field).transpose()).transpose()?;
    let named = match &change.name {
        Some(name) => Some(site.accounts.set_name(&may, &name.0).await?),
        None => None,
    };
    let user = match (language, named) {
        (Some(language), _) => site.accounts.set_language(&may, language).await?,
        (None, Some(user)) => user,
        (None, None) => {
            return Err(Fault::invalid("name", "required", "name a new `name` or `language`").into());
        }
    };
    let left = site.accounts.recovery_left(&who.may(&site, AccountRead)?).await?;
    Ok(MeView::of(user, &who, left))
}

fn language_field(tag: &str) -> Result<Language, Fault> {
    let known = Language::ALL.into_iter().find(|language| language.tag() == tag);
    known.ok_or_else(|| Fault::invalid("language", "unknown", "a language is `en`, `de`, `es`, `fr` or `ar`"))
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password until now.
    #[schema(value_type = String, min_length = 1)]
    current_password: Hidden,
    /// The password from now on: at least 15 characters, or 8 with a second factor.
    #[schema(value_type = String, min_length = 8, max_length = 256)]
    new_password: Hidden,
    /// A code, for an account with a second factor.
    #[schema(value_type = Option<String>, min_length = 1)]
    code: Option<Hidden>,
}

/// Changes one's own password. Every other session of the account ends.
#[utoipa::path(put, path = "/api/v1/me/password", operation_id = "changePassword", tag = "account", request_body = PasswordChange, responses(
    (status = 204, description = "The password is changed"),
    Changing,
))]
pub(crate) async fn password(
    State(site): State<Site>,
    who: Who,
    Json(change): Json<PasswordChange>,
) -> Outcome<http::StatusCode> {
    let may = who.may(&site, AccountWrite)?;
    let code = change.code.as_ref().map(|code| code.0.expose().as_str());
    site.accounts.change_password(&may, &change.current_password.0, &change.new_password.0, code).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// Another address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailChange {
    /// The address from now on.
    #[schema(value_type = String, format = "email", min_length = 1, max_length = 254, example = "ada@example.com")]
    email: Text,
    /// The password; not needed within 15 minutes after signing in.
    #[schema(value_type = Option<String>, min_length = 1)]
    password: Option<Hidden>,
    /// A code, for an account with a second factor.
    #[schema(value_type = Option<String>, min_length = 1)]
    code: Option<Hidden>,
}

/// Asks for another address of one's own account. The answer is the same whether the address is free or not.
#[utoipa::path(put, path = "/api/v1/me/email", operation_id = "changeEmail", tag = "account", request_body = EmailChange, responses(
    (status = 202, description = "Accepted. Where mail is configured the address changes when the link that goes there is opened, else it has changed if it is free", body = Accepted),
    Changing,
))]
pub(crate) async fn email(
    State(site): State<Site>,
    who: Who,
    Json(change): Json<EmailChange>,
) -> Outcome<Response> {
    let may = who.may(&site, AccountWrite)?;
    let code = change.code.as_ref().map(|code| code.0.expose().as_str());
    let password = change.password.as_ref().map(|password| &password.0);
    site.accounts.change_email(&may, &change.email.0, password, code).await?;
    Ok(Accepted::answer())
}

/// Everything that is stored about a subject.
#[derive(ToSchema)]
#[schema(as = SubjectExport)]
#[expect(dead_code, reason = "the document is written piece by piece; this says what it looks like")]
pub(crate) struct ExportView {
    /// Whose data it is.
    #[schema(example = "user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d")]
    subject: String,
    /// When it was gathered.
    #[schema(value_type = String, format = DateTime)]
    exported_at: Time,
    /// The rows of each table, opened.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Object>>)]
    tables: BTreeMap<&'static str, Vec<Map<String, Value>>>,
}

/// In which form.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportForm {
    /// `json` (unless said), or `zip`: an archive with the same document, the contents of the files and a list of them.
    #[param(pattern = "^(json|zip)$")]
    format: Option<String>,
}

impl ExportForm {
    /// The form that is asked for.
    pub(crate) fn read(&self) -> Result<TakeoutForm, Fault> {
        match self.format.as_deref() {
            None | Some("json") => Ok(TakeoutForm::Json),
            Some("zip") => Ok(TakeoutForm::Zip),
            Some(_) => Err(Fault::invalid("format", "unknown", "`format` is `json` or `zip`")),
        }
    }
}

/// An export as a file, which is made while it leaves. What fails in the middle cuts it off: the client sees that it is
/// not whole.
pub(crate) fn export_answer(takeout: Takeout, form: TakeoutForm) -> Response {
    let pieces = futures_util::stream::unfold(Some(takeout), |takeout| async move {
        let mut takeout = takeout?;
        match takeout.next().await? {
            Ok(piece) => Some((Ok(bytes::Bytes::from(piece)), Some(takeout))),
            Err(_) => Some((Err(std::io::Error::other("the export cannot go on")), None)),
        }
    });
    // Whoever compresses asks once more after the end.
    let pieces = futures_util::StreamExt::fuse(pieces);
    let (kind, name) = match form {
        TakeoutForm::Json => ("application/json", "attachment; filename=\"stoa-export.json\""),
        TakeoutForm::Zip => ("application/zip", "attachment; filename=\"stoa-export.zip\""),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    (headers, axum::body::Body::from_stream(pieces)).into_response()
}

/// All of one's own data: the account, conversations, messages, keys, sessions, files. For visitors too: what their
/// cookie stands for.
#[utoipa::path(get, path = "/api/v1/me/export", operation_id = "exportMe", tag = "account", params(ExportForm), responses(
    (status = 200, description = "Everything that is stored, as it is read", content(
        (ExportView = "application/json"),
        (Vec<u8> = "application/zip"),
    )),
    Reading,
))]
pub(crate) async fn export(
    State(site): State<Site>,
    who: Who,
    Query(form): Query<ExportForm>,
) -> Outcome<Response> {
    known(&who)?;
    let (form, may) = (form.read()?, who.may(&site, DataExport)?);
    let pages = site.accounts.export(&may).await?;
    Ok(export_answer(site.hall.takeout(&may, pages, form), form))
}

/// A visitor that this request has made has nothing: whoever comes without a credential is asked for one.
fn known(who: &Who) -> Result<(), Fault> {
    if who.fresh { Err(Fault::new(Code::Unauthenticated)) } else { Ok(()) }
}

/// The proof that it is the owner who wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Farewell {
    /// The password; not needed within 15 minutes after signing in.
    #[schema(value_type = String, min_length = 1)]
    password: Hidden,
    /// A code, for an account with a second factor.
    #[schema(value_type = Option<String>, min_length = 1)]
    code: Option<Hidden>,
}

/// What an erasure took away.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Erasure)]
pub(crate) struct ErasureView {
    /// Whoever holds this id may read the receipt.
    id: Uuid,
    /// Whose data it was.
    #[schema(example = "user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d")]
    subject: String,
    /// When it was erased.
    #[schema(value_type = String, format = DateTime)]
    erased_at: Time,
    /// How many things went from each store.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    counts: BTreeMap<String, u64>,
    /// What was found when it was looked whether anything is left.
    scan: Option<ScanView>,
}

/// A look at what is left after an erasure.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = ErasureScan)]
pub(crate) struct ScanView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    /// What is still there, by store; `bytes` are contents of files that are being removed. Empty: nothing is left.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    left: BTreeMap<String, u64>,
    /// It is certain: some seconds have passed, in which whatever was on its way would have come.
    settled: bool,
}

impl ErasureView {
    pub(crate) fn of(erased: Erased) -> axum::Json<ErasureView> {
        axum::Json(ErasureView {
            id: erased.id,
            subject: erased.subject,
            erased_at: erased.erased_at,
            counts: erased.counts,
            scan: erased.scan.map(|scan| ScanView { at: scan.at, left: scan.left, settled: scan.settled }),
        })
    }
}

/// Erases one's own account with everything in it, or what a visitor's cookie stands for. The answer is the receipt.
#[utoipa::path(delete, path = "/api/v1/me", operation_id = "eraseMe", tag = "account", request_body = Option<Farewell>, responses(
    (status = 200, description = "The receipt", body = ErasureView),
    Changing,
))]
pub(crate) async fn erase(
    State(site): State<Site>,
    who: Who,
    MaybeJson(farewell): MaybeJson<Farewell>,
) -> Outcome<axum::Json<ErasureView>> {
    known(&who)?;
    let erase = who.may(&site, DataErase)?;
    if !who.principal.is_visitor() {
        let may = who.may(&site, AccountWrite)?;
        match farewell {
            Some(shown) => {
                let code = shown.code.as_ref().map(|code| code.0.expose().as_str());
                site.accounts.prove(&may, &shown.password.0, code).await?;
            }
            None if is_recent(&site, &who) => {}
            None => {
                return Err(Fault::new(Code::Forbidden)
                    .say("send your password with this request, or sign in again first")
                    .into());
            }
        }
    }
    Ok(ErasureView::of(site.accounts.erase(&erase).await?))
}

fn is_recent(site: &Site, who: &Who) -> bool {
    let now = site.ambient.now();
    who.principal.proven_at().is_some_and(|at| now.since(at) < FRESH)
}

/// The receipt of an erasure. Its id cannot be guessed and is all that is needed: the account is gone.
#[utoipa::path(get, path = "/api/v1/erasures/{id}", operation_id = "readErasure", tag = "account", security(()),
    params(("id" = Uuid, Path, description = "The id of the receipt")), responses(
    (status = 200, description = "The receipt", body = ErasureView),
    (status = 404, description = "There is no such receipt", body = super::view::ProblemView),
    Entrance,
))]
pub(crate) async fn receipt(
    State(site): State<Site>,
    Path(id): Path<String>,
) -> Outcome<axum::Json<ErasureView>> {
    let id = kernel::RequestId::parse(&id)?.uuid();
    Ok(ErasureView::of(site.accounts.receipt(id).await?))
}
