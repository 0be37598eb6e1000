//! Links and images that a model writes to hosts that the app does not allow: the address in them could carry the talk
//! away, as soon as something shows the picture or somebody follows the words. Their Markdown is taken apart (`](` becomes
//! `] (`), so that the address stands there to be read and nothing loads or hides it. It works on a text in any pieces,
//! letter by letter, and holds back no more than a destination up to its host. It never follows a link.
//!
//! Blocks of code stay as they are where it is certain that they are that: fences at the beginning of a line, as long as
//! nothing before could make a reader of Markdown see them otherwise (HTML, fences within lists and quotes). Wherever it is
//! not certain, the rule holds.

use crate::hosts::LinkHosts;

/// A destination longer than this in bytes is none that anybody should follow.
const LONGEST: usize = 2_048;

/// Elements of HTML that fetch something or lead somewhere.
const FETCHING: [&str; 24] = [
    "a", "area", "audio", "base", "body", "embed", "form", "frame", "http", "https", "iframe", "image",
    "img", "input", "link", "meta", "object", "picture", "script", "source", "style", "svg", "track",
    "video",
];

/// Takes links apart.
pub(crate) struct Links {
    hosts: LinkHosts,
    state: State,
    /// What is held back.
    held: String,
    /// The bytes of it that were shown before.
    shown: usize,
    lines: Lines,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// Behind `]`.
    Bracket,
    /// Behind `<`.
    Tag,
    /// In a destination that begins at this byte of what is held, behind an opening of so many bytes.
    Destination {
        opening: usize,
        from: usize,
    },
}

impl Links {
    /// Only links to these hosts may stay.
    pub(crate) fn new(hosts: &LinkHosts) -> Links {
        Links {
            hosts: hosts.clone(),
            state: State::Text,
            held: String::new(),
            shown: 0,
            lines: Lines::default(),
        }
    }

    /// What of the text may go on.
    pub(crate) fn pass(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            let code = self.lines.step(c);
            if code {
                // A fence begins at the beginning of a line: nothing is held then but what that line has ended.
                self.settle(&mut out, true);
                out.push(c);
            } else {
                self.step(c, &mut out);
            }
        }
        out
    }

    /// What was held back at the end.
    pub(crate) fn rest(&mut self) -> String {
        let mut out = String::new();
        self.settle(&mut out, false);
        out
    }

    /// What is held back has been shown: the text goes on behind it.
    pub(crate) fn was_shown(&mut self) {
        self.shown = self.held.len();
    }

    fn step(&mut self, c: char, out: &mut String) {
        match self.state {
            State::Text => match c {
                ']' => self.hold(c, State::Bracket),
                '<' => self.hold(c, State::Tag),
                _ => out.push(c),
            },
            State::Bracket => match c {
                '(' | ':' => self.hold(c, State::Destination { opening: 1, from: 2 }),
                _ => {
                    self.release(out);
                    self.step(c, out);
                }
            },
            State::Tag => self.tag(c, out),
            State::Destination { opening, from } => self.destination(c, opening, from, out),
        }
    }

    fn tag(&mut self, c: char, out: &mut String) {
        let name = self.held.get(1..).unwrap_or("").to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            self.hold(c, State::Tag);
            let longer = name + c.to_ascii_lowercase().encode_utf8(&mut [0; 4]);
            if !FETCHING.iter().any(|known| known.starts_with(&longer)) {
                self.release(out);
            }
        } else if name.starts_with("http") && FETCHING.contains(&name.as_str()) {
            if c == ':' {
                self.hold(c, State::Destination { opening: 1, from: 1 });
            } else {
                self.release(out);
                self.step(c, out);
            }
        } else {
            if FETCHING.contains(&name.as_str()) {
                self.part(1, out);
            } else {
                self.release(out);
            }
            self.step(c, out);
        }
    }

    fn destination(&mut self, c: char, opening: usize, from: usize, out: &mut String) {
        let begun = self.held.get(from..).is_some_and(|held| !held.trim_start().is_empty());
        let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        if blank(c) && !begun {
            // A blank line ends the paragraph, and with it the link.
            let lines = self.held.get(from..).unwrap_or("").matches('\n').count();
            self.hold(c, self.state);
            if c == '\n' && lines > 0 {
                self.release(out);
            }
            return;
        }
        let held = self.held.get(from..).unwrap_or("").trim_start();
        let angled = opening == 1 && held.starts_with('<');
        let ends = blank(c) || c.is_control() || c == '>' || (c == ')' && !angled);
        if !ends {
            self.hold(c, self.state);
        }
        let held = self.held.get(from..).unwrap_or("").trim_start();
        let address = held.strip_prefix('<').unwrap_or(held);
        match self.verdict(address, ends) {
            Some(true) => self.release(out),
            Some(false) => self.part(opening, out),
            None => {}
        }
        if ends {
            self.step(c, out);
        }
    }

    /// Whether a destination may stay; `None` while that cannot be told.
    fn verdict(&self, address: &str, ended: bool) -> Option<bool> {
        let lower = address.to_ascii_lowercase();
        for scheme in ["https://", "http://"] {
            if let Some(rest) = lower.strip_prefix(scheme) {
                let end = rest.find(['/', '?', '#']);
                if end.is_none() && !ended {
                    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
                    return (rest.len() > LONGEST || rest.contains(odd)).then_some(false);
                }
                return Some(self.hosts.allow_authority(rest.get(..end.unwrap_or(rest.len())).unwrap_or("")));
            }
        }
        if !ended {
            return match lower.len() > LONGEST {
                true => Some(false),
                false => surely_here(&lower).then_some(true),
            };
        }
        Some(stays_here(&lower))
    }

    fn hold(&mut self, c: char, state: State) {
        self.held.push(c);
        self.state = state;
    }

    /// Lets what is held go as it is.
    fn release(&mut self, out: &mut String) {
        out.push_str(self.held.get(self.shown..).unwrap_or(""));
        self.held.clear();
        (self.shown, self.state) = (0, State::Text);
    }

    /// Lets what is held go with a space behind this many bytes: then it is no link any more.
    fn part(&mut self, at: usize, out: &mut String) {
        if self.shown <= at {
            let (before, behind) = self.held.split_at(at.min(self.held.len()));
            out.push_str(before.get(self.shown..).unwrap_or(""));
            out.push(' ');
            // In angle brackets an address is a link by itself.
            out.push_str(&behind.replacen('<', "< ", 1));
            self.held.clear();
            (self.shown, self.state) = (0, State::Text);
        } else {
            self.release(out);
        }
    }

    /// Nothing more belongs to what is held. What could still become a link at the `end` of a line that code follows is
    /// none; at the end of a text more may come one day, so that it is taken apart.
    fn settle(&mut self, out: &mut String, end: bool) {
        match self.state {
            State::Destination { opening, .. } if !end => self.part(opening, out),
            State::Tag if !end && self.held.len() > 1 => self.part(1, out),
            _ => self.release(out),
        }
    }
}

