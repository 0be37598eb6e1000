//! Questions about the manual in other words than its own, and how the answerer's search does on them. It owns the split:
//! a question is held out by a hash of its text; improvements look at the others alone.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]

use knowledge::{Manual, SUPPORTED};

/// How many passages the answerer looks at.
const PASSAGES: usize = 4;

/// A question with the headings that answer it; none where the manual does not.
pub(crate) struct Question {
    pub(crate) who: &'static str,
    pub(crate) text: &'static str,
    pub(crate) answers: Vec<&'static str>,
}

impl Question {
    /// Nobody looked at it while something was improved.
    pub(crate) fn held_out(&self) -> bool {
        // FNV-1a: a split needs no cryptography, and no dependency.
        let hash = self.text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (hash >> 32) & 1 == 1
    }
}

/// Every question of a table.
pub(crate) fn questions(table: &'static str) -> Vec<Question> {
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| {
        let mut cells = line.split('\t');
        let (who, text, answers) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        let answers = if answers == "-" { Vec::new() } else { answers.split('|').collect() };
        Question { who, text, answers }
    })
    .collect()
}

/// What came of a set of questions.
#[derive(Default, Debug)]
pub(crate) struct Outcome {
    pub(crate) asked: usize,
    /// The right heading is among the first one, the first three.
    pub(crate) hit: [usize; 2],
    /// Answerable, and refused.
    pub(crate) refused_wrongly: usize,
    pub(crate) unanswerable: usize,
    /// Unanswerable, and refused.
    pub(crate) refused: usize,
    pub(crate) misses: Vec<String>,
}

impl Outcome {
    pub(crate) fn share(&self, of: usize) -> f64 {
        of as f64 / self.asked.max(1) as f64
    }
}

pub(crate) fn measure<'a>(manual: &Manual, questions: impl Iterator<Item = &'a Question>) -> Outcome {
    let mut outcome = Outcome::default();
    for question in questions {
        let hits = manual.search(question.text, PASSAGES);
        let supported = hits.iter().any(|hit| hit.confidence >= SUPPORTED);
        if question.answers.is_empty() {
            outcome.unanswerable += 1;
            outcome.refused += usize::from(!supported);
            if supported {
                outcome.misses.push(format!("answered: {} <- {:?}", question.text, hits[0].heading_path));
            }
            continue;
        }
        outcome.asked += 1;
        let right = |heading: &String| question.answers.iter().any(|answer| heading.starts_with(answer));
        let at = hits.iter().position(|hit| hit.heading_path.last().is_some_and(right));
        outcome.hit[0] += usize::from(at == Some(0));
        outcome.hit[1] += usize::from(at.is_some_and(|at| at < 3));
        outcome.refused_wrongly += usize::from(!supported);
        if at.is_none_or(|at| at > 2) || !supported {
            let best = hits.iter().map(|hit| hit.confidence).fold(0.0, f32::max);
            let first = hits.first().and_then(|hit| hit.heading_path.last());
            outcome.misses.push(format!("{at:?} {best:.2} {}: {} <- {first:?}", question.who, question.text));
        }
    }
    outcome
}
