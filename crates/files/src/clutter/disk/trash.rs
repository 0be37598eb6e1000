//! The system's trash, as freedesktop.org lays it down: a folder in the home for what lies on its disk, one at the top
//! of every other disk. Moving is renaming, so a file is in one place or the other and never in none; what is in the
//! trash can be put back by any file browser. It never deletes and never copies.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use kernel::Time;
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Where trashes are: the caller knows the environment.
#[derive(Clone, Debug)]
pub struct Places {
    /// `$XDG_DATA_HOME`, or `.local/share` in the home; `None` when there is no home.
    pub data_home: Option<PathBuf>,
}

/// The system's trash.
#[derive(Clone, Debug)]
pub struct Trash {
    places: Places,
    user: u32,
    at: Time,
}

/// Names tried for one file: other files of the same name may be in the trash.
const NAMES: u32 = 10_000;
/// Longest name, with room for a number: file systems take 255 bytes.
const NAME: usize = 200;

impl Trash {
    /// The trash of this user; what is moved now is marked with this time.
    pub fn new(places: Places, at: Time) -> Trash {
        Trash { places, user: rustix::process::getuid().as_raw(), at }
    }

    /// Moves a file or a folder to the trash. `before` is told where it will be, before it is moved.
    ///
    /// # Errors
    /// When there is no trash on its disk that can be used, or it cannot be moved.
    pub fn put(&self, path: &Path, before: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
        // The folder is resolved, the name is not: a link goes itself, not what it points to.
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it has no name"));
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let path = fs::canonicalize(parent)?.join(name);
        let device = fs::symlink_metadata(&path)?.dev();
        let (folder, base) = self.folder(&path, device)?;
        let stored = match &base {
            None => path.clone(),
            Some(base) => path.strip_prefix(base).unwrap_or(&path).to_owned(),
        };
        let (files, infos) = (folder.join("files"), folder.join("info"));
        for (number, candidate) in (0..NAMES).map(|number| (number, numbered(name, number))) {
            let info = infos.join(with(&candidate, ".trashinfo"));
            let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&info);
            let mut file = match created {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number + 1 < NAMES => continue,
                Err(error) => return Err(error),
            };
            let to = files.join(&candidate);
            let moved = self
                .write(&mut file, &stored)
                .and_then(|()| before(&to))
                .and_then(|()| Ok(renameat_with(CWD, &path, CWD, &to, RenameFlags::NOREPLACE)?));
            match moved {
                Ok(()) => return Ok(to),
                Err(error) => {
                    let _ = fs::remove_file(&info);
                    // A file without its note lies there: another name is free.
                    if error.kind() != io::ErrorKind::AlreadyExists {
                        return Err(error);
                    }
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "the trash is full of files of this name"))
    }

    fn write(&self, file: &mut File, stored: &Path) -> io::Result<()> {
        let time = self.at.rfc3339_seconds();
        let time = time.trim_end_matches('Z');
        write!(file, "[Trash Info]\nPath={}\nDeletionDate={time}\n", encode(stored.as_os_str()))?;
        file.sync_all()
    }

    /// The trash for this path, and the folder that paths in it start from when that is not the root.
    fn folder(&self, path: &Path, device: u64) -> io::Result<(PathBuf, Option<PathBuf>)> {
        if let Some(home) = &self.places.data_home {
            let folder = home.join("Trash");
            DirBuilder::new().recursive(true).mode(0o700).create(home)?;
            if fs::metadata(home)?.dev() == device {
                if path.starts_with(fs::canonicalize(home)?.join("Trash")) {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is in the trash already"));
                }
                self.ready(&folder)?;
                return Ok((folder, None));
            }
        }
        let mut top = path.parent().unwrap_or(path);
        while let Some(above) = top.parent()
            && fs::symlink_metadata(above)?.dev() == device
        {
            top = above;
        }
        // The administrator's, if it is what it should be: a real folder with the sticky bit.
        let shared = top.join(".Trash");
        let usable =
            fs::symlink_metadata(&shared).is_ok_and(|meta| meta.is_dir() && meta.mode() & 0o1000 != 0);
        if usable {
            let folder = shared.join(self.user.to_string());
            if self.ready(&folder).is_ok() {
                return Ok((folder, Some(top.to_owned())));
            }
        }
        let folder = top.join(format!(".Trash-{}", self.user));
        self.ready(&folder)?;
        Ok((folder, Some(top.to_owned())))
    }

    /// Makes the folders, and refuses what somebody else laid in the way.
    fn ready(&self, folder: &Path) -> io::Result<()> {
        for path in [folder.to_owned(), folder.join("files"), folder.join("info")] {
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            let meta = fs::symlink_metadata(&path)?;
            if !meta.is_dir() || meta.uid() != self.user {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "the trash belongs to somebody else",
                ));
            }
        }
        Ok(())
    }
}

/// The note beside a file in the trash.
pub(super) fn info_of(trashed: &Path) -> Option<PathBuf> {
    let name = trashed.file_name()?;
    let folder = trashed.parent()?.parent()?;
    Some(folder.join("info").join(with(name, ".trashinfo")))
}

fn with(name: &OsStr, ending: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(ending);
    name
}

fn numbered(name: &OsStr, number: u32) -> OsString {
    let bytes = name.as_bytes();
    if number == 0 && bytes.len() <= NAME {
        return name.to_owned();
    }
    let mut short = bytes.get(..bytes.len().min(NAME)).unwrap_or(bytes).to_vec();
    short.extend(format!(".{number}").bytes());
    OsString::from_vec(short)
}

/// A path with every byte but the plainest as `%NN`.
pub(super) fn encode(path: &OsStr) -> String {
    let mut text = String::new();
    for byte in path.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte))
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// Reads what [`encode`] wrote; `None` for anything else, and for paths that climb.
pub(super) fn decode(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    let mut signs = text.bytes();
    while let Some(sign) = signs.next() {
        if sign == b'%' {
            let digits = [signs.next()?, signs.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(sign);
        }
    }
    let path = PathBuf::from(OsString::from_vec(bytes));
    let climbs = path.components().any(|part| part == Component::ParentDir);
    (path.is_absolute() && !climbs && !path.as_os_str().as_bytes().contains(&0)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_so_that_every_byte_comes_back() {
        let path = PathBuf::from(OsString::from_vec(b"/a b/\xff%\n\xc3\xa9.txt".to_vec()));
        let text = encode(path.as_os_str());
        assert_eq!(text, "/a%20b/%FF%25%0A%C3%A9.txt");
        assert_eq!(decode(&text), Some(path));
        for wrong in ["relative", "/a/../b", "/%G0", "/%4", "/%00"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn long_names_leave_room_for_a_number() {
        let name = OsString::from("x".repeat(255));
        assert!(numbered(&name, 9_999).len() + ".trashinfo".len() <= 255);
    }
}
