//! Collects tables and prints them as Markdown; the same text goes into a file when one is named.

use std::fmt::Write as _;

/// What has been measured so far.
#[derive(Default)]
pub(crate) struct Report {
    text: String,
}

impl Report {
    /// A heading.
    pub(crate) fn title(&mut self, title: &str) {
        self.say(&format!("\n## {title}\n"));
    }

    /// A paragraph.
    pub(crate) fn say(&mut self, line: &str) {
        println!("{line}");
        let _ = writeln!(self.text, "{line}");
    }

    /// A table. The first column is text, the others are numbers.
    pub(crate) fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        let count = |text: &str| text.chars().count();
        let widths: Vec<usize> = header
            .iter()
            .enumerate()
            .map(|(at, name)| {
                rows.iter()
                    .filter_map(|row| row.get(at))
                    .map(|cell| count(cell))
                    .fold(count(name), usize::max)
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells
                .zip(&widths)
                .enumerate()
                .map(
                    |(at, (cell, &width))| {
                        if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                    },
                )
                .collect();
            format!("| {} |", cells.join(" | "))
        };
        self.say(&line(&mut header.iter().copied()));
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(at, width)| if at == 0 { "-".repeat(*width) } else { "-".repeat(width - 1) + ":" })
            .collect();
        self.say(&line(&mut rule.iter().map(String::as_str)));
        for row in rows {
            self.say(&line(&mut row.iter().map(String::as_str)));
        }
        self.say("");
    }

    /// Everything that was said.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }
}
