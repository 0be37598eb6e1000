//! Folders that are there twice, hold one another, or only look like it: made-up trees, the same for the same seed, one
//! change each, and whether the report says exactly what is true. With `--scale N` it also tells how long a report over
//! N pictures and N texts with nothing in common takes.
//!
//! `cargo run --release -p files --example folders -- [--scale N]`

#![allow(clippy::print_stdout, reason = "an example that prints a table of what it computes")]

use std::sync::Arc;
use std::time::Instant;

use files::clutter::{
    Advice, Digest, Entry, Facts, FindingKind, ImageFacts, Report, Rules, TextFacts, analyse,
};
use kernel::Time;
use uuid::Uuid;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}

type Tree = Vec<(String, String)>;

/// Paths and contents under a folder.
fn tree(folder: &str, random: &mut Random) -> Tree {
    let count = 3 + random.next() % 40;
    // The first lies in the folder itself, so that none is only a wrapper around another.
    let path = |number: u64, random: &mut Random| match random.next() % 3 {
        _ if number == 0 => format!("{folder}/file0"),
        0 => format!("{folder}/file{number}"),
        1 => format!("{folder}/in{}/file{number}", random.next() % 3),
        _ => format!("{folder}/deep/in{}/file{number}", random.next() % 2),
    };
    (0..count).map(|number| (path(number, random), format!("content {:x}", random.next()))).collect()
}

fn moved(tree: &Tree, to: &str) -> Tree {
    let path = |path: &str| format!("{to}/{}", path.split_once('/').map_or("", |(_, rest)| rest));
    tree.iter().map(|(from, content)| (path(from), content.clone())).collect()
}

fn report(tree: &Tree) -> Report {
    let entry = |(at, (path, content)): (usize, &(String, String))| {
        let file = Entry::file(Uuid::from_u128(at as u128), path.clone(), content.len() as u64, Time::EPOCH);
        Entry { digest: Some(Digest::of(content.as_bytes())), ..file }
    };
    let entries: Vec<Entry> = tree.iter().enumerate().map(entry).collect();
    let mut rules = Rules::new(Time::EPOCH);
    rules.only.extend([FindingKind::IdenticalFolder, FindingKind::ContainedFolder]);
    analyse(&entries, &rules)
}

/// What is said: kind, what stays, what goes; sorted.
fn said(report: &Report) -> Vec<(FindingKind, String, String)> {
    let mut all = Vec::new();
    for finding in &report.findings {
        let kept = finding.members.first().map(|member| member.path.clone()).unwrap_or_default();
        let go = finding.members.iter().filter(|member| member.advice == Advice::Go);
        all.extend(go.map(|member| (finding.kind, kept.clone(), member.path.clone())));
    }
    all.sort();
    all
}

/// What is under `a`, and what should be said of it and what `b` is made of.
type Case = (&'static str, fn(&Tree, &mut Random) -> Tree, Option<(FindingKind, &'static str, &'static str)>);

const CASES: &[Case] = &[
    ("copied", |a, _| moved(a, "b"), Some((FindingKind::IdenticalFolder, "a", "b"))),
    ("copied deeper", |a, _| moved(a, "x/y/b"), Some((FindingKind::IdenticalFolder, "a", "x/y/b"))),
    (
        "every file renamed",
        |a, _| moved(a, "b").into_iter().map(|(path, content)| (format!("{path} (1)"), content)).collect(),
        Some((FindingKind::ContainedFolder, "a", "b")),
    ),
    (
        "all moved into one folder",
        |a, _| a.iter().enumerate().map(|(at, (_, content))| (format!("b/{at}"), content.clone())).collect(),
        Some((FindingKind::ContainedFolder, "a", "b")),
    ),
    (
        "one file less",
        |a, random| {
            let mut b = moved(a, "b");
            b.remove(1 + (random.next() % (b.len() as u64 - 1)) as usize);
            b
        },
        Some((FindingKind::ContainedFolder, "a", "b")),
    ),
    (
        "one file more",
        |a, _| {
            let mut b = moved(a, "b");
            b.push(("b/own".to_owned(), "of b alone".to_owned()));
            b
        },
        Some((FindingKind::ContainedFolder, "b", "a")),
    ),
    (
        "one byte changed in the only copy",
        |a, random| {
            let mut b = moved(a, "b");
            let at = (random.next() % b.len() as u64) as usize;
            if let Some((_, content)) = b.get_mut(at) {
                content.push('!');
            }
            b
        },
        None,
    ),
    ("nothing in common", |_, random| tree("b", random), None),
];

fn scale(count: usize) {
    let mut random = Random(3);
    let file = |number: usize, facts: Facts| {
        let path = format!("{}/{number}", number % 97);
        Entry::file(Uuid::from_u128(number as u128), path, 1_000, Time::EPOCH).with_facts(Arc::new(facts))
    };
    let mut entries = Vec::new();
    for number in 0..count {
        let image = ImageFacts {
            width: 100,
            height: 100,
            frequencies: (0..19).map(|_| random.next()).collect(),
            gradients: (0..19).map(|_| random.next()).collect(),
            grey: (0..256).map(|_| (random.next() >> 56) as u8).collect(),
            equal: 0,
            contrast: 50,
            sharpness: 100,
            taken: None,
        };
        let bare = Facts::bare(Digest::of(&number.to_le_bytes()), 1_000);
        entries.push(file(number, Facts { image: Some(image), ..bare }));
    }
    let mut rules = Rules::new(Time::EPOCH);
    rules.only.insert(FindingKind::SimilarImage);
    let start = Instant::now();
    let found = analyse(&entries, &rules).findings.len();
    println!("\n{count} pictures with nothing in common: {:.1?}, {found} findings", start.elapsed());
    entries.clear();
    for number in 0..count {
        let mut sketch: Vec<u32> = (0..600).map(|_| random.next() as u32).collect();
        sketch.sort_unstable();
        let bare = Facts::bare(Digest::of(&number.to_le_bytes()), 1_000);
        entries.push(file(number, Facts { text: Some(TextFacts { words: 602, level: 0, sketch }), ..bare }));
    }
    rules.only = [FindingKind::NearDocument].into();
    let start = Instant::now();
    let found = analyse(&entries, &rules).findings.len();
    println!("{count} texts of 600 words with nothing in common: {:.1?}, {found} findings", start.elapsed());
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const TREES: u64 = 500;
    println!("{:<40}{:>8}{:>8}", "change", "trees", "exact");
    for (name, change, expected) in CASES {
        let mut exact = 0;
        for seed in 0..TREES {
            let mut random = Random(seed);
            let mut all = tree("a", &mut random);
            let other = change(&all, &mut random);
            all.extend(other);
            let found = said(&report(&all));
            // Besides the folders themselves, folders in them may be alike where the whole ones are not.
            let outer = |path: &str| matches!(path, "a" | "b" | "x/y/b");
            let whole: Vec<_> = found.iter().filter(|(_, kept, go)| outer(kept) && outer(go)).collect();
            let right = match expected {
                None => whole.is_empty(),
                Some((kind, kept, go)) => {
                    matches!(whole.as_slice(), [(k, a, b)] if k == kind && a == kept && b == go)
                }
            };
            exact += u64::from(right);
        }
        println!("{name:<40}{TREES:>8}{exact:>8}");
    }
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|one| one == "--scale") {
        scale(arguments.get(at + 1).ok_or("--scale takes a number")?.parse()?);
    }
    Ok(())
}
