//! The shapes of exports: ChatGPT's, Claude's, Open WebUI's, LibreChat's, our own. What is recognised becomes a tree of
//! messages with its titles and times; what is of another shape is said to be. It trusts nothing that it reads: every text is
//! measured, every time is put into the past.

mod chatgpt;
mod claude;
mod flat;
mod librechat;
mod open_webui;
mod ours;
#[cfg(test)]
mod tests;

use files::name;
use guard::content::validate;
use kernel::Time;
use serde_json::{Map, Value};
use store::{FinishReason, Rating, Role};

use super::tree::{Opined, Tree, Words};
use crate::attached::{Attached, AttachedKind};
use crate::order;

/// Messages of one conversation at the most.
const MESSAGES: usize = 10_000;
/// Characters of one message.
const CHARACTERS: usize = 400_000;
/// Files of one message.
const FILES: usize = 20;
/// Characters of the files of one message, together: as many as a message may bring.
const FILE_CHARACTERS: usize = 60_000;
/// Characters of what is said about an answer.
const COMMENT: usize = 2_000;
/// The longest topic.
const TOPIC: usize = 500;

/// A conversation as it came.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    /// What it is called where it comes from; names it there.
    pub(super) key: String,
    pub(super) title: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) created_at: Option<Time>,
    pub(super) updated_at: Option<Time>,
    pub(super) pinned: bool,
    pub(super) archived: bool,
    /// The names of its folders, from the outermost.
    pub(super) folder: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) tree: Tree,
    /// It is one of ours: nothing is made up for what it lacks.
    pub(super) ours: bool,
    /// Messages of tools and systems, and what hangs on nothing.
    pub(super) left_out: usize,
    /// Files that came along and are not taken.
    pub(super) files: usize,
}

/// Why a conversation cannot be taken: a word for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl Refused {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Refused {
        Refused { code, detail: detail.into() }
    }
}

type Object = Map<String, Value>;

/// A conversation from its bytes, or why it is none with the title that it has.
pub(super) fn parse(bytes: &[u8], now: Time) -> Result<Foreign, (Option<String>, Refused)> {
    let value = flat::parse(bytes).map_err(|why| (None, why))?;
    read(&value, now).map_err(|why| {
        let title = ["title", "name"].into_iter().find_map(|name| value.get(name)?.as_str());
        (title.and_then(|title| one_line(title, 100)), why)
    })
}

/// Reads one conversation.
pub(super) fn read(value: &Value, now: Time) -> Result<Foreign, Refused> {
    let Some(object) = value.as_object() else {
        return Err(Refused::new("unknown_shape", "this is no conversation"));
    };
    let is = |name: &str, kind: fn(&Value) -> bool| object.get(name).is_some_and(kind);
    let mut found = if is("mapping", Value::is_object) {
        chatgpt::read(object)?
    } else if is("conversation", Value::is_object) {
        ours::read(object)?
    } else if is("chat", Value::is_object) {
        open_webui::read(object)?
    } else if is("chat_messages", Value::is_array) {
        claude::read(object)?
    } else if is("conversationId", Value::is_string) {
        librechat::read(object)?
    } else {
        let say = "its shape is not known here: ChatGPT, Claude, Open WebUI, LibreChat and Stoa are";
        return Err(Refused::new("unknown_shape", say));
    };
    found.left_out += found.tree.lost;
    if found.tree.messages.is_empty() && !found.ours {
        return Err(Refused::new("empty", "it holds no words of a person and no answer"));
    }
    for one in &mut found.tree.messages {
        settle(&mut one.words, now);
        let cut_off = one.words.role == Role::Assistant && one.words.finish != FinishReason::Stop;
        let silent = found.ours && cut_off && one.words.content.is_empty();
        if !silent && validate::message("content", &one.words.content, CHARACTERS).is_err() {
            let say = format!("a message in it is empty, holds NUL or more than {CHARACTERS} characters");
            return Err(Refused::new("bad_message", say));
        }
    }
    found.created_at = found.created_at.map(|at| at.min(now));
    found.updated_at = found.updated_at.map(|at| at.min(now));
    found.title = found.title.as_deref().and_then(|title| one_line(title, validate::LONGEST_TITLE));
    found.topic = found.topic.as_deref().and_then(|topic| one_line(topic, TOPIC));
    found.folder =
        std::mem::take(&mut found.folder).iter().filter_map(|name| order::folder_name(name).ok()).collect();
    found.tags = order::fine_tags(std::mem::take(&mut found.tags));
    if found.key.is_empty() {
        // What names itself by nothing is named by what it says: the same twice is the same.
        let text = value.to_string();
        found.key = crypto::token::digest(&text);
    }
    Ok(found)
}

