//! What stands in an address goes neither into a redirect to another site, nor into headers, nor as markup into a page.

use crate::answer::Answer;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure};

const ELSEWHERE: &str = "verify.invalid";

/// Addresses that try each of it, as a stranger.
pub(crate) async fn addresses(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let marker = &deployment.marker;
    let script = format!("<script>alert('{marker}')</script>");
    let coded = format!("%3Cscript%3Ealert('{marker}')%3C%2Fscript%3E");
    let mut asked = 0;
    for path in ["/sign-in", "/", "/apps/workspace", "/setup", "/docs", "/no-such-page", "/sign-out"] {
        for query in [
            format!("next=https%3A%2F%2F{ELSEWHERE}%2F"),
            format!("next=%2F%2F{ELSEWHERE}%2F&return_to=%2F%5C{ELSEWHERE}&url=https%3A%2F%2F{ELSEWHERE}"),
            "next=%0d%0aSet-Cookie:%20stoa_verify=1%0d%0aX-Stoa-Verify:%201".to_owned(),
            format!("q={coded}&email=%22%3E{coded}&error={coded}&next={coded}"),
        ] {
            let answer = client.get(&format!("{path}?{query}")).header("accept", "text/html").send().await?;
            judge(&answer, &script)?;
            asked += 1;
        }
    }
    for path in [
        format!("//{ELSEWHERE}/"),
        format!("//{ELSEWHERE}/%2e%2e"),
        format!("/%5c{ELSEWHERE}/%2e%2e"),
        format!("/{coded}"),
        format!("/apps/{coded}"),
        "/%0d%0aSet-Cookie:%20stoa_verify=1".to_owned(),
    ] {
        let answer = client.get(&path).header("accept", "text/html").send().await?;
        judge(&answer, &script)?;
        asked += 1;
    }
    Ok(format!("{asked} addresses lead to no other site, set no header and write no markup"))
}

fn judge(answer: &Answer, script: &str) -> Verdict<()> {
    let target = answer.header("location").unwrap_or_default();
    let away = target.starts_with("//")
        || target.starts_with("/\\")
        || target.split_once("://").is_some_and(|(_, rest)| rest.starts_with(ELSEWHERE));
    ensure(!away, || format!("{} redirects to another site", answer.what))?;
    let cookies = answer.headers.get_all("set-cookie").iter();
    let planted = answer.headers.contains_key("x-stoa-verify")
        || cookies.filter_map(|value| value.to_str().ok()).any(|value| value.starts_with("stoa_verify="));
    ensure(!planted, || format!("{} lets a caller write headers", answer.what))?;
    let markup = answer.media_type() == "text/html" && answer.text().contains(script);
    ensure(!markup, || format!("{} writes an address into the page as markup", answer.what))?;
    let leads = ["href=\"", "action=\""].iter().any(|name| {
        answer.text().contains(&format!("{name}https://{ELSEWHERE}"))
            || answer.text().contains(&format!("{name}//{ELSEWHERE}"))
    });
    ensure(!leads, || format!("{} leads to another site", answer.what))
}
