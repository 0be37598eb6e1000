//! The shape of what is still being built.
#![allow(unused_variables, clippy::unused_async)]

use super::*;
use crate::{AccountWrite, Context};
use kernel::{Code, Page, PageRequest, PasskeyId};
use serde_json::Value;
use store::{Passkey, Session};

fn later<T>() -> Result<T> {
    Err(Fault::new(Code::Unavailable))
}

impl Accounts {
    pub fn new(config: &Config, parts: AccountParts) -> Accounts {
        let devices = Devices::new(&config.cookie_secrets, config.secure_cookies);
        Accounts { parts, config: config.clone(), devices }
    }

    // ---- signing in and out
    pub async fn sign_in(
        &self,
        email: &str,
        password: &Secret<String>,
        code: Option<&str>,
        from: &Context,
    ) -> Result<Verified> {
        later()
    }
    pub async fn open_browser(&self, who: Verified, from: &Context) -> Result<Browser> {
        later()
    }
    pub async fn open_tokens(&self, who: Verified, from: &Context) -> Result<Tokens> {
        later()
    }
    pub async fn refresh(&self, refresh_token: &Secret<String>, from: &Context) -> Result<Tokens> {
        later()
    }
    /// An ID token of a configured issuer.
    pub async fn exchange(&self, id_token: &Secret<String>, from: &Context) -> Result<Verified> {
        later()
    }
    /// Ends this session; gives the `Set-Cookie` value that takes the browser's cookie away.
    pub async fn sign_out(&self, may: &May<AccountWrite>, https: bool) -> Result<String> {
        later()
    }
    pub async fn sign_out_everywhere(&self, may: &May<AccountWrite>, keep_current: bool) -> Result<()> {
        later()
    }
    /// Proves again who one is, for sensitive changes in the next 15 minutes.
    pub async fn prove(
        &self,
        may: &May<AccountWrite>,
        password: &Secret<String>,
        code: Option<&str>,
    ) -> Result<()> {
        later()
    }

    // ---- joining
    pub async fn register(
        &self,
        email: &str,
        password: &Secret<String>,
        name: &str,
        invitation: Option<&str>,
        from: &Context,
    ) -> Result<()> {
        later()
    }
    pub async fn verify(&self, token: &str, from: &Context) -> Result<()> {
        later()
    }
    pub async fn forgot(&self, email: &str, from: &Context) -> Result<()> {
        later()
    }
    pub async fn reset(&self, token: &str, new: &Secret<String>, from: &Context) -> Result<()> {
        later()
    }
    pub async fn claim(
        &self,
        token: &str,
        email: &str,
        password: &Secret<String>,
        from: &Context,
    ) -> Result<Verified> {
        later()
    }
    /// Whether nobody runs the server yet.
    pub async fn setup_open(&self) -> Result<bool> {
        later()
    }
    /// At the start: a new set-up token, when nobody runs the server yet.
    pub async fn open_setup(&self) -> Result<Option<Secret<String>>> {
        later()
    }

    // ---- one's own account
    pub async fn me(&self, may: &May<AccountRead>) -> Result<User> {
        later()
    }
    pub async fn set_name(&self, may: &May<AccountWrite>, name: &str) -> Result<User> {
        later()
    }
    pub async fn change_password(
        &self,
        may: &May<AccountWrite>,
        current: &Secret<String>,
        new: &Secret<String>,
        code: Option<&str>,
    ) -> Result<()> {
        later()
    }
    pub async fn sessions(&self, may: &May<AccountRead>, page: PageRequest) -> Result<Page<Session>> {
        later()
    }
    pub async fn end_session(&self, may: &May<AccountWrite>, id: SessionId) -> Result<()> {
        later()
    }

    // ---- second factors
    /// Begins to enrol an authenticator; the password unless proven within 15 minutes.
    pub async fn begin_totp(
        &self,
        may: &May<AccountWrite>,
        password: Option<&Secret<String>>,
    ) -> Result<Enrolment> {
        later()
    }
    pub async fn confirm_totp(&self, may: &May<AccountWrite>, code: &str) -> Result<RecoveryCodes> {
        later()
    }
    pub async fn remove_totp(&self, may: &May<AccountWrite>, password: &Secret<String>) -> Result<()> {
        later()
    }
    pub async fn regenerate_recovery(
        &self,
        may: &May<AccountWrite>,
        password: &Secret<String>,
    ) -> Result<RecoveryCodes> {
        later()
    }
    pub async fn recovery_left(&self, may: &May<AccountRead>) -> Result<u32> {
        later()
    }
    pub async fn passkeys(&self, may: &May<AccountRead>) -> Result<Vec<Passkey>> {
        later()
    }
    /// The options for `navigator.credentials.create` and a sealed state that comes back with the answer.
    pub async fn begin_passkey(
        &self,
        may: &May<AccountWrite>,
        password: Option<&Secret<String>>,
    ) -> Result<(Value, String)> {
        later()
    }
    pub async fn finish_passkey(
        &self,
        may: &May<AccountWrite>,
        state: &str,
        answer: &Value,
        name: &str,
    ) -> Result<Passkey> {
        later()
    }
    pub async fn remove_passkey(
        &self,
        may: &May<AccountWrite>,
        id: PasskeyId,
        password: Option<&Secret<String>>,
    ) -> Result<()> {
        later()
    }
    /// The options for `navigator.credentials.get` and a sealed state that comes back with the answer.
    pub async fn begin_passkey_sign_in(&self, from: &Context) -> Result<(Value, String)> {
        later()
    }
    pub async fn finish_passkey_sign_in(
        &self,
        state: &str,
        answer: &Value,
        from: &Context,
    ) -> Result<Verified> {
        later()
    }

    // ---- other issuers
    /// The names of the issuers that a page can offer for sign-in.
    pub fn issuers(&self) -> Vec<String> {
        Vec::new()
    }
    /// Where to send the browser, and the cookie that it must bring back. `return_to` is a path on this server.
    pub async fn oidc_start(&self, name: &str, return_to: &str, from: &Context) -> Result<Departure> {
        later()
    }
    /// What the issuer sent the browser back with: the query of the callback and the value of the cookie.
    pub async fn oidc_finish(
        &self,
        name: &str,
        query: &str,
        cookie: Option<&str>,
        from: &Context,
    ) -> Result<(Verified, String)> {
        later()
    }
}
