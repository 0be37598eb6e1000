//! Other origins get nothing; the one that should be allowed gets exactly what it needs.

use reqwest::Method;

use crate::answer::Answer;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure};

const FOREIGN: &str = "https://verify.invalid";
const PATH: &str = "/api/v1/whoami";

/// Foreign origins, look-alikes and `null` get no CORS header; `--origin` gets its own name and the preflight.
pub(crate) async fn origins(deployment: &Deployment) -> Verdict {
    let mut strangers = vec![FOREIGN.to_owned(), "null".to_owned()];
    if let Some(allowed) = &deployment.options.origin {
        strangers.push(format!("{allowed}.verify.invalid"));
        strangers.push(allowed.replacen("://", "://verify-", 1));
    }
    for origin in &strangers {
        for answer in both(deployment, origin).await? {
            let allowed = answer.header("access-control-allow-origin").unwrap_or_default();
            ensure(allowed != "*" && allowed != origin, || {
                format!("{} allows the origin {origin} with `{allowed}`", answer.what)
            })?;
            ensure(!answer.headers.contains_key("access-control-allow-credentials"), || {
                format!("{} allows credentials to {origin}", answer.what)
            })?;
        }
    }
    match &deployment.options.origin {
        None => {
            Ok("foreign origins get nothing (name yours with --origin to check that it is let in)".into())
        }
        Some(origin) => {
            let [actual, preflight] = both(deployment, origin).await?;
            admitted(&actual, &preflight, origin).map_err(|stop| {
                stop.why("your front end cannot call the server").fix("list the origin in CORS_ORIGINS")
            })?;
            Ok(format!("{origin} is let in, foreign origins get nothing"))
        }
    }
}

/// A plain request and a preflight from this origin.
async fn both(deployment: &Deployment, origin: &str) -> Verdict<[Answer; 2]> {
    let actual = deployment.client.get(PATH).header("origin", origin);
    let preflight = deployment
        .client
        .ask(Method::OPTIONS, "/api/v1/chat")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    Ok([actual.send().await?, preflight.send().await?])
}

fn admitted(actual: &Answer, preflight: &Answer, origin: &str) -> Verdict<()> {
    for answer in [actual, preflight] {
        let allowed = answer.header("access-control-allow-origin").unwrap_or_default();
        ensure(allowed == origin, || format!("{} gives the allowed origin `{allowed}`", answer.what))?;
        ensure(names(answer, "vary", "origin"), || format!("{} has no `Vary: Origin`", answer.what))?;
    }
    preflight.expect(&[200, 204])?;
    ensure(names(preflight, "access-control-allow-methods", "post"), || "the preflight does not allow POST")?;
    ensure(
        names(preflight, "access-control-allow-headers", "content-type"),
        || "the preflight does not allow Content-Type",
    )
}

/// A list in a header holds this word, in any case.
fn names(answer: &Answer, header: &str, word: &str) -> bool {
    let values = answer.headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}
