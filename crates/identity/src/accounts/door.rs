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
}
