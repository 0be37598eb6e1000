//! Text that is a program elsewhere stays text here.

use super::talk::{messages, turn};
use crate::deployment::{Caller, Deployment};
use crate::policy;
use crate::verdict::{Stop, Verdict, ensure, skip};

/// A script as a title and as a message: data in JSON, never markup in a page.
pub(crate) async fn markers(deployment: &Deployment) -> Verdict {
    let (caller, app) = deployment.talker().await?;
    let script = format!("<script>alert('{}')</script>", deployment.marker);
    let title = deployment.converse(&caller, &app, &script).await;
    let id = match title {
        Ok(id) => id,
        // A title with markup may be refused; then only the message is left to try.
        Err(Stop::Fail(_)) => deployment.converse(&caller, &app, &deployment.marker).await?,
        Err(stop) => return Err(stop),
    };
    let text = format!("What does this mean? {script} <img src=x onerror=alert(1)>");
    let kept = match turn(deployment, &caller, &id, &text).await {
        Ok(_) => Some(messages(deployment, &caller, &id).await?),
        Err(Stop::Fail(failure)) if failure.saw.contains("content_blocked") => None,
        Err(stop) => return Err(stop),
    };
    if let Some(said) = &kept {
        ensure(
            said.iter().any(|message| message.role == "user" && message.content == text),
            || "a message with markup did not come back as it was sent",
        )?;
    }
    let pages = pages(deployment, &caller, &app, &id, &script).await?;
    let message = if kept.is_some() { "comes back as data" } else { "is refused" };
    Ok(format!("a script {message}, and is no markup in {pages} pages under a strict policy"))
}

/// Looks at the pages on which the title or the message may stand. Gives how many there were.
async fn pages(
    deployment: &Deployment,
    caller: &Caller,
    app: &str,
    id: &str,
    script: &str,
) -> Verdict<usize> {
    let paths = [
        "/".to_owned(),
        format!("/apps/{app}"),
        format!("/apps/{app}/{id}"),
        format!("/apps/{app}/conversations/{id}"),
        format!("/apps/{app}?conversation={id}"),
    ];
    let mut looked = 0;
    for path in paths {
        let answer = deployment.client.get(&path).by(caller).send().await?;
        if answer.media_type() != "text/html" || answer.status >= 400 {
            continue;
        }
        looked += 1;
        ensure(!answer.text().contains(script), || format!("GET {path} holds the script as markup"))?;
        let loose = match answer.header("content-security-policy") {
            Some(text) => policy::loose(text),
            None => Some("no content-security-policy".into()),
        };
        ensure(loose.is_none(), || format!("GET {path}: {}", loose.unwrap_or_default()))?;
    }
    if looked == 0 { Err(skip("no page was found to look at")) } else { Ok(looked) }
}
