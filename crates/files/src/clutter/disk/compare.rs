//! Two files byte by byte, right before one of them goes. It trusts nothing that was read earlier.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

use super::Found;
use super::hash::read_at;
use super::walk::links;

/// How much is compared at a time.
const PIECE: usize = 256 * 1024;

/// A file, opened and found to be what was seen.
pub(super) struct Seen {
    file: File,
    size: u64,
    key: (u64, u64),
    links: u64,
}

/// Opens a file.
///
/// # Errors
/// A sentence, when it cannot be opened or is no longer what was seen.
pub(super) fn open(path: &Path, seen: &Found) -> Result<Seen, String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let unread = |error: rustix::io::Errno| match error {
        rustix::io::Errno::NOENT => "It is no longer there.".to_owned(),
        rustix::io::Errno::LOOP => "It is a link now.".to_owned(),
        error => format!("It cannot be read: {}.", io::Error::from(error).kind()),
    };
    let file = File::from(openat(CWD, path, flags, Mode::empty()).map_err(unread)?);
    let stat = fstat(&file).map_err(unread)?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() || !seen.is(&stat) {
        return Err("It has changed since it was looked at.".to_owned());
    }
    Ok(Seen { file, size: seen.size, key: (stat.st_dev, stat.st_ino), links: links(&stat) })
}

/// Whether the first may go because the second has the same bytes.
///
/// # Errors
/// A sentence, when it may not.
pub(super) fn same(victim: &Seen, kept: &Seen) -> Result<(), String> {
    if victim.key == kept.key {
        // Two names of one file: the bytes stay under the other. Two ways to one name: they would not.
        return if victim.links > 1 {
            Ok(())
        } else {
            Err("It is the same file as the one that stays, reached by another way.".to_owned())
        };
    }
    if victim.size != kept.size {
        return Err("It differs from the file that stays.".to_owned());
    }
    let (mut one, mut other) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    let unread = |error: io::Error| format!("It cannot be compared: {}.", error.kind());
    while at < victim.size {
        let read = read_at(&victim.file, &mut one, at, victim.size).map_err(unread)?;
        let beside = read_at(&kept.file, &mut other, at, kept.size).map_err(unread)?;
        if read == 0 || read != beside || one.get(..read) != other.get(..read) {
            return Err("It differs from the file that stays.".to_owned());
        }
        at += read as u64;
    }
    Ok(())
}
