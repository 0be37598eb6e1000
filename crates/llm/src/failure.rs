//! What can go wrong with a provider, in words of our own. It owns which failures are tried again, which count
//! against a provider, and what the caller and the operator are told. It never holds a provider's own text.

use std::time::Duration;

use guard::outbound::aws;
use kernel::{Code, Fault};

use crate::chat::ChatRequest;

/// Longest `Retry-After` that is waited for on the spot.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause before the second try when the provider names none; jitter takes up to half of it away or adds it.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest rest that a provider can ask for.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// A failed call.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection, or it broke before anything came back.
    Connect(String),
    /// Too many requests (429), with the wait that the provider asked for.
    Busy(Option<Duration>),
    /// The provider failed: a status of 500 or more, or one by which Bedrock says that the model failed.
    Broken(u16),
    /// The provider refused: any other status that is no success.
    Refused(u16),
    /// The provider refused a request with images: most likely the model takes none.
    Images(u16),
    /// Amazon does not let this server ask the model.
    Denied(Denial),
    /// A step took longer than it may: `first_token`, `idle`, `total`.
    Slow(&'static str),
    /// An answer that is none. The words are ours.
    Garbage(&'static str),
    /// The provider failed so often that it is left alone for this long.
    Resting(Duration),
    /// The caller no longer wants the answer.
    Cancelled,
}

/// Why Amazon does not let this server ask the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// There are no credentials: their source does not give any.
    Source(aws::Failure),
    /// The temporary credentials have ended.
    Expired,
    /// The access key is not known.
    Key,
    /// The signature is not right: the secret, or the clock.
    Signature,
    /// The role may not ask this model.
    Permission,
    /// The region does not have the model.
    Model,
}

impl Denial {
    /// What is wrong and what the operator can do, in one sentence each.
    pub(crate) fn words(&self) -> (String, &'static str) {
        let (what, fix) = match self {
            Denial::Source(failure) => return (failure.to_string(), failure.fix()),
            Denial::Expired => (
                "the temporary AWS credentials have ended",
                "replace AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or use a role",
            ),
            Denial::Key => ("AWS does not know the access key", "check AWS_ACCESS_KEY_ID"),
            Denial::Signature => (
                "AWS refuses the signature",
                "check AWS_SECRET_ACCESS_KEY, AWS_REGION and this machine's clock",
            ),
            Denial::Permission => (
                "the role may not ask the model",
                "allow it `bedrock:InvokeModel` and `bedrock:InvokeModelWithResponseStream` for this model, and \
                 the account access to the model",
            ),
            Denial::Model => {
                ("Bedrock does not have the model in this region", "check BEDROCK_MODEL and AWS_REGION")
            }
        };
        (what.to_owned(), fix)
    }
}

impl Failure {
    /// How long to wait before the one retry with the same provider; `None` when a retry cannot help.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Failure::Connect(_) | Failure::Broken(424 | 500 | 502 | 503 | 504) | Failure::Busy(None) => {
                Some(PAUSE)
            }
            // They were forgotten, so the source is asked for new ones.
            Failure::Denied(Denial::Expired) => Some(PAUSE),
            Failure::Busy(Some(wait)) => (*wait <= PATIENCE).then(|| PAUSE.max(*wait)),
            _ => None,
        }
    }

    /// Whether it says something about the provider, and not about this one request.
    pub(crate) fn counts(&self) -> bool {
        match self {
            Failure::Refused(status) => matches!(status, 401 | 403 | 404),
            Failure::Cancelled | Failure::Resting(_) | Failure::Images(_) => false,
            _ => true,
        }
    }

    /// How long the provider asks to be left alone.
    pub(crate) fn rest(&self) -> Option<Duration> {
        match self {
            Failure::Busy(Some(wait)) if *wait > PATIENCE => Some((*wait).min(LONGEST_REST)),
            _ => None,
        }
    }

    /// Tells the operator. Holds no message text and nothing the provider wrote.
    pub(crate) fn log(&self, provider: &str) {
        match self {
            Failure::Refused(status @ (401 | 403)) => tracing::error!(
                provider,
                status,
                "the model provider refuses the key: check OPENAI_API_KEY (or the provider's `api_key`)"
            ),
            Failure::Denied(denial) => {
                let (reason, fix) = denial.words();
                tracing::error!(provider, reason, fix, "Amazon Bedrock cannot be asked");
            }
            Failure::Refused(404) => tracing::warn!(
                provider,
                status = 404,
                "the model provider does not know the model or the path: check OPENAI_MODEL and OPENAI_BASE_URL"
            ),
            Failure::Cancelled | Failure::Resting(_) => {}
            other => tracing::warn!(provider, reason = %other.reason(), "the model provider failed"),
        }
    }

    /// The same failure, where what was asked says more about it.
    pub(crate) fn about(self, request: &ChatRequest) -> Failure {
        match self {
            Failure::Refused(status @ (400 | 413 | 415 | 422)) if request.has_images() => {
                Failure::Images(status)
            }
            other => other,
        }
    }

    /// What the caller is told, with the reason for the log.
    pub(crate) fn fault(self) -> Fault {
        if let Failure::Images(status) = self {
            return Fault::invalid(
                "file_ids",
                "images_unsupported",
                "The model did not take the message with its images. Send it without them, or ask whoever runs this \
                 server for a model that takes images.",
            )
            .because(format!("status {status}"));
        }
        let code =
            if matches!(self, Failure::Slow("total")) { Code::Timeout } else { Code::ModelUnavailable };
        let wait = match self {
            Failure::Busy(Some(wait)) => Some(wait.min(LONGEST_REST)),
            Failure::Resting(wait) => Some(wait),
            _ => None,
        };
        let fault = Fault::new(code).because(self.reason());
        match wait {
            Some(wait) => fault.retry_after(wait),
            None => fault,
        }
    }

    fn reason(&self) -> String {
        match self {
            Failure::Connect(why) => why.clone(),
            Failure::Busy(_) => "status 429".to_owned(),
            Failure::Broken(status) | Failure::Refused(status) | Failure::Images(status) => {
                format!("status {status}")
            }
            Failure::Denied(denial) => denial.words().0,
            Failure::Slow(step) => format!("time-out `{step}`"),
            Failure::Garbage(what) => (*what).to_owned(),
            Failure::Resting(_) => "left alone after repeated failures".to_owned(),
            Failure::Cancelled => "cancelled by the caller".to_owned(),
        }
    }
}
