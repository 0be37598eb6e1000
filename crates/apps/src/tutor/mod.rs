//! What is particular to the Socratic tutor: the move is planned by the rules of the room `tutor`, a model phrases it
//! where there is one, and nothing goes out that has not passed the leak guard. The dialogue's state is kept with each
//! answer. The model is never told the reference answer.

mod check;
mod problems;
mod progress;
mod sheet;

use ::tutor::{NAME, Problem, State};
use identity::{Converse, May};
use kernel::{Code, Fault, Result};
use llm::{Completion, Finish, Role, Usage};
use store::{Message, Opening, StoredProblem};

use crate::plan::{Plan, Voice};
use crate::turn::Opened;
use crate::{Ask, Hall, kind, prompt};

pub use problems::{ProblemChange, ProblemView};
pub use progress::{Progress, Transcript, TranscriptLine};
pub use sheet::ProblemSheet;

/// Given to the model when the app sets no prompt of its own.
pub(crate) const INSTRUCTIONS: &str = "You are a Socratic tutor. Ask one short question at a time, build on the \
    learner's own words, and give a hint when they are stuck. Never state the final answer; lead the learner to \
    find it.";

/// Messages looked through for the state when the app shows the model none.
const LOOKED_BACK: u32 = 6;
/// Of a talk that the caller tells, this many of the learner's turns are gone through.
const REPLAYED: usize = 24;

/// How a turn is answered: the rules decide, the model or the house speaks, the guard listens.
pub(crate) async fn plan(hall: &Hall, may: &May<Converse>, opened: &Opened, ask: &Ask) -> Result<Plan> {
    let problem = problem_of(hall, may, opened).await?;
    let taught = problem.as_ref().map(taught).transpose()?;
    let seed = opened.conversation_id.uuid().as_u64_pair().1;
    let policy = &opened.app.tutor;
    let mut state = match &ask.options.history {
        Some(history) => {
            let said = history.iter().filter(|message| message.role == Role::User);
            let skipped = said.clone().count().saturating_sub(REPLAYED);
            said.skip(skipped).fold(State::default(), |state, message| {
                ::tutor::turn(&state, &message.content, taught.as_ref(), policy, seed).state
            })
        }
        None => remembered(hall, opened, taught.as_ref()).await?,
    };
    state.problem = problem.as_ref().map(|problem| problem.id.to_string());
    let turn = ::tutor::turn(&state, &ask.content, taught.as_ref(), policy, seed);
    let modelled = hall.rooms.models.configured();
    let text = if modelled { turn.made.text.clone() } else { turn.said() };
    let voice = if !modelled || turn.made.house {
        Voice::House(Completion {
            text,
            finish: Finish::Stop,
            usage: Usage { input_tokens: 0, output_tokens: 0 },
            model: NAME.to_owned(),
            quotes: Vec::new(),
        })
    } else {
        let mut request = prompt::build(&opened.app, &opened.earlier, &ask.content, &ask.options);
        // What a caller tells as the words of the system is nobody's here.
        request.messages.retain(|message| message.role != Role::System);
        let statement = taught.as_ref().map(|problem| problem.statement.as_str());
        request.system = Some(::tutor::instructions(kind::instructions(&opened.app), statement, &turn));
        Voice::Model(request)
    };
    let house = matches!(voice, Voice::House(_));
    let check = check::Guarded::new(turn, &state, house, hall.rooms.ambient.now());
    Ok(Plan { voice, check: Box::new(check) })
}

/// The problem that the conversation is about.
async fn problem_of(hall: &Hall, may: &May<Converse>, opened: &Opened) -> Result<Option<StoredProblem>> {
    match opened.opening {
        Opening::Existing(id) => hall.rooms.store.problem_of(&may.owner(), &opened.app.id, id).await,
        Opening::New { .. } => Ok(None),
    }
}

/// What a stored problem teaches.
pub(crate) fn taught(stored: &StoredProblem) -> Result<Problem> {
    serde_json::from_value(stored.content.clone())
        .map_err(|_| Fault::new(Code::Internal).because("a stored problem is none"))
}

/// The state after the newest answer that kept one. What was said since, to answers that were lost, is heard.
async fn remembered(hall: &Hall, opened: &Opened, problem: Option<&Problem>) -> Result<State> {
    let kept = |message: &Message| State::read(&message.details);
    let Opening::Existing(id) = opened.opening else { return Ok(State::default()) };
    let looked_back;
    let mut earlier = opened.earlier.as_slice();
    if !earlier.iter().any(|message| kept(message).is_some()) {
        looked_back = hall.rooms.store.recent_messages(&opened.owner, id, LOOKED_BACK).await?;
        if looked_back.iter().any(|message| kept(message).is_some()) {
            earlier = looked_back.as_slice();
        }
    }
    let last = earlier.iter().rposition(|message| kept(message).is_some());
    let mut state = last.and_then(|at| earlier.get(at)).and_then(kept).unwrap_or_default();
    let since = earlier.iter().skip(last.map_or(0, |at| at + 1));
    for message in since.filter(|message| message.role == store::Role::User) {
        state.overhear(&::tutor::read(&message.content, problem));
    }
    if state.topic.is_none() && state.turns == 0 {
        state.topic = hall.rooms.store.conversation(&opened.owner, id).await?.topic;
    }
    Ok(state)
}
