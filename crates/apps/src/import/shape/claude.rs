//! Claude's: a list of messages, which name their parents in newer exports; beside the words of a person the files, with the
//! words that were taken out of them. Drafts that the model wrote beside the talk ("artifacts") become code in it.

use serde_json::Value;
use store::Role;

use super::super::tree::{Node, Words, grow};
use super::{
    FILES, Foreign, Object, Refused, bounded, fenced, file, flag, list, model, named, no_messages, text,
    time, with_files, without_words, words,
};

/// The parent of messages that have none.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

pub(super) fn read(object: &Object) -> Result<Foreign, Refused> {
    let mut found = Foreign {
        key: named("claude", text(object, "uuid")),
        title: Some(text(object, "name").to_owned()),
        created_at: time(object.get("created_at")),
        updated_at: time(object.get("updated_at")),
        pinned: flag(object, "is_starred"),
        ..Foreign::default()
    };
    let messages = object.get("chat_messages").and_then(Value::as_array).ok_or_else(no_messages)?;
    bounded(messages.len())?;
    let parent = |message: &Value| message.get("parent_message_uuid")?.as_str().map(str::to_owned);
    let tree = messages.iter().any(|message| parent(message).is_some());
    let slug = text(object, "model");
    let mut nodes = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        let read = message.as_object().and_then(|message| said(message, slug));
        match &read {
            Some(words) => found.files += without_words(&words.attached),
            None => found.left_out += 1,
        }
        let (key, parent) = if tree {
            (message.get("uuid").and_then(Value::as_str), parent(message).filter(|id| id != NOTHING))
        } else {
            (None, at.checked_sub(1).map(|before| before.to_string()))
        };
        nodes.push(Node { key: key.map_or_else(|| at.to_string(), str::to_owned), parent, words: read });
    }
    let head = object.get("current_leaf_message_uuid").and_then(Value::as_str);
    found.tree = grow(nodes, head.filter(|_| tree), true);
    Ok(found)
}

fn said(message: &Object, slug: &str) -> Option<Words> {
    let role = match text(message, "sender") {
        "human" => Role::User,
        "assistant" => Role::Assistant,
        _ => return None,
    };
    let blocks: Vec<String> = list(message.get("content")).filter_map(block).collect();
    let content = if blocks.is_empty() { text(message, "text").to_owned() } else { blocks.join("\n\n") };
    let brought = list(message.get("attachments")).map(|one| {
        file(
            text(one, "file_name"),
            text(one, "file_type"),
            one.get("file_size"),
            text(one, "extracted_content"),
        )
    });
    // Of these the names alone are in the export.
    let named = list(message.get("files")).map(|one| file(text(one, "file_name"), "", None, ""));
    let attached = brought.chain(named).take(FILES).collect();
    let model = model(slug).filter(|_| role == Role::Assistant);
    with_files(Words { model, ..words(role, content, time(message.get("created_at"))) }, attached)
}

/// What a person would read of a block.
fn block(block: &Object) -> Option<String> {
    let words = match text(block, "type") {
        "text" => text(block, "text").to_owned(),
        "tool_use" if text(block, "name") == "artifacts" => {
            let input = block.get("input")?.as_object()?;
            let code = text(input, "content");
            (!code.is_empty()).then(|| fenced(text(input, "language"), code))?
        }
        _ => return None,
    };
    (!words.trim().is_empty()).then_some(words)
}
