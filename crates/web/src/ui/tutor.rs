//! The pages of the tutor, for learners and for those who teach. What a learner's page holds is what learners may know:
//! these shapes have no place for an answer, a hint that was not given or a misconception. Everything is text.

use askama::Template;
use kernel::Time;
use tutor::Stage;

use super::Markup;
use super::form::FormView;
use super::frame::{Frame, ago};
use super::pieces::{Empty, FilterTab};
use super::view::{AppView, MessageView, ModelView, Speaker};
use crate::texts::{count, filters, key, say};

/// What stands around a page of the tutor.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) frame: Frame,
    pub(crate) app: AppView,
    /// Where one can go from here.
    pub(crate) tabs: Vec<FilterTab>,
    /// What has just been done.
    pub(crate) done: Option<&'static str>,
    pub(crate) now: Time,
}

impl Desk {
    pub(crate) fn ago(&self, then: &Time) -> Markup {
        let stamp = then.rfc3339_seconds();
        let exact = stamp.replace('T', " ").replace('Z', " UTC");
        Markup(format!(r#"<time datetime="{stamp}" title="{exact}">{}</time>"#, ago(self.now, *then)))
    }
}

/// How far somebody has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// "In progress: looking closer".
    pub(crate) words: String,
    /// `good`, `accent`, `warn` or nothing.
    pub(crate) tone: &'static str,
    /// "2 hints", or nothing.
    pub(crate) hints: String,
}

impl Standing {
    /// What a state says; `None` where nothing has been begun.
    pub(crate) fn of(state: Option<&tutor::State>) -> Standing {
        let Some(state) = state else {
            return Standing { words: key("Not begun").to_owned(), tone: "", hints: String::new() };
        };
        let (words, tone) = match (state.revealed, state.solved) {
            (true, _) => (key("The answer was shown").to_owned(), ""),
            (false, true) if state.stage == Stage::Done => (key("Solved").to_owned(), "good"),
            (false, true) => {
                (say("Solved: {stage}").with("stage", say(stage(state.stage).0)).to_string(), "good")
            }
            (false, false) => {
                (say("In progress: {stage}").with("stage", say(stage(state.stage).0)).to_string(), "accent")
            }
        };
        // The rungs are counted from 0.
        let hints = match state.hint_level {
            None => String::new(),
            Some(rung) => count("{count} hint|{count} hints", u64::from(rung) + 1).to_string(),
        };
        Standing { words, tone, hints }
    }
}

/// A stage in words: what happens, and what it asks of the learner.
pub(crate) const fn stage(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Elicit => (key("Getting started"), key("Say what you know and what you would try.")),
        Stage::Probe => (key("Looking closer"), key("Explain how you came to what you said.")),
        Stage::Challenge => (key("Testing the idea"), key("See whether what you said holds up.")),
        Stage::Hint => (key("Working with a hint"), key("Take the next small step with it.")),
        Stage::Check => (key("Answer found"), key("Show that the idea works elsewhere too.")),
        Stage::Summarise => (key("Summing up"), key("Put it in your own words.")),
        Stage::Done => (key("Finished"), key("You can begin another problem.")),
    }
}

/// A move of the tutor in words, from what was kept with its message.
pub(crate) fn move_words(kind: &str, hint: Option<u64>) -> String {
    let words = match kind {
        "ask" => key("Question"),
        "slip" => key("About a sum that does not hold"),
        "misconception" => key("About an expected misconception"),
        "wrong" => key("About a wrong answer"),
        "hint" => {
            return hint.map_or_else(
                || say("Hint").to_string(),
                |rung| say("Hint, step {step}").with("step", rung + 1).to_string(),
            );
        }
        "transfer" => key("Transfer question"),
        "summary" => key("Asks for a summary"),
        "close" => key("Close"),
        "commit" => key("Asks for one answer"),
        "return" => key("Back to the matter"),
        "clarify" => key("Asks for more words"),
        "explain" => key("Asks for reasons"),
        "reveal" => key("Hands the answer over"),
        _ => "",
    };
    words.to_owned()
}

/// `/apps/{app}`: where a learner begins.
#[derive(Clone, Debug, Template)]
#[template(path = "tutor/front.html")]
pub(crate) struct LearnPage {
    pub(crate) desk: Desk,
    pub(crate) model: ModelView,
    pub(crate) levels: Vec<LevelView>,
    /// There are more problems than the page lists.
    pub(crate) more: bool,
    pub(crate) empty: Empty,
}

