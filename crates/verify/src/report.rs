//! What a run found, as data: a line for each check and the sum of it.
//! It never prints; `console` does.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// What a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The address that was looked at.
    pub url: String,
    /// `true` when no check failed.
    pub passed: bool,
    /// How many checks passed, failed and were skipped.
    pub counts: Counts,
    /// A line for each check, in the order they ran.
    pub checks: Vec<Line>,
}

/// How the checks ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Checks that saw what was promised.
    pub passed: usize,
    /// Checks that saw a promise broken.
    pub failed: usize,
    /// Checks that do not apply to this deployment or these options.
    pub skipped: usize,
}

/// What one check found.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The name of the check; stable.
    pub name: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in seconds.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
}

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The promise holds.
    Passed {
        /// What was seen.
        saw: String,
    },
    /// The promise is broken.
    Failed {
        /// What was seen.
        saw: String,
        /// Why it matters.
        why: String,
        /// What to do.
        fix: String,
    },
    /// The check does not apply.
    Skipped {
        /// Why not.
        why: String,
    },
}

impl Report {
    /// Sums up the lines.
    pub fn new(url: String, checks: Vec<Line>) -> Report {
        let mut counts = Counts::default();
        for line in &checks {
            match line.outcome {
                Outcome::Passed { .. } => counts.passed += 1,
                Outcome::Failed { .. } => counts.failed += 1,
                Outcome::Skipped { .. } => counts.skipped += 1,
            }
        }
        Report { url, passed: counts.failed == 0 && counts.passed > 0, counts, checks }
    }

    /// The line of a check.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.checks.iter().find(|line| line.name == name)
    }
}

impl Line {
    /// The line as a person reads it, without a line break.
    pub fn text(&self) -> String {
        let name = self.name;
        let text = match &self.outcome {
            Outcome::Passed { saw } => format!("✓ {name}  {saw}"),
            Outcome::Failed { saw, why, fix } => format!("✗ {name}  {saw}; {why}; {fix}"),
            Outcome::Skipped { why } => format!("– {name}  skipped ({why})"),
        };
        one_line(&text)
    }
}

/// Control characters would let an answer of the server forge lines on the terminal of the operator.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn seconds<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((span.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(outcome: Outcome) -> Line {
        Line { name: "health", outcome, took: Duration::from_millis(12) }
    }

    #[test]
    fn nothing_checked_is_not_a_pass() {
        assert!(!Report::new("http://x".into(), vec![]).passed);
        let skipped = line(Outcome::Skipped { why: "no key".into() });
        assert!(!Report::new("http://x".into(), vec![skipped]).passed);
    }

    #[test]
    fn an_answer_cannot_forge_a_line() {
        let forged = line(Outcome::Passed { saw: "ok\n✓ isolation  good\u{1b}[2J".into() });
        let text = forged.text();
        assert!(!text.contains('\n') && !text.contains('\u{1b}'));
    }

    #[test]
    fn the_document_has_names_and_counts() {
        let failed = Outcome::Failed { saw: "503".into(), why: "w".into(), fix: "f".into() };
        let report = Report::new("http://x".into(), vec![line(failed)]);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["checks"][0]["outcome"], "failed");
        assert_eq!(json["checks"][0]["seconds"], 0.012);
        assert_eq!(json["counts"]["failed"], 1);
        assert_eq!(json["passed"], false);
    }
}
