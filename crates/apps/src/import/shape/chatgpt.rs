//! ChatGPT's: a map of nodes that name their parents. Files stand as names beside the words of a person; of some of them words
//! stand in nodes of their own, as what was quoted from them.

use std::collections::HashMap;

use serde_json::Value;
use store::Role;

use super::super::tree::{Node, Words, grow};
use super::{
    FILES, Foreign, Object, Refused, bounded, fenced, file, flag, list, model, named, no_messages, text,
    time, with_files, without_words, words,
};

pub(super) fn read(object: &Object) -> Result<Foreign, Refused> {
    let id = ["conversation_id", "id"].map(|name| text(object, name));
    let mut found = Foreign {
        key: named("chatgpt", id.into_iter().find(|id| !id.is_empty()).unwrap_or_default()),
        title: Some(text(object, "title").to_owned()),
        created_at: time(object.get("create_time")),
        updated_at: time(object.get("update_time")),
        archived: flag(object, "is_archived"),
        pinned: flag(object, "is_starred"),
        ..Foreign::default()
    };
    let mapping = object.get("mapping").and_then(Value::as_object).ok_or_else(no_messages)?;
    bounded(mapping.len())?;
    let quoted = quoted(mapping);
    let mut nodes = Vec::with_capacity(mapping.len());
    for (key, node) in mapping {
        let message = node.get("message").and_then(Value::as_object);
        let read = message.map(|message| said(message, &quoted));
        match &read {
            Some(Some(words)) => found.files += without_words(&words.attached),
            Some(None) => found.left_out += 1,
            None => {}
        }
        let parent = node.get("parent").and_then(Value::as_str).map(str::to_owned);
        nodes.push(Node { key: key.clone(), parent, words: read.flatten() });
    }
    found.tree = grow(nodes, object.get("current_node").and_then(Value::as_str), true);
    Ok(found)
}

/// Words of a person or the answer to them; `None` for what tools, systems and the workings of the model say.
fn said(message: &Object, quoted: &HashMap<&str, String>) -> Option<Words> {
    let role = match message.get("author")?.get("role")?.as_str()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return None,
    };
    let metadata = message.get("metadata").and_then(Value::as_object);
    let hidden = metadata.is_some_and(|data| flag(data, "is_visually_hidden_from_conversation"));
    let to = message.get("recipient").and_then(Value::as_str).unwrap_or("all");
    if hidden || to != "all" {
        return None;
    }
    let attached = list(metadata.and_then(|data| data.get("attachments"))).take(FILES).map(|one| {
        let kind = ["mime_type", "mimeType"].map(|name| text(one, name)).concat();
        let words = ["id", "name"].into_iter().find_map(|name| quoted.get(text(one, name)));
        file(text(one, "name"), &kind, one.get("size"), words.map_or("", String::as_str))
    });
    let attached: Vec<_> = attached.collect();
    let content = message.get("content")?.as_object()?;
    let content = match text(content, "content_type") {
        "text" | "multimodal_text" => {
            let parts = content.get("parts")?.as_array()?;
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str()))
                .filter(|part| !part.trim().is_empty())
                .collect();
            texts.join("\n\n")
        }
        "code" => fenced(text(content, "language"), text(content, "text")),
        _ => return None,
    };
    let slug = metadata.map_or("", |data| text(data, "model_slug"));
    let model = model(slug).filter(|_| role == Role::Assistant);
    with_files(Words { model, ..words(role, content, time(message.get("create_time"))) }, attached)
}

/// What nodes quote of files, by the names and by the ids of those.
fn quoted(mapping: &Object) -> HashMap<&str, String> {
    let mut found: HashMap<&str, String> = HashMap::new();
    for content in mapping.values().filter_map(|node| node.get("message")?.get("content")?.as_object()) {
        let words = text(content, "text");
        if text(content, "content_type") != "tether_quote" || words.is_empty() {
            continue;
        }
        let mut names: Vec<&str> = ["url", "domain", "title"].map(|name| text(content, name)).to_vec();
        names.sort_unstable();
        names.dedup();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            let known = found.entry(name).or_default();
            if !known.contains(words) && known.len() + words.len() < super::FILE_CHARACTERS {
                known.push_str(if known.is_empty() { "" } else { "\n\n" });
                known.push_str(words);
            }
        }
    }
    found
}
