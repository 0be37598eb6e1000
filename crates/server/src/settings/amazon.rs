//! From effective values to what is known about Amazon Web Services, and to the secret that holds settings.
//! It never asks anybody.

use std::time::Duration;

use guard::outbound::aws::{Config, Container, ContainerToken, Keys, WebIdentity};
use url::Url;

use super::problem::Problem;
use super::table::aws::*;
use super::values::Values;

/// Where the agent of ECS answers.
const ECS: &str = "http://169.254.170.2";

/// The secret that holds settings, and how it is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretPlace {
    /// The region.
    pub(crate) region: String,
    /// The name or ARN.
    pub(crate) name: String,
    /// How often it is asked for.
    pub(crate) refresh: Duration,
    /// How long after a rotation the signing secrets of the version before count.
    pub(crate) previous: Duration,
}

/// Who this server is at Amazon. `None` when something contradicts itself; then a problem says so.
pub(super) fn config(values: &Values, problems: &mut Vec<Problem>) -> Option<Config> {
    let before = problems.len();
    let mut half = |one: &str, other: &str| {
        problems.push(Problem::new(one, format!("is set without {other}; set both or none of them")));
    };
    let keys = match (values.get(&AWS_KEY_ID), values.get(&AWS_SECRET)) {
        (Some(id), Some(secret)) => Some(Keys { id, secret, token: values.get(&AWS_TOKEN) }),
        (Some(_), None) => {
            half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
            None
        }
        (None, Some(_)) => {
            half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID");
            None
        }
        (None, None) => {
            if values.is_explicit(&AWS_TOKEN) {
                half("AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
            }
            None
        }
    };
    let web_identity = match (values.get(&AWS_WEB_IDENTITY), values.get(&AWS_ROLE)) {
        (Some(token_file), Some(role_arn)) => {
            Some(WebIdentity { token_file, role_arn, session_name: values.get(&AWS_SESSION_NAME)? })
        }
        (Some(_), None) => {
            half("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN");
            None
        }
        // A role alone is set by some platforms for other programs, and means nothing here.
        (None, _) => None,
    };
    let container = container(values, problems);
    let metadata = values.get(&AWS_METADATA).filter(|_| values.get(&AWS_METADATA_OFF) != Some(true));
    let endpoint = |name, key| values.get(key).map(|url: Url| (name, url));
    let config = Config {
        region: values.get(&AWS_REGION),
        keys,
        web_identity,
        container,
        metadata,
        endpoint: values.get(&AWS_ENDPOINT),
        endpoints: [
            endpoint("sts", &AWS_STS_ENDPOINT),
            endpoint("secretsmanager", &SECRETS_MANAGER_ENDPOINT),
            endpoint("s3", &AWS_S3_ENDPOINT),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    (problems.len() == before).then_some(config)
}

fn container(values: &Values, problems: &mut Vec<Problem>) -> Option<Container> {
    let url = match (values.get(&AWS_CONTAINER_PATH), values.get(&AWS_CONTAINER_URL)) {
        (Some(path), _) if path.starts_with('/') => Url::parse(&format!("{ECS}{path}")).ok()?,
        (Some(_), _) => {
            let say = "must be a path that begins with `/`";
            problems.push(Problem::new(values.place(&AWS_CONTAINER_PATH), say));
            return None;
        }
        (None, Some(url)) if Container::admits(&url) => url,
        (None, Some(_)) => {
            let say = "must begin with https://, or be on this machine";
            problems.push(Problem::new(values.place(&AWS_CONTAINER_URL), say));
            return None;
        }
        (None, None) => return None,
    };
    let token = values
        .get(&AWS_CONTAINER_TOKEN_FILE)
        .map(ContainerToken::File)
        .or_else(|| values.get(&AWS_CONTAINER_TOKEN).map(ContainerToken::Text));
    Some(Container { url, token })
}

/// The secret that holds settings, when there is to be one. The outer `None`: what is said of it is not enough.
#[expect(clippy::option_option, reason = "a setting that is off is no problem")]
pub(super) fn secret(values: &Values, problems: &mut Vec<Problem>) -> Option<Option<SecretPlace>> {
    if values.get(&SECRETS_MANAGER_ON) != Some(true) {
        return Some(None);
    }
    let Some(name) = values.get(&SECRETS_MANAGER_NAME) else {
        problems
            .push(Problem::new("SECRETS_MANAGER_SECRET_NAME", "is not set, and ENABLE_SECRETS_MANAGER is"));
        return None;
    };
    let region = values
        .get(&SECRETS_MANAGER_REGION)
        .or_else(|| region_of(&name, "secretsmanager"))
        .or_else(|| values.get(&AWS_REGION));
    let Some(region) = region else {
        let say = "is not set, and neither is AWS_REGION; name the region of the secret";
        problems.push(Problem::new("SECRETS_MANAGER_REGION", say));
        return None;
    };
    Some(Some(SecretPlace {
        region,
        name,
        refresh: Duration::from_secs(values.get(&SECRETS_MANAGER_REFRESH)?),
        previous: Duration::from_secs(values.get(&SECRETS_MANAGER_PREVIOUS)?),
    }))
}

/// `arn:aws:secretsmanager:eu-central-1:…` names its region, for what belongs to this service.
pub(super) fn region_of(name: &str, wanted: &str) -> Option<String> {
    let mut parts = name.split(':');
    let (arn, _, service, region) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (arn == "arn" && service == wanted && !region.is_empty()).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_its_region() {
        let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:stoa-AbCdEf";
        assert_eq!(region_of(arn, "secretsmanager").as_deref(), Some("us-west-2"));
        assert_eq!(region_of("customer-service-ai-prod-secrets", "secretsmanager"), None);
        assert_eq!(region_of("arn:aws:iam::123456789012:role/x", "iam"), None);
    }
}
