//! Files: a stranger gets none; what is stored comes back byte for byte, as something to keep and never as a page; it
//! is stored once however often it is sent; what is thrown away for good is gone.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::{list_at, text_at};
use crate::chance;
use crate::deployment::{Caller, Deployment};
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure, skip};

const BOUNDARY: &str = "stoa-verify-boundary";

/// Follows a file through its life.
pub(crate) async fn life(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    for path in ["/api/v1/files", "/api/v1/files/declutter", "/api/v1/files/..%2f..%2fetc%2fpasswd/content"] {
        let answer = client.get(path).send().await?;
        ensure(matches!(answer.status, 400 | 401 | 404), || {
            format!("GET {path} gave {} to a stranger", answer.summary())
        })?;
    }
    if deployment.options.token.is_none() {
        return Err(skip("strangers are refused; there is no --token for the rest"));
    }
    let caller = Caller::Account;
    if deployment.app(&caller, "files").await?.is_none() {
        return Err(skip("the account may enter no file store"));
    }
    let text = format!("Only text: {}\n", deployment.marker);
    let (first, _) = upload(deployment, "note.txt", &text).await?;
    let seen = look(deployment, &caller, &first, &text).await;
    let again = upload(deployment, "the same.txt", &text).await;
    let mut ids = vec![first.clone()];
    ids.extend(again.as_ref().ok().map(|(id, _)| id.clone()));
    // Whatever was found wrong, the files go.
    for id in &ids {
        let path = format!("/api/v1/files/{id}?permanent=true");
        client.ask(Method::DELETE, &path).by(&caller).send().await?.expect(&[200, 202, 204])?;
        client.get(&format!("/api/v1/files/{id}")).by(&caller).send().await?.expect(&[404])?;
        client.get(&format!("/api/v1/files/{id}/content")).by(&caller).send().await?.expect(&[404])?;
    }
    seen?;
    let (_, stored) = again?;
    let twins = list_at(&stored, "/duplicate_of", "POST /api/v1/files")?;
    ensure(
        twins.iter().any(|twin| twin.get("id").and_then(Value::as_str) == Some(first.as_str())),
        || "a file that was there already is not told of",
    )?;
    Ok("stored, read back whole and in part, found again as a duplicate, destroyed".to_owned())
}

/// Stores a file; gives its id and the answer.
async fn upload(deployment: &Deployment, name: &str, text: &str) -> Verdict<(String, Value)> {
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: image/png\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n"
    );
    let media = format!("multipart/form-data; boundary={BOUNDARY}");
    let ask = deployment.client.post("/api/v1/files").header("content-type", &media).body(body.into_bytes());
    let refused = ask.clone().send().await?;
    expect_problem(&refused, &[401], &["unauthenticated"])?;
    let answer = ask.by(&Caller::Account).send().await?;
    answer.expect(&[201])?;
    let stored = answer.json()?;
    Ok((text_at(&stored, "/id", &answer.what)?.to_owned(), stored))
}

/// What comes back, and how.
async fn look(deployment: &Deployment, caller: &Caller, id: &str, text: &str) -> Verdict<()> {
    let client = &deployment.client;
    let path = format!("/api/v1/files/{id}/content");
    let whole = client.get(&path).by(caller).send().await?;
    whole.expect(&[200])?;
    ensure(whole.body == text.as_bytes(), || "a file came back with other bytes")?;
    let disposition = whole.header("content-disposition").unwrap_or_default();
    ensure(
        disposition.starts_with("attachment"),
        || "a file is shown as a page, not given as an attachment",
    )?;
    let policy = whole.header("content-security-policy").unwrap_or_default();
    ensure(
        policy.contains("sandbox"),
        || "a file is given without a sandbox in its Content-Security-Policy",
    )?;
    ensure(!matches!(whole.media_type().as_str(), "image/svg+xml" | "text/html" | "image/png"), || {
        format!("text was taken for `{}`", whole.media_type())
    })?;
    let part = client.get(&path).by(caller).header("range", "bytes=1-3").send().await?;
    part.expect(&[206])?;
    ensure(part.body == b"nly", || "a part of a file came back with other bytes")?;
    let foreign =
        client.get(&format!("/api/v1/files/{}/content", chance::unknown_id())).by(caller).send().await?;
    expect_problem(&foreign, &[404], &["not_found"])?;
    let stranger = client.get(&path).send().await?;
    expect_problem(&stranger, &[401], &["unauthenticated"])?;
    // An id in a body is judged like one in a path.
    let deletion = json!({"file_ids": [chance::unknown_id()]});
    let answer = client.post("/api/v1/files/delete").by(caller).json(&deletion).send().await?;
    answer.expect(&[400, 404, 409])
}
