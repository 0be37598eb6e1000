//! What the tutor remembers of a dialogue: typed, versioned, kept with each of its messages, so that every branch
//! has its own. It never holds an answer, a hint or a step of the reference.

use std::str::FromStr as _;

use serde::{Deserialize, Serialize};

use crate::exact::equation::Slip;
use crate::exact::rational::Rational;
use crate::policy::Language;
use crate::reading::Reading;

/// The version of the form that is written.
const VERSION: u32 = 1;
/// Claims, numbers, expressions and questions that are remembered.
const CLAIMS: usize = 24;
const SAID: usize = 400;

/// Paul and Elder's six types of question.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionType {
    /// What is meant?
    Clarification,
    /// What is taken for granted?
    Assumptions,
    /// What speaks for it?
    Evidence,
    /// How else can it be seen?
    Viewpoints,
    /// What follows?
    Consequences,
    /// Why this question?
    Question,
}

impl QuestionType {
    /// All six.
    pub const ALL: [QuestionType; 6] = [
        QuestionType::Clarification,
        QuestionType::Assumptions,
        QuestionType::Evidence,
        QuestionType::Viewpoints,
        QuestionType::Consequences,
        QuestionType::Question,
    ];

    /// The type as the word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            QuestionType::Clarification => "clarification",
            QuestionType::Assumptions => "assumptions",
            QuestionType::Evidence => "evidence",
            QuestionType::Viewpoints => "viewpoints",
            QuestionType::Consequences => "consequences",
            QuestionType::Question => "question",
        }
    }
}

/// Where the dialogue stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The learner says what they know and plan.
    #[default]
    Elicit,
    /// What they say is looked into.
    Probe,
    /// What they say is questioned.
    Challenge,
    /// They are helped on.
    Hint,
    /// They have the answer and show that the idea carries.
    Check,
    /// They sum up.
    Summarise,
    /// It is over.
    Done,
}

impl Stage {
    /// The stage as the word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Elicit => "elicit",
            Stage::Probe => "probe",
            Stage::Challenge => "challenge",
            Stage::Hint => "hint",
            Stage::Check => "check",
            Stage::Summarise => "summarise",
            Stage::Done => "done",
        }
    }
}

/// How the learner stands to a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// Claimed.
    Asserted,
    /// Taken back.
    Retracted,
}

/// A claim of the learner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// In the learner's own words.
    pub text: String,
    /// How the learner stands to it.
    pub stance: Stance,
    /// Whether a reason was given.
    pub evidence: bool,
    /// It is said of all, without exception.
    pub universal: bool,
    /// How often it was asked about.
    pub asked: u32,
}

/// What seems to be wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum Diagnosis {
    /// A sum does not hold.
    Slip {
        /// How.
        slip: Slip,
        /// The sum as the learner wrote it.
        step: String,
    },
    /// A wrong idea that the maker expected.
    Misconception {
        /// Which of them.
        number: usize,
    },
    /// A wrong answer, for another reason.
    WrongAnswer,
    /// Answers without reasons, one after the other.
    Guessing,
}

