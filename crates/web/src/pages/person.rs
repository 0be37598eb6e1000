//! Somebody on a page of their own: who it is, what stands around the page, and the proof that it is still them before
//! something sensitive happens.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use identity::{AccountRead, AccountWrite, Admin, Credentials, May, Permission, User};
use kernel::{Code, Secret};

use super::form::{Fields, page, refused};
use super::frame;
use crate::Site;
use crate::failure::{Failure, Outcome};
use crate::texts::key;
use crate::ui::form::FormView;
use crate::ui::html;
use crate::ui::shell::Shell;
use crate::ui::sign::ProvePage;
use crate::who::Who;

/// So long a proof counts for sensitive changes.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// Somebody on a page of their own.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) who: Who,
    headers: HeaderMap,
    path: String,
    /// The query of the address.
    pub(crate) query: String,
}

impl FromRequestParts<Site> for Person {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Outcome<Person> {
        let who = Who::from_request_parts(parts, site).await?;
        Ok(Person {
            who,
            headers: parts.headers.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        })
    }
}

/// Whether the person has shown that it is still them.
pub(crate) enum Proof {
    /// They have: with the proof, as whom the rest happens.
    Given(Box<Person>),
    /// They are asked for it on this page.
    Wanted(Response),
}

impl Person {
    /// The proof that the person may; a refusal is audited.
    pub(crate) fn may<P: Permission>(&self, site: &Site, what: P) -> Outcome<May<P>> {
        self.who.may(site, what)
    }

    /// The proof of an admin. To others the pages of admins do not exist; visitors may sign in.
    pub(crate) fn admin(&self, site: &Site) -> Outcome<May<Admin>> {
        self.who.may(site, Admin).map_err(|failure| match failure.0.code() {
            Code::Forbidden => Code::NotFound.into(),
            _ => failure,
        })
    }

    /// What stands around a page of the account.
    pub(crate) async fn shell(&self, site: &Site, here: &'static str) -> Outcome<Shell> {
        let frame = frame(site, Some(&self.who), here).await;
        Ok(Shell {
            frame,
            admin: false,
            here,
            done: None,
            failed: None,
            brake: None,
            open_alerts: 0,
            open_reviews: 0,
            now: site.ambient.now(),
        })
    }

    /// The value of a field of the query.
    pub(crate) fn asked(&self, name: &str) -> String {
        Fields::of_query(Some(&self.query)).text(name).to_owned()
    }

    /// Whether the last proof is fresh enough for a sensitive change; else the page that asks for one, which sends
    /// the same request again with the proof.
    pub(crate) async fn fresh(self, site: &Site, fields: &Fields, what: &str) -> Outcome<Proof> {
        let now = site.ambient.now();
        if self.who.principal.proven_at().is_some_and(|at| now.since(at) < FRESH) {
            return Ok(Proof::Given(Box::new(self)));
        }
        if fields.secret("proof_password").expose().is_empty() {
            return self.ask(site, fields, what, FormView::new(), StatusCode::FORBIDDEN).await;
        }
        self.prove(site, fields, what).await
    }

    /// The password that a change takes in any case; else the page that asks for it.
    pub(crate) async fn password(
        &self,
        site: &Site,
        fields: &Fields,
        what: &str,
    ) -> Outcome<Result<Secret<String>, Response>> {
        let password = fields.secret("proof_password");
        if !password.expose().is_empty() {
            return Ok(Ok(password));
        }
        let user = site.accounts.me(&self.may(site, AccountRead)?).await?;
        // A code is not looked at here, so none is asked for.
        let shown = ProvePage {
            has_second_factor: false,
            ..self.question(site, fields, what, FormView::new(), user).await
        };
        Ok(Err(page(StatusCode::FORBIDDEN, html(&shown)?)))
    }

    async fn prove(self, site: &Site, fields: &Fields, what: &str) -> Outcome<Proof> {
        let may = self.may(site, AccountWrite)?;
        let code = Some(fields.text("proof_code")).filter(|code| !code.is_empty());
        if let Err(fault) = site.accounts.prove(&may, &fields.secret("proof_password"), code).await {
            let (status, form) = match fault.code() {
                Code::Unauthenticated | Code::SecondFactorRequired | Code::Forbidden => (
                    StatusCode::FORBIDDEN,
                    FormView::new().say(key("That was not right. Nothing has been changed.")),
                ),
                _ => refused(FormView::new(), fault)?,
            };
            return self.ask(site, fields, what, form, status).await;
        }
        // Who it is has to be found out anew: the proof is a property of the session.
        let peer = self.who.peer.clone();
        let credentials = Credentials::read(&self.headers);
        let known = site.identity.resolve(credentials, peer.ip, peer.https).await;
        let principal = known.map_err(|refusal| refusal.fault)?.principal;
        Ok(Proof::Given(Box::new(Person { who: Who { principal, peer, fresh: false }, ..self })))
    }

    /// The page that asks, with this said about the last attempt.
    pub(crate) async fn ask(
        self,
        site: &Site,
        fields: &Fields,
        what: &str,
        form: FormView,
        status: StatusCode,
    ) -> Outcome<Proof> {
        let user = site.accounts.me(&self.may(site, AccountRead)?).await?;
        let shown = self.question(site, fields, what, form, user).await;
        Ok(Proof::Wanted(page(status, html(&shown)?)))
    }

    async fn question(
        &self,
        site: &Site,
        fields: &Fields,
        what: &str,
        form: FormView,
        user: User,
    ) -> ProvePage {
        ProvePage {
            frame: frame(site, Some(&self.who), &self.path).await,
            form,
            action: self.path.clone(),
            carried: fields.carried(),
            what: what.to_owned(),
            has_password: user.has_password,
            has_second_factor: user.totp_at.is_some(),
            email: user.email,
        }
    }
}

/// Goes on with the proof, or answers with the page that asks for it.
macro_rules! proven {
    ($person:expr, $site:expr, $fields:expr, $what:expr) => {
        match $person.fresh($site, $fields, $what).await? {
            $crate::pages::person::Proof::Given(person) => *person,
            $crate::pages::person::Proof::Wanted(response) => return Ok(response),
        }
    };
}
pub(crate) use proven;
