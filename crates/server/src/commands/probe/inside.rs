//! Looks inside of the database: who this server is to it, who else may reach it, how many connections there are, its
//! clock, what waits, what could not be read, and whom the limits refuse. It changes nothing and opens nothing sealed.

use std::net::IpAddr;
use std::time::Duration;

use kernel::{Ambient, EventType};
use store::{By, Store, TallyQuery};

use super::Probe;
use crate::settings::Settings;

/// A clock that is further off than this breaks tokens, limits and order.
const SKEW: Duration = Duration::from_secs(2);

/// What waits longer than this in the outbox does not leave.
const LATE: Duration = Duration::from_secs(900);

/// Refusals of a day that are looked at, and the share of one address that says that many people have it.
const REFUSED: u64 = 20;

const DAY: Duration = Duration::from_secs(86_400);

/// Everything that can be seen from the inside. Of a database whose schema is not there yet: nothing more.
pub(super) async fn looks(store: &Store, settings: &Settings, ambient: &Ambient) -> Vec<Probe> {
    let mut probes = Vec::new();
    probes.extend(server(store).await);
    probes.extend(clock(store, ambient).await);
    probes.extend(outbox(store, ambient).await);
    probes.extend(documents(store).await);
    probes.extend(refusals(store, ambient).await);
    probes.extend(statements(store, settings).await);
    probes
}

/// Postgres: rights and listeners (rows 004.11, 004.13 of the requirements).
async fn server(store: &Store) -> Vec<Probe> {
    let Ok(Some(facts)) = store.server_facts().await else { return Vec::new() };
    let mut probes = Vec::new();
    probes.push(if facts.superuser {
        Probe::attention(
            "database user",
            "the server connects as a superuser: whoever breaks in owns every database there",
            "make a user that owns this database alone, and put it into DATABASE_URL",
        )
    } else if facts.may_make {
        Probe::attention(
            "database user",
            "the server's user may make roles or databases, which it never needs",
            "take these rights away: ALTER ROLE … NOCREATEROLE NOCREATEDB",
        )
    } else {
        Probe::good("database user", "owns no more than it needs")
    });
    let open = facts.listens.split(',').map(str::trim).any(is_public);
    probes.push(if open {
        Probe::attention(
            "database listener",
            format!("Postgres listens on every address or on a public one ({})", facts.listens),
            "set listen_addresses to the private network, and let a firewall admit the app servers alone",
        )
    } else {
        Probe::good("database listener", "Postgres listens on private addresses alone")
    });
    probes
}

/// Whether an item of `listen_addresses` can be reached from anywhere.
fn is_public(item: &str) -> bool {
    if matches!(item, "*" | "0.0.0.0" | "::") {
        return true;
    }
    match item.parse::<IpAddr>() {
        Ok(address) => guard::outbound::is_public(address),
        // An empty item is no socket at all, a name is `localhost` as a rule.
        Err(_) => false,
    }
}

async fn clock(store: &Store, ambient: &Ambient) -> Option<Probe> {
    let before = ambient.now();
    let there = store.server_clock().await.ok()??;
    let now = ambient.now();
    let skew = there.since(now).max(now.since(there)).saturating_sub(now.since(before));
    let say = format!("{:.3} s apart from the clock of the database", skew.as_secs_f64());
    Some(if skew > SKEW {
        Probe::bad("database clock", say, "run a time service (chrony, systemd-timesyncd) on both machines")
    } else {
        Probe::good("database clock", say)
    })
}

async fn outbox(store: &Store, ambient: &Ambient) -> Option<Probe> {
    let backlog = store.outbox_backlog().await.ok()?;
    let waits = backlog.oldest.map_or(Duration::ZERO, |at| ambient.now().since(at));
    let say = format!("{} mails and alerts wait, the oldest for {} min", backlog.count, waits.as_secs() / 60);
    Some(if waits > LATE {
        let fix = "see the line `a delivery failed` in the log; check SMTP_URL, ALERT_WEBHOOK_URL and SLACK_WEBHOOK_URL";
        Probe::bad("outbox", say, fix)
    } else {
        Probe::good("outbox", say)
    })
}

async fn documents(store: &Store) -> Option<Probe> {
    let failed = store.documents_with("failed").await.ok()?;
    let waiting = store.documents_with("indexing").await.ok()?;
    let ready = store.documents_with("ready").await.ok()?;
    let say = format!("{ready} documents are found, {waiting} are being read, {failed} could not be read");
    Some(if failed > 0 {
        Probe::attention("knowledge index", say, "`stoa docs list APP` says why; remove and add them again")
    } else {
        Probe::good("knowledge index", say)
    })
}

/// Whom the limits refuse: one address for many people means that the proxy is taken for everybody.
async fn refusals(store: &Store, ambient: &Ambient) -> Option<Probe> {
    let since = ambient.now() - DAY;
    let event_type = EventType::RatelimitExceeded;
    let query = TallyQuery { event_type, severity: None, since, by: By::Address, only: None, more_than: 0 };
    let tallies = store.tally(query).await.ok()?;
    let all: u64 = tallies.iter().map(|tally| tally.count).sum();
    let say =
        format!("{all} requests were refused by a limit within a day, from {} addresses", tallies.len());
    let first = tallies.first()?;
    let inner = first.group.parse::<IpAddr>().is_ok_and(|address| !guard::outbound::is_public(address));
    Some(if all >= REFUSED && inner && first.count * 10 >= all * 8 {
        let fix = "name it in TRUSTED_PROXIES, so that each caller is counted for itself";
        let say = format!("{say}; nearly all from {}, which looks like your proxy", first.group);
        Probe::bad("limits", say, fix)
    } else if all >= REFUSED {
        let fix =
            "`stoa audit list --event ratelimit.exceeded` names them; raise the limit if they are people";
        Probe::attention("limits", say, fix)
    } else {
        Probe::good("limits", say)
    })
}

/// Slow statements, as Postgres remembers them.
async fn statements(store: &Store, settings: &Settings) -> Option<Probe> {
    let found = store.server_statements(Duration::from_millis(100), 5).await.ok()??;
    let Some(first) = found.first() else {
        return Some(Probe::good("slow statements", "none with a mean over 100 ms"));
    };
    let text: String = first.text.chars().take(120).collect();
    let say = format!(
        "{} with a mean over 100 ms, the slowest {} ms in {} calls: {text}",
        found.len(),
        first.mean.as_millis(),
        first.calls
    );
    let slow = settings.store.slow_query.as_millis();
    let fix =
        format!("the log has the plans of those over {slow} ms; check the missing indexes and the disk");
    Some(Probe::attention("slow statements", say, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_public_or_not() {
        for item in ["*", "0.0.0.0", "::", "8.8.8.8"] {
            assert!(is_public(item), "{item}");
        }
        for item in ["localhost", "127.0.0.1", "10.0.0.5", "::1", "", "fd00::1"] {
            assert!(!is_public(item), "{item}");
        }
    }
}
