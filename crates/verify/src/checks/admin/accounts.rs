//! Accounts and keys that a review would ask about: admins without a second factor, keys that are old or never end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{enter, has, some, text, whole};
use crate::deployment::Deployment;
use crate::moment;
use crate::verdict::{Verdict, ensure, fail};

/// "Quarterly minimum" (document 001).
const OLD_DAYS: u64 = 90;

/// Admins who could be taken over with a password alone.
pub(crate) async fn people(deployment: &Deployment) -> Verdict {
    enter(deployment).await?;
    let admins = whole(deployment, "/api/v1/admin/users?role=admin&active=true").await?;
    ensure(!admins.is_empty(), || "the list of admins is empty, and an admin asks for it")?;
    let second = |one: &serde_json::Value| {
        one.get("totp").and_then(serde_json::Value::as_bool) == Some(true)
            || one.get("passkeys").and_then(serde_json::Value::as_u64).is_some_and(|count| count > 0)
    };
    let bare: Vec<&str> = admins.iter().filter(|one| !second(one)).map(|one| text(one, "id")).collect();
    let said = format!("{} of {} admins have no second factor", bare.len(), admins.len());
    if bare.is_empty() {
        Ok(format!("{} admins, each with a second factor", admins.len()))
    } else if deployment.environment().await == "production" {
        Err(fail(format!("{said}: {}", some(bare))))
    } else {
        Ok(format!("{said}; production would not pass"))
    }
}

/// Keys older than a quarter, and how many never end.
pub(crate) async fn keys(deployment: &Deployment) -> Verdict {
    enter(deployment).await?;
    let keys = whole(deployment, "/api/v1/admin/keys").await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = |one: &serde_json::Value, name: &str| moment::seconds(text(one, name));
    let live = |one: &&serde_json::Value| {
        !has(one, "revoked_at") && time(one, "expires_at").is_none_or(|end| Duration::from_secs(end) > now)
    };
    let live: Vec<_> = keys.iter().filter(live).collect();
    let old: Vec<&str> = live
        .iter()
        .filter(|one| {
            time(one, "created_at").is_some_and(|made| now.as_secs().saturating_sub(made) > OLD_DAYS * 86_400)
        })
        .map(|one| text(one, "id"))
        .collect();
    ensure(old.is_empty(), || {
        format!("{} keys are older than {OLD_DAYS} days: {}", old.len(), some(old.clone()))
    })?;
    let endless = live.iter().filter(|one| !has(one, "expires_at")).count();
    Ok(format!("{} keys in use, none older than {OLD_DAYS} days, {endless} without an end", live.len()))
}
