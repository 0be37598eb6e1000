//! The rows of what deployments already set and the server does not use yet: each is read and checked, so that
//! existing environments start, and its sentence says so.

use kernel::Secret;
use url::Url;

use super::{Default, Room, settings};
use crate::settings::form;

/// Monitoring.
pub(crate) static MONITORING: Room = Room {
    title: "Monitoring",
    about: "Metrics for Prometheus. The other sinks are read and checked, and not used yet.",
    settings: MONITORING_ROWS,
};

settings! { @fields MONITORING_ROWS;
    /// `/metrics` answers to this bearer token; without one it is 404.
    METRICS_TOKEN: Secret<String> = form::secret(), "monitoring.metrics_token", ["METRICS_TOKEN"], Default::None, secret, live;
    /// Where errors are reported. Not used yet.
    SENTRY_DSN: Secret<String> = form::secret(), "monitoring.sentry_dsn", ["SENTRY_DSN"], Default::None, secret;
    /// Where traces go. Not used yet.
    OTLP: Url = form::url(), "monitoring.otlp_endpoint", ["OTEL_EXPORTER_OTLP_ENDPOINT"], Default::None;
    /// The key of New Relic's OTLP endpoint. Not used yet.
    NEW_RELIC: Secret<String> = form::secret(), "monitoring.new_relic_license_key", ["NEW_RELIC_LICENSE_KEY"], Default::None, secret;
}
