//! What pages have to know before somebody is known: whether accounts can be made, and whether mail is sent.

use super::Accounts;
use crate::Registration;

impl Accounts {
    /// Who may make an account.
    pub const fn registration(&self) -> Registration {
        self.config.registration
    }

    /// Whether links are sent by mail.
    pub const fn sends_mail(&self) -> bool {
        self.config.mail
    }
}

impl super::Enrolment {
    /// The address as a picture to scan: one SVG element.
    pub fn picture(&self) -> kernel::Result<kernel::Secret<String>> {
        crypto::totp::qr_svg(&self.address)
    }
}
