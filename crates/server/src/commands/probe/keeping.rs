//! Looks at what is kept: when the database was last looked after, what is on hold, whether erasures are done, and
//! whether the bytes of files are where the rows say. It changes nothing.

use apps::reconcile;
use files::blob::Blobs;
use guard::outbound::Outbound;
use guard::outbound::aws::Aws;
use kernel::{Ambient, Fault, Time};
use ops::upkeep;
use store::Store;

use super::Probe;
use crate::settings::Settings;

/// Contents that are compared; with more, a part is a good sample of the whole, and the command ends in some seconds.
const MOST: u64 = 200_000;

/// All of them, on a database that is open and whose schema is known.
pub(super) async fn keeping(store: &Store, settings: &Settings, ambient: &Ambient) -> Vec<Probe> {
    let mut probes = Vec::new();
    // A schema of before knows none of it; that it is behind is said elsewhere.
    if let Ok(chores) = store.chores().await {
        let last = chores.iter().find(|chore| chore.name == upkeep::CHORE);
        probes.push(looked_after(last.map(|chore| (chore.done_at, chore.outcome.as_str())), ambient.now()));
    }
    if let Ok(waiting) = store.unsettled_erasures(ambient.now()).await {
        probes.extend(erasures(waiting));
    }
    probes.push(match contents(store, settings, ambient).await {
        Ok(probe) => probe,
        Err(fault) => {
            let cause = fault.cause().map(ToString::to_string).unwrap_or_else(|| fault.to_string());
            Probe::attention("files", format!("cannot be compared ({cause})"), "")
        }
    });
    probes
}

fn looked_after(last: Option<(Time, &str)>, now: Time) -> Probe {
    const NAME: &str = "upkeep";
    /// A running server does it once a week; a week late is a sign that none does.
    const LATE: u64 = 14 * 86_400;
    match last {
        None => Probe::nothing(NAME, "not done yet: a running server does it once a week"),
        Some((at, outcome)) if now.since(at).as_secs() > LATE => Probe::attention(
            NAME,
            format!("last done {}: {outcome}", at.rfc3339_seconds()),
            "run `stoa maintain`, and look why no server does it",
        ),
        Some((at, outcome)) => Probe::good(NAME, format!("done {}: {outcome}", at.rfc3339_seconds())),
    }
}

fn erasures(waiting: u64) -> Option<Probe> {
    (waiting > 0).then(|| {
        let say = format!("{waiting} erasures of more than an hour ago are not certain yet");
        Probe::bad("erasures", say, "start the server: it removes what is left and says so on the receipts")
    })
}

async fn contents(store: &Store, settings: &Settings, ambient: &Ambient) -> Result<Probe, Fault> {
    const NAME: &str = "files";
    if store.blobs_after("", 1).await?.is_empty() && !settings.blobs.folder.exists() {
        return Ok(Probe::nothing(NAME, "none are stored"));
    }
    let outbound = Outbound::new(settings.models.timeouts.connect)?;
    let aws = Aws::new(settings.aws.clone(), outbound.operator().clone(), ambient.clone());
    let blobs = Blobs::open(&settings.blobs, outbound.operator(), &aws, ambient)?;
    let found = reconcile(store, &blobs, MOST).await?;
    let (seen, orphans, missing) = (found.seen, found.orphans.len(), found.missing.len());
    Ok(if missing > 0 {
        let say =
            format!("{missing} contents of {seen} are not where the rows say: those files cannot be read");
        Probe::bad(NAME, say, "restore the folder or bucket of files from a backup")
    } else if orphans > 0 {
        let say = format!("{orphans} contents of {seen} belong to no file");
        Probe::attention(
            NAME,
            say,
            "they take room and nothing else; a restore of an older database leaves such",
        )
    } else {
        Probe::good(NAME, format!("{seen} contents are where the rows say"))
    })
}
