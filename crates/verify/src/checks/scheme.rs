//! The plain-HTTP side of the deployment: it redirects what is harmless and refuses what has shown a secret.

use url::Url;

use crate::deployment::Deployment;
use crate::verdict::{Stop, Verdict, ensure, fail, skip};

/// Looks at the plain-HTTP side: beside an HTTPS address, or the address itself where HTTPS is enforced.
pub(crate) async fn redirect(deployment: &Deployment) -> Verdict {
    let Some(plain) = plain_side(deployment).await? else {
        return Err(skip("the port of plain HTTP is not known: name it with --http-url"));
    };
    let client = &deployment.client;
    let base = plain.as_str().trim_end_matches('/');
    let page = "/api/v1/apps?verify=a%20b&n=1";
    let address = format!("{base}{page}");
    let answer = match client.ask_at(reqwest::Method::GET, &address, page).impatient().send().await {
        Ok(answer) => answer,
        Err(Stop::Fail(failure)) if failure.saw.contains("no connection") && deployment.https() => {
            return Ok("plain HTTP is not answered at all".into());
        }
        Err(stop) => return Err(stop),
    };
    ensure(matches!(answer.status, 301 | 308), || {
        format!("GET over plain HTTP gave {}, not 301", answer.summary())
    })?;
    let target = answer.header("location").unwrap_or_default();
    ensure(target.starts_with("https://") && target.ends_with(page), || {
        "the redirect does not lead to https with the same path and query".to_owned()
    })?;
    // Where the public name is known (the address under test is HTTPS), it must lead there and nowhere else.
    if deployment.https() {
        let host = Url::parse(target).ok().and_then(|url| url.host_str().map(str::to_owned));
        ensure(
            host.as_deref() == deployment.options.url.host_str(),
            || "the redirect leads to another host",
        )?;
    }
    let post = client.ask_at(reqwest::Method::POST, &format!("{base}/api/v1/chat"), "/api/v1/chat");
    let key = client.ask_at(reqwest::Method::GET, &address, page).header("x-api-key", "stoa_not-a-key");
    let cookie = client.ask_at(reqwest::Method::GET, &address, page).header("cookie", "stoa_visitor=shown");
    let post = post.header("content-type", "application/json").body(br#"{"message":"hello"}"#.to_vec());
    for (name, ask) in [("POST", post), ("GET with a key", key), ("GET with a cookie", cookie)] {
        let answer = ask.impatient().send().await?;
        let redirected = (300..400).contains(&answer.status);
        ensure(answer.status == 403 && !redirected, || {
            format!("{name} over plain HTTP gave {}, not 403", answer.summary())
        })
        .map_err(|stop| stop.why("a client would send its secret in the clear again and again"))?;
    }
    Ok(format!(
        "GET gives {} to https with path and query, a change or a credential gives 403",
        answer.status
    ))
}

/// Where plain HTTP should answer.
async fn plain_side(deployment: &Deployment) -> Verdict<Option<Url>> {
    let options = &deployment.options;
    if let Some(url) = &options.http_url {
        return Ok(Some(url.clone()));
    }
    if deployment.https() {
        let mut url = options.url.clone();
        let known = url.port().is_none() && url.set_scheme("http").is_ok();
        return Ok(known.then_some(url));
    }
    if deployment.secured("https_enforced").await == Some(true) {
        return Ok(Some(options.url.clone()));
    }
    if deployment.environment().await == "production" {
        return Err(fail("production answers over plain HTTP and does not enforce HTTPS"));
    }
    Err(skip("the address is plain HTTP, and the server does not enforce HTTPS"))
}
