//! What admins watch: the overview with its charts, the audit log, alerts.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{Admin, Alert, AlertFilter, AuditFilter, May, StoredEvent};
use kernel::{AlertId, EventType, Fault, PageRequest, Severity, Time};
use ops::pulse::{Minute, Pulse};
use serde_json::Value;

use super::account::piece;
use super::admin::{labels, shell};
use super::form::{onward, page};
use super::person::Person;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{count, key, say};
use crate::ui::admin::{AlertView, AlertsPage, AuditPage, AuditView, OverviewPage, PulseView, Tile};
use crate::ui::chart::{Chart, Line, Pace};
use crate::ui::form::FormView;
use crate::ui::frame::{ago, encode, grouped};
use crate::ui::{html, ready};
use crate::{SecretAge, Site};

/// The pages of watching.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/admin", get(overview))
        .route("/admin/fragments/pulse", get(pulse_fragment))
        .route("/admin/audit", get(audit))
        .route("/admin/alerts", get(alerts))
        .route("/admin/alerts/{id}/acknowledge", post(acknowledge))
}

/// Sessions that are looked through for who is signed in.
const LOOKED: u32 = 100;
/// People that the overview names.
const NAMED: usize = 8;

/// How many alerts are open; as many as one piece holds, which is enough to worry.
pub(super) async fn open_alerts(site: &Site, may: &May<Admin>) -> u64 {
    let filter = AlertFilter { open: Some(true), acknowledged: Some(false), ..AlertFilter::default() };
    match site.administration.alerts(may, filter, PageRequest::first(PageRequest::MOST)).await {
        Ok(found) => u64::try_from(found.items.len()).unwrap_or(u64::MAX),
        // The number is a convenience of every page; the page of alerts tells of the failure.
        Err(_) => 0,
    }
}

