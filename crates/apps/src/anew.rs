//! What is asked or answered anew: another answer to a message, other words in its place, and the way back to what
//! was there before. Nothing is replaced: everything that was said stays in the conversation's tree.

use identity::{ConversationRead, ConversationWrite, Converse, May};
use kernel::{AuditEvent, Code, ConversationId, EventType, Fault, MessageId, Result, Subject};
use store::{Conversation, Joint, Message, Role, Tree};

use crate::Hall;
use crate::attached::Brought;
use crate::turn::{Anew, Ask, Options, Target};

/// A message as a conversation says it.
#[derive(Clone, Debug)]
pub struct Said {
    /// The message.
    pub message: Message,
    /// The messages in its place, oldest first, itself too; empty where it stands alone.
    pub beside: Vec<MessageId>,
}

impl Said {
    pub(crate) fn new(message: Message, tree: &Tree) -> Said {
        Said { beside: tree.beside(message.id).to_vec(), message }
    }
}

impl Hall {
    /// What asks for another answer. `message` is the answer that is to get a brother, or what was said before it.
    pub async fn again(
        &self,
        may: &May<Converse>,
        id: ConversationId,
        message: MessageId,
        resumable: bool,
    ) -> Result<Ask> {
        let owner = may.owner();
        let named = self.rooms.store.message(&owner, id, message).await?;
        let said = match (named.role, named.parent_id) {
            (Role::User, _) => named,
            (_, Some(parent)) => self.rooms.store.message(&owner, id, parent).await?,
            (_, None) => return Err(nobody_asked()),
        };
        Ok(Ask {
            target: Target::Beside(id, Anew::Answer(said.id)),
            content: said.content,
            field: "message",
            options: Options::default(),
            brought: Brought::default(),
            resumable,
        })
    }

    /// Where what is said anew goes, and the message of the user that it is about.
    pub(crate) async fn beside(
        &self,
        owner: &Subject,
        id: ConversationId,
        anew: Anew,
    ) -> Result<(Joint, Option<Message>)> {
        let store = &self.rooms.store;
        let said = match anew {
            Anew::Answer(message) | Anew::Words(message) => store.message(owner, id, message).await?,
            Anew::Further(answer) => {
                let asked = store.message(owner, id, answer).await?.parent_id.ok_or_else(nobody_asked)?;
                store.message(owner, id, asked).await?
            }
        };
        if said.role != Role::User {
            return Err(nobody_asked());
        }
        Ok(match anew {
            Anew::Answer(_) | Anew::Further(_) => (Joint::Again, Some(said)),
            Anew::Words(_) => (Joint::Under(said.parent_id), Some(said)),
        })
    }

    /// What stands beside each message of one's own conversation.
    pub async fn tree(&self, may: &May<ConversationRead>, id: ConversationId) -> Result<Tree> {
        self.tree_of(&self.conversation(may, id).await?).await
    }

    /// What stands beside each message of a conversation; nothing where it never branched.
    pub(crate) async fn tree_of(&self, conversation: &Conversation) -> Result<Tree> {
        if !conversation.branched {
            return Ok(Tree::default());
        }
        self.rooms.store.tree(&conversation.owner, conversation.id).await
    }

    /// Goes over to the talk that leads through this message of one's own conversation. `conflict` while an answer is
    /// being written.
    pub(crate) async fn turn_to(
        &self,
        may: &May<ConversationWrite>,
        id: ConversationId,
        message: MessageId,
    ) -> Result<()> {
        let owner = may.owner();
        let _place = self.live.occupy(id, self.rooms.stop.child_token())?;
        self.alone(&owner, id).await?;
        let event = AuditEvent::new(EventType::DataWritten, owner)
            .from(may.who().address())
            .to(format_args!("conversation:{id}"))
            .with("what", "branch");
        self.rooms.store.turn_to(&owner, id, message, vec![event]).await
    }
}

fn nobody_asked() -> Fault {
    Fault::new(Code::Conflict).say("nobody asked for this message; name what was said, or an answer to it")
}
