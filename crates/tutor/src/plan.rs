//! The planner: what the tutor does next is a function of what it remembers and what the learner just said.
//! It decides and words the move; who phrases it in the end, and whether a model does, is not its business.

mod ending;

use serde::Serialize;

use crate::fold;
use crate::guard::Guard;
use crate::hold::Hold;
use crate::phrases::{self, Lead, Use};
use crate::policy::{Language, Policy, Reveal};
use crate::problem::{Problem, implicit};
use crate::reading::{self, Reading, Verdict};
use crate::state::{Diagnosis, QuestionType, Stage, State};
use crate::wording::{self, Brief};
use QuestionType::{Assumptions, Clarification, Consequences, Evidence, Question, Viewpoints};
use ending::{conclude, transfer};

/// Answers without reasons after which one is asked for.
const GUESSES: u32 = 3;
/// Turns without progress after which a hint is given.
const PATIENCE: u32 = 3;

/// What a move is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// A question about the problem, a claim or the topic.
    Ask,
    /// About a sum that does not hold.
    Slip,
    /// About a wrong idea that was expected.
    Misconception,
    /// About a wrong answer.
    Wrong,
    /// A hint.
    Hint,
    /// A question whether the idea carries.
    Transfer,
    /// A request to sum up.
    Summary,
    /// The end.
    Close,
    /// One of several answers is wanted.
    Commit,
    /// Back to the matter.
    Return,
    /// More words are wanted.
    Clarify,
    /// Reasons are wanted.
    Explain,
    /// The answer is handed over, as the app allows.
    Reveal,
}

/// A move.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    /// What it is.
    pub kind: MoveKind,
    /// The type of its question.
    pub question: QuestionType,
    /// Where the dialogue stands with it.
    pub stage: Stage,
    /// The rung of the hint.
    pub hint: Option<u8>,
    /// The words of the learner that it is about.
    pub target: Option<String>,
    /// The move in the tutor's own words: what is said where no model speaks, and in the place of what leaks.
    #[serde(skip)]
    pub text: String,
    /// The house has to say it itself: the learner presses for the answer, or it is handed over.
    #[serde(skip)]
    pub house: bool,
}

/// A turn, decided.
pub struct Turn {
    /// What is remembered after it.
    pub state: State,
    /// What the learner's turn said.
    pub reading: Reading,
    /// The move.
    pub made: Move,
    guard: Guard,
    language: Language,
    first: bool,
}

impl Turn {
    /// What a model's text passes on its way out.
    pub fn hold(self) -> Hold {
        Hold::new(self.guard, self.made.text)
    }

    /// What the house says: the move, in the first turn behind a sentence about what speaks here.
    pub fn said(&self) -> String {
        if self.first {
            format!("{}\n\n{}", phrases::introduction(self.language), self.made.text)
        } else {
            self.made.text.clone()
        }
    }

    /// Whether this text would give something away.
    pub fn leaks(&self, text: &str) -> bool {
        self.guard.leak(text).is_some()
    }

    /// The language of the turn.
    pub const fn language(&self) -> Language {
        self.language
    }
}

/// What a decision comes to, before it is worded.
struct Decision {
    kind: MoveKind,
    use_for: Use,
    lead: Lead,
    prefer: Vec<QuestionType>,
    claim: Option<String>,
    own: Option<String>,
    before: Option<String>,
    house: bool,
}

impl Decision {
    fn new(kind: MoveKind, use_for: Use, lead: Lead, prefer: &[QuestionType]) -> Decision {
        Decision {
            kind,
            use_for,
            lead,
            prefer: prefer.to_vec(),
            claim: None,
            own: None,
            before: None,
            house: false,
        }
    }
}

