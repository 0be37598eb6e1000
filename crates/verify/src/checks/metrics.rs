//! Metrics are for whoever holds the token.

use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure};

/// Without the token, and with a wrong one, there is nothing to see.
pub(crate) async fn closed(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let bare = client.get("/metrics").send().await?;
    bare.expect(&[401, 404])?;
    let wrong = client.get("/metrics").header("authorization", "Bearer not-the-token").send().await?;
    wrong.expect(&[401, 404])?;
    let closed = format!("{} without the token, {} with a wrong one", bare.status, wrong.status);
    let Some(token) = &deployment.options.metrics_token else { return Ok(closed) };
    let right =
        client.get("/metrics").header("authorization", &format!("Bearer {}", token.expose())).send().await?;
    right.expect(&[200])?;
    let (errors, warnings) = (logged(&right.text(), "ERROR"), logged(&right.text(), "WARNING"));
    ensure(errors == 0, || format!("the server has logged {errors} errors since it started"))?;
    Ok(format!("{closed}; no error and {warnings} warnings logged since the start"))
}

/// How many lines of this level the server has logged, as its metrics say.
fn logged(metrics: &str, level: &str) -> u64 {
    let series = format!("stoa_log_events_total{{level=\"{level}\"}} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}
