//! What is written down about the running server: log lines, masked before they leave. It owns the way of a line
//! from the event to the sink, and the start of it all. Metrics are in [`crate::metrics`].
//!
//! ```text
//! tracing event → layer (fields as rows) → pipeline (bounded queue) → writer thread: mask → line → console, file
//! ```

mod config;
mod file;
mod layer;
mod line;
mod panics;
mod pipeline;
mod plain;
mod recent;
mod writer;

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use guard::outbound::Outbound;
use kernel::Ambient;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Subscriber as _;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use config::{Config, Format, Level, LogFile};
pub use line::Mask;
pub use recent::RecentLine;

use crate::metrics::{self, Metrics};
use crate::shipping::Shipping;
use crate::shipping::trace::{Tracer, present};
use file::Rotating;
use layer::Feed;
use line::Lines;
use pipeline::Intake;
use recent::Recent;
use writer::{Sinks, Writer};

/// The log and the metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry {
    intake: Arc<Intake>,
    recent: Arc<Recent>,
    metrics: Metrics,
    shipping: Option<Shipping>,
}

impl Telemetry {
    /// Waits until every line logged so far has reached the sinks; `false` when `patience` was not enough.
    /// Blocks the thread: call it at the end of the process.
    pub fn flush(&self, patience: Duration) -> bool {
        self.intake.flush(patience)
    }

    /// The last `WARNING` and `ERROR` lines, masked, the newest first.
    pub fn recent(&self) -> Vec<RecentLine> {
        self.recent.newest_first()
    }

    /// How many lines of this level were logged since the start.
    pub fn count(&self, level: Level) -> u64 {
        self.intake.count(level)
    }

    /// How many lines were dropped since the start because no sink took them.
    pub fn dropped(&self) -> u64 {
        self.intake.lost()
    }

    /// Lets telemetry leave the process, when a sink is configured.
    pub fn ship(&self, outbound: &Outbound, replica: &str, tasks: &TaskTracker, stop: &CancellationToken) {
        if let Some(shipping) = &self.shipping {
            shipping.start(outbound, replica, &self.metrics, tasks, stop);
        }
    }

    /// What leaves the process.
    pub fn shipping(&self) -> Option<&Shipping> {
        self.shipping.as_ref()
    }

    /// The metrics of the process.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Why the log cannot start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The file of `LOG_TO_FILE` cannot be written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The thread that writes cannot be made.
    Thread(io::Error),
    /// The log of this process is running already.
    Twice,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::File { path, cause } => write!(
                f,
                "LOG_TO_FILE: {} cannot be written ({cause}); make its folder writable or set LOG_TO_FILE=false",
                path.display()
            ),
            StartError::Thread(cause) => write!(f, "the thread of the log cannot be started ({cause})"),
            StartError::Twice => f.write_str("the log of this process is running already"),
        }
    }
}

impl Error for StartError {}

/// Starts the log and the metrics of this process, once.
///
/// `clock` gives the time of each line. `mask` replaces personal data; it is used when `config.mask` says so.
///
/// # Errors
/// When the log file cannot be written, when the thread cannot be made, or when it was started before.
pub fn start(config: Config, clock: Ambient, mask: Mask) -> Result<Telemetry, StartError> {
    let recorder = metrics::install(&clock).ok_or(StartError::Twice)?;
    let colour = config.format == Format::Text && io::stdout().is_terminal() && !no_color();
    let shipping = config.shipping.clone().and_then(|wanted| Shipping::new(wanted, mask, clock.clone()));
    let console = Box::new(io::stdout());
    let (subscriber, intake, recent) = assemble(config, clock, mask, console, colour, shipping.clone())?;
    subscriber.try_init().map_err(|_| StartError::Twice)?;
    panics::install(intake.clone());
    recorder.keep_up().map_err(StartError::Thread)?;
    Ok(Telemetry { intake, recent, metrics: recorder, shipping })
}

/// The trace that the present task belongs to, as W3C Trace Context writes it; `None` where nothing is traced.
pub fn traceparent() -> Option<String> {
    tracing::dispatcher::get_default(|dispatch| {
        let subscriber = dispatch.downcast_ref::<Layered<Feed, Registry>>()?;
        let current = subscriber.current_span();
        present(&subscriber.span(current.id()?)?)
    })
}

/// Whether a target is a room of this house, whose messages stand in its source.
pub(crate) fn is_ours(room: &str) -> bool {
    layer::ROOMS.contains(&room)
}

/// The convention of <https://no-color.org>.
#[expect(
    clippy::disallowed_methods,
    reason = "a property of the terminal, like its being one; no setting of the server"
)]
fn no_color() -> bool {
    std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty())
}

type Assembled = (Layered<Feed, Registry>, Arc<Intake>, Arc<Recent>);

/// Everything but the global parts, so that tests can have several.
fn assemble(
    config: Config,
    clock: Ambient,
    mask: Mask,
    console: Box<dyn Write + Send>,
    colour: bool,
    shipping: Option<Shipping>,
) -> Result<Assembled, StartError> {
    let open = |plan: LogFile| {
        let path = plan.path.clone();
        Rotating::open(plan).map_err(|cause| StartError::File { path, cause })
    };
    let file = config.file.map(open).transpose()?;
    let intake = Arc::new(Intake::new());
    let recent = Arc::new(Recent::default());
    let writer = Writer {
        intake: intake.clone(),
        recent: recent.clone(),
        clock: clock.clone(),
        lines: Lines::new(config.mask.then_some(mask)),
        sinks: Sinks { console, format: config.format, colour, file },
        shipping: shipping.clone(),
    };
    thread::Builder::new()
        .name(panics::WRITER_THREAD.to_owned())
        .spawn(move || writer.run())
        .map_err(StartError::Thread)?;
    let tracer = shipping.filter(Shipping::traces).map(|shipping| Tracer::new(shipping, clock.clone()));
    let feed = Feed::new(config.level, clock, intake.clone(), tracer);
    let subscriber = tracing_subscriber::registry().with(feed);
    Ok((subscriber, intake, recent))
}

#[cfg(test)]
pub(crate) mod tests;
