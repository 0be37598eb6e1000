//! One run: is anybody there, each check with its own time, clean up, and the check that uses up the limit last.
//! It owns the order and the time. It never looks into an answer beyond "the door is open".

use std::time::Duration;

use tokio::time::Instant;

use crate::checks::{self, Check};
use crate::console::Reporter;
use crate::deployment::Deployment;
use crate::report::{Line, Outcome, Report};
use crate::verdict::{Failure, Stop, Verdict, fail, skip};
use crate::{Options, client::Client};

/// Runs the checks one after another and tells the reporter how it goes. It never panics, and ends whatever the
/// server does: each check has its own time.
pub async fn run(options: Options, reporter: &mut dyn Reporter) -> Report {
    let url = options.url.to_string();
    let chosen = |check: &&Check| {
        options.only.is_empty() || check.always || options.only.iter().any(|name| name == check.name)
    };
    let table = checks::table();
    let table: Vec<&Check> = table.iter().filter(chosen).collect();
    let mut lines = Vec::new();
    match Deployment::new(options.clone()) {
        Ok(deployment) => {
            let mut door = Door::Open;
            for (index, check) in table.iter().enumerate() {
                reporter.begin(check.name, index + 1, table.len());
                let started = Instant::now();
                let verdict = match door.admits(check) {
                    Ok(()) => timed(check, &deployment, started).await,
                    Err(stop) => Err(stop),
                };
                let line = line(check, verdict, started.elapsed());
                reporter.end(&line);
                let failed = matches!(line.outcome, Outcome::Failed { .. });
                lines.push(line);
                if check.name == checks::REACH {
                    if failed {
                        break;
                    }
                    door = Door::find(&deployment.client).await;
                }
            }
        }
        Err(stop) => {
            if let Some(first) = table.first() {
                let line = line(first, Err(stop), Duration::ZERO);
                reporter.end(&line);
                lines.push(line);
            }
        }
    }
    let report = Report::new(url, lines);
    reporter.close(&report);
    report
}

/// Whether a stranger with this URL gets further than the probes.
enum Door {
    Open,
    /// Plain HTTP, and the server enforces HTTPS.
    HttpsOnly,
}

impl Door {
    /// Also waits for a limit that an earlier run has used up, before any check's time begins.
    async fn find(client: &Client) -> Door {
        match client.get("/api/v1/whoami").send().await {
            Ok(answer) if answer.summary() == "403 https_required" => Door::HttpsOnly,
            Ok(answer) if matches!(answer.status, 301 | 308) && client.base().scheme() == "http" => {
                let target = answer.header("location").unwrap_or_default();
                if target.starts_with("https://") { Door::HttpsOnly } else { Door::Open }
            }
            _ => Door::Open,
        }
    }

    fn admits(&self, check: &Check) -> Verdict<()> {
        match self {
            Door::Open => Ok(()),
            Door::HttpsOnly if check.plain || check.always => Ok(()),
            Door::HttpsOnly => Err(skip("the server enforces HTTPS: verify its https address")),
        }
    }
}

/// Runs a check within its time. Waiting for a limit does not count.
async fn timed(check: &Check, deployment: &Deployment, started: Instant) -> Verdict {
    let before = deployment.client.waited();
    let mut work = (check.run)(deployment);
    loop {
        let waited = deployment.client.waited().saturating_sub(before);
        let deadline = started + check.limit + waited;
        if let Ok(verdict) = tokio::time::timeout_at(deadline, &mut work).await {
            return verdict;
        }
        if deployment.client.waited().saturating_sub(before) == waited {
            return Err(fail(format!("not finished within {} s", check.limit.as_secs())));
        }
    }
}

fn line(check: &Check, verdict: Verdict, took: Duration) -> Line {
    let outcome = match verdict {
        Ok(saw) => Outcome::Passed { saw },
        Err(Stop::Skip(why)) => Outcome::Skipped { why },
        Err(Stop::Fail(Failure { saw, why, fix })) => Outcome::Failed {
            saw,
            why: why.map_or_else(|| check.why.to_owned(), Into::into),
            fix: fix.map_or_else(|| check.fix.to_owned(), Into::into),
        },
    };
    Line { name: check.name, outcome, took }
}
