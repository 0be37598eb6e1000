//! A stranger with a URL: checks a live deployment from outside, over HTTP alone, and says what it saw.
//!
//! It owns the list of checks and nothing of the server: it uses none of the workspace's other crates, so it
//! cannot share their mistakes. What it creates it deletes again. It never prints more than `console` does,
//! and never stores anything.

mod answer;
mod chance;
mod checks;
mod client;
mod command;
mod console;
mod deployment;
mod der;
mod moment;
mod policy;
mod problem;
mod report;
mod run;
mod stream;
mod verdict;

use std::fmt;
use std::time::Duration;

use url::Url;

pub use command::{Args, command};
pub use console::{Console, Reporter};
pub use report::{Counts, Line, Outcome, Report};
pub use run::run;

/// What to look at, and with what.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the deployment answers (`http` or `https`).
    pub url: Url,
    /// A key for the checks that need one.
    pub api_key: Option<ApiKey>,
    /// An access token of an account, for the checks of what only accounts have; that of an admin also for those of
    /// the administration.
    pub token: Option<ApiKey>,
    /// The token of the metrics, for the count of errors and warnings since the start.
    pub metrics_token: Option<ApiKey>,
    /// An origin that CORS should allow.
    pub origin: Option<String>,
    /// One document in place of lines (for the command; `run` gives the report in any case).
    pub json: bool,
    /// Only these checks; empty for all.
    pub only: Vec<String>,
    /// Where plain HTTP answers, when that is not port 80 of the same host.
    pub http_url: Option<Url>,
    /// Certificates (PEM) of an authority of your own, trusted beside those of this machine.
    pub authority: Option<Vec<u8>>,
    /// How long one answer may take; turns of a conversation get four times that.
    pub timeout: Duration,
}

impl Options {
    /// Everything about this address, without a key.
    pub fn new(url: Url) -> Options {
        Options {
            url,
            api_key: None,
            token: None,
            metrics_token: None,
            origin: None,
            json: false,
            only: Vec::new(),
            http_url: None,
            authority: None,
            timeout: Duration::from_secs(15),
        }
    }
}

/// An API key of the caller. It is sent to the deployment and shown nowhere.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes the key as it is.
    pub fn new(text: impl Into<String>) -> ApiKey {
        ApiKey(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}
