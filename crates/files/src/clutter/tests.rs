//! The engine over trees that tests make up: what is found, what is kept and why, what is counted, and that no choice
//! whatever lets a content go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::Time;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

/// Files by path and content; the time is the place in the list.
fn tree(files: &[(&str, &str)]) -> Vec<Entry> {
    let entry = |(at, (path, content)): (usize, &(&str, &str))| {
        let modified = Time::from_seconds(1_000_000 + at as i64);
        let entry = Entry::file(id(at), *path, content.len() as u64, modified);
        Entry { digest: Some(Digest::of(content.as_bytes())), ..entry }
    };
    files.iter().enumerate().map(entry).collect()
}

fn rules() -> Rules {
    Rules::new(Time::from_seconds(1_100_000))
}

fn of(report: &Report, kind: FindingKind) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.kind == kind).collect()
}

fn paths(finding: &Finding, advice: Advice) -> Vec<&str> {
    let members = finding.members.iter().filter(|member| member.advice == advice);
    members.map(|member| member.path.as_str()).collect()
}

fn text(words: std::ops::Range<usize>) -> String {
    words.map(|n| format!("w{n} ")).collect()
}

fn with_text(number: usize, path: &str, words: &str) -> Entry {
    let facts = learn(&mut std::io::Cursor::new(words.as_bytes()), path, &Limits::default()).unwrap();
    Entry::file(id(number), path, words.len() as u64, Time::from_seconds(number as i64))
        .with_facts(Arc::new(facts))
}

#[test]
fn of_copies_the_one_with_the_best_name_and_the_oldest_is_kept() {
    let entries =
        tree(&[("b/x (1).txt", "same"), ("b/later.txt", "same"), ("a/y.txt", "same"), ("z", "other")]);
    let report = analyse(&entries, &rules());
    let found = of(&report, FindingKind::Duplicate);
    assert_eq!(found.len(), 1);
    assert_eq!(paths(found[0], Advice::Keep), ["b/later.txt"]);
    assert_eq!(paths(found[0], Advice::Go), ["a/y.txt", "b/x (1).txt"]);
    assert_eq!(found[0].members[0].why, "Kept because it is the oldest.");
    let proof = &found[0].members[1].evidence[0];
    assert_eq!(
        (proof.other, proof.digest, proof.relation),
        (Some(id(1)), proof.other_digest, Relation::Identical)
    );
    assert_eq!((found[0].logical_bytes, found[0].physical_bytes), (8, 8));
}

#[test]
fn protected_files_are_kept_and_ignored_pairs_stay_ignored() {
    let entries = tree(&[("a/x", "same"), ("keep/x", "same"), ("c", "same")]);
    let mut wanted = rules();
    wanted.protected = vec!["keep".into()];
    let report = analyse(&entries, &wanted);
    let found = of(&report, FindingKind::Duplicate);
    assert_eq!(paths(found[0], Advice::Keep), ["keep/x"]);
    assert_eq!(found[0].members[0].why, "Kept because it lies in a protected folder.");
    wanted.ignore(id(1), id(0));
    let report = analyse(&entries, &wanted);
    assert_eq!(paths(of(&report, FindingKind::Duplicate)[0], Advice::Go), ["c"]);
    wanted.ignore(id(1), id(2));
    assert!(of(&analyse(&entries, &wanted), FindingKind::Duplicate).is_empty());
    wanted.protected = vec![String::new()];
    wanted.ignored.clear();
    assert!(analyse(&entries, &wanted).findings.is_empty());
}

#[test]
fn shared_storage_frees_nothing_until_its_last_name_goes() {
    let mut entries = tree(&[("a", "12345678"), ("b", "12345678"), ("c", "12345678")]);
    for entry in &mut entries {
        entry.place = Some(Place { key: 7, names: 3, bytes: 4_096 });
    }
    let report = analyse(&entries, &rules());
    assert_eq!((report.findings[0].logical_bytes, report.findings[0].physical_bytes), (16, 0));
    assert_eq!(report.seen, Amount { files: 3, logical_bytes: 24, physical_bytes: 4_096 });
    // On a disk further names of a file are no copies of it.
    let mut on_disk = rules();
    on_disk.shared_names = false;
    assert!(analyse(&entries, &on_disk).findings.is_empty());
    entries.extend(tree(&[("d", "12345678")]).into_iter().map(|entry| Entry { id: id(9), ..entry }));
    let report = analyse(&entries, &on_disk);
    let found = of(&report, FindingKind::Duplicate);
    // `a` and `d` are of one age, and the shorter path decides nothing: the alphabet does.
    assert_eq!(paths(found[0], Advice::Keep), ["a", "b", "c"]);
    assert_eq!((paths(found[0], Advice::Go), found[0].physical_bytes), (vec!["d"], 8));
}