/// Whether what begins so has no host, whatever follows.
fn surely_here(address: &str) -> bool {
    let mut chars = address.chars();
    match (chars.next(), chars.next()) {
        (Some('#'), _) => true,
        (Some('/'), Some(next)) => !matches!(next, '/' | '\\' | '&'),
        (Some(first), _) if !first.is_ascii() => true,
        (Some(first), Some(_)) if first.is_ascii_alphanumeric() => address
            .chars()
            .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .is_some_and(|c| !matches!(c, ':' | '&' | '\\' | '%')),
        _ => false,
    }
}

/// Whether a destination without a host is what it looks like: entities and backslashes can hide one.
fn stays_here(address: &str) -> bool {
    if let Some(mailbox) = address.strip_prefix("mailto:") {
        return !mailbox.contains(['?', '&', '%', '\\']);
    }
    let first = address.split(['?', '#']).next().unwrap_or("");
    let (segment, behind) = first.split_once('/').unwrap_or((first, ""));
    let slash = first.len() > segment.len();
    let hidden = segment.contains([':', '\\', '&', '%']);
    let another_host = slash && segment.is_empty() && behind.starts_with(['/', '\\', '&']);
    !hidden && !another_host
}

/// Which letters stand in a block of code for certain.
struct Lines {
    /// What the line so far begins with.
    begin: Begin,
    /// The fence that is open: its sign and its length.
    fence: Option<(char, usize)>,
    /// Fences can be told from other things.
    certain: bool,
}

#[derive(Clone, Copy)]
enum Begin {
    /// Spaces so far, and other signs of lists and quotes.
    Blank { spaces: usize, marked: bool },
    /// A fence of this sign, so long, behind so many spaces; `bare`: nothing but spaces behind it.
    Fence { sign: char, length: usize, spaces: usize, marked: bool, behind: Behind },
    /// Something else.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Spaces,
    Words,
    /// Words with a sign of the fence among them.
    Signs,
}

const LINE: Begin = Begin::Blank { spaces: 0, marked: false };

impl Default for Lines {
    fn default() -> Lines {
        Lines { begin: LINE, fence: None, certain: true }
    }
}

impl Lines {
    /// Takes a letter; gives whether it stands in a block of code.
    fn step(&mut self, c: char) -> bool {
        let inside = self.fence.is_some();
        if matches!(c, '\n' | '\r') {
            self.end();
            self.begin = LINE;
            return inside;
        }
        self.begin = match self.begin {
            Begin::Blank { spaces, marked } => match c {
                '`' | '~' => Begin::Fence { sign: c, length: 1, spaces, marked, behind: Behind::Nothing },
                ' ' => Begin::Blank { spaces: spaces + 1, marked },
                '>' | '-' | '*' | '+' | '.' | ')' | '\t' | '0'..='9' if !inside => {
                    Begin::Blank { spaces, marked: true }
                }
                '<' if !inside => {
                    self.certain = false;
                    Begin::Other
                }
                _ => Begin::Other,
            },
            Begin::Fence { sign, length, spaces, marked, behind } => {
                let (length, behind) = match behind {
                    Behind::Nothing if c == sign => (length + 1, behind),
                    Behind::Nothing | Behind::Spaces if matches!(c, ' ' | '\t') => (length, Behind::Spaces),
                    Behind::Signs => (length, Behind::Signs),
                    _ if c == sign => (length, Behind::Signs),
                    _ => (length, Behind::Words),
                };
                Begin::Fence { sign, length, spaces, marked, behind }
            }
            Begin::Other => Begin::Other,
        };
        inside
    }

    /// A line has ended.
    fn end(&mut self) {
        let Begin::Fence { sign, length, spaces, marked, behind } = self.begin else { return };
        if length < 3 {
            return;
        }
        match self.fence {
            Some((open, least)) => {
                let bare = matches!(behind, Behind::Nothing | Behind::Spaces);
                if sign == open && length >= least && spaces <= 3 && bare {
                    self.fence = None;
                }
            }
            None if marked || spaces > 0 => self.certain = false,
            None if self.certain && !(sign == '`' && behind == Behind::Signs) => {
                self.fence = Some((sign, length));
            }
            None => {}
        }
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
