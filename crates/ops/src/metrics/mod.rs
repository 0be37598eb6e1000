//! The numbers of the running server in the text form of Prometheus. It owns their names, descriptions and
//! buckets, the bound on their labels, and the numbers of the process itself. Rooms count with the macros of the
//! crate `metrics`; who may read them is decided in `web`.

mod bounded;
mod process;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kernel::Ambient;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use bounded::Bounded;
use process::Process;

/// Histograms collect samples until somebody sums them up; so often that happens when nobody reads the metrics.
const UPKEEP: Duration = Duration::from_secs(5);

/// Durations of requests, in seconds: from a fast read to an answer of a model.
const REQUEST_SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// Durations inside the server, in seconds: statements and searches.
const INNER_SECONDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Numbers of things done together.
const NUMBERS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0];

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    Counter,
    Gauge,
    Histogram(&'static [f64]),
}

/// Every metric with what it means. Labels never hold paths, ids or addresses.
const TABLE: &[(&str, Sort, &str)] = &[
    ("stoa_http_requests_total", Sort::Counter, "Requests by method, route template and status"),
    (
        "stoa_http_request_duration_seconds",
        Sort::Histogram(REQUEST_SECONDS),
        "Time from the head of a request to the end of its answer",
    ),
    (
        "stoa_db_query_duration_seconds",
        Sort::Histogram(INNER_SECONDS),
        "Time of database operations by operation",
    ),
    ("stoa_db_batch_orders", Sort::Histogram(NUMBERS), "Writes that were committed together"),
    ("stoa_db_pool_connections", Sort::Gauge, "Connections of the database pool by state"),
    ("stoa_cache_requests_total", Sort::Counter, "Look-ups in caches by result"),
    ("stoa_active_sessions", Sort::Gauge, "Sessions that are signed in"),
    ("stoa_reviews_open", Sort::Gauge, "What waits for somebody to look at it"),
    ("stoa_reviews_total", Sort::Counter, "What was put before people, by source"),
    ("stoa_rate_limit_exceeded_total", Sort::Counter, "Requests refused by a limit, by scope"),
    (
        "stoa_rate_limit_fallback_total",
        Sort::Counter,
        "Times that Redis was lost and limits went on in memory",
    ),
    ("stoa_rate_limit_evicted_total", Sort::Counter, "Counters of limits that were given up for new ones"),
    ("stoa_auth_failures_total", Sort::Counter, "Credentials refused, by reason"),
    ("stoa_alerts_total", Sort::Counter, "Alerts raised by this process, by kind"),
    ("stoa_log_events_total", Sort::Counter, "Log lines by level"),
    ("stoa_log_dropped_total", Sort::Counter, "Log lines that a sink did not take, by sink"),
    (
        "stoa_telemetry_dropped_total",
        Sort::Counter,
        "Spans, log lines and reports that no sink took, by sink",
    ),
    (
        "stoa_model_request_duration_seconds",
        Sort::Histogram(REQUEST_SECONDS),
        "Time of requests to model providers, by provider",
    ),
    ("stoa_model_tokens_total", Sort::Counter, "Tokens sent to and received from models, by direction"),
    ("stoa_search_duration_seconds", Sort::Histogram(INNER_SECONDS), "Time of searches in knowledge"),
    ("stoa_retention_removed_total", Sort::Counter, "Rows that retention removed, by kind"),
    ("stoa_backup_age_seconds", Sort::Gauge, "Time since the newest good backup"),
    (
        "stoa_metrics_series_refused_total",
        Sort::Counter,
        "Series that were not kept because a metric had too many",
    ),
    ("stoa_uptime_seconds", Sort::Gauge, "Time since the start of the server"),
    ("process_resident_memory_bytes", Sort::Gauge, "Resident memory"),
    ("process_open_fds", Sort::Gauge, "Open file descriptors"),
    ("process_cpu_seconds_total", Sort::Gauge, "Processor time used by all threads"),
    ("process_start_time_seconds", Sort::Gauge, "Start of the server in seconds since the Unix epoch"),
];

/// The metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Arc<Process>,
}

impl Metrics {
    /// All metrics now, in the Prometheus text format. Reads `/proc`; a few milliseconds at the most.
    pub fn render(&self) -> String {
        self.process.measure();
        self.handle.render()
    }

