//! Markdown from a model into HTML that is safe to show: parsed, made plain where it is raw, printed, and
//! sanitised last by an allow-list. It never lets through a script, a style, an id, or anything that loads
//! by itself from another host.

mod chips;
mod grammars;
mod highlight;
mod links;
mod maths;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::UrlRelative;
use comrak::nodes::{ListType, Node, NodeCode, NodeList, NodeValue};
use comrak::{Arena, Options};

/// Texts longer than this many bytes are shown as they are, without a look at their Markdown.
const MOST_BYTES: usize = 256 * 1024;
/// Texts whose blocks or spans are nested deeper than this are shown as they are. People and models stay under 20.
const DEEPEST: usize = 64;
/// HTML may be this many times as long as its Markdown (and a little); tables and link references can multiply.
const MOST_GROWTH: usize = 48;
/// Formulas of one text that are set; further ones are shown as they were written.
const MOST_FORMULAS: usize = 400;
/// The page has a heading of its own, and each message one: the highest of a text is of this level.
const HEADING: u8 = 3;
/// What a link may begin with.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];
/// The citations that a text may point to.
#[derive(Clone, Copy, Debug)]
pub struct Cites<'a> {
    /// Part of the passages' ids: `cite-<anchor>-<number>`. Letters, digits and `-`.
    pub anchor: &'a str,
    /// The numbers that have a passage. Other numbers in brackets stay text.
    pub numbers: &'a [u32],
    /// Signs of sentences that no document holds lead to what explains them: `why-<anchor>`.
    pub unfounded: bool,
    /// The hosts that may be linked to; links to others are shown as text. `None` lets links lead anywhere.
    pub hosts: Option<&'a apps::LinkHosts>,
}

/// Markdown as safe HTML. Takes any text; time and output are linear in its length.
pub fn render(text: &str) -> String {
    render_cited(text, Cites { anchor: "", numbers: &[], unfounded: false, hosts: None })
}

/// Markdown as safe HTML, with each `[1]` that has a passage as a chip that leads to it.
pub fn render_cited(text: &str, cites: Cites<'_>) -> String {
    if text.len() > MOST_BYTES || piles_up(text) {
        return plain(text);
    }
    let options = options(text);
    let arena = Arena::new();
    let root = comrak::parse_document(&arena, text, &options);
    if deeper_than(root, DEEPEST) {
        return plain(text);
    }
    tame(&arena, root, cites);
    if let Some(hosts) = cites.hosts {
        links::unlink(&arena, root, hosts);
    }
    let mut html = String::with_capacity(text.len() * 2);
    if comrak::format_html(root, &options, &mut html).is_err() || html.len() > text.len() * MOST_GROWTH + 4096
    {
        return plain(text);
    }
    SANITISER.clean(&html).to_string()
}

/// The text without any Markdown, for what is too long or too deep to be meant as such.
fn plain(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    html.push_str("<pre>");
    for c in text.chars() {
        match c {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '\0' => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html.push_str("</pre>");
    html
}

fn options(text: &str) -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    // Models write formulas in either of these ways.
    options.extension.math_dollars = true;
    // Each beginning without an end is looked for through all that follows.
    options.extension.math_latex = maths::begun(text) <= MOST_FORMULAS;
    // Models break lines where they mean a break.
    options.render.hardbreaks = true;
    // No raw HTML is left in the tree when it is printed; what is printed raw is only our own chips.
    options.render.escape = true;
    options
}

/// Whether one line opens more quotes or lists at once than people do. Each of them would be walked again for
/// every line that follows, which is the one way to make the parser's time grow faster than the text.
fn piles_up(text: &str) -> bool {
    text.lines().any(|line| {
        let mut opened = 0_usize;
        let mut bytes = line.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'>' => opened += 1,
                b'-' | b'+' | b'*' | b'.' | b')' if matches!(bytes.peek(), Some(b' ' | b'\t') | None) => {
                    opened += 1
                }
                b' ' | b'\t' | b'0'..=b'9' => {}
                _ => break,
            }
        }
        opened > DEEPEST
    })
}

