//! The disk side against real folders: links, holes, odd names, files that change, and that an undo brings back every
//! byte.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use kernel::Time;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::clutter::{Report, Rules, analyse};

struct Place {
    folder: TempDir,
}

impl Place {
    fn new(files: &[(&str, &[u8])]) -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        for (path, bytes) in files {
            place.write(path, bytes);
        }
        place
    }

    fn root(&self) -> PathBuf {
        let root = self.folder.path().join("tree");
        fs::create_dir_all(&root).unwrap();
        root
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn look(&self) -> (Scan, Report) {
        let rules = rules();
        let scan = scan(&self.root(), &Options::default(), &rules, &Progress::default()).unwrap();
        let report = analyse(&scan.entries, &rules);
        (scan, report)
    }

    fn apply(&self, scan: &Scan, report: &Report) -> (Applied, PathBuf) {
        let kinds = FindingKind::ALL.iter().copied().filter(|kind| kind.loses_nothing()).collect();
        self.apply_kinds(scan, report, &kinds)
    }

    fn apply_kinds(&self, scan: &Scan, report: &Report, kinds: &BTreeSet<FindingKind>) -> (Applied, PathBuf) {
        let places = TrashPlaces { data_home: Some(self.folder.path().join("share")) };
        let trash = Trash::new(places, Time::from_seconds(1_795_222_923));
        let list = self.folder.path().join("undo.jsonl");
        (apply(scan, report, kinds, &rules(), &trash, &list).unwrap(), list)
    }
}

fn rules() -> Rules {
    let mut rules = Rules::new(Time::from_seconds(0));
    rules.shared_names = false;
    rules
}

/// Every path with its bytes, or what else it is.
fn picture(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let bytes = if kind.is_dir() {
                waiting.push(entry.path());
                b"a folder".to_vec()
            } else if kind.is_symlink() {
                fs::read_link(entry.path()).unwrap().into_os_string().into_vec()
            } else {
                fs::read(entry.path()).unwrap()
            };
            all.insert(entry.path().strip_prefix(root).unwrap().to_owned(), bytes);
        }
    }
    all
}

fn gone(report: &Report) -> BTreeSet<&str> {
    let members = report.findings.iter().flat_map(|finding| &finding.members);
    members.filter(|member| member.advice == crate::clutter::Advice::Go).map(|m| m.path.as_str()).collect()
}

#[test]
fn only_the_same_bytes_are_duplicates_however_alike_the_rest_is() {
    let large = vec![7_u8; 300_000];
    let mut middle = large.clone();
    middle[150_000] = 8;
    let mut end = large.clone();
    *end.last_mut().unwrap() = 8;
    let mut start = large.clone();
    start[0] = 8;
    let place = Place::new(&[
        ("large", &large),
        ("large too", &large),
        ("middle", &middle),
        ("end", &end),
        ("start", &start),
        ("small", b"a"),
        ("small too", b"a"),
        ("other", b"b"),
    ]);
    let (scan, report) = place.look();
    assert_eq!(gone(&report), BTreeSet::from(["large too", "small too"]));
    assert!(scan.problems.is_empty());
}

