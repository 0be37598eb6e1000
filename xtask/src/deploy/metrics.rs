//! Alert rules and the dashboard name metrics that exist, and runbooks that are written.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Faults, Place, items, text, want};

/// What Prometheus itself adds.
const OF_PROMETHEUS: [&str; 1] = ["up"];
/// What a histogram is scraped as.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The names in the table of metrics: texts in quotes before a sort.
pub(super) fn named(source: &str) -> BTreeSet<String> {
    let table = source.split_once("const TABLE").map_or(source, |(_, rest)| rest);
    let table = table.split_once("];").map_or(table, |(table, _)| table);
    let words = table.split('"').skip(1).step_by(2);
    words
        .filter(|word| word.starts_with("stoa_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

pub(super) fn rules(place: &Place) -> Result<Faults> {
    let mut faults = Faults::new();
    ensure!(!place.metrics.is_empty(), "the table of metrics cannot be found");
    let book = place
        .folder
        .parent()
        .map(|root| root.join("docs/operations.md"))
        .and_then(|path| std::fs::read_to_string(path).ok());
    let rules = place.yaml("prometheus/alerts.yml")?;
    let rules = rules.first().context("prometheus/alerts.yml is empty")?;
    let mut alerts = 0;
    for rule in items(rules, "/groups").into_iter().flat_map(|group| items(group, "/rules")) {
        let name = text(rule, "/alert");
        alerts += 1;
        for metric in unknown(place, text(rule, "/expr")) {
            faults.push(format!("alerts.yml: {name}: there is no metric {metric}"));
        }
        want(
            &mut faults,
            matches!(text(rule, "/labels/severity"), "critical" | "warning"),
            format!("alerts.yml: {name}: a severity"),
        );
        want(
            &mut faults,
            !text(rule, "/annotations/summary").is_empty(),
            format!("alerts.yml: {name}: a summary"),
        );
        let runbook = text(rule, "/annotations/runbook");
        let written = book
            .as_ref()
            .is_none_or(|book| book.lines().any(|line| line.starts_with('#') && anchor(line) == runbook));
        want(
            &mut faults,
            !runbook.is_empty() && written,
            format!("alerts.yml: {name}: docs/operations.md has no `#{runbook}`"),
        );
    }
    want(&mut faults, alerts >= 10, "alerts.yml: there are hardly any rules");
    let board: Value =
        serde_json::from_str(&place.text("grafana/stoa.json")?).context("grafana/stoa.json")?;
    let mut places = BTreeSet::new();
    for panel in items(&board, "/panels") {
        let title = text(panel, "/title");
        want(
            &mut faults,
            places.insert(panel.get("gridPos").map(Value::to_string)),
            format!("stoa.json: {title}: its place is taken"),
        );
        for target in items(panel, "/targets") {
            for metric in unknown(place, text(target, "/expr")) {
                faults.push(format!("stoa.json: {title}: there is no metric {metric}"));
            }
        }
    }
    want(&mut faults, places.len() >= 15, "stoa.json: there are hardly any panels");
    Ok(faults)
}

/// The metrics of an expression that the server does not have.
fn unknown(place: &Place, expression: &str) -> Vec<String> {
    let bare = PARTS.map(|part| move |name: &str| name.strip_suffix(part).map(str::to_owned));
    metrics(expression)
        .into_iter()
        .filter(|name| {
            let known = |name: &str| place.metrics.contains(name) || OF_PROMETHEUS.contains(&name);
            !known(name) && !bare.iter().any(|strip| strip(name).is_some_and(|name| known(&name)))
        })
        .collect()
}

/// The names that stand where a metric stands: words before `{` or `[`, or with our beginning.
fn metrics(expression: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut rest = expression;
    while let Some(begin) = rest.find(is_word) {
        let word_and_rest = rest.get(begin..).unwrap_or_default();
        let end = word_and_rest.find(|c| !is_word(c)).unwrap_or(word_and_rest.len());
        let (word, after) = word_and_rest.split_at(end);
        let selected = after.starts_with('{') || after.starts_with('[');
        if selected || word.starts_with("stoa_") || word.starts_with("process_") {
            names.insert(word.to_owned());
        }
        // Labels and their values are no metrics.
        rest = match after.strip_prefix('{') {
            Some(labels) => labels.split_once('}').map_or("", |(_, rest)| rest),
            None => after,
        };
    }
    names.retain(|name| !name.bytes().all(|byte| byte.is_ascii_digit()));
    names
}

/// The address of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Compares what `/metrics` of a running server says with the table: nothing that the table does not know, and what a
/// server has from its start is there.
///
/// # Errors
/// When they differ.
pub(crate) fn live(root: &std::path::Path, page: &str) -> Result<()> {
    let place = super::read(root)?;
    let told: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let strange: Vec<&&str> = told.iter().filter(|name| !place.metrics.contains(**name)).collect();
    ensure!(strange.is_empty(), "/metrics tells of {strange:?}, which the table of metrics does not know");
    for name in [
        "stoa_http_requests_total",
        "stoa_db_pool_connections",
        "stoa_log_events_total",
        "stoa_uptime_seconds",
    ] {
        ensure!(told.contains(name), "/metrics does not tell of {name}");
    }
    println!("/metrics tells of {} metrics, each of the table", told.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::plant;
    use super::*;

    #[test]
    fn names_are_found_in_expressions() {
        let found = metrics(
            "sum by (le) (rate(stoa_a_total{x=~\"5..\", route!~\".*chat.*\"}[5m])) / up{job=\"stoa\"} > 0.05",
        );
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["stoa_a_total", "up"]);
        assert_eq!(anchor("## The database is slow, or full"), "the-database-is-slow-or-full");
    }

    #[test]
    fn a_page_that_the_table_does_not_know_is_found() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(
            live(root, "# TYPE stoa_unheard_of counter\n")
                .unwrap_err()
                .to_string()
                .contains("stoa_unheard_of")
        );
        assert!(live(root, "").is_err());
    }

    #[test]
    fn faults_are_found() {
        plant(
            "prometheus/alerts.yml",
            super::rules,
            &[
                ("stoa_backup_age_seconds", "stoa_backup_age", "no metric stoa_backup_age"),
                ("severity: critical", "severity: loud", "a severity"),
            ],
        );
        plant(
            "grafana/stoa.json",
            super::rules,
            &[("stoa_active_sessions", "stoa_sessions", "no metric stoa_sessions")],
        );
    }
}
