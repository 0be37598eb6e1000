//! The sample pages in another language: nothing of ours stays English on them.

use kernel::Language;

use super::{Words, every, foreign_words};

/// What stands in the samples in the place of what a handler says, which is looked at on the pages of a live server.
const SAID_BY_HANDLERS: &[&str] = &[
    "That code is not right.",
    "It works once, for 30 minutes.",
    "It has to differ from your e-mail address.",
    "60 a minute",
    "production",
    "just now",
    "4 minutes ago",
    "Sent to a webhook and by mail.",
    "Alerts are shown here alone: no webhook and no mail is set.",
    "Made on the schedule 0 2 * * * (UTC), and here.",
    "No schedule is set.",
    "The server is locked for accounts.",
    "Only administrators and visitors come in.",
    "This password is not right.",
    "This very text is here already.",
];

/// Pages that show what customer service answered, which is kept in the language in which it was said; and figures with samples
/// of their own.
const ANSWERS: [&str; 3] = ["hand-off", "talk", "quality"];

/// Every page in Arabic speaks Arabic alone: words in Latin letters are those that nobody translated.
#[test]
fn pages_hold_no_words_beside_the_catalogues() {
    let found = crate::texts::in_language(Language::Arabic, || {
        let pages = every(Words::Blank)
            .into_iter()
            .filter(|(name, _)| !ANSWERS.iter().any(|one| name.starts_with(one)));
        let words = pages.flat_map(|(name, html)| {
            let found = foreign_words::foreign(&html, SAID_BY_HANDLERS);
            found.into_iter().map(move |words| format!("{name}: {words}"))
        });
        words.collect::<Vec<_>>()
    });
    assert!(found.is_empty(), "in English:\n{}", found.join("\n"));
}
