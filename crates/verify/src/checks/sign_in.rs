//! Signing in tells nobody which accounts exist, takes no empty secret, is not remembered by caches, cannot be sent from
//! another site, and cannot be tried without end.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::chance;
use crate::deployment::Deployment;
use crate::problem::{expect_field, expect_problem};
use crate::verdict::{Verdict, ensure, fail, skip};

const LOGIN: &str = "/api/v1/auth/login";
/// A limit above this is not worth the hashing that would show it.
const MOST: usize = 60;
const AT_ONCE: usize = 6;

/// The form and words of a refused sign-in.
pub(crate) async fn refusals(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let login = |body: &Value| client.post(LOGIN).json(body);
    let mut told = Vec::new();
    for email in [stranger(), stranger()] {
        let answer =
            login(&json!({"email": email, "password": "not the password of anybody"})).send().await?;
        expect_problem(&answer, &[401], &["unauthenticated"])?;
        unkept(&answer)?;
        told.push(words(&answer)?);
    }
    ensure(told.windows(2).all(|pair| pair.first() == pair.last()), || {
        format!("{LOGIN} answers two unknown accounts with different words")
    })?;
    for (field, body) in [
        ("password", json!({"email": stranger(), "password": ""})),
        ("email", json!({"email": "", "password": "something long enough"})),
    ] {
        let problem = expect_problem(&login(&body).send().await?, &[400, 422], &["invalid_input"])?;
        expect_field(&problem, field, LOGIN)?;
    }
    let null = json!({"email": stranger(), "password": null});
    expect_problem(&login(&null).send().await?, &[400, 422], &["invalid_input", "invalid_json"])?;
    let more = json!({"email": stranger(), "password": "something long enough", "role": "admin"});
    expect_problem(&login(&more).send().await?, &[400, 422], &["invalid_input", "invalid_json"])?;
    let page = client.get("/sign-in").header("accept", "text/html").send().await?;
    page.expect(&[200])?;
    let text = page.text();
    ensure(text.contains("type=\"password\"") && text.contains("method=\"post\""), || {
        "GET /sign-in has no form with a password that is sent by POST".to_owned()
    })?;
    let form = format!("email={}&password=something+long+enough", stranger().replace('@', "%40"));
    let ask = client.post("/sign-in").header("content-type", "application/x-www-form-urlencoded");
    let ask = ask.header("origin", "https://verify.invalid").header("sec-fetch-site", "cross-site");
    let crossed = ask.body(form.into_bytes()).send().await?;
    ensure(crossed.status == 403, || {
        format!("POST /sign-in from another site gave {}, not 403", crossed.summary())
    })?;
    Ok("unknown accounts get one answer, empty and null secrets are refused, another site cannot send the form"
        .to_owned())
}

/// One try more than the limit is refused. Uses up the sign-in limit of this address for a minute.
pub(crate) async fn limited(deployment: &Deployment) -> Verdict {
    if deployment.secured("rate_limiting_enabled").await != Some(true) {
        return Err(skip("/health says that limits are switched off"));
    }
    let email = stranger();
    let body = json!({"email": email, "password": "not the password of anybody"});
    let mut tried = 0;
    while tried < MOST {
        let asks = (0..AT_ONCE).map(|_| deployment.client.post(LOGIN).json(&body).impatient());
        let answers = join_all(asks.map(|ask| async move { ask.send().await })).await;
        for answer in answers {
            let answer = answer?;
            tried += 1;
            if answer.status == 429 {
                expect_problem(&answer, &[429], &["rate_limited"])?;
                let wait = answer.header("retry-after").and_then(|text| text.parse::<u64>().ok());
                ensure(wait.is_some_and(|wait| (1..=3_600).contains(&wait)), || {
                    format!("{LOGIN} gave 429 without a usable Retry-After")
                })?;
                return Ok(format!("refused within {tried} tries a minute, with Retry-After"));
            }
            answer.expect(&[401])?;
        }
    }
    Err(fail(format!("{tried} wrong passwords in a row were all looked at")))
}

/// An address that nobody has: the domain is reserved for such things (RFC 2606).
fn stranger() -> String {
    format!("{}@verify.invalid", chance::marker())
}

/// No cache keeps it.
fn unkept(answer: &Answer) -> Verdict<()> {
    let control = answer.header("cache-control").unwrap_or_default();
    ensure(control.contains("no-store"), || format!("{} may be kept by a cache (`{control}`)", answer.what))
}

/// What the caller is told, without what differs by its nature.
fn words(answer: &Answer) -> Verdict<Value> {
    let mut problem = answer.json()?;
    if let Some(problem) = problem.as_object_mut() {
        problem.remove("request_id");
        problem.remove("instance");
    }
    Ok(problem)
}
