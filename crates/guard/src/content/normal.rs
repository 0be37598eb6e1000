//! A text as the judges of moderation and injection read it: lower-case words with one space between them.
//! It undoes what is used to hide words: compatibility forms, accents, characters without width, look-alikes of other
//! alphabets, digits for letters, stretched and spaced-out words. What is stored and sent is never this text.
//!
//! Form: ` word word . word `, a space at both ends, ` . ` where a sentence ends. Linear in the text.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::look::{alike, unleet};

/// A text for judging.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Normal {
    /// The words; see the file.
    pub text: String,
    /// The same with every stretched letter once, when there are stretched letters: `kiiill` is `kiill` in
    /// `text` and `kil` here.
    pub thin: Option<String>,
    /// How many characters were there to hide something: without width, of changed direction, tags.
    pub hidden: usize,
}

/// Reads a text for judging.
pub fn normalise(text: &str) -> Normal {
    let full = write(text, 2);
    let thin = full.stretched.then(|| write(text, 1).finish());
    Normal { hidden: full.hidden, thin, text: full.finish() }
}

/// How much is judged at once, in bytes.
const WINDOW: usize = 64 * 1024;
/// How much of the window before is judged again, so that what lies over the edge is seen.
const OVERLAP: usize = 1024;

/// The text in windows that begin and end between words. Keeps what a judge remembers of a text bounded.
pub(super) fn windows(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let space = move |from: usize| {
        let rest = bytes.get(from..).unwrap_or(&[]);
        rest.iter().position(|byte| *byte == b' ').map_or(bytes.len(), |at| from + at)
    };
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let end = (space(start + WINDOW) + 1).min(bytes.len());
        // A window that is one long word has no second space; then nothing is judged twice.
        let again = space(end.saturating_sub(OVERLAP).max(start + 1)).min(end - usize::from(end > start));
        next = (end < bytes.len()).then_some(again);
        text.get(start..end)
    })
}

fn write(text: &str, repeats: u8) -> Writer {
    let mut writer = Writer::new(text.len(), repeats);
    let bytes = text.as_bytes();
    writer.repeating = repeating(bytes);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_alphabetic() {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let length = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
            writer.letters(rest.get(..length).unwrap_or(&[]));
            at += length;
        } else if byte.is_ascii() {
            at += 1;
            writer.ascii(byte, bytes.get(at).copied().unwrap_or(b' '));
        } else {
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            at += c.len_utf8();
            writer.other(c, bytes.get(at).copied().unwrap_or(b' '));
        }
    }
    writer.end_sentence();
    writer
}

/// Whether a letter of ASCII stands three times in a row, without regard to case. One pass without a branch.
fn repeating(bytes: &[u8]) -> bool {
    let (second, third) = (bytes.get(1..).unwrap_or(&[]), bytes.get(2..).unwrap_or(&[]));
    let same = |(first, (second, third)): (&u8, (&u8, &u8))| {
        (((first ^ second) | (first ^ third)) & 0xdf == 0) & (((first | 0x20).wrapping_sub(b'a')) < 26)
    };
    let chunks = bytes.chunks(256).zip(second.chunks(256).zip(third.chunks(256)));
    chunks.into_iter().any(|(first, (second, third))| {
        first.iter().zip(second.iter().zip(third)).fold(false, |any, triple| any | same(triple))
    })
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const LEET: u8 = 3;
const JOIN: u8 = 4;
const STOP: u8 = 5;

/// How wide a gap between words is: a sign, a space, more.
const SIGN: u8 = 1;
const SPACE: u8 = 2;
const WIDE: u8 = 3;

/// What a byte of ASCII does, and what it is written as.
const fn ascii(byte: u8) -> (u8, u8) {
    match byte {
        b'a'..=b'z' => (LETTER, byte),
        b'A'..=b'Z' => (LETTER, byte + 32),
        b'0'..=b'9' => (DIGIT, byte),
        b'@' => (LEET, b'a'),
        b'$' => (LEET, b's'),
        b'!' => (LEET, b'i'),
        b'|' => (LEET, b'l'),
        b'\'' | b'*' | b'`' => (JOIN, 0),
        b'.' | b'?' | b';' | b':' => (STOP, 0),
        _ => (0, 0),
    }
}

static ASCII: [(u8, u8); 128] = {
    let mut table = [(0, 0); 128];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "byte is below 128, and this runs at compile time")]
        {
            table[byte as usize] = ascii(byte);
        }
        byte += 1;
    }
    table
};

struct Writer {
    out: Vec<u8>,
    /// Where the current word begins in `out`.
    word: usize,
    /// How often the last letter was repeated.
    run: u8,
    last: u8,
    repeats: u8,
    digits: bool,
    letters: bool,
    alike: bool,
    /// Words of one letter at the end of `out`.
    singles: usize,
    /// How wide the gap before each of them is.
    gaps: Vec<u8>,
    /// How wide the gap is that lies behind the last word so far.
    gap: u8,
    /// Whether a letter may be stretched somewhere.
    repeating: bool,
    stretched: bool,
    hidden: usize,
}

