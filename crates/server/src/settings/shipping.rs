//! What the settings say about telemetry that leaves the server. It owns what follows from a key of New Relic.
//! It never judges for production: that is `production/monitoring.rs`.

use std::time::Duration;

use kernel::Secret;
use ops::shipping::{Config, Dsn, Otlp, new_relic};

use super::strength::is_placeholder;
use super::table::monitoring::*;
use super::values::Values;

/// The header that New Relic reads its key from.
const NEW_RELIC_HEADER: &str = "api-key";

/// The sinks of telemetry; `None` when there is none.
pub(super) fn config(values: &Values) -> Option<Config> {
    let otlp = otlp(values);
    let sentry = values.get(&SENTRY_DSN).and_then(|dsn| Dsn::parse(dsn.expose()));
    if otlp.is_none() && sentry.is_none() {
        return None;
    }
    Some(Config {
        otlp,
        sentry,
        sample: values.get(&SAMPLE).map_or(0.1, f64::from),
        propagate: values.get(&PROPAGATE).unwrap_or(false),
        service: values.get(&SERVICE).unwrap_or_else(|| "stoa".to_owned()),
        environment: values.profile.as_str(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

fn otlp(values: &Values) -> Option<Otlp> {
    let key = new_relic_key(values);
    let endpoint = values.get(&OTLP).or_else(|| new_relic(key.as_ref()?.expose()))?;
    let mut headers = values.get(&OTLP_HEADERS).map_or_else(Vec::new, |text| headers(text.expose()));
    if let Some(key) = key {
        headers.push((NEW_RELIC_HEADER.to_owned(), key));
    }
    let wanted = |word: Option<String>| word.is_some_and(|word| word == "otlp");
    Some(Otlp {
        endpoint,
        headers,
        traces: wanted(values.get(&OTLP_TRACES)),
        metrics: wanted(values.get(&OTLP_METRICS)),
        logs: wanted(values.get(&OTLP_LOGS)),
        every: Duration::from_millis(values.get(&OTLP_EVERY).unwrap_or(60_000)),
    })
}

/// A key that somebody has filled in.
fn new_relic_key(values: &Values) -> Option<Secret<String>> {
    values.get(&NEW_RELIC).filter(|key| !is_placeholder(key.expose()))
}

/// Reads `name=value,name=value`.
pub(super) fn headers(text: &str) -> Vec<(String, Secret<String>)> {
    let pair = |item: &str| {
        let (name, value) = item.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        http::HeaderName::try_from(name.as_str()).ok()?;
        Some((name, Secret::new(value.trim().to_owned())))
    };
    text.split(',').filter_map(pair).collect()
}
