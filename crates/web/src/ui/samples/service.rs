//! The pages of customer service with sample data: documents, the desk, a conversation with citations and a person.

use kernel::{AppKind, ConversationId, MessageId};

use super::super::app::{AppShell, Place};
use super::super::beside::{Beside, ClosestView, DeskLine, OpinionView};
use super::super::chart::{Chart, Line, Pace};
use super::super::desk::*;
use super::super::documents::*;
use super::super::form::FormView;
use super::super::frame::Viewer;
use super::super::pages::chat;
use super::super::pieces::{DropZone, Empty, FilterTab};
use super::super::view::{
    AppView, ChatPage, CitationView, ConversationView, Ending, LimitsView, MessageView, ModelView, Speaker,
    ToolView,
};
use super::{Words, ago, now, text};

const ID: &str = "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47";
const ANSWER: &str = "Quoted from the documents:\n\n> You may send a blender back within 30 days of delivery, in the box it came in.\n\n[1] Returns › How to send it back\n\n> The customer pays for the parcel unless the blender is broken.\n\n[2] Returns › What it costs";
const GROUNDED: &str = "You have 30 days from delivery [1]. The box has to be the original one [1]. We also refund express shipping ⚠ not found in the documents.";
const NOTHING: &str = "I found no answer to this in the documents.\n\nThe closest passages are:\n\n- Delivery › Countries\n- Returns › What it costs\n\nIf you like, a person can help: just write “I want to talk to a person”.";

fn app(words: Words) -> AppView {
    let tool = |path: &str, icon, name| ToolView { href: format!("/apps/support/{path}"), icon, name };
    AppView {
        tools: vec![tool("documents", "file", "Documents"), tool("desk", "inbox", "Desk")],
        ..words.app("support", AppKind::Support, "Support", "Answers customers from the documents.")
    }
}

fn shell(words: Words, here: &str) -> AppShell {
    let place = |path: &str, icon, name, count| Place {
        href: format!("/apps/support/{path}"),
        icon,
        name,
        count,
        here: path == here,
    };
    let mut frame = words.frame();
    frame.apps.pop();
    frame.apps.push(app(words));
    AppShell {
        frame,
        app: app(words),
        places: vec![
            place("", "chat", "Conversations", None),
            place("documents", "file", "Documents", None),
            place("desk", "inbox", "Inbox", Some(3)),
            place("desk/questions", "question", "Questions", None),
            place("desk/quality", "chart", "Quality", None),
        ],
        done: None,
        failed: None,
        now: now(),
    }
}

fn tab(words: Words, name: &str, count: Option<u64>, current: bool) -> FilterTab {
    FilterTab { name: words.say(name), href: "/apps/support/documents".to_owned(), count, current }
}

fn document(words: Words, title: &str, name: &str, kind: &'static str, status: &'static str) -> DocumentView {
    DocumentView {
        id: ID.to_owned(),
        title: words.say(title),
        name: words.say(name),
        kind,
        bytes: 184_300,
        passages: if status == "ready" { 42 } else { 0 },
        status,
        reason: if status == "failed" {
            words.say("The file is encrypted. Save it without a password and add it again.")
        } else {
            String::new()
        },
        warnings: Vec::new(),
        staff: title.starts_with("Internal"),
        at: ago(90_000),
    }
}

fn documents(words: Words) -> DocumentsPage {
    let zone = DropZone {
        id: "documents",
        title: "Add documents".to_owned(),
        action: "/apps/support/documents".to_owned(),
        send: "/api/v1/apps/support/documents".to_owned(),
        field: "file",
        carried: Vec::new(),
        accept: vec![".pdf", ".docx", ".html", ".htm", ".md", ".txt", ".csv"],
        most_bytes: 33_554_432,
        most_files: 500,
        link: "/apps/support/documents/{id}".to_owned(),
        fresh: "list",
    };
    let mut warned = document(words, "Terms of delivery", "terms-2026.pdf", "PDF", "ready");
    warned.warnings = vec![words.say("Page 3 holds a picture and no text.")];
    DocumentsPage {
        shell: shell(words, "documents"),
        zone: Some(zone),
        form: FormView::new(),
        writing: false,
        tabs: vec![
            tab(words, "All", Some(4), true),
            tab(words, "Ready", Some(3), false),
            tab(words, "Not readable", Some(1), false),
        ],
        documents: vec![
            document(words, "Returns", "", "Markdown", "ready"),
            warned,
            document(words, "Internal price list", "prices.csv", "CSV", "ready"),
            document(
                words,
                "scan-of-the-contract-with-a-very-long-name-that-has-to-break.pdf",
                "",
                "PDF",
                "failed",
            ),
        ],
        next: Some("/apps/support/documents?after=abc".to_owned()),
        empty: Empty {
            icon: "file",
            title: words.say("No documents yet"),
            text: words.say("Add the texts that hold the answers."),
            action: Some(("#documents".to_owned(), "Choose files".to_owned())),
        },
        search: None,
        added: Vec::new(),
    }
}

