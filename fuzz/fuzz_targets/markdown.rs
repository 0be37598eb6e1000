//! Markdown to HTML: whatever the text, the result holds allowed tags and attributes alone, and leads nowhere but to
//! web addresses, mail and passages. The renderer is compiled here from its file, so that the rest of `web` is not.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/web/src/ui/markdown.rs"]
mod markdown;

use markdown::{Cites, render, render_cited};

const TAGS: &[&str] = &[
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "span",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
];
const ATTRIBUTES: &[&str] = &["align", "aria-label", "class", "href", "rel", "start", "title"];
const LINKS: &[&str] = &["http:", "https:", "mailto:", "#cite-"];

/// In the printed tree `<` in text is escaped, and `"` in a value too: each bare `<` begins a tag, each second part
/// between quotes is a value. A `>` may stand in a value.
fn harmless(html: &str) {
    for part in html.split('<').skip(1) {
        let mut quoted = false;
        let end = part.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let tag = &part[..end.expect("a tag without an end")];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        assert!(TAGS.contains(&name), "<{tag}>");
        let mut parts = tag[tag.len().min(name.len())..].split('"');
        while let (Some(before), Some(value)) = (parts.next(), parts.next()) {
            let attribute = before.trim().trim_end_matches('=');
            assert!(ATTRIBUTES.contains(&attribute), "{attribute} in <{tag}>");
            let link = value.to_ascii_lowercase();
            let leads = LINKS.iter().any(|start| link.starts_with(start));
            assert!(attribute != "href" || leads, "<{tag}>");
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    harmless(&render(text));
    // The anchor is text of ours, and is no way in even if it were not.
    let anchor: String = text.chars().take(8).collect();
    harmless(&render_cited(text, Cites { anchor: &anchor, numbers: &[1, 2, 30] }));
});
