//! The walls of the house as checks. Each finding names the file, the rule and the fix. It owns the rules and the
//! reading of the house they look at; `clippy` and `rustfmt` own everything that they can see.

mod files;
mod house;
mod secrets;
mod supply;
mod texts;
mod walls;

use std::fmt;
use std::path::Path;

use anyhow::{Result, ensure};

use house::House;

pub(crate) use house::packages;
pub(crate) use texts::list as list_texts;

/// What is wrong somewhere.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    file: String,
    rule: &'static str,
    fix: String,
}

impl Finding {
    fn new(file: impl Into<String>, rule: &'static str, fix: impl Into<String>) -> Finding {
        Finding { file: file.into(), rule, fix: fix.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.rule, self.fix)
    }
}

/// Every rule.
const RULES: &[fn(&House) -> Vec<Finding>] = &[
    walls::order,
    walls::forbidden_pairs,
    walls::confinement,
    walls::forbidden_packages,
    walls::one_version,
    walls::size_of_the_lock_file,
    supply::sources,
    supply::licences,
    secrets::secrets,
    files::header,
    files::length,
    files::names,
    files::workplace,
    files::migrations,
    files::recipes,
    texts::complete,
    texts::needed,
    texts::sound,
    texts::visible,
];

/// Looks at the house at `root` and prints every finding.
///
/// # Errors
/// When there is one, or the house cannot be read.
pub(crate) fn run(root: &Path) -> Result<()> {
    let house = House::read(root)?;
    let findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&house)).collect();
    for finding in &findings {
        println!("{finding}");
    }
    println!(
        "{} rooms and tools, {} files, {} packages in Cargo.lock (under {})",
        house.members.len(),
        house.files.len(),
        house.locked.len(),
        walls::MOST_PACKAGES
    );
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

#[cfg(test)]
mod tests;