/// What is remembered.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The form.
    pub version: u32,
    /// The problem, by its id.
    pub problem: Option<String>,
    /// What a learner without a problem brought as one.
    pub brought: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// Where the dialogue stands.
    pub stage: Stage,
    /// The rung of the hints, 0 to 4; absent before the first hint.
    pub hint_level: Option<u8>,
    /// Turns since the learner last came further.
    pub moves_since_progress: u32,
    /// How often the answer was asked for.
    pub asked_for_answer: u32,
    /// Turns so far.
    pub turns: u32,
    /// Wrong answers so far, and those of them without a reason.
    pub wrong_tries: u32,
    /// Answers without a reason, one after the other.
    pub guesses: u32,
    /// The learner has said the answer.
    pub solved: bool,
    /// The turn in which they did.
    pub solved_turn: Option<u32>,
    /// When, in microseconds since 1970; whoever knows the time notes it.
    pub solved_at: Option<i64>,
    /// The answer was handed over, as the app allows.
    pub revealed: bool,
    /// Tries at the transfer question.
    pub transfer_tries: u32,
    /// It was answered.
    pub transferred: bool,
    /// Rubric points that the summary covered, of how many.
    pub coverage: Option<(u32, u32)>,
    /// From 0, knows nothing, to 100.
    pub mastery: u32,
    /// What seems to be wrong.
    pub diagnosis: Option<Diagnosis>,
    /// What the learner claims.
    pub claims: Vec<Claim>,
    /// The types of the questions so far, in order.
    pub question_types: Vec<QuestionType>,
    /// The language.
    pub language: Option<Language>,
    /// Hashes of the questions so far: none is asked twice.
    pub asked: Vec<u32>,
    /// Numbers that the learner has said.
    pub said: Vec<String>,
    /// Expressions that the learner has said.
    pub expressions: Vec<String>,
}

impl State {
    /// The state that a message keeps. `None` where it keeps none, or one of a later version.
    pub fn read(details: &serde_json::Value) -> Option<State> {
        let state: State = serde_json::from_value(details.get("tutor")?.clone()).ok()?;
        (state.version <= VERSION).then_some(state)
    }

    /// What is kept with a message: the state and the move.
    pub fn kept(&self, made: &crate::Move, leak: Option<crate::Leak>) -> serde_json::Value {
        let state = State { version: VERSION, ..self.clone() };
        serde_json::json!({ "tutor": state, "move": made, "held_back": leak.is_some() })
    }

    /// Takes note of what the learner has said, whatever follows.
    pub(crate) fn hear(&mut self, reading: &Reading) {
        if !reading.lists() {
            keep(
                &mut self.said,
                reading.values.iter().map(|value| {
                    let (num, den) = value.parts();
                    format!("{num}/{den}")
                }),
                SAID,
            );
        }
        keep(
            &mut self.expressions,
            reading.expressions.iter().filter(|text| text.len() <= 200).cloned(),
            SAID,
        );
        if reading.retracts
            && let Some(last) = self.claims.last_mut()
        {
            last.stance = Stance::Retracted;
        }
        for claimed in &reading.claims {
            match self.claims.iter_mut().find(|claim| claim.text == claimed.text) {
                Some(claim) => claim.stance = Stance::Asserted,
                None => self.claims.push(Claim {
                    text: claimed.text.clone(),
                    stance: Stance::Asserted,
                    evidence: claimed.reasoned,
                    universal: claimed.universal,
                    asked: 0,
                }),
            }
        }
        // A reason that follows a question about a claim is its evidence.
        if reading.reasoned
            && reading.claims.is_empty()
            && let Some(claim) = self.claims.iter_mut().rev().find(|claim| claim.asked > 0)
        {
            claim.evidence = true;
        }
        let over = self.claims.len().saturating_sub(CLAIMS);
        self.claims.drain(..over);
    }

    /// Hears a turn whose answer was lost: nothing is decided.
    pub fn overhear(&mut self, reading: &Reading) {
        self.hear(reading);
        self.turns = self.turns.saturating_add(1);
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = Rational> {
        self.said.iter().filter_map(|text| {
            let (num, den) = text.split_once('/')?;
            Rational::new(i128::from_str(num).ok()?, i128::from_str(den).ok()?)
        })
    }

    /// How often each type was asked in the last eleven questions.
    pub(crate) fn used(&self, kind: QuestionType) -> usize {
        self.question_types.iter().rev().take(11).filter(|used| **used == kind).count()
    }
}

fn keep(list: &mut Vec<String>, new: impl Iterator<Item = String>, most: usize) {
    for item in new {
        if !list.contains(&item) {
            list.push(item);
        }
    }
    let over = list.len().saturating_sub(most);
    list.drain(..over);
}
