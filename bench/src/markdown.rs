//! The table as Markdown: ratios first, then the goals, then what stood in the way of a clean measurement.

use std::fmt::Write;

use crate::table::{Row, Setting};

/// From here on a part of the rig, not the program, is what was measured.
const SATURATED: f64 = 0.9;
/// A load average that an idle machine does not have.
const BUSY: f64 = 0.7;

/// The whole page.
pub(crate) fn page(setting: &Setting, rows: &[Row]) -> String {
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let (mock, proxy, floor) = (find("mock alone"), find("bare proxy"), find("proxy + SQLite"));
    let mut text = format!(
        "# Benchmark of {}\n\n{}. {}. {}.\n\nEvery answer is checked. Medians over the rounds; latencies in milliseconds, \
         counted from the moment a request should have begun.\n\n",
        setting.date,
        setting.machine,
        capital(&setting.cores),
        capital(&setting.how)
    );
    let _ = writeln!(
        text,
        "| program | requests/s | of proxy + SQLite | p50 at {0}/s | p99 at {0}/s | p99.9 | p99 added to the mock's \
         | first text of a stream | × bare proxy | wrong |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        setting.rate
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {} | {:.2} | {:.2} | {:.2} | {} | {:.2} (p99 {:.2}) | {} | {} |",
            row.name,
            row.per_second,
            ratio(row.per_second, floor.map(|floor| floor.per_second), "%"),
            row.p50,
            row.p99,
            row.p999,
            mock.map_or("–".into(), |mock| format!("{:+.2}", row.p99 - mock.p99)),
            row.first_text,
            row.first_text_p99,
            ratio(row.first_text, proxy.map(|proxy| proxy.first_text), "×"),
            row.wrong,
        );
    }
    text.push_str(
        "\n| program | memory idle, MiB | after load, MiB | ready, empty folder | ready again | binary, MiB \
        | cores used: program | mock | driver |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let (first, again) = match row.cold {
            Some((first, again)) => (format!("{first:.0} ms"), format!("{again:.0} ms")),
            None => ("–".into(), "–".into()),
        };
        let binary = row.binary_mib.map_or("–".into(), |size| format!("{size:.1}"));
        let [program, mock, driver] = row.cores;
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {first} | {again} | {binary} | {program:.2} | {mock:.2} | {driver:.2} |",
            row.name, row.idle_mib, row.busy_mib
        );
    }
    if let Some(stoa) = find("stoa") {
        text.push_str("\n## Goals\n\n");
        for (goal, value, reached) in goals(stoa, mock, proxy, floor, find("reference stack")) {
            let mark = if reached { "✓" } else { "✗" };
            let _ = writeln!(text, "- {mark} {goal}: {value}");
        }
    }
    let remarks = remarks(setting, rows);
    if !remarks.is_empty() {
        text.push_str("\n## To bear in mind\n\n");
        remarks.iter().for_each(|remark| {
            let _ = writeln!(text, "- {remark}");
        });
    }
    text
}

/// The goals of the design as (goal, measured, reached).
fn goals(
    stoa: &Row,
    mock: Option<&Row>,
    proxy: Option<&Row>,
    floor: Option<&Row>,
    reference: Option<&Row>,
) -> Vec<(&'static str, String, bool)> {
    let mut goals = Vec::new();
    if let Some(floor) = floor.filter(|row| row.per_second > 0.0) {
        let share = stoa.per_second / floor.per_second;
        goals.push((
            "at least 60 % of the proxy that stores",
            format!("{:.0} %", share * 100.0),
            share >= 0.6,
        ));
    }
    if let Some(reference) = reference.filter(|row| row.per_second > 0.0) {
        let times = stoa.per_second / reference.per_second;
        goals.push(("at least 100 × the reference stack", format!("{times:.0} ×"), times >= 100.0));
    }
    if let Some(mock) = mock {
        let added = stoa.p99 - mock.p99;
        goals.push(("p99 added under 2 ms", format!("{added:.2} ms"), added < 2.0));
    }
    if let Some(proxy) = proxy.filter(|row| row.first_text > 0.0) {
        let times = stoa.first_text / proxy.first_text;
        goals.push(("first text within 1.3 × the bare proxy's", format!("{times:.2} ×"), times <= 1.3));
    }
    if let Some((first, again)) = stoa.cold {
        goals.push((
            "ready within 100 ms",
            format!("{first:.0} ms empty, {again:.0} ms again"),
            first.max(again) < 100.0,
        ));
    }
    goals.push(("under 40 MB idle", format!("{:.1} MiB", stoa.idle_mib), stoa.idle_mib < 40.0 / 1.048_576));
    if let Some(size) = stoa.binary_mib {
        goals.push(("binary under 60 MB", format!("{size:.1} MiB"), size < 60.0 / 1.048_576));
    }
    goals
}

/// What a reader must know before they trust a number.
fn remarks(setting: &Setting, rows: &[Row]) -> Vec<String> {
    let mut remarks = Vec::new();
    if setting.busy > BUSY {
        remarks.push("the machine was not idle: tails are other people's work, ratios are rough".into());
    }
    if setting.how.contains("on tmpfs") {
        remarks.push("the data lay in memory: a durable write cost nothing".into());
    }
    for row in rows {
        let [_, mock, driver] = row.cores;
        let limit = match (mock > SATURATED, driver > SATURATED) {
            (true, true) => "the mock and the driver were",
            (true, false) => "the mock was",
            (false, true) => "the driver was",
            (false, false) => "",
        };
        if !limit.is_empty() && row.name != "mock alone" {
            remarks.push(format!("{}: {limit} at the limit, so its requests/s are at least this", row.name));
        }
        if row.wrong > 0 {
            let fault = row.first_fault.as_deref().unwrap_or("unknown").replace(['\n', '|'], " ");
            remarks.push(format!("{}: {} wrong answers; the first: {fault}", row.name, row.wrong));
        }
    }
    remarks
}

fn ratio(value: f64, base: Option<f64>, sign: &str) -> String {
    match base {
        Some(base) if base > 0.0 && sign == "%" => format!("{:.0} %", value / base * 100.0),
        Some(base) if base > 0.0 => format!("{:.2}", value / base),
        _ => "–".into(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, per_second: f64, driver: f64) -> Row {
        Row {
            name,
            per_second,
            p99: per_second / 1000.0,
            first_text: 1.0,
            cores: [1.0, 0.2, driver],
            ..Row::default()
        }
    }

    #[test]
    fn ratios_goals_and_remarks_are_said() {
        let setting = Setting {
            date: "2026-11-20".into(),
            machine: "4 cores".into(),
            cores: "apart".into(),
            how: "3 rounds".into(),
            rate: 2000,
            busy: 0.1,
        };
        let rows = [
            row("mock alone", 1000.0, 0.1),
            row("bare proxy", 900.0, 0.95),
            row("proxy + SQLite", 800.0, 0.5),
            row("stoa", 600.0, 0.5),
        ];
        let page = page(&setting, &rows);
        assert!(page.contains("| stoa | 600 | 75 % |"), "{page}");
        assert!(page.contains("✓ at least 60 % of the proxy that stores: 75 %"), "{page}");
        assert!(page.contains("bare proxy: the driver was at the limit"), "{page}");
        assert!(!page.contains("reference stack"), "{page}");
    }
}
