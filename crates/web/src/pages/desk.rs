//! The desk of customer service as pages: the inbox, a conversation that was handed over, the questions without an
//! answer, the counts. Each handler makes the same calls as the API; what moves is asked for as a word that changes.

use std::time::Duration;

use apps::{DayCount, HandOff, Handed, InboxTab, Quality};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use identity::{Desk, May};
use kernel::{Code, Fault, HandOffId, MessageId, Time};

use super::account::piece;
use super::app::{named, serves_customers, service, shell};
use super::form::{Fields, onward, page, refused, sentence};
use super::person::Person;
use super::talk::message_view;
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{count, key, say};
use crate::ui::chart::{Chart, Line, Pace};
use crate::ui::desk::{
    Count, HandOffPage, HandOffView, InboxPage, QualityPage, QuestionView, QuestionsPage, RemarkView,
};
use crate::ui::form::FormView;
use crate::ui::frame::encode;
use crate::ui::html;
use crate::ui::pieces::{Empty, FilterTab};

/// The pages of the desk.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/apps/{app}/desk", get(inbox))
        .route("/apps/{app}/desk/beat", get(inbox_beat))
        .route("/apps/{app}/desk/questions", get(questions))
        .route("/apps/{app}/desk/questions/{id}/resolve", post(resolve))
        .route("/apps/{app}/desk/quality", get(quality))
        .route("/apps/{app}/desk/{id}", get(hand_off))
        .route("/apps/{app}/desk/{id}/beat", get(beat))
        .route("/apps/{app}/desk/{id}/claim", post(claim))
        .route("/apps/{app}/desk/{id}/reply", post(reply))
        .route("/apps/{app}/desk/{id}/return", post(give_back))
        .route("/apps/{app}/desk/{id}/close", post(close))
}

fn desk(site: &Site, person: &Person, app: &apps::App) -> Outcome<May<Desk>> {
    person.may(site, Desk(app.id.clone()))
}

