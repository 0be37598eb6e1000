//! Tells a person or a machine how the run goes: a line for each check, progress on a terminal, or one document.
//! It never decides what a result means.

use std::io::{self, IsTerminal, Write};

use crate::report::{Line, Report};

/// Is told how the run goes, while it goes.
pub trait Reporter: Send {
    /// A check begins: its name, its place and how many there are.
    fn begin(&mut self, name: &'static str, place: usize, of: usize);
    /// A check has ended.
    fn end(&mut self, line: &Line);
    /// The run has ended.
    fn close(&mut self, report: &Report);
}

/// Writes lines to one place and progress to another.
pub struct Console<O: Write + Send, P: Write + Send> {
    lines: O,
    progress: Option<P>,
    json: bool,
}

impl Console<io::Stdout, io::Stderr> {
    /// Standard output for the lines (or the one document with `json`), standard error for the progress
    /// when it is a terminal.
    pub fn standard(json: bool) -> Console<io::Stdout, io::Stderr> {
        let progress = io::stderr().is_terminal().then(io::stderr);
        Console { lines: io::stdout(), progress, json }
    }
}

impl<O: Write + Send, P: Write + Send> Console<O, P> {
    /// Lines and progress to these writers.
    pub fn new(lines: O, progress: Option<P>, json: bool) -> Console<O, P> {
        Console { lines, progress, json }
    }

    // A reader that has gone (`stoa verify … | head`) must not end the run before it has cleaned up,
    // so a failed write is dropped here and the exit code still tells the result.
    fn say(&mut self, text: &str) {
        let _ = writeln!(self.lines, "{text}").and_then(|()| self.lines.flush());
    }

    fn show(&mut self, text: &str) {
        if let Some(progress) = &mut self.progress {
            let _ = write!(progress, "\r\u{1b}[2K{text}").and_then(|()| progress.flush());
        }
    }
}

impl<O: Write + Send, P: Write + Send> Reporter for Console<O, P> {
    fn begin(&mut self, name: &'static str, place: usize, of: usize) {
        self.show(&format!("[{place}/{of}] {name} …"));
    }

    fn end(&mut self, line: &Line) {
        self.show("");
        if !self.json {
            self.say(&line.text());
        }
    }

    fn close(&mut self, report: &Report) {
        self.show("");
        if self.json {
            let text = serde_json::to_string_pretty(report).unwrap_or_default();
            self.say(&text);
        } else {
            let counts = report.counts;
            let verdict = if report.passed { "verified" } else { "NOT verified" };
            self.say(&format!(
                "{}: {verdict} ({} passed, {} failed, {} skipped)",
                report.url, counts.passed, counts.failed, counts.skipped
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::Outcome;

    #[test]
    fn lines_and_progress_go_apart() {
        let (mut lines, mut progress) = (Vec::new(), Vec::new());
        let line =
            Line { name: "live", outcome: Outcome::Passed { saw: "200".into() }, took: Duration::ZERO };
        let mut console = Console::new(&mut lines, Some(&mut progress), false);
        console.begin("live", 1, 2);
        console.end(&line);
        console.close(&Report::new("http://x/".into(), vec![line.clone()]));
        assert_eq!(
            String::from_utf8(lines).unwrap(),
            "✓ live  200\nhttp://x/: verified (1 passed, 0 failed, 0 skipped)\n"
        );
        assert!(String::from_utf8(progress).unwrap().contains("[1/2] live"));
    }
}
