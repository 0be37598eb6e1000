//! The master key and the signing secret: from the settings, from the data folder, or made there on first start.
//! It owns the two files. It never overwrites one and never shows a key.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crypto::{Keyring, MasterKey};
use kernel::{Random, Secret};

use super::problem::Problem;

/// The file of master keys in the data folder, one a line: the first is in use, the others came before it.
pub(crate) const KEYRING_FILE: &str = "keyring";
/// The file of the signing secret in the data folder, outside production.
pub(crate) const SIGNING_FILE: &str = "signing-secret";

/// What keys are taken from.
#[derive(Clone)]
pub(crate) struct KeySources {
    /// `ENCRYPTION_KEY`.
    pub(crate) explicit: Option<MasterKey>,
    /// `ENCRYPTION_KEY_PREVIOUS`.
    pub(crate) previous: Vec<MasterKey>,
    /// The signing secrets that were set, the one in use first.
    pub(crate) signing: Vec<Secret<String>>,
    /// Keys may be made when there are none.
    pub(crate) may_make: bool,
    /// The data folder.
    pub(crate) data_dir: PathBuf,
}

/// The keys that the server works with.
pub(crate) struct Keys {
    /// For encryption at rest and for the audit chain.
    pub(crate) keyring: Keyring,
    /// For cookies; the first signs. Never empty.
    pub(crate) signing: Vec<Secret<String>>,
    /// Where the master key came from, for the log: never the key.
    pub(crate) origin: &'static str,
}

impl KeySources {
    /// Gets every key, and makes those that are missing where that is allowed.
    pub(crate) fn open(&self, random: &dyn Random) -> Result<Keys, Problem> {
        let derived = self.signing.iter().map(MasterKey::derive_from_secret);
        let (mut masters, origin) = match (&self.explicit, self.read_keyring()?) {
            (Some(key), from_file) => {
                let masters: Vec<MasterKey> =
                    std::iter::once(key.clone()).chain(from_file).chain(derived).collect();
                (masters, "ENCRYPTION_KEY")
            }
            (None, from_file) if !from_file.is_empty() => {
                (from_file.into_iter().chain(derived).collect(), "the key file in the data folder")
            }
            (None, _) if !self.signing.is_empty() => (derived.collect(), "derived from the signing secret"),
            (None, _) => (vec![self.make_keyring(random)?], "a new key file in the data folder"),
        };
        masters.extend(self.previous.iter().cloned());
        let mut masters = masters.into_iter();
        let Some(current) = masters.next() else { return Err(self.missing()) };
        let signing =
            if self.signing.is_empty() { vec![self.signing_file(random)?] } else { self.signing.clone() };
        Ok(Keys { keyring: Keyring::new(current, masters.collect()), signing, origin })
    }

    fn missing(&self) -> Problem {
        let say =
            "is not set, and no key is made in production or while Secrets Manager cannot be read; set it";
        Problem::new("SESSION_SECRET", say)
    }

    fn read_keyring(&self) -> Result<Vec<MasterKey>, Problem> {
        let path = self.data_dir.join(KEYRING_FILE);
        let Some(text) = read_private(&path)? else { return Ok(Vec::new()) };
        let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Result<Vec<MasterKey>, _> = lines.map(MasterKey::parse).collect();
        match keys {
            Ok(keys) if !keys.is_empty() => Ok(keys),
            _ => Err(Problem::new(
                path.display().to_string(),
                "holds no master key; restore it from your backup, because without it the data cannot be read",
            )),
        }
    }

    fn make_keyring(&self, random: &dyn Random) -> Result<MasterKey, Problem> {
        let made = MasterKey::generate(random);
        let kept = self.keep(KEYRING_FILE, made.encode().expose(), random)?;
        MasterKey::parse(kept.expose().lines().next().unwrap_or_default().trim()).map_err(|_| {
            Problem::new(self.data_dir.join(KEYRING_FILE).display().to_string(), "holds no master key")
        })
    }

    fn signing_file(&self, random: &dyn Random) -> Result<Secret<String>, Problem> {
        if let Some(text) = read_private(&self.data_dir.join(SIGNING_FILE))? {
            return Ok(Secret::new(text.expose().trim().to_owned()));
        }
        let kept = self.keep(SIGNING_FILE, crypto::token::random_long(random).expose(), random)?;
        Ok(Secret::new(kept.expose().trim().to_owned()))
    }