fn search(words: Words, sure: bool) -> SearchView {
    let passage = "You may send a blender back within 30 days of delivery, in the box it came in. The customer pays for the parcel unless the blender is broken.";
    let found = |title: &str, confidence| FoundView {
        title: words.say(title),
        headings: words.say("How to send it back"),
        page: Some(2),
        href: format!("/apps/support/documents/{ID}?passage={ID}#passage-{ID}"),
        text: pieces(&words.say(passage), &[13..17, 20..27]),
        confidence,
        supported: confidence >= 50,
    };
    SearchView {
        query: words.say("How do I send a blender back?"),
        problem: String::new(),
        found: vec![found("Returns", if sure { 87 } else { 31 }), found("Terms of delivery", 22)],
    }
}

fn message(n: u32, speaker: Speaker, content: &str, beside: Beside) -> MessageView {
    MessageView {
        id: MessageId::parse(&format!("01939f2e-7c4a-7b31-9d55-{n:012}")).unwrap(),
        speaker,
        content: content.to_owned(),
        citations: Vec::new(),
        created_at: ago(i64::from(900 - n)),
        ending: Ending::Complete,
        model: (speaker == Speaker::Answerer).then(|| "stoa".to_owned()),
        beside,
    }
}

fn talk(words: Words) -> Vec<MessageView> {
    let cite = |number, heading: &str, quote: &str| CitationView {
        number,
        title: words.say("Returns"),
        source: words.say("Returns"),
        quote: words.say(quote),
        heading_path: vec![words.say("Returns"), words.say(heading)],
        page: (number == 2).then_some(3),
        href: format!("/apps/support/documents/{ID}?passage={ID}&quote=10-89#quote"),
    };
    let opinion = |n: u32, rating, comment: &str| {
        Some(OpinionView {
            action: format!("/apps/support/{ID}/messages/{n}/feedback"),
            rating,
            comment: words.say(comment),
        })
    };
    let quoted = MessageView {
        citations: vec![
            cite(
                1,
                "How to send it back",
                "You may send a blender back within 30 days of delivery, in the box it came in.",
            ),
            cite(2, "What it costs", "The customer pays for the parcel unless the blender is broken."),
        ],
        ..message(
            2,
            Speaker::Answerer,
            ANSWER,
            Beside { quoted: true, opinion: opinion(2, "up", "Quick."), ..Beside::default() },
        )
    };
    let grounded = MessageView {
        citations: vec![cite(
            1,
            "How to send it back",
            "You may send a blender back within 30 days of delivery, in the box it came in.",
        )],
        model: Some("llama3.2".to_owned()),
        ..message(
            4,
            Speaker::Answerer,
            GROUNDED,
            Beside { unfounded: true, opinion: opinion(4, "", ""), ..Beside::default() },
        )
    };
    let place = |line: &str| ClosestView {
        line: line.to_owned(),
        href: format!("/apps/support/documents/{ID}?passage={ID}#passage-{ID}"),
        page: Some(2),
    };
    let nothing = Beside {
        closest: vec![place("Delivery › Countries"), place("Returns › What it costs")],
        opinion: opinion(6, "down", ""),
        ..Beside::default()
    };
    vec![
        message(1, Speaker::Person, &words.say("How do I send my blender back?"), Beside::default()),
        quoted,
        message(3, Speaker::Person, "And how long do I have?", Beside::default()),
        grounded,
        message(5, Speaker::Person, "Do you ship to Norway?", Beside::default()),
        message(6, Speaker::Answerer, NOTHING, nothing),
        message(7, Speaker::Person, "I want to talk to a person", Beside::default()),
        message(
            8,
            Speaker::Answerer,
            "I have asked a person to help you; they will answer here as soon as they can.",
            Beside::default(),
        ),
        message(
            9,
            Speaker::Answerer,
            &words.say("Hello, Ada here. We do ship to Norway since last week: it takes 4 to 6 days."),
            Beside { person: Some(words.say("Ada Lovelace")), ..Beside::default() },
        ),
    ]
}