#[test]
fn links_are_not_followed_and_hard_links_are_one_file() {
    let place = Place::new(&[("dir/file", b"content"), ("copy", b"content")]);
    let root = place.root();
    symlink(&root, root.join("dir/loop")).unwrap();
    symlink("copy", root.join("link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    fs::hard_link(root.join("dir/file"), root.join("dir/name")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let (scan, report) = place.look();
    assert_eq!(report.seen.files, 3);
    let found = &report.findings[0];
    assert_eq!(found.kind, FindingKind::Duplicate);
    // The copy has one name and the other file two: whichever goes, all its names go.
    let go = gone(&report);
    assert!(go == BTreeSet::from(["dir/file", "dir/name"]) || go == BTreeSet::from(["copy"]), "{go:?}");
    assert!(found.physical_bytes > 0);
    let before = picture_without_pipe(&root);
    let (applied, list) = place.apply(&scan, &report);
    assert!(applied.stayed.is_empty(), "{applied:?}");
    assert!(picture_without_pipe(&root).values().any(|bytes| bytes == b"content"));
    assert!(undo(&read_records(&list).unwrap()).failed.is_empty());
    assert_eq!(picture_without_pipe(&root), before);
}

fn picture_without_pipe(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let _ = fs::remove_file(root.join("pipe"));
    picture(root)
}

#[test]
fn names_that_are_no_text_and_files_that_cannot_be_read_are_reported() {
    let place = Place::new(&[("a", b"same"), ("dir/secret", b"same")]);
    let odd = place.root().join(OsString::from_vec(b"odd\xff\n name".to_vec()));
    fs::write(&odd, b"same").unwrap();
    let closed = place.root().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let (scan, report) = place.look();
    let all: Vec<&str> = scan.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert!(all.contains(&"odd\\xff\\x0a name"), "{all:?}");
    // Root reads everything.
    if !rustix::process::getuid().is_root() {
        assert_eq!(scan.problems.len(), 1, "{:?}", scan.problems);
    }
    let before = picture(&place.root());
    let (applied, list) = place.apply(&scan, &report);
    assert_eq!(applied.moved.len(), 2 + usize::from(applied.moved.iter().any(|step| step.path == "closed")));
    let records = read_records(&list).unwrap();
    assert!(undo(&records).failed.is_empty());
    assert_eq!(picture(&place.root()), before);
    // A second time there is nothing left to do.
    assert_eq!(undo(&records).absent, records.len() as u64);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn what_changed_since_it_was_looked_at_stays() {
    let place = Place::new(&[("a", b"same"), ("b", b"same"), ("c/x", b"more"), ("d/x", b"more")]);
    let (scan, report) = place.look();
    assert_eq!(gone(&report), BTreeSet::from(["b", "d"]));
    // What stays changed: what was to go is the last copy now. And something new came into the folder.
    place.write("a", b"edit");
    place.write("d/new", b"just came");
    let (applied, _) = place.apply(&scan, &report);
    let left = picture(&place.root());
    assert!(left.values().any(|bytes| bytes == b"same") && left.values().any(|bytes| bytes == b"just came"));
    assert!(applied.stayed.iter().any(|step| step.path == "b"), "{applied:?}");
    assert!(left.contains_key(Path::new("d/x")) && left.contains_key(Path::new("c/x")));
}

#[test]
fn a_whole_folder_goes_and_comes_back_as_one_piece() {
    let files: &[(&str, &[u8])] =
        &[("a/1", b"one"), ("a/in/2", b"two"), ("b copy/1", b"one"), ("b copy/in/2", b"two")];
    let place = Place::new(files);
    fs::create_dir_all(place.root().join("hollow/inner")).unwrap();
    let before = picture(&place.root());
    let (scan, report) = place.look();
    let (applied, list) = place.apply(&scan, &report);
    let moved: BTreeSet<&str> = applied.moved.iter().map(|step| step.path.as_str()).collect();
    assert_eq!(moved, BTreeSet::from(["b copy", "hollow"]));
    assert_eq!(applied.bytes, 6);
    assert_eq!(picture(&place.root()).len(), 4);
    let note = fs::read_to_string(place.folder.path().join("share/Trash/info/b copy.trashinfo")).unwrap();
    assert!(
        note.starts_with("[Trash Info]\nPath=/") && note.contains("b%20copy\nDeletionDate=2026-"),
        "{note}"
    );
    assert_eq!(undo(&read_records(&list).unwrap()).back, 2);
    assert_eq!(picture(&place.root()), before);
}

#[test]
fn nothing_is_overwritten_by_an_undo() {
    let place = Place::new(&[("a", b"same"), ("b", b"same")]);
    let (scan, report) = place.look();
    let (_, list) = place.apply(&scan, &report);
    place.write("b", b"new here");
    let undone = undo(&read_records(&list).unwrap());
    assert_eq!((undone.back, undone.failed.len()), (0, 1));
    assert_eq!(fs::read(place.root().join("b")).unwrap(), b"new here");
}

#[test]
fn folders_of_version_control_and_what_is_left_out_are_not_touched() {
    let place = Place::new(&[
        ("a/.git/x", b"same"),
        ("a/y", b"same"),
        ("b/y", b"same"),
        ("left/out", b"same"),
        ("c.iso", b"same"),
    ]);
    let options = Options { exclude: vec![Glob::new("left"), Glob::new("*.iso")], ..Options::default() };
    let scan = scan(&place.root(), &options, &rules(), &Progress::default()).unwrap();
    let report = analyse(&scan.entries, &rules());
    assert_eq!(report.seen.files, 2);
    assert_eq!(gone(&report), BTreeSet::from(["b/y"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn applying_loses_no_content_and_undoing_is_as_if_nothing_had_been(
        files in proptest::collection::btree_map("[ab](/[ab]){0,2}\\.f", 0_usize..5, 0..14),
    ) {
        let place = Place::new(&[]);
        for (path, content) in &files {
            place.write(&path.replace('/', "d/"), "x".repeat(*content).as_bytes());
        }
        let before = picture(&place.root());
        let (scan, report) = place.look();
        let (applied, list) = place.apply(&scan, &report);
        prop_assert!(applied.stayed.is_empty(), "{:?}", applied);
        let after = picture(&place.root());
        let contents = |all: &BTreeMap<PathBuf, Vec<u8>>| -> BTreeSet<Vec<u8>> {
            all.values().filter(|bytes| !bytes.is_empty()).cloned().collect()
        };
        let folder = b"a folder".to_vec();
        let (mut old, mut new) = (contents(&before), contents(&after));
        old.remove(&folder);
        new.remove(&folder);
        prop_assert_eq!(old, new);
        let undone = undo(&read_records(&list).unwrap());
        prop_assert!(undone.failed.is_empty());
        prop_assert_eq!(picture(&place.root()), before);
        prop_assert_eq!(fs::read_dir(place.folder.path().join("share/Trash/info")).map_or(0, Iterator::count), 0);
    }
}
