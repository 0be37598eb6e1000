//! A request that names another host is not served.

use crate::deployment::Deployment;
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure, fail, skip};

const FOREIGN: &str = "verify.invalid";

/// A foreign name gives 421, and never comes back in an answer.
pub(crate) async fn foreign(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let answer = client.get("/api/v1/whoami").header("host", FOREIGN).send().await?;
    let location = answer.header("location").unwrap_or_default();
    ensure(!location.contains(FOREIGN) && !answer.text().contains(FOREIGN), || {
        "the answer repeats a foreign Host".to_owned()
    })?;
    if answer.status == 421 {
        expect_problem(&answer, &[421], &["unknown_host"])?;
        let forwarded = client.get("/api/v1/whoami").header("x-forwarded-host", FOREIGN).send().await?;
        ensure(!forwarded.text().contains(FOREIGN), || "the answer repeats X-Forwarded-Host".to_owned())?;
        return Ok("a foreign Host gets 421 unknown_host".into());
    }
    // What a proxy in front refuses never reaches the server and so has no request id.
    let https_only = matches!(answer.status, 301 | 308) || answer.summary() == "403 https_required";
    if answer.status >= 300 && (https_only || !answer.headers.contains_key("x-request-id")) {
        return Ok(format!("a foreign Host is refused with {}", answer.summary()));
    }
    if deployment.environment().await == "production" {
        return Err(fail(format!("a foreign Host is served ({})", answer.summary())));
    }
    Err(skip("any Host is served: neither ALLOWED_HOSTS nor PUBLIC_URL is set"))
}
