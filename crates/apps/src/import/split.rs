//! A JSON document of many conversations, cut into them while it comes: the elements of the array at its top, or the one
//! object that it is. What is held is one element, and of one that is too large or too deep nothing but that it was there.

/// Bytes of one conversation at the most.
pub(super) const MOST: usize = 8 << 20;
/// How deep a conversation may be nested: some houses put every message into the one before.
const DEEP: usize = 25_000;

/// An element of the document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Its bytes; whether they are JSON is still to be seen.
    Whole(Vec<u8>),
    /// It is larger than [`MOST`].
    TooLarge,
    /// It is nested deeper than [`DEEP`].
    TooDeep,
}

/// Cuts.
#[derive(Default)]
pub(super) struct Splitter {
    held: Vec<u8>,
    depth: usize,
    /// The top is an array, whose elements are wanted; else the top itself is.
    array: bool,
    begun: bool,
    over: bool,
    text: bool,
    escaped: bool,
    large: bool,
    deep: bool,
}

impl Splitter {
    /// Takes more bytes; gives the elements that have ended. False says that it is no list of conversations.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<Element>) -> bool {
        bytes.iter().all(|byte| self.take(*byte, out))
    }

    /// Whether the document has come to its end.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// How deep the wanted elements lie.
    fn floor(&self) -> usize {
        usize::from(self.array)
    }

    fn take(&mut self, byte: u8, out: &mut Vec<Element>) -> bool {
        if self.over {
            return byte.is_ascii_whitespace() || byte == 0;
        }
        if self.text {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
            return true;
        }
        match byte {
            b'[' | b'{' => self.open(byte),
            b']' | b'}' => self.close(byte, out),
            b'"' if self.depth > self.floor() => {
                self.text = true;
                self.keep(byte);
                true
            }
            _ if self.depth > self.floor() => {
                self.keep(byte);
                true
            }
            // Between elements; a byte order mark may stand at the very beginning.
            b',' => self.array && self.depth == 1,
            0xef | 0xbb | 0xbf => !self.begun,
            _ => byte.is_ascii_whitespace(),
        }
    }

    fn open(&mut self, byte: u8) -> bool {
        if !self.begun {
            (self.begun, self.array) = (true, byte == b'[');
            self.depth = 1;
            if !self.array {
                self.keep(byte);
            }
            return true;
        }
        self.depth += 1;
        self.deep |= self.depth > DEEP;
        self.keep(byte);
        true
    }

    fn close(&mut self, byte: u8, out: &mut Vec<Element>) -> bool {
        if self.depth == 0 {
            return false;
        }
        self.depth -= 1;
        if self.array && self.depth == 0 {
            self.over = true;
            return byte == b']';
        }
        self.keep(byte);
        if self.depth == self.floor() {
            self.over = !self.array;
            let held = std::mem::take(&mut self.held);
            out.push(match (self.large, self.deep) {
                (true, _) => Element::TooLarge,
                (_, true) => Element::TooDeep,
                _ => Element::Whole(held),
            });
            (self.large, self.deep) = (false, false);
        }
        true
    }

    fn keep(&mut self, byte: u8) {
        if self.large || self.deep {
            self.held = Vec::new();
        } else if self.held.len() == MOST {
            self.large = true;
        } else {
            self.held.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cut at every place, the same comes out.
    fn split(text: &[u8]) -> Option<Vec<String>> {
        let mut found = None;
        for at in 0..=text.len() {
            let (mut splitter, mut out) = (Splitter::default(), Vec::new());
            let fine = splitter.push(&text[..at], &mut out) && splitter.push(&text[at..], &mut out);
            let texts = (fine && splitter.is_over()).then(|| {
                out.into_iter()
                    .map(|element| match element {
                        Element::Whole(bytes) => String::from_utf8(bytes).unwrap(),
                        other => format!("{other:?}"),
                    })
                    .collect::<Vec<_>>()
            });
            assert!(at == 0 || texts == found, "cut at {at}");
            found = texts;
        }
        found
    }

    #[test]
    fn elements_come_out_whole_wherever_the_bytes_are_cut() {
        let text = "\u{feff} [ {\"a\": \"}]\\\"{\"} , {\"b\": [1, {\"c\": []}]},{} ] ";
        assert_eq!(
            split(text.as_bytes()).unwrap(),
            ["{\"a\": \"}]\\\"{\"}", "{\"b\": [1, {\"c\": []}]}", "{}"]
        );
        assert_eq!(split(b"{\"one\": {}}").unwrap(), ["{\"one\": {}}"]);
        assert_eq!(split(b"[]").unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_no_list_is_told() {
        for text in ["", "[", "[{}", "hello", "[{}] x", "12", "[1]", "<html>", "]"] {
            assert_eq!(split(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_too_large_or_deep_leaves_the_others() {
        let deep = format!("[{}{},{{}}]", "[".repeat(DEEP), "]".repeat(DEEP));
        assert_eq!(split(deep.as_bytes()).unwrap(), ["TooDeep", "{}"]);
        let large = format!("[{{\"a\": \"{}\"}}, {{}}]", "x".repeat(MOST));
        let (mut splitter, mut out) = (Splitter::default(), Vec::new());
        assert!(splitter.push(large.as_bytes(), &mut out));
        assert_eq!(out, [Element::TooLarge, Element::Whole(b"{}".to_vec())]);
    }
}
