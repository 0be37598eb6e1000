//! Code with its comments, strings, numbers and keywords marked, so that it reads as in an editor. One pass over the
//! text with a small table of languages; it never parses, and a language that it does not know stays plain.

use super::grammars::{Grammar, grammar};

/// Longer pieces of code stay plain: a page must not grow by ten thousand elements.
const LONGEST: usize = 32 * 1024;
/// Nor does a piece of code get more marks than this; the rest of it stays plain.
const MOST_MARKS: usize = 1_500;

/// The classes of marks: comment, string, number, keyword, type or name of an element.
pub(super) const CLASSES: [&str; 5] = ["hl-c", "hl-s", "hl-n", "hl-k", "hl-t"];

/// The code as HTML with marks; `None` when the language is unknown or there is too much of it.
pub(super) fn highlight(language: &str, code: &str) -> Option<String> {
    if code.len() > LONGEST {
        return None;
    }
    let mut pen = Pen { html: String::with_capacity(code.len() * 2), marks: 0 };
    match language {
        "html" | "xml" | "svg" | "vue" => elements(&mut pen, code),
        "diff" | "patch" => changes(&mut pen, code),
        _ => words(&mut pen, code, &grammar(language)?),
    }
    Some(pen.html)
}

/// Writes escaped text, marked or not.
struct Pen {
    html: String,
    marks: usize,
}

impl Pen {
    fn plain(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '&' => self.html.push_str("&amp;"),
                '"' => self.html.push_str("&quot;"),
                c => self.html.push(c),
            }
        }
    }

    fn mark(&mut self, class: &str, text: &str) {
        if self.marks >= MOST_MARKS || text.trim().is_empty() {
            return self.plain(text);
        }
        self.marks += 1;
        self.html.push_str("<span class=\"");
        self.html.push_str(class);
        self.html.push_str("\">");
        self.plain(text);
        self.html.push_str("</span>");
    }
}

/// Splits off what goes up to and with `end`; all of it when the end is missing.
fn through<'a>(text: &'a str, from: usize, end: &str) -> (&'a str, &'a str) {
    let tail = text.get(from..).unwrap_or_default();
    let at = tail.find(end).map_or(text.len(), |at| from + at + end.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn line(text: &str) -> (&str, &str) {
    text.split_at_checked(text.find('\n').unwrap_or(text.len())).unwrap_or((text, ""))
}

/// A string of one line, or of many where the language has such; a backslash takes its next character along.
fn string(text: &str, quote: char, many_lines: bool) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if !many_lines => return text.split_at_checked(at).unwrap_or((text, "")),
            c if c == quote => {
                return text.split_at_checked(at + c.len_utf8()).unwrap_or((text, ""));
            }
            _ => {}
        }
    }
    (text, "")
}

fn words(pen: &mut Pen, code: &str, grammar: &Grammar) {
    let mut rest = code;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let (taken, after, class) = next(rest, c, before, grammar);
        match class {
            Some(class) => pen.mark(class, taken),
            None => pen.plain(taken),
        }
        before = taken.chars().last().unwrap_or(' ');
        rest = after;
    }
}

/// The next piece of code, what follows it, and how it is marked.
fn next<'a>(
    rest: &'a str,
    c: char,
    before: char,
    grammar: &Grammar,
) -> (&'a str, &'a str, Option<&'static str>) {
    let with = |(taken, after), class| (taken, after, class);
    // In a shell `$#` and `a#b` are no comments.
    let opens = |sign: &&str| rest.starts_with(sign) && (**sign != *"#" || before.is_whitespace());
    if grammar.lines.iter().any(opens) {
        return with(line(rest), Some("hl-c"));
    }
    if let Some((open, close)) = grammar.block.filter(|(open, _)| rest.starts_with(open)) {
        return with(through(rest, open.len(), close), Some("hl-c"));
    }
    if grammar.triple {
        for quotes in ["\"\"\"", "'''"] {
            if rest.starts_with(quotes) {
                return with(through(rest, quotes.len(), quotes), Some("hl-s"));
            }
        }
    }
    if grammar.quotes.contains(c) {
        let (taken, after) = string(rest, c, c == '`');
        // In JSON and YAML what stands before a colon is a name.
        let names = grammar.names && after.trim_start_matches([' ', '\t']).starts_with(':');
        return (taken, after, Some(if names { "hl-t" } else { "hl-s" }));
    }
    if c == '\'' && grammar.characters {
        let length = if rest.starts_with("'\\") {
            rest.get(2..).and_then(|t| t.find('\'')).map(|at| at + 3)
        } else {
            None
        };
        let length = length.or_else(|| {
            let inner = rest.chars().nth(1)?;
            (rest.chars().nth(2) == Some('\'')).then(|| 2 + inner.len_utf8())
        });
        if let Some(split) = length.filter(|at| *at <= 12).and_then(|at| rest.split_at_checked(at)) {
            return with(split, Some("hl-s"));
        }
    }
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    if c.is_ascii_digit() {
        let end = rest.find(|c: char| !inside(c) && c != '.').unwrap_or(rest.len());
        return with(rest.split_at_checked(end).unwrap_or((rest, "")), Some("hl-n"));
    }
    if inside(c) {
        let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let lower;
        let wanted = if grammar.any_case {
            lower = word.to_ascii_lowercase();
            lower.as_str()
        } else {
            word
        };
        let named = grammar.names && after.trim_start_matches([' ', '\t', '-']).starts_with([':', '=']);
        let class = match () {
            () if grammar.keywords.split(' ').any(|one| one == wanted) => Some("hl-k"),
            () if named => Some("hl-t"),
            () if grammar.types && c.is_uppercase() => Some("hl-t"),
            () => None,
        };
        return (word, after, class);
    }
    let end = c.len_utf8();
    with(rest.split_at_checked(end).unwrap_or((rest, "")), None)
}

