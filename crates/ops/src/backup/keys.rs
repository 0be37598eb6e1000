//! The keyring: the data keys of all subjects, wrapped by the master key, in one sealed file beside the artefacts that
//! is always the latest. An artefact holds none, so what was erased stays unreadable in every artefact, however old: a
//! subject that has no key here was erased.
//!
//! Keys that the live database lost because an older artefact was restored, and not by an erasure, are parked: newer
//! artefacts need them while they are kept.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crypto::stream::{CHUNK, HEADER, Opener, Sealer, chunk_at, chunks, plain_size};
use crypto::{Keyring, Place};
use kernel::{Ambient, Code, Fault, Result, Time};
use serde::{Deserialize, Serialize};
use store::WrappedKey;

use super::{blocking, broken, make};

const PREFIX: &str = "keyring-";
const ENDING: &str = ".stoakeys";

/// A key that only artefacts need.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Parked {
    pub(super) key: WrappedKey,
    pub(super) since: Time,
}

/// The keyring of one database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Keys {
    /// Which.
    pub(super) house: String,
    /// When the keys were read.
    pub(super) at: Time,
    /// The epoch of subjects before they were read.
    pub(super) epoch: i64,
    /// Of all subjects of the live database.
    pub(super) keys: Vec<WrappedKey>,
    /// Of subjects that only artefacts have.
    pub(super) parked: Vec<Parked>,
}

impl Keys {
    /// The name of the file.
    pub(super) fn name(house: &str) -> String {
        format!("{PREFIX}{house}{ENDING}")
    }

    /// Every key.
    pub(super) fn all(&self) -> impl Iterator<Item = &WrappedKey> {
        self.keys.iter().chain(self.parked.iter().map(|parked| &parked.key))
    }

    /// What comes after this keyring, when the live database has these keys: what is parked stays parked, unless the
    /// live database knows the subject again or no artefact can need it any more.
    pub(super) fn renewed(self, at: Time, epoch: i64, keys: Vec<WrappedKey>, keep: Duration) -> Keys {
        let lives: std::collections::HashSet<String> = keys.iter().map(|key| key.subject.clone()).collect();
        let mut parked = self.parked;
        parked.retain(|parked| at.since(parked.since) <= keep && !lives.contains(&parked.key.subject));
        Keys { house: self.house, at, epoch, keys, parked }
    }

    /// With every key parked that it has: an older artefact is about to be restored.
    pub(super) fn all_parked(mut self, now: Time) -> Keys {
        let known: std::collections::HashSet<String> =
            self.parked.iter().map(|parked| parked.key.subject.clone()).collect();
        for key in self.keys.iter().filter(|key| !known.contains(&key.subject)) {
            self.parked.push(Parked { key: key.clone(), since: now });
        }
        self
    }

    /// The keyring as a sealed file.
    fn seal(&self, keyring: &Keyring, ambient: &Ambient) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(Fault::internal)?;
        let key = keyring.backup_keys().first().ok_or_else(|| Fault::internal("the keyring is empty"))?;
        let mut sealer = Sealer::new(key, place(&self.house), ambient.random());
        let mut sealed = sealer.header().to_vec();
        let last = plain.chunks(CHUNK).count();
        for (number, chunk) in (1..).zip(plain.chunks(CHUNK)) {
            sealer.seal(chunk, number == last, &mut sealed)?;
        }
        Ok(sealed)
    }

    /// Opens the sealed file of this database.
    pub(super) fn open(keyring: &Keyring, house: &str, sealed: &[u8]) -> Result<Keys> {
        let broken = || {
            Fault::new(Code::InvalidInput)
                .say("The keyring beside the backups is damaged or sealed with another key.")
        };
        let size = plain_size(sealed.len() as u64).ok_or_else(broken)?;
        let header = sealed.get(..HEADER).ok_or_else(broken)?;
        let openers = keyring.backup_keys().iter();
        let opener = openers
            .filter_map(|key| Opener::new(key, place(house), header, size).ok())
            .next()
            .ok_or_else(broken)?;
        let mut plain = Vec::new();
        for number in 0..chunks(size) {
            let (begin, length) = chunk_at(size, number).ok_or_else(broken)?;
            let begin = usize::try_from(begin).map_err(Fault::internal)?;
            let chunk = sealed.get(begin..begin + length).ok_or_else(broken)?;
            plain.extend_from_slice(&opener.open(number, chunk).map_err(|_| broken())?);
        }
        serde_json::from_slice(&plain).map_err(|_| broken())
    }

    /// Puts the keyring into a folder, in place of the one that is there, whole or not at all.
    pub(super) async fn write(&self, folder: &Path, keyring: &Keyring, ambient: &Ambient) -> Result<PathBuf> {
        let sealed = self.seal(keyring, ambient)?;
        let mark: String = ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let (folder, name) = (folder.to_owned(), Keys::name(&self.house));
        blocking(move || {
            make(&folder)?;
            let (path, aside) = (folder.join(&name), folder.join(format!(".{name}-{mark}")));
            let say = |error| broken(&path, error);
            let written = (|| {
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
                file.write_all(&sealed)?;
                file.sync_all()?;
                fs::rename(&aside, &path)?;
                File::open(&folder)?.sync_all()
            })();
            if written.is_err() {
                // What is left of it would be in nobody's way.
                let _ = fs::remove_file(&aside);
            }
            written.map_err(say).map(|()| path)
        })
        .await
    }
}

/// The keyrings of a database in this folder and those above it: an artefact may have been copied with or without the
/// folders of its date.
pub(super) async fn near(folder: PathBuf, house: &str) -> Result<Vec<Vec<u8>>> {
    let name = Keys::name(house);
    blocking(move || {
        let mut found = Vec::new();
        for folder in folder.ancestors().take(4) {
            match fs::read(folder.join(&name)) {
                Ok(sealed) => found.push(sealed),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(broken(&folder.join(&name), error)),
            }
        }
        Ok(found)
    })
    .await
}

const fn place(house: &str) -> Place<'_> {
    Place { table: "backups", column: "keyring", row: house }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(subject: &str, created_at: i64) -> WrappedKey {
        WrappedKey { subject: subject.to_owned(), wrapped: vec![1, 2, 3], created_at }
    }

    #[test]
    fn parked_keys_stay_until_their_subject_lives_or_no_artefact_can_need_them() {
        let day = |day: i64| Time::from_seconds(day * 86_400);
        let keep = Duration::from_secs(30 * 86_400);
        let live = vec![key("user:a", 1), key("user:b", 2)];
        let keys =
            Keys { house: "h".to_owned(), at: day(0), epoch: 0, keys: live.clone(), parked: Vec::new() };
        // An erasure: no trace is left.
        let erased = keys.clone().renewed(day(1), 1, vec![key("user:a", 1)], keep);
        assert_eq!(erased.all().count(), 1);
        // An older artefact is restored, which does not know `b`.
        let parked = keys.all_parked(day(1)).renewed(day(1), 1, vec![key("user:a", 1)], keep);
        assert_eq!(parked.all().cloned().collect::<Vec<_>>(), live);
        // `b` comes back with a newer one, and is erased.
        let back = parked.clone().renewed(day(2), 2, live, keep);
        assert!(back.parked.is_empty());
        assert_eq!(back.renewed(day(3), 3, vec![key("user:a", 1)], keep).all().count(), 1);
        assert_eq!(parked.renewed(day(32), 2, vec![key("user:a", 1)], keep).all().count(), 1);
    }
}
