//! What is particular to plain chat: its instructions.

/// Given to the model when the app sets no prompt of its own. It holds nothing that may not leak.
pub(crate) const INSTRUCTIONS: &str = "You are a helpful assistant. Answer in the language of the question, \
    clearly and briefly, in Markdown. Say so when you do not know.";
