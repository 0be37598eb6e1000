//! What in a tree of files can go, and why: an analysis over an abstract tree. It never changes anything and never
//! touches the database or the network; time is an argument.
//!
//! What is costly is done once for each content and kept: [`Facts`]. A report is then made from [`Entry`]s alone by
//! [`analyse`], and what somebody picks from it goes through [`plan`], which never lets the last copy of a content go
//! unless that was said in so many words.

pub mod disk;
mod documents;
mod duplicates;
mod entry;
mod facts;
mod folders;
mod format;
mod hash;
mod keep;
mod learn;
mod nearest;
mod pack;
mod picture;
mod plan;
mod report;
mod rules;
mod similar;
mod single;
mod sound;
mod survey;
mod text;
mod tree;
mod versions;

pub use entry::{Entry, EntryKind, Marks, Place};
pub use facts::{Facts, Fault, Format, ImageFacts, Taken, TextFacts};
pub use hash::Digest;
pub use learn::{Limits, digest, learn};
pub use plan::{Move, Plan, Refusal, plan};
pub use report::{Advice, Amount, Evidence, Finding, FindingKind, Member, Relation, Report, Total, View};
pub use rules::Rules;

/// Looks at a whole tree and says what can go. Deterministic: the order of the entries does not matter.
pub fn analyse(entries: &[Entry], rules: &Rules) -> Report {
    survey::make(entries, rules)
}

#[cfg(test)]
mod tests;
