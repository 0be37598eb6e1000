//! How a call to Amazon Web Services can fail: a closed list. It holds Amazon's own code of an error, cut to what a
//! code looks like, and never its message, a credential or a value.

use std::error::Error;
use std::fmt;

use kernel::{Code, Fault};

use crate::outbound;

/// Why a call failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// There is nowhere to get credentials from.
    NoCredentials,
    /// The file of a token cannot be read.
    TokenFile(std::io::ErrorKind),
    /// No answer from this service.
    Call(&'static str, outbound::Failure),
    /// The service refused.
    Refused {
        /// Which service.
        service: &'static str,
        /// The status.
        status: u16,
        /// Amazon's code, such as `AccessDeniedException`; empty when there is none.
        code: String,
    },
    /// The answer of this service is not of the expected form.
    Garbage(&'static str, &'static str),
    /// The request cannot be written as it must be.
    Request(&'static str),
}

impl Failure {
    /// A refusal with this code as the service wrote it.
    pub(super) fn refused(service: &'static str, status: u16, code: &str) -> Failure {
        // `com.amazon.coral.service#AccessDeniedException:http://…` is one way to write it.
        let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
        let code = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        Failure::Refused { service, status, code }
    }

    /// Whether the same call may succeed a little later.
    pub fn may_pass(&self) -> bool {
        match self {
            Failure::Call(..) => true,
            Failure::Refused { status, code, .. } => {
                *status >= 500
                    || *status == 429
                    || code.contains("Throttl")
                    || code.contains("TooManyRequests")
            }
            _ => false,
        }
    }

    /// What the operator can do about it; empty when the words of the failure say it all.
    pub fn fix(&self) -> &'static str {
        match self {
            Failure::NoCredentials => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the task or instance a role"
            }
            Failure::Refused { code, .. } => match code.as_str() {
                "AccessDenied" | "AccessDeniedException" => "give the role the permission for this call",
                "ExpiredToken" | "ExpiredTokenException" => "replace the temporary credentials",
                "UnrecognizedClientException" | "InvalidClientTokenId" => "check the access key",
                "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestExpired" => {
                    "check the secret key and this machine's clock"
                }
                _ => "",
            },
            _ => "",
        }
    }
}

impl Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoCredentials => f.write_str("there are no AWS credentials"),
            Failure::TokenFile(kind) => write!(f, "the file of the token cannot be read ({kind})"),
            Failure::Call(service, failure) => write!(f, "{service}: {failure}"),
            Failure::Refused { service, status, code } if code.is_empty() => {
                write!(f, "{service}: status {status}")
            }
            Failure::Refused { service, status, code } => write!(f, "{service}: status {status}, {code}"),
            Failure::Garbage(service, what) => write!(f, "{service}: {what}"),
            Failure::Request(what) => f.write_str(what),
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        Fault::new(Code::Unavailable).because(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_cut_to_a_code() {
        let code = |text: &str| match Failure::refused("STS", 400, text) {
            Failure::Refused { code, .. } => code,
            _ => String::new(),
        };
        assert_eq!(
            code("com.amazon.coral.service#AccessDeniedException:http://x/y"),
            "AccessDeniedException"
        );
        assert_eq!(code("<b>nonsense\n"), "bnonsense");
        assert!(Failure::refused("STS", 400, "ThrottlingException").may_pass());
        assert!(!Failure::refused("STS", 403, "AccessDenied").may_pass());
    }
}
