//! Files that are made to do harm, and files that are damaged: each fails alone, in bounded time, with a sentence.

use std::time::{Duration, Instant};

use knowledge::extract::{Budget, Kind, ReasonKind, extract};
use proptest::prelude::*;

use crate::samples::{self, zip};
use crate::{pdf, read, read_within};

fn kind(bytes: &[u8], name: &str) -> Option<ReasonKind> {
    read(bytes, name).err().map(|reason| reason.kind)
}

#[test]
fn what_unpacks_to_far_more_is_refused() {
    let blank = vec![b' '; 48 << 20];
    let bomb = zip(&[("[Content_Types].xml", b"<Types/>", true), ("word/document.xml", &blank, true)]);
    assert!(bomb.len() < 100_000);
    assert_eq!(kind(&bomb, "a.docx"), Some(ReasonKind::Bomb));

    let drawing = pdf::packed(&blank);
    let page = |data: &[u8], filter: &str| {
        pdf::file(&[
            b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
            b"<</Type/Pages/Kids[3 0 R]>>".to_vec(),
            b"<</Type/Page/Contents 4 0 R>>".to_vec(),
            pdf::stream(filter, data),
        ])
    };
    assert_eq!(kind(&page(&drawing, "/Filter/FlateDecode"), "a.pdf"), Some(ReasonKind::Bomb));
    let twice = page(&pdf::packed(&drawing), "/Filter[/FlateDecode/FlateDecode]");
    assert_eq!(kind(&twice, "a.pdf"), Some(ReasonKind::Bomb));
    let runs: Vec<u8> = [129, b' '].repeat(1 << 20);
    let runs = page(&pdf::packed(&runs), "/Filter[/FlateDecode/RunLengthDecode/FlateDecode/LZWDecode]");
    assert!(kind(&runs, "a.pdf").is_some());
}

#[test]
fn the_sum_of_all_parts_is_bounded() {
    let parts = samples::handbook();
    for (name, bytes) in [("a.docx", samples::docx(&parts)), ("a.pdf", pdf::new(&parts))] {
        let small = Budget { decompressed: 4_096, ..Budget::default() };
        assert_eq!(read_within(&bytes, name, small).unwrap_err().kind, ReasonKind::TooLarge, "{name}");
        let short = Budget { text: 500, ..Budget::default() };
        assert_eq!(read_within(&bytes, name, short).unwrap_err().kind, ReasonKind::TooLarge, "{name}");
        let few = Budget { elements: 300, ..Budget::default() };
        assert_eq!(read_within(&bytes, name, few).unwrap_err().kind, ReasonKind::TooLarge, "{name}");
        let tiny = Budget { input: 100, ..Budget::default() };
        assert_eq!(read_within(&bytes, name, tiny).unwrap_err().kind, ReasonKind::TooLarge, "{name}");
        let late = Budget { deadline: Some(Instant::now()), ..Budget::default() };
        assert_eq!(extract(&bytes, name, &late).unwrap_err().kind, ReasonKind::TooSlow, "{name}");
    }
    let two = Budget { pages: 2, ..Budget::default() };
    assert_eq!(read_within(&pdf::new(&parts), "a.pdf", two).unwrap_err().kind, ReasonKind::TooLarge);
}

