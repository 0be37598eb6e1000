//! The rows of a conversation that came in: its messages with new ids, in the order in which they were written.

use kernel::{AppId, ConversationId, MessageId, Subject, Time};
use store::{ImportedConversation, ImportedOrder, Message, Opinion, Role};

use super::shape::Foreign;
use crate::title::title;
use crate::{Hall, attached};

/// The rows of this conversation for this owner in this app.
pub(super) fn of(
    hall: &Hall,
    owner: Subject,
    app: &AppId,
    foreign: Foreign,
    now: Time,
) -> ImportedConversation {
    let ambient = &hall.rooms.ambient;
    let (id, own) = (ConversationId::new(ambient), own_id(&foreign));
    let ids: Vec<MessageId> = foreign.tree.messages.iter().map(|_| MessageId::new(ambient)).collect();
    let named = |place: Option<usize>| place.and_then(|place| ids.get(place)).copied();
    let began =
        foreign.created_at.or_else(|| foreign.tree.messages.iter().filter_map(|one| one.words.at).min());
    let began = began.unwrap_or(now);
    let mut at = began;
    let head = named(foreign.tree.head);
    let first = foreign.tree.messages.iter().find(|one| one.words.role == Role::User);
    let made = first.map(|one| title(&one.words.content)).filter(|title| !title.is_empty());
    // One of ours that has no title was meant to have none.
    let made = made.filter(|_| !foreign.ours);
    let (mut messages, mut opinions) = (Vec::with_capacity(ids.len()), Vec::new());
    for (place, id_of) in foreign.tree.messages.into_iter().zip(&ids) {
        let words = place.words;
        // What has no time was said when what stands before it was.
        at = words.at.unwrap_or(at);
        opinions.extend(words.opinion.map(|one| Opinion {
            message_id: *id_of,
            rating: one.rating,
            comment: one.comment,
            updated_at: one.at.unwrap_or(at),
        }));
        messages.push(Message {
            id: *id_of,
            conversation_id: id,
            parent_id: named(place.parent),
            role: words.role,
            content: words.content,
            citations: words.citations,
            created_at: at,
            finish_reason: Some(words.finish),
            model: words.model,
            input_tokens: None,
            output_tokens: None,
            details: attached::details(&words.attached),
        });
    }
    let last = messages.iter().map(|message| message.created_at).max().unwrap_or(began);
    ImportedConversation {
        id,
        own,
        owner,
        app: app.clone(),
        source: foreign.key,
        title: foreign.title.or(made),
        topic: foreign.topic,
        created_at: began,
        updated_at: foreign.updated_at.unwrap_or(last).max(began),
        head,
        messages,
        order: ImportedOrder {
            pinned: foreign.pinned,
            archived: foreign.archived,
            folder: foreign.folder,
            tags: foreign.tags,
        },
        opinions,
        max_per_owner: hall.rooms.catalog.get(app).ok().and_then(|app| app.most_conversations(owner)),
    }
}

/// The id of the conversation itself, where it is one of ours.
pub(super) fn own_id(foreign: &Foreign) -> Option<ConversationId> {
    ConversationId::parse(&foreign.key).ok().filter(|_| foreign.ours)
}
