//! Conversations as their owner sees them: made, listed, read, renamed, deleted, exported, stopped.
//! What belongs to somebody else and what does not exist are the same answer.

use std::collections::HashSet;

use guard::content::validate;
use identity::{
    ConversationDelete, ConversationFind, ConversationRead, ConversationStop, ConversationWrite, Converse,
    May,
};
use kernel::id::FileId;
use kernel::{
    AppId, AppKind, AuditEvent, ConversationId, EventType, Fault, Level, MessageId, Page, PageRequest,
    ProblemId, Result,
};
use store::{
    Arrangement, Conversation, ConversationChange, ConversationFilter, Folder, Message, Opinion, Role,
};

use crate::anew::Said;
use crate::{Hall, attached, kind};

/// A conversation to be made.
#[derive(Clone, Debug, Default)]
pub struct NewConversation {
    /// Its title; made from the first message when absent.
    pub title: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// The problem of the tutor that it works on.
    pub problem: Option<ProblemId>,
    /// Whether it goes by itself some time after the last message.
    pub temporary: bool,
}

/// What is to change in a conversation; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ConversationEdit {
    /// Its title.
    pub title: Option<String>,
    /// A message on the branch that it is to say.
    pub head: Option<MessageId>,
    /// Where it stands among the others.
    pub order: Arrangement,
}

/// A whole conversation.
#[derive(Clone, Debug)]
pub struct Export {
    /// The conversation.
    pub conversation: Conversation,
    /// What it says now, oldest first.
    pub messages: Vec<Message>,
    /// Every message, what stands beside too, in the order in which they were written.
    pub every: Vec<Message>,
    /// The names of the folders that it lies in, from the outermost.
    pub folder: Vec<String>,
    /// What its owner thinks of its answers.
    pub opinions: Vec<Opinion>,
    /// The files of its messages that are still kept.
    pub files: HashSet<FileId>,
}

impl Hall {
    /// Makes an empty conversation in an app.
    pub async fn create_conversation(
        &self,
        may: &May<Converse>,
        new: NewConversation,
    ) -> Result<Conversation> {
        let app = self.rooms.catalog.get(&may.what().0)?;
        if !kind::converses(app.kind) {
            return Err(Fault::invalid(
                "app",
                "wrong_kind",
                "this app holds files; there is nobody to talk to in it",
            ));
        }
        new.title.as_deref().map(validate::title).transpose()?;
        new.topic.as_deref().map(validate::topic).transpose()?;
        if new.problem.is_some() && app.kind != AppKind::Tutor {
            return Err(Fault::invalid("problem_id", "wrong_kind", "only a tutor has problems"));
        }
        let id = ConversationId::new(&self.rooms.ambient);
        let event = event(may, EventType::DataWritten, id).with("app", app.id.as_str());
        let new = store::NewConversation {
            id,
            owner: may.owner(),
            app: app.id.clone(),
            title: new.title,
            topic: new.topic,
            session: None,
            max_per_owner: app.most_conversations(may.owner()),
            // Who teaches in the app tries its drafts too.
            problem: new.problem.map(|id| (id, may.who().level(&app.id) == Some(Level::Manage))),
            temporary: new.temporary,
        };
        let conversation = self.rooms.store.create_conversation(new, vec![event]).await?;
        tracing::info!(app = %conversation.app, conversation = %id, "conversation created");
        Ok(conversation)
    }