async fn overview(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin").await?;
    let mut warnings = Vec::new();
    match shell.open_alerts {
        0 => {}
        1 => warnings.push((key("One alert is open.").to_owned(), "/admin/alerts")),
        many => warnings.push((format!("{many} alerts are open."), "/admin/alerts")),
    }
    warnings.extend(old_secrets(&site.ages.load()));
    let pulse = pulse(&site, &may).await?;
    let shown = OverviewPage {
        shell,
        pulse: ready(&pulse)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        environment: site.config.environment.to_owned(),
        warnings,
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

/// A word about secrets that should have been replaced.
fn old_secrets(ages: &[SecretAge]) -> Option<(String, &'static str)> {
    let old: Vec<&str> = ages.iter().filter(|age| age.old).map(|age| age.name.as_str()).collect();
    let text = match old.as_slice() {
        [] => return None,
        [one] => say("{name} should be replaced: it has been in use for a long time.").with("name", one).to_string(),
        [first, rest @ ..] => {
            count("{name} and {count} more secret should be replaced: they have been in use for a long time.|{name} and {count} more secrets should be replaced: they have been in use for a long time.", rest.len() as u64).with("name", first).to_string()
        }
    };
    Some((text, "/admin/settings"))
}

async fn pulse_fragment(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    Ok(page(StatusCode::OK, html(&pulse(&site, &may).await?)?))
}

async fn pulse(site: &Site, may: &May<Admin>) -> Outcome<PulseView> {
    let read = site.pulses.read();
    let report = site.health.report().await;
    let services = [
        ("database", report.services.database),
        ("cache", report.services.cache),
        ("vector_db", report.services.vector_db),
        ("model", report.services.model),
    ];
    Ok(PulseView {
        status: report.status.as_str().to_owned(),
        services: services.map(|(name, state)| (name.to_owned(), state.as_str().to_owned())).to_vec(),
        tiles: tiles(&read),
        charts: charts(&read),
        people: people(site, may, read.at).await?,
    })
}

/// Who is signed in: the label, the id, how many sessions, when last seen.
async fn people(site: &Site, may: &May<Admin>, now: Time) -> Outcome<Vec<(String, String, u64, String)>> {
    let found = site.administration.sessions(may, None, PageRequest::first(LOOKED)).await?;
    let mut people: Vec<(kernel::UserId, u64, Time)> = Vec::new();
    for session in &found.items {
        match people.iter_mut().find(|one| one.0 == session.user) {
            Some(one) => {
                one.1 += 1;
                one.2 = one.2.max(session.seen_at);
            }
            None => people.push((session.user, 1, session.seen_at)),
        }
    }
    people.sort_by_key(|one| std::cmp::Reverse(one.2));
    people.truncate(NAMED);
    let names = labels(site, may, people.iter().map(|one| one.0)).await;
    Ok(people
        .into_iter()
        .map(|(id, count, seen)| {
            let id = id.to_string();
            let name = names.get(&id).filter(|name| !name.is_empty()).cloned();
            (name.unwrap_or_else(|| say("(no address)").to_string()), id, count, ago(now, seen))
        })
        .collect())
}

fn sum(minutes: &[Minute], of: fn(&Minute) -> u64) -> u64 {
    minutes.iter().map(of).fold(0, u64::saturating_add)
}

/// A count as a length on paper: exact below 2^32, which no minute reaches.
fn length(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn tiles(read: &Pulse) -> Vec<Tile> {
    let minutes = &read.minutes;
    let five = minutes.get(minutes.len().saturating_sub(5)..).unwrap_or_default();
    // The newest minute is not over yet.
    let last = minutes.len().checked_sub(2).and_then(|place| minutes.get(place));
    let (requests, failed) = (sum(five, |one| one.requests), sum(five, |one| one.failed));
    let share = if requests == 0 { 0.0 } else { 100.0 * length(failed) / length(requests) };
    let busiest = five.iter().rev().find(|one| one.requests > 0);
    let wrong = sum(minutes, |one| one.sign_in_failures);
    let tile = |name, value, note: &str, tone, href| Tile { name, value, note: note.to_owned(), tone, href };
    let milliseconds =
        |value: f64| if value < 10.0 { format!("{value:.1} ms") } else { format!("{value:.0} ms") };
    vec![
        tile(
            key("Requests"),
            grouped(last.map_or(0, |one| one.requests)),
            key("in the last whole minute"),
            "",
            "#c-requests",
        ),
        tile(
            key("Server errors"),
            format!("{share:.1} %"),
            key("of the last five minutes"),
            if share > 5.0 {
                "bad"
            } else if share > 1.0 {
                "warn"
            } else {
                "good"
            },
            "#c-errors",
        ),
        tile(
            key("95 of 100 within"),
            busiest.map_or("–".to_owned(), |one| milliseconds(one.p95_ms)),
            &busiest.map_or(String::new(), |one| {
                say("half within {span}").with("span", milliseconds(one.p50_ms)).to_string()
            }),
            "",
            "#c-latency",
        ),
        tile(key("Sessions"), grouped(read.sessions), key("signed in now"), "", "/admin/sessions"),
        tile(
            key("Failed sign-ins"),
            grouped(wrong),
            key("in the last hour"),
            if wrong > 10 { "warn" } else { "" },
            "/admin/audit?type=auth.failure",
        ),
        tile(
            key("Open alerts"),
            grouped(read.open_alerts),
            if read.open_alerts == 0 { key("nothing needs you") } else { key("look at them") },
            if read.open_alerts == 0 { "good" } else { "bad" },
            "/admin/alerts",
        ),
    ]
}

fn charts(read: &Pulse) -> Vec<Chart> {
    let minutes = &read.minutes;
    let labels: Vec<String> = minutes
        .iter()
        .map(|one| one.at.rfc3339_seconds().get(11..16).unwrap_or_default().to_owned())
        .collect();
    let line = |name, tone, of: &dyn Fn(&Minute) -> Option<f64>| Line {
        name,
        tone,
        values: minutes.iter().map(of).collect(),
    };
    let chart = |slug, title, unit, lines: Vec<Line>| {
        let newest = |line: &Line| line.values.last().copied().flatten().unwrap_or_default();
        let summary = lines
            .iter()
            .map(|line| {
                say("{line}: now {now}, most {most}")
                    .with("line", say(line.name))
                    .with("now", format!("{:.0}{unit}", newest(line)))
                    .with("most", format!("{:.0}{unit}", most(line)))
                    .to_string()
            })
            .collect::<Vec<_>>()
            .join("; ");
        Chart { slug, title, summary, unit, lines, labels: labels.clone(), pace: Pace::HOUR }
    };
    let number = |of: fn(&Minute) -> u64| move |one: &Minute| Some(length(of(one)));
    // Nothing was measured where nobody asked: a line at zero would look quick.
    let span = |of: fn(&Minute) -> f64| move |one: &Minute| (one.requests > 0).then(|| of(one));
    vec![
        chart(
            "c-requests",
            key("Requests"),
            "",
            vec![line(key("a minute"), "one", &number(|one| one.requests))],
        ),
        chart(
            "c-errors",
            key("Errors"),
            "",
            vec![
                line(key("refused"), "two", &number(|one| one.refused)),
                line(key("failed"), "bad", &number(|one| one.failed)),
            ],
        ),
        chart(
            "c-latency",
            key("Latency"),
            "ms",
            vec![
                line(key("half within"), "one", &span(|one| one.p50_ms)),
                line(key("95 of 100 within"), "two", &span(|one| one.p95_ms)),
            ],
        ),
        chart(
            "c-failures",
            key("Failed sign-ins"),
            "",
            vec![line(key("a minute"), "bad", &number(|one| one.sign_in_failures))],
        ),
        chart(
            "c-sessions",
            key("Sessions"),
            "",
            vec![line(key("signed in"), "one", &number(|one| one.sessions))],
        ),
        chart("c-alerts", key("Alerts"), "", vec![line(key("raised"), "two", &number(|one| one.alerts))]),
    ]
}

fn most(line: &Line) -> f64 {
    line.values.iter().flatten().copied().fold(0.0, f64::max)
}

/// The name and the value of each detail, as text.
fn details(details: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = details.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    pairs.map(|(name, value)| (name.replace('_', " "), text(value))).collect()
}

fn event_view(event: StoredEvent) -> AuditView {
    AuditView {
        at: event.at,
        event_type: event.event_type,
        severity: event.severity,
        actor: event.actor,
        address: event.ip.unwrap_or_default(),
        object: event.object.unwrap_or_default(),
        details: details(&event.details),
        id: event.id.to_string(),
        hash: event.hash,
    }
}

/// A moment as the field of a browser writes it, in UTC.
fn moment(field: &'static str, text: &str) -> Result<Option<Time>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let whole = match text.len() {
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    };
    Time::parse_rfc3339(&whole)
        .map(Some)
        .ok_or_else(|| Fault::invalid(field, "malformed", key("This is not a time.")))
}

/// The words of the filter, by the names of the page.
const FILTER: [&str; 6] = ["type", "severity", "actor", "ip", "from", "to"];

fn wanted(person: &Person) -> Result<AuditFilter, Fault> {
    let asked = |name: &str| Some(person.asked(name)).filter(|text| !text.is_empty());
    let known = |field: &'static str, text: Option<String>, all: &dyn Fn(&str) -> bool| match text {
        Some(text) if !all(&text) => Err(Fault::invalid(field, "unknown", key("There is no such choice."))),
        text => Ok(text),
    };
    Ok(AuditFilter {
        event_type: known("type", asked("type"), &|text| {
            EventType::ALL.iter().any(|one| one.as_str() == text)
        })?,
        severity: known("severity", asked("severity"), &|text| {
            Severity::ALL.iter().any(|one| one.as_str() == text)
        })?,
        actor: asked("actor"),
        ip: asked("ip"),
        since: moment("from", &person.asked("from"))?,
        until: moment("to", &person.asked("to"))?,
        ..AuditFilter::default()
    })
}

async fn audit(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/audit").await?;
    let mut filter = FILTER.iter().fold(FormView::new(), |form, name| form.with(name, &person.asked(name)));
    let filtered = FILTER.iter().any(|name| !person.asked(name).is_empty());
    let (code, found) = match wanted(&person) {
        Ok(wanted) => (StatusCode::OK, site.administration.audit(&may, wanted, piece(&person)?).await?),
        Err(fault) => {
            for field in fault.fields() {
                filter = filter.wrong(&field.field, &field.detail);
            }
            filter = filter.say(key("A part of the filter is malformed."));
            (StatusCode::BAD_REQUEST, kernel::Page { items: Vec::new(), next: None })
        }
    };
    let query = FILTER
        .iter()
        .map(|name| (name, person.asked(name)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("&{name}={}", encode(&value)))
        .collect();
    let shown = AuditPage {
        shell,
        filter,
        filtered,
        types: EventType::ALL.iter().map(|one| one.as_str()).collect(),
        events: found.items.into_iter().map(event_view).collect(),
        next: found.next.map(|next| encode(&next)),
        query,
        export: export_query(&person),
    };
    Ok(page(code, html(&shown)?))
}

/// The same filter as the API names it.
fn export_query(person: &Person) -> String {
    let time =
        |name: &'static str| moment(name, &person.asked(name)).ok().flatten().map(Time::rfc3339_seconds);
    let parts = [
        ("event", Some(person.asked("type"))),
        ("severity", Some(person.asked("severity"))),
        ("actor", Some(person.asked("actor"))),
        ("ip", Some(person.asked("ip"))),
        ("since", time("from")),
        ("until", time("to")),
    ];
    parts
        .into_iter()
        .filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|value| (name, value)))
        .map(|(name, value)| format!("&{name}={}", encode(&value)))
        .collect()
}

