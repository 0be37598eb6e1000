//! Bad input of every sort gets the documented status, code and shape.

use std::time::Duration;

use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};

use crate::chance;
use crate::client::Ask;
use crate::deployment::{Caller, Deployment};
use crate::problem::{expect_field, expect_problem};
use crate::verdict::{Stop, Verdict, fail};

const CONVERSATIONS: &str = "/api/v1/conversations";
/// What the body of the "too large" case claims to hold; more than any limit of the contract.
const CLAIMED: u64 = 1 << 30;
/// What is really sent when the claim alone is not refused; a little over the default limit of a JSON body.
const SENT: usize = 24 << 20;
const PIECE: usize = 64 << 10;

/// Each case of the table, then a body that is too large.
pub(crate) async fn shapes(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let wrong_method = client.ask(Method::DELETE, "/health").send().await?;
    expect_problem(&wrong_method, &[405], &["method_not_allowed"])?;
    let (caller, app) = deployment.talker().await?;
    let post = || client.post(CONVERSATIONS).by(&caller);
    let unknown_path = format!("/api/v1/{}", chance::marker());
    let unknown_id = format!("{CONVERSATIONS}/{}", chance::unknown_id());
    let malformed_id = format!("{CONVERSATIONS}/not-an-id");
    let broken = post().header("content-type", "application/json").body(br#"{"app": "#.to_vec());
    let plain = post().header("content-type", "text/plain").body(b"hello".to_vec());
    let cases: [(Ask<'_>, &[u16], &str); 5] = [
        (broken, &[400, 422], "invalid_json"),
        (plain, &[415], "unsupported_type"),
        (client.get(&malformed_id).by(&caller), &[400], "invalid_id"),
        (client.get(&unknown_id).by(&caller), &[404], "not_found"),
        (client.get(&unknown_path).by(&caller), &[404], "not_found"),
    ];
    let mut seen = vec!["405 method_not_allowed".to_owned()];
    for (ask, statuses, code) in cases {
        let answer = ask.send().await?;
        expect_problem(&answer, statuses, &[code])?;
        seen.push(format!("{} {code}", answer.status));
    }
    seen.push(unknown_field(deployment, &caller, &app).await?);
    let large = post()
        .header("content-type", "application/json")
        .header("content-length", &CLAIMED.to_string())
        .slow()
        .send_body(endless())
        .await
        .map_err(taken)?;
    expect_problem(&large, &[413], &["too_large"])?;
    seen.push("413 too_large".into());
    Ok(seen.join(", "))
}

/// When our own body has come to its end before any refusal, that is what to say.
fn taken(stop: Stop) -> Stop {
    match &stop {
        Stop::Fail(failure) if failure.saw.contains("early end") => {
            fail(format!("{} MiB of one JSON body were taken, not 413", SENT >> 20))
                .why("a few callers could fill its memory")
        }
        _ => stop,
    }
}

/// A field that nobody knows is refused by name.
async fn unknown_field(deployment: &Deployment, caller: &Caller, app: &str) -> Verdict {
    let body = json!({"app": app, "verify_unknown": true});
    let answer = deployment.client.post(CONVERSATIONS).by(caller).json(&body).send().await?;
    if let Some(id) = answer.json().ok().as_ref().and_then(|value| value.get("id")).and_then(Value::as_str) {
        deployment.remember(caller, id);
    }
    let problem = expect_problem(&answer, &[400, 422], &["invalid_input"])?;
    expect_field(&problem, "verify_unknown", "an unknown field")?;
    Ok(format!("{} invalid_input", answer.status))
}

/// A JSON string that never ends. The first piece is followed by a pause, so that a server that refuses by the
/// announced length can answer before we have written into a closed connection.
fn endless() -> reqwest::Body {
    let pieces = stream::unfold(0_usize, |sent| async move {
        match sent {
            0 => {}
            PIECE => tokio::time::sleep(Duration::from_secs(2)).await,
            SENT.. => return None,
            _ => tokio::time::sleep(Duration::from_millis(2)).await,
        }
        let mut piece = vec![b'a'; PIECE];
        if sent == 0 {
            let head = br#"{"app":"assistant","title":""#;
            piece.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
        }
        Some((Ok::<_, std::io::Error>(piece), sent + PIECE))
    });
    reqwest::Body::wrap_stream(pieces)
}