/// The problems of a level.
#[derive(Clone, Debug)]
pub(crate) struct LevelView {
    /// Empty for problems without one.
    pub(crate) name: String,
    pub(crate) problems: Vec<LearnView>,
}

/// A problem as a learner sees it.
#[derive(Clone, Debug)]
pub(crate) struct LearnView {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) statement: String,
    pub(crate) standing: Standing,
    /// The newest conversation about it; empty when there is none.
    pub(crate) conversation: String,
    pub(crate) solved: bool,
}

/// `/apps/{app}/progress`.
#[derive(Clone, Debug, Template)]
#[template(path = "tutor/progress.html")]
pub(crate) struct ProgressPage {
    pub(crate) desk: Desk,
    pub(crate) rows: Vec<ProgressView>,
    pub(crate) next: Option<String>,
    pub(crate) empty: Empty,
}

/// How somebody comes on with a problem.
#[derive(Clone, Debug)]
pub(crate) struct ProgressView {
    pub(crate) conversation: String,
    pub(crate) problem: String,
    pub(crate) title: String,
    /// Empty on one's own page.
    pub(crate) learner: String,
    pub(crate) standing: Standing,
    pub(crate) stuck: bool,
    pub(crate) turns: u32,
    pub(crate) wrong_tries: u32,
    pub(crate) asked_for_answer: u32,
    /// What the learner claims, and whether it was taken back.
    pub(crate) claims: Vec<(String, bool)>,
    pub(crate) last_at: Time,
}

/// `/apps/{app}/problems`.
#[derive(Clone, Debug, Template)]
#[template(path = "tutor/problems.html")]
pub(crate) struct ProblemsPage {
    pub(crate) desk: Desk,
    pub(crate) problems: Vec<ProblemRow>,
    pub(crate) next: Option<String>,
    pub(crate) empty: Empty,
}

/// A problem in the list of its teachers.
#[derive(Clone, Debug)]
pub(crate) struct ProblemRow {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) level: String,
    pub(crate) published: bool,
    pub(crate) updated_at: Time,
}

/// `/apps/{app}/problems/new` and `/apps/{app}/problems/{id}/edit`.
#[derive(Clone, Debug, Template)]
#[template(path = "tutor/edit.html")]
pub(crate) struct EditPage {
    pub(crate) desk: Desk,
    pub(crate) form: FormView,
    /// The problem that is changed; empty for a new one.
    pub(crate) id: String,
    /// Rows for misconceptions.
    pub(crate) rows: u32,
}

impl EditPage {
    fn action(&self) -> String {
        match self.id.as_str() {
            "" => format!("{}/problems", self.desk.app.url()),
            id => format!("{}/problems/{id}/edit", self.desk.app.url()),
        }
    }

    fn back(&self) -> String {
        match self.id.as_str() {
            "" => format!("{}/problems", self.desk.app.url()),
            id => format!("{}/problems/{id}", self.desk.app.url()),
        }
    }

    fn typed(&self, name: &str, row: &u32) -> &str {
        self.form.value(&format!("{name}-{row}"))
    }
}

/// `/apps/{app}/problems/{id}`: how everybody comes on with it.
#[derive(Clone, Debug, Template)]
#[template(path = "tutor/problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) desk: Desk,
    pub(crate) problem: ProblemRow,
    pub(crate) statement: String,
    pub(crate) learners: Vec<ProgressView>,
    pub(crate) stuck: usize,
    pub(crate) next: Option<String>,
    pub(crate) empty: Empty,
}

/// `/apps/{app}/problems/{id}/delete`.
#[derive(Clone, Debug, Template)]
#[template(path = "tutor/delete.html")]
pub(crate) struct DeletePage {
    pub(crate) desk: Desk,
    pub(crate) problem: ProblemRow,
}

/// `/apps/{app}/problems/{id}/transcripts/{conversation}`.
#[derive(Clone, Debug, Template)]
#[template(path = "tutor/transcript.html")]
pub(crate) struct TranscriptPage {
    pub(crate) desk: Desk,
    pub(crate) progress: ProgressView,
    pub(crate) lines: Vec<LineView>,
    pub(crate) next: Option<String>,
}

/// A message with the label of its move.
#[derive(Clone, Debug)]
pub(crate) struct LineView {
    pub(crate) message: MessageView,
    /// The move, the type of its question and the stage, as far as it has them.
    pub(crate) labels: Vec<String>,
    /// Something that the model said was held back.
    pub(crate) held_back: bool,
}

impl LineView {
    fn is_learners(&self) -> bool {
        self.message.speaker == Speaker::Person
    }
}
