//! The shape of a refusal: RFC 9457 with the fields of the contract, and the shape that OpenAI's clients read.
//! It never asks.

use serde_json::Value;

use crate::answer::{Answer, text_at};
use crate::verdict::{Verdict, ensure, fail};

/// Goes on when the answer is a problem document with one of these statuses and one of these codes.
pub(crate) fn expect_problem(answer: &Answer, statuses: &[u16], codes: &[&str]) -> Verdict<Value> {
    answer.expect(statuses)?;
    let what = answer.what.as_str();
    ensure(answer.media_type() == "application/problem+json", || {
        format!(
            "{what} refused with {} as `{}`, not application/problem+json",
            answer.status,
            answer.media_type()
        )
    })?;
    let problem = answer.json()?;
    let code = text_at(&problem, "/code", what)?;
    ensure(codes.contains(&code), || {
        format!("{what} gave the code `{code}`, not `{}`", codes.join("` or `"))
    })?;
    for field in ["/type", "/title", "/detail", "/request_id", "/error"] {
        ensure(!text_at(&problem, field, what)?.is_empty(), || format!("{what} has an empty `{field}`"))?;
    }
    let status = problem.get("status").and_then(Value::as_u64);
    ensure(status == Some(u64::from(answer.status)), || {
        format!("{what} gave status {} and says {status:?} in the body", answer.status)
    })?;
    ensure(problem.get("error") == problem.get("title"), || format!("{what}: `error` is not `title`"))?;
    let id = text_at(&problem, "/request_id", what)?;
    ensure(answer.header("x-request-id") == Some(id), || {
        format!("{what}: `request_id` is not the `X-Request-Id` of the answer")
    })?;
    Ok(problem)
}

/// Goes on when `errors` of a problem names this field.
pub(crate) fn expect_field(problem: &Value, field: &str, what: &str) -> Verdict<()> {
    let named = problem.get("errors").and_then(Value::as_array).is_some_and(|errors| {
        errors.iter().any(|error| {
            let has = |name: &str| error.get(name).is_some_and(Value::is_string);
            error.get("field").and_then(Value::as_str) == Some(field) && has("code") && has("detail")
        })
    });
    ensure(named, || format!("{what}: `errors` does not name the field `{field}`"))
}

/// Goes on when the answer is a refusal in the shape of OpenAI.
pub(crate) fn expect_openai_error(answer: &Answer, statuses: &[u16]) -> Verdict<()> {
    answer.expect(statuses)?;
    let document = answer.json()?;
    let error = document.get("error").and_then(Value::as_object);
    let Some(error) = error else {
        return Err(fail(format!("{} has no `error` object, as OpenAI's clients need it", answer.what)));
    };
    for field in ["message", "type"] {
        ensure(error.get(field).is_some_and(Value::is_string), || {
            format!("{} has no `error.{field}`, as OpenAI's clients need it", answer.what)
        })?;
    }
    Ok(())
}
