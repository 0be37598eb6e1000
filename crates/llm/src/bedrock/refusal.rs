//! What Bedrock's errors mean to us, whether they come as a status or inside of a stream. It never reads their text.

use std::time::Duration;

use crate::failure::{Denial, Failure};

/// An answer that is none: Amazon's name for what is wrong, which a gateway may have dropped, and the status.
pub(super) fn of(code: &str, status: u16, wait: Option<Duration>) -> Failure {
    // `com.amazon.coral.service#AccessDeniedException:http://…` is one way to write it.
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    match named(code, wait) {
        Some(failure) => failure,
        None => match status {
            401 => Failure::Denied(Denial::Key),
            403 => Failure::Denied(Denial::Permission),
            404 => Failure::Denied(Denial::Model),
            429 => Failure::Busy(wait),
            500.. => Failure::Broken(status),
            status => Failure::Refused(status),
        },
    }
}

/// An exception inside of a stream, whose name begins with a small letter there.
pub(super) fn inside(code: &str) -> Failure {
    let mut letters = code.chars();
    let code: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    named(&code, None).unwrap_or(Failure::Garbage("Bedrock reports an error inside of the stream"))
}

fn named(code: &str, wait: Option<Duration>) -> Option<Failure> {
    Some(match code {
        "ThrottlingException" | "TooManyRequestsException" | "ServiceQuotaExceededException" => {
            Failure::Busy(wait)
        }
        // The model is being loaded.
        "ModelNotReadyException" => Failure::Busy(wait),
        "InternalServerException" | "InternalFailure" | "InternalError" => Failure::Broken(500),
        "ServiceUnavailableException" | "ServiceUnavailable" => Failure::Broken(503),
        // The model stumbled; another try may go well.
        "ModelErrorException" | "ModelStreamErrorException" => Failure::Broken(424),
        // The model needed too long, and would again.
        "ModelTimeoutException" => Failure::Broken(408),
        "ValidationException" | "BadRequestException" => Failure::Refused(400),
        "ResourceNotFoundException" => Failure::Denied(Denial::Model),
        "AccessDeniedException" | "AccessDenied" | "NotAuthorized" | "OptInRequired" => {
            Failure::Denied(Denial::Permission)
        }
        "ExpiredTokenException" | "ExpiredToken" => Failure::Denied(Denial::Expired),
        "UnrecognizedClientException" | "InvalidClientTokenId" | "MissingAuthenticationTokenException" => {
            Failure::Denied(Denial::Key)
        }
        "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignatureException"
        | "RequestExpired" => Failure::Denied(Denial::Signature),
        _ => return None,
    })
}
