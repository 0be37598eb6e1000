//! The global start, in a process of its own: panics, records of the `log` crate, metrics, the second start.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, Clock, Random, Time};
use ops::telemetry::{self, Config, Format, Level, LogFile, StartError};
use serde_json::Value;

struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_seconds(1_795_222_923)
    }
}

impl Random for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn mask(text: &str) -> Cow<'_, str> {
    text.replace("ca-canary", "[SECRET]").into()
}

#[test]
fn one_process_one_log() {
    let read = |path: &Path| -> Vec<Value> {
        std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoa.log");
    let file = Some(LogFile { path: path.clone(), max_bytes: 1024 * 1024, keep: 3 });
    let config = Config { level: Level::Info, format: Format::Json, mask: true, file, shipping: None };
    let ambient = Ambient::new(Arc::new(Still), Arc::new(Still));
    let telemetry = telemetry::start(config.clone(), ambient.clone(), mask).unwrap();

    let panicked = std::thread::Builder::new().name("victim".into()).spawn(|| {
        let _span = tracing::info_span!(target: "web", "request", request_id = "r-9").entered();
        panic!("ca-canary broke\nin two");
    });
    assert!(panicked.unwrap().join().is_err());
    // The line of a panic is there before the thread has ended: nothing is flushed here.
    let lines = read(&path);
    let line = lines.last().unwrap();
    assert_eq!((&line["level"], &line["thread"]), (&"ERROR".into(), &"victim".into()));
    assert_eq!(
        (&line["message"], &line["request_id"]),
        (&"panicked: [SECRET] broke\nin two".into(), &"r-9".into())
    );
    assert!(line["location"].as_str().unwrap().contains("start.rs:"));

    log::warn!(target: "rustls::conn", "a dependency says ca-canary");
    log::info!(target: "rustls::conn", "too quiet");
    assert!(telemetry.flush(Duration::from_secs(5)));
    let lines = read(&path);
    assert_eq!(lines.len(), 2);
    let line = lines.last().unwrap();
    assert_eq!(
        (&line["target"], &line["message"]),
        (&"rustls::conn".into(), &"a dependency says [SECRET]".into())
    );
    assert!(line.as_object().unwrap().keys().all(|name| !name.starts_with("log.")), "{line}");

    assert_eq!(
        (telemetry.count(Level::Error), telemetry.count(Level::Warning), telemetry.dropped()),
        (1, 1, 0)
    );
    assert_eq!(telemetry.recent().first().unwrap().level, "WARNING");
    let metrics = telemetry.metrics().render();
    for expected in [
        "stoa_log_events_total{level=\"ERROR\"} 1",
        "stoa_log_events_total{level=\"INFO\"} 0",
        "process_start_time_seconds 1795222923",
        "# HELP stoa_log_events_total Log lines by level",
    ] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
    assert!(metrics.contains("process_resident_memory_bytes ") || !cfg!(target_os = "linux"));

    assert!(matches!(telemetry::start(config, ambient, mask), Err(StartError::Twice)));
}
