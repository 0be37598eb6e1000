//! What is particular to a kind of app, behind one face. Each kind keeps its own in its folder; `turn.rs` asks
//! here and stays the same for all.

use identity::{Converse, May};
use kernel::{AppKind, Code, Fault, Result};
use store::Message;

use crate::plan::Plan;
use crate::turn::Opened;
use crate::{App, Ask, Hall, chat, support, tutor};

/// How this kind of app answers the turn.
pub(crate) async fn plan(hall: &Hall, may: &May<Converse>, opened: &Opened, ask: &Ask) -> Result<Plan> {
    match opened.app.kind {
        // In boxes: every turn holds room for the largest of these, and most are of the last kind.
        AppKind::Tutor => Box::pin(tutor::plan(hall, may, opened, ask)).await,
        AppKind::Support => Box::pin(support::plan(hall, may, opened, ask)).await,
        AppKind::Chat => chat::plan(hall, may, opened, ask).await,
        // `converses` has refused it before.
        AppKind::Files => Err(Fault::new(Code::NotFound)),
    }
}

/// What the kind of an app does when a turn with its answer is stored: before the answer is given out as finished.
pub(crate) async fn settled(hall: &Hall, opened: &Opened, message: &Message) -> Result<()> {
    match opened.app.kind {
        AppKind::Support => Box::pin(support::settled(hall, opened, message)).await,
        AppKind::Chat | AppKind::Tutor | AppKind::Files => Ok(()),
    }
}

/// The instructions that the model of this app gets.
pub(crate) fn instructions(app: &App) -> &str {
    match (&app.prompt, app.kind) {
        (Some(prompt), _) => prompt,
        (None, AppKind::Chat) => chat::INSTRUCTIONS,
        (None, AppKind::Support) => support::INSTRUCTIONS,
        (None, AppKind::Tutor) => tutor::INSTRUCTIONS,
        // No conversation opens in a file store: the catalogue lists none and `turn` refuses it.
        (None, AppKind::Files) => "",
    }
}

/// Whether people talk in apps of this kind.
pub(crate) const fn converses(kind: AppKind) -> bool {
    match kind {
        AppKind::Chat | AppKind::Support | AppKind::Tutor => true,
        AppKind::Files => false,
    }
}