/// Decides the next move. `problem` is the one that the dialogue works on; without one, a sum or equation that the
/// learner brings is taken for one. The same arguments give the same turn.
pub fn turn(before: &State, said: &str, problem: Option<&Problem>, policy: &Policy, seed: u64) -> Turn {
    let mut state = before.clone();
    // Whoever has come to the end with one sum may bring another.
    if problem.is_none() && state.stage == Stage::Done && implicit(said).is_some() {
        state = State {
            language: before.language,
            asked: before.asked.clone(),
            turns: before.turns,
            ..State::default()
        };
    }
    let brought = match problem {
        Some(_) => None,
        None => state.brought.as_deref().and_then(implicit).or_else(|| implicit(said)),
    };
    if problem.is_none() {
        state.brought = brought.as_ref().map(|problem| problem.statement.clone());
    }
    let problem = problem.or(brought.as_ref());
    let reading = reading::read(said, problem);
    let language = policy.language(reading.german, state.language);
    state.language = Some(language);
    if problem.is_none() && state.topic.is_none() && !reading.greets && !reading.asks {
        state.topic = Some(fold::quote(said, 10)).filter(|topic| !topic.is_empty());
    }
    state.hear(&reading);
    let guard = watch(&state, problem, said, &reading);
    let decision = decide(&mut state, &reading, said, problem, policy);
    // A solved problem opens its answer for the tutor as well, in this very turn.
    let mut guard = if state.solved != before.solved || state.revealed != before.revealed {
        watch(&state, problem, said, &reading)
    } else {
        guard
    };
    let hint = (decision.kind == MoveKind::Hint).then_some(state.hint_level).flatten();
    let target = decision
        .claim
        .clone()
        .or_else(|| reading.slip.as_ref().map(|(sum, ..)| sum.clone()))
        .or_else(|| reading.attempt.clone());
    let brief = Brief {
        state: &state,
        problem,
        language,
        seed,
        use_for: decision.use_for,
        lead: decision.lead,
        prefer: &decision.prefer,
        claim: decision.claim,
        attempt: reading.attempt.clone().filter(|attempt| guard.leak(attempt).is_none()),
        sum: reading.slip.as_ref().map(|(sum, said, _)| (sum.clone(), said.clone())),
        own: decision.own,
        before: decision.before,
    };
    let worded = wording::word(&brief, &guard);
    guard.knows(&worded.text);
    state.asked.extend(worded.hashes);
    let over = state.asked.len().saturating_sub(600);
    state.asked.drain(..over);
    state.question_types.push(worded.kind);
    let over = state.question_types.len().saturating_sub(100);
    state.question_types.drain(..over);
    state.turns = state.turns.saturating_add(1);
    let made = Move {
        kind: decision.kind,
        question: worded.kind,
        stage: state.stage,
        hint,
        target,
        text: worded.text,
        house: decision.house,
    };
    Turn { first: before.turns == 0, state, reading, made, guard, language }
}

fn watch(state: &State, problem: Option<&Problem>, said: &str, reading: &Reading) -> Guard {
    let mut guard = Guard::new(problem);
    if reading.lists() {
        guard.overhears(said)
    } else {
        guard.knows(said)
    }
    guard.remembers(state.values(), state.expressions.iter().cloned());
    let transfer = problem.and_then(|problem| problem.reference.transfer.as_ref());
    if state.solved || state.revealed {
        guard.solved(transfer.filter(|_| !state.transferred).map(|transfer| transfer.answer.as_str()));
    } else if let Some(transfer) = transfer {
        guard.also(&transfer.answer);
    }
    // Who presses, and who brings numbers without a problem that is known, is told no new number.
    let numeric = problem.is_none() && reading.values.len() >= 2;
    if reading.asks || numeric {
        guard.strict();
    }
    guard
}

