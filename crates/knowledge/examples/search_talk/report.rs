//! Tables of times: printed, and put into a file in the place of those of the same heading.

use std::time::Duration;

const TITLE: &str = "# Figures of the search\n\n\
    Measured by `cargo run --release -p knowledge --example search_talk -- FOLDER_OR_POSTGRES_URL MESSAGES OWNERS ROUNDS \
    --out docs/figures.md`: one table for each shape and engine, on one machine beside the database. Everything was said \
    over a year in conversations of 20 messages, words by Zipf's law. Times are those of `store`, in milliseconds, one \
    call after another; pages of 20 found messages, of 50 conversations, of 100 messages.\n";

pub(crate) struct Report {
    heading: String,
    text: String,
}

impl Report {
    pub(crate) fn new(heading: &str) -> Report {
        println!("{heading}");
        Report { heading: format!("## {heading}"), text: String::new() }
    }

    pub(crate) fn say(&mut self, line: &str) {
        println!("{line}");
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(crate) fn head(&mut self, what: &str, count: &str) {
        self.say("");
        self.say(&format!("| {what:<36} |    p50 |    p95 |    p99 | {count:>8} |"));
        self.say(&format!("| {:-<36} | -----: | -----: | -----: | -------: |", ""));
    }

    /// A row of the table.
    pub(crate) fn row(&mut self, name: &str, times: &mut [Duration], count: usize) {
        times.sort_unstable();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
        let (p50, p95, p99) = (at(0.5), at(0.95), at(0.99));
        self.say(&format!("| {name:<36} | {p50:6.2} | {p95:6.2} | {p99:6.2} | {count:8} |"));
    }

    /// Puts it into a file; what else is in there stays.
    pub(crate) fn put(&self, file: &str) -> std::io::Result<()> {
        let mut all = std::fs::read_to_string(file).unwrap_or_default();
        let title = TITLE.lines().next().unwrap_or_default();
        if !all.contains(title) {
            all = format!("{}\n\n{TITLE}", all.trim_end()).trim_start().to_owned();
        }
        let mut lines: Vec<&str> = all.lines().collect();
        let from = lines.iter().position(|line| *line == self.heading).unwrap_or(lines.len());
        let rest = &lines[(from + 1).min(lines.len())..];
        let end = rest.iter().position(|line| line.starts_with("# ") || line.starts_with("## "));
        let end = end.map_or(lines.len(), |end| from + 1 + end);
        let mine = format!("{}\n{}", self.heading, self.text);
        let mine: Vec<&str> = mine.lines().chain([""]).collect();
        lines.splice(from..end, mine);
        std::fs::write(file, format!("{}\n", lines.join("\n").trim_end()))
    }
}
