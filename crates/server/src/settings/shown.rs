//! The settings as people may see them: each effective value with its origin, secrets as fingerprints.
//! It never shows a secret.

use super::{Inspection, table};

/// A setting as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its value; `None` when it is not set or cannot be read.
    pub(crate) value: Option<String>,
    /// Where the value comes from.
    pub(crate) origin: String,
}

/// The settings that `wanted` accepts, then what the lists of `stoa.toml` come to.
pub(crate) fn rows(
    inspection: &Inspection,
    wanted: impl Fn(&dyn table::Entry) -> bool,
    listed: impl Fn(&str) -> bool,
) -> Vec<Row> {
    let mut rows: Vec<Row> = table::all()
        .filter(|entry| wanted(*entry))
        .map(|entry| {
            let name = entry.setting().name;
            match inspection.values.shown(entry) {
                Some((value, origin)) => Row { name, value: Some(value), origin: origin.to_string() },
                None if inspection.values.invalid.contains(&name) => {
                    Row { name, value: None, origin: "cannot be read".to_owned() }
                }
                None => Row { name, value: None, origin: "not set".to_owned() },
            }
        })
        .collect();
    rows.extend(lists(inspection).into_iter().filter(|row| listed(row.name)));
    rows
}

/// What the lists of `stoa.toml` come to, in their order.
fn lists(inspection: &Inspection) -> Vec<Row> {
    let Some(settings) = &inspection.settings else { return Vec::new() };
    let origin = |group, unsaid: &str| {
        let places: Vec<&str> =
            inspection.values.declared(group).map(|declared| declared.place.as_str()).collect();
        if places.is_empty() { unsaid.to_owned() } else { places.join(", ") }
    };
    let apps: Vec<&str> = settings.catalog.iter().map(|app| app.id.as_str()).collect();
    let providers: Vec<&str> =
        settings.models.providers.iter().map(|provider| provider.name.as_str()).collect();
    let row = |name, items: Vec<&str>, unsaid| Row {
        name,
        value: (!items.is_empty()).then(|| items.join(", ")),
        origin: origin(name, unsaid),
    };
    let from_model = if providers.is_empty() { "not set" } else { "follows from model" };
    vec![row("apps", apps, "default"), row("providers", providers, from_model)]
}
