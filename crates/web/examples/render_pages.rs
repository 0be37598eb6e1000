//! Writes the pages for sample views, and the static files, into a folder, to look at them without a server:
//! `cargo run -p web --example render_pages -- FOLDER [OPENAPI.json [TEXTS]]`.
//! TEXTS holds texts between record separators (U+001E); each becomes an answer on `texts.html`.

use std::error::Error;
use std::fs;
use std::path::Path;

use kernel::{AppId, AppKind, ConversationId, MessageId, Time};
use web::ui;
use web::ui::pieces::{DropZone, Empty, FilterTab, Pair, Side};
use web::ui::sample::{PiecesPage, SampleRow};
use web::ui::{
    AppView, Beside, ChatPage, CitationView, ConversationView, Ending, ErrorPage, Frame, FrontPage,
    HealthView, LimitsView, MessageView, ModelView, Speaker, Viewer, assets, fragments, pages, reference,
};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const ANSWER: &str = r#"Yes. A backup is **one command**, and it is checked before anything live is touched [1].

## How it goes

1. `stoa backup create` writes a sealed artefact and a manifest.
2. `stoa backup verify` reads it back.
3. `stoa restore` checks *everything* first, swaps, runs the health check, and rolls back if that fails [2].

```bash
stoa backup create
stoa backup list
stoa restore backups/2026-01-31.stoa --yes
```

| what | where | kept for |
|:-----|:-----:|---------:|
| local artefacts | `BACKUP_DIR` | 7 days |
| remote artefacts | `BACKUP_S3_URL` | 30 days |

> Data keys are not in the artefacts: an erased person stays unreadable in every older backup.

- [x] nothing is lost by `kill -9`
- [ ] the keyring is yours to keep

More is at <https://example.com/manual> and ![a diagram](https://example.com/d.png). <b onclick="x()">Raw HTML</b> is text.
"#;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the folder to write to")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let document = match arguments.next() {
        Some(path) => serde_json::from_slice(&fs::read(path)?)?,
        None => serde_json::json!({"info": {"title": "Stoa"}}),
    };
    let texts = arguments.next().map(fs::read).transpose()?;
    let write = |name: &str, html: String| -> Outcome { Ok(fs::write(folder.join(name), html)?) };

    write("front.html", pages::front(&front(false)?)?)?;
    write("front-connected.html", pages::front(&front(true)?)?)?;
    write("empty.html", pages::chat(&chat(Vec::new(), false)?)?)?;
    write("chat.html", pages::chat(&chat(talk()?, true)?)?)?;
    let mut writing = talk()?;
    writing.push(message(90, Speaker::Person, "And how long does a restore take?", Ending::Complete)?);
    writing.push(message(91, Speaker::Answerer, "", Ending::Writing)?);
    write("writing.html", pages::chat(&chat(writing, false)?)?)?;
    write("message.html", fragments::message(&answer()?)?)?;
    for (status, code, title, detail, retry_after) in [
        (404, "not_found", "Not found", "There is no such thing, or it belongs to somebody else.", None),
        (403, "forbidden", "This is not allowed", "You may not enter this app.", None),
        (429, "rate_limited", "Rate limit exceeded", "Too many requests in the window.", Some(23)),
        (500, "internal", "Something went wrong on our side", "The log holds the cause.", None),
    ] {
        let page = ErrorPage {
            status,
            code: code.to_owned(),
            title: title.to_owned(),
            detail: detail.to_owned(),
            request_id: "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47".to_owned(),
            retry_after,
            sign_in: None,
        };
        write(&format!("error-{status}.html"), pages::failure(&page))?;
    }
    write("docs.html", reference::page(&document, &frame()?, "http://127.0.0.1:8080")?)?;
    write("pieces.html", pieces()?.html()?)?;
    if let Some(texts) = texts {
        let answers = (1000..)
            .zip(String::from_utf8_lossy(&texts).split('\u{1e}'))
            .map(|(n, text)| message(n, Speaker::Answerer, text, Ending::Complete))
            .collect::<Outcome<_>>()?;
        write("texts.html", pages::chat(&chat(answers, true)?)?)?;
    }
    fs::create_dir_all(folder.join("static"))?;
    for asset in assets::all() {
        fs::write(folder.join(asset.url.trim_start_matches('/')), &asset.body)?;
    }
    Ok(())
}

