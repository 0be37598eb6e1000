//! A change that rides on a cookie must come from the deployment's own pages.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::problem::expect_problem;
use crate::verdict::Verdict;

/// The same change from another site, from a form without `Origin`, and from the own pages.
pub(crate) async fn foreign(deployment: &Deployment) -> Verdict {
    let visitor = deployment.visitor().await?;
    let (_, app) = deployment.talker().await?;
    let body = json!({"app": app, "title": deployment.marker});
    let ask = || deployment.client.post("/api/v1/conversations").by(&visitor).json(&body).foreign();
    let cases = [
        ask().header("origin", "https://verify.invalid"),
        ask().header("origin", "null"),
        ask().header("sec-fetch-site", "cross-site"),
        ask().header("origin", "https://verify.invalid").header("sec-fetch-site", "same-origin"),
        ask(),
    ];
    let count = cases.len();
    for case in cases {
        let answer = case.send().await?;
        if let Some(id) = answer.json().ok().as_ref().and_then(|v| v.get("id")).and_then(Value::as_str) {
            deployment.remember(&visitor, id);
        }
        expect_problem(&answer, &[403], &["csrf"])?;
    }
    deployment.converse(&visitor, &app, &deployment.marker).await?;
    Ok(format!("{count} foreign requests get 403 csrf, the own page gets through"))
}
