//! The pages of operation: service levels and reports.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use kernel::{Code, Fault};
use ops::report::{Period, Tone};
use ops::slo::{Goal, SloReport, Step, Window};

use super::admin::shell;
use super::form::page;
use super::person::Person;
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{count, key, say, told};
use crate::ui::chart::{Chart, Line, Pace};
use crate::ui::frame::grouped;
use crate::ui::html;
use crate::ui::operation::{GoalView, ReportPage, SectionView, SloPage, WindowView};

/// The pages of operation.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/admin/slo", get(slo))
        .route("/admin/reports", get(today))
        .route("/admin/reports/{period}", get(report))
}

async fn slo(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let shell = shell(&site, &person, &may, "/admin/slo").await?;
    let read = site.office.slo().await?;
    let log = site.office.log();
    let shown = SloPage {
        shell,
        windows: read.windows.iter().map(|one| window(one, &read)).collect(),
        charts: read.windows.iter().filter(|one| one.name == "24h").flat_map(charts).collect(),
        errors: grouped(log.errors),
        warnings: grouped(log.warnings),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn today(State(site): State<Site>, person: Person) -> Outcome<Response> {
    shown(site, person, Some(Period::Daily)).await
}

async fn report(State(site): State<Site>, person: Person, Path(period): Path<String>) -> Outcome<Response> {
    shown(site, person, Period::parse(&period)).await
}

async fn shown(site: Site, person: Person, period: Option<Period>) -> Outcome<Response> {
    let may = person.admin(&site)?;
    let period = period.ok_or(Fault::new(Code::NotFound))?;
    let shell = shell(&site, &person, &may, "/admin/reports").await?;
    let read = site.office.report(period).await?;
    let section = |section: ops::report::Section| SectionView {
        title: section.title,
        items: section
            .items
            .into_iter()
            .map(|item| (told(&item.name).into_owned(), told(&item.value).into_owned(), tone(item.tone)))
            .collect(),
    };
    let shown = ReportPage {
        shell,
        period: period.as_str(),
        periods: Period::ALL.map(|one| (one.as_str(), one == period)),
        since: read.since,
        until: read.until,
        sections: read.sections.into_iter().map(section).collect(),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

/// The class and the word of a tone.
const fn tone(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Ok => ("operational", key("good")),
        Tone::Look => ("degraded", key("worth a look")),
        Tone::Wrong => ("down", key("wrong")),
        Tone::Nothing => ("not_configured", key("no data yet")),
    }
}

fn goal(name: &'static str, goal: Goal, unit: &str, more: bool) -> GoalView {
    let sign = if more { key("more than {value}") } else { key("less than {value}") };
    GoalView {
        name,
        value: goal.value.map_or("–".to_owned(), |value| format!("{value} {unit}")),
        target: say(sign).with("value", format!("{} {unit}", goal.target)).to_string(),
        tone: tone(match goal.met {
            Some(true) => Tone::Ok,
            Some(false) => Tone::Wrong,
            None => Tone::Nothing,
        }),
    }
}

fn window(one: &Window, _: &SloReport) -> WindowView {
    let title = match one.name {
        "1h" => key("The last hour"),
        "24h" => key("The last 24 hours"),
        "7d" => key("The last 7 days"),
        _ => key("The last 30 days"),
    };
    let milliseconds = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value} ms"));
    WindowView {
        slug: one.name,
        title,
        measured: one.measured_since,
        goals: vec![
            goal(key("In service"), one.availability, "%", true),
            goal(key("Requests that failed"), one.errors, "%", false),
            goal(key("95 of 100 API requests within"), one.api_p95, "ms", false),
            goal(key("Mean of the statements"), one.database_mean, "ms", false),
        ],
        routes: one
            .routes
            .iter()
            .map(|group| {
                let latency = [group.p50_ms, group.p95_ms, group.p99_ms].map(milliseconds);
                (route_group(group.group), grouped(group.requests), grouped(group.failed), latency)
            })
            .collect(),
    }
}

fn route_group(name: &'static str) -> &'static str {
    match name {
        "model" => key("Model"),
        "files" => key("Files"),
        "pages" => key("Pages"),
        _ => "API",
    }
}

fn charts(window: &Window) -> Vec<Chart> {
    let labels: Vec<String> = window
        .steps
        .iter()
        .map(|step| step.at.rfc3339_seconds().get(11..16).unwrap_or_default().to_owned())
        .collect();
    let chart = |slug, title, unit, lines: Vec<Line>, summary: String| Chart {
        slug,
        title,
        summary,
        unit,
        lines,
        labels: labels.clone(),
        pace: Pace::DAY,
    };
    let line = |name, tone, of: &dyn Fn(&Step) -> Option<f64>| Line {
        name,
        tone,
        values: window.steps.iter().map(of).collect(),
    };
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let requests: u64 = window.steps.iter().map(|step| step.requests).sum();
    let failed: u64 = window.steps.iter().map(|step| step.failed).sum();
    vec![
        chart(
            "s-requests",
            key("Requests an hour"),
            "",
            vec![
                line(key("answered"), "one", &|step| Some(number(step.requests))),
                line(key("failed"), "bad", &|step| Some(number(step.failed))),
            ],
            count(
                "{count} request, of which {failed} failed|{count} requests, of which {failed} failed",
                requests,
            )
            .with("failed", grouped(failed))
            .to_string(),
        ),
        chart(
            "s-latency",
            key("95 of 100 API requests within"),
            "ms",
            vec![line("API", "two", &|step| step.api_p95_ms)],
            match window.api_p95.value {
                Some(value) => say("{value} ms over the whole day").with("value", value).to_string(),
                None => say("nothing was measured yet").to_string(),
            },
        ),
    ]
}
