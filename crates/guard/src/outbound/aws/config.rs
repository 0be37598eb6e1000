//! What is known about Amazon Web Services. Values are valid already: `server::settings` made them.

use std::net::IpAddr;
use std::path::PathBuf;

use kernel::Secret;
use url::{Host, Url};

/// Who this server is at Amazon Web Services, and where their services are. The first of `keys`, `web_identity`,
/// `container` and `metadata` that is there is the one that is asked, and no other when it fails: a server must
/// not become somebody else because a service was away for a moment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Config {
    /// The region when a call names none.
    pub region: Option<String>,
    /// Keys that were given as they are.
    pub keys: Option<Keys>,
    /// A token of another identity provider (of Kubernetes, say) that STS exchanges for credentials.
    pub web_identity: Option<WebIdentity>,
    /// The credentials of a container's task.
    pub container: Option<Container>,
    /// The instance's metadata service; `None`: it is not asked.
    pub metadata: Option<Url>,
    /// The one address of every service, in place of Amazon's.
    pub endpoint: Option<Url>,
    /// The address of single services, by the first label of their host: `sts`, `secretsmanager`.
    pub endpoints: Vec<(&'static str, Url)>,
}

/// Keys that were given as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// `AWS_ACCESS_KEY_ID`.
    pub id: Secret<String>,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret: Secret<String>,
    /// `AWS_SESSION_TOKEN`, for temporary ones.
    pub token: Option<Secret<String>>,
}

/// A token that STS exchanges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebIdentity {
    /// The file of the token, which its issuer replaces from time to time.
    pub token_file: PathBuf,
    /// The role to take on.
    pub role_arn: String,
    /// The name under which the session stands in Amazon's records.
    pub session_name: String,
}

/// Where a container's agent gives credentials out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The address of the credentials.
    pub url: Url,
    /// What the agent wants to be shown.
    pub token: Option<ContainerToken>,
}

/// What a container's agent wants to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerToken {
    /// The text itself.
    Text(Secret<String>),
    /// A file that the agent replaces from time to time.
    File(PathBuf),
}

/// The addresses of the agents of ECS and EKS, which speak plain HTTP on the machine's own link.
const AGENTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

impl Container {
    /// Whether credentials may be asked for at this address: over HTTPS, or from this machine and its agents alone.
    pub fn admits(url: &Url) -> bool {
        let near = |ip: IpAddr| {
            ip.is_loopback()
                || AGENTS.iter().any(|agent| agent.parse::<IpAddr>().is_ok_and(|agent| agent == ip))
        };
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => true,
            ("http", Some(Host::Ipv4(ip))) => near(ip.into()),
            ("http", Some(Host::Ipv6(ip))) => near(ip.into()),
            ("http", Some(Host::Domain(name))) => name == "localhost",
            _ => false,
        }
    }
}

impl Config {
    /// Where the credentials come from, in words for the log.
    pub fn source(&self) -> &'static str {
        match self {
            Config { keys: Some(Keys { token: None, .. }), .. } => "static keys",
            Config { keys: Some(_), .. } => "temporary keys",
            Config { web_identity: Some(_), .. } => "a web identity",
            Config { container: Some(_), .. } => "the container's role",
            Config { metadata: Some(_), .. } => "the instance's role",
            _ => "nowhere",
        }
    }

    /// The address of a service: the configured one, else Amazon's in this region.
    pub fn endpoint(&self, service: &str, region: &str) -> Option<Url> {
        let own = self.endpoints.iter().find(|(name, _)| *name == service).map(|(_, url)| url);
        if let Some(url) = own.or(self.endpoint.as_ref()) {
            return Some(url.clone());
        }
        // The partition of China has a domain of its own.
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let plain = !region.is_empty()
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        plain.then(|| Url::parse(&format!("https://{service}.{region}.{domain}/")).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_asked_for_over_https_or_nearby() {
        for (url, admitted) in [
            ("http://169.254.170.2/v2/credentials/x", true),
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://127.0.0.1:8080/c", true),
            ("http://localhost/c", true),
            ("https://agent.example.com/c", true),
            ("http://agent.example.com/c", false),
            ("http://169.254.169.254/latest", false),
            ("http://10.0.0.1/c", false),
            ("ftp://127.0.0.1/c", false),
        ] {
            assert_eq!(Container::admits(&url.parse().unwrap()), admitted, "{url}");
        }
    }

    #[test]
    fn services_are_where_they_are_said_to_be() {
        let mut config = Config::default();
        let at = |config: &Config, region: &str| config.endpoint("sts", region).map(|url| url.to_string());
        assert_eq!(at(&config, "eu-central-1").unwrap(), "https://sts.eu-central-1.amazonaws.com/");
        assert_eq!(at(&config, "cn-north-1").unwrap(), "https://sts.cn-north-1.amazonaws.com.cn/");
        assert_eq!(at(&config, "evil.example/"), None, "a region is no way to another host");
        config.endpoint = Some("http://127.0.0.1:4566".parse().unwrap());
        assert_eq!(at(&config, "eu-central-1").unwrap(), "http://127.0.0.1:4566/");
        config.endpoints.push(("sts", "http://127.0.0.1:1".parse().unwrap()));
        assert_eq!(at(&config, "").unwrap(), "http://127.0.0.1:1/");
    }
}
