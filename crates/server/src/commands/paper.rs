//! How commands print: marks, colours at a terminal, wrapped lines. It owns standard output and error.
//! It never decides what is said.

use std::io::{IsTerminal, Write};

/// Where a command prints.
pub(crate) struct Paper<W: Write> {
    out: W,
    colour: bool,
    width: usize,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As it should be.
    Good,
    /// Wrong.
    Bad,
    /// Worth a look.
    Attention,
    /// Not looked at, or not there.
    Nothing,
}

impl Mark {
    /// The sign at the head of a line.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Mark::Good => "✓",
            Mark::Bad => "✗",
            Mark::Attention => "!",
            Mark::Nothing => "·",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Mark::Good => "32",
            Mark::Bad => "31",
            Mark::Attention => "33",
            Mark::Nothing => "2",
        }
    }
}

/// The width of the column of names.
const NAMES: usize = 28;

impl Paper<std::io::Stdout> {
    /// Standard output: colours at a terminal alone, and not when `NO_COLOR` is set.
    pub(crate) fn standard() -> Paper<std::io::Stdout> {
        let out = std::io::stdout();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = out.is_terminal() && !plain;
        Paper { out, colour, width: 110 }
    }
}

impl<W: Write> Paper<W> {
    /// Paper of another kind, without colours.
    #[cfg(test)]
    pub(crate) fn plain(out: W) -> Paper<W> {
        Paper { out, colour: false, width: 110 }
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A heading with an empty line before it.
    pub(crate) fn heading(&mut self, text: &str) -> std::io::Result<()> {
        let text = self.paint("1", text);
        writeln!(self.out, "\n{text}")
    }

    /// A line with a mark and a name, and below it what to do.
    pub(crate) fn entry(&mut self, mark: Mark, name: &str, say: &str, fix: &str) -> std::io::Result<()> {
        let sign = self.paint(mark.colour(), mark.sign());
        let indent = NAMES + 4;
        let lines = wrap(say, self.width.saturating_sub(indent));
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                writeln!(self.out, "  {sign} {name:<NAMES$}{line}")?;
            } else {
                writeln!(self.out, "{:indent$}{line}", "")?;
            }
        }
        for (index, line) in wrap(fix, self.width.saturating_sub(indent + 2)).iter().enumerate() {
            let arrow = if index == 0 { "→" } else { " " };
            let line = self.paint("36", line);
            writeln!(self.out, "{:indent$}{arrow} {line}", "")?;
        }
        Ok(())
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Cuts a text at spaces into lines of at most `width` characters; a longer word stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Prints a whole text to standard output. A reader that has gone (`stoa … | head`) is no failure.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints a JSON document.
pub(crate) fn print_json(document: &serde_json::Value) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(document)?))?;
    Ok(())
}

/// Prints to standard error. There is nobody left to tell when that fails.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_aligned_and_plain_without_a_terminal() {
        let mut paper = Paper::plain(Vec::new());
        paper.entry(Mark::Bad, "https", "HTTPS is not enforced", "set it to `true`").unwrap();
        let text = String::from_utf8(paper.out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], format!("  ✗ {:<28}HTTPS is not enforced", "https"));
        assert_eq!(lines[1].trim_start(), "→ set it to `true`");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn long_sentences_are_wrapped_between_words() {
        let lines = wrap("one two three four", 9);
        assert_eq!(lines, ["one two", "three", "four"]);
        assert_eq!(wrap("unbreakablelongword x", 5), ["unbreakablelongword", "x"]);
        assert!(wrap("", 5).is_empty());
    }
}
