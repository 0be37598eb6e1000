//! A key opens its apps and nothing of the administration, of accounts or of keys.

use reqwest::Method;

use super::openapi::operations;
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, ensure, skip};

/// Where these paths begin, a key has no business.
const NOT_FOR_KEYS: [&str; 3] = ["/api/v1/admin/", "/api/v1/keys", "/api/v1/me"];

/// Asks every reading operation of the administration, of accounts and of keys with the key.
pub(crate) async fn key(deployment: &Deployment) -> Verdict {
    if deployment.options.api_key.is_none() {
        return Err(skip("there is no --api-key"));
    }
    let document = deployment.document().await?;
    let mut asked = 0;
    for operation in operations(document) {
        let closed = NOT_FOR_KEYS.iter().any(|start| operation.path.starts_with(start));
        if !closed || !operation.method.eq_ignore_ascii_case("get") || operation.path.contains('{') {
            continue;
        }
        let answer = deployment.client.ask(Method::GET, operation.path).by(&Caller::Key).send().await?;
        ensure(answer.status == 403, || {
            format!("GET {} gave {} to an API key, not 403", operation.path, answer.summary())
        })?;
        asked += 1;
    }
    ensure(asked > 0, || "the document lists nothing of the administration".to_owned())?;
    Ok(format!("{asked} operations of accounts and administration give 403 to an API key"))
}
