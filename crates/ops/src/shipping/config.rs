//! Where telemetry goes. Values are valid already: `server::settings` made them.

use std::time::Duration;

use kernel::Secret;
use url::Url;

/// Where telemetry goes, and how much of it.
#[derive(Clone, Debug)]
pub struct Config {
    /// An OTLP collector.
    pub otlp: Option<Otlp>,
    /// Where errors are reported.
    pub sentry: Option<Dsn>,
    /// The share of the traces that is kept, from 0 to 1.
    pub sample: f64,
    /// Requests to model providers carry the id of their trace.
    pub propagate: bool,
    /// What this server is called there.
    pub service: String,
    /// `development`, `staging`, `production`.
    pub environment: &'static str,
    /// The version of the server.
    pub version: &'static str,
}

/// An OTLP collector that speaks `http/protobuf`.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// The address below which `v1/traces` and its like are.
    pub endpoint: Url,
    /// Sent with everything: the credential.
    pub headers: Vec<(String, Secret<String>)>,
    /// Traces go there.
    pub traces: bool,
    /// Metrics go there.
    pub metrics: bool,
    /// Log lines go there.
    pub logs: bool,
    /// How often metrics go there.
    pub every: Duration,
}

/// The address of a project at Sentry, with its public key.
#[derive(Clone, Debug)]
pub struct Dsn {
    pub(super) envelope: Url,
    pub(super) key: Secret<String>,
}

impl Dsn {
    /// Reads `https://KEY@HOST/PROJECT`; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Dsn> {
        let mut url = Url::parse(text.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return None;
        }
        let key = Some(url.username().to_owned()).filter(|key| !key.is_empty())?;
        let (above, project) = url.path().trim_end_matches('/').rsplit_once('/')?;
        if project.is_empty() || !project.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let path = format!("{above}/api/{project}/envelope/");
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        url.set_path(&path);
        Some(Dsn { envelope: url, key: Secret::new(key) })
    }

    /// Whether reports travel over HTTPS or stay on this machine is judged by this address.
    pub const fn address(&self) -> &Url {
        &self.envelope
    }
}

impl Otlp {
    /// The address of one signal: `v1/traces`, `v1/metrics`, `v1/logs`.
    pub(super) fn address(&self, signal: &str) -> Url {
        let mut url = self.endpoint.clone();
        let path = format!("{}/v1/{signal}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }
}

/// Where New Relic takes OTLP: the first letters of a key name the region.
pub fn new_relic(key: &str) -> Option<Url> {
    let europe = key.to_ascii_lowercase().starts_with("eu");
    Url::parse(if europe { "https://otlp.eu01.nr-data.net" } else { "https://otlp.nr-data.net" }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_names_key_host_and_project() {
        let dsn = Dsn::parse("https://abc123@o1.ingest.sentry.io/42").unwrap();
        assert_eq!(dsn.envelope.as_str(), "https://o1.ingest.sentry.io/api/42/envelope/");
        assert_eq!(dsn.key.expose(), "abc123");
        let below = Dsn::parse("http://k:old@127.0.0.1:9000/sentry/7").unwrap();
        assert_eq!(below.envelope.as_str(), "http://127.0.0.1:9000/sentry/api/7/envelope/");
        for text in
            ["https://your-sentry-dsn", "https://key@host", "https://key@host/", "ftp://k@h/1", "", "k@h/1"]
        {
            assert!(Dsn::parse(text).is_none(), "{text}");
        }
        assert!(!format!("{dsn:?}").contains("abc123"));
    }

    #[test]
    fn signals_lie_below_the_endpoint() {
        let otlp = |endpoint: &str| Otlp {
            endpoint: Url::parse(endpoint).unwrap(),
            headers: Vec::new(),
            traces: true,
            metrics: true,
            logs: true,
            every: Duration::from_secs(60),
        };
        assert_eq!(otlp("http://c:4318").address("traces").as_str(), "http://c:4318/v1/traces");
        assert_eq!(otlp("http://c:4318/otlp/").address("logs").as_str(), "http://c:4318/otlp/v1/logs");
        assert_eq!(new_relic("eu01xx1234NRAL").unwrap().host_str(), Some("otlp.eu01.nr-data.net"));
        assert_eq!(new_relic("1234NRAL").unwrap().host_str(), Some("otlp.nr-data.net"));
    }
}
