//! The report of `stoa declutter` for a person: a table by kind, the findings, what was moved.

use std::path::Path;

use files::clutter::disk::{Applied, Scan, Undone};
use files::clutter::{Advice, Finding, FindingKind, Report};

use crate::commands::paper::{Mark, Paper};

/// Findings of one kind, and members of one finding, that are shown unless all are wanted.
const FEW: usize = 5;

/// Prints a report.
pub(super) fn report(scan: &Scan, report: &Report, all: bool) -> std::io::Result<()> {
    let mut paper = Paper::standard();
    let seen = report.seen;
    paper.line(&format!(
        "{} files, {} in contents, {} on the disk",
        seen.files,
        bytes(seen.logical_bytes),
        bytes(seen.physical_bytes)
    ))?;
    if report.totals.is_empty() {
        paper.line("There is nothing that can go.")?;
    } else {
        paper.heading(&format!(
            "{:<30}{:>10}{:>10}{:>14}{:>14}",
            "what was found", "findings", "files", "contents", "disk"
        ))?;
        for total in &report.totals {
            paper.line(&format!(
                "{:<30}{:>10}{:>10}{:>14}{:>14}",
                total.kind.label(),
                total.findings,
                total.amount.files,
                bytes(total.amount.logical_bytes),
                bytes(total.amount.physical_bytes)
            ))?;
        }
        paper.line(&format!(
            "{:<30}{:>10}{:>10}{:>14}{:>14}",
            "can go, each counted once",
            "",
            report.together.files,
            bytes(report.together.logical_bytes),
            bytes(report.together.physical_bytes)
        ))?;
    }
    for kind in FindingKind::ALL {
        let of_kind: Vec<&Finding> = report.findings.iter().filter(|finding| finding.kind == *kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        paper.heading(kind.label())?;
        let shown = if all { of_kind.len() } else { FEW.min(of_kind.len()) };
        for one in of_kind.iter().take(shown) {
            finding(&mut paper, one, all)?;
        }
        if shown < of_kind.len() {
            paper.line(&format!("  … and {} more; --all shows them", of_kind.len() - shown))?;
        }
    }
    if !scan.problems.is_empty() {
        paper.heading("Could not be read")?;
        let shown = if all { scan.problems.len() } else { FEW.min(scan.problems.len()) };
        for problem in scan.problems.iter().take(shown) {
            let path = if problem.path.is_empty() { "." } else { &problem.path };
            paper.line(&format!("  ! {path}: {}", problem.what))?;
        }
        if shown < scan.problems.len() {
            paper.line(&format!("  … and {} more; --all shows them", scan.problems.len() - shown))?;
        }
    }
    Ok(())
}

fn finding(paper: &mut Paper<std::io::Stdout>, finding: &Finding, all: bool) -> std::io::Result<()> {
    if let [only] = finding.members.as_slice() {
        let sign = if only.advice == Advice::Go { "-" } else { "?" };
        return paper.line(&format!("  {sign} {}  {}  {}", only.path, bytes(only.size), finding.reason));
    }
    let (logical, physical) = (bytes(finding.logical_bytes), bytes(finding.physical_bytes));
    paper.line(&format!("  {} {logical} in contents, {physical} on the disk.", finding.reason))?;
    let shown = if all { finding.members.len() } else { FEW.min(finding.members.len()) };
    for member in finding.members.iter().take(shown) {
        let sign = match member.advice {
            Advice::Keep => "+",
            Advice::Go => "-",
            Advice::Look => "?",
        };
        paper.line(&format!("    {sign} {}  {}", member.path, member.why))?;
    }
    if shown < finding.members.len() {
        paper.line(&format!("    … and {} more", finding.members.len() - shown))?;
    }
    Ok(())
}

/// Prints what was moved and what stayed.
pub(super) fn applied(applied: &Applied, list: &Path) -> std::io::Result<()> {
    let mut paper = Paper::standard();
    paper.heading("Moved to the trash")?;
    let moved = format!("{} files and folders, {}", applied.moved.len(), bytes(applied.bytes));
    let fix = format!("stoa declutter --undo {} puts them back", list.display());
    paper.entry(Mark::Good, "moved", &moved, if applied.moved.is_empty() { "" } else { &fix })?;
    for step in &applied.stayed {
        paper.entry(Mark::Attention, "stayed", &step.path, step.why.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// Prints what was put back.
pub(super) fn undone(undone: &Undone) -> std::io::Result<()> {
    let mut paper = Paper::standard();
    let absent = match undone.absent {
        0 => String::new(),
        count => format!("; {count} were not in the trash"),
    };
    paper.entry(Mark::Good, "put back", &format!("{} files and folders{absent}", undone.back), "")?;
    for (path, why) in &undone.failed {
        paper.entry(Mark::Bad, "not put back", path, why)?;
    }
    Ok(())
}

/// A size for a person.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1_024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1_024.0;
    let mut unit = "KiB";
    for larger in UNITS.iter().skip(1) {
        if value < 1_023.95 {
            break;
        }
        value /= 1_024.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_never_lie_about_the_unit() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes((1 << 20) - 1), "1.0 MiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
    }
}
