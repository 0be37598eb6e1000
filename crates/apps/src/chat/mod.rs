//! What is particular to plain chat: its instructions, and that everything the model says goes out as it is.

use crate::plan::{Open, Plan, Voice};
use crate::turn::Opened;
use crate::{Ask, Hall, further, prompt};

/// Given to the model when the app sets no prompt of its own. It holds nothing that may not leak.
pub(crate) const INSTRUCTIONS: &str = "You are a helpful assistant. Answer in the language of the question, \
    clearly and briefly, in Markdown. Say so when you do not know.";

/// The model answers from the talk so far; the built-in answerer from the manual.
pub(crate) fn plan(hall: &Hall, opened: &Opened, ask: &Ask) -> Plan {
    let mut request = prompt::build(&opened.app, &opened.earlier, &ask.content, &ask.options);
    if !hall.rooms.models.configured() {
        request.passages = prompt::passages(&hall.rooms.manual, &ask.content);
    } else if let Some(answer) = &opened.taken_up {
        further::remind(&mut request, &answer.content);
    }
    let check = Open::new(request.passages.clone());
    Plan { voice: Voice::Model(request), check: Box::new(check) }
}