impl Writer {
    fn new(length: usize, repeats: u8) -> Writer {
        let mut out = Vec::with_capacity(length + length / 16 + 8);
        out.push(b' ');
        Writer {
            out,
            word: 1,
            run: 0,
            last: 0,
            repeats,
            digits: false,
            letters: false,
            alike: false,
            singles: 0,
            gaps: Vec::new(),
            gap: 0,
            repeating: false,
            stretched: false,
            hidden: 0,
        }
    }

    #[inline]
    fn ascii(&mut self, byte: u8, next: u8) {
        let (class, written) = ASCII.get(usize::from(byte)).copied().unwrap_or((0, 0));
        match class {
            LETTER => self.letter(written),
            DIGIT => {
                self.out.push(written);
                self.digits = true;
                self.last = 0;
            }
            // A sign for a letter only inside a word: `$ave` and `k!ll`, not `Hey!`.
            LEET if next.is_ascii_alphabetic() || (byte == b'$' && self.letters && next == b'$') => {
                self.letter(written)
            }
            LEET if byte == b'!' => self.end_sentence(),
            JOIN => {}
            // An empty line; a single line end is a space, because texts are wrapped.
            _ if byte == b'\n' && next == b'\n' => self.end_sentence(),
            // `k.i.l.l` and `example.com` are no ends of sentences.
            STOP if next.is_ascii_alphanumeric() && matches!(byte, b'.' | b':') => {
                self.end_word();
                self.gap = self.gap.max(SIGN);
            }
            STOP => self.end_sentence(),
            _ => {
                self.end_word();
                self.gap = match byte {
                    b' ' if self.gap < SPACE => SPACE,
                    b' ' | b'\n' | b'\t' => WIDE,
                    _ => self.gap.max(SIGN),
                };
            }
        }
    }

    /// A run of letters of ASCII: at once, unless one of them is stretched.
    #[inline]
    fn letters(&mut self, run: &[u8]) {
        if self.repeating {
            run.iter().for_each(|letter| self.letter(letter | 0x20));
        } else {
            self.out.extend(run.iter().map(|letter| letter | 0x20));
            self.letters = true;
        }
    }

    #[inline]
    fn letter(&mut self, letter: u8) {
        if letter == self.last {
            self.run = self.run.saturating_add(1);
            if self.run > 2 {
                self.stretched = true;
            }
            if self.run > 2 && self.repeats == 2 {
                return;
            }
            if self.run > 2 {
                // The second of the run was written before it was known to be one.
                if self.run == 3 {
                    self.out.pop();
                }
                return;
            }
        } else {
            self.last = letter;
            self.run = 1;
        }
        self.letters = true;
        self.out.push(letter);
    }

