//! Files that a message brings: what was read of them stays with the message, sealed like its words; the file itself stays
//! in the file store, where its owner may delete it. Of texts the words are kept, of images where they lie.
//! It never takes a file of somebody else, and what it read is material for the model, never an order.

mod prompt;
mod reading;

use std::collections::HashSet;

use identity::{ConversationRead, Converse, FilesRead, May};
use kernel::id::FileId;
use kernel::{Code, Fault, Result};
use llm::{ChatMessage, Image, ImageKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Message;

use crate::{App, Ask, Hall};

pub(crate) use prompt::passages;

/// Files of one message at the most.
pub(crate) const MOST: usize = 6;
/// Characters that are read of all files of a message together.
const CHARACTERS: usize = 60_000;
/// Bytes of an image at the most: Bedrock takes 3.75 MB.
const IMAGE: u64 = 3_750_000;
/// Images that a model is shown of a talk at the most, the newest first.
const IMAGES: usize = 8;
/// Under this name the files stand in the details of a message.
const FIELD: &str = "attachments";

/// What a file is to a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachedKind {
    /// Words.
    Text,
    /// A picture.
    Image,
}

/// A file that came with a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attached {
    /// The file; absent where only the model was shown it and nothing was kept.
    pub file_id: Option<FileId>,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
    /// What it is to a model.
    pub kind: AttachedKind,
    /// Characters that were read.
    #[serde(default)]
    pub read: u64,
    /// Characters that there are.
    #[serde(default)]
    pub characters: u64,
    /// What was read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// What a message brings beside its words.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    /// Files of the file store; `None` leaves what the message before had.
    pub files: Option<Vec<FileId>>,
    /// Images that are in no file store: the model is shown them, and they are not kept.
    pub images: Vec<Image>,
}

/// The files of a message, from its details. What is no list of files is none.
pub fn of(details: &Value) -> Vec<Attached> {
    let list = details.get(FIELD).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|file| serde_json::from_value(file.clone()).ok()).collect()
}

/// The details of a message with these files.
pub(crate) fn details(attached: &[Attached]) -> Value {
    if attached.is_empty() { Value::Null } else { json!({ FIELD: attached }) }
}

impl Hall {
    /// Which of the files that these messages name are still kept: not deleted, and not in the trash.
    pub async fn kept_files<'m>(
        &self,
        may: &May<ConversationRead>,
        messages: impl Iterator<Item = &'m Message>,
    ) -> Result<HashSet<FileId>> {
        let named: HashSet<FileId> =
            messages.flat_map(|message| of(&message.details)).filter_map(|one| one.file_id).collect();
        if named.is_empty() {
            return Ok(named);
        }
        self.rooms.store.kept_files(&may.who().keeper(), named.into_iter().collect()).await
    }

    /// What the caller tells of earlier messages with images: they reach the model too.
    fn admit_told(app: &App, told: &[ChatMessage]) -> Result<()> {
        let mut images = told.iter().flat_map(|message| &message.images);
        if !app.attachments && images.clone().next().is_some() {
            return Err(Fault::invalid("messages", "unsupported", "this app takes no images"));
        }
        if images.clone().count() > IMAGES {
            return Err(Fault::invalid("messages", "too_many", format!("at most {IMAGES} images")));
        }
        if images.any(|image| bytes_of(image) > IMAGE) { Err(reading::large_image()) } else { Ok(()) }
    }

    /// Reads what a message brings. `not_found` for a file that is not the caller's, or is in the trash.
    pub(crate) async fn attach(&self, may: &May<Converse>, app: &App, ask: &Ask) -> Result<Vec<Attached>> {
        let brought = &ask.brought;
        Self::admit_told(app, ask.options.history.as_deref().unwrap_or_default())?;
        let files = brought.files.as_deref().unwrap_or_default();
        if files.is_empty() && brought.images.is_empty() {
            return Ok(Vec::new());
        }
        if !app.attachments {
            return Err(Fault::invalid("file_ids", "unsupported", "this app takes no files"));
        }
        if files.len() + brought.images.len() > MOST {
            let say = format!("a message brings at most {MOST} files");
            return Err(Fault::invalid("file_ids", "too_many", say));
        }
        let mut attached = Vec::with_capacity(files.len());
        let mut left = CHARACTERS;
        if !files.is_empty() {
            let may = self.rooms.identity.may(may.who(), FilesRead(self.file_app(may.who(), None)?))?;
            for id in files {
                if attached.iter().any(|one: &Attached| one.file_id == Some(*id)) {
                    return Err(Fault::invalid("file_ids", "repeated", "a file is named twice"));
                }
                let file = self.file(&may, *id).await?;
                if file.trashed_at.is_some() {
                    return Err(Fault::new(Code::NotFound).say("the file is in the trash; restore it first"));
                }
                let one = self.read_attached(&may, file, left).await?;
                left = left.saturating_sub(usize::try_from(one.read).unwrap_or(usize::MAX));
                attached.push(one);
            }
        }
        for (number, image) in (1..).zip(&brought.images) {
            let size = bytes_of(image);
            if size > IMAGE {
                return Err(reading::large_image());
            }
            attached.push(Attached {
                file_id: None,
                name: format!("image {number}"),
                media_type: format!("image/{}", image.kind.as_str()),
                size,
                kind: AttachedKind::Image,
                read: 0,
                characters: 0,
                text: String::new(),
            });
        }
        if attached.iter().any(|one| one.kind == AttachedKind::Image) && !self.rooms.models.configured() {
            return Err(Fault::invalid(
                "file_ids",
                "images_unsupported",
                "No model is connected, and the built-in answerer reads no images. Send the message without them, or \
                 ask whoever runs this server to connect a model that takes images.",
            ));
        }
        Ok(attached)
    }
}

/// The bytes of an image.
fn bytes_of(image: &Image) -> u64 {
    image.base64.len() as u64 / 4 * 3
}

/// The kind of an image that models take.
fn image_kind(media_type: &str) -> Option<ImageKind> {
    ImageKind::parse(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_from_whatever_is_kept() {
        let one = Attached {
            file_id: None,
            name: "a.txt".into(),
            media_type: "text/plain".into(),
            size: 3,
            kind: AttachedKind::Text,
            read: 3,
            characters: 3,
            text: "abc".into(),
        };
        assert_eq!(of(&details(std::slice::from_ref(&one))), [one]);
        assert_eq!(details(&[]), Value::Null);
        for nothing in [json!(null), json!([]), json!({"attachments": 7}), json!({"attachments": [7, {}]})] {
            assert_eq!(of(&nothing), []);
        }
    }
}
