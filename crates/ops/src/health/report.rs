//! The report as `/health` and `/ready` give it, and the rule that makes one status of many parts.

use std::collections::BTreeMap;

use kernel::Time;
use serde::Serialize;

use super::parts::Check;
use super::probe::Measured;
use crate::backup::Freshness;

/// The state of one part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works.
    Operational,
    /// It works with a loss: slower, or on a fall-back.
    Degraded,
    /// It does not answer.
    Down,
    /// The operator has not asked for it.
    NotConfigured,
}

impl State {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Operational => "operational",
            State::Degraded => "degraded",
            State::Down => "down",
            State::NotConfigured => "not_configured",
        }
    }

    /// It is in use and does not work as it should.
    pub(super) const fn is_faulty(self) -> bool {
        matches!(self, State::Degraded | State::Down)
    }
}

/// The state of the whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything in use works.
    Healthy,
    /// People are served, and something is lost.
    Degraded,
    /// Nobody can be served: the database is away.
    Unhealthy,
}

impl Status {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Healthy => "healthy",
            Status::Degraded => "degraded",
            Status::Unhealthy => "unhealthy",
        }
    }
}

/// What `/health` answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HealthReport {
    /// The state of the whole.
    pub status: Status,
    /// When the report was made.
    pub timestamp: Time,
    /// The version of the server.
    pub version: &'static str,
    /// `development`, `staging` or `production`.
    pub environment: String,
    /// The database again, where existing monitors look for it.
    pub database: State,
    /// Each part.
    pub services: Services,
    /// What protects, measured.
    pub security: Security,
    /// How old the newest backup is, and when one was tried out last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupReport>,
    /// Each part that is looked at for itself, with the age of what was found.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<&'static str, Check>,
    /// Those of them that are bad and weigh.
    #[serde(skip)]
    pub(super) faulty: Vec<&'static str>,
}

/// What is known of backups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BackupReport {
    /// `current`, `overdue`, or `none` where none was due yet.
    pub status: Freshness,
    /// The moment that the newest backup shows.
    pub last: Option<Time>,
    /// How old it is.
    pub age_seconds: Option<u64>,
    /// When one was tried out last and could be restored.
    pub verified: Option<Time>,
    /// `current`, `overdue` when that is over 30 days ago or failed, or `none`.
    pub drill: Freshness,
}

/// The parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Services {
    /// This server: it answers.
    pub api: State,
    /// The database.
    pub database: State,
    /// Search by meaning.
    pub vector_db: State,
    /// Redis.
    pub cache: State,
    /// The model provider.
    pub model: State,
}

/// What protects, each found out by trying it on the running server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Security {
    /// A call without a credential is refused.
    pub authentication_required: bool,
    /// A call over plain HTTP is refused.
    pub https_enforced: bool,
    /// A limiter counts.
    pub rate_limiting_enabled: bool,
    /// The mask in front of the log masks.
    pub pii_masking_enabled: bool,
}

impl HealthReport {
    pub(super) fn new(
        measured: Measured,
        now: Time,
        version: &'static str,
        environment: &str,
    ) -> HealthReport {
        let Measured { database, vector_db, cache, model, security } = measured;
        let status = if database == State::Down {
            Status::Unhealthy
        } else if [database, vector_db, cache, model].into_iter().any(State::is_faulty) {
            Status::Degraded
        } else {
            Status::Healthy
        };
        let services = Services { api: State::Operational, database, vector_db, cache, model };
        let environment = environment.to_owned();
        let (checks, faulty) = (BTreeMap::new(), Vec::new());
        HealthReport {
            status,
            timestamp: now,
            version,
            environment,
            database,
            services,
            security,
            backup: None,
            checks,
            faulty,
        }
    }

    /// The same for a server that soon fails its callers.
    pub(super) fn worn(mut self) -> HealthReport {
        self.services.api = State::Degraded;
        if self.status == Status::Healthy {
            self.status = Status::Degraded;
        }
        self
    }

    /// With what was found about the parts.
    pub(super) fn with(
        mut self,
        checks: BTreeMap<&'static str, Check>,
        faulty: Vec<&'static str>,
    ) -> HealthReport {
        if !faulty.is_empty() && self.status == Status::Healthy {
            self.status = Status::Degraded;
        }
        HealthReport { checks, faulty, ..self }
    }

    /// The parts that are bad and weigh, in words.
    pub fn faulty(&self) -> String {
        if self.faulty.is_empty() { "none".to_owned() } else { self.faulty.join(", ") }
    }

    /// Whether people can be served: `false` is a 503.
    pub fn serves(&self) -> bool {
        self.status != Status::Unhealthy
    }
}

/// Whether a balancer should send requests here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// It should.
    Ready,
    /// It should not: a 503.
    NotReady,
}

/// What `/ready` answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ReadyReport {
    /// Whether requests are welcome.
    pub status: Ready,
    /// The database.
    pub database: State,
    /// The version of the server.
    pub version: &'static str,
    /// Migrations are running.
    pub migrating: bool,
    /// The server is stopping.
    pub draining: bool,
}
