//! The pages of the tutor with sample data and with hostile data.

use kernel::{AppKind, ConversationId, MessageId};

use super::super::pages;
use super::super::pieces::{Empty, FilterTab};
use super::super::tutor::*;
use super::super::view::{
    ChatPage, ConversationView, Ending, LessonView, LimitsView, MessageView, ModelView, Speaker,
};
use super::{Words, ago, fill, now};
use crate::ui::form::FormView;

fn text(page: &impl askama::Template) -> String {
    fill(page).unwrap()
}

fn desk(words: Words, here: &str, done: Option<&'static str>) -> Desk {
    let tab = |name: &str, href: &str| FilterTab {
        name: name.to_owned(),
        href: href.to_owned(),
        count: None,
        current: href == here,
    };
    Desk {
        frame: words.frame(),
        app: words.app("tutor", AppKind::Tutor, "Tutor", "Asks, hints, and never hands over the answer."),
        tabs: vec![
            tab("Problems", "/apps/tutor"),
            tab("My progress", "/apps/tutor/progress"),
            tab("Manage problems", "/apps/tutor/problems"),
        ],
        done,
        now: now(),
    }
}

fn state(stage: tutor::Stage, hint: Option<u8>, solved: bool) -> tutor::State {
    tutor::State { stage, hint_level: hint, solved, ..tutor::State::default() }
}

fn empty(words: Words) -> Empty {
    Empty {
        icon: "tutor",
        title: words.say("No problems yet"),
        text: words.say("Write the first one."),
        action: Some(("/apps/tutor/problems/new".to_owned(), "New problem".to_owned())),
    }
}

fn statement(words: Words) -> String {
    words.say("A baker has 6 trays with 7 cakes each and sells 9 of them. How many cakes are left?")
}

fn problem(words: Words, id: &str, title: &str, state: Option<tutor::State>) -> LearnView {
    LearnView {
        id: id.to_owned(),
        title: words.say(title),
        statement: statement(words),
        solved: state.as_ref().is_some_and(|state| state.solved),
        conversation: state
            .as_ref()
            .map(|_| "01939f2e-7c4a-7b31-9d55-000000000001".to_owned())
            .unwrap_or_default(),
        standing: Standing::of(state.as_ref()),
    }
}

fn progress(words: Words, learner: &str, state: &tutor::State, stuck: bool) -> ProgressView {
    ProgressView {
        conversation: "01939f2e-7c4a-7b31-9d55-000000000001".to_owned(),
        problem: "01939f2e-7c4a-7b31-9d55-000000000009".to_owned(),
        title: words.say("Cakes"),
        learner: words.say(learner),
        standing: Standing::of(Some(state)),
        stuck,
        turns: 7,
        wrong_tries: 3,
        asked_for_answer: 1,
        claims: vec![(words.say("six and seven make thirteen"), true), (words.say("it is 6 times 7"), false)],
        last_at: ago(900),
    }
}

fn row(words: Words, title: &str, published: bool) -> ProblemRow {
    ProblemRow {
        id: "01939f2e-7c4a-7b31-9d55-000000000009".to_owned(),
        title: words.say(title),
        level: if published { words.say("Grade 3") } else { String::new() },
        published,
        updated_at: ago(90_000),
    }
}

fn message(words: Words, n: u8, speaker: Speaker, content: &str) -> MessageView {
    MessageView {
        id: MessageId::parse(&format!("01939f2e-7c4a-7b31-9d55-0000000000{n:02}")).unwrap(),
        speaker,
        content: words.say(content),
        citations: Vec::new(),
        created_at: ago(600),
        ending: Ending::Complete,
        model: (speaker == Speaker::Answerer).then(|| tutor::NAME.to_owned()),
        beside: Default::default(),
    }
}

fn talk(words: Words, said: bool) -> ChatPage {
    let conversation = ConversationView {
        id: ConversationId::parse("01939f2e-7c4a-7b31-9d55-000000000001").unwrap(),
        title: Some(words.say("Cakes")),
        updated_at: ago(60),
        order: Default::default(),
    };
    let hint = message(words, 2, Speaker::Answerer, "Look at one tray first. What does it hold?");
    ChatPage {
        app: desk(words, "", None).app,
        desk: None,
        frame: words.frame(),
        ordered: Default::default(),
        conversations: vec![conversation.clone()],
        next_conversations: None,
        conversation: Some(conversation),
        messages: match said {
            true => vec![message(words, 1, Speaker::Person, "Give me a hint"), hint.clone()],
            false => Vec::new(),
        },
        earlier_url: None,
        past: false,
        shares: true,
        attaches: true,
        model: ModelView { connected: false, label: String::new() },
        limits: LimitsView { max_chars: 20_000, max_user_messages: None, user_messages: 1 },
        lesson: Some(LessonView {
            title: words.say("Cakes"),
            statement: statement(words),
            level: words.say("Grade 3"),
            stage: stage(tutor::Stage::Hint).0.to_owned(),
            advice: stage(tutor::Stage::Hint).1.to_owned(),
            solved: false,
            hints: if said { vec![hint] } else { Vec::new() },
        }),
        now: now(),
    }
}

