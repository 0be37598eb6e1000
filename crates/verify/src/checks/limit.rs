//! One request more than the limit is refused, in the documented words. Uses up a budget, so it runs last, in the
//! scope that disturbs least: the chat of one throw-away visitor where that counts requests that reach no model,
//! else plain requests of this address.

use futures_util::future::join_all;
use serde_json::json;

use super::probes::is_utc_time;
use crate::answer::Answer;
use crate::client::Ask;
use crate::deployment::Deployment;
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure, fail, skip};

/// A limit above this is not worth the load that would show it.
const MOST: u64 = 6000;
const AT_ONCE: usize = 16;

/// Sends until it is refused and looks at the refusal.
pub(crate) async fn refuses(deployment: &Deployment) -> Verdict {
    match deployment.secured("rate_limiting_enabled").await {
        Some(true) => {}
        Some(false) => {
            let off = "/health says that limits are switched off";
            let production = deployment.environment().await == "production";
            return Err(if production { fail(off) } else { skip(off) });
        }
        None => return Err(fail("/health does not say whether limits are on")),
    }
    let client = &deployment.client;
    let visitor = deployment.visitor().await.ok();
    if let Some(visitor) = &visitor {
        // Too short to be a message: refused before any model is asked, and counted all the same, or not.
        let ask = client.post("/api/v1/chat").by(visitor).json(&json!({"message": ""})).impatient();
        let (first, second) = (ask.send().await?, ask.send().await?);
        if let (Some(before), Some(after)) = (number(&first, REMAINING), number(&second, REMAINING))
            && after < before
            && second.status != 429
        {
            return drain(deployment, ask, second, 2, "chat of one throw-away visitor").await;
        }
    }
    let ask = client.get("/api/v1/whoami").impatient();
    let first = ask.send().await?;
    drain(deployment, ask, first, 1, "requests of this address, free again within a minute").await
}

const LIMIT: &str = "x-ratelimit-limit";
const REMAINING: &str = "x-ratelimit-remaining";

/// Sends `ask` until the limit refuses it. `sent` have been admitted, `latest` being the newest of them.
async fn drain(deployment: &Deployment, ask: Ask<'_>, latest: Answer, sent: u64, scope: &str) -> Verdict {
    let (Some(limit), Some(remaining)) = (number(&latest, LIMIT), number(&latest, REMAINING)) else {
        return Err(fail(format!("{} carries no X-RateLimit-Limit and -Remaining", latest.what)));
    };
    let reset = latest.header("x-ratelimit-reset").unwrap_or_default();
    ensure(is_utc_time(reset), || format!("{}: X-RateLimit-Reset is no RFC 3339 time", latest.what))?;
    if remaining > MOST {
        return Err(skip(format!("{remaining} more requests are allowed; that is too many to try")));
    }
    let mut admitted = if latest.status == 429 { 0 } else { sent };
    let mut refusal = (latest.status == 429).then_some(latest);
    while refusal.is_none() {
        ensure(admitted <= limit, || {
            format!("{admitted} requests were admitted where the limit is {limit}")
        })?;
        // Never many more than needed: what is refused is written into the server's log.
        let missing = (limit + 1).saturating_sub(admitted).max(1);
        let batch = usize::try_from(missing).unwrap_or(AT_ONCE).min(AT_ONCE);
        for answer in join_all((0..batch).map(|_| ask.send())).await {
            let answer = answer?;
            match answer.status {
                429 => refusal = refusal.or(Some(answer)),
                500.. => return Err(fail(format!("{} gave {} under load", answer.what, answer.summary()))),
                _ => admitted += 1,
            }
        }
    }
    ensure(admitted <= limit, || format!("{admitted} requests were admitted where the limit is {limit}"))?;
    let Some(refusal) = refusal else { return Err(fail("the limit was never reached")) };
    refused_well(&refusal)?;
    let health = deployment.client.get("/health").impatient().send().await?;
    ensure(health.status != 429, || "/health is limited too, so a busy server would look dead")?;
    Ok(format!("limit {limit}: request {} was refused with 429 (scope used: {scope})", admitted + 1))
}

/// The refusal of the contract.
fn refused_well(refusal: &Answer) -> Verdict<()> {
    let problem = expect_problem(refusal, &[429], &["rate_limited"])?;
    let error = problem.get("error").and_then(serde_json::Value::as_str);
    ensure(error == Some("Rate limit exceeded"), || "429 without `error: \"Rate limit exceeded\"`")?;
    ensure(number(refusal, LIMIT).is_some(), || "429 without X-RateLimit-Limit")?;
    ensure(number(refusal, REMAINING) == Some(0), || "429 without `X-RateLimit-Remaining: 0`")?;
    let reset = refusal.header("x-ratelimit-reset").unwrap_or_default();
    ensure(is_utc_time(reset), || "429 without X-RateLimit-Reset as RFC 3339 time")?;
    for name in ["ratelimit", "ratelimit-policy"] {
        ensure(refusal.headers.contains_key(name), || format!("429 without the header {name}"))?;
    }
    let wait = number(refusal, "retry-after");
    ensure(wait.is_some_and(|wait| (1..=3600).contains(&wait)), || "429 without Retry-After in seconds")
}

fn number(answer: &Answer, header: &str) -> Option<u64> {
    answer.header(header)?.trim().parse().ok()
}
