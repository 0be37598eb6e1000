//! The first and the last thing of a run: is anybody there, and is everything tidy again.

use crate::deployment::Deployment;
use crate::verdict::Verdict;

/// Somebody answers at the address, in HTTP, whatever they say.
pub(crate) async fn reach(deployment: &Deployment) -> Verdict {
    let answer = deployment.client.get("/live").send().await?;
    Ok(format!("{} answers in {} ms", deployment.client.origin(), answer.took.as_millis()))
}

/// Deletes what the run has created.
pub(crate) async fn clean_up(deployment: &Deployment) -> Verdict {
    let deleted = deployment.clean_up().await?;
    Ok(format!("{deleted} conversations of this run deleted"))
}
