//! How many tests passed, failed and were skipped, read from what the test runners print.

use std::fmt;
use std::ops::Add;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// They ran and were right.
    pub(crate) passed: u64,
    /// They were wrong, crashed, hung or did not build.
    pub(crate) failed: u64,
    /// They did not run.
    pub(crate) skipped: u64,
}

impl Add for Tally {
    type Output = Tally;

    fn add(self, other: Tally) -> Tally {
        Tally {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

impl Tally {
    /// Reads one line of the output of `cargo test`: `test result: ok. 35 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn of_cargo_test(line: &str) -> Option<Tally> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word: &str| counts.split("; ").find_map(|part| number_before(part, word));
        Some(Tally { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
    }

    /// Reads the last line of `cargo nextest run`: `Summary [ 0.1s] 4 tests run: 2 passed (1 slow), 1 failed, …`.
    /// Tests that it did not get to, because it was stopped, are in no word of it: `3/9 tests run`.
    pub(crate) fn of_nextest(line: &str) -> Option<Tally> {
        let (run, counts) =
            line.trim().strip_prefix("Summary [")?.split_once("] ")?.1.split_once(" run: ")?;
        let count = |word: &str| counts.split(", ").find_map(|part| number_before(part, word)).unwrap_or(0);
        let passed = count("passed");
        let missed = run.split_once('/').map_or(0, |(got, all)| {
            let all = all.split_whitespace().next().and_then(|n| n.parse::<u64>().ok());
            all.unwrap_or(0).saturating_sub(got.trim().parse().unwrap_or(0))
        });
        let failed = count("failed") + count("timed out") + count("exec failed") + missed;
        Some(Tally { passed, failed, skipped: count("skipped") })
    }

    /// The sum must not say less than the exit code: a runner that failed without a failed test failed once.
    pub(crate) fn with_exit(mut self, success: bool) -> Tally {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

/// `12` of `12 passed (1 slow)`.
fn number_before(part: &str, word: &str) -> Option<u64> {
    let (number, rest) = part.trim().split_once(' ')?;
    let rest = rest.strip_prefix(word)?;
    let ends = rest.is_empty() || rest.starts_with(' ');
    number.parse().ok().filter(|_| ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_test() {
        let line =
            "test result: ok. 35 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.48s";
        assert_eq!(Tally::of_cargo_test(line), Some(Tally { passed: 35, failed: 0, skipped: 1 }));
        let line = "test result: FAILED. 32 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.40s";
        assert_eq!(Tally::of_cargo_test(line), Some(Tally { passed: 32, failed: 3, skipped: 0 }));
        assert_eq!(Tally::of_cargo_test("running 35 tests"), None);
    }

    #[test]
    fn lines_of_nextest() {
        for (line, expected) in [
            ("     Summary [   0.512s] 35 tests run: 35 passed, 1 skipped", (35, 0, 1)),
            ("     Summary [   0.512s] 1 test run: 1 passed, 0 skipped", (1, 0, 0)),
            (
                "     Summary [  61.512s] 35 tests run: 33 passed (2 slow, 1 flaky), 1 failed, 1 timed out, 0 skipped",
                (33, 2, 0),
            ),
            ("     Summary [   1.0s] 3/9 tests run: 2 passed, 1 exec failed, 4 skipped", (2, 7, 4)),
        ] {
            let (passed, failed, skipped) = expected;
            assert_eq!(Tally::of_nextest(line), Some(Tally { passed, failed, skipped }), "{line}");
        }
        assert_eq!(Tally::of_nextest("        PASS [   0.005s] ops health"), None);
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        assert_eq!(Tally::default().with_exit(false).failed, 1);
        let tally = Tally { passed: 3, failed: 2, skipped: 0 };
        assert_eq!(tally.with_exit(false), tally);
        assert_eq!(tally.with_exit(true), tally);
    }
}
