//! One text, written in every format.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

pub(crate) enum Part {
    Heading(u8, String),
    Paragraph(String),
    Item(String),
    Row(Vec<String>),
}

/// A handbook of some thousand words, with letters of several scripts, signs of markup, and words in a fixed but
/// irregular order.
pub(crate) fn handbook() -> Vec<Part> {
    let words: Vec<&str> = "delivery return warranty Köln straße naïve office waffle fluent affinity refund invoice \
        customer order within fourteen days parcel label printer address Ελλάδα Москва price 12.50 € total R&D a<b \
        x*y snake_case co-operate well-known e-mail “quoted” don’t support@example.org https://example.org/a_b \
        section paragraph item number therefore however because another between through"
        .split_whitespace()
        .collect();
    let mut seed = 7_u64;
    let mut pick = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % most
    };
    let mut unique = 0;
    let mut sentence = |length: usize| {
        let mut text = String::from("The");
        for _ in 0..length {
            text.push(' ');
            text.push_str(words[pick(words.len())]);
        }
        unique += 1;
        text.push_str(&format!(" clause{unique}."));
        text
    };
    let mut parts = vec![Part::Heading(1, "Handbook of returns".into())];
    for chapter in 1..=6 {
        parts.push(Part::Heading(2, format!("Chapter {chapter} on sending back")));
        for section in 1..=3 {
            parts.push(Part::Heading(3, format!("Section {chapter} {section} explains")));
            for length in [9, 14, 22] {
                parts.push(Part::Paragraph(format!("{} {}", sentence(length), sentence(length / 2))));
            }
            for _ in 0..3 {
                parts.push(Part::Item(sentence(6)));
            }
        }
        for row in 0..4 {
            parts.push(Part::Row(
                (0..3).map(|cell| format!("cell{chapter}x{row}x{cell} {}", sentence(2))).collect(),
            ));
        }
    }
    parts
}

/// The words of the text in order.
pub(crate) fn words(parts: &[Part]) -> Vec<String> {
    let mut all = String::new();
    for part in parts {
        match part {
            Part::Heading(_, text) | Part::Paragraph(text) | Part::Item(text) => all.push_str(text),
            Part::Row(cells) => all.push_str(&cells.join(" ")),
        }
        all.push('\n');
    }
    split(&all)
}

/// Words as a reader takes them: letters and digits.
pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub(crate) fn html(parts: &[Part]) -> Vec<u8> {
    let mut page = String::from(
        "<!DOCTYPE html><html><head><title>Returns &amp; more</title><style>p{color:red}</style>\
         <script>var hidden = '<p>scripted</p>';</script></head><body><nav><a href=/>navigation</a></nav><main>",
    );
    let mut before = "";
    for part in parts {
        let (open, close, body) = match part {
            Part::Heading(level, text) => ("", "", format!("<h{level}>{}</h{level}>", escaped(text))),
            Part::Paragraph(text) => {
                ("", "", format!("<p>{}", escaped(text).replace("The ", "The\n <b>") + "</b>"))
            }
            Part::Item(text) => ("<ul>", "</ul>", format!("<li>{}", escaped(text))),
            Part::Row(cells) => ("<table>", "</table>", {
                let cells: String =
                    cells.iter().map(|cell| format!("<td><p>{}</p></td>", escaped(cell))).collect();
                format!("<tr>{cells}")
            }),
        };
        if before != close {
            page.push_str(before);
            page.push_str(open);
        }
        before = close;
        page.push_str(&body);
    }
    page.push_str(before);
    page.push_str("</main><div style='display: none'>unseen</div><footer>imprint</footer></body></html>");
    page.into_bytes()
}

