//! The second factor: an authenticator app and recovery codes.

use kernel::Secret;

/// An authenticator that is being enrolled.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret in base32, to type in.
    pub secret: Secret<String>,
    /// The `otpauth:` address, to show as a picture.
    pub address: Secret<String>,
}

/// Recovery codes: shown once, usable once each.
#[derive(Debug)]
pub struct RecoveryCodes(pub Vec<Secret<String>>);
