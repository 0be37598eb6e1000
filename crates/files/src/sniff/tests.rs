//! What is taken for what, whole and in pieces.

use proptest::prelude::*;

use super::*;

fn judge(allowed: &Arc<Allowed>, name: &str, content: &[u8], step: usize) -> Result<&'static str> {
    let mut judge = Judge::new(allowed, name);
    for piece in content.chunks(step.max(1)) {
        judge.take(piece)?;
    }
    judge.finish()
}

fn standard() -> Arc<Allowed> {
    Arc::new(Allowed::new(&["image/*", "application/pdf", "text/*"]))
}

fn everything() -> Arc<Allowed> {
    Arc::new(Allowed::new(&KNOWN.iter().map(|(known, _)| *known).collect::<Vec<_>>()))
}

fn found(name: &str, content: &[u8]) -> &'static str {
    let whole = judge(&everything(), name, content, usize::MAX).unwrap();
    for step in [1, 2, 3, 7, 4_096] {
        assert_eq!(judge(&everything(), name, content, step).unwrap(), whole, "{name} in steps of {step}");
    }
    whole
}

fn png() -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0; 64]].concat()
}

/// The end record of an archive without files.
fn archive_end(comment: &[u8]) -> Vec<u8> {
    let length = u16::try_from(comment.len()).unwrap().to_le_bytes();
    [b"PK\x05\x06".as_slice(), &[0; 16], &length, comment].concat()
}

#[test]
fn formats_are_told_apart_by_their_content() {
    for (content, wanted) in [
        (png(), "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec(), "image/jpeg"),
        (b"GIF89a\x01\0\x01\0\x80\0\0".to_vec(), "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 \0\0".to_vec(), "image/webp"),
        (b"\0\0\0\x20ftypavif\0\0\0\0".to_vec(), "image/avif"),
        (b"\0\0\0\x20ftypheic\0\0\0\0".to_vec(), "image/heic"),
        (b"%PDF-1.7\n\x00\xff".to_vec(), "application/pdf"),
        (b"%PDF-1.7 of nothing but text".to_vec(), "application/pdf"),
        (b"PK\x03\x04\x14\0\0\0\0\0".to_vec(), "application/zip"),
        (b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff".to_vec(), "application/vnd.microsoft.portable-executable"),
        (b"\x7fELF\x02\x01\x01\0".to_vec(), "application/x-elf"),
        (b"\0\x01\x02\x03".to_vec(), BINARY),
        (b"MZ motorcycles were built in Zschopau.".to_vec(), "text/plain"),
        (b"BM is a company.".to_vec(), "text/plain"),
        (b"GIF89a=1;alert(document.domain)//".to_vec(), BINARY),
        (b"".to_vec(), "text/plain"),
        (b"\n".to_vec(), "text/plain"),
        (b"\0".to_vec(), BINARY),
    ] {
        assert_eq!(found("x.png", &content), wanted, "{:?}", String::from_utf8_lossy(&content));
    }
}

#[test]
fn texts_of_every_usual_encoding_are_texts() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let mark = if big { vec![0xfe, 0xff] } else { vec![0xff, 0xfe] };
        let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect()
    };
    for content in [
        "plain".as_bytes().to_vec(),
        "üben, 学习, 🦊".as_bytes().to_vec(),
        b"gr\xfc\xdfe aus K\xf6ln".to_vec(),
        utf16("little 🦊", false),
        utf16("big 学习", true),
        b"\x1b[31mcolours\x1b[0m\x0c".to_vec(),
        "ü".repeat(20_000).into_bytes(),
    ] {
        assert_eq!(found("x", &content), "text/plain");
    }
    for content in
        [&utf16("a\0b", false)[..], b"\xff\xfea", b"\xff\xfe\x00\xd8a\0", b"text\0more", b"\x08\x08"]
    {
        assert_eq!(found("x", content), BINARY, "{content:?}");
    }
    let mut late = "text ".repeat(10_000).into_bytes();
    late.push(0);
    assert_eq!(found("x", &late), BINARY, "the last byte counts like the first");
    assert_eq!(found("a.MD", b"# hello"), "text/markdown");
    assert_eq!(found("a.csv", b"a,b"), "text/csv");
    assert_eq!(found("a.png", b"a,b"), "text/plain");
}