fn conversation(words: Words, state: &'static str) -> String {
    let shell = shell(words, "");
    let open = ConversationView {
        id: ConversationId::parse(ID).unwrap(),
        title: Some(words.say("How do I send my blender back?")),
        updated_at: ago(60),
        order: Default::default(),
    };
    let desk =
        DeskLine { state, by: words.say("Ada Lovelace"), action: format!("/apps/support/{ID}/person") };
    chat(&ChatPage {
        app: app(words),
        frame: shell.frame,
        ordered: Default::default(),
        conversations: vec![open.clone()],
        next_conversations: None,
        conversation: Some(open),
        messages: talk(words),
        earlier_url: None,
        past: false,
        desk: Some(desk),
        shares: true,
        attaches: true,
        model: ModelView { connected: true, label: "llama3.2".to_owned() },
        limits: LimitsView { max_chars: 20_000, max_user_messages: None, user_messages: 4 },
        lesson: None,
        now: now(),
    })
    .unwrap()
}

fn hand_off(words: Words, state: &'static str, mine: bool, reason: &str, by: &str) -> HandOffView {
    HandOffView {
        id: ID.to_owned(),
        state,
        reason: if reason.is_empty() { String::new() } else { words.say(reason) },
        by: if by.is_empty() { String::new() } else { words.say(by) },
        mine,
        asked_at: ago(1_500),
        changed_at: ago(200),
    }
}

fn hand_off_page(words: Words, state: &'static str, mine: bool) -> HandOffPage {
    let line = |name: &str, words: String| (name.to_owned(), words);
    HandOffPage {
        shell: shell(words, "desk"),
        hand_off: hand_off(words, state, mine, "My card was charged twice", "Grace Hopper"),
        summary: vec![
            line("Reason", words.say("My card [CREDIT_CARD] was charged twice")),
            line("First message", words.say("How do I send my blender back?")),
            line("Later", words.say("Do you ship to Norway?")),
            line("Answered from", words.say("Returns")),
            line("Without an answer in the documents", "1".to_owned()),
        ],
        messages: talk(words),
        form: FormView::new(),
        beat: "claimed.1.9".to_owned(),
    }
}

fn quality(words: Words) -> QualityPage {
    let wave = |most: f64| (0..30).map(|day| Some((most * f64::from(day * 7 % 11) / 11.0).round())).collect();
    let chart = Chart {
        slug: "c-questions",
        title: "Questions by day",
        summary: "240 answered and 31 without an answer in the last 30 days".to_owned(),
        unit: "",
        lines: vec![
            Line { name: "answered", tone: "one", values: wave(18.0) },
            Line { name: "without an answer", tone: "bad", values: wave(4.0) },
        ],
        labels: (1..=30).map(|day| format!("09-{day:02}")).collect(),
        pace: Pace::days("the last 30 days", 30),
    };
    let remark = |up, comment: &str| RemarkView { up, comment: words.say(comment), at: ago(4_000) };
    QualityPage {
        shell: shell(words, "desk/quality"),
        spans: vec![
            tab(words, "7 days", None, false),
            tab(words, "30 days", None, true),
            tab(words, "90 days", None, false),
        ],
        counts: vec![
            Count::share(
                "Answer rate",
                (240, 271),
                "questions",
                "Questions that the documents answered. The others were told that there is no answer.",
            ),
            Count::share(
                "Resolution",
                (88, 140),
                "conversations",
                "The last question was answered, nobody asked for a person, and nothing was rated down.",
            ),
            Count::plain(
                "Handed over",
                12,
                "of 140 conversations".to_owned(),
                "Conversations in which a person was asked for.",
            ),
            Count::share(
                "Helpful",
                (0, 0),
                "rated answers",
                "Thumbs up among all thumbs. Only some people press one.",
            ),
        ],
        chart: Some(chart),
        remarks: vec![remark(true, "Quick and right."), remark(false, "The number of days is old.")],
    }
}