#[test]
fn archives_and_other_files_say_what_they_are() {
    let inner = zip(&[("a.txt", b"text", true)]);
    let nested = zip(&[("inner.zip", &inner, false)]);
    let unsupported: [(&[u8], &str); 6] = [
        (&nested, "archive"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "picture"),
        (b"{\\rtf1 text}", "RTF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "old Office"),
        (&zip(&[("xl/workbook.xml", b"", true)]), "spreadsheet"),
        (b"\0\x01\x02\x03binary\0\0", "not a text"),
    ];
    for (bytes, word) in unsupported {
        let reason = read(bytes, "a.docx").unwrap_err();
        assert_eq!(reason.kind, ReasonKind::Unsupported);
        assert!(reason.sentence.contains(word), "{reason}");
    }
    let mut locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    locked.extend("EncryptedPackage".bytes().flat_map(|b| [b, 0]));
    assert_eq!(kind(&locked, "a.docx"), Some(ReasonKind::Encrypted));
    let locked = String::from_utf8_lossy(&pdf::page(b"")).replace("/Root", "/Encrypt 9 0 R/Root");
    assert_eq!(kind(locked.as_bytes(), "a.pdf"), Some(ReasonKind::Encrypted));
    assert_eq!(kind(&pdf::page(b"q 1 0 0 1 0 0 cm /Im Do Q"), "a.pdf"), Some(ReasonKind::NoText));
    for empty in [&b""[..], b" \n\t ", b"\xef\xbb\xbf", b"<html><script>x</script></html>"] {
        assert_eq!(kind(empty, "a.txt"), Some(ReasonKind::Empty));
    }
}

#[test]
fn entities_do_not_multiply() {
    let mut laughs = String::from("<?xml version=\"1.0\"?><!DOCTYPE w [<!ENTITY l0 \"ha\">");
    for level in 1..40 {
        laughs.push_str(&format!("<!ENTITY l{level} \"&l{0};&l{0};&l{0};\">", level - 1));
    }
    laughs.push_str("]><w:document><w:body><w:p><w:r><w:t>&l39;</w:t></w:r></w:p></w:body></w:document>");
    let file = zip(&[("[Content_Types].xml", b"", true), ("word/document.xml", laughs.as_bytes(), true)]);
    assert_eq!(kind(&file, "a.docx"), Some(ReasonKind::Broken));
    let outside = samples::word("<w:p><w:r><w:t>a&outside;b</w:t></w:r></w:p>");
    assert_eq!(read(&outside, "a.docx").unwrap().text, "ab");
}

#[test]
fn nesting_ends_somewhere() {
    let deep = samples::word(&"<w:p><w:r>".repeat(50_000));
    assert_eq!(kind(&deep, "a.docx"), Some(ReasonKind::TooDeep));
    for (open, close) in
        [("<div>", "</div>"), ("<ul><li>x", ""), ("<table><tr><td>x", ""), ("<b><p>", "</p>")]
    {
        let page = format!("<html>{}deep{}</html>", open.repeat(100_000), close.repeat(100_000));
        assert!(read(page.as_bytes(), "a.html").is_ok(), "{open}");
    }
    for sign in ["> ", "- ", "[", "*a ", "`", "<b>", "![](", "1. ", "|", "# "] {
        let page = format!("{}deep\n", sign.repeat(100_000));
        let _ = read(page.as_bytes(), "a.md");
        let _ = read(format!("# a\n\n# b\n\n{}", format!("{sign}x\n").repeat(20_000)).as_bytes(), "a.md");
    }
    let arrays = pdf::page(format!("{} Tj", "[".repeat(100_000)).as_bytes());
    assert_eq!(kind(&arrays, "a.pdf"), Some(ReasonKind::TooDeep));
    let dicts = pdf::file(&["<</A".repeat(100_000).into_bytes()]);
    assert_eq!(kind(&dicts, "a.pdf"), Some(ReasonKind::TooDeep));
}

#[test]
fn objects_that_lead_to_themselves_end() {
    // A form that draws itself.
    assert!(read(&pdf::page(b"/X Do"), "a.pdf").unwrap().text.contains("inner"));
    let loops: [&[&str]; 7] = [
        &["<</Type/Catalog/Pages 1 0 R>>"],
        &["1 0 R"],
        &["2 0 R", "1 0 R"],
        &["<</Type/Catalog/Pages 2 0 R>>", "<</Kids[2 0 R 2 0 R 3 0 R]>>", "<</Kids[2 0 R 3 0 R]>>"],
        &["<</Type/Catalog/Pages 2 0 R>>", "<</Kids[3 0 R]>>", "<</Length 3 0 R>>\nstream\nx\nendstream"],
        &["<</Type/Catalog/Pages 2 0 R>>", "<</Kids 2 0 R/Contents 2 0 R>>"],
        &["<</Type/ObjStm/N 9/First 3/Length 1 0 R/Filter 1 0 R>>\nstream\n1 0 \nendstream"],
    ];
    for objects in loops {
        let file = pdf::file(&objects.iter().map(|object| object.as_bytes().to_vec()).collect::<Vec<_>>());
        assert!(kind(&file, "a.pdf").is_some(), "{objects:?}");
    }
    let whole = pdf::page(b"BT /F1 9 Tf (still read) Tj ET");
    for (from, to) in [
        ("<</Size", "<</Prev 0/Size"),
        ("startxref\n", "startxref\n9"),
        ("xref\n0 8", "xref\n0 99999999"),
        ("00000 n", "99999 n"),
        ("/Length", "/Lenght"),
        ("endobj", "endob"),
    ] {
        let damaged = String::from_utf8_lossy(&whole).replace(from, to);
        assert_eq!(read(damaged.as_bytes(), "a.pdf").unwrap().text, "still read", "{to}");
    }
    // One page that names the same drawing a million times.
    let many = pdf::file(&[
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]>>".to_vec(),
        format!("<</Type/Page/Contents[{}]>>", "4 0 R ".repeat(200_000)).into_bytes(),
        pdf::stream("", &b"BT (x) Tj ET ".repeat(1_000)),
    ]);
    assert!(kind(&many, "a.pdf").is_some());
}