/// Every page with its name.
pub(super) fn pages(words: Words) -> Vec<(&'static str, String)> {
    let hinted = state(tutor::Stage::Hint, Some(1), false);
    let done = state(tutor::Stage::Done, Some(0), true);
    let learn = LearnPage {
        desk: desk(words, "/apps/tutor", None),
        model: ModelView { connected: false, label: String::new() },
        levels: vec![
            LevelView {
                name: words.say("Grade 3"),
                problems: vec![
                    problem(words, "1", "Cakes", Some(hinted.clone())),
                    problem(words, "2", "Trains that meet", None),
                    problem(words, "3", "A garden fence", Some(done.clone())),
                ],
            },
            LevelView { name: String::new(), problems: vec![problem(words, "4", "Why seasons?", None)] },
        ],
        more: true,
        empty: empty(words),
    };
    let problems = ProblemsPage {
        desk: desk(words, "/apps/tutor/problems", Some("The problem is deleted.")),
        problems: vec![row(words, "Cakes", true), row(words, "Trains that meet", false)],
        next: Some("/apps/tutor/problems?after=x".to_owned()),
        empty: empty(words),
    };
    let form = FormView::new()
        .with("title", &words.say("Cakes"))
        .with("statement", &statement(words))
        .with("answer", &words.say("33"))
        .with("hints", &words.say("Look at one tray.\nIt is 33."))
        .with("when-1", &words.say("4"))
        .with("ask-1", &words.say("What do the trays hold together?"));
    let refused = form
        .clone()
        .wrong("hints", &words.say("A text that learners are shown gives the answer away."))
        .wrong("misconceptions", &words.say("At most 20 are kept."))
        .wrong("transfer", &words.say("A transfer question ends with a question mark."))
        .wrong("level", &words.say("A level is one line of text."));
    let edit = |form: FormView, id: &str| EditPage {
        desk: desk(words, "/apps/tutor/problems", None),
        form,
        id: id.to_owned(),
        rows: 3,
    };
    let shown = ProblemPage {
        desk: desk(words, "/apps/tutor/problems", None),
        problem: row(words, "Cakes", true),
        statement: statement(words),
        learners: vec![
            progress(words, "Grace Hopper", &hinted, true),
            progress(words, "ada@example.com", &done, false),
        ],
        stuck: 1,
        next: None,
        empty: empty(words),
    };
    let line = |speaker, content: &str, labels: &[&str]| LineView {
        message: message(words, 3, speaker, content),
        labels: labels.iter().map(|label| words.say(label)).collect(),
        held_back: !labels.is_empty(),
    };
    let transcript = TranscriptPage {
        desk: desk(words, "/apps/tutor/problems", None),
        progress: progress(words, "Grace Hopper", &hinted, true),
        lines: vec![
            line(Speaker::Person, "6 + 7 = 13, is that it?", &[]),
            line(Speaker::Answerer, "What does **one** tray hold?", &["Hint, step 1", "type: clarification"]),
        ],
        next: Some("/apps/tutor/problems/1/transcripts/2?after=x".to_owned()),
    };
    let mine = ProgressPage {
        desk: desk(words, "/apps/tutor/progress", None),
        rows: vec![progress(words, "", &hinted, false), progress(words, "", &done, false)],
        next: None,
        empty: empty(words),
    };
    let delete =
        DeletePage { desk: desk(words, "/apps/tutor/problems", None), problem: row(words, "Cakes", true) };
    vec![
        ("tutor-front", text(&learn)),
        ("tutor-front-empty", text(&LearnPage { levels: vec![], more: false, ..learn })),
        ("tutor-begun", pages::chat(&talk(words, false)).unwrap()),
        ("tutor-talk", pages::chat(&talk(words, true)).unwrap()),
        ("tutor-progress", text(&mine)),
        ("tutor-progress-empty", text(&ProgressPage { rows: vec![], ..mine })),
        ("tutor-problems", text(&problems)),
        ("tutor-problems-empty", text(&ProblemsPage { problems: vec![], ..problems })),
        ("tutor-new", text(&edit(FormView::new(), ""))),
        ("tutor-edit", text(&edit(form, "9"))),
        ("tutor-refused", text(&edit(refused, "9"))),
        ("tutor-problem", text(&shown)),
        ("tutor-problem-empty", text(&ProblemPage { learners: vec![], stuck: 0, ..shown })),
        ("tutor-delete", text(&delete)),
        ("tutor-transcript", text(&transcript)),
    ]
}

#[test]
fn standings_are_words() {
    let words = |state: Option<&tutor::State>| Standing::of(state).words;
    assert_eq!(words(None), "Not begun");
    assert_eq!(words(Some(&state(tutor::Stage::Probe, None, false))), "In progress: looking closer");
    assert_eq!(words(Some(&state(tutor::Stage::Check, None, true))), "Solved, answer found");
    assert_eq!(words(Some(&state(tutor::Stage::Done, None, true))), "Solved");
    assert_eq!(Standing::of(Some(&state(tutor::Stage::Hint, Some(0), false))).hints, "1 hint");
    assert_eq!(Standing::of(Some(&state(tutor::Stage::Hint, Some(2), false))).hints, "3 hints");
    let shown = tutor::State { revealed: true, solved: true, ..tutor::State::default() };
    assert_eq!(words(Some(&shown)), "The answer was shown");
}