/// The pages with their names.
pub(super) fn pages(words: Words) -> Vec<(&'static str, String)> {
    let list = documents(words);
    let reader = {
        let mut shell = shell(words, "documents");
        shell.places.truncate(2);
        shell.frame.viewer = Viewer::Person(words.person());
        shell
    };
    let passage =
        |n: u32, headings: &[&str], body: &str, marks: &[std::ops::Range<usize>], named| PassageView {
            id: format!("01939f2e-7c4a-7b31-9d55-{n:012}"),
            headings: headings.iter().map(|heading| words.say(heading)).collect(),
            page: (n < 3).then_some(n),
            text: pieces(&words.say(body), marks),
            quoted: named,
            named,
        };
    let one = DocumentPage {
        shell: shell(words, "documents"),
        document: document(words, "Returns", "returns-2026.pdf", "PDF", "ready"),
        passages: vec![
            passage(
                1,
                &["Returns"],
                "Returns are easy, and most of them are settled within a week.",
                &[],
                false,
            ),
            passage(
                2,
                &["Returns", "How to send it back"],
                "You may send a blender back within 30 days of delivery, in the box it came in. The customer pays for the parcel unless the blender is broken.\n\nWrite the number of the order on the outside.",
                std::slice::from_ref(&(0..79)),
                true,
            ),
            passage(3, &["Returns", "What it costs"], "A parcel costs 4.90 within the country.", &[], false),
        ],
        sheet: (1, 3),
        manages: true,
        cited: Cited::Here,
    };
    let failed = DocumentPage {
        document: document(words, "scan.pdf", "", "PDF", "failed"),
        passages: Vec::new(),
        sheet: (1, 1),
        cited: Cited::Gone,
        ..one.clone()
    };
    let row = hand_off;
    let inbox = InboxPage {
        shell: shell(words, "desk"),
        tabs: vec![
            tab(words, "Waiting", Some(3), true),
            tab(words, "Mine", Some(1), false),
            tab(words, "Claimed", Some(2), false),
            tab(words, "Closed", Some(18), false),
        ],
        rows: vec![
            row(words, "waiting", false, "My card was charged twice", ""),
            row(words, "waiting", false, "", ""),
            row(words, "claimed", false, "The blender burns", "Grace Hopper"),
            row(words, "claimed", true, "", "Ada"),
            row(words, "closed", false, "", "Grace Hopper"),
        ],
        next: Some("/apps/support/desk?after=abc".to_owned()),
        empty: Empty {
            icon: "check",
            title: "Nobody is waiting".to_owned(),
            text: "A customer who asks for a person appears here at once.".to_owned(),
            action: None,
        },
        beat: "3.1.2.18".to_owned(),
    };
    let mut done = shell(words, "desk");
    done.done = Some("Closed. The documents answer what comes next.".to_owned());
    let question = |question: &str, count, closest| QuestionView {
        id: ID.to_owned(),
        question: words.say(question),
        count,
        closest,
        first_at: ago(400_000),
        last_at: ago(3_000),
        answer: "/apps/support/documents?title=x#write".to_owned(),
        search: "/apps/support/documents?q=x".to_owned(),
    };
    let questions = QuestionsPage {
        shell: shell(words, "desk/questions"),
        questions: vec![
            question("Do you ship blenders to Norway?", 7, 31),
            question("Is there a student discount?", 1, 4),
        ],
        empty: inbox.empty.clone(),
    };
    let refused = FormView::new()
        .with("title", &words.say("Returns"))
        .with("text", &words.say("x"))
        .wrong("text", "This very text is here already.");
    vec![
        ("documents", text(&list)),
        ("documents-search", text(&DocumentsPage { search: Some(search(words, true)), ..list.clone() })),
        ("documents-unsure", text(&DocumentsPage { search: Some(search(words, false)), ..list.clone() })),
        ("documents-empty", text(&DocumentsPage { documents: vec![], next: None, ..list.clone() })),
        (
            "documents-write",
            text(&DocumentsPage {
                form: refused,
                writing: true,
                added: vec![
                    (words.say("a.pdf"), words.say("is added."), true),
                    (words.say("b.pdf"), words.say("The file is cut off."), false),
                ],
                ..list.clone()
            }),
        ),
        ("documents-reader", text(&DocumentsPage { shell: reader.clone(), zone: None, ..list })),
        ("document", text(&one)),
        ("document-failed", text(&failed)),
        ("document-reader", text(&DocumentPage { shell: reader, manages: false, ..one })),
        (
            "document-remove",
            text(&RemovePage {
                shell: shell(words, "documents"),
                document: document(words, "Returns", "", "PDF", "ready"),
            }),
        ),
        ("inbox", text(&inbox)),
        ("inbox-empty", text(&InboxPage { shell: done, rows: vec![], next: None, ..inbox })),
        ("hand-off", text(&hand_off_page(words, "claimed", true))),
        ("hand-off-waiting", text(&hand_off_page(words, "waiting", false))),
        ("hand-off-taken", text(&hand_off_page(words, "claimed", false))),
        ("questions", text(&questions)),
        ("questions-empty", text(&QuestionsPage { questions: vec![], ..questions })),
        ("quality", text(&quality(words))),
        ("talk", conversation(words, "")),
        ("talk-waiting", conversation(words, "waiting")),
        ("talk-person", conversation(words, "claimed")),
    ]
}
