//! The one table of error codes: a stable name, a kind, a title. `docs/errors.md` is generated from it.
//! The HTTP status of a kind is decided in one place too: `web::failure`.

/// What sort of failure a code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// The request is malformed.
    Invalid,
    /// The request is well-formed and its content is refused.
    Refused,
    /// Nobody, or nobody known, is asking.
    Unauthenticated,
    /// Somebody known is asking for what they may not have.
    Forbidden,
    /// There is no such thing for this caller.
    NotFound,
    /// The method does not exist on this path.
    MethodNotAllowed,
    /// The state of the thing does not allow it.
    Conflict,
    /// Too many bytes.
    TooLarge,
    /// A content type that is not taken.
    Unsupported,
    /// A part of something that does not have it.
    Range,
    /// A host that this server does not serve.
    Misdirected,
    /// Too many requests.
    Limited,
    /// Something that the server needs is away; try again.
    Unavailable,
    /// Something took too long.
    Timeout,
    /// A defect of the server.
    Internal,
}

macro_rules! codes {
    ($($name:ident = $text:literal, $kind:ident, $title:literal, $help:literal;)*) => {
        /// A stable error code.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Code {
            $(#[doc = $help] $name,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The stable name, as answers carry it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The sort of failure.
            pub const fn kind(self) -> Kind {
                match self { $(Code::$name => Kind::$kind,)* }
            }

            /// A short title for people.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }

            /// What it means and what to do about it.
            pub const fn help(self) -> &'static str {
                match self { $(Code::$name => $help,)* }
            }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", Invalid, "The body is not valid JSON", "The body could not be read as JSON of the expected form. Check quotes, commas and `Content-Type: application/json`.";
    InvalidId = "invalid_id", Invalid, "The id is malformed", "An id in the path or body is not a UUID (or an app id not a plain word). Use ids exactly as this server gave them.";
    InvalidInput = "invalid_input", Invalid, "The input is not valid", "One or more fields are missing, unknown or out of range. `errors` names each field.";
    ContentBlocked = "content_blocked", Refused, "The content is not allowed", "The text was refused by the content rules of the app and was not sent to a model.";
    Spam = "spam", Refused, "The message looks like spam", "The text repeats itself, or repeats earlier messages, too much. Say it once.";
    Unauthenticated = "unauthenticated", Unauthenticated, "Authentication is required", "No credential, or none that this server accepts, came with the request. Send `X-API-Key` or `Authorization: Bearer`.";
    TokenExpired = "token_expired", Unauthenticated, "The token has expired", "The credential was valid once. Refresh it or sign in again.";
    SecondFactorRequired = "second_factor_required", Unauthenticated, "A second factor is required", "The password is right and the account has a second factor. Send the same request again with `code`: six digits of the authenticator, or a recovery code.";
    Forbidden = "forbidden", Forbidden, "This is not allowed", "The credential is valid and does not permit this operation.";
    Inactive = "inactive", Forbidden, "The account is inactive", "An administrator has deactivated the account.";
    Csrf = "csrf", Forbidden, "The request came from another site", "A request that rides on a cookie must come from this site's own pages.";
    HttpsRequired = "https_required", Forbidden, "HTTPS is required", "The request came over plain HTTP. Use HTTPS, and replace any credential that was sent: it has been exposed.";
    LockedDown = "locked_down", Forbidden, "The server is locked down", "An administrator has locked the server for this kind of caller.";
    AddressBlocked = "address_blocked", Forbidden, "The address is blocked", "An administrator has blocked the address that the request came from.";
    NotFound = "not_found", NotFound, "Not found", "There is no such thing, or it belongs to somebody else.";
    MethodNotAllowed = "method_not_allowed", MethodNotAllowed, "The method is not allowed here", "The path exists and does not answer to this method; `Allow` lists those that it does.";
    Conflict = "conflict", Conflict, "The state does not allow this", "The thing changed, exists already, or is busy. Read it again and retry.";
    ConversationFull = "conversation_full", Conflict, "The conversation is full", "The conversation holds as many messages as the app allows. Start a new one.";
    TooManyConversations = "too_many_conversations", Conflict, "Too many conversations", "This caller has as many conversations as the app allows. Delete one first.";
    IdempotencyConflict = "idempotency_conflict", Conflict, "The idempotency key was used for another request", "The same `Idempotency-Key` came with a different body. Use a new key for a new request.";
    TooLarge = "too_large", TooLarge, "The body is too large", "The body exceeds the limit of this route, counted after decompression.";
    QuotaExceeded = "quota_exceeded", TooLarge, "There is no room for this", "What the caller stores would exceed its quota. Delete files for good, or empty the trash: what lies there counts.";
    RangeNotSatisfiable = "range_not_satisfiable", Range, "The range is not there", "`Range` asks for bytes behind the end; `Content-Range` tells how many there are.";
    UnsupportedType = "unsupported_type", Unsupported, "The content type is not supported", "The route takes `application/json` (or the types its documentation names).";
    UnknownHost = "unknown_host", Misdirected, "The host is not served here", "The `Host` header names none of `ALLOWED_HOSTS`.";
    RateLimited = "rate_limited", Limited, "Rate limit exceeded", "Too many requests in the window. Wait for `Retry-After` seconds.";
    Unavailable = "unavailable", Unavailable, "The service is temporarily unavailable", "The database, or something else that the server needs, is away or overloaded. Nothing was lost; try again after `Retry-After` seconds.";
    ModelUnavailable = "model_unavailable", Unavailable, "The model is temporarily unavailable", "The model provider did not answer properly. Try again; `stoa doctor` tells the operator what is wrong.";
    Timeout = "timeout", Timeout, "The answer took too long", "No answer within the deadline. Ask for a stream, or for less.";
    Internal = "internal", Internal, "Something went wrong on our side", "A defect of the server. The log holds the cause under the request id.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_snake_case() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
}
