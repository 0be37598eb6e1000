//! The rows of telemetry that leaves the server: metrics, traces, log lines, errors.

use kernel::Secret;
use url::Url;

use super::{Default, Room, always, follows, settings};
use crate::settings::form;

/// Monitoring.
pub(crate) static MONITORING: Room = Room {
    title: "Monitoring",
    about: "Metrics for Prometheus, and the sinks to which telemetry is sent. A sink that is away costs its own telemetry, counted in `stoa_telemetry_dropped_total`, and never a request. What is sent holds no content and no personal data.",
    settings: MONITORING_ROWS,
};

settings! { @fields MONITORING_ROWS;
    /// `/metrics` answers to this bearer token; without one it is 404.
    METRICS_TOKEN: Secret<String> = form::secret(), "monitoring.metrics_token", ["METRICS_TOKEN"], Default::None, secret, live;
    /// Errors, panics and kept traces are reported to this project of Sentry: `https://KEY@HOST/PROJECT`.
    SENTRY_DSN: Secret<String> = form::secret(), "monitoring.sentry_dsn", ["SENTRY_DSN"], Default::None, secret;
    /// Traces, metrics and log lines go to this OTLP collector, by `http/protobuf` to `v1/traces`, `v1/metrics` and `v1/logs`
    /// below it. Production wants HTTPS, except on this machine.
    OTLP: Url = form::url(), "monitoring.otlp_endpoint", ["OTEL_EXPORTER_OTLP_ENDPOINT"], follows("that of New Relic when its key is set");
    /// Sent to the collector with everything: `name=value`, separated by commas.
    OTLP_HEADERS: Secret<String> = form::secret(), "monitoring.otlp_headers", ["OTEL_EXPORTER_OTLP_HEADERS"], Default::None, secret;
    /// The key of New Relic, sent to its OTLP endpoint in `api-key`; to `OTEL_EXPORTER_OTLP_ENDPOINT` when that is set.
    NEW_RELIC: Secret<String> = form::secret(), "monitoring.new_relic_license_key", ["NEW_RELIC_LICENSE_KEY"], Default::None, secret;
    /// Whether traces go to the collector.
    OTLP_TRACES: String = form::exporter(), "monitoring.otlp_traces", ["OTEL_TRACES_EXPORTER"], always("otlp");
    /// Whether metrics go to the collector.
    OTLP_METRICS: String = form::exporter(), "monitoring.otlp_metrics", ["OTEL_METRICS_EXPORTER"], always("otlp");
    /// Whether log lines go to the collector.
    OTLP_LOGS: String = form::exporter(), "monitoring.otlp_logs", ["OTEL_LOGS_EXPORTER"], always("otlp");
    /// How many milliseconds pass between two times that metrics go to the collector.
    OTLP_EVERY: u64 = form::whole::<100, 3_600_000>(), "monitoring.otlp_metrics_ms", ["OTEL_METRIC_EXPORT_INTERVAL"], always("60000");
    /// What this server is called in telemetry.
    SERVICE: String = form::text("a name"), "monitoring.service_name", ["OTEL_SERVICE_NAME"], always("stoa");
    /// The share of the traces that is kept, from 0 to 1.
    SAMPLE: f32 = form::decimal::<1>(), "monitoring.trace_share", ["OTEL_TRACES_SAMPLER_ARG", "SENTRY_TRACES_SAMPLE_RATE"], always("0.1");
    /// Requests to model providers carry the id of their trace in `traceparent`.
    PROPAGATE: bool = form::flag(), "monitoring.trace_providers", ["TRACE_PROVIDERS"], always("false");
}
