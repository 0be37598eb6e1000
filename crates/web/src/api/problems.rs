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
/// An operation that a model answers.
pub(crate) struct Talking;
/// The same, where errors have the shape that OpenAI gives them.
pub(crate) struct Compatible;
/// An operation that lists, where errors have the shape that OpenAI gives them.
pub(crate) struct CompatibleReading;

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

const AWAY_TOO: (&str, &str) = ("503", "The database or the model is away");
const LATE: (&str, &str) = ("504", "The answer took too long");

/// The media type and the schema of an error.
type Shape = (&'static str, &'static str);
const PROBLEM: Shape = ("application/problem+json", "Problem");
const OPENAI: Shape = ("application/json", "OpenAiError");

type Listed = BTreeMap<String, RefOr<Response>>;

fn listed<const N: usize>(rows: [(&str, &str); N]) -> Listed {
    shaped(PROBLEM, rows)
}

fn shaped<const N: usize>((media, schema): Shape, rows: [(&str, &str); N]) -> Listed {
    let problem = |description: &str| {
        let schema = Ref::from_schema_name(schema);
        ResponseBuilder::new()
            .description(description)
            .content(media, ContentBuilder::new().schema(Some(schema)).build())
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

impl IntoResponses for Talking {
    fn responses() -> Listed {
        listed([
            MALFORMED, NOBODY, FORBIDDEN, ABSENT, BUSY, LARGE, NOT_JSON, REFUSED, LIMITED, AWAY_TOO, LATE,
        ])
    }
}

impl IntoResponses for Compatible {
    fn responses() -> Listed {
        let rows =
            [MALFORMED, NOBODY, FORBIDDEN, ABSENT, BUSY, LARGE, NOT_JSON, REFUSED, LIMITED, AWAY_TOO, LATE];
        shaped(OPENAI, rows)
    }
}

impl IntoResponses for CompatibleReading {
    fn responses() -> Listed {
        shaped(OPENAI, [NOBODY, FORBIDDEN, ABSENT, LIMITED, AWAY])
    }
}
