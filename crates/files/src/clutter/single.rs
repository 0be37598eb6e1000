//! What is told of a file or a folder by itself: empty, left by a program, broken, of another format than its name
//! says, big, old.

use std::collections::HashSet;

use super::survey::{Survey, alone, member};
use super::tree::Tree;
use super::{Advice, Entry, Facts, FindingKind, Format, Member, Relation, format};

/// Endings and names of files that programs leave behind.
const TEMPORARY: &[&str] = &[
    "#",
    "thumbs.db",
    ".bak",
    "~",
    ".tmp",
    ".temp",
    ".ds_store",
    ".crdownload",
    ".part",
    ".cache",
    ".download",
    ".partial",
    ".swp",
    ".swo",
];

const DAY: u64 = 86_400;

/// Finds them all.
pub(super) fn find<'a>(tree: &Tree<'a>, survey: &mut Survey<'a>) {
    empty_folders(tree, survey);
    let mut big: Vec<&'a Entry> = Vec::new();
    let mut old: Vec<&'a Entry> = Vec::new();
    let files: Vec<&'a Entry> =
        tree.files.iter().copied().filter(|file| !survey.gone.contains(&file.id)).collect();
    for file in files {
        let protected = survey.rules.protects(&file.path);
        if file.size == 0 {
            if !protected {
                tell(
                    survey,
                    FindingKind::EmptyFile,
                    file,
                    Advice::Go,
                    "It has no byte.".to_owned(),
                    Relation::Empty,
                );
            }
            continue;
        }
        if !protected
            && !survey.anchored.contains(&file.id)
            && let Some(sign) = temporary(file.name())
        {
            let why = format!("Names with “{sign}” are those of files that programs leave behind.");
            tell(survey, FindingKind::Temporary, file, Advice::Go, why, Relation::Alone);
            continue;
        }
        let facts = file.facts.as_deref();
        if let Some(why) = facts.and_then(|facts| broken(file, facts)) {
            tell(survey, FindingKind::Broken, file, Advice::Look, why, Relation::Alone);
        } else if let Some(why) = facts.and_then(|facts| wrong_ending(file, facts)) {
            tell(survey, FindingKind::WrongExtension, file, Advice::Look, why, Relation::Alone);
        }
        if file.size >= survey.rules.big {
            big.push(file);
        }
        if age(survey, file) >= survey.rules.old_days {
            old.push(file);
        }
    }
    let most = survey.rules.most_listed;
    big.sort_by_key(|file| std::cmp::Reverse(file.size));
    for file in big.into_iter().take(most) {
        let why = format!("It is {} MiB large.", file.size >> 20);
        tell(survey, FindingKind::Big, file, Advice::Look, why, Relation::Alone);
    }
    old.sort_by_key(|file| (std::cmp::Reverse(file.size), file.modified));
    for file in old.into_iter().take(most) {
        let why = format!("It was last changed {} days ago.", age(survey, file));
        tell(survey, FindingKind::Old, file, Advice::Look, why, Relation::Alone);
    }
}

fn tell<'a>(
    survey: &mut Survey<'a>,
    kind: FindingKind,
    file: &'a Entry,
    advice: Advice,
    why: String,
    relation: Relation,
) {
    if survey.rules.wants(kind) {
        let members = vec![member(file, advice, why.clone(), Some(alone(file, relation)))];
        survey.add(kind, why, members, &[file]);
    }
}

fn age(survey: &Survey<'_>, file: &Entry) -> u64 {
    survey.rules.now.since(file.modified).as_secs() / DAY
}

/// The outermost folders in which there is nothing but folders.
fn empty_folders<'a>(tree: &Tree<'a>, survey: &mut Survey<'a>) {
    if !survey.rules.wants(FindingKind::EmptyFolder) {
        return;
    }
    let mut covered: HashSet<usize> = HashSet::new();
    for (at, folder) in tree.folders.iter().enumerate() {
        let empty = folder.files.is_empty() && !folder.odd && folder.parent.is_some();
        if !empty || folder.id.is_none() || covered.contains(&at) {
            continue;
        }
        let guarded = survey.rules.protects(folder.path)
            || tree
                .folders
                .get(folder.folders.clone())
                .unwrap_or(&[])
                .iter()
                .any(|f| survey.rules.protects(f.path));
        if guarded {
            continue;
        }
        covered.extend(folder.folders.clone());
        let why =
            if folder.folders.is_empty() { "Nothing is in it." } else { "Only empty folders are in it." };
        let members = vec![Member {
            id: folder.id,
            path: folder.path.to_owned(),
            size: 0,
            modified: folder.modified,
            advice: Advice::Go,
            why: why.to_owned(),
            evidence: Vec::new(),
        }];
        survey.add(FindingKind::EmptyFolder, why.to_owned(), members, &[]);
    }
}

/// The sign that a name is that of a temporary file.
fn temporary(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let ends = |sign: &&&str| {
        lower.ends_with(**sign) && (sign.starts_with('.') || lower == ***sign || sign.len() == 1)
    };
    let found = TEMPORARY.iter().find(ends).copied();
    found.or_else(|| lower.starts_with("~$").then_some("~$"))
}

/// Why a file cannot be used, if so.
fn broken(file: &Entry, facts: &Facts) -> Option<String> {
    if facts.zero {
        return Some("All its bytes are zero: nothing was ever written into it, or it was lost.".to_owned());
    }
    let ending = file.ending();
    match &facts.fault {
        // Many texts begin like JSON; only those that call themselves so have to be it.
        Some(fault) if fault.format == Format::Json => {
            (ending.as_deref() == Some("json")).then(|| fault.sentence.clone())
        }
        Some(fault) => Some(fault.sentence.clone()),
        None => {
            let ending = ending?;
            let known = |format: &&Format| {
                matches!(
                    format,
                    Format::Png | Format::Jpeg | Format::Gif | Format::Webp | Format::Pdf | Format::Zip
                ) && format.endings().contains(&ending.as_str())
            };
            let format = Format::ALL.iter().find(known).filter(|_| facts.format.is_none())?;
            Some(format!("Its name says {}, but it does not begin like one.", format.label()))
        }
    }
}

fn wrong_ending(file: &Entry, facts: &Facts) -> Option<String> {
    let (ending, format) = (file.ending()?, facts.format?);
    let right = format.endings().first()?;
    format::contradicts(&ending, format)
        .then(|| format!("It is {}, but its name ends in “.{ending}”, not “.{right}”.", format.label()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_files_are_known_by_name() {
        for name in
            ["a.tmp", "Thumbs.db", ".DS_Store", "x~", "a.crdownload", "~$letter.docx", "#auto#", ".tmp"]
        {
            assert!(temporary(name).is_some(), "{name}");
        }
        for name in ["a.txt", "mythumbs.db", "tmp", "a.part1.rar", "cache", "tilde~a"] {
            assert!(temporary(name).is_none(), "{name}");
        }
    }
}
