//! What a link shows: the messages that a conversation said when the link was made, with what they cite. Where it was
//! asked for, personal data is masked before anything is kept. It holds no address inside of the server.

use guard::content::mask_broadly;
use kernel::{MessageId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attached::{self, Attached};
use crate::{App, Export};

/// A conversation as it was at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// What it was called.
    pub title: Option<String>,
    /// The name of the app.
    pub app: String,
    /// Personal data is masked.
    #[serde(skip)]
    pub masked: bool,
    /// When it was taken.
    pub taken_at: Time,
    /// Until when it is shown.
    #[serde(skip)]
    pub expires_at: Option<Time>,
    /// What it said, oldest first.
    pub messages: Vec<SnapshotMessage>,
}

/// One message of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SnapshotMessage {
    /// Its id.
    pub id: MessageId,
    /// `user`, `assistant` or `system`.
    pub role: String,
    /// A person of the desk wrote it.
    pub by_person: bool,
    /// What was said.
    pub content: String,
    /// What it cites.
    pub citations: Value,
    /// What is kept with it that its reader is shown: that it quotes, or says what no document says.
    pub details: Value,
    /// Files that came with it: their names and sizes, never what is in them.
    pub attached: Vec<Attached>,
    /// When it was said.
    pub created_at: Time,
    /// Why it ended.
    pub finish_reason: Option<String>,
    /// The model that wrote it.
    pub model: Option<String>,
}

/// What is shown of the details of a message.
const SHOWN: [&str; 2] = ["outcome", "unsupported"];

impl Snapshot {
    /// What this conversation says now.
    pub(crate) fn take(app: &App, export: &Export, masked: bool, now: Time) -> Snapshot {
        let words = |text: &str| if masked { mask_broadly(text).into_owned() } else { text.to_owned() };
        let finished = export.messages.iter().filter(|message| message.finish_reason.is_some());
        let messages = finished.map(|message| {
            let mut citations = message.citations.clone();
            if masked {
                mask_strings(&mut citations);
            }
            let details = message.details.as_object().into_iter().flatten();
            let details = details.filter(|(name, _)| SHOWN.contains(&name.as_str()));
            let mut attached = attached::of(&message.details);
            for file in &mut attached {
                file.name = words(&file.name);
                file.text.clear();
            }
            SnapshotMessage {
                id: message.id,
                role: message.role.as_str().to_owned(),
                by_person: message.details.get("author").is_some_and(|author| author == "person"),
                content: words(&message.content),
                citations,
                details: Value::Object(details.map(|(name, value)| (name.clone(), value.clone())).collect()),
                attached,
                created_at: message.created_at,
                finish_reason: message.finish_reason.map(|reason| reason.as_str().to_owned()),
                model: message.model.clone(),
            }
        });
        Snapshot {
            title: export.conversation.title.as_deref().map(words),
            app: app.name.clone(),
            masked,
            taken_at: now,
            expires_at: None,
            messages: messages.collect(),
        }
    }
}

/// Masks every text in a value, names of fields left alone.
fn mask_strings(value: &mut Value) {
    match value {
        Value::String(text) => *text = mask_broadly(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(mask_strings),
        Value::Object(fields) => fields.values_mut().for_each(mask_strings),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_at_any_depth_are_masked() {
        let mut value =
            json!([{"quote": "Write to ann@example.com", "n": 1, "path": ["Call 4111 1111 1111 1111"]}]);
        mask_strings(&mut value);
        let text = value.to_string();
        assert!(!text.contains("ann@") && !text.contains("4111"), "{text}");
        assert!(text.contains("\"n\":1"));
    }
}
