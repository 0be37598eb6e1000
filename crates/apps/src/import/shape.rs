//! The shapes of exports: ChatGPT's, Open WebUI's, our own. What is recognised becomes a tree of messages with its titles and
//! times; what is of another shape is said to be. It trusts nothing that it reads: every text is measured, every time is
//! put into the past.

use guard::content::validate;
use kernel::{MessageId, Time};
use serde_json::{Map, Value};
use store::{FinishReason, Role};

use super::tree::{Node, Tree, Words, grow};
use crate::attached::{self, Attached, AttachedKind};

/// Messages of one conversation at the most.
const MESSAGES: usize = 10_000;
/// Characters of one message.
const CHARACTERS: usize = 400_000;
/// Citations of one message.
const CITATIONS: usize = 50;

/// A conversation as it came.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    /// What it is called where it comes from; names it there.
    pub(super) key: String,
    pub(super) title: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) created_at: Option<Time>,
    pub(super) updated_at: Option<Time>,
    pub(super) tree: Tree,
    /// Messages of tools and systems, and what hangs on nothing.
    pub(super) left_out: usize,
    /// Files that came along and are not taken.
    pub(super) files: usize,
}

/// Why a conversation cannot be taken.
pub(super) type Refused = String;

/// Reads one conversation.
pub(super) fn read(value: &Value, now: Time) -> Result<Foreign, Refused> {
    let Some(object) = value.as_object() else { return Err("this is no conversation".to_owned()) };
    let mut found = if object.get("mapping").is_some_and(Value::is_object) {
        chatgpt(object)?
    } else if object.get("conversation").is_some_and(Value::is_object) {
        ours(object)?
    } else if object.get("chat").is_some_and(Value::is_object) {
        open_webui(object)?
    } else {
        return Err("its shape is not known here: ChatGPT, Open WebUI and Stoa are".to_owned());
    };
    found.left_out += found.tree.lost;
    if found.tree.messages.is_empty() {
        return Err("it holds no words of a person and no answer".to_owned());
    }
    for one in &mut found.tree.messages {
        one.words.at = one.words.at.map(|at| at.min(now));
        if validate::message("content", &one.words.content, CHARACTERS).is_err() {
            return Err(format!("a message in it is empty, holds NUL or more than {CHARACTERS} characters"));
        }
    }
    found.created_at = found.created_at.map(|at| at.min(now));
    found.updated_at = found.updated_at.map(|at| at.min(now));
    found.title = found.title.as_deref().and_then(one_line);
    found.topic = found.topic.as_deref().and_then(one_line);
    if found.key.is_empty() {
        // What names itself by nothing is named by what it says: the same twice is the same.
        let text = value.to_string();
        found.key = crypto::token::digest(&text);
    }
    Ok(found)
}

/// A title as one line of the length that titles may have.
fn one_line(text: &str) -> Option<String> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line: String = line.trim().chars().take(validate::LONGEST_TITLE).collect();
    (!line.trim().is_empty()).then_some(line)
}

fn text<'v>(object: &'v Map<String, Value>, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A time as exports write it: seconds, milliseconds or microseconds since 1970, or RFC 3339.
fn time(value: Option<&Value>) -> Option<Time> {
    match value? {
        Value::String(text) => Time::parse_rfc3339(text),
        number => {
            let number = number.as_f64().filter(|number| *number > 0.0 && *number < 1e17)?;
            let seconds = match number {
                n if n > 1e14 => n / 1e6,
                n if n > 1e11 => n / 1e3,
                n => n,
            };
            Some(Time::from_micros((seconds * 1e6) as i64))
        }
    }
}

fn model(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    (!name.is_empty()).then_some(name)
}

fn bounded(count: usize) -> Result<(), Refused> {
    if count > MESSAGES { Err(format!("it has more than {MESSAGES} messages")) } else { Ok(()) }
}

fn words(role: Role, content: String, at: Option<Time>) -> Words {
    let (citations, details) = (Value::Null, Value::Null);
    Words { role, content, at, finish: FinishReason::Stop, model: None, citations, details }
}

