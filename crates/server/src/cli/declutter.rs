//! The arguments of `stoa declutter`.

use std::path::PathBuf;

use clap::Args;
use files::clutter::FindingKind;

/// Arguments of `declutter`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed by itself")]
pub(crate) struct Declutter {
    /// The folder
    #[arg(value_name = "PATH", required_unless_present = "undo")]
    pub(crate) path: Option<PathBuf>,
    /// One JSON document in place of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Move what can go to the system's trash: duplicates, folders that another holds, what is empty; other kinds
    /// only when --only names them
    #[arg(long)]
    pub(crate) apply: bool,
    /// Do not ask before --apply
    #[arg(long, requires = "apply")]
    pub(crate) yes: bool,
    /// Smaller files are no duplicates worth telling of, such as 1, 10k, 5M
    #[arg(long, value_name = "SIZE", default_value = "1", value_parser = size)]
    pub(crate) min_size: u64,
    /// Nothing in this folder ever goes; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) protect: Vec<PathBuf>,
    /// Only findings of this kind; may be given several times
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub(crate) only: Vec<FindingKind>,
    /// Leave out names, or paths where there is a slash, that match; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// From this size on a file is big
    #[arg(long, value_name = "SIZE", default_value = "100M", value_parser = size)]
    pub(crate) big: u64,
    /// Not changed for so many days, a file is old
    #[arg(long, value_name = "DAYS", default_value_t = 730)]
    pub(crate) old: u64,
    /// Show every finding, not only the largest of each kind
    #[arg(long)]
    pub(crate) all: bool,
    /// Look into folders of version control too
    #[arg(long)]
    pub(crate) version_control: bool,
    /// Threads; as many as there are cores when 0
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Put back what an --apply moved to the trash, by the list that it wrote
    #[arg(long, value_name = "LIST", conflicts_with_all = ["path", "apply"])]
    pub(crate) undo: Option<PathBuf>,
}

/// Reads a size: a number, and `k`, `M` or `G` for powers of 1,024.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "write a number of bytes, or one with k, M or G, such as 10k".to_owned();
    let lower = text.to_ascii_lowercase();
    let plain = lower.trim_end_matches("ib").trim_end_matches('b');
    let (number, shift) = match plain.chars().last() {
        Some('k') => (plain.trim_end_matches('k'), 10),
        Some('m') => (plain.trim_end_matches('m'), 20),
        Some('g') => (plain.trim_end_matches('g'), 30),
        _ => (plain, 0),
    };
    let number: u64 = number.trim().parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// Reads a kind of finding, with `-` or `_` between its words.
fn kind(text: &str) -> Result<FindingKind, String> {
    FindingKind::parse(&text.replace('-', "_")).ok_or_else(|| {
        let all: Vec<String> = FindingKind::ALL.iter().map(|kind| kind.as_str().replace('_', "-")).collect();
        format!("write one of {}", all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_or_none() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("10k"), Ok(10_240));
        assert_eq!(size("5MB"), Ok(5 << 20));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        for wrong in ["", "k", "-1", "1.5M", "99999999999G", "ten", "é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_kind_can_be_typed_both_ways() {
        for wanted in FindingKind::ALL {
            assert_eq!(kind(wanted.as_str()), Ok(*wanted));
            assert_eq!(kind(&wanted.as_str().replace('_', "-")), Ok(*wanted));
        }
        assert!(kind("all").unwrap_err().contains("identical-folder"));
    }
}
