//! LibreChat's: one conversation with its messages, as a list or nested in each other. Either way they name their parents.

use serde_json::Value;
use store::Role;

use super::super::tree::{Node, Words, grow};
use super::{
    FILES, Foreign, Object, Refused, bounded, file, flag, list, model, named, no_messages, opinion, strings,
    text, time, with_files, without_words, words,
};

/// The parent of messages that have none.
const NOTHING: &str = "00000000-0000-0000-0000-000000000000";

pub(super) fn read(object: &Object) -> Result<Foreign, Refused> {
    let mut found = Foreign {
        key: named("librechat", text(object, "conversationId")),
        title: Some(text(object, "title").to_owned()),
        created_at: time(object.get("createdAt")),
        updated_at: time(object.get("updatedAt")),
        archived: flag(object, "isArchived"),
        tags: strings(object.get("tags"), store::Store::MOST_TAGS),
        ..Foreign::default()
    };
    let top = ["messages", "messagesTree"].into_iter().find_map(|name| object.get(name)?.as_array());
    let mut wanted: Vec<&Object> =
        top.ok_or_else(no_messages)?.iter().rev().filter_map(Value::as_object).collect();
    let mut nodes = Vec::new();
    while let Some(message) = wanted.pop() {
        bounded(nodes.len() + wanted.len() + 1)?;
        wanted.extend(list(message.get("children")).collect::<Vec<_>>().into_iter().rev());
        let read = said(message);
        match &read {
            Some(words) => found.files += without_words(&words.attached),
            None => found.left_out += 1,
        }
        let parent = Some(text(message, "parentMessageId")).filter(|id| !id.is_empty() && *id != NOTHING);
        nodes.push(Node {
            key: text(message, "messageId").to_owned(),
            parent: parent.map(str::to_owned),
            words: read,
        });
    }
    found.tree = grow(nodes, None, true);
    Ok(found)
}

fn said(message: &Object) -> Option<Words> {
    let role = match message.get("isCreatedByUser").and_then(Value::as_bool) {
        Some(true) => Role::User,
        Some(false) => Role::Assistant,
        None if text(message, "sender").eq_ignore_ascii_case("user") => Role::User,
        None => Role::Assistant,
    };
    // What went wrong is no answer.
    if flag(message, "error") {
        return None;
    }
    let parts = list(message.get("content")).filter(|part| text(part, "type") == "text");
    let parts: Vec<&str> = parts
        .filter_map(|part| {
            let words = part.get("text")?;
            words.as_str().or_else(|| words.get("value")?.as_str())
        })
        .filter(|words| !words.trim().is_empty())
        .collect();
    let content = if parts.is_empty() { text(message, "text").to_owned() } else { parts.join("\n\n") };
    let attached = list(message.get("files"))
        .take(FILES)
        .map(|one| file(text(one, "filename"), text(one, "type"), one.get("bytes"), text(one, "text")))
        .collect();
    let model = model(text(message, "model")).filter(|_| role == Role::Assistant);
    let said = message.get("feedback").and_then(Value::as_object).filter(|_| role == Role::Assistant);
    let opinion = said.and_then(|said| match text(said, "rating") {
        "thumbsUp" => Some(opinion(true, text(said, "text"), None)),
        "thumbsDown" => Some(opinion(false, text(said, "text"), None)),
        _ => None,
    });
    let at = time(message.get("createdAt"));
    with_files(Words { model, opinion, ..words(role, content, at) }, attached)
}
