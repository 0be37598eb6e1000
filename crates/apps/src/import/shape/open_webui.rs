//! Open WebUI's: a map of messages that name their parents, or a plain list.

use serde_json::Value;
use store::Role;

use super::super::tree::{Node, Words, grow};
use super::{
    FILES, Foreign, Object, Refused, bounded, file, flag, list, model, named, no_messages, opinion, strings,
    text, time, with_files, without_words, words,
};

pub(super) fn read(object: &Object) -> Result<Foreign, Refused> {
    let chat = object.get("chat").and_then(Value::as_object).ok_or_else(no_messages)?;
    let tags = object.get("meta").and_then(|meta| meta.get("tags")).or_else(|| chat.get("tags"));
    let mut found = Foreign {
        key: named("open-webui", text(object, "id")),
        title: Some(text(object, "title"))
            .filter(|title| !title.is_empty())
            .or_else(|| Some(text(chat, "title")))
            .map(str::to_owned),
        created_at: time(object.get("created_at")).or_else(|| time(chat.get("timestamp"))),
        updated_at: time(object.get("updated_at")),
        pinned: flag(object, "pinned"),
        archived: flag(object, "archived"),
        tags: strings(tags, store::Store::MOST_TAGS),
        ..Foreign::default()
    };
    let history = chat.get("history").and_then(Value::as_object);
    let mut nodes = Vec::new();
    let mut add = |key: String, parent: Option<String>, message: &Value| {
        let words = message.as_object().and_then(said);
        match &words {
            Some(words) => found.files += without_words(&words.attached),
            None => found.left_out += 1,
        }
        nodes.push(Node { key, parent, words });
    };
    match history.and_then(|history| history.get("messages")?.as_object()) {
        Some(messages) if !messages.is_empty() => {
            bounded(messages.len())?;
            for (key, message) in messages {
                let parent = message.get("parentId").and_then(Value::as_str).map(str::to_owned);
                add(key.clone(), parent, message);
            }
        }
        _ => {
            let list = chat.get("messages").and_then(Value::as_array).ok_or_else(no_messages)?;
            bounded(list.len())?;
            for (at, message) in list.iter().enumerate() {
                add(at.to_string(), at.checked_sub(1).map(|before| before.to_string()), message);
            }
        }
    }
    let head = history.and_then(|history| history.get("currentId")?.as_str());
    found.tree = grow(nodes, head, true);
    Ok(found)
}

fn said(message: &Object) -> Option<Words> {
    let role = match text(message, "role") {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return None,
    };
    let content = match message.get("content")? {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n\n")
        }
        _ => return None,
    };
    let attached = list(message.get("files")).take(FILES).map(brought).collect();
    let model = model(text(message, "model")).filter(|_| role == Role::Assistant);
    let said = message.get("annotation").and_then(Value::as_object).filter(|_| role == Role::Assistant);
    let opinion = said.and_then(|said| match said.get("rating")?.as_i64()? {
        1 => Some(opinion(true, text(said, "comment"), None)),
        -1 => Some(opinion(false, text(said, "comment"), None)),
        _ => None,
    });
    with_files(Words { model, opinion, ..words(role, content, time(message.get("timestamp"))) }, attached)
}

/// A file, with its words where the export holds them.
fn brought(one: &Object) -> super::Attached {
    let inner = one.get("file").and_then(Value::as_object);
    let within = |name: &str| inner.and_then(|inner| inner.get(name)?.as_object());
    let words = within("data").map_or("", |data| text(data, "content"));
    let (kind, size) = (within("meta").map_or("", |meta| text(meta, "content_type")), one.get("size"));
    let kind = if kind.is_empty() && text(one, "type") == "image" { "image/*" } else { kind };
    file(text(one, "name"), kind, size, words)
}