#[test]
fn identical_folders_are_told_once_at_the_top() {
    let entries = tree(&[
        ("photos/2020/a", "one"),
        ("photos/2020/deep/b", "two"),
        ("backup/photos copy/2020/a", "one"),
        ("backup/photos copy/2020/deep/b", "two"),
        ("elsewhere/a", "one"),
    ]);
    let report = analyse(&entries, &rules());
    let found = of(&report, FindingKind::IdenticalFolder);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(paths(found[0], Advice::Keep), ["photos"]);
    assert_eq!(paths(found[0], Advice::Go), ["backup/photos copy"]);
    assert_eq!(found[0].members[1].evidence.len(), 2);
    // What goes with the folder is not told of again; the third copy is.
    let duplicates = of(&report, FindingKind::Duplicate);
    assert_eq!(duplicates.len(), 1);
    assert_eq!(paths(duplicates[0], Advice::Go), ["elsewhere/a"]);
    assert_eq!(report.together.files, 3);
}

#[test]
fn a_folder_whose_every_file_is_elsewhere_can_go() {
    let entries = tree(&[
        ("all/x/one", "1"),
        ("all/y/two", "2"),
        ("all/three", "3"),
        ("old backup/renamed", "1"),
        ("old backup/two", "2"),
        ("different/one", "1"),
        ("different/own", "own"),
    ]);
    let report = analyse(&entries, &rules());
    let found = of(&report, FindingKind::ContainedFolder);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (paths(found[0], Advice::Keep), paths(found[0], Advice::Go)),
        (vec!["all"], vec!["old backup"])
    );
    assert!(found[0].members[1].why.starts_with("Nothing is lost"));
}

#[test]
fn folders_with_the_same_files_in_another_layout_are_not_both_advised_to_go() {
    let entries = tree(&[("a/1", "x"), ("a/2", "y"), ("b/sub/1", "x"), ("b/2", "y")]);
    let report = analyse(&entries, &rules());
    let found = of(&report, FindingKind::ContainedFolder);
    assert_eq!(found.len(), 1);
    assert_eq!((paths(found[0], Advice::Keep), paths(found[0], Advice::Go)), (vec!["a"], vec!["b"]));
}

#[test]
fn documents_are_near_or_part_and_versions_by_name_only_when_near() {
    let entries = vec![
        with_text(0, "a/notes.txt", &text(0..400)),
        with_text(1, "b/notes edited.txt", &text(0..420)),
        with_text(2, "c/first pages.txt", &text(100..200)),
        with_text(3, "d/other.txt", &text(9_000..9_400)),
        with_text(4, "d/other (1).txt", &text(8_000..8_400)),
        with_text(5, "e/plan.txt", &text(5_000..5_300)),
        with_text(6, "e/plan_final_v2.txt", &text(5_010..5_310)),
    ];
    let report = analyse(&entries, &rules());
    let versions = of(&report, FindingKind::Version);
    assert_eq!(versions.len(), 1, "{versions:#?}");
    assert_eq!(paths(versions[0], Advice::Keep), ["e/plan_final_v2.txt"]);
    let near = of(&report, FindingKind::NearDocument);
    assert_eq!(near.len(), 2, "{near:#?}");
    let all: BTreeSet<&str> = near.iter().flat_map(|finding| paths(finding, Advice::Go)).collect();
    assert_eq!(all, BTreeSet::from(["a/notes.txt", "c/first pages.txt"]));
    assert!(near.iter().any(|finding| finding.reason.contains("is a part of")));
    assert!(near.iter().all(|finding| !finding.kind.loses_nothing()));
}

#[test]
fn what_is_told_of_a_file_by_itself() {
    let mut entries =
        tree(&[("empty", ""), ("x.tmp", "t"), ("big", "b"), ("old", "o"), ("pic.jpg", "p"), ("z.json", "j")]);
    entries[2].size = 200 << 20;
    entries[3].modified = Time::from_seconds(-90_000_000);
    entries.push(Entry::folder(id(10), "hollow", Time::EPOCH));
    entries.push(Entry::folder(id(11), "hollow/inner", Time::EPOCH));
    let png = Facts { format: Some(Format::Png), ..Facts::bare(Digest::of(b"p"), 1) };
    entries[4].facts = Some(Arc::new(png));
    let json = learn(&mut std::io::Cursor::new(b"{\"a\": "), "z.json", &Limits::default()).unwrap();
    entries[5].facts = Some(Arc::new(json));
    let report = analyse(&entries, &rules());
    let told: BTreeMap<FindingKind, Vec<&str>> = report
        .findings
        .iter()
        .map(|one| (one.kind, one.members.iter().map(|m| m.path.as_str()).collect()))
        .collect();
    assert_eq!(
        told,
        BTreeMap::from([
            (FindingKind::EmptyFile, vec!["empty"]),
            (FindingKind::EmptyFolder, vec!["hollow"]),
            (FindingKind::Temporary, vec!["x.tmp"]),
            (FindingKind::Broken, vec!["z.json"]),
            (FindingKind::WrongExtension, vec!["pic.jpg"]),
            (FindingKind::Big, vec!["big"]),
            (FindingKind::Old, vec!["old"]),
        ])
    );
    assert!(analyse(&[], &rules()).findings.is_empty());
}

