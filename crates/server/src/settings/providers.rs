//! The chain of model providers: that of `OPENAI_…`, that of `BEDROCK_…`, then those of `[[providers]]`, in the order
//! that `MODEL_ORDER` wants. It never calls one.

use std::time::Duration;

use guard::outbound::aws;
use kernel::Secret;
use llm::{Config, Protocol, Provider, Timeouts};
use url::Url;

use super::amazon::region_of;
use super::checked::small;
use super::problem::Problem;
use super::sources::read_text;
use super::table::aws::AWS_REGION;
use super::table::model::*;
use super::values::{Declared, Values};

/// What a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    /// The OpenAI protocol.
    OpenAi,
    /// Converse of Amazon Bedrock.
    Bedrock,
}

/// The first label of Bedrock's host.
const HOST: &str = "bedrock-runtime";
/// The services whose ARNs Bedrock takes for a model.
const MODEL_SERVICES: [&str; 2] = ["bedrock", "sagemaker"];

/// Builds the chain. `None` when something in it is wrong; then a problem says so.
pub(super) fn build(
    values: &Values,
    amazon: Option<&aws::Config>,
    problems: &mut Vec<Problem>,
) -> Option<Config> {
    let before = problems.len();
    let mut providers = Vec::new();
    if is_configured(values) {
        providers.push(Provider {
            name: "openai".to_owned(),
            model: values.get(&MODEL_NAME)?,
            protocol: Protocol::OpenAi { base_url: values.get(&MODEL_URL)?, api_key: values.get(&MODEL_KEY) },
        });
    }
    if let Some(model) = values.get(&BEDROCK_MODEL) {
        let (region, endpoint) = (values.get(&BEDROCK_REGION), values.get(&BEDROCK_ENDPOINT));
        match bedrock("bedrock".to_owned(), model, region, endpoint, values, amazon) {
            Ok(provider) => providers.push(provider),
            Err(say) => problems.push(Problem::new(values.place(&BEDROCK_MODEL), say)),
        }
    }
    let mut sound = true;
    for entry in values.declared(PROVIDERS.name) {
        sound &= entry.sound;
        match provider(entry, values, amazon) {
            Ok(Some(provider)) if providers.iter().any(|other| other.name == provider.name) => {
                problems.push(Problem::new(&entry.place, "two providers have the same `name`"));
            }
            Ok(Some(provider)) => providers.push(provider),
            Ok(None) => {}
            Err(say) => problems.push(Problem::new(format!("{} providers", entry.place), say)),
        }
    }
    order(&mut providers, values, problems);
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

/// Whether some provider is Bedrock.
pub(super) fn asks_bedrock(values: &Values) -> bool {
    let spoken = |entry: &Declared| entry.get(&PROVIDER_PROTOCOL) == Some(Speech::Bedrock);
    values.get(&BEDROCK_MODEL).is_some() || values.declared(PROVIDERS.name).any(spoken)
}

/// Puts the providers that `MODEL_ORDER` names first, in its order.
fn order(providers: &mut [Provider], values: &Values, problems: &mut Vec<Problem>) {
    let Some(names) = values.get(&MODEL_ORDER) else { return };
    let mut broken = |say: String| problems.push(Problem::new(values.place(&MODEL_ORDER), say));
    for (at, name) in names.iter().enumerate() {
        if !providers.iter().any(|provider| provider.name == *name) {
            broken(format!("names `{name}`, and no provider of that name is set"));
        }
        if names.iter().take(at).any(|earlier| earlier == name) {
            broken(format!("names `{name}` twice"));
        }
    }
    let place = |provider: &Provider| names.iter().position(|name| *name == provider.name);
    providers.sort_by_key(|provider| place(provider).unwrap_or(names.len()));
}

/// Bedrock in the region that is named, else in that of the model's ARN, else in that of everything at Amazon.
fn bedrock(
    name: String,
    model: String,
    region: Option<String>,
    endpoint: Option<Url>,
    values: &Values,
    amazon: Option<&aws::Config>,
) -> Result<Provider, String> {
    let of_arn = || MODEL_SERVICES.into_iter().find_map(|service| region_of(&model, service));
    let region = region.or_else(of_arn).or_else(|| values.get(&AWS_REGION));
    let region = region.ok_or("is set without a region; set AWS_REGION")?;
    let found = || {
        amazon.map_or_else(
            || aws::Config::default().endpoint(HOST, &region),
            |amazon| amazon.endpoint(HOST, &region),
        )
    };
    let endpoint = endpoint.or_else(found);
    let endpoint = endpoint.ok_or("is set with a region that no region is called; correct it")?;
    Ok(Provider { name, model, protocol: Protocol::Bedrock { region, endpoint } })
}

fn provider(
    entry: &Declared,
    values: &Values,
    amazon: Option<&aws::Config>,
) -> Result<Option<Provider>, String> {
    if !entry.sound {
        return Ok(None);
    }
    let name = entry.get(&PROVIDER_NAME).ok_or("a provider needs a `name`")?;
    let plain =
        name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if name.is_empty() || !plain {
        return Err("the `name` must be 1 to 32 of `a-z`, `0-9` and `-`".to_owned());
    }
    let model = entry.get(&PROVIDER_MODEL).ok_or("a provider needs a `model`")?;
    if entry.get(&PROVIDER_PROTOCOL) == Some(Speech::Bedrock) {
        if entry.get(&PROVIDER_KEY_VARIABLE).is_some() || entry.get(&PROVIDER_KEY_FILE).is_some() {
            return Err(
                "is Bedrock, which takes the credentials of `aws` and no key; remove the key".to_owned()
            );
        }
        let (region, endpoint) = (entry.get(&PROVIDER_REGION), entry.get(&PROVIDER_URL));
        let made = bedrock(name, model, region, endpoint, values, amazon);
        return made.map(Some).map_err(|say| format!("Bedrock {say}"));
    }
    let base_url = entry.get(&PROVIDER_URL).ok_or("a provider needs a `base_url`")?;
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
    Ok(Some(Provider { name, model, protocol: Protocol::OpenAi { base_url, api_key } }))
}
