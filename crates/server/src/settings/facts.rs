//! What the production rules need to know about this machine: who can read the files, what git tracks, whether the
//! data folder can be written. It never changes anything that stays.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What was found on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The `.env` file, when one was read.
    pub(crate) dotenv: Option<DotenvFacts>,
    /// The data folder exists and can be written, or can be made.
    pub(crate) data_dir_writable: bool,
    /// The knowledge folder can be written, where one is named.
    pub(crate) knowledge_dir_writable: bool,
    /// The log file can be written.
    pub(crate) log_file_writable: bool,
}

/// What was found about a `.env` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DotenvFacts {
    /// Nobody but its owner can read it.
    pub(crate) private: bool,
    /// Git has it in its index.
    pub(crate) tracked: bool,
}

impl Facts {
    /// Looks at the machine.
    pub(crate) fn gather(
        dotenv: Option<&Path>,
        data_dir: &Path,
        log_file: Option<&Path>,
        knowledge_dir: Option<&Path>,
    ) -> Facts {
        Facts {
            dotenv: dotenv.map(|path| DotenvFacts {
                private: fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 == 0),
                tracked: is_tracked(path),
            }),
            data_dir_writable: is_writable(data_dir),
            knowledge_dir_writable: knowledge_dir.is_none_or(is_writable),
            log_file_writable: log_file.and_then(Path::parent).is_none_or(is_writable),
        }
    }
}

/// A file can be made in this folder, or in the nearest one above it that exists. Trying is the only test that
/// knows read-only mounts, quotas and access lists.
pub(crate) fn is_writable(folder: &Path) -> bool {
    let existing =
        folder.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let Some(existing) = existing.into_iter().find(|path| path.exists()) else { return false };
    if !existing.is_dir() {
        return false;
    }
    let probe = existing.join(format!(".stoa-probe-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create(true).truncate(true).open(&probe).is_ok();
    let _ = fs::remove_file(&probe);
    made
}

/// Git's index names the file. The index stores each path as plain bytes before a zero byte, except in version 4;
/// there a tracked file may go unnoticed.
fn is_tracked(path: &Path) -> bool {
    let Ok(path) = fs::canonicalize(path) else { return false };
    let Some(root) = path.ancestors().skip(1).find(|folder| folder.join(".git").exists()) else {
        return false;
    };
    let (Some(git), Ok(relative)) = (git_folder(root), path.strip_prefix(root)) else { return false };
    let Ok(index) = fs::read(git.join("index")) else { return false };
    let mut name = relative.as_os_str().as_encoded_bytes().to_vec();
    name.push(0);
    // A longer path that ends in the same name has another byte in front of it; entries have two flag bytes there,
    // whose low twelve bits are the length of the path.
    let length = u16::try_from(name.len() - 1).unwrap_or(0xFFF).min(0xFFF);
    index.windows(name.len() + 2).any(|window| {
        let (flags, text) = window.split_at(2);
        text == name && flags.try_into().map(u16::from_be_bytes).unwrap_or_default() & 0xFFF == length
    })
}

/// `.git` is a folder, or in a worktree a file that names one.
fn git_folder(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(git).ok()?;
    Some(root.join(text.strip_prefix("gitdir:")?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_exist_or_can_be_made_are_writable() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_writable(folder.path()));
        assert!(is_writable(&folder.path().join("a/b/c")));
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(!is_writable(&folder.path().join("file")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_tracked_file_is_found_in_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let dotenv = folder.path().join(".env");
        fs::write(&dotenv, "A=b").unwrap();
        assert!(!is_tracked(&dotenv));
        fs::create_dir(folder.path().join(".git")).unwrap();
        let entry = |name: &str| {
            let mut bytes = vec![0_u8; 60];
            bytes.extend((name.len() as u16).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend([0, 0, 0]);
            bytes
        };
        fs::write(folder.path().join(".git/index"), entry("deploy/.env")).unwrap();
        assert!(!is_tracked(&dotenv));
        fs::write(folder.path().join(".git/index"), [entry("README.md"), entry(".env")].concat()).unwrap();
        assert!(is_tracked(&dotenv));
    }
}
