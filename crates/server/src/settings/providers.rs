//! The chain of model providers: that of `OPENAI_…`, then those of `[[providers]]`. It never calls one.

use std::time::Duration;

use kernel::Secret;
use llm::{Config, Provider, Timeouts};

use super::checked::small;
use super::problem::Problem;
use super::sources::read_text;
use super::table::model::*;
use super::values::{Declared, Values};

/// Builds the chain. `None` when something in it is wrong; then a problem says so.
pub(super) fn build(values: &Values, problems: &mut Vec<Problem>) -> Option<Config> {
    let before = problems.len();
    let mut providers = Vec::new();
    if is_configured(values) {
        providers.push(Provider {
            name: "openai".to_owned(),
            base_url: values.get(&MODEL_URL)?,
            api_key: values.get(&MODEL_KEY),
            model: values.get(&MODEL_NAME)?,
        });
    }
    let mut sound = true;
    for entry in values.declared(PROVIDERS.name) {
        sound &= entry.sound;
        match provider(entry, values) {
            Ok(Some(provider)) if providers.iter().any(|other| other.name == provider.name) => {
                problems.push(Problem::new(&entry.place, "two providers have the same `name`"));
            }
            Ok(Some(provider)) => providers.push(provider),
            Ok(None) => {}
            Err(say) => problems.push(Problem::new(format!("{} providers", entry.place), say)),
        }
    }
    let seconds = Duration::from_secs;
    let config = Config {
        providers,
        max_tokens: small(values.get(&MODEL_MAX_TOKENS)?),
        temperature: values.get(&MODEL_TEMPERATURE)?,
        timeouts: Timeouts {
            connect: seconds(values.get(&MODEL_CONNECT)?),
            first_token: seconds(values.get(&MODEL_FIRST)?),
            idle: seconds(values.get(&MODEL_IDLE)?),
            total: seconds(values.get(&MODEL_TOTAL)?),
        },
    };
    (sound && problems.len() == before).then_some(config)
}

/// A key, or an address of its own, makes a provider.
pub(super) fn is_configured(values: &Values) -> bool {
    values.get(&MODEL_KEY).is_some() || values.is_explicit(&MODEL_URL)
}

fn provider(entry: &Declared, values: &Values) -> Result<Option<Provider>, String> {
    if !entry.sound {
        return Ok(None);
    }
    let name = entry.get(&PROVIDER_NAME).ok_or("a provider needs a `name`")?;
    let plain =
        name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if name.is_empty() || !plain {
        return Err("the `name` must be 1 to 32 of `a-z`, `0-9` and `-`".to_owned());
    }
    let base_url = entry.get(&PROVIDER_URL).ok_or("a provider needs a `base_url`")?;
    let model = entry.get(&PROVIDER_MODEL).ok_or("a provider needs a `model`")?;
    let api_key = match (entry.get(&PROVIDER_KEY_VARIABLE), entry.get(&PROVIDER_KEY_FILE)) {
        (Some(_), Some(_)) => {
            return Err("has both `api_key_variable` and `api_key_file`; keep one of them".to_owned());
        }
        (Some(variable), None) => {
            let key = values.variable(&variable);
            Some(key.ok_or("names an `api_key_variable` that is not set")?)
        }
        (None, Some(path)) => {
            let text = read_text(&path)
                .map_err(|error| format!("`api_key_file` cannot be read ({})", error.kind()))?;
            Some(Secret::new(text.trim().to_owned()))
        }
        (None, None) => None,
    };
    Ok(Some(Provider { name, base_url, api_key, model }))
}
