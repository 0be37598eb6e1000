//! The rows of Amazon Web Services: who this server is there, where the services are, and Secrets Manager.

use std::path::PathBuf;

use kernel::Secret;
use url::Url;

use super::{Default, Room, always, follows, settings};
use crate::settings::form;

/// Amazon Web Services.
pub(crate) static AWS: Room = Room {
    title: "Amazon Web Services",
    about: "Who this server is there. The first of these that is set is asked, and no other: keys, a web identity, the container's role, the instance's role.",
    settings: AWS_ROWS,
};

settings! { @fields AWS_ROWS;
    /// The region.
    AWS_REGION: String = form::text("a region"), "aws.region", ["AWS_REGION"], Default::None, live;
    /// A static access key, or the first part of temporary credentials. Without a session token it warns in production: a role is safer.
    AWS_KEY_ID: Secret<String> = form::secret(), "aws.access_key_id", ["AWS_ACCESS_KEY_ID"], Default::None, secret, live;
    /// The secret of that key.
    AWS_SECRET: Secret<String> = form::secret(), "aws.secret_access_key", ["AWS_SECRET_ACCESS_KEY"], Default::None, secret, live;
    /// The token of temporary credentials.
    AWS_TOKEN: Secret<String> = form::secret(), "aws.session_token", ["AWS_SESSION_TOKEN"], Default::None, secret, live;
    /// The file of a token of another identity provider (in EKS, of Kubernetes) that STS exchanges for the credentials of a role. Read anew at each exchange.
    AWS_WEB_IDENTITY: PathBuf = form::path(), "aws.web_identity_token_file", ["AWS_WEB_IDENTITY_TOKEN_FILE"], Default::None, live;
    /// The role that a web identity takes on.
    AWS_ROLE: String = form::text("a role's ARN"), "aws.role_arn", ["AWS_ROLE_ARN"], Default::None, live;
    /// The name under which that session stands in the records of AWS.
    AWS_SESSION_NAME: String = form::text("a name"), "aws.role_session_name", ["AWS_ROLE_SESSION_NAME"], always("stoa"), live;
    /// The path of the task's credentials at the agent of ECS, which sets it.
    AWS_CONTAINER_PATH: String = form::text("a path that begins with `/`"), "aws.container_relative_uri", ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"], Default::None, live;
    /// The address of the task's credentials, as EKS sets it: over HTTPS, or on this machine.
    AWS_CONTAINER_URL: Url = form::url(), "aws.container_full_uri", ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], Default::None, live;
    /// What that address wants to be shown.
    AWS_CONTAINER_TOKEN: Secret<String> = form::secret(), "aws.container_token", ["AWS_CONTAINER_AUTHORIZATION_TOKEN"], Default::None, secret, live;
    /// The file that holds it. Read anew each time.
    AWS_CONTAINER_TOKEN_FILE: PathBuf = form::path(), "aws.container_token_file", ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"], Default::None, live;
    /// The instance's metadata service, which is spoken to in its version 2 alone.
    AWS_METADATA: Url = form::url(), "aws.metadata_endpoint", ["AWS_EC2_METADATA_SERVICE_ENDPOINT"], always("http://169.254.169.254"), live;
    /// The instance's metadata service is not asked.
    AWS_METADATA_OFF: bool = form::flag(), "aws.metadata_disabled", ["AWS_EC2_METADATA_DISABLED"], always("false"), live;
    /// One address for every service of AWS, for a test or a gateway. Production wants HTTPS or this machine.
    AWS_ENDPOINT: Url = form::url(), "aws.endpoint_url", ["AWS_ENDPOINT_URL"], Default::None, live;
    /// The address of STS alone.
    AWS_STS_ENDPOINT: Url = form::url(), "aws.sts_endpoint_url", ["AWS_ENDPOINT_URL_STS"], Default::None, live;
    /// The address of S3 alone, for a service that speaks like it. The bucket stands in the path then.
    AWS_S3_ENDPOINT: Url = form::url(), "aws.s3_endpoint_url", ["AWS_ENDPOINT_URL_S3"], Default::None, live;
}

/// Secrets Manager.
pub(crate) static SECRETS_MANAGER: Room = Room {
    title: "AWS Secrets Manager",
    about: "One secret, a JSON object of variables and their values, that stands between `stoa.toml` and the environment. `ENVIRONMENT` and the settings of AWS itself cannot come from there.",
    settings: SECRETS_MANAGER_ROWS,
};

settings! { @fields SECRETS_MANAGER_ROWS;
    /// Settings come from Secrets Manager too. When it cannot be asked at the start, the server starts only if nothing is missing without it; later the last values are kept.
    SECRETS_MANAGER_ON: bool = form::flag(), "aws.secrets_manager.enabled", ["ENABLE_SECRETS_MANAGER"], always("false"), live;
    /// The region of the secret.
    SECRETS_MANAGER_REGION: String = form::text("a region"), "aws.secrets_manager.region", ["SECRETS_MANAGER_REGION"], follows("the region in the secret's ARN, else `AWS_REGION`"), live;
    /// The name or ARN of the secret.
    SECRETS_MANAGER_NAME: String = form::text("a secret's name"), "aws.secrets_manager.name", ["SECRETS_MANAGER_SECRET_NAME"], Default::None, live;
    /// The address of Secrets Manager.
    SECRETS_MANAGER_ENDPOINT: Url = form::url(), "aws.secrets_manager.endpoint_url", ["AWS_ENDPOINT_URL_SECRETS_MANAGER"], Default::None, live;
    /// How many seconds pass between two questions whether the secret was rotated. SIGHUP asks at once.
    SECRETS_MANAGER_REFRESH: u64 = form::whole::<1, 86_400>(), "aws.secrets_manager.refresh_seconds", ["SECRETS_MANAGER_REFRESH_SECONDS"], always("60"), live;
    /// How many seconds after a rotation the signing secrets of the version before (`AWSPREVIOUS`) are still accepted; 0: not at all.
    SECRETS_MANAGER_PREVIOUS: u64 = form::whole::<0, 31_536_000>(), "aws.secrets_manager.previous_seconds", ["SECRETS_MANAGER_PREVIOUS_SECONDS"], always("86400"), live;
}
