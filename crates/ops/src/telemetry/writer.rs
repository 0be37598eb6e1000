//! The one thread that writes: takes lines from the queue, finishes them and hands them to the console and the
//! file. It owns what happens when a sink fails. It never blocks those who log.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kernel::Ambient;

use super::config::{Format, Level};
use super::file::Rotating;
use super::line::Lines;
use super::pipeline::{Batch, Head, Intake};
use super::recent::Recent;
use crate::shipping::Shipping;

/// Lines are handed on in pieces of about this size.
const PIECE: usize = 64 * 1024;

/// Where the lines go.
pub(super) struct Sinks {
    /// Standard output, as a rule.
    pub(super) console: Box<dyn Write + Send>,
    /// The form of the lines there.
    pub(super) format: Format,
    /// Text lines in colours.
    pub(super) colour: bool,
    /// JSON lines into a file too.
    pub(super) file: Option<Rotating>,
}

/// The writer and all it needs.
pub(super) struct Writer {
    pub(super) intake: Arc<Intake>,
    pub(super) recent: Arc<Recent>,
    pub(super) clock: Ambient,
    pub(super) lines: Lines,
    pub(super) sinks: Sinks,
    /// Finished lines leave the process this way too.
    pub(super) shipping: Option<Shipping>,
}

/// Finished lines on their way to the sinks.
#[derive(Default)]
struct Finished {
    json: String,
    text: String,
    count: u64,
}

impl Writer {
    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let mut batch = Batch::default();
        let mut finished = Finished::default();
        let mut trouble = Trouble::default();
        while let Some(lost) = self.intake.take(&mut batch) {
            if lost > 0 {
                metrics::counter!("stoa_log_dropped_total", "sink" => "queue").increment(lost);
                let rows = format!(
                    "message=log lines were dropped: the sink is too slow for them\ndropped:={lost}\n"
                );
                self.finish(own(&self.clock), TARGET, &rows, &mut finished);
            }
            for (head, target, rows) in batch.lines() {
                self.finish(head, target, rows, &mut finished);
                self.intake.beat();
                if finished.json.len() >= PIECE {
                    self.hand_on(&mut finished, &mut trouble);
                }
            }
            self.hand_on(&mut finished, &mut trouble);
            self.intake.finished(&batch);
        }
    }

    /// Makes the line, whatever it holds: a defect in the mask costs the line and not the log.
    fn finish(&self, head: Head, target: &str, rows: &str, finished: &mut Finished) {
        let Finished { json, text, count } = finished;
        *count += 1;
        let (json_begin, text_begin) = (json.len(), text.len());
        let wants_text = self.sinks.format == Format::Text;
        let made = catch_unwind(AssertUnwindSafe(|| {
            let text = wants_text.then_some((&mut *text, self.sinks.colour));
            self.lines.write(head, target, rows, json, text);
        }));
        if made.is_err() {
            json.truncate(json_begin);
            text.truncate(text_begin);
            let plain = Lines::new(None);
            let text = wants_text.then_some((text, self.sinks.colour));
            plain.write(
                head,
                target,
                "message=a log line could not be masked and was left out\n",
                json,
                text,
            );
        }
        if let Some(line) = json.get(json_begin..) {
            self.recent.keep(head.at, head.level, line);
            if let Some(shipping) = &self.shipping {
                shipping.line(head.at, head.level, target, line);
            }
        }
    }

    /// Gives what is finished to the sinks, and empties it.
    fn hand_on(&mut self, finished: &mut Finished, trouble: &mut Trouble) {
        if finished.count == 0 {
            return;
        }
        if let Some(file) = &mut self.sinks.file {
            let result = file.write(&finished.json);
            if let Err(error) = &result {
                metrics::counter!("stoa_log_dropped_total", "sink" => "file").increment(finished.count);
                if !trouble.file {
                    let rows =
                        format!("message=the log file of LOG_TO_FILE cannot be written\nerror={error}\n");
                    self.finish(own(&self.clock), TARGET, &rows, finished);
                }
            }
            trouble.file = result.is_err();
        }
        let lines = match self.sinks.format {
            Format::Json => &finished.json,
            Format::Text => &finished.text,
        };
        let console = &mut self.sinks.console;
        if console.write_all(lines.as_bytes()).and_then(|()| console.flush()).is_err() {
            // Nobody can be told here. The counter says it, and the file, where there is one, has the lines.
            metrics::counter!("stoa_log_dropped_total", "sink" => "console").increment(finished.count);
        }
        finished.json.clear();
        finished.text.clear();
        finished.count = 0;
    }
}

/// Said once and not again until it is over.
#[derive(Default)]
struct Trouble {
    file: bool,
}

/// The target of the lines that the writer itself makes.
const TARGET: &str = "ops::telemetry";

/// The facts of such a line.
fn own(clock: &Ambient) -> Head {
    Head::new(Level::Warning, clock.now())
}
