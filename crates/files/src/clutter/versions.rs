//! Names that tell versions of one thing: `report (1).pdf`, `x - Copy`, `plan_final_v2`, `IMG_1234~2.jpg`,
//! `2024-01-02 plan`. A name alone proves nothing: versions are told of only where the contents are near, too.

use std::collections::BTreeMap;

use super::keep::Purpose;
use super::survey::{Survey, member, proof};
use super::{Advice, Entry, FindingKind, documents, similar};

/// Words that mark a copy or a version, after a separator or alone in brackets, in the languages of most systems.
const WORDS: &[&str] = &[
    "copy",
    "kopie",
    "copie",
    "copia",
    "kopia",
    "kopio",
    "cópia",
    "копия",
    "final",
    "finale",
    "draft",
    "entwurf",
    "old",
    "alt",
    "new",
    "neu",
    "edited",
    "edit",
    "backup",
    "bak",
    "orig",
    "original",
    "latest",
    "rev",
    "revised",
    "version",
    "ver",
    "conflict",
    "duplicate",
];

/// Words before a name: `Copy of plan`.
const BEFORE: &[&str] =
    &["copy of ", "kopie von ", "copie de ", "copia de ", "cópia de ", "copia di ", "backup of "];

/// Whether a name is that of a copy: a number in brackets, a tilde, the word copy.
pub(super) fn is_copy(name: &str) -> bool {
    let lower = stem(name).0.to_lowercase();
    if BEFORE.iter().any(|word| lower.starts_with(word)) {
        return true;
    }
    let end = lower.trim_end();
    let without = end.trim_end_matches(|c: char| c.is_ascii_digit() || c == ')' || c == '(' || c == ' ');
    let numbered = end.ends_with(')')
        && end.rsplit_once('(').is_some_and(|(before, inner)| {
            let inner = inner.trim_end_matches(')');
            !before.trim().is_empty()
                && !inner.is_empty()
                && inner.len() <= 3
                && inner.bytes().all(|b| b.is_ascii_digit())
        });
    let tilde = end.rsplit_once('~').is_some_and(|(before, number)| {
        !before.is_empty()
            && !number.is_empty()
            && number.len() <= 3
            && number.bytes().all(|b| b.is_ascii_digit())
    });
    let word = WORDS.iter().take(8).any(|word| {
        without
            .strip_suffix(word)
            .is_some_and(|rest| rest.ends_with([' ', '-', '_', '(', '.']) && rest.len() > 1)
    });
    numbered || tilde || word
}

fn stem(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 5 && !ending.contains(' ') => {
            (stem, ending)
        }
        _ => (name, ""),
    }
}

/// The name without what marks a version, in lower case, and the ending.
pub(super) fn base(name: &str) -> (String, String) {
    let (stem, ending) = stem(name);
    let mut rest = stem.to_lowercase();
    for before in BEFORE {
        if let Some(after) = rest.strip_prefix(before) {
            rest = after.to_owned();
        }
    }
    rest = without_date(&rest).to_owned();
    while let Some(shorter) = shorten(&rest) {
        rest = shorter;
    }
    (rest, ending.to_lowercase())
}

/// `2024-01-02 plan` and `20240102_plan` without the date.
fn without_date(name: &str) -> &str {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    for pattern in [[4, 1, 2, 1, 2], [4, 0, 2, 0, 2]] {
        let (mut at, mut is_date) = (0, true);
        for (part, length) in pattern.into_iter().enumerate() {
            let Some(text) = name.get(at..at + length) else { return name };
            is_date &= if part % 2 == 0 { digits(text) } else { matches!(text, "" | "-" | "_" | ".") };
            at += length;
        }
        let year = name.get(..4).and_then(|year| year.parse::<u32>().ok()).unwrap_or(0);
        if is_date
            && (1900..2200).contains(&year)
            && let Some(rest) = name.get(at..)
        {
            let tidy = rest.trim_start_matches([' ', '-', '_', '.']);
            if tidy.len() < rest.len() && !tidy.is_empty() {
                return tidy;
            }
        }
    }
    name
}