/// What an alert is about, in words.
fn alert_title(kind: &str) -> String {
    super::form::sentence(&kind.replace('_', " ")).trim_end_matches('.').to_owned()
}

fn alert_view(alert: Alert) -> AlertView {
    let closed = match (alert.acknowledged_at, alert.closed_at) {
        (Some(at), _) => Some((at, key("acknowledged {at}").to_owned())),
        (None, Some(at)) => Some((at, key("over {at}").to_owned())),
        (None, None) => None,
    };
    AlertView {
        id: alert.id.to_string(),
        title: alert_title(&alert.kind),
        severity: alert.severity,
        details: details(&alert.details),
        count: alert.count,
        first_at: alert.raised_at,
        last_at: alert.last_at,
        closed,
    }
}

async fn alerts(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/alerts").await?;
    let open = AlertFilter { open: Some(true), acknowledged: Some(false), ..AlertFilter::default() };
    let open = site.administration.alerts(&may, open, PageRequest::first(PageRequest::MOST)).await?;
    let all = site.administration.alerts(&may, AlertFilter::default(), piece(&person)?).await?;
    let shown = AlertsPage {
        shell,
        open: open.items.into_iter().map(alert_view).collect(),
        closed: all.items.into_iter().map(alert_view).filter(|alert| alert.closed.is_some()).collect(),
        next: all.next.map(|next| encode(&next)),
        sinks: key(
            "Each cause raises one alert, which grows until somebody takes note or it is quiet again.",
        )
        .to_owned(),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn acknowledge(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    site.administration.acknowledge(&person.admin(&site)?, AlertId::parse(&id)?).await?;
    Ok(onward("/admin/alerts?done=noted"))
}