fn deeper_than(root: Node<'_>, most: usize) -> bool {
    let mut depth = 0_usize;
    for edge in root.traverse() {
        match edge {
            comrak::arena_tree::NodeEdge::Start(_) => depth += 1,
            comrak::arena_tree::NodeEdge::End(_) => depth = depth.saturating_sub(1),
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// Makes the tree plain: raw HTML becomes text, pictures become links, boxes of task lists become signs, and the
/// language of a code block a single word. Puts the chips of citations in.
fn tame<'a>(arena: &'a Arena<'a>, root: Node<'a>, cites: Cites<'_>) {
    let nodes: Vec<Node<'a>> = root.descendants().collect();
    let highest = nodes.iter().filter_map(|node| heading_level(node)).min().unwrap_or(1);
    let mut formulas = 0_usize;
    for node in nodes {
        let mut data = node.data_mut();
        match &mut data.value {
            NodeValue::HtmlInline(html) => {
                data.value = NodeValue::Text(Cow::Owned(std::mem::take(html)));
            }
            NodeValue::HtmlBlock(block) => {
                let html = std::mem::take(&mut block.literal);
                data.value = NodeValue::Paragraph;
                drop(data);
                for (i, line) in html.trim_end_matches('\n').split('\n').enumerate() {
                    if i > 0 {
                        node.append(arena.alloc(NodeValue::LineBreak.into()));
                    }
                    node.append(arena.alloc(NodeValue::Text(Cow::Owned(line.to_owned())).into()));
                }
            }
            NodeValue::Image(link) => {
                let link = std::mem::take(link);
                data.value = NodeValue::Link(link);
                drop(data);
                if node.first_child().is_none() {
                    node.append(arena.alloc(NodeValue::Text(Cow::Borrowed("picture")).into()));
                }
                unnest(node);
            }
            NodeValue::TaskItem(item) => {
                let sign = if item.symbol.is_some() { "☑" } else { "☐" };
                data.value = NodeValue::Item(NodeList {
                    list_type: ListType::Bullet,
                    tight: true,
                    ..NodeList::default()
                });
                drop(data);
                let sign = format!(r#"<span class="task">{sign}</span> "#);
                let sign = arena.alloc(NodeValue::Raw(sign).into());
                match node.first_child() {
                    Some(first) if first.data().value.contains_inlines() => first.prepend(sign),
                    _ => node.prepend(sign),
                }
            }
            NodeValue::Heading(heading) => {
                heading.level = heading.level.saturating_sub(highest).saturating_add(HEADING).min(6);
            }
            NodeValue::CodeBlock(block) => {
                let name = language(&block.info);
                match highlight::highlight(&name, &block.literal) {
                    Some(marked) => {
                        let html = format!("<pre><code class=\"language-{name}\">{marked}</code></pre>\n");
                        data.value = NodeValue::Raw(html);
                    }
                    None => block.info = name,
                }
            }
            NodeValue::Math(formula) => {
                let (literal, display) = (std::mem::take(&mut formula.literal), formula.display_math);
                data.value = match maths::mathml(&literal, display).filter(|_| formulas < MOST_FORMULAS) {
                    Some(drawn) => {
                        formulas += 1;
                        NodeValue::Raw(drawn)
                    }
                    None => NodeValue::Code(NodeCode { num_backticks: 1, literal }),
                };
            }
            NodeValue::Text(text)
                if (!cites.numbers.is_empty() && text.contains('['))
                    || (cites.unfounded && text.contains(chips::SIGN)) =>
            {
                let text = std::mem::take(text);
                drop(data);
                chips::put(arena, node, &text, cites);
            }
            _ => {}
        }
    }
}

fn heading_level(node: Node<'_>) -> Option<u8> {
    match &node.data().value {
        NodeValue::Heading(heading) => Some(heading.level),
        _ => None,
    }
}

/// A picture inside a link would become a link inside a link: only its words stay.
fn unnest(node: Node<'_>) {
    if node.ancestors().skip(1).any(|above| matches!(above.data().value, NodeValue::Link(_))) {
        node.data_mut().value = NodeValue::Emph;
    }
}

/// The first word after the fence, when it looks like the name of a language.
fn language(info: &str) -> String {
    let word = info.split([' ', '\t', ',', '{', ':']).next().unwrap_or_default();
    let fits = word.len() <= 24 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-_.#".contains(&b));
    if fits { word.to_ascii_lowercase() } else { String::new() }
}

/// Addresses without a host lead nowhere, except those of our own passages.
fn only_passages(url: &str) -> Option<Cow<'_, str>> {
    (url.starts_with(chips::CITE) || url.starts_with(chips::WHY)).then_some(Cow::Borrowed(url))
}

static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let tags = [
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "span",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    let tags = tags.into_iter().chain(maths::TAGS).chain(maths::MORE_TAGS);
    let mut attributes: HashMap<&str, HashSet<&str>> = HashMap::from([
        ("a", HashSet::from(["href", "title", "class", "aria-label"])),
        ("code", HashSet::from(["class"])),
        ("ol", HashSet::from(["start"])),
        ("span", HashSet::from(["class"])),
        ("td", HashSet::from(["align"])),
        ("th", HashSet::from(["align"])),
    ]);
    for tag in maths::TAGS.into_iter().chain(maths::MORE_TAGS) {
        attributes.insert(tag, HashSet::from(maths::ATTRIBUTES));
    }
    let mut builder = ammonia::Builder::empty();
    builder
        .generic_attributes(HashSet::new())
        .tags(tags.collect())
        .tag_attributes(attributes)
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Custom(Box::new(only_passages)))
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(|tag, attribute, value| match (tag, attribute) {
            ("a", "class") => matches!(value, "cite" | "unfounded").then(|| value.into()),
            ("span", "class") => {
                (value == "task" || highlight::CLASSES.contains(&value)).then(|| value.into())
            }
            (_, "class") if maths::TAGS.contains(&tag) => value
                .split(' ')
                .all(|word| word.starts_with("menv-") || word.starts_with("cell-"))
                .then(|| value.into()),
            ("code", "class") => value
                .strip_prefix("language-")
                .is_some_and(|name| !name.is_empty() && language(name) == name)
                .then(|| value.into()),
            ("td" | "th", "align") => matches!(value, "left" | "center" | "right").then(|| value.into()),
            ("ol", "start") => value.parse::<u32>().is_ok().then(|| value.into()),
            _ => Some(value.into()),
        });
    builder
});