#[test]
fn gigantic_fields_and_tags_are_bounded() {
    let field = format!("a,b\n\"{}", "x,\"\"y\n".repeat(1_000_000));
    let _ = read(field.as_bytes(), "a.csv");
    assert_eq!(kind(format!("a,b\n{}", ",".repeat(1_000_000)).as_bytes(), "a.csv"), Some(ReasonKind::Broken));
    let attributes: String = (0..60_000).map(|number| format!(" a{number}")).collect();
    let _ = read(format!("<html><p{attributes}>x</p>").as_bytes(), "a.html");
    let _ = read(format!("<html><p title='{}", "x>".repeat(1_000_000)).as_bytes(), "a.html");
    let _ = read("&amp;<b>".repeat(200_000).as_bytes(), "a.html");
    let long = "word ".repeat(1_000_000);
    assert_eq!(read(long.as_bytes(), "a.md").unwrap().kind, Kind::Markdown);
}

#[test]
fn a_cut_at_any_place_is_survived() {
    let parts = samples::handbook();
    let files = [
        ("a.docx", samples::docx(&parts)),
        ("a.html", samples::html(&parts)),
        ("a.md", samples::markdown(&parts)),
        ("a.csv", samples::csv(&parts)),
        ("new.pdf", pdf::new(&parts)),
        ("old.pdf", pdf::old(&parts)),
    ];
    for (name, bytes) in files {
        for percent in 0..100 {
            let began = Instant::now();
            let _ = read(&bytes[..bytes.len() * percent / 100], name);
            assert!(began.elapsed() < Duration::from_secs(5), "{name} cut at {percent} %");
            // Damage in the middle is as bad as a missing end.
            let mut hurt = bytes.clone();
            let at = bytes.len() * percent / 100;
            for byte in hurt.iter_mut().skip(at).take(16) {
                *byte = byte.wrapping_mul(31).wrapping_add(7);
            }
            let _ = read(&hurt, name);
        }
    }
}

fn starts() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec![
        &b""[..],
        b"%PDF-1.7\n",
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Kids[3 0 R]>>endobj 3 0 obj<</Contents 4 0 R>>endobj 4 0 obj<<>>stream\nBT ",
        b"PK\x03\x04",
        b"<!doctype html><p>",
        b"# a\n# b\n",
        b"a;b;c\n",
        b"\xff\xfe",
    ])
    .prop_map(<[u8]>::to_vec)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_survived(start in starts(), rest in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut bytes = start;
        bytes.extend(rest);
        for name in ["a", "a.csv", "a.md", "a.html"] {
            let _ = read(&bytes, name);
        }
    }

    #[test]
    fn random_signs_are_survived(start in starts(), rest in "[<>/\\[\\]()#*|`\"';, a0R\n\u{e9}-]{0,600}") {
        let mut bytes = start;
        bytes.extend(rest.bytes());
        for name in ["a", "a.csv", "a.md", "a.html"] {
            let _ = read(&bytes, name);
        }
    }
}