    /// A character that is not ASCII.
    fn other(&mut self, c: char, next: u8) {
        match c {
            '\u{e0020}'..='\u{e007e}' => {
                self.hidden += 1;
                let tag = u8::try_from(u32::from(c) - 0xe0000).unwrap_or(b' ');
                return self.ascii(tag, next);
            }
            '\u{fe00}'..='\u{fe0f}' | '\u{200d}' => return,
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}' => {
                self.hidden += 1;
                return;
            }
            '’' | '‘' | 'ʼ' => return,
            '。' | '！' | '？' | '…' => return self.end_sentence(),
            _ => {}
        }
        let mut parts = [None; 4];
        let mut slots = parts.iter_mut();
        decompose_compatible(c, |part| {
            if let Some(slot) = slots.next() {
                *slot = Some(part);
            }
        });
        for part in parts.into_iter().flatten() {
            if part.is_ascii() {
                self.ascii(u8::try_from(part).unwrap_or(b' '), next);
            } else if is_combining_mark(part) {
                // An accent: the letter below it counts.
            } else if part.is_alphanumeric() {
                self.alike |= alike(part).is_some();
                self.last = 0;
                self.letters = true;
                for lower in part.to_lowercase() {
                    self.out.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
                }
            } else {
                self.end_word();
            }
        }
    }

    #[inline]
    fn end_word(&mut self) {
        if self.out.len() == self.word {
            return;
        }
        if self.alike {
            self.unmask_alike();
        }
        // Look-alikes take two bytes and are written as one, so the length is taken after them.
        let length = self.out.len() - self.word;
        let gap = std::mem::take(&mut self.gap);
        if self.digits && self.letters {
            for byte in self.out.iter_mut().skip(self.word) {
                *byte = unleet(*byte);
            }
        }
        if length == 1 && self.letters {
            self.singles += 1;
            self.gaps.push(gap);
        } else if self.singles > 0 {
            self.join_singles(length);
        }
        self.out.push(b' ');
        self.word = self.out.len();
        (self.digits, self.letters, self.alike, self.last, self.run) = (false, false, false, 0, 0);
    }

    /// Writes `k i l l` as `kill`: three or more words of one letter, which end where the word of `length` begins.
    /// Where some gaps between them are wider than others, the wider ones part words.
    fn join_singles(&mut self, length: usize) {
        let mut gaps = std::mem::take(&mut self.gaps);
        let mut count = std::mem::take(&mut self.singles);
        if count >= 3 {
            let narrow = gaps.iter().skip(1).min().copied().unwrap_or(0);
            let wide = gaps.iter().skip(1).max().copied().unwrap_or(0);
            let end = self.out.len() - length;
            let first = self.out.get(end.saturating_sub(count * 2));
            // `a b o m b`: the article before a spaced-out word is a word of its own.
            if narrow == wide && count > 4 && matches!(first, Some(b'a' | b'i')) {
                count -= 1;
                gaps.remove(0);
            }
            let from = end.saturating_sub(count * 2);
            let mut to = from;
            for (index, gap) in gaps.iter().enumerate() {
                let letter = self.out.get(from + index * 2).copied().unwrap_or(b' ');
                // There is room: two bytes stood for each letter.
                for byte in
                    [Some(b' ').filter(|_| index > 0 && *gap > narrow), Some(letter)].into_iter().flatten()
                {
                    if let Some(slot) = self.out.get_mut(to) {
                        *slot = byte;
                    }
                    to += 1;
                }
            }
            if let Some(slot) = self.out.get_mut(to) {
                *slot = b' ';
            }
            self.out.drain(to + 1..end);
        }
        gaps.clear();
        self.gaps = gaps;
    }

    fn end_sentence(&mut self) {
        self.end_word();
        self.join_singles(0);
        if self.out.len() > 1 && !self.out.ends_with(b" . ") {
            self.out.extend_from_slice(b". ");
        }
        self.word = self.out.len();
    }

    /// Writes look-alikes of other alphabets as Latin, when the whole word can be read so.
    fn unmask_alike(&mut self) {
        let word = self.out.split_off(self.word);
        let text = String::from_utf8_lossy(&word);
        let latin: Option<String> =
            text.chars().map(|c| if c.is_ascii() { Some(c) } else { alike(c) }).collect();
        match latin {
            Some(latin) => self.out.extend_from_slice(latin.as_bytes()),
            None => self.out.extend_from_slice(&word),
        }
    }

    fn finish(self) -> String {
        // Only whole characters were written.
        String::from_utf8(self.out).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(of: &str) -> String {
        normalise(of).text
    }

    #[test]
    fn words_are_plain() {
        assert_eq!(text("Don't  panic, OK? Go."), " dont panic ok . go . ");
        assert_eq!(text(""), " ");
        assert_eq!(text("ＦＵＬＬ width é Å ﬁne"), " full width e a fine . ");
        assert_eq!(text("k\u{200b}i\u{ad}ll"), " kill . ");
        assert_eq!(text("кill раypal привет"), " kill paypal привет . ");
        assert_eq!(text("k1ll b0mb $ave a$$et k!ll Hey! $5"), " kill bomb save asset kill hey . 5 . ");
        assert_eq!(text("see example.com v1.2"), " see example com vi 2 . ");
    }

    #[test]
    fn spaced_and_stretched_words_are_read() {
        assert_eq!(text("how to k i l l time"), " how to kill time . ");
        assert_eq!(text("k.i.l.l. a b c"), " kill . abc . ");
        assert_eq!(text("make a b o m b now"), " make a bomb now . ");
        assert_eq!(text("k i l l раypal"), " kill paypal . ", "look-alikes are shorter once they are read");
        assert_eq!(text("h o w   t o   k i l l"), " how to kill . ", "wider gaps part words");
        assert_eq!(text("h.o.w t.o k.i.l.l."), " how to kill . ");
        assert_eq!(text("how to  k i l l  time"), " how to kill time . ");
        assert_eq!(text("I a"), " i a . ");
        let stretched = normalise("kiiiill them");
        assert_eq!(
            (stretched.text.as_str(), stretched.thin.as_deref()),
            (" kiill them . ", Some(" kill them . "))
        );
        assert_eq!(normalise("kill").thin, None);
    }

    #[test]
    fn windows_cover_everything_and_cut_no_word() {
        for unit in ["word ", "é", "long-word ", "x"] {
            let text = text(&unit.repeat(60_000));
            let mut covered = 0;
            for window in windows(&text) {
                let start = window.as_ptr() as usize - text.as_ptr() as usize;
                assert!(start <= covered && window.starts_with(' ') && window.ends_with(' '));
                covered = start + window.len();
            }
            assert_eq!(covered, text.len());
        }
        assert_eq!(windows(" ").collect::<Vec<_>>(), [" "]);
    }

    #[test]
    fn hidden_characters_are_counted() {
        let tags: String = "hi".chars().map(|c| char::from_u32(0xe0000 + u32::from(c)).unwrap()).collect();
        let normal = normalise(&format!("ok {tags}\u{202e}"));
        assert_eq!((normal.text.as_str(), normal.hidden), (" ok hi . ", 3));
        assert_eq!(normalise("👩‍💻❤️").hidden, 0);
    }

    #[test]
    fn hostile_texts_stay_linear_and_whole() {
        for unit in ["a ", "a", "aaa ", "\u{200b}", "ﷺ", "é", ".", "a.", "$", "к ", "\u{301}", "1a"] {
            let normal = normalise(&unit.repeat(50_000));
            assert!(normal.text.starts_with(' ') && normal.text.ends_with(' '));
        }
    }
}
