//! How a dialogue ends: the transfer question, the learner's own summary, a look back. It never ends without both.

use super::{Decision, MoveKind};
use crate::fold;
use crate::phrases::{self, Lead, Use};
use crate::problem::Problem;
use crate::reading::{self, Reading};
use crate::state::QuestionType::{Assumptions, Clarification, Consequences, Evidence, Question, Viewpoints};
use crate::state::{Stage, State};

/// Words of a summary, and of an answer to a transfer question, at the least.
const SUMMARY_WORDS: usize = 8;
const TRANSFER_WORDS: usize = 5;

pub(super) fn transfer(problem: &Problem, lead: Lead) -> Decision {
    let mut decision =
        Decision::new(MoveKind::Transfer, Use::Transfer, lead, &[Consequences, Viewpoints, Assumptions]);
    decision.own = problem.reference.transfer.as_ref().map(|transfer| transfer.question.clone());
    decision
}

/// After the answer: the transfer question, then the learner's own summary, then the end.
pub(super) fn conclude(
    state: &mut State,
    reading: &Reading,
    said: &str,
    problem: Option<&Problem>,
) -> Decision {
    let willing = !reading.asks && !reading.stuck && !reading.elsewhere && !reading.agrees;
    if !state.transferred {
        state.stage = Stage::Check;
        state.transfer_tries += 1;
        let transfer = problem.and_then(|problem| problem.reference.transfer.as_ref());
        let carried = match transfer {
            Some(transfer) => reading::transfers(said, &transfer.answer) == Some(true),
            None => willing && reading.words >= TRANSFER_WORDS,
        };
        if !carried || reading.asks {
            let lead = if reading.stuck {
                Lead::Help
            } else if reading.asks {
                Lead::Refusal
            } else {
                Lead::Doubt
            };
            let mut decision = Decision::new(
                MoveKind::Transfer,
                Use::TransferAgain,
                lead,
                &[Clarification, Evidence, Consequences],
            );
            decision.house = reading.asks;
            return decision;
        }
        state.transferred = true;
        state.mastery = (state.mastery + 10).min(95);
        state.stage = Stage::Summarise;
        return Decision::new(
            MoveKind::Summary,
            Use::Summary,
            Lead::Praise,
            &[Clarification, Question, Evidence],
        );
    }
    state.stage = Stage::Summarise;
    if !willing || reading.words < SUMMARY_WORDS {
        return Decision::new(
            MoveKind::Summary,
            Use::Summary,
            Lead::Plain,
            &[Clarification, Question, Evidence],
        );
    }
    state.stage = Stage::Done;
    state.mastery = (state.mastery + 5).min(100);
    let mut decision =
        Decision::new(MoveKind::Close, Use::Close, Lead::Plain, &[Question, Consequences, Viewpoints]);
    let rubric = problem.map(|problem| problem.reference.rubric.as_slice()).unwrap_or_default();
    if !rubric.is_empty() {
        let all = u32::try_from(rubric.len()).unwrap_or(u32::MAX);
        let covered = rubric.iter().filter(|point| covers(said, point)).count();
        let covered = u32::try_from(covered).unwrap_or(u32::MAX);
        state.coverage = Some((covered, all));
        decision.before = Some(phrases::coverage(state.language.unwrap_or_default(), covered, all));
    }
    decision
}

/// Whether a text mentions a point: most of its longer words, cut to their stems, are in it.
fn covers(said: &str, point: &str) -> bool {
    let stems = |text: &str| -> Vec<String> {
        fold::words(&fold::fold(text))
            .filter(|word| word.chars().count() > 3 || word.chars().any(|c| c.is_ascii_digit()))
            .map(|word| word.chars().take(5).collect())
            .collect()
    };
    let (said, point) = (stems(said), stems(point));
    let found = point.iter().filter(|stem| said.contains(stem)).count();
    !point.is_empty() && found * 10 >= point.len() * 6
}