fn decide(
    state: &mut State,
    reading: &Reading,
    said: &str,
    problem: Option<&Problem>,
    policy: &Policy,
) -> Decision {
    let progress =
        reading.right_sums > 0 || reading.step || reading.claims.iter().any(|claim| claim.reasoned);
    if progress && reading.slip.is_none() {
        state.moves_since_progress = 0;
        state.mastery = (state.mastery + 10).min(80);
    } else {
        state.moves_since_progress = state.moves_since_progress.saturating_add(1);
    }
    if state.stage == Stage::Done {
        return Decision::new(
            MoveKind::Close,
            Use::Close,
            Lead::Plain,
            &[Question, Consequences, Viewpoints],
        );
    }
    if state.solved || state.revealed {
        return conclude(state, reading, said, problem);
    }
    if let (Some(Verdict::Right), Some(problem)) = (reading.verdict, problem) {
        if state.guesses >= GUESSES && !reading.reasoned {
            state.diagnosis = Some(Diagnosis::Guessing);
            return explain(state);
        }
        state.solved = true;
        state.solved_turn = Some(state.turns + 1);
        state.stage = Stage::Check;
        state.diagnosis = None;
        state.mastery = (80 - 10 * u32::from(state.hint_level.unwrap_or(0))).max(state.mastery);
        return transfer(problem, Lead::Right);
    }
    if reading.asks {
        return pressed(state, problem, policy);
    }
    if reading.elsewhere {
        return Decision::new(MoveKind::Return, Use::Return, Lead::Plain, &[Clarification, Question]);
    }
    if policy.questions.is_some_and(|most| state.turns >= most) {
        return Decision::new(MoveKind::Summary, Use::Summary, Lead::Plain, &[Clarification, Evidence]);
    }
    if let Some((sum, _, slip)) = &reading.slip {
        state.stage = Stage::Challenge;
        state.diagnosis = Some(Diagnosis::Slip { slip: *slip, step: sum.clone() });
        tried(state, reading);
        return Decision::new(MoveKind::Slip, Use::Slip, Lead::Doubt, &[Evidence, Clarification, Viewpoints]);
    }
    if reading.several {
        return Decision::new(MoveKind::Commit, Use::Commit, Lead::Plain, &[Clarification, Evidence]);
    }
    if let Some((number, known)) =
        reading.misconception.and_then(|at| Some((at, problem?.misconceptions.get(at)?)))
    {
        state.stage = Stage::Challenge;
        state.diagnosis = Some(Diagnosis::Misconception { number });
        tried(state, reading);
        let mut decision =
            Decision::new(MoveKind::Misconception, Use::Wrong, Lead::Doubt, &[Assumptions, Evidence]);
        decision.own = Some(known.ask.clone());
        return decision;
    }
    if reading.verdict == Some(Verdict::Wrong) && !reading.step {
        return wrong(state, reading, problem, policy);
    }
    if reading.stuck {
        return hint(state, problem, policy, Lead::Help);
    }
    if problem.is_some() && state.turns == 0 || reading.greets && state.claims.is_empty() {
        state.stage = Stage::Elicit;
        return Decision::new(MoveKind::Ask, Use::Open, Lead::Plain, &[Clarification, Question]);
    }
    if reading.agrees {
        let prefer = [Consequences, Evidence, Clarification];
        return Decision::new(MoveKind::Explain, Use::Clarify, Lead::Plain, &prefer);
    }
    if reading.vague {
        return Decision::new(MoveKind::Clarify, Use::Clarify, Lead::Plain, &[Clarification, Evidence]);
    }
    if problem.is_some() && state.moves_since_progress >= PATIENCE {
        return hint(state, problem, policy, Lead::Help);
    }
    let lead =
        if progress && problem.is_some() && reading.right_sums > 0 { Lead::Praise } else { Lead::Plain };
    state.stage = Stage::Probe;
    if let Some(decision) = about_a_claim(state, lead) {
        return decision;
    }
    match problem {
        Some(_) => {
            Decision::new(MoveKind::Ask, Use::Probe, lead, &[Consequences, Evidence, Clarification, Question])
        }
        None => Decision::new(MoveKind::Ask, Use::Topic, lead, &[Clarification, Assumptions, Evidence]),
    }
}

