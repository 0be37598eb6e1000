//! A log file that never grows past its bounds: `stoa.log`, `stoa.log.1`, `stoa.log.2`, …, the newest first.
//! It owns opening, rotation and what happens when the disk refuses. It never reads what it wrote.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::config::LogFile;

/// The file being written.
pub(super) struct Rotating {
    plan: LogFile,
    file: File,
    size: u64,
}

impl Rotating {
    /// Opens the file for appending, and makes it and its folder where there are none.
    pub(super) fn open(plan: LogFile) -> io::Result<Rotating> {
        if let Some(folder) = plan.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let file = append_to(&plan.path)?;
        let size = file.metadata()?.len();
        // Where fewer are kept than before.
        for n in plan.keep.max(1).. {
            if fs::remove_file(numbered(&plan.path, n)).is_err() {
                break;
            }
        }
        Ok(Rotating { plan, file, size })
    }

    /// Appends whole lines. Each goes into one file undivided; a file that it would overfill is closed before it.
    ///
    /// # Errors
    /// What the disk said. The lines that were not written are lost for the file; what stands there stays whole.
    pub(super) fn write(&mut self, lines: &str) -> io::Result<()> {
        let mut rest = lines;
        while !rest.is_empty() {
            let room = self.plan.max_bytes.saturating_sub(self.size);
            let fits = whole_lines(rest, usize::try_from(room).unwrap_or(usize::MAX));
            let fits = match fits {
                // A line longer than a whole file gets one for itself.
                0 if self.size == 0 => rest.find('\n').map_or(rest.len(), |end| end + 1),
                0 => {
                    self.rotate()?;
                    continue;
                }
                fits => fits,
            };
            let (now, later) = rest.split_at_checked(fits).unwrap_or((rest, ""));
            self.append(now)?;
            rest = later;
        }
        Ok(())
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        if let Err(error) = self.file.write_all(lines.as_bytes()) {
            // A full disk leaves half a line behind; it would make a broken one of the next.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += lines.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for n in (1..self.plan.keep.max(1)).rev() {
            let from = if n == 1 { self.plan.path.clone() } else { numbered(&self.plan.path, n - 1) };
            match fs::rename(from, numbered(&self.plan.path, n)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.plan.keep <= 1 {
            self.file.set_len(0)?;
        } else {
            self.file = append_to(&self.plan.path)?;
        }
        self.size = self.file.metadata()?.len();
        Ok(())
    }
}

/// How many bytes at the beginning of `text` are whole lines and at most `room`.
fn whole_lines(text: &str, room: usize) -> usize {
    if text.len() <= room {
        return text.len();
    }
    text.as_bytes().get(..room).and_then(|head| head.iter().rposition(|b| *b == b'\n')).map_or(0, |at| at + 1)
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}

fn numbered(path: &Path, n: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{n}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn plan(folder: &Path, max_bytes: u64, keep: u32) -> LogFile {
        LogFile { path: folder.join("deep/stoa.log"), max_bytes, keep }
    }

    /// The lines of all files, the oldest first, and their bytes on disk.
    fn all(plan: &LogFile) -> (Vec<String>, u64) {
        let mut lines = Vec::new();
        let mut bytes = 0;
        for n in (0..plan.keep + 2).rev() {
            let path = if n == 0 { plan.path.clone() } else { numbered(&plan.path, n) };
            let Ok(text) = fs::read_to_string(path) else { continue };
            bytes += text.len() as u64;
            lines.extend(text.lines().map(str::to_owned));
        }
        (lines, bytes)
    }

    #[test]
    fn ten_mebibytes_leave_the_newest_three_without_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), MIB, 3);
        let mut file = Rotating::open(plan.clone()).unwrap();
        let mut total = 0;
        let mut count = 0u32;
        while total < 10 * MIB {
            // Batches of several lines, as the writer sends them, of changing length.
            let batch: String = (0..7)
                .map(|n| format!("{:08} {}\n", count + n, "x".repeat((count as usize * 7) % 400)))
                .collect();
            count += 7;
            total += batch.len() as u64;
            file.write(&batch).unwrap();
            assert!(fs::metadata(&plan.path).unwrap().len() <= MIB);
        }
        let (lines, bytes) = all(&plan);
        assert!(bytes <= 3 * MIB && bytes > 2 * MIB, "{bytes}");
        let numbers: Vec<u32> = lines.iter().map(|line| line.get(..8).unwrap().parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "a line is missing at a switch");
        assert_eq!(*numbers.last().unwrap(), count - 1);
        assert!(!numbered(&plan.path, 3).exists());
    }

    #[test]
    fn a_restart_goes_on_in_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), 20, 2);
        for n in 0..4 {
            Rotating::open(plan.clone()).unwrap().write(&format!("line {n}\n")).unwrap();
        }
        assert_eq!(all(&plan).0, ["line 0", "line 1", "line 2", "line 3"]);
        Rotating::open(plan.clone()).unwrap().write("a line longer than a file may be\n").unwrap();
        assert_eq!(all(&plan).0, ["line 2", "line 3", "a line longer than a file may be"]);
        Rotating::open(LogFile { keep: 1, ..plan.clone() }).unwrap();
        assert_eq!(all(&plan).0, ["a line longer than a file may be"], "fewer are kept now");
    }

    #[test]
    fn one_file_alone_begins_again() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), 20, 1);
        let mut file = Rotating::open(plan.clone()).unwrap();
        for n in 0..3 {
            file.write(&format!("line {n}..\n")).unwrap();
        }
        assert_eq!(all(&plan).0, ["line 2.."]);
    }

    #[test]
    fn a_path_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let occupied = folder.path().join("file");
        fs::write(&occupied, "").unwrap();
        for path in [folder.path().to_owned(), occupied.join("stoa.log")] {
            assert!(Rotating::open(LogFile { path, max_bytes: MIB, keep: 3 }).is_err());
        }
    }
}
