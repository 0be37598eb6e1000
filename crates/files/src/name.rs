//! Names and folders as labels: what people call a file, made harmless. A label is never part of a path on the disk; it
//! is shown, searched, and suggested to the browser that saves the file.

use kernel::{Fault, Result};
use unicode_normalization::UnicodeNormalization as _;

/// The longest name in bytes, as most file systems have it.
pub const LONGEST: usize = 255;
/// The longest folder in bytes.
pub const LONGEST_FOLDER: usize = 1_024;
/// How deep folders go.
const DEEPEST: usize = 32;
/// An ending up to this long survives when a name is cut.
const ENDING: usize = 24;
/// What a file without a usable name is called.
const NAMELESS: &str = "unnamed";

/// The label of a file: what stands after the last slash of whatever a client sends, composed (NFC), without what
/// cannot be seen or turns the direction of writing, with `_` for what some system cannot store in a name, and at most
/// [`LONGEST`] bytes long. Never empty.
pub fn label(raw: &str) -> String {
    let last = raw.trim_end_matches(is_slash).rsplit(is_slash).next().unwrap_or_default();
    let name = clean(last);
    if name.is_empty() { NAMELESS.to_owned() } else { shorten(name) }
}

/// The label of a folder: its parts joined by `/`, each like the label of a file; empty for none. `invalid_input` when
/// it is too long or too deep: cut, it would be another folder.
pub fn folder(raw: &str) -> Result<String> {
    let parts: Vec<String> = raw.split(is_slash).map(clean).filter(|part| !part.is_empty()).collect();
    let too_long = parts.iter().any(|part| part.len() > LONGEST) || parts.len() > DEEPEST;
    let folder = parts.join("/");
    if too_long || folder.len() > LONGEST_FOLDER {
        let say = "a folder has at most 32 parts of 255 bytes, and 1024 bytes in all";
        return Err(Fault::invalid("folder", "too_long", say));
    }
    Ok(folder)
}

const fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\\')
}

/// One part without what harms; empty when nothing is left, or when it only points somewhere.
fn clean(part: &str) -> String {
    let kept: String = part
        .nfc()
        .filter(|c| !is_invisible(*c))
        .map(|c| if matches!(c, '<' | '>' | '"' | '|' | '?' | '*' | ':' | '/' | '\\') { '_' } else { c })
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    // Spaces and dots at the end are lost on some systems; dots alone point to folders.
    let trimmed = kept.trim().trim_end_matches(['.', ' ']);
    let stem = trimmed.split('.').next().unwrap_or_default().trim_end();
    if is_device(stem) { format!("_{trimmed}") } else { trimmed.to_owned() }
}

/// Controls, marks of direction, and what has no width; the joiners that some scripts and emoji need stay.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Names that mean devices on Windows, whatever their ending.
fn is_device(stem: &str) -> bool {
    let upper = stem.to_ascii_uppercase();
    let numbered =
        |kind: &str| upper.strip_prefix(kind).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']));
    matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// At most [`LONGEST`] bytes; the ending stays.
fn shorten(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let ending = name.rfind('.').map(|at| name.split_at(at).1).filter(|ending| ending.len() <= ENDING);
    let ending = ending.unwrap_or_default();
    let room = LONGEST - ending.len();
    let cut = (0..=room).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let stem = name.get(..cut).unwrap_or_default().trim_end();
    format!("{stem}{ending}")
}

/// The value of `Content-Disposition` that has a browser save the file under this name (RFC 6266, RFC 8187): a plain
/// form for old clients and the whole name for all others. ASCII without quotes or controls inside, whatever the name.
pub fn attachment(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%' | ';') { c } else { '_' };
    let plain: String = name.chars().map(|c| if c == ' ' { ' ' } else { plain(c) }).collect();
    let mut whole = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            whole.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_names_become_labels() {
        for (raw, wanted) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system.ini", "system.ini"),
            ("C:\\fakepath\\photo.png", "photo.png"),
            ("folder/", "folder"),
            ("..", "unnamed"),
            ("...", "unnamed"),
            ("", "unnamed"),
            ("\0\0", "unnamed"),
            ("<svg onload=alert(1)>.txt", "_svg onload=alert(1)_.txt"),
            ("\"><script>alert(1)</script>.png", "script_.png"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\0b\r\nc\u{7f}.txt", "abc.txt"),
            ("zero\u{200b}width\u{feff}.md", "zerowidth.md"),
            ("trailing. . ", "trailing"),
            ("con.txt", "_con.txt"),
            ("COM1", "_COM1"),
            ("comet.txt", "comet.txt"),
            ("u\u{308}ber.txt", "über.txt"),
            ("العربية.pdf", "العربية.pdf"),
            ("👩\u{200d}👩\u{200d}👧.jpg", "👩\u{200d}👩\u{200d}👧.jpg"),
            ("tab\there\u{a0}too", "tabhere too"),
            (".hidden", ".hidden"),
        ] {
            assert_eq!(label(raw), wanted, "{raw:?}");
        }
    }

    #[test]
    fn long_names_keep_their_ending_and_whole_characters() {
        for name in ["x".repeat(5_000) + ".pdf", "ü".repeat(400) + ".pdf", "\u{1f98a}".repeat(200) + ".pdf"]
        {
            let label = label(&name);
            assert!(label.len() <= LONGEST && label.len() > LONGEST - 8, "{}", label.len());
            assert!(label.ends_with(".pdf"));
        }
        assert_eq!(label(&("x.".to_owned() + &"y".repeat(500))).len(), LONGEST);
        assert_eq!(label(&"x".repeat(255)).len(), 255);
    }

    #[test]
    fn folders_are_labels_too() {
        for (raw, wanted) in [
            ("", ""),
            ("/", ""),
            ("Photos/2024", "Photos/2024"),
            ("../../etc", "etc"),
            ("a//b\\c/", "a/b/c"),
            ("/a/./b/../c", "a/b/c"),
            ("<b>/x", "_b_/x"),
        ] {
            assert_eq!(folder(raw).unwrap(), wanted, "{raw:?}");
        }
        assert!(folder(&"a/".repeat(33)).is_err());
        assert!(folder(&"a".repeat(256)).is_err());
        assert!(folder(&format!("{0}/{0}/{0}/{0}/{0}", "a".repeat(250))).is_err());
    }

    #[test]
    fn a_browser_is_told_the_whole_name_and_nothing_else() {
        assert_eq!(attachment("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
        assert_eq!(
            attachment("Übung \"1\";x.pdf"),
            "attachment; filename=\"_bung _1__x.pdf\"; filename*=UTF-8''%C3%9Cbung%20%221%22%3Bx.pdf"
        );
    }

    proptest! {
        #[test]
        fn no_name_is_too_long_empty_or_a_path(raw in "\\PC{0,300}|.{0,300}") {
            let label = label(&raw);
            prop_assert!(!label.is_empty() && label.len() <= LONGEST);
            prop_assert!(!label.contains(['/', '\\', '\0', '<', '>', '"']) && label != "." && label != "..");
            prop_assert!(!label.chars().any(is_invisible));
            prop_assert_eq!(super::label(&label), label.clone(), "cleaned twice");
            let header = attachment(&label);
            prop_assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(header.matches('"').count(), 2);
            if let Ok(folder) = super::folder(&raw) {
                prop_assert!(folder.len() <= LONGEST_FOLDER && !folder.split('/').any(|part| part == ".."));
            }
        }
    }
}
