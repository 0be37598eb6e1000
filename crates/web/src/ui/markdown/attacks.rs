//! Text that wants to run, to load, or to keep the server busy.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn hostile_text_takes_linear_time() {
    let wide = |unit: &str| unit.repeat(60_000 / unit.len());
    let texts = [
        wide(">"),
        wide("> "),
        wide("- ") + &"\n".repeat(30_000),
        wide("1. "),
        wide("["),
        wide("[a]("),
        wide("![["),
        wide("*a **b "),
        wide("_a __b~~"),
        wide("`"),
        wide("`a``b```"),
        wide("<"),
        wide("<a "),
        wide("<!--"),
        wide("&"),
        wide("|"),
        format!("|{}\n|{}\n{}", "a|".repeat(300), "-|".repeat(300), "|\n".repeat(20_000)),
        wide("www."),
        wide("http://a."),
        wide("a@"),
        wide("a@b."),
        (0..200).map(|depth| "  ".repeat(depth) + "- x\n").collect::<String>() + &"\n".repeat(20_000),
        format!("[a]: /{}\n{}", "x".repeat(10_000), "[a]".repeat(10_000)),
        (0..5_000).map(|i| format!("[{i}]: x\n")).collect(),
        wide("\\"),
        wide("***"),
        wide("a\u{0}"),
        wide("- a\n\n"),
        wide("(((("),
        wide("https://a.example/((((("),
        wide("$"),
        wide("$a"),
        wide("$$a "),
        wide("$x$ "),
        wide("\\("),
        wide("\\[ a"),
        format!("${}$", wide("\\frac{")),
        format!("```js\n{}", wide("'\\")),
        format!("```js\n{}", wide("/*")),
        format!("```rust\n{}", wide("'a")),
        format!("```html\n{}", wide("<a b='")),
        format!("```python\n{}", wide("\"\"\"x")),
    ];
    for text in texts {
        let start = Instant::now();
        let html = render(&text);
        let head: String = text.chars().take(16).collect();
        // Unoptimised and on a busy machine this takes a tenth of it; what is quadratic takes minutes.
        assert!(start.elapsed() < Duration::from_secs(5), "{head:?} took {:?}", start.elapsed());
        assert!(html.len() <= text.len() * MOST_GROWTH * 2 + 8192, "{head:?}");
    }
}

/// Every tag of the output with its attributes. In sanitised text each bare `<` begins a tag.
fn assert_harmless(markdown: &str) {
    let html = render(markdown);
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("an open tag in {html}"));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(SANITISER.clone_tags().contains(name), "<{tag}> from {markdown}");
        let mut parts = tag.split('"');
        while let (Some(before), Some(value)) = (parts.next(), parts.next()) {
            let attribute = before.trim().trim_start_matches(name).trim().trim_end_matches('=');
            let allowed = ["href", "title", "class", "aria-label", "start", "align", "rel"];
            let formula = maths::ATTRIBUTES.contains(&attribute) && name.starts_with('m');
            assert!(formula || allowed.contains(&attribute), "{attribute} in <{tag}> from {markdown}");
            if attribute == "href" {
                assert!(
                    ["http://", "https://", "mailto:", super::chips::CITE]
                        .iter()
                        .any(|begin| value.to_lowercase().starts_with(begin)),
                    "<{tag}> from {markdown}"
                );
            }
        }
    }
}

/// What reads formulas says that it may stop on odd ones. Whatever is written, something harmless is shown.
#[test]
fn odd_formulas_are_shown_somehow() {
    let pieces = [
        "\\",
        "{",
        "}",
        "^",
        "_",
        "&",
        "\\\\",
        "\\frac",
        "\\sqrt",
        "[",
        "]",
        "\\left",
        "\\right",
        "(",
        ")",
        ".",
        "|",
        "'",
        "#1",
        "%",
        "~",
        " ",
        "x",
        "1",
        "é",
        "\u{0}",
        "🦀",
        "\\begin{matrix}",
        "\\end{matrix}",
        "\\begin{array}{c|c}",
        "\\end{array}",
        "\\hline",
        "\\text{",
        "\\mathbb",
        "\\overbrace",
        "\\kern3em",
        "\\hspace{2px}",
        "\\char",
        "\\sum\\limits",
        "\\middle",
        "\\over",
        "\\substack",
        "\\big",
        "\\tag{1}",
        "\\color{red}",
        "\\not",
        "\\operatorname",
    ];
    let mut state = 7_u64;
    let mut next = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % most
    };
    for _ in 0..4_000 {
        let formula: String = (0..=next(14)).map(|_| pieces[next(pieces.len())]).collect();
        assert_harmless(&format!("$$ {formula} $$"));
    }
}

#[test]
fn known_attacks_do_nothing() {
    for vector in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<a href=\"java&#x09;script:alert(1)\">x</a>",
        "[x](java\tscript:alert(1))",
        "[x](&#x6a;avascript:alert(1))",
        "[x](\u{1}javascript:alert(1))",
        "[x]: javascript:alert(1)\n[x]",
        "![x](javascript:alert(1) \"\\\" onerror=alert(1)\")",
        "[a](https://a.example \"\\\"><img src=x onerror=alert(1)>\")",
        "```\"><script>alert(1)</script>\nx\n```",
        "`<script>`</code><script>alert(1)</script>",
        "| <script>alert(1)</script> |\n|-|\n| <img src=x onerror=alert(1)> |",
        "<https://a.example/\"onmouseover=alert(1)>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<!--><img src=x onerror=alert(1)>-->",
        "<iframe srcdoc='<script>alert(1)</script>'>",
        "<style>*{background:url(https://a.example)}</style>",
    ] {
        assert_harmless(vector);
    }
}

/// The H5SC collection, when `STOA_DATA` names the folder with the public test sets. It is not part of the
/// repository: its licence is another one.
#[test]
fn the_h5sc_vectors_do_nothing() {
    let Some(folder) = std::env::var_os("STOA_DATA") else {
        println!("skipped: STOA_DATA does not name the folder with h5sc-xss/vectors.txt");
        return;
    };
    let path = std::path::Path::new(&folder).join("h5sc-xss/vectors.txt");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = String::from_utf8_lossy(&text);
    let vectors = text.lines().flat_map(|line| line.split("//[\"'`-->]]>]</div>"));
    let mut count = 0;
    for vector in vectors.filter(|vector| !vector.trim().is_empty()) {
        let inner = vector.split_once("\">").map_or(vector, |(_, inner)| inner);
        for markdown in [
            vector.to_owned(),
            inner.to_owned(),
            format!("[x]({inner})"),
            format!("![x]({inner})"),
            format!("[x](<{inner}> \"{inner}\")"),
            format!("<{inner}>"),
            format!("```{inner}\n{inner}\n```"),
            format!("`{inner}`"),
            format!("```html\n{inner}\n```"),
            format!("```js\n{inner}\n```"),
            format!("$\\text{{{inner}}}$"),
            format!("$$ {inner} $$"),
            format!("> - # {inner}"),
            format!("| {inner} |\n|---|\n| {inner} |"),
        ] {
            assert_harmless(&markdown);
        }
        count += 1;
    }
    assert!(count > 100, "only {count} vectors in {}", path.display());
}
