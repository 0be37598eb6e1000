//! Small PDFs, written by hand: the old form with tables of references and the new one with streams of objects.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::samples::Part;

/// Characters of a line.
const COLUMN: usize = 70;

pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file of these objects, numbered from 1; the first is the root.
pub(crate) fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n", number + 1).as_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let at = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").as_bytes());
    }
    file.extend(
        format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n", objects.len() + 1).as_bytes(),
    );
    file
}

pub(crate) fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<<{dict}/Length {}>>\nstream\n", data.len()).into_bytes();
    object.extend(data);
    object.extend(b"\nendstream");
    object
}

/// A page that draws this, with a plain font `F1` and a bold one `F2`.
pub(crate) fn page(drawing: &[u8]) -> Vec<u8> {
    file(&[
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R/F2 6 0 R>>/XObject<</X 7 0 R>>>>>>".to_vec(),
        stream("", drawing),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>".to_vec(),
        stream("/Type/XObject/Subtype/Form/Resources<</Font<</F1 5 0 R>>/XObject<</X 7 0 R>>>>", b"/X Do BT /F1 9 Tf (inner) Tj ET /X Do"),
    ])
}

/// A line of text with its size and its place.
struct Line {
    size: u32,
    gap: u32,
    text: String,
}

/// Breaks the text into lines, long words at the line's end with a hyphen.
fn lines(parts: &[Part]) -> Vec<Line> {
    let mut lines = Vec::new();
    for part in parts {
        let (size, text) = match part {
            Part::Heading(1, text) => (22, text.clone()),
            Part::Heading(2, text) => (17, text.clone()),
            Part::Heading(_, text) => (14, text.clone()),
            Part::Paragraph(text) => (10, text.clone()),
            Part::Item(text) => (10, format!("• {text}")),
            Part::Row(cells) => (10, cells.join("   ")),
        };
        let mut gap = size + 12;
        let mut line = String::new();
        for word in text.split(' ') {
            let room = COLUMN.saturating_sub(line.chars().count() + 1);
            if room >= word.chars().count() || line.is_empty() {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(word);
                continue;
            }
            let plain = word.chars().all(|c| c.is_ascii_lowercase());
            let cut = if plain && word.len() >= 8 && room > 5 { 4 } else { 0 };
            if cut > 0 {
                line.push_str(&format!(" {}-", &word[..cut]));
            }
            lines.push(Line { size, gap, text: std::mem::take(&mut line) });
            gap = size + 2;
            line.push_str(&word[cut..]);
        }
        lines.push(Line { size, gap, text: line });
    }
    lines
}

/// The lines of each page with their heights.
fn pages(parts: &[Part]) -> Vec<Vec<(u32, Line)>> {
    let mut pages = vec![Vec::new()];
    let mut height = 780;
    for line in lines(parts) {
        if height < 60 + line.gap {
            pages.push(Vec::new());
            height = 780;
        }
        height -= line.gap;
        pages.last_mut().unwrap().push((height, line));
    }
    pages
}

/// Old form: Helvetica, literal strings in Windows' letters where they suffice.
pub(crate) fn old(parts: &[Part]) -> Vec<u8> {
    let mut objects = vec![b"<</Type/Catalog/Pages 2 0 R>>".to_vec(), Vec::new()];
    objects.push(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec());
    let mut kids = String::new();
    for page in pages(parts) {
        let mut drawing = b"BT ".to_vec();
        for (height, line) in page {
            drawing.extend(format!("/F1 {} Tf 1 0 0 1 50 {height} Tm (", line.size).as_bytes());
            for byte in windows(&line.text) {
                if matches!(byte, b'(' | b')' | b'\\') {
                    drawing.push(b'\\');
                }
                drawing.push(byte);
            }
            drawing.extend(b") Tj\n");
        }
        drawing.extend(b"ET");
        objects.push(stream("", &drawing));
        let contents = objects.len();
        objects.push(format!("<</Type/Page/Contents {contents} 0 R>>").into_bytes());
        kids.push_str(&format!("{} 0 R ", objects.len()));
    }
    objects[1] = format!("<</Type/Pages/Kids[{kids}]/Resources<</Font<</F1 3 0 R>>>>>>").into_bytes();
    file(&objects)
}

/// Windows-1252 as far as the sample needs it.
fn windows(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| match c {
            '€' => 0x80,
            '“' => 0x93,
            '”' => 0x94,
            '’' => 0x92,
            '•' => 0x95,
            c => u8::try_from(u32::from(c)).unwrap_or(b'?'),
        })
        .collect()
}

