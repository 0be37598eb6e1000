//! Control groups that somebody else made: a program is started inside of them, so that everything it ever takes counts,
//! and their limits are read. Both kinds of groups are known, the one tree and the tree for each kind of limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

/// A command that joins these groups and then becomes the program.
pub(crate) fn inside(groups: &[PathBuf], program: &Path) -> Result<Command> {
    for group in groups {
        ensure!(group.join("cgroup.procs").exists(), "--cgroup: {} is no control group", group.display());
    }
    #[expect(clippy::disallowed_methods, reason = "starting programs is what a benchmark does")]
    let mut command = Command::new("/bin/sh");
    let joining =
        r#"while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@""#;
    command.args(["-c", joining, "sh"]).args(groups).arg("--").arg(program);
    Ok(command)
}

/// What a group allows and what was taken of it, as far as its files say.
pub(crate) fn told(group: &Path) -> String {
    let files = [
        "memory.limit_in_bytes",
        "memory.max",
        "cpu.cfs_quota_us",
        "cpu.cfs_period_us",
        "cpu.max",
        "memory.max_usage_in_bytes",
        "memory.peak",
        "memory.failcnt",
        "memory.events",
        "cpu.stat",
    ];
    let read = |name: &&str| {
        let text = fs::read_to_string(group.join(name)).ok()?;
        Some(format!("{name} {}", text.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    files.iter().filter_map(read).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_in_the_groups_before_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let groups = ["one", "two"].map(|name| folder.path().join(name));
        for group in &groups {
            fs::create_dir(group).unwrap();
            fs::write(group.join("cgroup.procs"), "").unwrap();
        }
        let output =
            inside(&groups, Path::new("/bin/echo")).unwrap().args(["a b", "--", "c"]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "a b -- c\n");
        for group in &groups {
            assert!(fs::read_to_string(group.join("cgroup.procs")).unwrap().trim().parse::<u32>().is_ok());
        }
        fs::write(groups[0].join("memory.max"), "536870912\n").unwrap();
        assert_eq!(told(&groups[0]), "memory.max 536870912");
        assert!(inside(&[folder.path().join("none")], Path::new("/bin/echo")).is_err());
    }
}
