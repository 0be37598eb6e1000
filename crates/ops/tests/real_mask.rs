//! The log with the mask that the server uses: what must not leave does not, and what a log is for stays readable.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guard::content::Masker;
use kernel::{Ambient, Clock, Random, RequestId, Time};
use ops::telemetry::{self, Config, Format, Level, LogFile};
use serde_json::Value;

struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_micros(1_795_222_923_456_789)
    }
}

impl Random for Still {
    /// Other bytes at each call, the same in every run: the generator SplitMix64 of Steele, Lea and Flood.
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let state = SEED.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).to_be_bytes()[0];
        }
    }
}

static SEED: AtomicU64 = AtomicU64::new(1);

fn mask(text: &str) -> Cow<'_, str> {
    Masker::standard().mask(text)
}

#[test]
fn personal_data_does_not_leave_and_ids_and_numbers_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoa.log");
    let file = Some(LogFile { path: path.clone(), max_bytes: 64 * 1024 * 1024, keep: 2 });
    let config = Config { level: Level::Info, format: Format::Json, mask: true, file, shipping: None };
    let ambient = Ambient::new(Arc::new(Still), Arc::new(Still));
    let telemetry = telemetry::start(config, ambient.clone(), mask).unwrap();
    let read = |path: &Path| -> Vec<Value> {
        std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };

    let hidden = [
        "ann.canary@example.org",
        "4111 1111 1111 1111",
        "4111111111111111",
        "DE89 3704 0044 0532 0130 00",
        "+49 170 1234567",
        "203.0.113.77",
        "sk-proj-Zx81kQpLm4TvB7nWcR2yHd9sXe5uAf3J",
    ];
    for value in hidden {
        tracing::info!(target: "web", value, "as a field");
        tracing::info!(target: "web", "in the message: {value}");
        tracing::info!(target: "web", "over\n{value}\nlines, \"{value}\"");
        tracing::warn!(target: "web", error = ?std::io::Error::other(format!("refused: {value}")), "as a cause");
    }
    tracing::info!(target: "web", card = 4_111_111_111_111_111_u64, "as a number");
    tracing::info!(target: "web", password = "hunter2-is-mine", "beside its name");
    tracing::info!(target: "web", header = "Authorization: Bearer abcdefghijklmnopqrstuvwxyz012345", "a header");
    assert!(telemetry.flush(Duration::from_secs(5)));
    let text = std::fs::read_to_string(&path).unwrap();
    for value in hidden.into_iter().chain(["hunter2-is-mine", "abcdefghijklmnopqrstuvwxyz012345"]) {
        assert!(
            !text.contains(value),
            "{value}: {}",
            text.lines().find(|line| line.contains(value)).unwrap()
        );
    }
    let before = read(&path).len();
    assert_eq!(before, hidden.len() * 4 + 3);

    const ORDINARY: usize = 5_000;
    let mut ids = Vec::new();
    for n in 0..ORDINARY {
        let id = RequestId::new(&ambient).to_string();
        let _span = tracing::info_span!(target: "web", "request", request_id = %id).entered();
        tracing::info!(target: "web::front", method = "POST", route = "/api/v1/conversations/{id}", status = 200,
            ms = n as f64 * 0.25, bytes = n * 7919, "answered");
        ids.push(id);
        if n % 1_000 == 0 {
            assert!(telemetry.flush(Duration::from_secs(5)));
        }
    }
    assert!(telemetry.flush(Duration::from_secs(5)));
    let lines = read(&path);
    assert_eq!(lines.len() - before, ORDINARY);
    for (n, (line, id)) in lines.iter().skip(before).zip(&ids).enumerate() {
        assert_eq!(
            (&line["request_id"], &line["bytes"]),
            (&id.as_str().into(), &(n * 7919).into()),
            "{line}"
        );
        assert_eq!((&line["status"], &line["route"]), (&200.into(), &"/api/v1/conversations/{id}".into()));
        assert_eq!(
            (line["ms"].as_f64(), &line["@timestamp"]),
            (Some(n as f64 * 0.25), &"2026-11-21T01:02:03.456789Z".into())
        );
    }
}
