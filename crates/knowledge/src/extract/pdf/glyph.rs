//! From the codes and names of glyphs to characters, where a font brings no map of its own. It owns the tables of
//! the standard encodings and the names.

use encoding_rs::{MACINTOSH, WINDOWS_1252};
use unicode_normalization::UnicodeNormalization as _;

/// The encodings that PDF knows by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Standard,
    Windows,
    Mac,
}

/// The upper half of the standard encoding, from 0xA1 on; blanks are unused codes.
const STANDARD: &str =
    "¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ –†‡· ¶•‚„”»…‰ ¿ `´ˆ˜¯˘˙¨ ˚¸ ˝˛ˇ—                Æ ª    ŁØŒº     æ   ı  łøœß    ";

/// Names of glyphs that are neither a letter nor a letter with an accent.
const NAMES: &str = "space  exclam ! quotedbl \" numbersign # dollar $ percent % ampersand & quotesingle ' \
    quoteright ’ quoteleft ‘ parenleft ( parenright ) asterisk * plus + comma , hyphen - minus − period . slash / \
    zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 colon : semicolon ; less < equal = \
    greater > question ? at @ bracketleft [ backslash \\ bracketright ] asciicircum ^ underscore _ grave ` \
    braceleft { bar | braceright } asciitilde ~ exclamdown ¡ cent ¢ sterling £ fraction ⁄ yen ¥ florin ƒ section § \
    currency ¤ quotedblleft “ quotedblright ” guillemotleft « guillemotright » guilsinglleft ‹ guilsinglright › \
    fi ﬁ fl ﬂ ff ﬀ ffi ﬃ ffl ﬄ endash – emdash — dagger † daggerdbl ‡ periodcentered · middot · paragraph ¶ bullet • \
    quotesinglbase ‚ quotedblbase „ ellipsis … perthousand ‰ questiondown ¿ AE Æ OE Œ ae æ oe œ Oslash Ø oslash ø \
    Lslash Ł lslash ł germandbls ß dotlessi ı ordfeminine ª ordmasculine º Eth Ð eth ð Thorn Þ thorn þ degree ° \
    plusminus ± multiply × divide ÷ onehalf ½ onequarter ¼ threequarters ¾ onesuperior ¹ twosuperior ² \
    threesuperior ³ copyright © registered ® trademark ™ mu µ logicalnot ¬ brokenbar ¦ Euro € nbspace \u{a0} \
    Dcroat Đ dcroat đ Hbar Ħ hbar ħ Eng Ŋ eng ŋ kgreenlandic ĸ lessequal ≤ greaterequal ≥ notequal ≠ infinity ∞ \
    partialdiff ∂ summation ∑ product ∏ integral ∫ radical √ approxequal ≈ lozenge ◊ arrowleft ← arrowright → \
    arrowup ↑ arrowdown ↓ alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ nu ν \
    xi ξ omicron ο pi π rho ρ sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω Alpha Α Beta Β Gamma Γ Delta Δ \
    Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω acute ´ circumflex ˆ tilde ˜ macron ¯ breve ˘ dotaccent ˙ \
    dieresis ¨ ring ˚ cedilla ¸ hungarumlaut ˝ ogonek ˛ caron ˇ";

const ACCENTS: [(&str, char); 14] = [
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circumflex", '\u{302}'),
    ("dieresis", '\u{308}'),
    ("tilde", '\u{303}'),
    ("ring", '\u{30a}'),
    ("cedilla", '\u{327}'),
    ("caron", '\u{30c}'),
    ("macron", '\u{304}'),
    ("breve", '\u{306}'),
    ("ogonek", '\u{328}'),
    ("dotaccent", '\u{307}'),
    ("hungarumlaut", '\u{30b}'),
    ("commaaccent", '\u{326}'),
];

