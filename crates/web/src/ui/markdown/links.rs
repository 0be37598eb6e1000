//! Links to hosts that an app does not allow become text: the words, and the address where it is another thing. It never
//! follows a link.

use std::borrow::Cow;

use apps::LinkHosts;
use comrak::Arena;
use comrak::nodes::{Node, NodeValue};

/// Takes every link out that may not be.
pub(super) fn unlink<'a>(arena: &'a Arena<'a>, root: Node<'a>, hosts: &LinkHosts) {
    let nodes: Vec<Node<'a>> = root.descendants().collect();
    for node in nodes {
        let url = match &node.data().value {
            NodeValue::Link(link) if !hosts.allow(&link.url) => link.url.clone(),
            _ => continue,
        };
        let children: Vec<Node<'a>> = node.children().collect();
        let bare = match children.as_slice() {
            // An address that stands there by itself.
            [only] => matches!(&only.data().value, NodeValue::Text(text) if url.ends_with(text.as_ref())),
            _ => false,
        };
        for child in children {
            node.insert_before(child);
        }
        if !bare {
            let address = format!(" ({url})");
            node.insert_before(arena.alloc(NodeValue::Text(Cow::Owned(address)).into()));
        }
        node.detach();
    }
}

#[cfg(test)]
mod tests {
    use apps::LinkHosts;

    use super::super::{Cites, render_cited};

    #[test]
    fn links_elsewhere_are_text() {
        let mut hosts = LinkHosts::default();
        hosts.add("docs.example.com").unwrap();
        let render = |text: &str| {
            render_cited(text, Cites { anchor: "", numbers: &[], unfounded: false, hosts: Some(&hosts) })
        };
        for text in [
            "![x](https://evil.example/?q=1)",
            "[a **b**](https://evil.example/?q=1)",
            "see https://evil.example/?q=1",
            "see www.evil.example/?q=1",
            "<https://evil.example/?q=1>",
            "[x][r]\n\n[r]: https://evil.example/?q=1",
            "[![x](https://evil.example/?q=1)](https://evil.example/?q=2)",
            "[x](mailto:me@evil.example?body=q)",
        ] {
            let html = render(text);
            assert!(!html.contains("href") && html.contains("evil.example"), "{text} gave {html}");
        }
        assert!(render("[x](https://docs.example.com/a)").contains("href=\"https://docs.example.com/a\""));
        assert_eq!(render("see https://evil.example/a").matches("evil.example").count(), 1);
    }
}