/// ChatGPT's: a map of nodes that name their parents.
fn chatgpt(object: &Map<String, Value>) -> Result<Foreign, Refused> {
    let mut found = Foreign {
        key: ["conversation_id", "id"]
            .map(|name| text(object, name))
            .into_iter()
            .find(|id| !id.is_empty())
            .map_or_else(String::new, |id| format!("chatgpt {id}")),
        title: Some(text(object, "title").to_owned()),
        created_at: time(object.get("create_time")),
        updated_at: time(object.get("update_time")),
        ..Foreign::default()
    };
    let mapping = object.get("mapping").and_then(Value::as_object).ok_or("it has no messages")?;
    bounded(mapping.len())?;
    let mut nodes = Vec::with_capacity(mapping.len());
    for (key, node) in mapping {
        let message = node.get("message").and_then(Value::as_object);
        let read = message.map(|message| said_to_chatgpt(message, &mut found.files));
        if matches!(read, Some(None)) {
            found.left_out += 1;
        }
        let parent = node.get("parent").and_then(Value::as_str).map(str::to_owned);
        nodes.push(Node { key: key.clone(), parent, words: read.flatten() });
    }
    found.tree = grow(nodes, object.get("current_node").and_then(Value::as_str), true);
    Ok(found)
}

/// Words of a person or the answer to them; `None` for what tools, systems and the workings of the model say.
fn said_to_chatgpt(message: &Map<String, Value>, files: &mut usize) -> Option<Words> {
    let role = match message.get("author")?.get("role")?.as_str()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return None,
    };
    let metadata = message.get("metadata").and_then(Value::as_object);
    let hidden = metadata.and_then(|data| data.get("is_visually_hidden_from_conversation")?.as_bool());
    let to = message.get("recipient").and_then(Value::as_str).unwrap_or("all");
    if hidden == Some(true) || to != "all" {
        return None;
    }
    if let Some(list) = metadata.and_then(|data| data.get("attachments")?.as_array()) {
        *files += list.len();
    }
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
        "code" => {
            let language =
                Some(text(content, "language")).filter(|name| name.chars().all(char::is_alphanumeric));
            format!("```{}\n{}\n```", language.unwrap_or_default(), text(content, "text"))
        }
        _ => return None,
    };
    if content.trim().is_empty() {
        return None;
    }
    let slug = metadata.map_or("", |data| text(data, "model_slug"));
    let model = model(slug).filter(|_| role == Role::Assistant);
    Some(Words { model, ..words(role, content, time(message.get("create_time"))) })
}

/// Open WebUI's: a map of messages that name their parents, or a plain list.
fn open_webui(object: &Map<String, Value>) -> Result<Foreign, Refused> {
    let chat = object.get("chat").and_then(Value::as_object).ok_or("it has no chat")?;
    let id = text(object, "id");
    let mut found = Foreign {
        key: if id.is_empty() { String::new() } else { format!("open-webui {id}") },
        title: Some(["title"].map(|name| text(object, name)).concat())
            .filter(|title| !title.is_empty())
            .or_else(|| Some(text(chat, "title").to_owned())),
        created_at: time(object.get("created_at")).or_else(|| time(chat.get("timestamp"))),
        updated_at: time(object.get("updated_at")),
        ..Foreign::default()
    };
    let history = chat.get("history").and_then(Value::as_object);
    let mut nodes = Vec::new();
    match history.and_then(|history| history.get("messages")?.as_object()) {
        Some(messages) if !messages.is_empty() => {
            bounded(messages.len())?;
            for (key, message) in messages {
                let parent = message.get("parentId").and_then(Value::as_str).map(str::to_owned);
                nodes.push(Node { key: key.clone(), parent, words: said_to_webui(message, &mut found) });
            }
        }
        _ => {
            let list = chat.get("messages").and_then(Value::as_array).ok_or("it has no messages")?;
            bounded(list.len())?;
            for (at, message) in list.iter().enumerate() {
                let parent = at.checked_sub(1).map(|before| before.to_string());
                nodes.push(Node { key: at.to_string(), parent, words: said_to_webui(message, &mut found) });
            }
        }
    }
    let head = history.and_then(|history| history.get("currentId")?.as_str());
    found.tree = grow(nodes, head, true);
    Ok(found)
}

