//! Probes answer at once, and a burst of requests is served: no failure, and no queue before the door.

use std::time::Duration;

use futures_util::future::join_all;

use crate::answer::Answer;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure, fail};

/// What a monitor of the documents waits for `/health` (document 002), half of the answers taken as the measure: one
/// hiccup of the network is no fault of the server.
const HEALTH_WITHIN: Duration = Duration::from_millis(500);
/// What an answer of the API may take (document 001), beyond the way there and back.
const ANSWER_WITHIN: Duration = Duration::from_millis(200);
const PROBES: usize = 120;
const REQUESTS: usize = 30;
const AT_ONCE: usize = 15;

/// `/health` five times.
pub(crate) async fn health(deployment: &Deployment) -> Verdict {
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(deployment.client.get("/health").send().await?.took);
    }
    let (median, worst) = middle_and_end(times);
    ensure(median < HEALTH_WITHIN, || {
        format!("/health takes {} ms, more than {} ms", median.as_millis(), HEALTH_WITHIN.as_millis())
    })?;
    Ok(format!("/health answers in {} ms ({} ms at the worst of 5)", median.as_millis(), worst.as_millis()))
}

/// A burst of probes and of requests of one caller.
pub(crate) async fn burst(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let fastest = client.get("/api/v1/whoami").send().await?.took;
    let mut times = Vec::new();
    let mut limited = 0;
    for path in ["/live", "/ready", "/health", "/api/v1/whoami"] {
        let count = if path.starts_with("/api") { REQUESTS } else { PROBES / 3 };
        let mut left = count;
        while left > 0 {
            let batch = left.min(AT_ONCE);
            left -= batch;
            let asks = (0..batch).map(|_| client.get(path).impatient());
            for answer in join_all(asks.map(|ask| async move { ask.send().await })).await {
                let answer: Answer = answer?;
                ensure(answer.status < 500, || {
                    format!("{} gave {} with {AT_ONCE} requests at once", answer.what, answer.summary())
                })?;
                limited += usize::from(answer.status == 429);
                if path.starts_with("/api") && answer.status != 429 {
                    times.push(answer.took);
                }
            }
        }
    }
    if times.is_empty() {
        return Err(fail("every request was refused by the limit"));
    }
    let fastest = times.iter().copied().min().unwrap_or(fastest).min(fastest);
    let (median, worst) = middle_and_end(times);
    ensure(median.saturating_sub(fastest) < ANSWER_WITHIN, || {
        let (median, at_once) = (median.as_millis(), ANSWER_WITHIN.as_millis());
        format!(
            "with {AT_ONCE} requests at once half of the answers take {median} ms, over {at_once} ms more than one alone"
        )
    })?;
    let limits = if limited > 0 { format!(", {limited} refused by the limit") } else { String::new() };
    Ok(format!(
        "{} requests, {AT_ONCE} at once, none failed{limits}; half within {} ms, all within {} ms",
        PROBES + REQUESTS,
        median.as_millis(),
        worst.as_millis()
    ))
}

/// The median and the longest.
fn middle_and_end(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    (at(times.len() / 2), at(times.len().saturating_sub(1)))
}
