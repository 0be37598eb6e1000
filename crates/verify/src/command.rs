//! The command line of `verify`: its arguments, checked, and the run with the console.
//! It owns no check.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use url::Url;

use crate::checks;
use crate::console::Console;
use crate::{ApiKey, Options, run};

/// Checks a live deployment from outside: one line a check, exit code 1 if any fails.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the deployment answers, for example https://ai.example.com
    #[arg(value_parser = base_url)]
    pub url: Url,
    /// An API key, for the checks that need one (better in the environment than on the command line)
    #[arg(long, value_name = "KEY", env = "STOA_VERIFY_API_KEY", hide_env_values = true,
          value_parser = NonEmptyStringValueParser::new())]
    pub api_key: Option<String>,
    /// An access token of an account that may enter the apps, for the checks of files, the tutor and the desk; that of
    /// an admin also for those of the administration
    #[arg(long, value_name = "TOKEN", env = "STOA_VERIFY_TOKEN", hide_env_values = true,
          value_parser = NonEmptyStringValueParser::new())]
    pub token: Option<String>,
    /// The token of the metrics, for the count of errors and warnings since the start
    #[arg(long, value_name = "TOKEN", env = "STOA_VERIFY_METRICS_TOKEN", hide_env_values = true,
          value_parser = NonEmptyStringValueParser::new())]
    pub metrics_token: Option<String>,
    /// An origin that CORS should allow, for example https://app.example.com
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub origin: Option<String>,
    /// One JSON document in place of lines
    #[arg(long)]
    pub json: bool,
    /// Only these checks (comma list)
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = known_check)]
    pub only: Vec<String>,
    /// Where plain HTTP answers, when that is not port 80 of the same host
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub http_url: Option<Url>,
    /// Certificates (PEM) of an authority of your own, trusted beside those of this machine
    #[arg(long, value_name = "FILE", value_parser = authority)]
    pub ca: Option<Authority>,
    /// How long one answer may take, in seconds; turns of a conversation get four times that
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
}

/// The content of the file of an authority.
#[derive(Debug, Clone)]
pub struct Authority(Vec<u8>);

fn authority(path: &str) -> Result<Authority, String> {
    let pem = std::fs::read(path).map_err(|fault| format!("it cannot be read ({fault})"))?;
    if pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
        Ok(Authority(pem))
    } else {
        Err("it holds no certificate in PEM form".into())
    }
}

impl From<Args> for Options {
    fn from(args: Args) -> Options {
        Options {
            url: args.url,
            api_key: args.api_key.map(ApiKey::new),
            token: args.token.map(ApiKey::new),
            metrics_token: args.metrics_token.map(ApiKey::new),
            origin: args.origin,
            json: args.json,
            only: args.only,
            http_url: args.http_url,
            authority: args.ca.map(|authority| authority.0),
            timeout: Duration::from_secs(args.timeout),
        }
    }
}

/// Runs the checks and prints what they find. Gives `true` when none failed.
pub async fn command(args: Args) -> bool {
    let options = Options::from(args);
    let mut console = Console::standard(options.json);
    run(options, &mut console).await.passed
}

/// An `http` or `https` address without query, fragment or credentials.
fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|fault| format!("this is no URL ({fault}); write https://host"))?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match (url.scheme(), url.host_str(), plain) {
        ("http" | "https", Some(_), true) => Ok(url),
        ("http" | "https", Some(_), false) => {
            Err("write the URL without user, password, query and fragment".into())
        }
        _ => Err("write an http or https URL with a host".into()),
    }
}

/// An origin: scheme, host and port, nothing behind it.
fn origin(text: &str) -> Result<String, String> {
    let url = base_url(text)?;
    if url.path() == "/" {
        Ok(url.origin().ascii_serialization())
    } else {
        Err("an origin has no path: write https://host".into())
    }
}

fn known_check(text: &str) -> Result<String, String> {
    let names = checks::names();
    if names.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("there is no such check; there are: {}", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_before_anything_is_asked() {
        for good in ["http://127.0.0.1:8080", "https://ai.example.com/", "https://example.com/stoa"] {
            assert!(base_url(good).is_ok(), "{good}");
        }
        for bad in ["ai.example.com", "ftp://x", "http://", "https://u:p@x/", "https://x/?a=1", "file:///etc"]
        {
            assert!(base_url(bad).is_err(), "{bad}");
        }
        assert_eq!(origin("https://App.example.com:443/").unwrap(), "https://app.example.com");
        assert!(origin("https://app.example.com/page").is_err());
        assert!(known_check("health").is_ok());
        assert!(known_check("nothing").is_err());
    }
}
