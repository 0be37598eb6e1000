//! The headers that stand on every answer whatever its status, and the request id that names each.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;

use crate::answer::Answer;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure};
use crate::{chance, policy};

/// Pages that may send a stranger elsewhere; the first that does is looked at.
const REDIRECTING: [&str; 4] = ["/apps/workspace", "/admin/", "/files", "/apps/"];

/// Asks for answers of many kinds and compares the headers of each.
pub(crate) async fn sweep(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let unknown = format!("/{}", chance::marker());
    let page = client.get("/").send().await?;
    let asset = asset_of(&page.text());
    let mut answers = vec![
        page,
        client.get("/health").send().await?,
        client.get("/api/v1/apps").send().await?,
        client.get(&unknown).send().await?,
        client.get("/api/v1/conversations/not-an-id").send().await?,
        client.ask(Method::DELETE, "/health").send().await?,
        client.get("/api/v1/whoami").header("x-api-key", "stoa_not-a-key").send().await?,
    ];
    let has_asset = asset.is_some();
    if let Some(path) = asset {
        answers.push(client.get(&path).send().await?);
    }
    let mut redirect = false;
    for path in REDIRECTING {
        let answer = client.get(path).send().await?;
        redirect = (300..400).contains(&answer.status);
        if redirect {
            answers.push(answer);
            break;
        }
    }
    let faults = grouped(&answers, deployment.https());
    ensure(faults.is_empty(), || faults.join(", "))?;
    let statuses = answers.iter().map(|answer| answer.status.to_string()).collect::<BTreeSet<_>>();
    let statuses = statuses.into_iter().collect::<Vec<_>>().join(" ");
    let mut seen = format!("complete on {} answers ({statuses})", answers.len());
    if !has_asset {
        seen.push_str(", the page names no static file");
    }
    if !redirect {
        seen.push_str(", no redirect met");
    }
    Ok(seen)
}

/// Each fault once, with the answers it was found on.
fn grouped(answers: &[Answer], https: bool) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for answer in answers {
        for fault in policy::faults(&answer.headers, https) {
            found.entry(fault).or_default().push(format!("{} ({})", answer.what, answer.status));
        }
    }
    let text = |(fault, on): (String, Vec<String>)| match on.as_slice() {
        [_, _, ..] if on.len() == answers.len() => format!("{fault} on every answer"),
        [first, second, _, ..] => format!("{fault} on {first}, {second} and {} more", on.len() - 2),
        _ => format!("{fault} on {}", on.join(" and ")),
    };
    found.into_iter().map(text).collect()
}

/// The first style sheet or script that the page takes from its own site.
fn asset_of(html: &str) -> Option<String> {
    let mut quoted = html.split(['"', '\'']);
    let path = quoted.find(|text| {
        let name = text.split('?').next().unwrap_or_default();
        text.starts_with('/') && !text.starts_with("//") && (name.ends_with(".css") || name.ends_with(".js"))
    });
    path.map(str::to_owned)
}

/// Each answer has its own id, a refusal names it, and a hostile one is not taken over.
pub(crate) async fn request_id(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let hostile = "x".repeat(300);
    let plain = [client.get("/live"), client.get("/live"), client.get("/health")];
    let odd = [
        client.get("/live").header("x-request-id", &hostile),
        client.get("/live").header("x-request-id", "<script>alert(1)</script>"),
    ];
    let mut ids = BTreeSet::new();
    for ask in plain.iter().chain(&odd) {
        let answer = ask.send().await?;
        let id = answer.header("x-request-id").unwrap_or_default();
        ensure(!id.is_empty(), || format!("{} has no X-Request-Id", answer.what))?;
        ensure(
            id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b)),
            || format!("{} repeats a hostile X-Request-Id", answer.what),
        )?;
        ensure(ids.insert(id.to_owned()), || format!("{} repeats the X-Request-Id {id}", answer.what))?;
    }
    Ok(format!("{} answers, {} different ids", ids.len(), ids.len()))
}

#[cfg(test)]
mod tests {
    use super::asset_of;

    #[test]
    fn only_assets_of_the_site_itself_count() {
        assert_eq!(asset_of(r#"<link href="/static/a.1f.css" rel=s>"#), Some("/static/a.1f.css".into()));
        assert_eq!(asset_of(r#"<script src='/m.js?v=2'>"#), Some("/m.js?v=2".into()));
        assert_eq!(asset_of(r#"<script src="//cdn/x.js"><a href="https://x/y.css">"#), None);
        assert_eq!(asset_of(""), None);
    }
}
