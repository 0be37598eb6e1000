//! Where packages come from and under which licence: the registry alone, and licences that a product may carry.

use super::Finding;
use super::house::House;

/// Licences that may be built in. Growth is a decision.
const LICENCES: [&str; 17] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Every package comes from the registry, with a sum; nothing from a branch of somebody.
pub(super) fn sources(house: &House) -> Vec<Finding> {
    let lock =
        house.files.iter().find(|file| file.path == "Cargo.lock").map_or("", |file| file.text.as_str());
    let mut findings = Vec::new();
    for block in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            block.lines().find_map(|line| Some(line.strip_prefix(key)?.trim_matches([' ', '=', '"'])))
        };
        let (name, source) = (value("name").unwrap_or_default(), value("source"));
        let strange = source.is_some_and(|source| source != REGISTRY);
        if strange || source.is_some() && value("checksum").is_none() {
            let fix = format!("take {name} from the registry, with its sum");
            findings.push(Finding::new("Cargo.lock", "packages come from the registry", fix));
        }
    }
    findings
}

/// Every licence that is built in is one of the list.
pub(super) fn licences(house: &House) -> Vec<Finding> {
    let bad = house.licences.iter().filter(|(_, licence)| !is_allowed(licence));
    bad.map(|(name, licence)| {
        let shown = if licence.is_empty() { "no licence" } else { licence.as_str() };
        Finding::new(
            "Cargo.lock",
            "licences that a product may carry",
            format!("do without {name} ({shown})"),
        )
    })
    .collect()
}

/// An expression of SPDX, as far as manifests use it: `OR` needs one side, `AND` both.
fn is_allowed(expression: &str) -> bool {
    let text = expression.replace('/', " OR ");
    let text = text.trim();
    if let Some(sides) = split(text, " OR ") {
        return sides.into_iter().any(is_allowed);
    }
    if let Some(sides) = split(text, " AND ") {
        return sides.into_iter().all(is_allowed);
    }
    match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => is_allowed(inner),
        None => LICENCES.contains(&text),
    }
}

/// Splits at a word that stands outside of brackets; `None` when there is none.
fn split<'a>(text: &'a str, word: &str) -> Option<Vec<&'a str>> {
    let mut parts = Vec::new();
    let (mut depth, mut begin) = (0_i32, 0);
    for (at, sign) in text.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && text.get(at..).is_some_and(|rest| rest.starts_with(word)) => {
                parts.push(text.get(begin..at)?);
                begin = at + word.len();
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        return None;
    }
    parts.push(text.get(begin..)?);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::house::File;
    use super::*;

    #[test]
    fn expressions_are_read() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR LGPL-3.0) AND MIT", "AGPL-3.0-only", "made up"]
        {
            assert!(!is_allowed(bad), "{bad}");
        }
    }

    #[test]
    fn a_branch_of_somebody_and_a_licence_that_binds_are_found() {
        let text = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"git+https://example.com/a\"\n\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n";
        let mut house =
            House { files: vec![File { path: "Cargo.lock".into(), text: text.into() }], ..House::default() };
        house.licences = vec![("a".into(), "GPL-3.0".into()), ("b".into(), "MIT".into())];
        assert_eq!(sources(&house).len(), 1);
        assert_eq!(licences(&house).len(), 1);
    }
}