#[test]
fn facts_and_reports_are_kept_as_json() {
    let facts = learn(&mut std::io::Cursor::new(text(0..300)), "a.txt", &Limits::default()).unwrap();
    let kept = serde_json::to_string(&facts).unwrap();
    assert!(kept.len() < 3_000, "{}", kept.len());
    assert_eq!(serde_json::from_str::<Facts>(&kept).unwrap(), facts);
    let report = analyse(&tree(&[("a", "x"), ("b", "x")]), &rules());
    let kept = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&kept).unwrap(), report);
}

#[test]
fn a_plan_refuses_what_is_gone_protected_or_last() {
    let entries = tree(&[("a", "x"), ("b", "x"), ("keep/c", "y"), ("d", "z"), ("e", "")]);
    let mut wanted = rules();
    wanted.protected = vec!["keep".into()];
    let picked: BTreeSet<Uuid> = [0, 1, 2, 3, 4, 99].into_iter().map(id).collect();
    let made = plan(&entries, &wanted, &picked, &BTreeSet::new());
    let moved: Vec<Uuid> = made.moves.iter().map(|step| step.id).collect();
    assert_eq!(moved, [id(1), id(4)]);
    assert_eq!(made.moves[0].kept, Some(id(0)));
    assert_eq!(made.refused.len(), 4);
    let made = plan(&entries, &wanted, &picked, &BTreeSet::from([id(0), id(1), id(3)]));
    assert_eq!(made.moves.len(), 4, "{made:?}");
}

/// Trees of few names and few contents, so that everything happens often.
fn any_tree() -> impl Strategy<Value = Vec<Entry>> {
    let file = ("[ab]{1,2}(/[ab]{1,2}){0,3}", 0_usize..6, 0_i64..3);
    proptest::collection::vec(file, 0..40).prop_map(|files| {
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        for (path, content, time) in files {
            // A folder and a file of one name cannot be.
            let path = format!("{}.f", path.replace('/', "d/"));
            if seen.insert(path.clone()) {
                let content = "c".repeat(content);
                let at = Time::from_seconds(time);
                let entry = Entry::file(id(entries.len()), path, content.len() as u64, at);
                entries.push(Entry { digest: Some(Digest::of(content.as_bytes())), ..entry });
            }
        }
        entries
    })
}

fn contents<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeSet<Digest> {
    entries.filter(|entry| entry.size > 0).filter_map(|entry| entry.digest).collect()
}

proptest! {
    #[test]
    fn no_content_is_lost_by_following_any_part_of_a_report(entries in any_tree(), protected in "[ab]{1,2}d") {
        let mut wanted = rules();
        wanted.protected = vec![protected];
        let report = analyse(&entries, &wanted);
        let go: BTreeSet<Uuid> = report
            .findings
            .iter()
            .filter(|finding| finding.kind.loses_nothing())
            .flat_map(|finding| &finding.members)
            .filter(|member| member.advice == Advice::Go)
            .flat_map(|member| member.evidence.iter().map(|evidence| evidence.file))
            .collect();
        let left = contents(entries.iter().filter(|entry| !go.contains(&entry.id)));
        prop_assert_eq!(left, contents(entries.iter()));
        prop_assert!(entries.iter().all(|entry| !go.contains(&entry.id) || !wanted.protects(&entry.path)));
        // Nothing that proves anything goes itself.
        for evidence in report.findings.iter().flat_map(|f| &f.members).flat_map(|m| &m.evidence) {
            if let Some(other) = evidence.other {
                prop_assert!(!go.contains(&other));
                prop_assert_eq!(evidence.digest, evidence.other_digest);
            }
        }
        // The report does not depend on the order it was asked in.
        let mut turned = entries.clone();
        turned.reverse();
        prop_assert_eq!(analyse(&turned, &wanted), report);
    }

    #[test]
    fn no_choice_takes_the_last_copy(entries in any_tree(), picks in proptest::collection::vec(any::<bool>(), 40)) {
        let picked: BTreeSet<Uuid> =
            entries.iter().zip(&picks).filter(|(_, pick)| **pick).map(|(entry, _)| entry.id).collect();
        let made = plan(&entries, &rules(), &picked, &BTreeSet::new());
        let gone: BTreeSet<Uuid> = made.moves.iter().map(|step| step.id).collect();
        let left = contents(entries.iter().filter(|entry| !gone.contains(&entry.id)));
        prop_assert_eq!(left, contents(entries.iter()));
        for step in &made.moves {
            prop_assert!(step.kept.is_none_or(|kept| !gone.contains(&kept)));
        }
        prop_assert_eq!(made.moves.len() + made.refused.len(), picked.len());
    }
}