/// Puts what came with a message into bounds.
fn settle(words: &mut Words, now: Time) {
    words.at = words.at.map(|at| at.min(now));
    if let Some(opinion) = &mut words.opinion {
        opinion.at = Some(opinion.at.or(words.at).unwrap_or(now).min(now));
    }
    let mut left = FILE_CHARACTERS;
    for file in &mut words.attached {
        if let Some((end, _)) = file.text.char_indices().nth(left) {
            file.text.truncate(end);
        }
        let read = file.text.chars().count();
        left -= read;
        // An older export of ours tells how much was read, and not what.
        file.read = if read == 0 { file.read.min(FILE_CHARACTERS as u64) } else { read as u64 };
        file.characters = file.characters.clamp(file.read, 1 << 40);
    }
}

/// A text as one line of at most so many characters.
fn one_line(text: &str, most: usize) -> Option<String> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line: String = line.trim().chars().take(most).collect();
    (!line.trim().is_empty()).then_some(line)
}

fn text<'v>(object: &'v Object, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn flag(object: &Object, name: &str) -> bool {
    object.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// The name of a conversation elsewhere.
fn named(house: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("{house} {id}") }
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

fn list(value: Option<&Value>) -> impl Iterator<Item = &Object> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// The words of a list, each short.
fn strings(value: Option<&Value>, most: usize) -> Vec<String> {
    let texts = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    texts.filter(|text| text.len() <= 400).take(most).map(str::to_owned).collect()
}

fn bounded(count: usize) -> Result<(), Refused> {
    if count <= MESSAGES {
        return Ok(());
    }
    Err(Refused::new("too_many_messages", format!("it has more than {MESSAGES} messages")))
}

fn no_messages() -> Refused {
    Refused::new("empty", "it has no messages")
}

fn words(role: Role, content: String, at: Option<Time>) -> Words {
    let (finish, model, citations) = (FinishReason::Stop, None, Value::Null);
    Words { role, content, at, finish, model, citations, attached: Vec::new(), opinion: None }
}

/// Words with what they brought. A message that is its files alone says how they are called.
fn with_files(mut words: Words, attached: Vec<Attached>) -> Option<Words> {
    if words.content.trim().is_empty() {
        words.content = attached.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
    }
    words.attached = attached;
    (!words.content.trim().is_empty()).then_some(words)
}

/// A file from elsewhere, with the words of it that came along.
fn file(called: &str, media_type: &str, size: Option<&Value>, words: &str) -> Attached {
    let image = media_type.starts_with("image/");
    Attached {
        file_id: None,
        name: name::label(called),
        media_type: media_type.chars().filter(|c| !c.is_control()).take(100).collect(),
        size: size.and_then(Value::as_u64).unwrap_or(words.len() as u64),
        kind: if image { AttachedKind::Image } else { AttachedKind::Text },
        read: 0,
        characters: words.chars().count() as u64,
        text: words.replace('\0', ""),
    }
}

/// Files of which nothing came but their names.
fn without_words(attached: &[Attached]) -> usize {
    attached.iter().filter(|file| file.text.is_empty()).count()
}

fn opinion(good: bool, comment: &str, at: Option<Time>) -> Opined {
    let comment: String = comment.chars().filter(|c| *c != '\0').take(COMMENT).collect();
    let comment = Some(comment.trim().to_owned()).filter(|text| !text.is_empty());
    Opined { rating: if good { Rating::Up } else { Rating::Down }, comment, at }
}

/// Code between fences that it does not hold itself.
fn fenced(language: &str, code: &str) -> String {
    let mut fence = "```".to_owned();
    while code.contains(&fence) {
        fence.push('`');
    }
    let plain = language.chars().all(char::is_alphanumeric);
    format!("{fence}{}\n{code}\n{fence}", if plain { language } else { "" })
}
