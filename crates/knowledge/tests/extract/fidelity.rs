//! The same text out of every format: at least 99 % of its words, in their order.

use knowledge::extract::{BlockKind, Extracted, Kind};

use crate::samples::{self, Part};
use crate::{pdf, read};

/// The share of `wanted` that `found` holds in the same order: their longest common subsequence.
fn recall(wanted: &[String], found: &[String]) -> f64 {
    let mut row = vec![0_u32; found.len() + 1];
    for word in wanted {
        let mut corner = 0;
        for (at, other) in found.iter().enumerate() {
            let up = row[at + 1];
            row[at + 1] = if word == other { corner + 1 } else { up.max(row[at]) };
            corner = up;
        }
    }
    f64::from(row[found.len()]) / wanted.len() as f64
}

fn texts(found: &Extracted, kind: BlockKind) -> Vec<&str> {
    let of_kind = found.blocks.iter().filter(|block| block.kind == kind);
    of_kind.map(|block| &found.text[block.range.clone()]).collect()
}

fn expect(name: &str, bytes: &[u8], kind: Kind, parts: &[Part]) -> Extracted {
    let found = read(bytes, name).unwrap_or_else(|reason| panic!("{name}: {reason}"));
    assert_eq!(found.kind, kind, "{name}");
    let words = samples::words(parts);
    let share = recall(&words, &samples::split(&found.text));
    println!("{name}: recall {share:.4}, {} blocks", found.blocks.len());
    assert!(share >= 0.99, "{name}: recall {share}");
    for hidden in ["scripted", "navigation", "unseen", "imprint", "gone"] {
        assert!(!found.text.contains(hidden), "{name} shows {hidden}");
    }
    found
}

#[test]
fn every_format_gives_the_words_in_their_order() {
    let parts = samples::handbook();
    let headings = parts.iter().filter(|part| matches!(part, Part::Heading(..))).count();
    let items = parts.iter().filter(|part| matches!(part, Part::Item(_))).count();
    let rows = parts.iter().filter(|part| matches!(part, Part::Row(_))).count();
    let structured = [
        ("a.docx", samples::docx(&parts), Kind::Docx),
        ("a.html", samples::html(&parts), Kind::Html),
        ("a.md", samples::markdown(&parts), Kind::Markdown),
    ];
    for (name, bytes, kind) in structured {
        let found = expect(name, &bytes, kind, &parts);
        let levels: Vec<usize> =
            (1..=3).map(|level| texts(&found, BlockKind::Heading(level)).len()).collect();
        assert_eq!(levels, [1, 6, headings - 7], "{name}");
        assert_eq!(texts(&found, BlockKind::ListItem).len(), items, "{name}");
        assert_eq!(texts(&found, BlockKind::TableRow).len(), rows, "{name}");
        let title = if kind == Kind::Html { "Returns & more" } else { "Handbook of returns" };
        assert_eq!(found.title, title);
    }
    expect("a.csv", &samples::csv(&parts), Kind::Csv, &parts);
    expect("a.txt", samples::plain(&parts).as_bytes(), Kind::Text, &parts);
}

#[test]
fn pdfs_give_the_words_in_their_order() {
    let parts = samples::handbook();
    let found = expect("new.pdf", &pdf::new(&parts), Kind::Pdf, &parts);
    assert_eq!(texts(&found, BlockKind::Heading(1)), ["Handbook of returns"]);
    assert_eq!(texts(&found, BlockKind::Heading(2)).len(), 6);
    assert_eq!(texts(&found, BlockKind::Heading(3)).len(), 18);
    assert_eq!(texts(&found, BlockKind::ListItem).len(), 54);
    let pages: Vec<u32> = found.blocks.iter().map(|block| block.page.unwrap()).collect();
    assert!(pages.is_sorted() && pages[0] == 1 && *pages.last().unwrap() > 3);

    // Windows' letters only: the others were never in the file.
    let parts = parts
        .into_iter()
        .map(|part| {
            let latin = |text: String| text.replace("Ελλάδα", "Hellas").replace("Москва", "Moskva");
            match part {
                Part::Heading(level, text) => Part::Heading(level, latin(text)),
                Part::Paragraph(text) => Part::Paragraph(latin(text)),
                Part::Item(text) => Part::Item(latin(text)),
                Part::Row(cells) => Part::Row(cells.into_iter().map(latin).collect()),
            }
        })
        .collect::<Vec<_>>();
    let found = expect("old.pdf", &pdf::old(&parts), Kind::Pdf, &parts);
    assert_eq!(texts(&found, BlockKind::Heading(2)).len(), 6);
}

#[test]
fn the_content_decides_and_not_the_name() {
    let parts = samples::handbook();
    for name in ["a.txt", "a.exe", "a", "a.pdf", "../../etc/passwd.csv"] {
        assert_eq!(read(&samples::docx(&parts), name).unwrap().kind, Kind::Docx);
        assert_eq!(read(&pdf::new(&parts), name).unwrap().kind, Kind::Pdf);
        assert_eq!(read(&samples::html(&parts), name).unwrap().kind, Kind::Html);
    }
    assert_eq!(read(b"just a sentence, with a comma.\nAnd one more.", "a.html").unwrap().kind, Kind::Text);
    assert_eq!(read(b"id;name;price\n1;lamp;20\n2;table;30\n", "export").unwrap().kind, Kind::Csv);
    assert_eq!(read(b"# Title\n\ntext\n\n## More\n", "README").unwrap().kind, Kind::Markdown);
}

