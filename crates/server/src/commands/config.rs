//! `stoa config`: the settings that hold, and the documents generated from their table.

use kernel::Ambient;
use serde_json::json;

use super::data::sources;
use super::paper::{complain, print, print_json};
use crate::cli::{Config, ConfigCommand, Global};
use crate::settings::shown::{self, Row};
use crate::settings::{self, documents, table};

/// Runs the command. `false`: something in the configuration cannot be read.
pub(crate) fn run(global: &Global, config: &Config, ambient: &Ambient) -> anyhow::Result<bool> {
    match &config.command {
        ConfigCommand::Show { filter, json } => show(global, filter.as_deref(), *json, ambient),
        ConfigCommand::Example => print(&documents::example()).map(|()| true).map_err(Into::into),
        ConfigCommand::Schema => print_json(&documents::schema()).map(|()| true),
        ConfigCommand::Docs => print(&documents::markdown()).map(|()| true).map_err(Into::into),
    }
}

fn show(global: &Global, filter: Option<&str>, as_json: bool, ambient: &Ambient) -> anyhow::Result<bool> {
    let sources = sources(global, global.flags(), ambient)?;
    let mut inspection = settings::inspect(&sources);
    // A value that is not shown because nobody could be asked for it is no value that is not set.
    inspection.problems.extend(sources.missing());
    let wanted = |entry: &dyn table::Entry| {
        filter.is_none_or(|text| {
            let lower = text.to_ascii_lowercase();
            let setting = entry.setting();
            setting.name.contains(&lower)
                || setting.variables.iter().any(|name| name.to_ascii_lowercase().contains(&lower))
        })
    };
    let rows = shown::rows(&inspection, wanted, |name| filter.is_none_or(|text| name.contains(text)));
    if as_json {
        let settings: Vec<_> = rows
            .iter()
            .map(|row| json!({ "name": row.name, "value": row.value, "origin": row.origin }))
            .collect();
        let problems: Vec<_> = inspection
            .problems
            .iter()
            .map(|problem| json!({ "setting": problem.place, "say": problem.say }))
            .collect();
        print_json(
            &json!({ "profile": inspection.profile.as_str(), "settings": settings, "problems": problems }),
        )?;
    } else {
        print(&table_of(&rows))?;
        for problem in &inspection.problems {
            complain(&format!("stoa: {problem}"));
        }
    }
    Ok(inspection.problems.is_empty())
}

/// Three columns as wide as their longest cell; a very long value does not push the others away.
fn table_of(rows: &[Row]) -> String {
    let width = |text: &str| text.chars().count();
    let names = rows.iter().map(|row| width(row.name)).max().unwrap_or_default();
    let values =
        rows.iter().filter_map(|row| row.value.as_deref()).map(width).max().unwrap_or_default().min(48);
    let mut text = String::new();
    for row in rows {
        let value = row.value.as_deref().unwrap_or("–");
        text.push_str(&format!("{:names$}  {value:values$}  {}\n", row.name, row.origin));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = |name, value: &str, origin: &str| Row {
            name,
            value: Some(value.to_owned()),
            origin: origin.to_owned(),
            secret: false,
            chosen: false,
        };
        let rows = [row("a", "1", "default"), row("server.port", "8080", "variable PORT")];
        assert_eq!(table_of(&rows), "a            1     default\nserver.port  8080  variable PORT\n");
    }
}