    /// Writes a new private file, whole or not at all. When another process was faster, what it wrote counts.
    fn keep(&self, name: &str, text: &str, random: &dyn Random) -> Result<Secret<String>, Problem> {
        if !self.may_make {
            return Err(self.missing());
        }
        let path = self.data_dir.join(name);
        let problem = |error: std::io::Error| {
            Problem::new(
                "server.data_dir",
                format!(
                    "`{}` cannot be written ({}); set STOA_DATA_DIR to a folder that can",
                    path.display(),
                    error.kind()
                ),
            )
        };
        make_private_folder(&self.data_dir).map_err(problem)?;
        let mut mark = [0; 8];
        random.fill(&mut mark);
        let aside = self.data_dir.join(format!(".{name}-{:016x}", u64::from_le_bytes(mark)));
        let written = write_private(&aside, &format!("{text}\n"))
            .and_then(|()| match fs::hard_link(&aside, &path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                other => other,
            })
            .and_then(|()| File::open(&self.data_dir)?.sync_all());
        // The file aside has done its work; one that stays behind does no harm.
        let _ = fs::remove_file(&aside);
        written.map_err(problem)?;
        read_private(&path)?
            .ok_or_else(|| Problem::new(path.display().to_string(), "was removed while it was made"))
    }
}

/// Makes a folder that only its owner enters. One that exists stays as it is.
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Writes a new file that only its owner reads; an existing one is an error.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    write_private_bytes(path, text.as_bytes())
}

/// The same for bytes.
pub(crate) fn write_private_bytes(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read_private(path: &Path) -> Result<Option<Secret<String>>, Problem> {
    match super::sources::read_text(path) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Problem::new(path.display().to_string(), format!("cannot be read ({})", error.kind())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    fn sources(data_dir: &Path) -> KeySources {
        KeySources {
            explicit: None,
            previous: Vec::new(),
            signing: Vec::new(),
            may_make: true,
            data_dir: data_dir.join("data"),
        }
    }

    #[test]
    fn keys_are_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let random = Counting(1.into());
        let first = sources(folder.path()).open(&random).unwrap();
        let again = sources(folder.path()).open(&random).unwrap();
        assert_eq!(first.keyring.fingerprint(), again.keyring.fingerprint());
        assert_eq!(first.signing[0].expose(), again.signing[0].expose());
        assert!(first.signing[0].expose().len() >= 86);
        for name in [KEYRING_FILE, SIGNING_FILE] {
            let mode = fs::metadata(folder.path().join("data").join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 2);
    }

    #[test]
    fn explicit_wins_and_the_key_file_comes_before_derivation() {
        let folder = tempfile::tempdir().unwrap();
        let random = Counting(1.into());
        let made = sources(folder.path()).open(&random).unwrap();
        let mut given = sources(folder.path());
        given.signing = vec![Secret::new("a signing secret of thirty-two bytes".to_owned())];
        assert_eq!(given.open(&random).unwrap().keyring.fingerprint(), made.keyring.fingerprint());
        let key = MasterKey::generate(&random);
        given.explicit = Some(key.clone());
        assert_eq!(given.open(&random).unwrap().keyring.fingerprint(), key.fingerprint());
        given.explicit = None;
        given.data_dir = folder.path().join("other");
        let derived = MasterKey::derive_from_secret(&given.signing[0]);
        assert_eq!(given.open(&random).unwrap().keyring.fingerprint(), derived.fingerprint());
        assert!(!folder.path().join("other").exists());
    }

    #[test]
    fn production_makes_nothing_and_a_broken_file_is_no_reason_to_start_anew() {
        let folder = tempfile::tempdir().unwrap();
        let random = Counting(1.into());
        let mut production = sources(folder.path());
        production.may_make = false;
        assert!(production.open(&random).is_err());
        assert!(!folder.path().join("data").exists());
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data").join(KEYRING_FILE), "").unwrap();
        assert!(sources(folder.path()).open(&random).is_err());
    }
}
