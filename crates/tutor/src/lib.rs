//! The Socratic tutor as a pure engine: reads what a learner says, decides the next move, words it, checks arithmetic
//! exactly, and keeps the answer from every outgoing text. It never does IO, asks no model, knows no clock.

mod cues;
mod exact;
mod fold;
mod guard;
mod hold;
mod phrases;
mod plan;
mod policy;
mod problem;
mod prompt;
mod reading;
mod secret;
mod state;
mod wording;

pub use exact::equation::Slip;
pub use guard::{Guard, Leak};
pub use hold::{Hold, asks};
pub use plan::{Move, MoveKind, Turn, turn};
pub use policy::{Language, Policy, Reveal};
pub use problem::{Misconception, Problem, Reference, Transfer, implicit};
pub use prompt::{NAME, instructions};
pub use reading::{Claimed, Reading, Verdict, judge, read};
pub use state::{Claim, Diagnosis, QuestionType, Stage, Stance, State};