fn said_to_webui(message: &Value, found: &mut Foreign) -> Option<Words> {
    let read = || {
        let message = message.as_object()?;
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
        let model = model(text(message, "model")).filter(|_| role == Role::Assistant);
        (!content.trim().is_empty())
            .then(|| Words { model, ..words(role, content, time(message.get("timestamp"))) })
    };
    found.files += message.get("files").and_then(Value::as_array).map_or(0, Vec::len);
    let read = read();
    found.left_out += usize::from(read.is_none());
    read
}

/// Our own: every message with its parent, and the ids of those that are said.
fn ours(object: &Map<String, Value>) -> Result<Foreign, Refused> {
    let head = object.get("conversation").and_then(Value::as_object).ok_or("it has no conversation")?;
    let list = object.get("messages").and_then(Value::as_array).ok_or("it has no messages")?;
    bounded(list.len())?;
    let mut found = Foreign {
        key: text(head, "id").to_owned(),
        title: Some(text(head, "title").to_owned()),
        topic: Some(text(head, "topic").to_owned()),
        created_at: time(head.get("created_at")),
        updated_at: time(head.get("updated_at")),
        ..Foreign::default()
    };
    let mut nodes = Vec::with_capacity(list.len());
    for message in list.iter().filter_map(Value::as_object) {
        let role = Role::parse(text(message, "role")).filter(|role| *role != Role::System);
        let content = text(message, "content");
        let empty = content.trim().is_empty();
        found.left_out += usize::from(role.is_none() || empty);
        let attached = files(message.get("attachments"));
        found.files += attached.len();
        let words = role.filter(|_| !empty).map(|role| Words {
            finish: FinishReason::parse(text(message, "finish_reason")).unwrap_or(FinishReason::Stop),
            citations: citations(message.get("citations")),
            details: attached::details(&attached),
            model: model(text(message, "model")),
            ..words(role, content.to_owned(), time(message.get("created_at")))
        });
        let parent = message.get("parent_id").and_then(Value::as_str).map(str::to_owned);
        nodes.push(Node { key: text(message, "id").to_owned(), parent, words });
    }
    let said = object.get("said").and_then(Value::as_array).and_then(|said| said.last()?.as_str());
    found.tree = grow(nodes, said, false);
    Ok(found)
}

/// What a message cites, as far as it has the shape of a citation.
fn citations(value: Option<&Value>) -> Value {
    const TEXTS: [&str; 5] = ["title", "source", "quote", "document_id", "passage_id"];
    const NUMBERS: [&str; 4] = ["number", "page", "start", "end"];
    let list = value.and_then(Value::as_array).into_iter().flatten().take(CITATIONS);
    let read = list.filter_map(Value::as_object).map(|one| {
        let fine = one.iter().filter(|(name, value)| match value {
            Value::String(text) => TEXTS.contains(&name.as_str()) && text.len() < 20_000,
            Value::Number(_) | Value::Null => NUMBERS.contains(&name.as_str()),
            Value::Array(parts) => {
                name.as_str() == "heading_path" && parts.len() < 20 && parts.iter().all(Value::is_string)
            }
            Value::Bool(_) | Value::Object(_) => false,
        });
        Value::Object(fine.map(|(name, value)| (name.clone(), value.clone())).collect())
    });
    Value::Array(read.collect())
}

/// Files by their names: what was in them is not in the export of a conversation.
fn files(value: Option<&Value>) -> Vec<Attached> {
    let list = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    list.take(20)
        .map(|one| Attached {
            file_id: None,
            name: text(one, "name").chars().filter(|c| !c.is_control()).take(200).collect(),
            media_type: text(one, "media_type").chars().filter(|c| !c.is_control()).take(100).collect(),
            size: one.get("size").and_then(Value::as_u64).unwrap_or(0),
            kind: if text(one, "kind") == "image" { AttachedKind::Image } else { AttachedKind::Text },
            read: one.get("characters_read").and_then(Value::as_u64).unwrap_or(0),
            characters: one.get("characters").and_then(Value::as_u64).unwrap_or(0),
            text: String::new(),
        })
        .collect()
}

/// The id of the conversation itself, where it is one of ours.
pub(super) fn own_id(foreign: &Foreign) -> Option<kernel::ConversationId> {
    kernel::ConversationId::parse(&foreign.key).ok()
}

/// Ids for so many messages.
pub(super) fn ids(count: usize, ambient: &kernel::Ambient) -> Vec<MessageId> {
    (0..count).map(|_| MessageId::new(ambient)).collect()
}
