//! Backups are made as the schedule wants it, one can be made now, and it can be restored: the server reads every byte of
//! it into a scratch database and compares.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::{enter, text};
use crate::answer::{Answer, list_at};
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, ensure, fail, skip};

const LIST: &str = "/api/v1/admin/backups";
/// A small database is backed up in seconds; a large one goes on, and the next run looks at it again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at how fresh they are, makes one, tries it out.
pub(crate) async fn backups(deployment: &Deployment) -> Verdict {
    enter(deployment).await?;
    let before = ask(deployment, Method::GET, LIST).await?;
    if before.status == 404 {
        return Err(skip(format!("this server has no {LIST}")));
    }
    before.expect(&[200])?;
    let before = before.json()?;
    let kept = list_at(&before, "/items", LIST)?.len();
    let production = deployment.environment().await == "production";
    ensure(text(&before, "status") != "overdue", || {
        let hours = before.get("age_seconds").and_then(Value::as_u64).unwrap_or_default() / 3_600;
        format!("a backup is overdue: the newest is {hours} hours old")
    })?;
    ensure(!production || kept > 0, || "there is no backup")?;
    let begun = Instant::now();
    let made = ask(deployment, Method::POST, LIST).await?;
    if matches!(made.status, 404 | 405) {
        return Err(skip("this server makes no backups over HTTP"));
    }
    made.expect(&[201, 202])?;
    let name = match made.status {
        201 => text(&made.json()?, "name").to_owned(),
        _ => appears(deployment, &before).await?,
    };
    let seconds = begun.elapsed().as_secs_f64();
    let tried = ask(deployment, Method::POST, &format!("{LIST}/{name}/verify")).await?;
    tried.expect(&[200, 202]).map_err(|stop| stop.why("what was backed up could not be restored"))?;
    let rows = tried.json()?.get("rows").and_then(Value::as_u64);
    let rows = rows.map_or_else(
        || "it is being tried out".to_owned(),
        |rows| format!("restored into scratch, {rows} rows compared"),
    );
    Ok(format!("{kept} kept; one was made in {seconds:.1} s, {rows}"))
}

async fn ask(deployment: &Deployment, method: Method, path: &str) -> Verdict<Answer> {
    deployment.client.ask(method, path).by(&Caller::Account).slow().send().await
}

/// The name of a backup that was not there before.
async fn appears(deployment: &Deployment, before: &Value) -> Verdict {
    let begun = Instant::now();
    loop {
        let now = ask(deployment, Method::GET, LIST).await?.json()?;
        let new = list_at(&now, "/items", LIST)?.iter().find(|one| {
            list_at(before, "/items", LIST)
                .is_ok_and(|old| old.iter().all(|known| text(known, "name") != text(one, "name")))
        });
        if let Some(new) = new {
            return Ok(text(new, "name").to_owned());
        }
        if begun.elapsed() > PATIENCE.min(deployment.options.timeout * 4) {
            return Err(fail(format!("a backup is not done after {} s", begun.elapsed().as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
