//! The newest good backup is young enough, and one can be made now.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{enter, text, whole};
use crate::deployment::{Caller, Deployment};
use crate::moment;
use crate::verdict::{Verdict, ensure, fail, skip};

const LIST: &str = "/api/v1/admin/backups";
/// A day and two hours: a daily backup, and the time it takes.
const AT_MOST: u64 = 26 * 3_600;
/// A small database is backed up in seconds; a large one is looked at again with the next run.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at the newest, makes one where none is kept, and waits until it is good.
pub(crate) async fn backups(deployment: &Deployment) -> Verdict {
    enter(deployment).await?;
    let kept = whole(deployment, LIST).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let newest = kept.iter().filter(|one| is_good(one)).filter_map(made).max();
    let age = newest.map(|made| now.saturating_sub(made));
    let production = deployment.environment().await == "production";
    if production {
        match age {
            None => return Err(fail("there is no good backup")),
            Some(age) if age > AT_MOST => {
                return Err(fail(format!("the newest good backup is {} hours old", age / 3_600)));
            }
            Some(_) => {}
        }
    }
    let answer = deployment.client.post(LIST).by(&Caller::Account).json(&json!({})).slow().send().await?;
    if matches!(answer.status, 404 | 405) {
        return Err(skip("this server makes no backups over HTTP"));
    }
    answer.expect(&[200, 201, 202])?;
    let id = answer.json()?.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let begun = Instant::now();
    loop {
        let kept = whole(deployment, LIST).await?;
        let own = kept.iter().find(|one| text(one, "id") == id);
        match own {
            Some(one) if is_good(one) => break,
            Some(one) if is_bad(one) => return Err(fail(format!("a backup {}", state(one)))),
            _ => {}
        }
        ensure(begun.elapsed() < PATIENCE, || {
            format!("a backup is not done after {} s", PATIENCE.as_secs())
        })?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let before = match age {
        Some(age) => format!("the newest before was {} hours old", age / 3_600),
        None => "there was none before".to_owned(),
    };
    Ok(format!("a backup was made in {seconds:.1} s; {before}, {} are kept", kept.len() + 1))
}

fn made(one: &Value) -> Option<u64> {
    moment::seconds(text(one, "created_at"))
}

fn state(one: &Value) -> &str {
    match text(one, "state") {
        "" => text(one, "status"),
        state => state,
    }
}

fn is_good(one: &Value) -> bool {
    matches!(state(one), "" | "complete" | "completed" | "done" | "good" | "ok" | "ready" | "verified")
}

fn is_bad(one: &Value) -> bool {
    matches!(state(one), "failed" | "error" | "bad" | "damaged" | "incomplete")
}
