//! What must be kept and what must be looked at, or need not be, with sample and with hostile data.

use super::super::admin::{AlertsPage, HoldView, HoldsPage};
use super::super::review::*;
use super::{Words, ago, text};

fn seen(words: Words, number: u8) -> Seen {
    Seen {
        id: format!("01939f2e-7c4a-7b31-9d55-0000000000{number:02}"),
        app: words.say("assistant"),
        source: ["message", "answer", "refused"][usize::from(number) % 3],
        reason: ["review", "withheld", "block"][usize::from(number) % 3],
        findings: vec![("harassment".to_owned(), 91), ("violence".to_owned(), 54)],
        created_at: ago(i64::from(number) * 4_000),
        appealed: number == 2,
        decision: if number == 3 { "wrongly_flagged" } else { "" },
        decided_at: (number == 3).then(|| ago(100)),
    }
}

pub(super) fn pages(words: Words) -> Vec<(&'static str, String)> {
    let hold = |id: &str, target: &str, label: String, reason: &str| HoldView {
        id: id.to_owned(),
        target: target.to_owned(),
        label,
        reason: words.say(reason),
        by: words.say("admin@example.com"),
        created_at: ago(5_000),
    };
    let holds = HoldsPage {
        shell: words.shell("/admin/holds"),
        form: words.refused(),
        holds: vec![
            hold("1", "user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d", words.say("ada@example.com"), "case 7"),
            HoldView { by: "operator".to_owned(), ..hold("2", "app:support", String::new(), "audit") },
        ],
    };
    let reviews = ReviewsPage {
        shell: words.shell("/admin/review"),
        state: "all".to_owned(),
        app: String::new(),
        category: String::new(),
        apps: vec![("assistant".to_owned(), words.say("Assistant"))],
        categories: vec!["harassment", "spam"],
        open: 3,
        appealed: 1,
        filtered: true,
        reviews: (1..=3).map(|number| seen(words, number)).collect(),
        next: Some("next".to_owned()),
        query: "&state=all".to_owned(),
    };
    let empty =
        ReviewsPage { open: 0, appealed: 0, filtered: false, reviews: vec![], next: None, ..reviews.clone() };
    let one = ReviewPage {
        shell: words.shell("/admin/review"),
        seen: seen(words, 2),
        owner: words.say("user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d"),
        text: words.say("The text that was refused, as it was written.\nIt has a second line."),
        appeal: words.say("I meant a scene of my novel."),
        note: words.say("A quotation."),
        by: words.say("ada@example.com"),
    };
    let quiet = AlertsPage {
        shell: words.shell("/admin/alerts"),
        open: vec![],
        closed: vec![],
        next: None,
        sinks: "Alerts are shown here alone: no webhook and no mail is set.".to_owned(),
    };
    vec![
        ("alerts-empty", text(&quiet)),
        ("holds", text(&holds)),
        ("reviews", text(&reviews)),
        ("reviews-empty", text(&empty)),
        ("review", text(&one)),
    ]
}