    /// Sums up the histograms now and then, so that they stay small while nobody reads them.
    pub(crate) fn keep_up(&self) -> io::Result<()> {
        let handle = self.handle.clone();
        thread::Builder::new().name("stoa-metrics".to_owned()).spawn(move || {
            loop {
                thread::sleep(UPKEEP);
                handle.run_upkeep();
            }
        })?;
        Ok(())
    }
}

/// Installs the recorder for this process. `None` when there is one already.
pub(crate) fn install(clock: &Ambient) -> Option<Metrics> {
    let (recorder, handle) = recorder();
    metrics::set_global_recorder(recorder).ok()?;
    describe();
    Some(Metrics { handle, process: Arc::new(Process::new(clock.clone())) })
}

/// Metrics that are installed nowhere.
#[cfg(test)]
pub(crate) fn alone(clock: Ambient) -> Metrics {
    let (recorder, handle) = recorder();
    ::metrics::with_local_recorder(&recorder, || ::metrics::gauge!("stoa_active_sessions").set(1.0));
    Metrics { handle, process: Arc::new(Process::new(clock)) }
}

fn recorder() -> (Bounded<PrometheusRecorder>, PrometheusHandle) {
    let mut builder = PrometheusBuilder::new();
    for (name, sort, _) in TABLE {
        if let Sort::Histogram(bounds) = sort {
            // Fails for an empty list alone, and a test sees that none is.
            builder = match builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), bounds) {
                Ok(builder) => builder,
                Err(_) => PrometheusBuilder::new(),
            };
        }
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    (Bounded::new(recorder), handle)
}

fn describe() {
    for (name, sort, help) in TABLE {
        match sort {
            Sort::Counter => metrics::describe_counter!(*name, *help),
            Sort::Gauge => metrics::describe_gauge!(*name, *help),
            Sort::Histogram(_) => metrics::describe_histogram!(*name, *help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a rendering that begin with `name`.
    fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
        text.lines().filter(|line| line.starts_with(name)).collect()
    }

    #[test]
    fn what_is_counted_is_rendered_exactly() {
        let (recorder, handle) = recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for _ in 0..3 {
                metrics::counter!("stoa_auth_failures_total", "reason" => "unknown").increment(1);
            }
            metrics::gauge!("stoa_active_sessions").set(2.0);
            for seconds in [0.0003, 0.004, 70.0] {
                metrics::histogram!("stoa_http_request_duration_seconds").record(seconds);
                metrics::histogram!("stoa_search_duration_seconds").record(seconds);
            }
        });
        let text = handle.render();
        assert_eq!(
            lines(&text, "stoa_auth_failures_total"),
            ["stoa_auth_failures_total{reason=\"unknown\"} 3"]
        );
        assert_eq!(lines(&text, "stoa_active_sessions"), ["stoa_active_sessions 2"]);
        assert_eq!(
            lines(&text, "stoa_http_request_duration_seconds_count"),
            ["stoa_http_request_duration_seconds_count 3"]
        );
        assert!(text.contains("stoa_http_request_duration_seconds_bucket{le=\"0.005\"} 2"));
        assert!(text.contains("stoa_search_duration_seconds_bucket{le=\"0.0005\"} 1"));
        assert!(text.contains("# HELP stoa_auth_failures_total Credentials refused, by reason"));
        assert!(text.contains("# TYPE stoa_http_request_duration_seconds histogram"));
        assert!(!text.contains("quantile"), "every histogram has buckets");
    }

    #[test]
    fn the_table_names_each_metric_once_and_in_order() {
        for (n, (name, sort, help)) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(n + 1).all(|(other, ..)| other != name), "{name} twice");
            assert!(!help.is_empty() && !help.ends_with('.'), "{name}");
            if let Sort::Histogram(bounds) = sort {
                assert!(name.ends_with("_seconds") || *bounds == NUMBERS, "{name}");
                assert!(!bounds.is_empty() && bounds.is_sorted(), "{name}");
            }
            if *sort == Sort::Counter {
                assert!(name.ends_with("_total"), "{name}");
            }
        }
    }
}
