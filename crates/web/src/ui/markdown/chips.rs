//! The chips of citations, and the signs of sentences that no document holds. It never decides which number has a passage.

use std::borrow::Cow;

use comrak::Arena;
use comrak::nodes::{AstNode, Node, NodeValue};

use super::Cites;

/// Where the chips of citations lead: the passages that `fragments::message` prints under the answer.
pub(super) const CITE: &str = "#cite-";
/// Where the signs of sentences lead that no document holds: the words below the answer that explain them.
pub(super) const WHY: &str = "#why-";
/// How such a sign begins.
pub(super) const SIGN: char = '⚠';

/// Splits a text around each `[number]` that has a passage, and around signs, and puts chips between the parts.
pub(super) fn put<'a>(arena: &'a Arena<'a>, node: Node<'a>, text: &str, cites: Cites<'_>) {
    let linked = node.ancestors().skip(1).any(|above| matches!(above.data().value, NodeValue::Link(_)));
    let mut rest = text;
    let mut before = String::new();
    while let Some(at) = rest.find(['[', SIGN]) {
        let (head, tail) = rest.split_at(at);
        before.push_str(head);
        let Some(tail) = tail.strip_prefix('[') else {
            let words = apps::UNFOUNDED.iter().find(|words| tail.starts_with(*words));
            match words.filter(|_| cites.unfounded && !linked) {
                Some(words) => {
                    let text = std::mem::take(&mut before);
                    node.insert_before(arena.alloc(NodeValue::Text(Cow::Owned(text)).into()));
                    node.insert_before(arena.alloc(sign(words, cites.anchor)));
                    rest = tail.get(words.len()..).unwrap_or_default();
                }
                None => {
                    before.push(SIGN);
                    rest = tail.get(SIGN.len_utf8()..).unwrap_or_default();
                }
            }
            continue;
        };
        let cited = tail.split_once(']').and_then(|(digits, after)| {
            let number = digits.parse::<u32>().ok().filter(|n| cites.numbers.contains(n) && !linked)?;
            // "+1" and "01" parse too and are not what the answerer writes.
            (digits == number.to_string()).then_some((number, after))
        });
        match cited {
            Some((number, after)) => {
                let words = std::mem::take(&mut before);
                node.insert_before(arena.alloc(NodeValue::Text(Cow::Owned(words)).into()));
                node.insert_before(arena.alloc(chip(number, cites.anchor)));
                rest = after;
            }
            None => {
                before.push('[');
                rest = tail;
            }
        }
    }
    before.push_str(rest);
    node.data_mut().value = NodeValue::Text(Cow::Owned(before));
}

fn plain_anchor(anchor: &str) -> String {
    anchor.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// The sign beside a sentence that no document holds; its words are the house's own.
fn sign<'a>(words: &str, anchor: &str) -> AstNode<'a> {
    let anchor = plain_anchor(anchor);
    NodeValue::Raw(format!(r#"<a class="unfounded" href="{WHY}{anchor}">{words}</a>"#)).into()
}

fn chip<'a>(number: u32, anchor: &str) -> AstNode<'a> {
    let anchor = plain_anchor(anchor);
    NodeValue::Raw(format!(
        r#"<a class="cite" href="{CITE}{anchor}-{number}" aria-label="Source {number}">{number}</a>"#
    ))
    .into()
}