/// A word that is as new as the moment in which it was asked for.
fn word(beat: String) -> Response {
    let mut response = beat.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const TABS: [(&str, &str, InboxTab); 4] = [
    ("waiting", key("Waiting"), InboxTab::Waiting),
    ("mine", key("Mine"), InboxTab::Mine),
    ("claimed", key("Claimed"), InboxTab::Claimed),
    ("closed", key("Closed"), InboxTab::Over),
];

async fn inbox(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = desk(&site, &person, &app)?;
    let asked = person.asked("tab");
    let (here, _, tab) = TABS.into_iter().find(|(name, ..)| *name == asked).unwrap_or((
        "waiting",
        key("Waiting"),
        InboxTab::Waiting,
    ));
    let found = site.hall.inbox_tab(&may, tab, piece(&person)?).await?;
    let beat = site.hall.inbox_beat(&may).await?;
    let base = format!("/apps/{}/desk", app.id);
    let tabs = TABS
        .into_iter()
        .map(|(name, title, tab)| FilterTab {
            name: title.to_owned(),
            href: format!("{base}?tab={name}"),
            count: Some(match tab {
                InboxTab::Waiting => found.counts.waiting,
                InboxTab::Mine => found.counts.mine,
                InboxTab::Claimed => found.counts.claimed,
                InboxTab::Over => found.counts.over,
            }),
            current: name == here,
        })
        .collect();
    let rows = found
        .page
        .items
        .into_iter()
        .map(|row| {
            let by = row.claimed_by.as_ref().and_then(|who| found.names.get(who)).cloned();
            view(&person, row, by)
        })
        .collect();
    let mut shell = shell(&site, &person, &app, "desk").await;
    shell.done = done(&person.asked("done"));
    let next = found.page.next.map(|next| format!("{base}?tab={here}&after={}", encode(&next)));
    let shown = InboxPage { shell, tabs, rows, next, empty: nothing(tab, &base), beat };
    Ok(page(StatusCode::OK, html(&shown)?))
}

/// What an empty part of the inbox says.
fn nothing(tab: InboxTab, base: &str) -> Empty {
    let (icon, title, text) = match tab {
        InboxTab::Waiting => {
            ("check", key("Nobody is waiting"), key("A customer who asks for a person appears here at once."))
        }
        InboxTab::Mine => (
            "inbox",
            key("You have no conversation"),
            key("Claim one that waits, and it is yours until you give it back."),
        ),
        InboxTab::Claimed => (
            "inbox",
            key("Nobody has a conversation"),
            key("Conversations that somebody has claimed stand here, with the name."),
        ),
        InboxTab::Over => (
            "inbox",
            key("Nothing is over yet"),
            key("Conversations that were closed or given back stand here."),
        ),
    };
    let waiting = (format!("{base}?tab=waiting"), key("See who is waiting").to_owned());
    let action = (tab != InboxTab::Waiting).then_some(waiting);
    Empty { icon, title: title.to_owned(), text: text.to_owned(), action }
}

fn done(word: &str) -> Option<String> {
    let words = match word {
        "claimed" => key("It is yours. The customer sees your name, and the machine is silent."),
        "returned" => key("Given back. The documents answer what comes next."),
        "closed" => key("Closed. The documents answer what comes next."),
        "resolved" => key("Resolved. It appears again when somebody asks it in vain again."),
        _ => return None,
    };
    Some(words.to_owned())
}

fn view(person: &Person, row: HandOff, by: Option<String>) -> HandOffView {
    HandOffView {
        id: row.id.to_string(),
        state: row.state.as_str(),
        reason: row.reason.unwrap_or_default(),
        by: by.unwrap_or_default(),
        mine: row.claimed_by.as_deref() == Some(person.who.principal.subject().to_string().as_str()),
        asked_at: row.created_at,
        changed_at: row.updated_at,
    }
}

async fn inbox_beat(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let app = service(&site, &app)?;
    Ok(word(site.hall.inbox_beat(&desk(&site, &person, &app)?).await?))
}

async fn beat(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = desk(&site, &person, &app)?;
    Ok(word(site.hall.handed_beat(&may, HandOffId::parse(&id)?).await?))
}

async fn hand_off(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = desk(&site, &person, &app)?;
    let id = HandOffId::parse(&id)?;
    show(&site, &person, &app, &may, id, FormView::new(), None, StatusCode::OK).await
}

#[expect(clippy::too_many_arguments, reason = "a page with a form that may come back")]
async fn show(
    site: &Site,
    person: &Person,
    app: &apps::App,
    may: &May<Desk>,
    id: HandOffId,
    form: FormView,
    failed: Option<String>,
    code: StatusCode,
) -> Outcome<Response> {
    // The word first: what changes while the rest is read is then seen as a change.
    let beat = site.hall.handed_beat(may, id).await?;
    let Handed { hand_off, summary, messages } = site.hall.handed(may, id).await?;
    let by = match &hand_off.claimed_by {
        Some(who) => site.hall.colleague(may, who).await,
        None => None,
    };
    let authors = site.hall.authors(&messages).await;
    let mut shell = shell(site, person, app, "desk").await;
    shell.done = done(&person.asked("done"));
    shell.failed = failed;
    // What `apps::desk` puts in front of each line.
    const NAMES: [&str; 5] = [
        key("Reason"),
        key("First message"),
        key("Later"),
        key("Answered from"),
        key("Without an answer in the documents"),
    ];
    let line = |line: &str| {
        let (name, words) =
            line.split_once(": ").filter(|(name, _)| NAMES.contains(name)).unwrap_or(("", line));
        (name.to_owned(), words.to_owned())
    };
    let shown = HandOffPage {
        shell,
        hand_off: view(person, hand_off, by),
        summary: summary.lines().map(line).collect(),
        messages: messages.iter().map(|row| message_view(&app.id, &authors, row)).collect(),
        form,
        beat,
    };
    Ok(page(code, html(&shown)?))
}

/// Back to the conversation, with what became of the attempt.
async fn after<T>(
    site: &Site,
    person: &Person,
    app: &apps::App,
    may: &May<Desk>,
    id: HandOffId,
    outcome: Result<T, Fault>,
    to: String,
) -> Outcome<Response> {
    match outcome {
        Ok(_) => Ok(onward(&to)),
        // Somebody else was quicker: the page says so and shows how it stands now.
        Err(fault) if fault.code() == Code::Conflict => {
            let failed = Some(sentence(fault.message()));
            show(site, person, app, may, id, FormView::new(), failed, StatusCode::CONFLICT).await
        }
        Err(fault) => Err(fault.into()),
    }
}

async fn claim(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let (may, id) = (desk(&site, &person, &app)?, HandOffId::parse(&id)?);
    let outcome = site.hall.claim(&may, id).await;
    let to = format!("/apps/{}/desk/{id}?done=claimed#reply", app.id);
    after(&site, &person, &app, &may, id, outcome, to).await
}

async fn reply(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
    fields: Fields,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let (may, id) = (desk(&site, &person, &app)?, HandOffId::parse(&id)?);
    match site.hall.reply(&may, id, fields.text("content").to_owned()).await {
        Ok(_) => Ok(onward(&format!("/apps/{}/desk/{id}#reply", app.id))),
        Err(fault) => {
            let (code, form) = refused(fields.view(), fault)?;
            show(&site, &person, &app, &may, id, form, None, code).await
        }
    }
}

async fn give_back(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let (may, id) = (desk(&site, &person, &app)?, HandOffId::parse(&id)?);
    let outcome = site.hall.give_back(&may, id).await;
    after(&site, &person, &app, &may, id, outcome, format!("/apps/{}/desk?tab=mine&done=returned", app.id))
        .await
}

async fn close(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let (may, id) = (desk(&site, &person, &app)?, HandOffId::parse(&id)?);
    let outcome = site.hall.close_hand_off(&may, id).await;
    after(&site, &person, &app, &may, id, outcome, format!("/apps/{}/desk?done=closed", app.id)).await
}

async fn questions(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = desk(&site, &person, &app)?;
    let base = format!("/apps/{}/documents", app.id);
    let questions = site
        .hall
        .open_questions(&may)
        .await?
        .into_iter()
        .map(|row| QuestionView {
            id: row.id.to_string(),
            answer: format!("{base}?title={}#write", encode(&row.question)),
            search: format!("{base}?q={}", encode(&row.question)),
            question: row.question,
            count: row.count,
            closest: hundredths(row.closest),
            first_at: row.first_at,
            last_at: row.last_at,
        })
        .collect();
    let mut shell = shell(&site, &person, &app, "desk/questions").await;
    shell.done = done(&person.asked("done"));
    let empty = Empty {
        icon: "check",
        title: key("Every question was answered").to_owned(),
        text: key(
            "What customers ask and no document answers is listed here, so that you know what to write next.",
        )
        .to_owned(),
        action: Some((base, key("See the documents").to_owned())),
    };
    Ok(page(StatusCode::OK, html(&QuestionsPage { shell, questions, empty })?))
}

/// A share as it is printed.
pub(super) fn hundredths(share: f32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    let hundredths = (share.clamp(0.0, 1.0) * 100.0).round() as u32;
    hundredths
}

async fn resolve(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = desk(&site, &person, &app)?;
    site.hall.resolve(&may, MessageId::parse(&id)?).await?;
    Ok(onward(&format!("/apps/{}/desk/questions?done=resolved", app.id)))
}

/// Spans of days that can be looked at.
const SPANS: [(u32, &str, &str); 3] = [
    (7, key("7 days"), key("the last 7 days")),
    (30, key("30 days"), key("the last 30 days")),
    (90, key("90 days"), key("the last 90 days")),
];

/// A day in seconds.
const DAY: u64 = 24 * 60 * 60;

async fn quality(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let app = named(&site, &app)?;
    let may = desk(&site, &person, &app)?;
    let asked = person.asked("days");
    let (days, _, words) = SPANS.into_iter().find(|(days, ..)| days.to_string() == asked).unwrap_or(SPANS[1]);
    let span = Duration::from_secs(u64::from(days) * DAY);
    let serves = serves_customers(app.kind);
    let found = site.hall.quality(&may, span).await?;
    let chart = if serves {
        let by_day = site.hall.quality_by_day(&may, span).await?;
        Some(chart(&by_day, site.ambient.now(), days, words))
    } else {
        None
    };
    let remarks = site.hall.remarks(&may).await?;
    let shell = shell(&site, &person, &app, "desk/quality").await;
    let spans = SPANS
        .into_iter()
        .map(|(one, name, _)| FilterTab {
            name: name.to_owned(),
            href: format!("/apps/{}/desk/quality?days={one}", app.id),
            count: None,
            current: one == days,
        })
        .collect();
    let remarks = remarks
        .into_iter()
        .map(|remark| RemarkView {
            up: remark.rating == apps::Rating::Up,
            comment: remark.comment.unwrap_or_default(),
            at: remark.updated_at,
        })
        .collect();
    let shown = QualityPage { shell, spans, counts: counts(&found, serves), chart, remarks };
    Ok(page(StatusCode::OK, html(&shown)?))
}

fn counts(found: &Quality, serves: bool) -> Vec<Count> {
    let rated = found.up + found.down;
    let helpful = Count::share(
        key("Helpful"),
        (found.up, rated),
        key("{part} of {count} rated answer|{part} of {count} rated answers"),
        key("Thumbs up among all thumbs. Only some people press one."),
    );
    if !serves {
        return vec![helpful];
    }
    let contained = found.conversations.saturating_sub(found.handed_off);
    vec![
        Count::share(
            key("Answer rate"),
            (found.answered, found.questions),
            key("{part} of {count} question|{part} of {count} questions"),
            key("Questions that the documents answered. The others were told that there is no answer."),
        ),
        Count::share(
            key("Resolution"),
            (found.resolved, found.conversations),
            key("{part} of {count} conversation|{part} of {count} conversations"),
            key(
                "The last question was answered, nobody asked for a person, and nothing was rated down. The best sign that it helped.",
            ),
        ),
        Count::share(
            key("Containment"),
            (contained, found.conversations),
            key("{part} of {count} conversation|{part} of {count} conversations"),
            key("Nobody asked for a person. It says nothing about whether it helped: people also give up."),
        ),
        Count::plain(
            key("Handed over"),
            found.handed_off,
            count("of {count} conversation|of {count} conversations", found.conversations).to_string(),
            key("Conversations in which a person was asked for."),
        ),
        Count::plain(
            key("Without an answer"),
            found.refused,
            count("of {count} question|of {count} questions", found.questions).to_string(),
            key("Questions that no document answered. The page “Questions” lists them."),
        ),
        helpful,
    ]
}

fn chart(by_day: &[DayCount], now: Time, days: u32, words: &'static str) -> Chart {
    let seconds = i64::try_from(DAY).unwrap_or(i64::MAX);
    let today = now.micros() / 1_000_000 / seconds;
    let first = today - i64::from(days) + 1;
    let of = |day: i64| by_day.iter().find(|one| one.day == day).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "counts of a day")]
    let values =
        |pick: fn(&DayCount) -> u64| (first..=today).map(|day| Some(pick(&of(day)) as f64)).collect();
    let labels = (first..=today)
        .map(|day| {
            Time::from_seconds(day * seconds).rfc3339_seconds().get(5..10).unwrap_or_default().to_owned()
        })
        .collect();
    let (answered, refused) = by_day.iter().fold((0, 0), |(a, r), one| (a + one.answered, r + one.refused));
    Chart {
        slug: "c-questions",
        title: key("Questions by day"),
        summary: say("{answered} answered and {refused} without an answer in {span}")
            .with("answered", answered)
            .with("refused", refused)
            .with("span", say(words))
            .to_string(),
        unit: "",
        lines: vec![
            Line { name: key("answered"), tone: "one", values: values(|one| one.answered) },
            Line { name: key("without an answer"), tone: "bad", values: values(|one| one.refused) },
        ],
        labels,
        pace: Pace::days(words, days as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_its_place() {
        let now = Time::from_seconds(20_000 * 86_400 + 5);
        let day = |day, answered| DayCount { day, answered, refused: 1 };
        let chart = chart(&[day(19_994, 3), day(20_000, 5), day(19_000, 9)], now, 7, "the last 7 days");
        assert_eq!(chart.labels.len(), 7);
        let values: Vec<f64> = chart.lines[0].values.iter().map(|value| value.unwrap()).collect();
        assert_eq!(values, [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0]);
        assert_eq!(chart.labels.last().unwrap(), "10-04");
    }
}