#[test]
fn what_browsers_run_is_known_however_it_begins() {
    for content in [
        "<!DOCTYPE html><p>x",
        "<html>",
        "<HTML ",
        "  \r\n\t<script>alert(1)</script>",
        "\u{feff}<body onload=x>",
        "<!-- harmless --><script>",
        "<!-- a --> <!-- b -->\n<iframe src=x>",
        "<div>",
        "<img src=x onerror=alert(1)>",
        "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\">",
    ] {
        assert_eq!(found("note.txt", content.as_bytes()), "text/html", "{content}");
        assert!(judge(&standard(), "note.txt", content.as_bytes(), 5).is_err(), "{content}");
    }
    for content in [
        "<svg onload=alert(1)>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"x\" \"y\">\n<svg xmlns=\"http://www.w3.org/2000/svg\">",
        "<!DOCTYPE svg [ <!ENTITY a \"<p>\"> ]><svg>",
        "<!-- x --><s:svg xmlns:s=\"http://www.w3.org/2000/svg\">",
    ] {
        assert_eq!(found("picture.png", content.as_bytes()), "image/svg+xml", "{content}");
        assert!(judge(&standard(), "picture.png", content.as_bytes(), 5).is_err(), "{content}");
    }
    for content in
        ["<?xml version=\"1.0\"?><feed>", "<?php echo 1 ?>", "<!-- only a comment", "<feed xmlns=\"x\">"]
    {
        assert_eq!(found("note.txt", content.as_bytes()), "text/xml", "{content}");
    }
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("<script>".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(found("note.txt", &wide), "text/html");
    // Notes begin with pieces of HTML, and mails and code with angle brackets.
    assert_eq!(found("README.md", b"<p align=\"center\">\n# Title"), "text/markdown");
    assert_eq!(found("README.md", b"<!-- badges -->\n# Title"), "text/markdown");
    assert_eq!(found("README.md", b"<script>"), "text/html");
    assert_eq!(found("mail.txt", b"<ann@example.org> wrote:"), "text/plain");
    assert_eq!(found("code.txt", b"a < b && c > d"), "text/plain");
}

#[test]
fn wildcards_take_what_is_harmless_and_names_take_what_they_name() {
    let allowed = standard();
    for taken in ["image/png", "image/jpeg", "application/pdf", "text/plain", "text/markdown", "text/csv"] {
        assert!(allowed.takes(taken), "{taken}");
    }
    for refused in ["image/svg+xml", "text/html", "text/xml", "application/zip", BINARY] {
        assert!(!allowed.takes(refused), "{refused}");
    }
    assert_eq!(Allowed::new(&["image/svg+xml"]).types(), ["image/svg+xml"]);
    assert!(!Allowed::new(&["application/*"]).takes("application/x-elf"));
    assert!(Allowed::new(&["application/*"]).takes("application/zip"));
    assert!(Allowed::new(&["*/*", "font/woff", "image"]).types().is_empty());
}

#[test]
fn refusals_come_early_and_say_what_it_is() {
    let allowed = standard();
    let mut judge = Judge::new(&allowed, "photo.png");
    let program = [b"MZ\x90\0".as_slice(), &[0; HEAD]].concat();
    let fault = judge.take(&program).unwrap_err();
    assert_eq!(fault.code(), Code::UnsupportedType);
    assert!(
        fault.message().contains("portable-executable") && fault.message().contains("image/*"),
        "{fault}"
    );
    let pictures = Arc::new(Allowed::new(&["image/*"]));
    assert!(Judge::new(&pictures, "x").take(&[b'a'; HEAD]).is_err(), "a text can not become a picture");
    let mut judge = Judge::new(&allowed, "x.txt");
    judge.take(&[b'a'; 2 * HEAD]).unwrap();
    assert!(judge.take(b"\0").is_err());
}

#[test]
fn a_document_that_is_an_archive_too_is_refused() {
    let allowed = standard();
    for document in [png(), b"%PDF-1.4\n\0".to_vec(), b"a plain note\n".to_vec()] {
        for comment in [&b""[..], b"a comment", &[b'c'; 65_535]] {
            let both = [document.clone(), vec![b' '; 100_000], archive_end(comment)].concat();
            assert!(judge(&allowed, "x.png", &both, 4_096).is_err());
            assert!(judge(&allowed, "x.png", &both, usize::MAX).is_err());
        }
    }
    // The letters alone, or a record that ends elsewhere, are nothing.
    let near = [png(), archive_end(b"x"), b"more".to_vec()].concat();
    assert_eq!(judge(&allowed, "x.png", &near, 7).unwrap(), "image/png");
}

proptest! {
    #[test]
    fn the_pieces_make_no_difference(content in prop::collection::vec(any::<u8>(), 0..3_000), steps in prop::collection::vec(1_usize..700, 1..9)) {
        let allowed = everything();
        let whole = judge(&allowed, "x", &content, usize::MAX).ok();
        let mut judge = Judge::new(&allowed, "x");
        let (mut rest, mut steps) = (content.as_slice(), steps.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*steps.next().unwrap()));
            judge.take(now).unwrap();
            rest = later;
        }
        prop_assert_eq!(judge.finish().ok(), whole);
    }
}
