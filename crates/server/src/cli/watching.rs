//! Arguments of what looks at a server: `probe`, `report`, `doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `probe`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Probe {
    /// What to ask
    #[arg(value_enum, default_value_t = Probed::Ready)]
    pub(crate) what: Probed,
    /// The port, when it is not that of the settings
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// How long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) timeout: u64,
}

/// What `probe` asks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Probed {
    /// The process runs
    Live,
    /// It takes requests
    Ready,
    /// Everything it needs is well
    Health,
}

impl Probed {
    /// The path of it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Probed::Live => "live",
            Probed::Ready => "ready",
            Probed::Health => "health",
        }
    }
}

/// Arguments of `report`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Report {
    /// Which
    #[arg(value_enum)]
    pub(crate) period: ReportPeriod,
    /// One JSON document in place of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportPeriod {
    /// Health, error rates, backups, the security log
    Daily,
    /// The database, people, patches, capacity
    Weekly,
    /// Security audit, performance, recovery, documents
    Monthly,
}

impl ReportPeriod {
    /// As the room of operation knows it.
    pub(crate) const fn period(self) -> ops::report::Period {
        match self {
            ReportPeriod::Daily => ops::report::Period::Daily,
            ReportPeriod::Weekly => ops::report::Period::Weekly,
            ReportPeriod::Monthly => ops::report::Period::Monthly,
        }
    }
}

/// Arguments of `doctor`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Doctor {
    /// Write what was found into a file that holds no secret and no personal data
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}
