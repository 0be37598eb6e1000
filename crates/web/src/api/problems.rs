//! The ways in which an operation can refuse, as the OpenAPI document lists them. One set for each sort of operation,
//! so that no status is forgotten.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::response::Response;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

/// An operation without a caller that takes a secret or a token.
pub(crate) struct Entrance;
/// An operation that reads a list or something of the caller's own.
pub(crate) struct Reading;
/// An operation that reads, ends or changes one thing by its id, without a body.
pub(crate) struct OnOne;
/// An operation that takes a body.
pub(crate) struct Changing;

const MALFORMED: (&str, &str) = ("400", "Malformed input; `errors` names the field");
const NOBODY: (&str, &str) = ("401", "No valid credential");
const FORBIDDEN: (&str, &str) =
    ("403", "Not for this caller, the account is inactive, the server is locked down, or another site asked");
const ABSENT: (&str, &str) = ("404", "There is no such thing for this caller");
const BUSY: (&str, &str) = ("409", "The state does not allow it");
const LARGE: (&str, &str) = ("413", "The body is too large");
const NOT_JSON: (&str, &str) = ("415", "The body is not JSON");
const REFUSED: (&str, &str) = ("422", "The text is refused");
const LIMITED: (&str, &str) = ("429", "Too many requests");
const AWAY: (&str, &str) = ("503", "The database is away");

type Listed = BTreeMap<String, RefOr<Response>>;

fn listed<const N: usize>(rows: [(&str, &str); N]) -> Listed {
    let problem = |description: &str| {
        let schema = Ref::from_schema_name("Problem");
        ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build())
            .build()
    };
    rows.into_iter().map(|(status, description)| (status.to_owned(), problem(description).into())).collect()
}

impl IntoResponses for Entrance {
    fn responses() -> Listed {
        let malformed =
            ("400", "Malformed input, or a token of a link that is not right, was used or has expired");
        let nobody = ("401", "What was shown is not right, or a second factor is required");
        listed([malformed, nobody, FORBIDDEN, LARGE, NOT_JSON, REFUSED, LIMITED, AWAY])
    }
}

impl IntoResponses for Reading {
    fn responses() -> Listed {
        listed([MALFORMED, NOBODY, FORBIDDEN, LIMITED, AWAY])
    }
}

impl IntoResponses for OnOne {
    fn responses() -> Listed {
        listed([MALFORMED, NOBODY, FORBIDDEN, ABSENT, BUSY, LIMITED, AWAY])
    }
}

impl IntoResponses for Changing {
    fn responses() -> Listed {
        listed([MALFORMED, NOBODY, FORBIDDEN, ABSENT, BUSY, LARGE, NOT_JSON, REFUSED, LIMITED, AWAY])
    }
}