pub(crate) fn markdown(parts: &[Part]) -> Vec<u8> {
    let mut page = String::new();
    let mut in_table = false;
    for part in parts {
        let escape = |text: &str| {
            let mut escaped = String::new();
            for c in text.chars() {
                if "*_<>&|\\[]".contains(c) {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
            escaped
        };
        match part {
            Part::Heading(level, text) => {
                page.push_str(&format!("\n{} {}\n\n", "#".repeat(usize::from(*level)), escape(text)));
            }
            Part::Paragraph(text) => {
                page.push_str(&format!("\n{}\n\n", escape(text).replace("The ", "The\n**") + "**"))
            }
            Part::Item(text) => page.push_str(&format!("1. {}\n", escape(text))),
            Part::Row(cells) => {
                let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
                page.push_str(&format!("{}| {} |\n", if in_table { "" } else { "\n" }, cells.join(" | ")));
                if !in_table {
                    page.push_str("|---|---|---|\n");
                }
            }
        }
        in_table = matches!(part, Part::Row(_));
    }
    page.into_bytes()
}

pub(crate) fn csv(parts: &[Part]) -> Vec<u8> {
    let mut table = String::from("\"Kind\",Text,More\r\n");
    for part in parts {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let row = match part {
            Part::Heading(_, text) => format!("heading,{},", quoted(text)),
            Part::Paragraph(text) => format!("paragraph,{},", quoted(&text.replace("The ", "The\r\n"))),
            Part::Item(text) => format!("item,{},", quoted(text)),
            Part::Row(cells) => cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","),
        };
        table.push_str(&row);
        table.push_str("\r\n");
    }
    table.into_bytes()
}

pub(crate) fn plain(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Heading(_, line) | Part::Paragraph(line) => text.push_str(&format!("{line}\n\n")),
            Part::Item(line) => text.push_str(&format!("- {line}\n")),
            Part::Row(cells) => text.push_str(&format!("{}\n\n", cells.join("\t"))),
        }
    }
    text
}

const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";

pub(crate) fn docx(parts: &[Part]) -> Vec<u8> {
    let mut body = String::new();
    let mut in_table = false;
    for part in parts {
        if in_table && !matches!(part, Part::Row(_)) {
            body.push_str("</w:tbl>");
        }
        // Word parts a sentence into runs wherever it likes.
        let runs = |text: &str| {
            let middle = text.ceil_char_boundary(text.len() / 2);
            let (a, b) = text.split_at(middle);
            format!(
                "<w:r><w:t xml:space=\"preserve\">{}</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r>\
                 <w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">{}</w:t></w:r><w:del><w:r><w:delText>gone\
                 </w:delText></w:r></w:del>",
                escaped(a),
                escaped(b)
            )
        };
        match part {
            Part::Heading(level, text) => body.push_str(&format!(
                "<w:p><w:pPr><w:pStyle w:val=\"berschrift{level}\"/></w:pPr>{}</w:p>",
                runs(text)
            )),
            Part::Paragraph(text) => body.push_str(&format!("<w:p>{}</w:p>", runs(text))),
            Part::Item(text) => body.push_str(&format!(
                "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr></w:pPr>{}</w:p>",
                runs(text)
            )),
            Part::Row(cells) => {
                if !in_table {
                    body.push_str("<w:tbl>");
                }
                let cells: String =
                    cells.iter().map(|cell| format!("<w:tc><w:p>{}</w:p></w:tc>", runs(cell))).collect();
                body.push_str(&format!("<w:tr>{cells}</w:tr>"));
            }
        }
        in_table = matches!(part, Part::Row(_));
    }
    if in_table {
        body.push_str("</w:tbl>");
    }
    word(&body)
}

/// A Word file with this body.
pub(crate) fn word(body: &str) -> Vec<u8> {
    let styles: String = (1..=3)
        .map(|level| {
            format!(
                "<w:style w:styleId=\"b{level}\"><w:name w:val=\"heading {level}\"/></w:style>\
                 <w:style w:styleId=\"berschrift{level}\"><w:name w:val=\"Eigene {level}\"/><w:basedOn w:val=\"b{level}\"/></w:style>"
            )
        })
        .collect();
    let notes = "<w:footnote w:type=\"separator\" w:id=\"0\"><w:p/></w:footnote>\
                 <w:footnote w:id=\"2\"><w:p><w:r><w:t>The note itself.</w:t></w:r></w:p></w:footnote>";
    zip(&[
        ("[Content_Types].xml", b"<Types/>", true),
        ("word/styles.xml", format!("<w:styles {W}>{styles}</w:styles>").as_bytes(), true),
        ("word/footnotes.xml", format!("<w:footnotes {W}>{notes}</w:footnotes>").as_bytes(), false),
        (
            "word/document.xml",
            format!("<?xml version=\"1.0\"?><w:document {W}><w:body>{body}</w:body></w:document>").as_bytes(),
            true,
        ),
    ])
}

/// An archive of these parts: name, bytes, packed or not.
pub(crate) fn zip(parts: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    let short = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
    let long = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    for (name, bytes, packed) in parts {
        let mut data = bytes.to_vec();
        if *packed {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(bytes).unwrap();
            data = encoder.finish().unwrap();
        }
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0, if *packed { 8 } else { 0 }, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        common.extend(long(data.len()));
        common.extend(long(bytes.len()));
        common.extend(short(name.len()));
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(long(file.len()));
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(data);
    }
    let at = file.len();
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(short(parts.len()));
    file.extend(short(parts.len()));
    file.extend(long(directory.len()));
    file.extend(long(at));
    file.extend([0, 0]);
    file
}
