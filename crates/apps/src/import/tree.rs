//! What an export holds as a tree of nodes, and the tree of messages that it becomes: nodes that are no words of a person
//! or an answer are left out, and what hung on them hangs on what was before. Every parent comes before its children,
//! loops are never entered, and the order is the same for the same export.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use kernel::Time;
use serde_json::Value;
use store::{FinishReason, Rating, Role};

use crate::attached::Attached;

/// What is thought of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Opined {
    pub(super) rating: Rating,
    pub(super) comment: Option<String>,
    pub(super) at: Option<Time>,
}

/// Words of a person, or an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Words {
    pub(super) role: Role,
    pub(super) content: String,
    pub(super) at: Option<Time>,
    pub(super) finish: FinishReason,
    pub(super) model: Option<String>,
    pub(super) citations: Value,
    /// What it brought. A file's id is the one that it has where the export comes from.
    pub(super) attached: Vec<Attached>,
    pub(super) opinion: Option<Opined>,
}

/// A node of an export.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: String,
    pub(super) parent: Option<String>,
    /// `None` for what is left out.
    pub(super) words: Option<Words>,
}

/// A message in its place.
#[derive(Debug, PartialEq)]
pub(super) struct Placed {
    /// The place of its parent among these.
    pub(super) parent: Option<usize>,
    pub(super) words: Words,
}

/// Messages in an order in which they could have been written, and which of them is said last.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tree {
    pub(super) messages: Vec<Placed>,
    pub(super) head: Option<usize>,
    /// Nodes that hang on nothing, or on themselves.
    pub(super) lost: usize,
}

/// Puts nodes in order; `by_time` where their times and not their places say which came first.
pub(super) fn grow(nodes: Vec<Node>, head: Option<&str>, by_time: bool) -> Tree {
    let count = nodes.len();
    let places: HashMap<String, usize> =
        nodes.iter().enumerate().map(|(at, node)| (node.key.clone(), at)).collect();
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut next = BinaryHeap::new();
    let order = |at: usize, node: &Node| {
        let time = node.words.as_ref().and_then(|words| words.at).filter(|_| by_time);
        (time.map_or(i64::MIN, Time::micros), at)
    };
    let orders: Vec<(i64, usize)> = nodes.iter().enumerate().map(|(at, node)| order(at, node)).collect();
    for (at, node) in nodes.iter().enumerate() {
        match node.parent.as_ref().and_then(|parent| places.get(parent)) {
            Some(parent) => children.entry(*parent).or_default().push(at),
            None => next.push(Reverse((orders.get(at).copied(), None))),
        }
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    // For each node the message that it is or hangs on.
    let mut near: Vec<Option<usize>> = vec![None; count];
    let mut tree = Tree::default();
    let mut seen = 0;
    while let Some(Reverse((Some((_, at)), above))) = next.pop() {
        let Some(node) = nodes.get_mut(at).and_then(Option::take) else { continue };
        seen += 1;
        let here = match node.words {
            Some(words) => {
                tree.messages.push(Placed { parent: above, words });
                Some(tree.messages.len() - 1)
            }
            None => above,
        };
        if let Some(place) = near.get_mut(at) {
            *place = here;
        }
        for child in children.remove(&at).unwrap_or_default() {
            next.push(Reverse((orders.get(child).copied(), here)));
        }
    }
    tree.lost = count - seen;
    let named = head.and_then(|key| places.get(key)).and_then(|at| near.get(*at).copied().flatten());
    tree.head = named.or_else(|| tree.messages.len().checked_sub(1));
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(key: &str, parent: &str, text: &str, second: i64) -> Node {
        let words = (!text.is_empty()).then(|| Words {
            role: Role::User,
            content: text.to_owned(),
            at: Some(Time::from_seconds(second)),
            finish: FinishReason::Stop,
            model: None,
            citations: Value::Null,
            attached: Vec::new(),
            opinion: None,
        });
        Node { key: key.to_owned(), parent: (!parent.is_empty()).then(|| parent.to_owned()), words }
    }

    fn shape(tree: &Tree) -> Vec<(String, Option<usize>)> {
        tree.messages.iter().map(|one| (one.words.content.clone(), one.parent)).collect()
    }

    #[test]
    fn what_hung_on_a_hidden_node_hangs_on_what_was_before() {
        let nodes = vec![
            node("d", "c", "answer", 4),
            node("root", "", "", 0),
            node("a", "root", "question", 1),
            node("b", "a", "", 2),
            node("c", "b", "", 3),
            node("e", "a", "other answer", 5),
        ];
        let tree = grow(nodes, Some("c"), true);
        assert_eq!(
            shape(&tree),
            [("question".into(), None), ("answer".into(), Some(0)), ("other answer".into(), Some(0))]
        );
        assert_eq!((tree.head, tree.lost), (Some(0), 0));
    }

    #[test]
    fn loops_and_orphans_end() {
        let nodes = vec![
            node("a", "b", "x", 1),
            node("b", "a", "y", 2),
            node("c", "gone", "z", 3),
            node("d", "d", "w", 0),
        ];
        let tree = grow(nodes, Some("a"), true);
        assert_eq!((shape(&tree), tree.head, tree.lost), (vec![("z".into(), None)], Some(0), 3));
        assert_eq!(grow(Vec::new(), None, true), Tree::default());
        let long: Vec<Node> =
            (0..50_000).map(|at| node(&at.to_string(), &(at - 1).to_string(), "x", 50_000 - at)).collect();
        assert_eq!(grow(long, None, true).messages.len(), 50_000);
    }
}