/// Questions what the learner claims: first what is said of all, then what has no reason, then the newest.
fn about_a_claim(state: &mut State, lead: Lead) -> Option<Decision> {
    let open = |claim: &&mut crate::Claim| claim.stance == crate::Stance::Asserted && claim.asked < 6;
    let universal =
        state.claims.iter_mut().rev().filter(open).find(|claim| claim.universal && claim.asked == 0);
    let chosen = match universal {
        Some(claim) => Some(claim),
        None => state.claims.iter_mut().rev().filter(open).min_by_key(|claim| (claim.asked, claim.evidence)),
    };
    let claim = chosen?;
    let prefer: &[QuestionType] = match (claim.universal, claim.evidence) {
        (true, _) => &[Assumptions, Viewpoints, Consequences, Evidence],
        (false, false) => &[Evidence, Clarification, Assumptions, Viewpoints],
        (false, true) => &[Consequences, Viewpoints, Question, Assumptions],
    };
    if claim.universal {
        state.stage = Stage::Challenge;
    }
    claim.asked += 1;
    let mut decision = Decision::new(MoveKind::Ask, Use::Claim, lead, prefer);
    decision.claim = Some(claim.text.clone());
    Some(decision)
}

fn tried(state: &mut State, reading: &Reading) {
    if reading.verdict == Some(Verdict::Wrong) {
        state.wrong_tries += 1;
    }
    state.mastery = state.mastery.saturating_sub(5);
}

fn wrong(state: &mut State, reading: &Reading, problem: Option<&Problem>, policy: &Policy) -> Decision {
    tried(state, reading);
    state.guesses = if reading.reasoned { 0 } else { state.guesses + 1 };
    state.stage = Stage::Challenge;
    if state.guesses >= GUESSES {
        state.diagnosis = Some(Diagnosis::Guessing);
        return explain(state);
    }
    state.diagnosis = Some(Diagnosis::WrongAnswer);
    if state.wrong_tries > 2 && state.moves_since_progress >= PATIENCE {
        return hint(state, problem, policy, Lead::Doubt);
    }
    Decision::new(
        MoveKind::Wrong,
        Use::Wrong,
        Lead::Doubt,
        &[Evidence, Consequences, Assumptions, Viewpoints],
    )
}

fn explain(state: &mut State) -> Decision {
    state.stage = Stage::Challenge;
    Decision::new(MoveKind::Explain, Use::Explain, Lead::Plain, &[Evidence, Assumptions, Clarification])
}

/// The learner presses for the answer: one rung of help, never more, and never the answer but by the app's leave.
fn pressed(state: &mut State, problem: Option<&Problem>, policy: &Policy) -> Decision {
    state.asked_for_answer = state.asked_for_answer.saturating_add(1);
    if let (Reveal::AfterTries(tries), Some(problem)) = (policy.reveal, problem)
        && state.wrong_tries >= tries
        && state.hint_level >= Some(policy.hints)
    {
        state.revealed = true;
        state.stage = Stage::Check;
        let language = state.language.unwrap_or_default();
        let mut decision =
            Decision::new(MoveKind::Reveal, Use::Reveal, Lead::Plain, &[Evidence, Consequences]);
        decision.before = Some(phrases::revealed(language, state.wrong_tries, &problem.reference.answer));
        decision.house = true;
        return decision;
    }
    let mut decision = hint(state, problem, policy, Lead::Refusal);
    decision.house = true;
    decision
}

/// The next rung of the hints.
fn hint(state: &mut State, problem: Option<&Problem>, policy: &Policy, lead: Lead) -> Decision {
    state.stage = Stage::Hint;
    state.mastery = state.mastery.saturating_sub(5);
    let Some(problem) = problem else {
        let use_for = if state.topic.is_some() { Use::Topic } else { Use::Clarify };
        return Decision::new(MoveKind::Hint, use_for, lead, &[Question, Clarification, Assumptions]);
    };
    let rung = state.hint_level.map_or(0, |rung| rung + 1).min(policy.hints.min(4));
    state.hint_level = Some(rung);
    state.moves_since_progress = 0;
    let prefer: &[QuestionType] = match rung {
        0 => &[Question, Clarification, Assumptions],
        1 => &[Assumptions, Evidence, Question],
        2 => &[Clarification, Consequences, Evidence],
        3 => &[Viewpoints, Clarification, Consequences],
        _ => &[Consequences, Clarification, Evidence],
    };
    let mut decision = Decision::new(MoveKind::Hint, Use::Hint(rung), lead, prefer);
    let own = usize::from(rung).checked_sub(1).and_then(|at| problem.hints.get(at));
    decision.own = own.cloned();
    decision
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