/// The name without its last mark of a version.
fn shorten(name: &str) -> Option<String> {
    let name = name.trim_end_matches([' ', '-', '_', '.']);
    let kept = |rest: &str| {
        let rest = rest.trim_end_matches([' ', '-', '_', '.']);
        rest.chars().any(char::is_alphanumeric).then(|| rest.to_owned())
    };
    if let Some((rest, inner)) = name.strip_suffix(')').and_then(|name| name.rsplit_once('(')) {
        let number = inner.len() <= 3 && !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
        let word = inner.split(' ').next().is_some_and(|word| WORDS.contains(&word));
        return if number || word { kept(rest) } else { None };
    }
    if let Some((rest, number)) = name.rsplit_once('~')
        && number.len() <= 3
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return kept(rest);
    }
    // A number counts only after a word that makes it one of a version: `v2`, `copy 2`, `rev 3`.
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = name.len() - plain.len();
    if number > 0
        && number <= 6
        && let Some(rest) = plain.strip_suffix('v')
        && rest.ends_with([' ', '-', '_', '.'])
    {
        return kept(rest);
    }
    let plain = if number > 0 && number <= 3 { plain.trim_end_matches([' ', '-', '_', '.']) } else { name };
    let word = WORDS
        .iter()
        .find_map(|word| plain.strip_suffix(word).filter(|rest| rest.ends_with([' ', '-', '_', '.'])));
    word.and_then(kept)
}

/// Finds them among files of which each content is there once.
pub(super) fn find<'a>(files: &[&'a Entry], survey: &mut Survey<'a>) {
    if !survey.rules.wants(FindingKind::Version) {
        return;
    }
    let mut groups: BTreeMap<(&str, String, String), Vec<&'a Entry>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.facts.is_some() && file.size > 0) {
        let (base, ending) = base(file.name());
        groups.entry((file.parent(), base, ending)).or_default().push(file);
    }
    for ((_, base, _), mut group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        // Versions of a text: the newest is wanted. Of a picture: the one that shows most.
        let pictures =
            group.iter().all(|file| file.facts.as_ref().is_some_and(|facts| facts.image.is_some()));
        let purpose = if pictures { Purpose::Pictures } else { Purpose::Texts };
        let choice = survey.choice();
        choice.sort(purpose, &mut group);
        let Some((kept, rest)) = group.split_first() else { continue };
        let near = |file: &&'a Entry| {
            let relation = similar::relation(kept, file).or_else(|| documents::relation(kept, file))?;
            let wanted = !choice.stays(file) && !survey.rules.is_ignored(kept.id, file.id);
            wanted.then_some((*file, relation))
        };
        let near: Vec<_> = rest.iter().filter_map(near).collect();
        let Some((next, _)) = near.first() else { continue };
        let mut members = vec![member(kept, Advice::Keep, choice.why(purpose, kept, next), None)];
        for (file, relation) in &near {
            let why = format!("Another version of “{}”, with nearly the same content.", kept.name());
            members.push(member(file, Advice::Go, why, Some(proof(file, kept, *relation))));
        }
        let reason =
            format!("The names tell {} versions of “{base}”, and the contents are near.", members.len());
        let leaving: Vec<&Entry> = near.iter().map(|(file, _)| *file).collect();
        survey.anchor(&[kept]);
        survey.add(FindingKind::Version, reason, members, &leaving);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_versions_have_one_base() {
        for name in [
            "report.pdf",
            "report (1).pdf",
            "Report - Copy.pdf",
            "report - Copy (2).pdf",
            "report_final_v2.pdf",
            "report v3.pdf",
            "report-v1.2.pdf",
            "Copy of report.pdf",
            "2024-01-02 report.pdf",
            "20240102_report.pdf",
            "report~2.pdf",
            "report (final).pdf",
            "report - Kopie.pdf",
            "report copy 3.pdf",
        ] {
            assert_eq!(base(name), ("report".to_owned(), "pdf".to_owned()), "{name}");
        }
    }

    #[test]
    fn numbers_that_name_things_are_no_versions() {
        for (one, other) in [
            ("IMG_1234.jpg", "IMG_1235.jpg"),
            ("chapter 1.md", "chapter 2.md"),
            ("2024.csv", "2023.csv"),
            ("report.pdf", "report.txt"),
            ("v1.txt", "v2.txt"),
            ("(1).txt", "(2).txt"),
            ("2024-01-02.txt", "2024-01-03.txt"),
            ("budget (2023).xlsx", "budget (2024).xlsx"),
            ("curriculum.txt", "curricula.txt"),
        ] {
            assert_ne!(base(one), base(other), "{one} {other}");
        }
    }

    #[test]
    fn names_of_copies_are_known() {
        for name in
            ["a (1).txt", "a - Copy.txt", "a copy 2.txt", "IMG_1~2.jpg", "Copy of a.txt", "a_kopie.txt"]
        {
            assert!(is_copy(name), "{name}");
        }
        for name in
            ["a.txt", "(1).txt", "copy.txt", "a (2023).txt", "photocopy.txt", "~1", "a~.txt", "final.txt"]
        {
            assert!(!is_copy(name), "{name}");
        }
    }
}