#[test]
fn texts_of_many_encodings_are_read() {
    let wide =
        |bytes: fn(u16) -> [u8; 2]| "Größe: 5 μm, naïve".encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let mut marked = vec![0xff, 0xfe];
    marked.extend(wide(u16::to_le_bytes));
    let mut big = vec![0xfe, 0xff];
    big.extend(wide(u16::to_be_bytes));
    for bytes in [marked, big, b"\xef\xbb\xbfGr\xc3\xb6\xc3\x9fe: 5 \xce\xbcm, na\xc3\xafve".to_vec()] {
        assert_eq!(read(&bytes, "a.txt").unwrap().text, "Größe: 5 μm, naïve");
    }
    let german =
        b"Die Stra\xdfe ist f\xfcr gr\xf6\xdfere Fahrzeuge gesperrt. \xdcber die Br\xfccke geht es weiter.";
    assert_eq!(
        read(german, "a.txt").unwrap().text,
        "Die Straße ist für größere Fahrzeuge gesperrt. Über die Brücke geht es weiter."
    );
    let russian =
        b"<html><head><meta charset=\"koi8-r\"></head><body><p>\xec\xcf\xd3\xcb\xd7\xc1</p></body></html>";
    assert_eq!(read(russian, "a.html").unwrap().text, "Лосква");
}

#[test]
fn a_row_of_a_table_says_what_its_values_mean() {
    let table = b"Name;Price;Note\n\"Lamp \"\"Sol\"\"\";20;\nTable;30;\"oak; solid\"\n";
    let found = read(table, "prices.csv").unwrap();
    assert_eq!(found.text, "Name: Lamp \"Sol\"; Price: 20\n\nName: Table; Price: 30; Note: oak; solid");
    assert_eq!(found.title, "prices");
    let found = read(b"Name,Price\nLamp\nTable,30,oak\n", "a.csv").unwrap();
    assert_eq!(found.warnings.len(), 1, "{found:?}");
}

#[test]
fn word_files_keep_their_notes_and_lose_what_is_said_twice() {
    let body = "<w:p><w:r><w:t>Paid back</w:t></w:r><w:r><w:footnoteReference w:id=\"2\"/></w:r><w:r><w:t>, always.\
        </w:t></w:r></w:p><w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p>\
        </w:txbxContent></mc:Choice><mc:Fallback><w:p><w:r><w:t>boxed</w:t></w:r></w:p></mc:Fallback>\
        </mc:AlternateContent><w:t>around &amp; &#x2014; on</w:t></w:r></w:p>";
    let found = read(&samples::word(body), "a.docx").unwrap();
    assert_eq!(found.text, "Paid back[2], always.\n\n[2] The note itself.\n\nboxed\n\naround & — on");
}

#[test]
fn pages_of_the_web_give_what_a_reader_sees() {
    let page = "<title>T</title><body><h1>Returns<span hidden> secretly</span></h1><p>First<br>second &auml;<p \
        aria-hidden=true>not me<p>third <b style='visibility : hidden'>nor me</b>x<ul><li>one<ul><li>inner</ul><li>two</ul>\
        <ol><li>a<li>b</ol><pre>\n  let a;\n    b</pre><blockquote>said</blockquote><textarea>form</textarea>\
        <table><tr><th>A<th>B<tr><td>1<td>2</table>";
    let found = read(page.as_bytes(), "a.html").unwrap();
    assert_eq!(
        found.text,
        "Returns\n\nFirst\nsecond ä\n\nthird x\n\n- one\n- inner\n- two\n1. a\n2. b\n\n  let a;\n    b\n\nsaid\n\nform\n\nA | B\n\n1 | 2"
    );
}

#[test]
fn two_columns_are_read_one_after_the_other() {
    let mut drawing = String::from("BT /F1 10 Tf ");
    for (x, words) in [(50, "left"), (320, "right")] {
        for row in 0..20 {
            drawing.push_str(&format!("1 0 0 1 {x} {} Tm ({words} line {row} goes) Tj ", 700 - row * 12));
        }
    }
    let found = read(&pdf::page(drawing.as_bytes()), "a.pdf").unwrap();
    let last_left = found.text.find("left line 19").unwrap();
    assert!(last_left < found.text.find("right line 0").unwrap());

    // Drawn all over the page, the lines are put in order.
    let mut drawing = String::from("BT /F1 10 Tf ");
    for row in 0..30 {
        let place = row * 7 % 30;
        drawing.push_str(&format!("1 0 0 1 50 {} Tm (line {place} here) Tj ", 700 - place * 12));
    }
    let found = read(&pdf::page(drawing.as_bytes()), "a.pdf").unwrap();
    let order: Vec<usize> =
        (0..30).map(|row| found.text.find(&format!("line {row} here")).unwrap()).collect();
    assert!(order.is_sorted());
}

#[test]
fn words_parted_at_a_line_end_are_joined_and_ornaments_left_out() {
    let drawing = b"BT /F1 10 Tf 14 TL 50 700 Td (A well-known satis-) Tj T* (faction, a well-) Tj T* (known \\223price\\224 \\050net\\051.) Tj \
        /Artifact BMC T* (Page 1 of 1) Tj EMC ET BI /W 2 /H 2 ID \x00(Tj) EI BT /F2 10 Tf 50 600 Td (Bold title) Tj /F1 10 Tf 0 -20 Td [(W)80(e)-250(do)] TJ ET";
    let found = read(&pdf::page(drawing), "a.pdf").unwrap();
    assert_eq!(found.text, "A well-known satisfaction, a well-known “price” (net).\n\nBold title\n\nWe do");
    assert_eq!(texts(&found, BlockKind::Heading(1)), ["Bold title"]);
}
