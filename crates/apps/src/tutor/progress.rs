//! How learners come on: their own progress for themselves, everybody's at a problem for its teachers, and transcripts
//! with the moves. What is shown is read from what the tutor kept with its last message, so it is never behind.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ::tutor::State;
use identity::{Learn, May, Teach};
use kernel::{AppId, Code, ConversationId, EventType, Page, PageRequest, ProblemId, Result, Subject, Time};
use serde_json::Value;
use store::{Attempt, Message};

use super::problems::{ProblemView, changed, noted};
use super::taught;
use crate::Hall;

/// A learner who has come no further for this many turns, or this often to a wrong answer, is stuck.
const STUCK_MOVES: u32 = 3;
const STUCK_TRIES: u32 = 4;
const STUCK_RUNG: u8 = 3;

/// How somebody comes on with a problem.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The conversation.
    pub conversation: ConversationId,
    /// The problem.
    pub problem: ProblemId,
    /// What the problem is called.
    pub title: String,
    /// Who: a name or address where there is one, else a pseudonym.
    pub learner: String,
    /// What the tutor remembers; the beginning before the first turn.
    pub state: State,
    /// Turns of the learner.
    pub turns: u32,
    /// When it began.
    pub started_at: Time,
    /// When something was said last.
    pub last_at: Time,
}

impl Progress {
    /// The learner seems to need somebody.
    pub fn stuck(&self) -> bool {
        let state = &self.state;
        !state.solved
            && (state.moves_since_progress >= STUCK_MOVES
                || state.wrong_tries >= STUCK_TRIES
                || state.hint_level >= Some(STUCK_RUNG))
    }

    /// When the learner found the answer.
    pub fn solved_at(&self) -> Option<Time> {
        self.state.solved_at.map(Time::from_micros)
    }
}

/// A message with the move that it made.
#[derive(Clone, Debug)]
pub struct TranscriptLine {
    /// The message.
    pub message: Message,
    /// The tutor's move: kind, type of question, stage, hint, target; `null` for a learner's message.
    pub made: Value,
    /// Something that the model said was held back.
    pub held_back: bool,
}

/// What a learner and the tutor said.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// How the learner comes on.
    pub progress: Progress,
    /// The lines, oldest first.
    pub lines: Page<TranscriptLine>,
}

impl Hall {
    /// The caller's own progress in an app, newest first.
    pub async fn own_progress(&self, may: &May<Learn>, page: PageRequest) -> Result<Page<Progress>> {
        let app = &may.what().0;
        self.rooms.catalog.get(app)?;
        self.rooms.audit.note(noted(may, EventType::DataRead, app).with("what", "progress"));
        let found = self.rooms.store.attempts_of(&may.owner(), app, page).await?;
        self.progress_of(app, found).await
    }

    /// What a conversation of the caller's is about, as learners see it, and how they come on with it; `None` where
    /// they brought a question of their own.
    pub async fn own_attempt(
        &self,
        may: &May<Learn>,
        conversation: ConversationId,
    ) -> Result<Option<(ProblemView, Progress)>> {
        let app = &may.what().0;
        self.rooms.catalog.get(app)?;
        let owner = may.owner();
        let Some(stored) = self.rooms.store.problem_of(&owner, app, conversation).await? else {
            return Ok(None);
        };
        let attempt = self.rooms.store.attempt(app, stored.id, conversation).await?;
        if attempt.owner != owner {
            return Ok(None);
        }
        let one = self.progress_of(app, Page { items: vec![attempt], next: None }).await?;
        let view = ProblemView::of(stored, false)?;
        Ok(one.items.into_iter().next().map(|progress| (view, progress)))
    }

    /// How everybody comes on with a problem, newest first.
    pub async fn progress(
        &self,
        may: &May<Teach>,
        id: ProblemId,
        page: PageRequest,
    ) -> Result<Page<Progress>> {
        let app = &may.what().0;
        self.rooms.store.problem(app, id).await?;
        self.rooms.audit.note(changed(may, EventType::DataRead, id).with("what", "progress"));
        let found = self.rooms.store.attempts_at(app, id, page).await?;
        self.progress_of(app, found).await
    }

    /// What was said in a conversation about a problem of this app. Other conversations are not there for teachers.
    pub async fn transcript(
        &self,
        may: &May<Teach>,
        id: ProblemId,
        conversation: ConversationId,
        page: PageRequest,
    ) -> Result<Transcript> {
        let app = &may.what().0;
        let attempt = self.rooms.store.attempt(app, id, conversation).await?;
        // Read by somebody else than its owner: that is written down before anything is given out.
        let event = changed(may, EventType::DataRead, id)
            .with("what", "transcript")
            .with("conversation", conversation.to_string())
            .with("learner", attempt.owner.to_string());
        self.rooms.store.record(vec![event]).await?;
        let messages = self.rooms.store.messages(&attempt.owner, conversation, page).await?;
        let lines = messages.map(|message| TranscriptLine {
            made: message.details.get("move").cloned().unwrap_or(Value::Null),
            held_back: message.details.get("held_back").and_then(Value::as_bool).unwrap_or(false),
            message,
        });
        let one = self.progress_of(app, Page { items: vec![attempt], next: None }).await?;
        let progress = one.items.into_iter().next().ok_or(Code::NotFound)?;
        Ok(Transcript { progress, lines })
    }

    async fn progress_of(&self, app: &AppId, found: Page<Attempt>) -> Result<Page<Progress>> {
        let mut titles: HashMap<ProblemId, String> = HashMap::new();
        let mut names: HashMap<Subject, String> = HashMap::new();
        let mut items = Vec::with_capacity(found.items.len());
        for attempt in found.items {
            let title = match titles.entry(attempt.problem) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(place) => {
                    let stored = self.rooms.store.problem(app, attempt.problem).await?;
                    place.insert(taught(&stored)?.title).clone()
                }
            };
            let learner = match names.entry(attempt.owner) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(place) => place.insert(self.learner(&attempt.owner).await?).clone(),
            };
            items.push(Progress {
                conversation: attempt.conversation,
                problem: attempt.problem,
                title,
                learner,
                state: State::read(&attempt.details).unwrap_or_default(),
                turns: attempt.turns,
                started_at: attempt.started_at,
                last_at: attempt.last_at,
            });
        }
        Ok(Page { items, next: found.next })
    }

    /// What a learner is called: the account's name or address, else the end of the pseudonymous id.
    async fn learner(&self, owner: &Subject) -> Result<String> {
        let pseudonym = || {
            let id = owner.to_string();
            let end = id.char_indices().rev().nth(5).and_then(|(at, _)| id.get(at..)).unwrap_or(&id);
            format!("{} {end}", owner.kind())
        };
        let Subject::User(id) = owner else { return Ok(pseudonym()) };
        match self.rooms.store.user(*id).await {
            Ok(user) if !user.name.is_empty() => Ok(user.name),
            Ok(user) if !user.email.is_empty() => Ok(user.email),
            Ok(_) => Ok(pseudonym()),
            Err(fault) if fault.code() == Code::NotFound => Ok(pseudonym()),
            Err(fault) => Err(fault),
        }
    }
}
