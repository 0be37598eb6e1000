//! The pages of operation with sample data: service levels, and a report.

use super::super::chart::{Chart, Line, Pace};
use super::super::operation::*;
use super::{Words, ago, text};

fn goal(
    words: Words,
    name: &'static str,
    value: &str,
    target: &str,
    tone: (&'static str, &'static str),
) -> GoalView {
    GoalView { name, value: words.say(value), target: words.say(target), tone }
}

const GOOD: (&str, &str) = ("operational", "good");
const WRONG: (&str, &str) = ("down", "wrong");
const NONE: (&str, &str) = ("not_configured", "no data yet");

fn window(words: Words, slug: &'static str, title: &'static str, empty: bool) -> WindowView {
    let group = |name: &'static str, requests: &str, failed: &str, times: [&str; 3]| {
        (name, requests.to_owned(), failed.to_owned(), times.map(ToOwned::to_owned))
    };
    let dash = ["–", "–", "–"];
    WindowView {
        slug,
        title,
        measured: (!empty).then(|| ago(90_000)),
        goals: vec![
            goal(words, "In service", "99.982 %", "more than 99.9 %", GOOD),
            goal(words, "Requests that failed", "0.214 %", "less than 0.1 %", WRONG),
            goal(words, "95 of 100 API requests within", "23.77 ms", "less than 200 ms", GOOD),
            goal(
                words,
                "Mean of the statements",
                if empty { "–" } else { "0.412 ms" },
                "less than 100 ms",
                NONE,
            ),
        ],
        routes: vec![
            group("api", "1,204,877", "12", ["2.378 ms", "23.77 ms", "177.8 ms"]),
            group("model", "88,201", "190", ["421.7 ms", "4217 ms", "9999 ms"]),
            group("files", "0", "0", dash),
            group("pages", "31,090", "0", ["4.217 ms", "31.62 ms", "74.99 ms"]),
        ],
    }
}

fn chart(slug: &'static str, title: &'static str, unit: &'static str) -> Chart {
    let line = |name, tone, step: u32| Line {
        name,
        tone,
        values: (0..24_u32).map(|hour| Some(f64::from(hour * step % 97 * 11))).collect(),
    };
    Chart {
        slug,
        title,
        summary: "18,204 requests, of which 40 failed".to_owned(),
        unit,
        lines: vec![line("answered", "one", 7), line("failed", "bad", 1)],
        labels: (0..24).map(|hour| format!("{hour:02}:00")).collect(),
        pace: Pace::DAY,
    }
}

/// The pages with their names.
pub(super) fn pages(words: Words) -> Vec<(&'static str, String)> {
    let slo = SloPage {
        shell: words.shell("/admin/slo"),
        windows: vec![
            window(words, "1h", "The last hour", false),
            window(words, "30d", "The last 30 days", true),
        ],
        charts: vec![
            chart("s-requests", "Requests an hour", ""),
            chart("s-latency", "95 of 100 API requests within", "ms"),
        ],
        errors: words.say("3"),
        warnings: words.say("1,204"),
    };
    let item = |name: &str, value: &str, tone| (words.say(name), words.say(value), tone);
    let report = ReportPage {
        shell: words.shell("/admin/reports"),
        period: "daily",
        periods: [("daily", true), ("weekly", false), ("monthly", false)],
        since: ago(86_400),
        until: ago(0),
        sections: vec![
            SectionView {
                title: "System health",
                items: vec![
                    item("In service", "99.982 % (promised: more than 99.9 %)", GOOD),
                    item("The newest backup", "is 31 hours old, more than the schedule allows", WRONG),
                ],
            },
            SectionView { title: "Security log", items: vec![item("Failed sign-ins", "829", NONE)] },
        ],
    };
    vec![("slo", text(&slo)), ("report", text(&report))]
}
