//! What pages have to know before somebody is known: whether accounts can be made, and whether mail is sent.

use super::Accounts;
use crate::Registration;

impl Accounts {
    /// Who may make an account.
    pub fn registration(&self) -> Registration {
        self.config.registration
    }

    /// Whether links are sent by mail.
    pub fn sends_mail(&self) -> bool {
        self.config.mail
    }

    /// The names of the issuers that a page can offer for sign-in.
    pub fn issuers(&self) -> Vec<String> {
        Vec::new()
    }

    /// An ID token of a configured issuer.
    #[allow(clippy::unused_async, reason = "asks the issuer for its keys")]
    pub async fn exchange(
        &self,
        _: &kernel::Secret<String>,
        _: &crate::Context,
    ) -> kernel::Result<super::Verified> {
        Err(kernel::Fault::new(kernel::Code::Unauthenticated))
    }
}