#[cfg(test)]
mod attacks;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(render("# Hi *there*"), "<h3>Hi <em>there</em></h3>\n");
        assert_eq!(render("## A\n### B"), "<h3>A</h3>\n<h4>B</h4>\n");
        assert_eq!(render("a < b && c > d"), "<p>a &lt; b &amp;&amp; c &gt; d</p>\n");
        assert_eq!(render("one\ntwo"), "<p>one<br>\ntwo</p>\n");
        assert_eq!(render("~~no~~"), "<p><del>no</del></p>\n");
        assert_eq!(
            render("```rust ignore\nfn main() {}\n```"),
            "<pre><code class=\"language-rust\"><span class=\"hl-k\">fn</span> main() {}\n</code></pre>\n"
        );
        assert_eq!(
            render("- [x] done\n- [ ] open"),
            "<ul>\n<li><span class=\"task\">☑</span> done</li>\n<li><span class=\"task\">☐</span> open</li>\n</ul>\n"
        );
        let table = render("| a | b |\n|:-:|--:|\n| 1 | 2 |");
        assert!(
            table.contains("<th align=\"center\">a</th>") && table.contains("<td align=\"right\">2</td>")
        );
        assert!(render("3. three").contains("<ol start=\"3\">"));
        assert_eq!(render(""), "");
    }

    #[test]
    fn links_are_marked_and_limited() {
        let rel = "rel=\"noopener noreferrer nofollow\"";
        assert_eq!(
            render("[a](https://example.com \"t\")"),
            format!("<p><a href=\"https://example.com\" title=\"t\" {rel}>a</a></p>\n")
        );
        assert!(render("https://example.com/x").contains("href=\"https://example.com/x\""));
        for bad in [
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](data:text/html,x)",
            "[a](vbscript:x)",
            "[a](/sign-out)",
            "[a](//example.com)",
            "[a](file:///x)",
            "[a](#main)",
            "[a](&#106;avascript:alert(1))",
            "<javascript:alert(1)>",
        ] {
            assert!(!render(bad).contains("href"), "{bad} → {}", render(bad));
        }
    }

    #[test]
    fn pictures_never_load() {
        let html = render("![a cat](https://example.com/cat.png)");
        assert!(
            html.contains("<a href=\"https://example.com/cat.png\"") && html.contains(">a cat</a>"),
            "{html}"
        );
        assert!(render("![](https://example.com/cat.png)").contains(">picture</a>"));
        let nested = render("[![alt](https://a.example/i.png)](https://b.example)");
        assert_eq!(nested.matches("<a ").count(), 1, "{nested}");
    }

    #[test]
    fn raw_html_is_shown_as_text() {
        assert_eq!(render("<script>alert(1)</script>"), "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
        assert_eq!(render("a <b onclick=x>c</b>"), "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;</p>\n");
        assert_eq!(render("<div>\n*x*\n</div>"), "<p>&lt;div&gt;<br>\n*x*<br>\n&lt;/div&gt;</p>\n");
        assert_eq!(render("<!-- x -->"), "<p>&lt;!-- x --&gt;</p>\n");
        assert_eq!(render("`<b>`"), "<p><code>&lt;b&gt;</code></p>\n");
    }

    #[test]
    fn languages_are_one_plain_word() {
        assert!(render("```c++\n```").contains("class=\"language-c++\""));
        for odd in ["```\"><b\n```", "```x\u{202e}y\n```", &format!("```{}\n```", "x".repeat(40))] {
            assert!(!render(odd).contains("class"), "{odd}");
        }
    }

    #[test]
    fn brackets_with_a_passage_become_chips() {
        let cites = Cites { anchor: "m-1", numbers: &[1, 2], unfounded: false, hosts: None };
        let html = render_cited("Back up daily [1][2], not [3]. `[1]` [x[1]](https://a.example) [01]", cites);
        assert_eq!(html.matches("class=\"cite\"").count(), 2, "{html}");
        assert!(html.contains("href=\"#cite-m-1-1\"") && html.contains("aria-label=\"Source 2\""), "{html}");
        assert!(
            html.contains("not [3].") && html.contains("<code>[1]</code>") && html.contains("[01]"),
            "{html}"
        );
        assert!(
            !render_cited("[1]", Cites { anchor: "\"><b", numbers: &[1], unfounded: true, hosts: None })
                .contains("<b")
        );
    }

    #[test]
    fn signs_lead_to_what_explains_them() {
        let cites = Cites { anchor: "m-1", numbers: &[], unfounded: true, hosts: None };
        let html = render_cited("It flies \u{26a0} not found in the documents. \u{26a0} hot [1]", cites);
        assert_eq!(html.matches("href=\"#why-m-1\"").count(), 1, "{html}");
        assert!(html.contains("\u{26a0} hot [1]"), "{html}");
        assert!(!render("\u{26a0} not found in the documents").contains("href"));
        assert!(!render("[x](#why-m-1 \"\u{26a0} not found in the documents\")").contains("unfounded"));
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_shown_as_it_is() {
        for text in
            ["<b>".repeat(MOST_BYTES / 3 + 1), ">".repeat(100) + "<b>", "*a ".repeat(3) + &"[".repeat(10)]
        {
            let html = render(&text);
            assert!(!html.contains("<b>"));
        }
        assert!(render(&"> ".repeat(65)).starts_with("<pre>"));
        assert!(render(&"> ".repeat(20)).starts_with("<blockquote>"));
    }
}
