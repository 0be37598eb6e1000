//! A conversation as a tree: what was asked or answered anew stands beside what was there before, under the same
//! parent. The path from the last message back to the first is what the conversation says now.
//! It reads ids and places, never contents; it never writes a message.

use std::collections::{HashMap, HashSet};

use kernel::{AuditEvent, Code, ConversationId, Fault, MessageId, Result, Subject};

use crate::Store;
use crate::message::Message;
use crate::value::values;

/// Where a turn goes in its conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Joint {
    /// After the last message.
    #[default]
    End,
    /// Under this message, or at the beginning, beside what stands there already.
    Under(Option<MessageId>),
    /// Only the answer is new: it stands beside the other answers to what was said.
    Again,
}

/// A message in the tree.
#[derive(Clone, Copy, Debug)]
struct Node {
    id: MessageId,
    parent: Option<MessageId>,
    position: i64,
}

/// The messages of a conversation by their parents.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// By position.
    nodes: Vec<Node>,
    by_id: HashMap<MessageId, usize>,
    /// The children of each message, oldest first.
    children: HashMap<Option<MessageId>, Vec<MessageId>>,
    head: Option<MessageId>,
}

impl Tree {
    fn new(nodes: Vec<Node>, head: Option<MessageId>) -> Tree {
        let by_id = nodes.iter().enumerate().map(|(place, node)| (node.id, place)).collect();
        let mut children: HashMap<_, Vec<_>> = HashMap::new();
        for node in &nodes {
            children.entry(node.parent).or_default().push(node.id);
        }
        Tree { nodes, by_id, children, head }
    }

    fn node(&self, id: MessageId) -> Option<&Node> {
        self.by_id.get(&id).and_then(|place| self.nodes.get(*place))
    }

    /// The messages in the place of this one, oldest first, itself too; empty where it stands alone.
    pub fn beside(&self, id: MessageId) -> &[MessageId] {
        let parent = self.node(id).map(|node| node.parent);
        let children = parent.and_then(|parent| self.children.get(&parent));
        children.filter(|children| children.len() > 1).map_or(&[], Vec::as_slice)
    }

    /// The messages that the conversation says now.
    pub fn said(&self) -> HashSet<MessageId> {
        let path = self.path(self.head);
        let said = self.nodes.iter().filter(|node| path.binary_search(&node.position).is_ok());
        said.map(|node| node.id).collect()
    }

    /// What the conversation says now, from the first message to the last.
    pub fn way(&self) -> Vec<MessageId> {
        let path = self.path(self.head);
        let said = self.nodes.iter().filter(|node| path.binary_search(&node.position).is_ok());
        said.map(|node| node.id).collect()
    }

    /// The positions on the way from the beginning to this message, in order.
    fn path(&self, to: Option<MessageId>) -> Vec<i64> {
        let mut positions = Vec::new();
        let mut next = to;
        // A parent always has a lower position, so this ends.
        while let Some(node) = next.and_then(|id| self.node(id)) {
            if positions.last().is_some_and(|last| *last <= node.position) {
                break;
            }
            positions.push(node.position);
            next = node.parent;
        }
        positions.reverse();
        positions
    }

    /// The end of the newest talk that goes through this message.
    fn end(&self, through: MessageId) -> MessageId {
        let mut end = through;
        while let Some(child) = self.children.get(&Some(end)).and_then(|children| children.last()) {
            end = *child;
        }
        end
    }
}

impl Store {
    /// The tree of a conversation.
    pub async fn tree(&self, owner: &Subject, id: ConversationId) -> Result<Tree> {
        let (owner, id) = (owner.to_string(), id.to_string());
        let mut reader = self.read("message.tree").await?;
        let head = "SELECT last_message FROM conversations WHERE owner = $1 AND id = $2";
        let head = reader.one(head, values![owner.as_str(), id.as_str()]).await?.ok_or(Code::NotFound)?;
        let nodes =
            "SELECT id, parent_id, position FROM messages WHERE conversation_id = $1 ORDER BY position";
        let rows = reader.all(nodes, values![id]).await?;
        let message = |text: Option<String>| text.as_deref().map(MessageId::parse).transpose();
        let nodes = rows.iter().map(|row| {
            Ok(Node {
                id: MessageId::parse(&row.text(0)?)?,
                parent: message(row.maybe_text(1)?)?,
                position: row.int(2)?,
            })
        });
        Ok(Tree::new(nodes.collect::<Result<_>>()?, message(head.maybe_text(0)?)?))
    }

    /// The positions of what a conversation says now, in order.
    pub(crate) async fn path(&self, owner: &Subject, id: ConversationId) -> Result<Vec<i64>> {
        let tree = self.tree(owner, id).await?;
        Ok(tree.path(tree.head))
    }

    /// The last `most` messages on the way to this one, oldest first, itself the last of them.
    pub async fn lineage(
        &self,
        owner: &Subject,
        id: ConversationId,
        to: MessageId,
        most: u32,
    ) -> Result<Vec<Message>> {
        let path = self.tree(owner, id).await?.path(Some(to));
        let from = path.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        self.messages_at(owner, id, path.get(from..).unwrap_or_default()).await
    }

    /// Lets a conversation say what goes through this message, to the end of its newest talk.
    /// `not_found` for a message of another conversation.
    pub async fn turn_to(
        &self,
        owner: &Subject,
        id: ConversationId,
        through: MessageId,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let tree = self.tree(owner, id).await?;
        tree.node(through).ok_or(Fault::new(Code::NotFound))?;
        let end = tree.end(through).to_string();
        let (owner, id) = (owner.to_string(), id.to_string());
        self.write("conversation.turn", audit, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE conversations SET last_message = $3 WHERE owner = $1 AND id = $2";
                match tx.run(sql, values![owner, id, end]).await? {
                    0 => Err(Fault::new(Code::NotFound).into()),
                    _ => Ok(()),
                }
            })
        })
        .await
    }
}
