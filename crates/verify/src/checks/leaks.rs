//! No refusal of the whole run says how the server is made or where it runs.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::client::Refusal;
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, ensure, fail};

/// Words that stand in stacks, paths, SQL and messages of libraries, and in no sentence for a caller.
const TELLTALE: [&str; 30] = [
    "panicked at",
    "stack backtrace",
    "RUST_BACKTRACE",
    "Traceback (most recent",
    "Exception in thread",
    ".rs:",
    ".py\"",
    "/.cargo/",
    "/src/",
    "/home/",
    "/root/",
    "/usr/",
    "/var/",
    "root:x:0:",
    "sqlx",
    "SQLSTATE",
    "SQLITE_",
    "sqlite",
    "postgresql://",
    "PgDatabaseError",
    "redis://",
    "SELECT ",
    "INSERT INTO",
    "UPDATE ",
    "hyper::",
    "tokio::",
    "axum::",
    "reqwest::",
    "serde_json::",
    "sk-proj-",
];

/// Sends what often breaks servers, then reads every refusal of the run again.
pub(crate) async fn none(deployment: &Deployment) -> Verdict {
    provoke(deployment).await?;
    let journal = deployment.client.journal();
    if let Some(what) = journal.key_shown_by.first() {
        return Err(fail(format!("{what} shows the API key of its caller")));
    }
    let host = deployment.options.url.host_str().unwrap_or_default().to_owned();
    for refusal in &journal.refusals {
        let Refusal { what, status, body } = refusal;
        ensure(*status != 500 && *status != 502, || format!("{what} gave {status}"))?;
        let word = TELLTALE.iter().find(|word| body.contains(**word) && !what.contains(**word));
        ensure(word.is_none(), || format!("the {status} of {what} says `{}`", word.unwrap_or(&"").trim()))?;
        let address = private_address(body, &host);
        ensure(address.is_none(), || format!("the {status} of {what} names a private address"))?;
    }
    ensure(!journal.refusals.is_empty(), || "no refusal was met, so nothing could be looked at")?;
    Ok(format!("{} refusals of this run say nothing about the inside", journal.refusals.len()))
}

async fn provoke(deployment: &Deployment) -> Verdict<()> {
    let client = &deployment.client;
    let caller = match deployment.talker().await {
        Ok((caller, _)) => caller,
        Err(_) => Caller::Nobody,
    };
    for path in [
        "/api/v1/conversations?limit=-1",
        "/api/v1/conversations?limit=99999999999999999999",
        "/api/v1/conversations?after=%00%ff%27",
        "/api/v1/conversations?q=%27%20OR%201=1--",
        "/api/v1/conversations/%27%20OR%20%271%27=%271",
        "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/api/v1/%00",
    ] {
        client.get(path).by(&caller).send().await?;
    }
    if deployment.options.api_key.is_some() {
        client.get("/api/v1/apps").by(&Caller::Key).send().await?;
    }
    let deep = "[".repeat(20_000);
    let bodies: [Vec<u8>; 4] = [
        deep.into_bytes(),
        json!({"message": {"$gt": ""}}).to_string().into_bytes(),
        Value::Null.to_string().into_bytes(),
        vec![0xff, 0xfe, 0x00],
    ];
    for body in bodies {
        let ask =
            client.post("/api/v1/chat").by(&caller).header("content-type", "application/json").body(body);
        ask.impatient().send().await?;
    }
    Ok(())
}

/// An IPv4 address of a private network, other than the one that we were given ourselves.
fn private_address(text: &str, host: &str) -> Option<Ipv4Addr> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter(|word| *word != host)
        .filter_map(|word| word.trim_matches('.').parse::<Ipv4Addr>().ok())
        .find(|address| address.is_private() || address.is_loopback() || address.is_link_local())
}

#[cfg(test)]
mod tests {
    use super::private_address;

    #[test]
    fn private_addresses_are_found_and_versions_are_not() {
        assert!(private_address("connect to 10.0.0.3:5432 failed", "x").is_some());
        assert!(private_address("at 127.0.0.1.", "x").is_some());
        assert!(private_address("at 127.0.0.1", "127.0.0.1").is_none());
        for harmless in ["version 10.0.3", "8.8.8.8", "1.2.3.4.5", ""] {
            assert!(private_address(harmless, "x").is_none(), "{harmless}");
        }
    }
}
