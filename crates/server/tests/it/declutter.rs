//! `stoa declutter` on a folder: looks without touching, moves to the system's trash when told, and puts back.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::world::{Output, run};

const SAME: &str = "the same words in two places\n";

/// What the folder holds, by name, with the bytes.
fn held(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut held: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    held.sort();
    held
}

#[tokio::test]
async fn a_folder_is_looked_at_cleared_and_put_back() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("papers");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in
        [("letter.txt", SAME), ("letter copy.txt", SAME), ("other.txt", "other words"), ("empty.txt", "")]
    {
        std::fs::write(folder.join(name), text).unwrap();
    }
    std::fs::hard_link(folder.join("other.txt"), folder.join("other name.txt")).unwrap();
    std::os::unix::fs::symlink("letter.txt", folder.join("link.txt")).unwrap();
    let before = held(&folder);
    let at = |name: &str| home.path().join(name).display().to_string();
    let places = [("HOME", at("")), ("XDG_DATA_HOME", at("share")), ("XDG_STATE_HOME", at("state"))];
    let places: BTreeMap<String, String> =
        places.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let stoa = async |arguments: &[&str]| -> Output { run(home.path(), &places, arguments).await };
    let told = |output: &Output| -> Value { serde_json::from_str(&output.out).expect(&output.complaint) };

    let looked = stoa(&["declutter", "papers", "--json"]).await;
    assert_eq!(looked.code, Some(0), "{looked:?}");
    assert_eq!(held(&folder), before, "looking changes nothing");
    let findings = told(&looked)["findings"].clone();
    let kinds: Vec<_> = findings.as_array().unwrap().iter().map(|finding| finding["kind"].clone()).collect();
    assert_eq!(
        kinds,
        ["duplicate", "empty_file"],
        "a link and another name of a file are no copies: {findings}"
    );

    let unanswered = stoa(&["declutter", "papers", "--apply"]).await;
    assert_eq!(unanswered.code, Some(1));
    assert!(unanswered.complaint.contains("--yes"), "{unanswered:?}");
    assert_eq!(held(&folder), before, "nobody said yes");

    let applied = stoa(&["declutter", "papers", "--apply", "--yes", "--json"]).await;
    assert_eq!(applied.code, Some(0), "{applied:?}");
    let left: Vec<_> = held(&folder).into_iter().map(|(name, _)| name).collect();
    assert!(
        left.contains(&"other.txt".to_owned()) && left.contains(&"other name.txt".to_owned()),
        "{left:?}"
    );
    let letters = left.iter().filter(|name| name.starts_with("letter")).count();
    assert_eq!(letters, 1, "one of the two stays: {left:?}");

    let list = told(&applied)["undo_list"].as_str().unwrap().to_owned();
    let undone = stoa(&["declutter", "--undo", &list]).await;
    assert_eq!(undone.code, Some(0), "{undone:?}");
    assert_eq!(held(&folder), before, "everything is back");

    let nowhere = stoa(&["declutter", "nowhere"]).await;
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.complaint.contains("nowhere is no folder"), "{nowhere:?}");
}
