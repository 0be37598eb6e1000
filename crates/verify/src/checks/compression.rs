//! Large bodies are compressed in the coding that the client asks for, small ones are left alone.

use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure};

/// Coding, and how its bytes begin (brotli has no mark).
const CODINGS: [(&str, &[u8]); 3] =
    [("gzip", &[0x1f, 0x8b]), ("br", &[]), ("zstd", &[0x28, 0xb5, 0x2f, 0xfd])];

/// A large document in each coding and without any, and a small one.
pub(crate) async fn codings(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let plain = client.get("/openapi.json").header("accept-encoding", "identity").send().await?;
    plain.expect(&[200])?;
    ensure(
        !plain.headers.contains_key("content-encoding"),
        || "an answer is compressed though the client asked for none",
    )?;
    let mut seen = vec![format!("{} bytes", plain.body.len())];
    for (coding, mark) in CODINGS {
        let answer = client.get("/openapi.json").header("accept-encoding", coding).send().await?;
        answer.expect(&[200])?;
        ensure(answer.header("content-encoding") == Some(coding), || {
            format!("{} bytes of JSON are not compressed for a client that takes {coding}", plain.body.len())
        })?;
        ensure(answer.body.starts_with(mark) && answer.body.len() < plain.body.len(), || {
            format!("the body is labelled {coding} and is not")
        })?;
        let varies = answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
        ensure(
            varies.flat_map(|v| v.split(',')).any(|v| v.trim().eq_ignore_ascii_case("accept-encoding")),
            || "a compressed answer has no `Vary: Accept-Encoding`, so a cache may give it to the wrong client",
        )?;
        seen.push(format!("{coding} {}", answer.body.len()));
    }
    let small = client.get("/live").header("accept-encoding", "gzip, br, zstd").send().await?;
    ensure(
        small.body.len() > 1024 || !small.headers.contains_key("content-encoding"),
        || "a small answer is compressed",
    )?;
    Ok(seen.join(", "))
}