/// The character of a code in a standard encoding.
pub(super) fn of_code(encoding: Encoding, code: u8) -> Option<char> {
    let single = |page: &'static encoding_rs::Encoding| {
        page.decode_without_bom_handling(&[code])
            .0
            .chars()
            .next()
            .filter(|c| !c.is_control() && *c != '\u{fffd}')
    };
    match (encoding, code) {
        (Encoding::Windows, _) => single(WINDOWS_1252),
        (Encoding::Mac, _) => single(MACINTOSH),
        (Encoding::Standard, 0x27) => Some('’'),
        (Encoding::Standard, 0x60) => Some('‘'),
        (Encoding::Standard, 0x20..=0x7e) => Some(char::from(code)),
        (Encoding::Standard, 0xa1..) => STANDARD.chars().nth(usize::from(code) - 0xa1).filter(|c| *c != ' '),
        (Encoding::Standard, _) => None,
    }
}

/// The text of a glyph by its name: `A`, `eacute`, `f_i`, `uni20AC`, `one.tabular`.
pub(super) fn of_name(name: &str) -> Option<String> {
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    let mut text = String::new();
    for part in name.split('_').take(8) {
        text.push_str(&single(part)?);
    }
    (!text.is_empty()).then_some(text)
}

fn single(name: &str) -> Option<String> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next())
        && c.is_ascii_alphabetic()
    {
        return Some(c.to_string());
    }
    let mut names = NAMES.split(' ');
    while let (Some(known), Some(text)) = (names.next(), names.next()) {
        if known == name {
            return Some(if text.is_empty() { " ".to_owned() } else { text.to_owned() });
        }
    }
    for (accent, mark) in ACCENTS {
        if let Some(base) = name.strip_suffix(accent) {
            let base = match base {
                "dotlessi" => "i",
                base if base.len() == 1 => base,
                _ => continue,
            };
            return Some(base.chars().chain([mark]).nfc().collect());
        }
    }
    let digits = name.strip_prefix("uni").or_else(|| name.strip_prefix('u'))?;
    let digits = digits.get(..digits.len().min(if name.starts_with("uni") { 4 } else { 6 }))?;
    if digits.len() < 4 {
        return None;
    }
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).map(String::from)
}

/// How wide a character is in the common sans serif, in thousandths; for fonts that do not say.
pub(super) fn usual_width(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 222.0,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' | 't' | 'f' | '/' | '[' | ']' | '\\' => 278.0,
        '(' | ')' | '-' | 'r' | '`' => 333.0,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 500.0,
        'm' | 'M' => 833.0,
        'w' | 'C' | 'D' | 'H' | 'N' | 'R' | 'U' => 722.0,
        'W' => 944.0,
        'A' | 'B' | 'E' | 'K' | 'P' | 'S' | 'V' | 'X' | 'Y' | '&' => 667.0,
        'G' | 'O' | 'Q' => 778.0,
        'F' | 'T' | 'Z' => 611.0,
        _ => 556.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_encoding_is_in_its_places() {
        let known = [
            (0x27, '’'),
            (0x41, 'A'),
            (0xa1, '¡'),
            (0xae, 'ﬁ'),
            (0xb7, '•'),
            (0xbf, '¿'),
            (0xd0, '—'),
            (0xe1, 'Æ'),
            (0xe8, 'Ł'),
            (0xf5, 'ı'),
            (0xfb, 'ß'),
        ];
        for (code, c) in known {
            assert_eq!(of_code(Encoding::Standard, code), Some(c), "{code:x}");
        }
        for unused in [0x00, 0x80, 0xb0, 0xd1, 0xe0, 0xff] {
            assert_eq!(of_code(Encoding::Standard, unused), None, "{unused:x}");
        }
        assert_eq!(of_code(Encoding::Windows, 0x80), Some('€'));
        assert_eq!(of_code(Encoding::Mac, 0x8a), Some('ä'));
    }

    #[test]
    fn names_are_characters() {
        let known = [
            ("A", "A"),
            ("space", " "),
            ("period", "."),
            ("eacute", "é"),
            ("Ccaron", "Č"),
            ("f_f_i", "ffi"),
            ("uni20AC", "€"),
            ("u1F600", "😀"),
            ("one.tabular", "1"),
            ("gamma", "γ"),
            ("germandbls", "ß"),
            ("minus", "−"),
        ];
        for (name, text) in known {
            assert_eq!(of_name(name).as_deref(), Some(text), "{name}");
        }
        for unknown in ["", ".notdef", "g123", "uniZZ", "unixyz", "−", "u"] {
            assert!(of_name(unknown).is_none_or(|text| text == "u"), "{unknown}");
        }
    }
}
