//! Bad input of every sort gets the documented status, code and shape.

use std::time::Duration;

use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};

use crate::chance;
use crate::client::Ask;
use crate::deployment::Deployment;
use crate::problem::{expect_field, expect_problem};
use crate::verdict::Verdict;

const CONVERSATIONS: &str = "/api/v1/conversations";
/// What the body of the "too large" case claims to hold; more than any limit of the contract.
const CLAIMED: u64 = 1 << 30;
/// What is really sent when the claim alone is not refused; a little over the default limit of a JSON body.
const SENT: usize = 24 << 20;
const PIECE: usize = 64 << 10;

/// Each case of the table, then a body that is too large.
pub(crate) async fn shapes(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let (caller, app) = deployment.talker().await?;
    let post = || client.post(CONVERSATIONS).by(&caller);
    let unknown_path = format!("/api/v1/{}", chance::marker());
    let unknown_id = format!("{CONVERSATIONS}/{}", chance::unknown_id());
    let malformed_id = format!("{CONVERSATIONS}/not-an-id");
    let broken = post().header("content-type", "application/json").body(br#"{"app": "#.to_vec());
    let plain = post().header("content-type", "text/plain").body(b"hello".to_vec());
    let cases: Vec<(Ask<'_>, &[u16], &str)> = vec![
        (broken, &[400, 422], "invalid_json"),
        (plain, &[415], "unsupported_type"),
        (client.get(&malformed_id).by(&caller), &[400], "invalid_id"),
        (client.get(&unknown_id).by(&caller), &[404], "not_found"),
        (client.get(&unknown_path).by(&caller), &[404], "not_found"),
        (client.ask(Method::DELETE, "/health"), &[405], "method_not_allowed"),
    ];
    let mut seen = Vec::new();
    for (ask, statuses, code) in cases {
        let answer = ask.send().await?;
        expect_problem(&answer, statuses, &[code])?;
        seen.push(format!("{} {code}", answer.status));
    }
    let wrong_app = post().json(&json!({"app": app, "verify_unknown": true})).send().await?;
    if let Some(id) = wrong_app.json().ok().as_ref().and_then(|v| v.get("id")).and_then(Value::as_str) {
        deployment.remember(&caller, id);
    }
    let problem = expect_problem(&wrong_app, &[400, 422], &["invalid_input"])?;
    expect_field(&problem, "verify_unknown", "an unknown field")?;
    seen.push(format!("{} invalid_input", wrong_app.status));
    let large = post()
        .header("content-type", "application/json")
        .header("content-length", &CLAIMED.to_string())
        .send_body(endless())
        .await?;
    expect_problem(&large, &[413], &["too_large"])?;
    seen.push("413 too_large".into());
    Ok(seen.join(", "))
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