fn apps() -> Outcome<Vec<AppView>> {
    let app = |id: &str, kind, name: &str, description: &str| -> Outcome<AppView> {
        Ok(AppView {
            id: AppId::parse(id)?,
            kind,
            name: name.to_owned(),
            description: description.to_owned(),
            tools: Vec::new(),
        })
    };
    Ok(vec![
        app("assistant", AppKind::Chat, "Assistant", "Ask anything.")?,
        app("support", AppKind::Support, "Support", "Answers customers from the documents.")?,
        app("tutor", AppKind::Tutor, "Tutor", "Asks, hints, and never hands over the answer.")?,
    ])
}

fn frame() -> Outcome<Frame> {
    Ok(Frame { apps: apps()?, viewer: Viewer::Visitor(String::new()) })
}

fn front(connected: bool) -> Outcome<FrontPage> {
    let state = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    Ok(FrontPage {
        frame: frame()?,
        model: model(connected),
        operator_hints: !connected,
        unclaimed: !connected,
        health: Some(HealthView {
            status: "healthy".to_owned(),
            services: vec![
                state("api", "operational"),
                state("database", "operational"),
                state("vector_db", "not_configured"),
                state("cache", "degraded"),
                state("model", if connected { "operational" } else { "not_configured" }),
            ],
        }),
        base_url: "http://127.0.0.1:8080".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn model(connected: bool) -> ModelView {
    ModelView { connected, label: if connected { "llama3.2" } else { "Built-in answerer" }.to_owned() }
}

fn uuid(n: u32) -> String {
    format!("01939f2e-7c4a-7b31-9d55-{n:012}")
}

fn now() -> Time {
    Time::from_seconds(1_795_220_000)
}

fn message(n: u32, speaker: Speaker, content: &str, ending: Ending) -> Outcome<MessageView> {
    Ok(MessageView {
        id: MessageId::parse(&uuid(n))?,
        speaker,
        content: content.to_owned(),
        citations: Vec::new(),
        created_at: now(),
        ending,
        model: (speaker == Speaker::Answerer).then(|| "builtin".to_owned()),
        beside: Beside::default(),
    })
}

fn answer() -> Outcome<MessageView> {
    let cite = |number, title: &str, quote: &str| CitationView {
        number,
        title: title.to_owned(),
        source: "docs/operations.md".to_owned(),
        quote: quote.to_owned(),
        heading_path: Vec::new(),
        page: None,
        href: String::new(),
    };
    Ok(MessageView {
        citations: vec![
            cite(1, "Operations › Backups", "Backups are checked before anything live is touched."),
            cite(
                2,
                "Operations › Restore",
                "Restore checks everything first, swaps, runs the health check, and rolls back if it fails.",
            ),
        ],
        ..message(2, Speaker::Answerer, ANSWER, Ending::Complete)?
    })
}

fn talk() -> Outcome<Vec<MessageView>> {
    Ok(vec![
        message(
            1,
            Speaker::Person,
            "Can I restore a backup safely?\nI have <b>one</b> server.",
            Ending::Complete,
        )?,
        answer()?,
        message(3, Speaker::Person, "Thanks. What if I stop it half-way?", Ending::Complete)?,
        message(4, Speaker::Answerer, "Then the restore has not begun to", Ending::Cancelled)?,
    ])
}

fn chat(messages: Vec<MessageView>, connected: bool) -> Outcome<ChatPage> {
    let titles = [
        ("Can I restore a backup safely?", 0),
        ("Rate limits behind a proxy", 3),
        ("A title that is much longer than the list is wide, so that it has to be cut somewhere", 30),
        ("Which variables does Ollama need?", 90),
        ("", 400),
        ("Zürich 東京 عربي 🙂", 2_000),
    ];
    let conversations: Vec<ConversationView> = (100..)
        .zip(titles)
        .map(|(n, (title, hours))| {
            Ok(ConversationView {
                id: ConversationId::parse(&uuid(n))?,
                title: Some(title.to_owned()).filter(|title| !title.is_empty()),
                updated_at: Time::from_seconds(now().micros() / 1_000_000 - hours * 3600),
                order: Default::default(),
            })
        })
        .collect::<Outcome<_>>()?;
    let apps = apps()?;
    Ok(ChatPage {
        app: apps.first().cloned().ok_or("no app")?,
        frame: frame()?,
        conversation: (!messages.is_empty()).then(|| conversations.first().cloned()).flatten(),
        ordered: Default::default(),
        conversations: if connected || !messages.is_empty() { conversations } else { Vec::new() },
        next_conversations: None,
        limits: LimitsView { max_chars: 5_000, max_user_messages: Some(10), user_messages: 2 },
        messages,
        earlier_url: None,
        past: false,
        desk: None,
        shares: true,
        attaches: true,
        model: model(connected),
        lesson: None,
        now: now(),
    })
}

fn pieces() -> Outcome<PiecesPage> {
    let tab = |name: &str, count: u64, current| FilterTab {
        name: name.to_owned(),
        href: "#tab".to_owned(),
        count: Some(count),
        current,
    };
    let row = |name, bytes, passages, days: i64, state, tone| SampleRow {
        name,
        bytes,
        passages,
        at: Time::from_seconds(now().micros() / 1_000_000 - days * 86_400),
        state,
        tone,
    };
    let side = |title: &str, tag: &str, picture: &str, excerpt: &str, chosen| Side {
        title: title.to_owned(),
        href: "#side".to_owned(),
        picture: picture.to_owned(),
        excerpt: excerpt.to_owned(),
        tag: tag.to_owned(),
        value: title.to_owned(),
        chosen,
    };
    let fact = |name: &str, left: &str, right: &str| (name.to_owned(), left.to_owned(), right.to_owned());
    let icon = ui::asset_url("icon.svg");
    Ok(PiecesPage {
        frame: frame()?,
        zone: DropZone {
            id: "documents",
            title: "Add documents".to_owned(),
            action: "#send".to_owned(),
            send: "/api/v1/apps/support/documents".to_owned(),
            field: "file",
            carried: Vec::new(),
            accept: vec![".pdf", ".docx", ".html", ".md", ".txt", ".csv"],
            most_bytes: 20_000_000,
            most_files: 100,
            link: "/apps/support/documents/{id}".to_owned(),
            fresh: "list",
        },
        tabs: vec![
            tab("All", 1_204, true),
            tab("Ready", 1_198, false),
            tab("Being read", 4, false),
            tab("Failed", 2, false),
        ],
        rows: vec![
            row("Terms of delivery.pdf", 1_549_000, 214, 2, "ready", "good"),
            row(
                "Returns and refunds (2026, final, really final, signed by everybody).docx",
                88_120,
                31,
                40,
                "ready",
                "good",
            ),
            row("prices.csv", 980, 12, 400, "being read", "warn"),
            row("Zürich 東京 عربي.txt", 12, 0, 0, "failed", "bad"),
        ],
        empty: Empty {
            icon: "book",
            title: "No documents yet".to_owned(),
            text: "The desk answers from documents and quotes them. Add the first, and ask it something."
                .to_owned(),
            action: Some(("#documents".to_owned(), "Add documents".to_owned())),
        },
        pair: Pair {
            title: "Two pictures".to_owned(),
            left: side("IMG_2041.jpg", "keep", icon, "", true),
            right: side("IMG_2041 (1) copy of the holiday in the mountains.jpg", "", icon, "", false),
            rows: vec![
                fact("Size", "4.2\u{a0}MB", "1.1\u{a0}MB"),
                fact("Pixels", "4032 × 3024", "1600 × 1200"),
                fact("Taken", "2026-07-03", "2026-07-03"),
            ],
            choice: "keep",
        },
        texts: Pair {
            title: "Two versions of a passage".to_owned(),
            left: side(
                "Terms.pdf, page 3",
                "newest",
                "",
                "You may return goods within 30 days.\nThe parcel is free.",
                false,
            ),
            right: side(
                "Terms (old).pdf, page 2",
                "",
                "",
                "You may return goods within 14 days.\nYou pay for the parcel.",
                false,
            ),
            rows: vec![fact("Added", "2026-11-01", "2025-03-17")],
            choice: "",
        },
    })
}