    /// The caller's conversations in the apps it may enter, newest first.
    pub async fn conversations(
        &self,
        may: &May<ConversationRead>,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Conversation>> {
        if let Some(app) = &filter.app {
            may.inside(app)?;
        }
        self.rooms.audit.note(listed(may, "conversations"));
        let mut found = self.rooms.store.conversations(&may.owner(), filter, page).await?;
        found.items.retain(|conversation| may.who().apps().contains(&conversation.app));
        Ok(found)
    }

    /// One conversation.
    pub async fn conversation(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
    ) -> Result<Conversation> {
        let conversation = self.rooms.store.conversation(&may.owner(), id).await?;
        may.inside(&conversation.app)?;
        Ok(conversation)
    }

    /// The app that a conversation belongs to; what a turn needs to know before it asks for permission.
    pub async fn app_of(&self, may: &May<ConversationFind>, id: ConversationId) -> Result<AppId> {
        let conversation = self.rooms.store.conversation(&may.owner(), id).await?;
        may.inside(&conversation.app)?;
        Ok(conversation.app)
    }

    /// What a conversation says, oldest first.
    pub async fn messages(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        page: PageRequest,
    ) -> Result<Page<Said>> {
        let conversation = self.conversation(may, id).await?;
        self.rooms.audit.note(event(may, EventType::DataRead, id).with("what", "messages"));
        let tree = self.tree_of(&conversation).await?;
        let found = self.rooms.store.messages(&may.owner(), id, page).await?;
        Ok(found.map(|message| Said::new(message, &tree)))
    }

    /// The newest messages of a conversation, oldest of them first.
    pub async fn newest_messages(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        most: u32,
    ) -> Result<Vec<Message>> {
        self.conversation(may, id).await?;
        self.rooms.audit.note(event(may, EventType::DataRead, id).with("what", "messages"));
        self.rooms.store.recent_messages(&may.owner(), id, most).await
    }

    /// The messages that were said just before this one, oldest first.
    pub async fn messages_before(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        before: MessageId,
        most: u32,
    ) -> Result<Vec<Message>> {
        self.conversation(may, id).await?;
        self.rooms.audit.note(event(may, EventType::DataRead, id).with("what", "messages"));
        self.rooms.store.messages_before(&may.owner(), id, before, most).await
    }

    /// One message of a conversation.
    pub async fn message(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        message: MessageId,
    ) -> Result<Message> {
        self.conversation(may, id).await?;
        self.rooms.store.message(&may.owner(), id, message).await
    }

    /// Gives a conversation another title, or lets it say another of its branches.
    pub async fn change(
        &self,
        may: &May<ConversationWrite>,
        id: ConversationId,
        edit: ConversationEdit,
    ) -> Result<Conversation> {
        let ConversationEdit { title, head, mut order } = edit;
        if title.is_none() && head.is_none() && order.is_empty() {
            return Err(Fault::invalid(
                "title",
                "required",
                "name what is new: `title`, `head`, `pinned`, `archived`, `folder_id`, `tags` or `temporary`",
            ));
        }
        title.as_deref().map(validate::title).transpose()?;
        crate::order::tidy_tags(&mut order)?;
        let conversation = self.rooms.store.conversation(&may.owner(), id).await?;
        may.inside(&conversation.app)?;
        if let Some(head) = head {
            self.turn_to(may, id, head).await?;
        }
        if !order.is_empty() {
            self.arrange_many(may, &[id], order).await?;
        }
        let Some(title) = title else { return self.rooms.store.conversation(&may.owner(), id).await };
        let change = ConversationChange { title: Some(title), topic: None };
        let audit = vec![event(may, EventType::DataWritten, id).with("what", "title")];
        self.rooms.store.update_conversation(&may.owner(), id, change, audit).await
    }

    /// Deletes a conversation with everything in it; an answer that is being written is stopped.
    pub async fn delete(&self, may: &May<ConversationDelete>, id: ConversationId) -> Result<()> {
        let conversation = self.rooms.store.conversation(&may.owner(), id).await?;
        may.inside(&conversation.app)?;
        self.live.stop(id);
        let audit = vec![event(may, EventType::DataErased, id).with("messages", conversation.messages)];
        self.rooms.store.delete_conversation(&may.owner(), id, audit).await?;
        tracing::info!(app = %conversation.app, conversation = %id, "conversation deleted");
        Ok(())
    }

    /// Stops the answer that is being written; `false` when none is.
    pub async fn stop(&self, may: &May<ConversationStop>, id: ConversationId) -> Result<bool> {
        let conversation = self.rooms.store.conversation(&may.owner(), id).await?;
        may.inside(&conversation.app)?;
        // Not here, then perhaps in another replica, which finds out with its next save.
        Ok(self.live.stop(id) || self.rooms.store.cancel_unfinished(&may.owner(), id).await?)
    }

    /// The whole conversation, to be taken away.
    pub async fn export(&self, may: &May<ConversationRead>, id: ConversationId) -> Result<Export> {
        let export = self.whole(may, id).await?;
        self.rooms.audit.note(event(may, EventType::DataExported, id).with("messages", export.every.len()));
        Ok(export)
    }

    /// The whole conversation.
    pub(crate) async fn whole(&self, may: &May<ConversationRead>, id: ConversationId) -> Result<Export> {
        let conversation = self.conversation(may, id).await?;
        let mut page = PageRequest::first(PageRequest::MOST);
        let mut every = Vec::new();
        loop {
            let piece = self.rooms.store.every_message(&may.owner(), id, page.clone()).await?;
            every.extend(piece.items);
            match piece.next {
                Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next))?,
                None => break,
            }
        }
        let mut messages = every.clone();
        if conversation.branched {
            let said = self.tree_of(&conversation).await?.said();
            messages.retain(|message| said.contains(&message.id));
        }
        let opinions = self.rooms.store.opinions(&may.owner(), id).await?;
        let files = self.kept_files(may, every.iter()).await?;
        let folder = match conversation.folder {
            Some(folder) => Folder::paths(&self.folders(may).await?).remove(&folder).unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(Export { conversation, messages, every, folder, opinions, files })
    }
}

impl Export {
    /// As one Markdown document.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n", self.conversation.title.as_deref().unwrap_or("Conversation"));
        for message in &self.messages {
            let who = match message.role {
                Role::User => "You",
                Role::Assistant => "Assistant",
                Role::System => "System",
            };
            text.push_str(&format!(
                "\n## {who}, {}\n\n{}\n",
                message.created_at.rfc3339_seconds(),
                message.content
            ));
            for file in attached::of(&message.details) {
                text.push_str(&format!("\nFile: {}\n", file.name));
            }
        }
        text
    }
}

fn event<P>(may: &May<P>, what: EventType, id: ConversationId) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address()).to(format_args!("conversation:{id}"))
}

fn listed<P>(may: &May<P>, what: &str) -> AuditEvent {
    AuditEvent::new(EventType::DataRead, may.owner()).from(may.who().address()).with("what", what)
}
