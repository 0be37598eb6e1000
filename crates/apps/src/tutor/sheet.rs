//! A problem as a teacher writes it down: the form of the API, of the page and of the files of `stoa problem add`.

use std::fmt;

use ::tutor::{Guard, Misconception, Problem, Reference, Transfer};
use guard::content::validate;
use kernel::{Fault, Result};
use serde::{Deserialize, Serialize};

/// Most characters of a statement, of the answer, and of any other text of a problem.
const STATEMENT: usize = 10_000;
const ANSWER: usize = 2_000;
const TEXT: usize = 2_000;
/// Most steps, and most of any other list.
const STEPS: usize = 50;
const LIST: usize = 20;

/// A problem with everything that belongs to it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemSheet {
    /// What it is called, one line.
    pub title: String,
    /// What the learner is given.
    pub statement: String,
    /// The final answer.
    pub answer: String,
    /// Other answers that are as right.
    #[serde(default)]
    pub accepted: Vec<String>,
    /// The way there, a step each.
    #[serde(default)]
    pub steps: Vec<String>,
    /// What a good summary mentions.
    #[serde(default)]
    pub rubric: Vec<String>,
    /// The question that shows whether the idea has been understood.
    #[serde(default)]
    pub transfer: Option<Transfer>,
    /// Hints, the faintest first.
    #[serde(default)]
    pub hints: Vec<String>,
    /// Wrong ideas to expect.
    #[serde(default)]
    pub misconceptions: Vec<Misconception>,
    /// For whom it is.
    #[serde(default)]
    pub level: Option<String>,
    /// Learners see it.
    #[serde(default)]
    pub published: bool,
}

impl fmt::Debug for ProblemSheet {
    /// Shows nothing of it: an answer in a log would be a leak.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProblemSheet")
    }
}

impl ProblemSheet {
    /// From a stored problem.
    pub fn stored(stored: store::StoredProblem) -> Result<ProblemSheet> {
        let problem = super::taught(&stored)?;
        Ok(ProblemSheet::of(problem, stored.level, stored.published))
    }

    /// From what is stored.
    pub(crate) fn of(problem: Problem, level: Option<String>, published: bool) -> ProblemSheet {
        let Problem { title, statement, reference, hints, misconceptions } = problem;
        let Reference { answer, accepted, steps, rubric, transfer } = reference;
        ProblemSheet {
            title,
            statement,
            answer,
            accepted,
            steps,
            rubric,
            transfer,
            hints,
            misconceptions,
            level,
            published,
        }
    }

    /// The problem, when it may be taught: nothing is missing or too long, and nothing that learners are shown gives
    /// the answer away.
    pub fn checked(&self) -> Result<store::NewProblem> {
        validate::title(&self.title)?;
        validate::message("statement", &self.statement, STATEMENT)?;
        validate::message("answer", &self.answer, ANSWER)?;
        if let Some(level) = &self.level {
            validate::title(level)
                .map_err(|_| Fault::invalid("level", "malformed", "a level is one line of text"))?;
        }
        let lists: [(&'static str, &[String], usize); 4] = [
            ("accepted", &self.accepted, LIST),
            ("steps", &self.steps, STEPS),
            ("rubric", &self.rubric, LIST),
            ("hints", &self.hints, LIST),
        ];
        for (field, list, most) in lists {
            if list.len() > most {
                return Err(Fault::invalid(field, "too_many", format!("at most {most} are kept")));
            }
            list.iter().try_for_each(|text| validate::message(field, text, TEXT))?;
        }
        if self.misconceptions.len() > LIST {
            return Err(Fault::invalid("misconceptions", "too_many", format!("at most {LIST} are kept")));
        }
        for known in &self.misconceptions {
            validate::message("misconceptions", &known.when, TEXT)?;
            validate::message("misconceptions", &known.ask, TEXT)?;
        }
        let problem = self.problem();
        self.gives_nothing_away(&problem)?;
        let content = serde_json::to_value(&problem).map_err(Fault::internal)?;
        Ok(store::NewProblem { content, level: self.level.clone(), published: self.published })
    }

    fn gives_nothing_away(&self, problem: &Problem) -> Result<()> {
        let guard = Guard::new(Some(problem));
        let told = |field: &'static str, text: &str| match guard.leak(text) {
            Some(_) => Err(Fault::invalid(
                field,
                "gives_away",
                "a text that learners are shown gives the answer away; say it without the result",
            )),
            None => Ok(()),
        };
        self.hints.iter().try_for_each(|hint| told("hints", hint))?;
        self.misconceptions.iter().try_for_each(|known| told("misconceptions", &known.ask))?;
        let Some(transfer) = &self.transfer else { return Ok(()) };
        validate::message("transfer", &transfer.question, TEXT)?;
        validate::message("transfer", &transfer.answer, ANSWER)?;
        let carried = Problem::plain("", &transfer.answer, "");
        if !::tutor::asks(&transfer.question) {
            return Err(Fault::invalid(
                "transfer",
                "no_question",
                "a transfer question ends with a question mark",
            ));
        }
        match Guard::new(Some(&carried)).leak(&transfer.question) {
            Some(_) => {
                Err(Fault::invalid("transfer", "gives_away", "the transfer question holds its own answer"))
            }
            None => Ok(()),
        }
    }

    fn problem(&self) -> Problem {
        Problem {
            title: self.title.clone(),
            statement: self.statement.clone(),
            reference: Reference {
                answer: self.answer.clone(),
                accepted: self.accepted.clone(),
                steps: self.steps.clone(),
                rubric: self.rubric.clone(),
                transfer: self.transfer.clone(),
            },
            hints: self.hints.clone(),
            misconceptions: self.misconceptions.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> ProblemSheet {
        ProblemSheet {
            title: "Cakes".into(),
            statement: "6 trays with 7 cakes each. How many cakes?".into(),
            answer: "42".into(),
            hints: vec!["What does a tray hold?".into()],
            ..ProblemSheet::default()
        }
    }

    #[test]
    fn what_learners_are_shown_gives_nothing_away() {
        assert!(sheet().checked().is_ok());
        let field = |sheet: ProblemSheet| sheet.checked().unwrap_err().to_string();
        assert!(field(ProblemSheet { hints: vec!["It is forty-two.".into()], ..sheet() }).contains("away"));
        assert!(field(ProblemSheet { hints: vec!["Work out 84 / 2".into()], ..sheet() }).contains("away"));
        let transfer = Some(Transfer { question: "And 35 on 5 trays?".into(), answer: "35".into() });
        assert!(field(ProblemSheet { transfer, ..sheet() }).contains("own answer"));
        assert!(ProblemSheet { title: "two\nlines".into(), ..sheet() }.checked().is_err());
        assert!(ProblemSheet { answer: String::new(), ..sheet() }.checked().is_err());
        assert!(ProblemSheet { steps: vec!["x".into(); 51], ..sheet() }.checked().is_err());
        assert_eq!(format!("{:?}", sheet()), "ProblemSheet");
    }
}
