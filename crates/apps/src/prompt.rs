//! What the model is shown: instructions, earlier messages, passages, the question.

use knowledge::Manual;
use llm::{ChatMessage, ChatRequest, Passage, Role};
use store::Message;

use crate::{App, Options, kind};

/// Passages that the built-in answerer gets at the most.
const PASSAGES: usize = 4;

/// The request to the model: earlier messages (the caller's own list where it sent one), then the question.
pub(crate) fn build(app: &App, earlier: &[Message], question: &str, options: &Options) -> ChatRequest {
    let mut messages: Vec<ChatMessage> = match &options.history {
        Some(history) => history.clone(),
        None => earlier.iter().filter(|message| said(message)).map(shown).collect(),
    };
    messages.push(ChatMessage::new(Role::User, question));
    ChatRequest {
        system: Some(kind::instructions(app).to_owned()).filter(|text| !text.is_empty()),
        messages,
        passages: Vec::new(),
        from_files: false,
        model: app.model.clone(),
        max_tokens: least(options.max_tokens, app.max_tokens),
        temperature: options.temperature.or(app.temperature),
        limit: None,
    }
}

/// The passages of the manual that bear on the question; the built-in answerer quotes them.
pub(crate) fn passages(manual: &Manual, question: &str) -> Vec<Passage> {
    manual.search(question, PASSAGES).into_iter().map(Passage::from).collect()
}

/// Whether there is something to show of it.
pub(crate) fn said(message: &Message) -> bool {
    !message.content.is_empty()
}

/// What of a stored message a model is shown: its words.
pub(crate) fn shown(message: &Message) -> ChatMessage {
    let role = match message.role {
        store::Role::User => Role::User,
        store::Role::Assistant => Role::Assistant,
        store::Role::System => Role::System,
    };
    ChatMessage::new(role, message.content.as_str())
}

/// The caller may ask for less than the app allows, never for more.
fn least(asked: Option<u32>, allowed: Option<u32>) -> Option<u32> {
    match (asked, allowed) {
        (Some(asked), Some(allowed)) => Some(asked.min(allowed)),
        (one, other) => one.or(other),
    }
}
