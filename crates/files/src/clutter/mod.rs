//! What in a tree of files can go, and why: an analysis over an abstract tree. It never changes anything and never
//! touches the database or the network; time is an argument.
//!
//! What is costly is done once for each content and kept: [`Facts`]. A report is then made from [`Entry`]s alone by
//! [`analyse`], and what somebody picks from it goes through [`plan`], which never lets the last copy of a content go
//! unless that was said in so many words.

mod digest;
mod entry;
mod facts;
mod learn;
mod pack;
mod plan;
mod report;
mod rules;

pub use digest::Digest;
pub use entry::{Entry, EntryKind, Marks, Place};
pub use facts::{Facts, Fault, Format, ImageFacts, Taken, TextFacts};
pub use learn::{Limits, learn};
pub use plan::{Move, Plan, Refusal, plan};
pub use report::{Advice, Amount, Evidence, Finding, FindingKind, Member, Relation, Report, Total, View};
pub use rules::Rules;

/// Looks at a whole tree and says what can go. Deterministic: the order of the entries does not matter.
pub fn analyse(entries: &[Entry], rules: &Rules) -> Report {
    report::make(entries, rules)
}
