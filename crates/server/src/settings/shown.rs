//! The settings as people may see them: each effective value with its origin, secrets as fingerprints.
//! It never shows a secret.

use super::Inspection;
use super::table::{self, Secrecy};

/// A setting as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its value; `None` when it is not set or cannot be read.
    pub(crate) value: Option<String>,
    /// Where the value comes from.
    pub(crate) origin: String,
    /// The value is a fingerprint.
    pub(crate) secret: bool,
    /// Somebody chose the value.
    pub(crate) chosen: bool,
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
            let (name, secret) = (entry.setting().name, entry.setting().secrecy == Secrecy::Secret);
            let row = |value, origin, chosen| Row { name, value, origin, secret, chosen };
            match inspection.values.shown(entry) {
                Some((value, origin)) => row(Some(value), origin.to_string(), origin.is_explicit()),
                None if inspection.values.invalid.contains(&name) => {
                    row(None, "cannot be read".to_owned(), true)
                }
                None => row(None, "not set".to_owned(), false),
            }
        })
        .collect();
    rows.extend(lists(inspection).into_iter().filter(|row| listed(row.name)));
    rows
}

/// What the lists of `stoa.toml` come to, in their order.
fn lists(inspection: &Inspection) -> Vec<Row> {
    let Some(settings) = &inspection.settings else { return Vec::new() };
    let apps: Vec<&str> = settings.catalog.iter().map(|app| app.id.as_str()).collect();
    let providers: Vec<&str> =
        settings.models.providers.iter().map(|provider| provider.name.as_str()).collect();
    let row = |name, items: Vec<&str>, unsaid: &str| {
        let places: Vec<&str> =
            inspection.values.declared(name).map(|declared| declared.place.as_str()).collect();
        Row {
            name,
            value: (!items.is_empty()).then(|| items.join(", ")),
            origin: if places.is_empty() { unsaid.to_owned() } else { places.join(", ") },
            secret: false,
            chosen: !places.is_empty(),
        }
    };
    let from_model = if providers.is_empty() { "not set" } else { "follows from model" };
    vec![row("apps", apps, "default"), row("providers", providers, from_model)]
}
