//! What stands beside the words of a message and below a conversation: who of the desk wrote it, that it quotes, where a
//! quote stands, what its reader thinks, and whether a person has been asked for. It owns shapes and the addresses of
//! places in documents; it never decides what is quoted.

use kernel::id::FileId;
use kernel::{AppId, MessageId};
use serde_json::Value;
use uuid::Uuid;

use super::frame::{grouped, initials, size};
use crate::texts::{count, say};

/// What goes with a message beyond its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// A person of the desk wrote it: what they are called; may be empty.
    pub person: Option<String>,
    /// Its words are those of the documents.
    pub quoted: bool,
    /// Sentences in it carry the sign that no document says so.
    pub unfounded: bool,
    /// Where to look instead of an answer.
    pub closest: Vec<ClosestView>,
    /// Where its reader says what they think of it; `None` where nobody is asked.
    pub opinion: Option<OpinionView>,
    /// It stands in a conversation of the reader's own, who may say it anew or have it answered anew.
    pub own: bool,
    /// Its answer can be taken up where it stopped, while it is the last one.
    pub continuable: bool,
    /// The other messages in its place; `None` where it stands alone.
    pub versions: Option<VersionsView>,
    /// The files that came with it.
    pub attached: Vec<AttachedView>,
    /// The hosts that it may link to; `None` lets its links lead anywhere.
    pub hosts: Option<apps::LinkHosts>,
    /// Its reader may call it a mistake: it was withheld, or its words help in the place of an answer.
    pub appealable: bool,
}

/// A file that came with a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachedView {
    /// The file, where it is in the file store.
    pub id: Option<FileId>,
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// It is a picture.
    pub image: bool,
    /// Of a text: how many characters the model was shown, and how many there are.
    pub read: (u64, u64),
    /// It can be opened by whoever sees the message.
    pub opens: bool,
    /// It is not kept any more.
    pub deleted: bool,
}

/// A file of a message; `own` when it is shown to its owner.
pub(crate) fn attached(file: apps::Attached, own: bool) -> AttachedView {
    AttachedView {
        id: file.file_id,
        name: file.name,
        size: file.size,
        image: file.kind == apps::AttachedKind::Image,
        read: (file.read, file.characters),
        opens: own && file.file_id.is_some(),
        deleted: false,
    }
}

impl AttachedView {
    /// Its icon.
    pub fn icon(&self) -> &'static str {
        if self.image { "image" } else { "file" }
    }

    /// Where it is opened; empty where it is not.
    pub fn href(&self) -> String {
        match self.id {
            Some(id) if self.opens && !self.deleted => format!("/api/v1/files/{id}/content"),
            _ => String::new(),
        }
    }

    /// How large it is, and what became of it, in words.
    pub fn line(&self) -> String {
        let size = size(self.size);
        match (self.deleted, self.image, self.read) {
            (true, ..) => say("{size}, deleted").with("size", size).to_string(),
            (false, true, _) => size,
            (false, false, (read, all)) if read < all => count(
                "{size}, read: {read} of {count} character|{size}, read: {read} of {count} characters",
                all,
            )
            .with("size", size)
            .with("read", grouped(read))
            .to_string(),
            (false, false, (read, _)) => {
                count("{size}, read: {count} character|{size}, read: {count} characters", read)
                    .with("size", size)
                    .to_string()
            }
        }
    }
}

/// The messages in one place, and which of them this is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionsView {
    /// Its number, counted from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// The one before it.
    pub previous: Option<MessageId>,
    /// The one after it.
    pub next: Option<MessageId>,
}

impl VersionsView {
    /// The place of a message among these; `None` when it is not among them or alone.
    pub fn of(message: MessageId, all: &[MessageId]) -> Option<VersionsView> {
        let at = all.iter().position(|one| *one == message).filter(|_| all.len() > 1)?;
        Some(VersionsView {
            number: at + 1,
            count: all.len(),
            previous: at.checked_sub(1).and_then(|before| all.get(before)).copied(),
            next: all.get(at + 1).copied(),
        })
    }
}

/// A place in a document that comes close to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosestView {
    /// The line of the answer that names it.
    pub line: String,
    /// Its address.
    pub href: String,
    /// Its page, in documents that have pages.
    pub page: Option<u32>,
}

/// What the reader of an answer thinks of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpinionView {
    /// Where the form goes.
    pub action: String,
    /// `up`, `down` or empty.
    pub rating: &'static str,
    /// Why.
    pub comment: String,
}

