//! Our own: every message with its parent, what its files said, what was thought of it, and the ids of those that are said.
//! What it says comes back as it was.

use kernel::id::FileId;
use serde_json::Value;
use store::{FinishReason, Rating, Role, Store};

use super::super::tree::{Node, Words, grow};
use super::{
    FILES, Foreign, Object, Refused, bounded, file, flag, list, model, no_messages, opinion, strings, text,
    time, words,
};
use crate::attached::{Attached, AttachedKind};

/// Citations of one message.
const CITATIONS: usize = 50;

pub(super) fn read(object: &Object) -> Result<Foreign, Refused> {
    let head = object.get("conversation").and_then(Value::as_object).ok_or_else(no_messages)?;
    let messages = object.get("messages").and_then(Value::as_array).ok_or_else(no_messages)?;
    bounded(messages.len())?;
    let mut found = Foreign {
        key: text(head, "id").to_owned(),
        title: Some(text(head, "title").to_owned()),
        topic: Some(text(head, "topic").to_owned()),
        created_at: time(head.get("created_at")),
        updated_at: time(head.get("updated_at")),
        pinned: flag(head, "pinned"),
        archived: flag(head, "archived"),
        folder: strings(object.get("folder"), Store::DEEPEST_FOLDER),
        tags: strings(head.get("tags"), Store::MOST_TAGS),
        ours: true,
        ..Foreign::default()
    };
    let mut nodes = Vec::with_capacity(messages.len());
    for message in messages.iter().filter_map(Value::as_object) {
        let words = said(message);
        found.left_out += usize::from(words.is_none());
        let parent = message.get("parent_id").and_then(Value::as_str).map(str::to_owned);
        nodes.push(Node { key: text(message, "id").to_owned(), parent, words });
    }
    let said = object.get("said").and_then(Value::as_array).and_then(|said| said.last()?.as_str());
    found.tree = grow(nodes, said, false);
    Ok(found)
}

fn said(message: &Object) -> Option<Words> {
    let role = Role::parse(text(message, "role")).filter(|role| *role != Role::System)?;
    // One that was being written is not written any more.
    let unfinished = if role == Role::Assistant { FinishReason::Interrupted } else { FinishReason::Stop };
    let finish = FinishReason::parse(text(message, "finish_reason")).unwrap_or(unfinished);
    let content = text(message, "content");
    if content.trim().is_empty() && (role == Role::User || finish == FinishReason::Stop) {
        return None;
    }
    let thought = message.get("feedback").and_then(Value::as_object).filter(|_| role == Role::Assistant);
    let opinion = thought.and_then(|one| {
        let good = Rating::parse(text(one, "rating"))? == Rating::Up;
        Some(opinion(good, text(one, "comment"), time(one.get("updated_at"))))
    });
    Some(Words {
        finish,
        citations: citations(message.get("citations")),
        attached: list(message.get("attachments")).take(FILES).map(brought).collect(),
        model: model(text(message, "model")),
        opinion,
        ..words(role, content.to_owned(), time(message.get("created_at")))
    })
}

/// A file of a message. Where it lies is told by its id, which means something to its owner alone.
fn brought(one: &Object) -> Attached {
    let id = FileId::parse(text(one, "file_id")).ok().filter(|_| !flag(one, "deleted"));
    Attached {
        file_id: id,
        kind: if text(one, "kind") == "image" { AttachedKind::Image } else { AttachedKind::Text },
        read: one.get("characters_read").and_then(Value::as_u64).unwrap_or(0),
        characters: one.get("characters").and_then(Value::as_u64).unwrap_or(0),
        ..file(text(one, "name"), text(one, "media_type"), one.get("size"), text(one, "text"))
    }
}

/// What a message cites, as far as it has the shape of a citation.
fn citations(value: Option<&Value>) -> Value {
    const TEXTS: [&str; 5] = ["title", "source", "quote", "document_id", "passage_id"];
    const NUMBERS: [&str; 4] = ["number", "page", "start", "end"];
    let read = list(value).take(CITATIONS).map(|one| {
        let fine = one.iter().filter(|(name, value)| match value {
            Value::String(text) => TEXTS.contains(&name.as_str()) && text.len() < 20_000,
            Value::Null => TEXTS.contains(&name.as_str()) || NUMBERS.contains(&name.as_str()),
            Value::Number(_) => NUMBERS.contains(&name.as_str()),
            Value::Array(parts) => {
                name.as_str() == "heading_path" && parts.len() < 20 && parts.iter().all(Value::is_string)
            }
            Value::Bool(_) | Value::Object(_) => false,
        });
        Value::Object(fine.map(|(name, value)| (name.clone(), value.clone())).collect())
    });
    Value::Array(read.collect())
}
