//! Looks at how fresh backups are and when one was tried out last. It changes nothing.

use std::time::Duration;

use kernel::{Ambient, Time};
use ops::backup::{Freshness, Status};
use store::{Database, Store};

use super::Probe;
use crate::settings::Settings;

/// A database that does not answer by then says nothing.
const PATIENCE: Duration = Duration::from_secs(10);
const NAMES: [&str; 2] = ["backups", "backup drill"];

/// How old the newest backup is, and the last drill.
pub(crate) async fn backups(settings: &Settings, ambient: &Ambient) -> Vec<Probe> {
    let unknown = |why: &str| vec![Probe::nothing(NAMES[0], why)];
    if let Database::Sqlite { path } = &settings.store.database
        && !path.exists()
    {
        return unknown("there is nothing to back up before the first start");
    }
    // A look makes no key.
    let mut sources = settings.keys.clone();
    sources.may_make = false;
    let Ok(keys) = sources.open(ambient.random()) else { return unknown("there are no keys yet") };
    let looked = async {
        let store = Store::open(settings.store.clone(), keys.keyring, ambient.clone()).await?;
        let status = Status::read(&store, settings.backups.schedule.clone()).await;
        store.close().await;
        status
    };
    match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok(status)) => judge(&status, ambient.now()),
        _ => unknown("the database has to be reached and migrated first"),
    }
}

fn days(span: Duration) -> String {
    let hours = span.as_secs() / 3_600;
    if hours < 48 { format!("{hours} hours") } else { format!("{} days", hours / 24) }
}

fn judge(status: &Status, now: Time) -> Vec<Probe> {
    let mut probes = Vec::new();
    let make = "`stoa backup create` makes one, and BACKUP_SCHEDULE says when the server does";
    probes.push(match (status.backups(now), &status.last, &status.schedule) {
        (Freshness::Overdue, Some(last), _) => Probe::bad(
            NAMES[0],
            format!("the newest backup is {} old, more than the schedule allows", days(now.since(last.at))),
            format!("look for `backup failed` in the log of the server; {make}"),
        ),
        (Freshness::Overdue, None, _) => {
            Probe::bad(NAMES[0], "there is no backup, and one was due", make.to_owned())
        }
        (_, Some(last), Some(_)) => Probe::good(
            NAMES[0],
            format!("the newest backup is {} old: {}", days(now.since(last.at)), last.name),
        ),
        // Without a schedule somebody else has to remember.
        (_, Some(last), None) if now.since(last.at) > Duration::from_secs(2 * 86_400) => Probe::bad(
            NAMES[0],
            format!("the newest backup is {} old, and no schedule is set", days(now.since(last.at))),
            make.to_owned(),
        ),
        (_, Some(last), None) => Probe::attention(
            NAMES[0],
            format!("the newest backup is {} old, and no schedule is set", days(now.since(last.at))),
            make.to_owned(),
        ),
        (_, None, None) => {
            Probe::bad(NAMES[0], "there is no backup, and no schedule is set", make.to_owned())
        }
        (_, None, Some(schedule)) => {
            let next = schedule.next(now).map_or_else(|| "never".to_owned(), |next| next.rfc3339_seconds());
            Probe::attention(
                NAMES[0],
                format!("there is no backup yet; the first is due at {next}"),
                make.to_owned(),
            )
        }
    });
    let fix = "`stoa backup verify` tries the newest one out";
    if status.last.is_some() {
        probes.push(match (status.drills(now), &status.verified) {
            (Freshness::Overdue, Some(drill)) if !drill.passed => Probe::bad(
                NAMES[1],
                format!("{} could not be restored into a scratch database", drill.name),
                fix,
            ),
            (Freshness::Overdue, Some(drill)) => Probe::attention(
                NAMES[1],
                format!("the last drill was {} ago; one is good for 30 days", days(now.since(drill.at))),
                fix,
            ),
            (Freshness::Current, Some(drill)) => {
                Probe::good(NAMES[1], format!("a backup was tried out {} ago", days(now.since(drill.at))))
            }
            _ => Probe::attention(NAMES[1], "no backup was tried out yet", fix),
        });
    }
    probes
}

#[cfg(test)]
mod tests {
    use ops::backup::Schedule;

    use super::super::super::paper::Mark;
    use super::*;

    #[test]
    fn what_is_missing_is_a_warning_until_it_was_due() {
        let now = Time::parse_rfc3339("2026-11-21T12:00:00Z").unwrap();
        let mark = |status: &Status| judge(status, now)[0].mark;
        let mut status =
            Status { schedule: Schedule::parse("0 2 * * *"), since: Some(now), ..Status::default() };
        assert_eq!(mark(&status), Mark::Attention);
        status.since = Some(now - Duration::from_secs(86_400));
        assert_eq!(mark(&status), Mark::Bad);
        assert_eq!(mark(&Status::default()), Mark::Bad);
    }
}
