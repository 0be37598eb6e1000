//! What is carried, with sample and with hostile data: the page of the account, the document for the printer and the one
//! behind a link, the gate before it.

use kernel::{AppKind, MessageId};

use super::super::carry::{CarryPage, ShareView};
use super::super::fill;
use super::super::form::FormView;
use super::super::paper::{self, Paper};
use super::super::view::{AttachedView, Beside, CitationView, Ending, MessageView, Speaker};
use super::{Words, ago, now};

fn paper(words: Words) -> Paper {
    let said = |number: u8, speaker, text: &str| MessageView {
        id: MessageId::parse(&format!("01939f2e-7c4a-7b31-9d55-0000000000{number:02}")).unwrap(),
        speaker,
        content: words.say(text),
        citations: Vec::new(),
        created_at: ago(600 - i64::from(number)),
        ending: Ending::Complete,
        model: None,
        beside: Beside::default(),
    };
    let file = AttachedView {
        id: None,
        name: words.say("timetable.pdf"),
        size: 48_200,
        image: false,
        read: (60_000, 81_312),
        opens: false,
        deleted: false,
    };
    let mut asked = said(1, Speaker::Person, "When does the train to Bern leave?\nAnd from where?");
    asked.beside.attached = vec![file];
    let mut answered = said(
        2,
        Speaker::Answerer,
        "It leaves **at 9:14** from platform 7 [1].\n\n| day | time |\n|-|-|\n| Mon | 9:14 |",
    );
    answered.citations = vec![CitationView {
        number: 1,
        title: words.say("Timetable"),
        source: words.say("timetable.pdf"),
        quote: words.say("Bern 9:14, platform 7"),
        heading_path: vec![words.say("Departures")],
        page: Some(2),
        href: String::new(),
    }];
    let cut =
        MessageView { ending: Ending::Length, ..said(3, Speaker::Answerer, "```rust\nfn main() {}\n```") };
    Paper {
        title: words.say("The train to Bern"),
        app: words.say("Assistant"),
        asker: "You",
        taken_at: now(),
        messages: vec![asked, answered, cut],
    }
}

pub(super) fn pages(words: Words) -> Vec<(&'static str, String)> {
    let share = |title: &str, masked, locked, opened_at| ShareView {
        id: "01939f2e-7c4a-7b31-9d55-000000000001".to_owned(),
        href: "/apps/assistant/01939f2e-7c4a-7b31-9d55-000000000002".to_owned(),
        title: words.say(title),
        locked,
        masked,
        messages: 12,
        created_at: ago(90_000),
        expires_at: ago(-2_000_000),
        opened_at,
    };
    let page = CarryPage {
        shell: words.shell("/account/conversations"),
        into: vec![words.app("assistant", AppKind::Chat, "Assistant", "")],
        shares: vec![
            share("The train to Bern", true, true, Some(ago(700))),
            share("Notes", false, false, None),
        ],
        next: Some("cursor".to_owned()),
    };
    let empty = CarryPage { into: Vec::new(), shares: Vec::new(), next: None, ..page.clone() };
    let wrong = FormView::new().wrong("password", "This password is not right.");
    vec![
        ("carried", fill(&page).unwrap()),
        ("carried-empty", fill(&empty).unwrap()),
        ("paper-print", paper::print(&paper(words), "/apps/assistant/1").unwrap()),
        ("paper-shared", paper::shared(&paper(words), true, Some(ago(-2_000_000))).unwrap()),
        ("paper-locked", paper::locked(&wrong).unwrap()),
    ]
}
