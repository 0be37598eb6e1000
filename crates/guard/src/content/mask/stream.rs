//! The mask for a text that comes in pieces: what is let go is the same for every way to cut the text.
//!
//! How: a decision that looked past the end of what is there could come out otherwise with more text, so the stream
//! waits at that place; every other decision is final. Most often one word waits; at most the longest credential does.

use super::scan::{Memory, Step, Wanted, step};
use super::view::{BEHIND, View};

/// Masks a text that comes in pieces.
pub struct StreamMasker {
    wanted: Wanted,
    /// What was let go last (for the look back), then what waits.
    held: String,
    /// Where the waiting part begins.
    at: usize,
}

impl StreamMasker {
    pub(super) fn new(wanted: Wanted) -> StreamMasker {
        StreamMasker { wanted, held: String::new(), at: 0 }
    }

    /// Takes the next piece and gives what is safe to let go.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        self.walk(false)
    }

    /// Gives the rest. The text is at its end.
    pub fn finish(mut self) -> String {
        self.walk(true)
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.held.len().saturating_sub(self.at)
    }

    fn walk(&mut self, last: bool) -> String {
        let mut safe = String::new();
        let view = View::new(self.held.as_bytes());
        let mut memory = Memory::default();
        let (mut at, mut copied) = (self.at, self.at);
        while at < view.len() {
            view.forget();
            let step = step(&view, at, self.wanted, &mut memory);
            if view.touched() && !last {
                break;
            }
            match step {
                Step::Pass(next) => at = next,
                Step::Mask(hit) => {
                    safe.push_str(self.held.get(copied..hit.start).unwrap_or_default());
                    safe.push_str(hit.mask());
                    at = hit.end;
                    copied = hit.end;
                }
            }
        }
        safe.push_str(self.held.get(copied..at).unwrap_or_default());
        // The look back needs no more than `BEHIND` bytes; a whole character more keeps the text well-formed.
        let mut keep = at.saturating_sub(BEHIND);
        while !self.held.is_char_boundary(keep) {
            keep -= 1;
        }
        self.held.drain(..keep);
        self.at = at - keep;
        safe
    }
}