/// Elements, their attributes and comments.
fn elements(pen: &mut Pen, code: &str) {
    let mut rest = code;
    while !rest.is_empty() {
        if rest.starts_with("<!--") {
            let (comment, after) = through(rest, 4, "-->");
            pen.mark("hl-c", comment);
            rest = after;
        } else if rest.starts_with('<') {
            let name = rest.char_indices().skip(1).find(|(_, c)| c.is_whitespace() || *c == '>');
            let (open, after) =
                rest.split_at_checked(name.map_or(rest.len(), |(at, _)| at)).unwrap_or((rest, ""));
            pen.mark("hl-k", open);
            rest = attributes(pen, after);
        } else {
            let (text, after) =
                rest.split_at_checked(rest.find('<').unwrap_or(rest.len())).unwrap_or((rest, ""));
            pen.plain(text);
            rest = after;
        }
    }
}

/// The inside of an element up to its end; gives what follows.
fn attributes<'a>(pen: &mut Pen, text: &'a str) -> &'a str {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (taken, after, class) = match c {
            '>' => {
                let (end, after) = rest.split_at_checked(1).unwrap_or((rest, ""));
                pen.mark("hl-k", end);
                return after;
            }
            '"' | '\'' => {
                let (taken, after) = string(rest, c, true);
                (taken, after, Some("hl-s"))
            }
            c if c.is_alphanumeric() => {
                let end = rest.find(|c: char| c.is_whitespace() || "=>\"'".contains(c)).unwrap_or(rest.len());
                let (taken, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (taken, after, Some("hl-t"))
            }
            c => {
                let (taken, after) = rest.split_at_checked(c.len_utf8()).unwrap_or((rest, ""));
                (taken, after, None)
            }
        };
        match class {
            Some(class) => pen.mark(class, taken),
            None => pen.plain(taken),
        }
        rest = after;
    }
    rest
}

/// Lines that came and went.
fn changes(pen: &mut Pen, code: &str) {
    for line in code.split_inclusive('\n') {
        match line.chars().next() {
            Some('+') => pen.mark("hl-s", line),
            Some('-') => pen.mark("hl-k", line),
            Some('@') => pen.mark("hl-n", line),
            _ => pen.plain(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::*;

    fn marked(language: &str, code: &str) -> Vec<(String, String)> {
        let html = highlight(language, code).unwrap();
        html.split("<span class=\"")
            .skip(1)
            .filter_map(|part| {
                let (class, rest) = part.split_once("\">")?;
                Some((class.to_owned(), rest.split_once("</span>")?.0.to_owned()))
            })
            .collect()
    }

    fn pairs(language: &str, code: &str) -> String {
        marked(language, code)
            .iter()
            .map(|(class, text)| format!("{} {text}", &class[3..]))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn the_usual_languages_are_marked() {
        for (language, code, wanted) in [
            ("rust", "let x: Vec<'a> = 'b'; // no", "k let; t Vec; s 'b'; c // no"),
            (
                "python",
                "def f(): # hi\n  \"\"\"a\nb\"\"\"\n  return 1.5",
                "k def; c # hi; s &quot;&quot;&quot;a\nb&quot;&quot;&quot;; k return; n 1.5",
            ),
            ("ts", "const a = `x\ny`; /* c\nd */ new Map()", "k const; s `x\ny`; c /* c\nd */; k new; t Map"),
            ("sql", "SELECT 'it' from t -- x", "k SELECT; s 'it'; k from; c -- x"),
            ("bash", "echo $# \"a\" # x", "k echo; s &quot;a&quot;; c # x"),
            (
                "json",
                "{\"a\": \"b\", \"c\": true}",
                "t &quot;a&quot;; s &quot;b&quot;; t &quot;c&quot;; k true",
            ),
            (
                "html",
                "<p id=\"x\">a</p><!-- c -->",
                "k &lt;p; t id; s &quot;x&quot;; k &gt;; k &lt;/p; k &gt;; c &lt;!-- c --&gt;",
            ),
            ("diff", "+a\n-b\n c", "s +a\n; k -b\n"),
        ] {
            assert_eq!(pairs(language, code), wanted, "{language}");
        }
        assert!(highlight("klingon", "let x").is_none());
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_added() {
        for language in
            ["rust", "js", "python", "html", "sql", "yaml", "css", "sh", "diff", "json", "go", "c"]
        {
            for code in
                ["", "\"", "'", "'\\", "/*", "`", "<", "<a b='", "é ß 🦀 \"ü", "'''", "#", "0x1.é", "<!--"]
            {
                let html = highlight(language, code).unwrap();
                let mut text = String::new();
                let mut inside = false;
                for c in html.chars() {
                    match c {
                        '<' => inside = true,
                        '>' => inside = false,
                        c if !inside => text.push(c),
                        _ => {}
                    }
                }
                let text = text
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&quot;", "\"")
                    .replace("&amp;", "&");
                assert_eq!(text, code, "{language}");
            }
        }
    }

    #[test]
    fn code_in_a_text_is_marked_and_stays_harmless() {
        let html = render("```js\nconst x = \"</code><script>alert(1)</script>\";\n```");
        assert!(html.contains("<span class=\"hl-k\">const</span>"), "{html}");
        assert!(html.starts_with("<pre><code class=\"language-js\">") && !html.contains("<script"), "{html}");
        let html = render(&format!("```js\n{}\n```", "a(1);".repeat(5_000)));
        assert!(html.matches("<span").count() <= MOST_MARKS);
        assert!(!render(&format!("```js\n{}\n```", "x".repeat(LONGEST + 1))).contains("<span"));
    }
}