/// New form: composite fonts with their own codes and a map to characters, ligatures, kerning, packed streams,
/// objects in streams, references in a stream with a predictor.
pub(crate) fn new(parts: &[Part]) -> Vec<u8> {
    let mut codes: Vec<String> = vec![String::new()];
    let mut code_of = |text: &str| {
        codes.iter().position(|known| known == text).unwrap_or_else(|| {
            codes.push(text.to_owned());
            codes.len() - 1
        })
    };
    let mut streams = Vec::new();
    for page in pages(parts) {
        let mut drawing = String::from("q 0.5 0 0 0.5 0 0 cm BT ");
        for (height, line) in page {
            drawing.push_str(&format!("/F1 {} Tf 1 0 0 1 100 {} Tm [", line.size * 2, height * 2));
            let mut rest = line.text.as_str();
            let mut count = 0;
            while !rest.is_empty() {
                let ligature = ["ffi", "ffl", "fi", "fl", "ff"].into_iter().find(|l| rest.starts_with(l));
                let unit = ligature.unwrap_or(&rest[..rest.chars().next().unwrap().len_utf8()]);
                rest = &rest[unit.len()..];
                count += 1;
                if unit == " " {
                    // Many makers draw no space, they move.
                    drawing.push_str(" -300 ");
                } else {
                    drawing.push_str(&format!(
                        "<{:04x}>{}",
                        code_of(unit),
                        if count % 3 == 0 { " 20 " } else { "" }
                    ));
                }
            }
            drawing.push_str("] TJ\n");
        }
        drawing.push_str("ET Q");
        streams.push(stream("/Filter/FlateDecode", &packed(drawing.as_bytes())));
    }
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin begincmap\n1 begincodespacerange <0000><ffff> endcodespacerange\n",
    );
    for (start, chunk) in codes.chunks(100).enumerate() {
        map.push_str(&format!("{} beginbfchar\n", chunk.len()));
        for (offset, text) in chunk.iter().enumerate() {
            let units: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
            map.push_str(&format!("<{:04x}> <{units}>\n", start * 100 + offset));
        }
        map.push_str("endbfchar\n");
    }
    map.push_str("endcmap end");
    // Streams stay outside: 1 is the map, then the drawings. All else goes into a stream of objects.
    streams.insert(0, stream("/Filter[/FlateDecode]", &packed(map.as_bytes())));
    let first = streams.len() + 1;
    let drawings = streams.len() - 1;
    let mut inner = vec![
        format!("<</Type/Catalog/Pages {} 0 R>>", first + 1),
        String::new(),
        format!(
            "<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 1 0 R/DescendantFonts[{} 0 R]>>",
            first + 3
        ),
        "<</Type/Font/Subtype/CIDFontType2/DW 500>>".to_owned(),
    ];
    let mut kids = String::new();
    for drawing in 0..drawings {
        inner.push(format!("<</Type/Page/Contents {} 0 R>>", drawing + 2));
        kids.push_str(&format!("{} 0 R ", first + inner.len() - 1));
    }
    inner[1] = format!("<</Type/Pages/Kids[{kids}]/Resources<</Font<</F1 {} 0 R>>>>>>", first + 2);
    let (mut index, mut data) = (String::new(), String::new());
    for (offset, object) in inner.iter().enumerate() {
        index.push_str(&format!("{} {} ", first + offset, data.len()));
        data.push_str(object);
        data.push('\n');
    }
    let holder = first + inner.len();
    let body = packed(format!("{index}{data}").as_bytes());
    let dict = format!("/Type/ObjStm/N {}/First {}/Filter/FlateDecode", inner.len(), index.len());
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut rows: Vec<[u8; 6]> = vec![[0; 6]];
    let put = |object: &[u8], file: &mut Vec<u8>, number: usize| {
        let place = u32::try_from(file.len()).unwrap().to_be_bytes();
        file.extend(format!("{number} 0 obj\n").as_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
        [1, place[0], place[1], place[2], place[3], 0]
    };
    for (offset, object) in streams.iter().enumerate() {
        rows.push(put(object, &mut file, offset + 1));
    }
    for offset in 0..inner.len() {
        let holder = u32::try_from(holder).unwrap().to_be_bytes();
        rows.push([2, holder[0], holder[1], holder[2], holder[3], u8::try_from(offset).unwrap()]);
    }
    rows.push(put(&stream(&dict, &body), &mut file, holder));
    let at = file.len();
    let mut predicted = Vec::new();
    let mut above = [0_u8; 6];
    for row in &rows {
        predicted.push(2);
        predicted.extend(row.iter().zip(above).map(|(byte, up)| byte.wrapping_sub(up)));
        above = *row;
    }
    let dict = format!(
        "/Type/XRef/Size {}/W[1 4 1]/Root {first} 0 R/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 6>>",
        rows.len()
    );
    put(&stream(&dict, &packed(&predicted)), &mut file, holder + 1);
    file.extend(format!("startxref\n{at}\n%%EOF").as_bytes());
    file
}
