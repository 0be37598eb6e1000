//! Metrics are for whoever holds the token, and whoever does sees that the server is well: no errors, connections to spare.

use super::admin::OWN_DOING;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure, skip};

/// Without the token, and with a wrong one, there is nothing to see.
pub(crate) async fn closed(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let bare = client.get("/metrics").send().await?;
    bare.expect(&[401, 404])?;
    let wrong = client.get("/metrics").header("authorization", "Bearer not-the-token").send().await?;
    wrong.expect(&[401, 404])?;
    let closed = format!("{} without the token, {} with a wrong one", bare.status, wrong.status);
    let Some(metrics) = read(deployment).await? else { return Ok(closed) };
    let logged = |level: &str| sample(&metrics, &format!("stoa_log_events_total{{level=\"{level}\"}}"));
    let (errors, warnings) = (logged("ERROR").unwrap_or(0.0), logged("WARNING").unwrap_or(0.0));
    // Every alert is an error in the log, those too that wrong passwords of a run like this raise.
    let own = OWN_DOING
        .iter()
        .filter_map(|kind| sample(&metrics, &format!("stoa_alerts_total{{kind=\"{kind}\"}}")));
    let own = own.sum::<f64>().min(errors);
    ensure(errors <= own, || format!("the server has logged {} errors since it started", errors - own))?;
    let own = if own > 0.0 { format!(", {own} alerts about checks like this") } else { String::new() };
    Ok(format!("{closed}; no error{own} and {warnings} warnings logged since the start"))
}

/// Connections of the database pool: some are open, nobody waits, and there are some to spare.
pub(crate) async fn pool(deployment: &Deployment) -> Verdict {
    let Some(metrics) = read(deployment).await? else { return Err(skip("there is no --metrics-token")) };
    let state = |name: &str| sample(&metrics, &format!("stoa_db_pool_connections{{state=\"{name}\"}}"));
    let (Some(max), Some(open), Some(idle)) = (state("max"), state("open"), state("idle")) else {
        return Err(crate::verdict::fail("the metrics do not tell of the database pool"));
    };
    let waiting = state("waiting").unwrap_or(0.0);
    ensure(waiting == 0.0, || format!("{waiting} requests wait for a database connection"))?;
    ensure(open < max || idle > 0.0, || format!("all {max} database connections are in use"))?;
    Ok(format!("{open} of {max} database connections are open, {idle} idle, nobody waits"))
}

/// What the page says to whoever has the token; `None` without one.
async fn read(deployment: &Deployment) -> Verdict<Option<String>> {
    let Some(token) = &deployment.options.metrics_token else { return Ok(None) };
    let bearer = format!("Bearer {}", token.expose());
    let answer = deployment.client.get("/metrics").header("authorization", &bearer).send().await?;
    answer.expect(&[200])?;
    Ok(Some(answer.text()))
}

/// The value of a series.
fn sample(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}