/// Whether a person has been asked for in a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskLine {
    /// `waiting`, `claimed`, or empty when nobody has been asked for.
    pub state: &'static str,
    /// What the person is called who has it; may be empty.
    pub by: String,
    /// Where the wish for a person goes; empty before there is a conversation.
    pub action: String,
}

impl DeskLine {
    /// The state as a sentence.
    pub fn words(&self) -> String {
        match (self.state, self.by.as_str()) {
            ("waiting", _) => say("A person has been asked.").to_string(),
            ("claimed", "") => say("A person is answering.").to_string(),
            ("claimed", name) => say("{name} is answering.").with("name", name).to_string(),
            _ => String::new(),
        }
    }
}

/// What a person of the desk is called, with the letters of the round picture.
pub fn signature(name: &str) -> (String, String) {
    if name.is_empty() {
        (say("A person").to_string(), "P".to_owned())
    } else {
        (name.to_owned(), initials(name))
    }
}

/// Where in the documents of an app something stands. `quote` is a place in the text of the document, in bytes.
pub fn place_url(app: &AppId, document: Uuid, passage: Uuid, quote: Option<(u64, u64)>) -> String {
    match quote {
        Some((start, end)) => {
            format!("/apps/{app}/documents/{document}?passage={passage}&quote={start}-{end}#quote")
        }
        None => format!("/apps/{app}/documents/{document}?passage={passage}#passage-{passage}"),
    }
}

/// The address of what a citation or a place names; empty when it names no document.
pub(super) fn href(app: Option<&AppId>, entry: &Value) -> String {
    let id = |name: &str| Uuid::parse_str(entry.get(name)?.as_str()?).ok();
    let byte = |name: &str| entry.get(name).and_then(Value::as_u64);
    match (app, id("document_id"), id("passage_id")) {
        (Some(app), Some(document), Some(passage)) => {
            place_url(app, document, passage, byte("start").zip(byte("end")))
        }
        _ => String::new(),
    }
}

/// A page of a document.
pub(super) fn page_of(entry: &Value) -> Option<u32> {
    entry.get("page").and_then(Value::as_u64).and_then(|page| page.try_into().ok())
}

impl Beside {
    /// What of it is shown to anybody.
    pub(crate) fn shown(details: &Value) -> Beside {
        let outcome = details.get("outcome").and_then(Value::as_str).unwrap_or_default();
        Beside {
            quoted: outcome == "quoted",
            unfounded: details.get("unsupported").and_then(Value::as_u64).is_some_and(|count| count > 0),
            ..Beside::default()
        }
    }

    /// Reads what is kept with a message. What is not there is not shown.
    pub fn of(app: &AppId, details: &Value) -> Beside {
        let closest = details.get("closest").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Beside {
            attached: apps::attached_to(details).into_iter().map(|file| attached(file, true)).collect(),
            closest: closest
                .iter()
                .filter_map(|entry| {
                    let line = entry.get("line")?.as_str()?.to_owned();
                    Some(ClosestView { line, href: href(Some(app), entry), page: page_of(entry) })
                })
                .filter(|place| !place.href.is_empty())
                .collect(),
            ..Beside::shown(details)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47";

    #[test]
    fn places_lead_into_documents_of_this_server_alone() {
        let app = AppId::parse("support").unwrap();
        let place = json!({"document_id": ID, "passage_id": ID, "start": 10, "end": 20});
        let url = href(Some(&app), &place);
        assert_eq!(url, format!("/apps/support/documents/{ID}?passage={ID}&quote=10-20#quote"));
        assert_eq!(href(None, &place), "");
        for bad in [
            json!({"document_id": "//evil.example", "passage_id": ID}),
            json!({"document_id": ID}),
            json!({"document_id": 7, "passage_id": ID}),
            json!(null),
        ] {
            assert_eq!(href(Some(&app), &bad), "", "{bad}");
        }
    }

    #[test]
    fn what_is_kept_is_read_whatever_it_is() {
        let app = AppId::parse("support").unwrap();
        let details = json!({"outcome": "quoted", "unsupported": 2, "closest": [
            {"line": "Returns", "document_id": ID, "passage_id": ID, "page": 3},
            {"line": "Nowhere"}, 7,
        ]});
        let beside = Beside::of(&app, &details);
        assert!(beside.quoted && beside.unfounded);
        assert_eq!((beside.closest.len(), beside.closest[0].page), (1, Some(3)));
        for nothing in [json!(null), json!([]), json!({"closest": "x", "unsupported": -1})] {
            assert_eq!(Beside::of(&app, &nothing), Beside::default());
        }
    }
}
