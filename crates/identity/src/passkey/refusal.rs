//! Why an answer of a browser is refused: for the log and the audit trail, and how little of it the caller hears.

use std::fmt;

use kernel::{Code, Fault};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $(($detail:ty))? = $text:literal, $sentence:literal;)*) => {
        /// Why an answer of a browser is refused.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Refusal {
            $($(#[$doc])* $name $(($detail))?,)*
        }

        impl Refusal {
            /// A stable name for the audit trail.
            pub const fn as_str(self) -> &'static str {
                match self { $(Refusal::$name { .. } => $text,)* }
            }

            const fn sentence(self) -> &'static str {
                match self { $(Refusal::$name { .. } => $sentence,)* }
            }
        }
    };
}

refusals! {
    /// The answer has not the form of a credential.
    Form(&'static str) = "malformed", "The answer of the browser has not the form of a passkey.";
    /// The authenticator's part is not the canonical CBOR that it has to be.
    Cbor(&'static str) = "malformed_cbor", "The passkey cannot be read.";
    /// The authenticator data are cut off, or more or less than their flags say.
    AuthenticatorData = "malformed_data", "The passkey cannot be read.";
    /// The state is forged, of another purpose or another user's.
    State = "state", "This was begun by somebody else, or for something else. Begin again.";
    /// The state is too old.
    Expired = "expired", "That took too long. Begin again.";
    /// The browser did something else than it was asked.
    Type = "type", "The browser did something else than it was asked.";
    /// The browser answered to another challenge.
    Challenge = "challenge", "The answer belongs to another question. Begin again.";
    /// The page that asked is not one of ours.
    Origin = "origin", "The page that asked for the passkey is not served under the public address of this server.";
    /// The page that asked lay in a frame of another site.
    CrossOrigin = "cross_origin", "The page that asked for the passkey lies in a frame of another site.";
    /// The passkey is for another site.
    Party = "party", "The passkey belongs to another site.";
    /// Nobody touched the authenticator.
    Presence = "presence", "Nobody was there to confirm.";
    /// The authenticator did not verify its user.
    Verification = "verification", "The passkey has to ask for a PIN, a fingerprint or a face.";
    /// Backed up, and cannot be: the two flags contradict each other.
    Backup = "backup", "The passkey contradicts itself.";
    /// A passkey that could be backed up no longer can, or the other way round.
    Eligibility = "backup_eligibility", "The passkey is not what it was.";
    /// The credential's id is too short, too long, or not the same everywhere.
    CredentialId = "credential_id", "The passkey names itself in two ways, or by a name that is too short or too long.";
    /// Neither ES256, EdDSA nor RS256.
    Algorithm = "algorithm", "The passkey signs in a way that was not asked for.";
    /// The public key has not the form that its algorithm demands.
    Key = "public_key", "The passkey has a key that cannot be used.";
    /// The passkey cannot be found without being named.
    Discoverable = "not_discoverable", "The passkey was not kept on the device, so it could not sign you in.";
    /// There is no such passkey.
    Unknown = "unknown", "There is no such passkey.";
    /// The passkey is another user's.
    User = "user", "The passkey belongs to another account.";
    /// The signature is wrong.
    Signature = "signature", "The signature is wrong.";
    /// The counter did not grow: two authenticators hold this key.
    Counter = "counter", "The passkey seems to have been copied.";
    /// What was kept of the passkey cannot be read: our own fault.
    Kept = "kept_key", "The stored passkey cannot be read.";
}

impl Refusal {
    /// What somebody who is signed in and adds a passkey hears: the reason, since it is their own device.
    pub fn at_registration(self) -> Fault {
        Fault::invalid("credential", self.as_str(), self.sentence()).because(self)
    }

    /// What somebody who signs in hears: one sentence for all, except that a new attempt helps against lateness.
    pub fn at_sign_in(self) -> Fault {
        match self {
            Refusal::Kept => Fault::internal(self),
            Refusal::Expired => Fault::new(Code::Unauthenticated).say(self.sentence()).because(self),
            _ => Fault::new(Code::Unauthenticated)
                .say("The passkey was not accepted. Try again, or sign in another way.")
                .because(self),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Form(detail) | Refusal::Cbor(detail) => write!(f, "{}: {detail}", self.as_str()),
            _ => f.write_str(self.as_str()),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signs_in_does_not_hear_why() {
        let said = Refusal::Unknown.at_sign_in();
        assert_eq!(said.message(), Refusal::Signature.at_sign_in().message());
        assert_eq!(said.code(), Code::Unauthenticated);
        assert!(format!("{said:?}").contains("unknown"), "and the log does");
        assert_eq!(Refusal::Kept.at_sign_in().code(), Code::Internal);
        assert_ne!(Refusal::Expired.at_sign_in().message(), said.message());
        let at_registration = Refusal::Verification.at_registration();
        assert_eq!(at_registration.code(), Code::InvalidInput);
        assert!(at_registration.message().contains("PIN"));
    }
}
