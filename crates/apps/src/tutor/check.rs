//! What an answer of the tutor passes on its way out: the leak guard, and the state that is kept with it.

use ::tutor::{Hold, Leak, Move, State, Turn};
use kernel::Time;
use llm::Quote;

use crate::plan::{Check, Closing};

/// An answer on its way out.
pub(crate) struct Guarded {
    hold: Hold,
    state: State,
    made: Move,
    /// The house speaks: its words have passed the guard when they were chosen.
    house: bool,
}

impl Guarded {
    pub(crate) fn new(turn: Turn, before: &State, house: bool, now: Time) -> Guarded {
        let mut state = turn.state.clone();
        if state.solved && !before.solved {
            state.solved_at = Some(now.micros());
        }
        let made = turn.made.clone();
        Guarded { hold: turn.hold(), state, made, house }
    }
}

impl Check for Guarded {
    fn pass(&mut self, text: &str) -> String {
        if self.house { text.to_owned() } else { self.hold.pass(text) }
    }

    fn close(&mut self, _quotes: &[Quote]) -> Closing {
        let rest = if self.house { String::new() } else { self.hold.close() };
        let leak: Option<Leak> = self.hold.leak();
        if let Some(leak) = leak {
            tracing::warn!(kind = ?leak, "the model gave something away and was not listened to");
        }
        Closing { rest, details: self.state.kept(&self.made, leak), ..Closing::default() }
    }
}
