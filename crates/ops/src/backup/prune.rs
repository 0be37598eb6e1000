//! What is kept: by age, in two tiers, and never so that the last good artefact goes.

use std::collections::HashSet;
use std::time::Duration;

use kernel::{Result, Time};

use super::shelf::Listed;
use super::{Backups, Reason};

/// What was removed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// From the folder.
    pub local: Vec<String>,
    /// From the bucket.
    pub bucket: Vec<String>,
}

/// What goes, and from where.
fn choose(listed: &[Listed], now: Time, keep: Duration, keep_local: Duration, house: &str) -> Pruned {
    let good = |listed: &&Listed| listed.is_good();
    let own = |listed: &&Listed| listed.manifest.as_ref().is_some_and(|manifest| manifest.house == house);
    let whole =
        |listed: &&Listed| listed.manifest.as_ref().is_some_and(|manifest| manifest.reason.is_whole());
    // The list begins with the newest. What a rollback would need stays as well.
    let mut spared: HashSet<&str> = HashSet::new();
    let last = listed.iter().filter(good).filter(own).find(whole);
    let last_sent = listed.iter().filter(good).filter(own).filter(whole).find(|listed| listed.bucket);
    let rollback = listed.iter().filter(own).find(|listed| {
        listed.manifest.as_ref().is_some_and(|manifest| manifest.reason == Reason::BeforeMigration)
    });
    spared.extend([last, last_sent, rollback].into_iter().flatten().map(|listed| listed.name.as_str()));
    let mut pruned = Pruned::default();
    for listed in listed.iter().filter(own).filter(|listed| !spared.contains(listed.name.as_str())) {
        let age = now.since(listed.at);
        let local_limit = if listed.bucket { keep_local.min(keep) } else { keep };
        if listed.local && age > local_limit {
            pruned.local.push(listed.name.clone());
        }
        if listed.bucket && age > keep {
            pruned.bucket.push(listed.name.clone());
        }
    }
    // What is spared as the last good one may go from this machine when the bucket has it.
    for listed in listed.iter().filter(own).filter(|listed| spared.contains(listed.name.as_str())) {
        if listed.local && listed.bucket && listed.is_good() && now.since(listed.at) > keep_local.min(keep) {
            pruned.local.push(listed.name.clone());
        }
    }
    pruned
}

impl Backups {
    /// Removes what is older than it has to be. Artefacts of other databases, and those that cannot be read, are not
    /// touched: nobody here knows what they are worth.
    pub async fn prune(&self) -> Result<Pruned> {
        let Some(house) = self.0.store.house().await? else { return Ok(Pruned::default()) };
        let listed = self.list().await?;
        let config = &self.0.config;
        let pruned = choose(&listed, self.now(), config.keep, config.keep_local, &house);
        for name in &pruned.bucket {
            self.0.shelf.remove_sent(name).await?;
        }
        for name in &pruned.local {
            self.0.shelf.remove_local(name).await?;
        }
        if !pruned.local.is_empty() || !pruned.bucket.is_empty() {
            tracing::info!(
                local = pruned.local.len(),
                bucket = pruned.bucket.len(),
                "old backups were removed"
            );
        }
        Ok(pruned)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Manifest;
    use super::super::artefact::{FORMAT, Files};
    use super::*;

    fn manifest(reason: Reason, house: &str) -> Manifest {
        Manifest {
            format: FORMAT,
            version: String::new(),
            schema: 1,
            engine: String::new(),
            house: house.to_owned(),
            reason,
            began_at: Time::EPOCH,
            ended_at: Time::EPOCH,
            tables: Vec::new(),
            subjects: 0,
            files: Files::default(),
            head: store::Head::default(),
            content: String::new(),
        }
    }

    fn day(day: i64) -> Time {
        Time::from_seconds(day * 86_400)
    }

    fn listed(name: &str, at: i64, (local, bucket): (bool, bool), manifest: Option<Manifest>) -> Listed {
        Listed { name: name.to_owned(), at: day(at), bytes: 1, local, bucket, manifest, problem: None }
    }

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn two_tiers_and_the_last_good_one_stays() {
        let scheduled = || Some(manifest(Reason::Scheduled, "h"));
        let list = [
            listed("damaged", 99, (true, false), None),
            listed("a", 90, (true, true), scheduled()),
            listed("b", 80, (true, true), scheduled()),
            listed("c", 60, (true, true), scheduled()),
            listed("other", 10, (true, true), Some(manifest(Reason::Scheduled, "other"))),
        ];
        let at = |now| choose(&list, day(now), 30 * DAY, 7 * DAY, "h");
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(at(89), Pruned { local: names(&["b", "c"]), bucket: Vec::new() });
        assert_eq!(at(91), Pruned { local: names(&["b", "c"]), bucket: names(&["c"]) });
        // Years later: the last good one is still in the bucket.
        assert_eq!(at(2_000), Pruned { local: names(&["b", "c", "a"]), bucket: names(&["b", "c"]) });
    }

    #[test]
    fn without_a_bucket_the_folder_keeps_the_longer_time() {
        let list = [
            listed("safety", 100, (true, false), Some(manifest(Reason::BeforeRestore, "h"))),
            listed("a", 99, (true, false), Some(manifest(Reason::Manual, "h"))),
            listed("b", 98, (true, false), Some(manifest(Reason::Scheduled, "h"))),
            listed("old rollback", 3, (true, false), Some(manifest(Reason::BeforeMigration, "h"))),
            listed("older rollback", 2, (true, false), Some(manifest(Reason::BeforeMigration, "h"))),
        ];
        let at = |now| choose(&list, day(now), 30 * DAY, 7 * DAY, "h").local;
        assert_eq!(at(110), ["older rollback"]);
        assert_eq!(at(129), ["b", "older rollback"]);
        assert_eq!(at(5_000), ["safety", "b", "older rollback"]);
    }
}
