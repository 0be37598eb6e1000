//! Which files a command is about: those that were named, and all files of the folders that were named. Links are not
//! followed, and of folders neither what is hidden. It never opens a file.

use std::path::{Path, PathBuf};

/// How deep folders are followed.
const DEEPEST: usize = 64;

/// A file, or what stands in the way of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Met {
    /// Where it is.
    pub(super) path: PathBuf,
    /// It was named itself, not found in a folder.
    pub(super) named: bool,
    /// Why it cannot be taken.
    pub(super) hindrance: Option<String>,
}

/// Everything below these paths, in the order of the names.
pub(super) fn walk(paths: &[PathBuf]) -> Vec<Met> {
    let mut met = Vec::new();
    for path in paths {
        visit(path, true, 0, &mut met);
    }
    met
}

fn visit(path: &Path, named: bool, depth: usize, met: &mut Vec<Met>) {
    let mut meet = |hindrance: Option<&str>| {
        met.push(Met { path: path.to_owned(), named, hindrance: hindrance.map(str::to_owned) });
    };
    let kind = match std::fs::symlink_metadata(path) {
        Ok(about) => about.file_type(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return meet(Some("There is no such file."));
        }
        Err(_) => return meet(Some("The file cannot be looked at.")),
    };
    if kind.is_symlink() {
        // A link in a folder is passed over; one that was named deserves a word.
        if named {
            meet(Some("It is a link; name the file that it leads to."));
        }
    } else if kind.is_file() {
        meet(None);
    } else if kind.is_dir() && depth >= DEEPEST {
        meet(Some("The folder lies too deep."));
    } else if kind.is_dir() {
        let Ok(entries) = std::fs::read_dir(path) else { return meet(Some("The folder cannot be read.")) };
        let mut below: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        below.retain(|path| !is_hidden(path));
        below.sort();
        for path in below {
            visit(&path, false, depth + 1, met);
        }
    } else if named {
        meet(Some("It is neither a file nor a folder."));
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_followed_and_links_and_hidden_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("b/c")).unwrap();
        std::fs::create_dir(at(".git")).unwrap();
        for name in ["a.md", "b/c/d.txt", ".hidden", ".git/config"] {
            std::fs::write(at(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(at("a.md"), at("b/link.md")).unwrap();
        std::os::unix::fs::symlink(folder.path(), at("b/round")).unwrap();
        let found: Vec<PathBuf> = walk(&[folder.path().to_owned()]).into_iter().map(|met| met.path).collect();
        assert_eq!(found, [at("a.md"), at("b/c/d.txt")]);
        let met = walk(&[at(".hidden"), at("b/link.md"), at("nowhere")]);
        let hindered: Vec<bool> = met.iter().map(|met| met.hindrance.is_some()).collect();
        assert_eq!(hindered, [false, true, true]);
    }
}
