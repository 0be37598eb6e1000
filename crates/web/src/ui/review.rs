//! The pages of the queue of what people look at. What somebody wrote is text, and stands on the page of one alone.

use askama::Template;
use kernel::Time;

use super::shell::Shell;
use crate::texts::{filters, key};

/// One of the queue, as a list shows it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) app: String,
    pub(crate) source: &'static str,
    pub(crate) reason: &'static str,
    /// Categories with their scores in hundredths, the gravest first.
    pub(crate) findings: Vec<(String, u8)>,
    pub(crate) created_at: Time,
    pub(crate) appealed: bool,
    /// Empty while it is open.
    pub(crate) decision: &'static str,
    pub(crate) decided_at: Option<Time>,
}

impl Seen {
    pub(crate) fn what(&self) -> &'static str {
        match self.source {
            "answer" => key("An answer"),
            "file" => key("A file"),
            "refused" => key("A refused text"),
            _ => key("A message"),
        }
    }

    pub(crate) fn why(&self) -> &'static str {
        match self.reason {
            "block" => key("it was refused"),
            "withheld" => key("the rest of it was withheld"),
            "support" => key("it was answered with words that help"),
            "burst" => key("many messages came in a moment"),
            _ => key("a rule of the app says so"),
        }
    }

    pub(crate) fn verdict(&self) -> &'static str {
        match self.decision {
            "upheld" => key("rightly flagged"),
            "wrongly_flagged" => key("wrongly flagged"),
            _ => "",
        }
    }
}

/// The name of a category for people.
pub(crate) fn named(category: &str) -> &'static str {
    match category {
        "harassment" => key("Harassment"),
        "harassment/threatening" => key("Threats"),
        "hate" => key("Hate"),
        "hate/threatening" => key("Hate with threats"),
        "illicit" => key("Unlawful advice"),
        "illicit/violent" => key("Advice on violence"),
        "self-harm" => key("Self-harm"),
        "self-harm/intent" => key("Intent of self-harm"),
        "self-harm/instructions" => key("Advice on self-harm"),
        "sexual" => key("Sexual"),
        "sexual/minors" => key("Sexual, with minors"),
        "violence" => key("Violence"),
        "violence/graphic" => key("Graphic violence"),
        "spam" => key("Spam"),
        _ => key("Something else"),
    }
}

/// How sure the rules are, in words.
pub(crate) const fn sure(hundredths: &u8) -> &'static str {
    match *hundredths {
        85.. => key("very sure"),
        65.. => key("rather sure"),
        50.. => key("not sure"),
        _ => key("a hint"),
    }
}

/// `/admin/review`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/reviews.html")]
pub(crate) struct ReviewsPage {
    pub(crate) shell: Shell,
    pub(crate) state: String,
    pub(crate) app: String,
    pub(crate) category: String,
    /// Ids and names.
    pub(crate) apps: Vec<(String, String)>,
    pub(crate) categories: Vec<&'static str>,
    pub(crate) open: u64,
    pub(crate) appealed: u64,
    pub(crate) filtered: bool,
    pub(crate) reviews: Vec<Seen>,
    pub(crate) next: Option<String>,
    /// The filter, as the end of an address.
    pub(crate) query: String,
}

impl ReviewsPage {
    fn is_app(&self, id: &str) -> bool {
        self.app == id
    }

    fn is_category(&self, name: &str) -> bool {
        self.category == name
    }
}

/// `/admin/review/{id}`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/review.html")]
pub(crate) struct ReviewPage {
    pub(crate) shell: Shell,
    pub(crate) seen: Seen,
    pub(crate) owner: String,
    pub(crate) text: String,
    pub(crate) appeal: String,
    pub(crate) note: String,
    /// Who decided; empty when nobody has, or nobody knows.
    pub(crate) by: String,
}
