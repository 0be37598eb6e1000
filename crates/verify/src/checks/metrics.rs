//! Metrics are for whoever holds the token.

use crate::deployment::Deployment;
use crate::verdict::Verdict;

/// Without the token, and with a wrong one, there is nothing to see.
pub(crate) async fn closed(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let bare = client.get("/metrics").send().await?;
    bare.expect(&[401, 404])?;
    let wrong = client.get("/metrics").header("authorization", "Bearer not-the-token").send().await?;
    wrong.expect(&[401, 404])?;
    Ok(format!("{} without the token, {} with a wrong one", bare.status, wrong.status))
}
