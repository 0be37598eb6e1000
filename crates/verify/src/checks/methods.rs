//! The method that was sent is the method that counts, and a method that nobody needs does nothing.

use reqwest::Method;
use serde_json::json;

use crate::deployment::{Caller, Deployment};
use crate::verdict::{Stop, Verdict, ensure};

/// Headers with which some frameworks let a harmless request become another.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
/// Closed to strangers, whatever the method.
const CLOSED: &str = "/api/v1/admin/users";

/// Echoes, overrides, and methods beside the known ones.
pub(crate) async fn tampering(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let trace = client.ask(Method::TRACE, "/").header("x-stoa-verify", &deployment.marker).send().await?;
    ensure(!trace.text().contains(&deployment.marker), || "TRACE sends the request back".to_owned())?;
    ensure(trace.status >= 400, || format!("TRACE gave {}", trace.summary()))?;
    let odd = Method::from_bytes(b"VERIFY").unwrap_or(Method::TRACE);
    let answer = client.ask(odd, "/api/v1/conversations").send().await?;
    ensure((400..500).contains(&answer.status) || answer.status == 501, || {
        format!("a method that does not exist gave {}", answer.summary())
    })?;
    for method in [Method::HEAD, Method::OPTIONS] {
        let answer = client.ask(method.clone(), CLOSED).send().await?;
        let harmless = method == Method::OPTIONS && answer.body.is_empty();
        ensure(answer.status >= 400 || harmless, || {
            format!("{method} {CLOSED} gave {} without a credential", answer.status)
        })?;
    }
    let (whole, head) =
        (client.get("/health").send().await?, client.ask(Method::HEAD, "/health").send().await?);
    ensure(whole.status == head.status && head.body.is_empty(), || {
        format!("HEAD /health gave {} where GET gave {}", head.status, whole.status)
    })?;
    let overridden = match deployment.talker().await {
        Ok((caller, app)) => overrides(deployment, &caller, &app).await?,
        Err(Stop::Skip(why)) => format!("overrides not tried: {why}"),
        Err(stop) => return Err(stop),
    };
    Ok(format!("TRACE and unknown methods are refused, HEAD is closed where GET is; {overridden}"))
}

/// A reading and a changing request that ask to be a deletion; the conversation must live on.
async fn overrides(deployment: &Deployment, caller: &Caller, app: &str) -> Verdict {
    let client = &deployment.client;
    let id = deployment.converse(caller, app, &deployment.marker).await?;
    let path = format!("/api/v1/conversations/{id}");
    for name in OVERRIDES {
        client.get(&path).by(caller).header(name, "DELETE").send().await?;
    }
    client.get(&format!("{path}?_method=DELETE")).by(caller).send().await?;
    let body = json!({"title": deployment.marker});
    client
        .ask(Method::PUT, &path)
        .by(caller)
        .header("x-http-method-override", "DELETE")
        .json(&body)
        .send()
        .await?;
    let left = client.get(&path).by(caller).send().await?;
    ensure(left.status == 200, || {
        "a method in a header or in the query overrides the one that was sent".to_owned()
    })?;
    Ok("no override is obeyed".into())
}
