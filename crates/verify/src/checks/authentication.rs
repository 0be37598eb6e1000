//! Every operation that is not public answers 401 to a stranger, and a wrong credential never passes for none.

use reqwest::Method;
use serde_json::Value;

use super::openapi::{Operation, operations};
use crate::chance;
use crate::deployment::Deployment;
use crate::problem::{expect_openai_error, expect_problem};
use crate::verdict::{Verdict, ensure};

/// Public on every deployment; also where visitors are not taken.
const PUBLIC: [&str; 7] = ["/health", "/api/health", "/ready", "/live", "/openapi.json", "/docs", "/metrics"];
/// Ways in, which nobody can have a credential for.
const WAYS_IN: [&str; 10] = [
    "login",
    "register",
    "refresh",
    "exchange",
    "setup",
    "verify",
    "password/forgot",
    "password/reset",
    "passkey/begin",
    "passkey/finish",
];
/// Never open, whatever the document says.
const CLOSED: [&str; 2] = ["/api/v1/admin/", "/api/v1/keys"];

/// Asks every operation without a credential, then with a wrong one.
pub(crate) async fn required(deployment: &Deployment) -> Verdict {
    let document = deployment.document().await?;
    let everybody = deployment.secured("authentication_required").await == Some(true);
    let mut asked = 0;
    for operation in operations(document) {
        if !is_closed(&operation, document, everybody) {
            continue;
        }
        let (method, path) = concrete(&operation);
        let mut ask = deployment.client.ask(method.clone(), &path);
        if method != Method::GET && method != Method::HEAD {
            // The body cannot be read, so that even an open operation does nothing.
            ask = ask.header("content-type", "application/json").body(b"{".to_vec());
        }
        let answer = ask.send().await?;
        ensure(answer.status == 401, || {
            format!("{method} {} gave {} without a credential, not 401", operation.path, answer.summary())
        })?;
        ensure(answer.headers.contains_key("www-authenticate"), || {
            format!("{method} {} gave 401 without WWW-Authenticate", operation.path)
        })?;
        asked += 1;
    }
    wrong_credentials(deployment).await?;
    let rule =
        if everybody { "authentication is required everywhere" } else { "visitors are taken by some apps" };
    Ok(format!("{asked} closed operations give 401, a wrong key gives 401 ({rule})"))
}

/// A wrong key must not fall back to an anonymous visitor, whichever carrier brings it.
async fn wrong_credentials(deployment: &Deployment) -> Verdict<()> {
    let client = &deployment.client;
    for (name, value) in [
        ("x-api-key", "stoa_not-a-key"),
        ("authorization", "Bearer stoa_not-a-key"),
        ("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
    ] {
        for path in ["/api/v1/apps", "/v1/models"] {
            let answer = client.get(path).header(name, value).send().await?;
            let carrier = if name == "x-api-key" { "X-API-Key" } else { "bearer token" };
            ensure(answer.status == 401, || {
                format!("GET {path} with a wrong {carrier} gave {}", answer.summary())
            })?;
            ensure(answer.headers.contains_key("www-authenticate"), || {
                format!("GET {path} gave 401 without WWW-Authenticate")
            })?;
            if path.starts_with("/v1/") {
                expect_openai_error(&answer, &[401])?;
            } else {
                expect_problem(&answer, &[401], &["unauthenticated", "token_expired"])?;
            }
        }
    }
    Ok(())
}

/// Whether a stranger must get 401.
fn is_closed(operation: &Operation<'_>, document: &Value, everybody: bool) -> bool {
    let path = operation.path;
    if CLOSED.iter().any(|start| path.starts_with(start)) {
        return true;
    }
    let way_in = path.strip_prefix("/api/v1/auth/").is_some_and(|name| WAYS_IN.contains(&name));
    if PUBLIC.contains(&path) || way_in {
        return false;
    }
    if everybody {
        return path.starts_with("/api/") || path.starts_with("/v1/");
    }
    let security = operation.body.get("security").or_else(|| document.get("security"));
    let ways = security.and_then(Value::as_array);
    // No requirement at all, or an empty one among the alternatives: a stranger may ask.
    ways.is_some_and(|ways| {
        !ways.is_empty() && ways.iter().all(|way| way.as_object().is_some_and(|way| !way.is_empty()))
    })
}

/// The operation with ids that nobody has.
fn concrete(operation: &Operation<'_>) -> (Method, String) {
    let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap_or(Method::GET);
    let parts = operation.path.split('/').map(|part| match part.strip_prefix('{') {
        Some(name) if name.starts_with("app") => "assistant".to_owned(),
        Some(_) => chance::unknown_id(),
        None => part.to_owned(),
    });
    (method, parts.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_says_what_is_open_and_the_closed_stay_closed() {
        let document = json!({"security": [{"key": []}], "paths": {
            "/a": {"get": {}},
            "/b": {"get": {"security": []}},
            "/c": {"get": {"security": [{}, {"key": []}]}},
            "/api/v1/admin/users": {"get": {"security": []}},
            "/health": {"get": {}},
            "/api/v1/auth/login": {"post": {}},
        }});
        let closed = |everybody| {
            let all = operations(&document);
            let closed = all.iter().filter(|operation| is_closed(operation, &document, everybody));
            closed.map(|operation| operation.path.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(closed(false), ["/a", "/api/v1/admin/users"]);
        assert_eq!(closed(true), ["/api/v1/admin/users"]);
    }
}
