//! `/health`, `/ready` and `/live`: their status and the exact document of the contract.

use serde_json::Value;

use crate::answer::text_at;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure, fail};

const SERVICES: [&str; 5] = ["api", "database", "vector_db", "cache", "model"];
const STATES: [&str; 4] = ["operational", "degraded", "down", "not_configured"];
const SECURITY: [&str; 4] =
    ["authentication_required", "https_enforced", "rate_limiting_enabled", "pii_masking_enabled"];

/// Both addresses answer 200 with every field, and production has its protections on.
pub(crate) async fn health(deployment: &Deployment) -> Verdict {
    let mut seen = String::new();
    for path in ["/health", "/api/health"] {
        let answer = deployment.client.get(path).send().await?;
        let document = answer.json()?;
        let status = text_at(&document, "/status", path)?;
        let ailing = services(&document, path)?;
        ensure(answer.status == 200 && matches!(status, "healthy" | "degraded"), || {
            format!("{path} gave {} `{status}`{ailing}", answer.status)
        })?;
        let timestamp = text_at(&document, "/timestamp", path)?;
        ensure(is_utc_time(timestamp), || format!("{path}: `timestamp` is no RFC 3339 time in UTC"))?;
        for field in ["/version", "/environment", "/database"] {
            text_at(&document, field, path)?;
        }
        protections(&document, path)?;
        seen = format!("200 {status} in {} ms{ailing}", answer.took.as_millis());
    }
    Ok(seen)
}

/// Every service has a known state. Gives those that are not well, for the line.
fn services(document: &Value, path: &str) -> Verdict<String> {
    let mut ailing = String::new();
    for name in SERVICES {
        let state = text_at(document, &format!("/services/{name}"), path)?;
        ensure(STATES.contains(&state), || format!("{path}: `services.{name}` is `{state}`"))?;
        if matches!(state, "degraded" | "down") {
            ailing.push_str(&format!(", {name} {state}"));
        }
    }
    Ok(ailing)
}

fn protections(document: &Value, path: &str) -> Verdict<()> {
    let production = text_at(document, "/environment", path)? == "production";
    for name in SECURITY {
        let value = document.pointer(&format!("/security/{name}")).and_then(Value::as_bool);
        let Some(value) = value else {
            return Err(fail(format!("{path}: `security.{name}` is no boolean")));
        };
        // Who must sign in is each app's own rule; the other three are always on in production.
        ensure(value || !production || name == "authentication_required", || {
            format!("{path}: production with `{name}` off")
        })?;
    }
    Ok(())
}

/// 200, and a document that says so too.
pub(crate) async fn ready(deployment: &Deployment) -> Verdict {
    let answer = deployment.client.get("/ready").send().await?;
    let document = answer.json()?;
    let status = text_at(&document, "/status", "/ready")?;
    ensure(answer.status == 200 && status == "ready", || {
        format!("/ready gave {} `{status}`", answer.status)
    })?;
    for field in ["/database", "/version"] {
        text_at(&document, field, "/ready")?;
    }
    for field in ["migrating", "draining"] {
        ensure(document.get(field).and_then(Value::as_bool) == Some(false), || {
            format!("/ready: `{field}` is not false")
        })?;
    }
    Ok(format!("200 ready in {} ms", answer.took.as_millis()))
}

/// 200 while the process runs.
pub(crate) async fn live(deployment: &Deployment) -> Verdict {
    let answer = deployment.client.get("/live").send().await?;
    answer.expect(&[200])?;
    Ok(format!("200 in {} ms", answer.took.as_millis()))
}

/// `2026-11-20T08:30:00Z`, with or without a fraction of a second.
pub(crate) fn is_utc_time(text: &str) -> bool {
    let Some(body) = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")) else { return false };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, "0"));
    let shape: String = whole.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00" && !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_utc_time;

    #[test]
    fn times() {
        for good in ["2026-11-20T08:30:00Z", "2026-11-20T08:30:00.123456Z", "2026-11-20T08:30:00+00:00"] {
            assert!(is_utc_time(good), "{good}");
        }
        for bad in ["", "Z", "now", "2026-11-20 08:30:00Z", "2026-11-20T08:30:00", "2026-11-20T08:30:00.Z"] {
            assert!(!is_utc_time(bad), "{bad}");
        }
    }
}
