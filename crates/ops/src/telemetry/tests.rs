//! The whole way of a line, from the event to the bytes that leave.

use std::borrow::Cow;
use std::sync::mpsc;
use std::time::Instant;

use kernel::{Clock, Random, Time};
use parking_lot::Mutex;
use serde_json::Value;
use tracing::{debug, error, info, info_span, trace, warn};

use super::*;

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

pub(crate) fn ambient() -> Ambient {
    Ambient::new(Arc::new(Still), Arc::new(Still))
}

/// A console that keeps what it gets.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Masks everything that holds `canary`, up to white space.
fn no_canaries(text: &str) -> Cow<'_, str> {
    if !text.contains("canary") {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || c == '=' || c == '"') {
        if piece.contains("canary") {
            out.push_str("[SECRET]");
            out.extend(piece.chars().last().filter(|c| c.is_whitespace() || *c == '=' || *c == '"'));
        } else {
            out.push_str(piece);
        }
    }
    Cow::Owned(out)
}

fn config(level: Level, format: Format) -> Config {
    Config { level, format, mask: true, file: None, shipping: None }
}

struct Run {
    text: String,
    intake: Arc<Intake>,
    recent: Arc<Recent>,
}

impl Run {
    fn lines(&self) -> Vec<Value> {
        self.text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

/// What is written while `work` runs.
fn run(config: Config, work: impl FnOnce()) -> Run {
    let console = Kept::default();
    let (subscriber, intake, recent) =
        assemble(config, ambient(), no_canaries, Box::new(console.clone()), false, None).unwrap();
    tracing::subscriber::with_default(subscriber, work);
    assert!(intake.flush(Duration::from_secs(10)));
    let text = String::from_utf8(console.0.lock().clone()).unwrap();
    Run { text, intake, recent }
}

/// Runs `work` with everything that is shipped; returns when all lines are written.
pub(crate) fn shipped(clock: Ambient, mask: Mask, shipping: Option<Shipping>, work: impl FnOnce()) {
    let config = config(Level::Info, Format::Json);
    let (subscriber, intake, _) =
        assemble(config, clock, mask, Box::new(io::sink()), false, shipping).unwrap();
    tracing::subscriber::with_default(subscriber, work);
    assert!(intake.flush(Duration::from_secs(10)));
}

#[test]
fn each_level_writes_exactly_its_lines() {
    let work = || {
        error!(target: "web::api", "e");
        warn!(target: "web::api", "w");
        info!(target: "apps", "i");
        debug!(target: "store", "d");
        trace!(target: "store", "t");
        warn!(target: "sqlx::query", "dependency w");
        info!(target: "hyper", "dependency i");
        info!(target: "website", "no room of ours");
    };
    for (level, expected) in [
        (Level::Debug, &["e", "w", "i", "d", "dependency w", "dependency i", "no room of ours"] as &[_]),
        (Level::Info, &["e", "w", "i", "dependency w"]),
        (Level::Warning, &["e", "w", "dependency w"]),
        (Level::Error, &["e"]),
    ] {
        let run = run(config(level, Format::Json), work);
        let lines = run.lines();
        let messages: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(messages, expected, "{level:?}");
        for line in &lines {
            let words = ["DEBUG", "INFO", "WARNING", "ERROR"];
            assert!(words.contains(&line["level"].as_str().unwrap()));
            assert_eq!(line["@timestamp"], "2026-11-21T01:02:03.000000Z");
        }
        let counted: u64 = Level::ALL.iter().map(|level| run.intake.count(*level)).sum();
        assert_eq!(counted, expected.len() as u64);
        assert_eq!(
            run.recent.newest_first().len(),
            messages.iter().filter(|m| m.ends_with(['e', 'w'])).count()
        );
    }
}

#[test]
fn the_request_id_of_a_span_stands_in_every_line_below_it() {
    let run = run(config(Level::Warning, Format::Json), || {
        let outer = info_span!(target: "web", "request", request_id = "r-1", route = "/a", status = tracing::field::Empty);
        let _outer = outer.enter();
        let _inner = info_span!(target: "store", "statement", route = "inner").entered();
        outer.record("status", 200);
        outer.record("route", "/b");
        warn!(target: "store", operation = "read", "slow");
    });
    let line = &run.lines()[0];
    assert_eq!((&line["request_id"], &line["status"]), (&"r-1".into(), &200.into()));
    assert_eq!(line["route"], "inner", "the nearest span counts");
    assert_eq!(line["operation"], "read");
}

#[derive(Debug)]
struct Deep(String, Option<Box<Deep>>);

impl fmt::Display for Deep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Deep {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|deep| deep as &dyn Error)
    }
}

#[test]
fn sixty_canaries_in_every_kind_of_field_never_leave() {
    for format in [Format::Json, Format::Text] {
        let run = run(config(Level::Debug, format), || {
            for n in 0..10 {
                let canary = format!("ca-canary-{n}");
                let chain = Deep("outer".into(), Some(Box::new(Deep(canary.clone(), None))));
                let _span = info_span!(target: "web", "request", who = %canary).entered();
                info!(target: "web", field = canary.as_str(), "as a field");
                info!(target: "web", shown = %canary, debugged = ?Deep(canary.clone(), None), "as a value");
                error!(target: "web", error = &chain as &dyn Error, "as a cause");
                warn!(target: "web", "in {canary} the message,\n{canary}\nover lines");
                info!(target: "hyper", header = ?("authorization", &canary), "from a dependency");
                let padding = "y ".repeat(8 * 1024 - 12 + n);
                info!(target: "web", "{padding}{canary} behind a long text");
            }
        });
        assert_eq!(run.text.lines().count(), 60);
        assert!(!run.text.contains("canary"), "{}", run.text);
        assert!(run.text.matches("[SECRET]").count() >= 100);
        assert!(run.recent.newest_first().iter().all(|line| !line.line.contains("canary")));
        if format == Format::Json {
            assert!(run.lines().iter().any(|line| line["error"] == "outer: [SECRET]"));
        }
    }
}

#[test]
fn the_unmasked_log_is_the_operators_choice() {
    let plain = Config { mask: false, ..config(Level::Info, Format::Json) };
    assert!(run(plain, || info!(target: "web", "a canary")).text.contains("canary"));
}

#[test]
fn a_value_that_logs_while_it_is_shown_harms_nobody() {
    struct Noisy;
    impl fmt::Display for Noisy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!(target: "web", "inside");
            f.write_str("noisy")
        }
    }
    let run = run(config(Level::Info, Format::Json), || info!(target: "web", value = %Noisy, "outside"));
    assert!(run.lines().iter().any(|line| line["value"] == "noisy"));
}

#[test]
fn many_threads_lose_no_line_and_the_file_has_what_the_console_has() {
    let folder = tempfile::tempdir().unwrap();
    let plan = LogFile { path: folder.path().join("stoa.log"), max_bytes: 1024 * 1024, keep: 40 };
    let run = run(Config { file: Some(plan), ..config(Level::Info, Format::Json) }, || {
        // Within what the queue can hold: how long it waits when it is full is another test's business.
        let rest = |subscriber: &tracing::Dispatch| {
            let feed = subscriber.downcast_ref::<Feed>().unwrap();
            assert!(feed.intake().flush(Duration::from_secs(30)));
        };
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        thread::scope(|scope| {
            for thread in 0..4 {
                let dispatch = dispatch.clone();
                scope.spawn(move || {
                    let _guard = tracing::dispatcher::set_default(&dispatch);
                    for n in 0..8_000 {
                        if n % 1_000 == 0 {
                            rest(&dispatch);
                        }
                        info!(target: "web", thread, n, "a line of the size that is usual, {}", "x".repeat(200));
                    }
                });
            }
        });
    });
    assert!(run.text.len() > 10 * 1024 * 1024);
    assert_eq!((run.text.lines().count(), run.intake.lost()), (32_000, 0));
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|path| {
        std::cmp::Reverse(path.extension().and_then(|n| n.to_str()?.parse().ok()).unwrap_or(0))
    });
    let filed: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(files.len() > 10 && filed == run.text);
}

/// A console that does not move until it is told to.
struct Stuck(mpsc::Receiver<()>, Kept);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_console_that_stands_still_stops_nobody_and_the_loss_is_told() {
    let (go, wait) = mpsc::channel();
    let kept = Kept::default();
    let (subscriber, intake, _) = assemble(
        config(Level::Info, Format::Json),
        ambient(),
        no_canaries,
        Box::new(Stuck(wait, kept.clone())),
        false,
        None,
    )
    .unwrap();
    let _guard = tracing::subscriber::set_default(subscriber);
    let begin = Instant::now();
    for n in 0..50_000 {
        info!(target: "web", n, "{}", "x".repeat(300));
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(!intake.flush(Duration::from_millis(10)));
    let lost = intake.lost();
    assert!(lost > 0);
    drop(go);
    assert!(intake.flush(Duration::from_secs(10)));
    error!(target: "web", "the last");
    assert!(intake.flush(Duration::from_secs(10)));
    let text = String::from_utf8(kept.0.lock().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: u64 = lines.iter().filter_map(|line| line["dropped"].as_u64()).sum();
    assert_eq!((told, lines.iter().filter(|line| line["n"].is_u64()).count() as u64), (lost, 50_000 - lost));
    assert_eq!(lines.last().unwrap()["message"], "the last");
}

#[test]
fn a_mask_that_panics_costs_the_line_and_not_the_log() {
    fn breaks(text: &str) -> Cow<'_, str> {
        assert!(!text.contains("bad"));
        Cow::Borrowed(text)
    }
    let kept = Kept::default();
    let (subscriber, intake, _) =
        assemble(config(Level::Info, Format::Json), ambient(), breaks, Box::new(kept.clone()), false, None)
            .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!(target: "web", "bad");
        info!(target: "web", "good");
    });
    assert!(intake.flush(Duration::from_secs(10)));
    let text = String::from_utf8(kept.0.lock().clone()).unwrap();
    assert!(text.contains("could not be masked") && text.contains("good") && !text.contains("bad"), "{text}");
}

#[test]
fn a_log_file_that_cannot_be_written_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = Some(LogFile { path: folder.path().to_owned(), max_bytes: 1, keep: 1 });
    let error = assemble(
        Config { file, ..config(Level::Info, Format::Json) },
        ambient(),
        no_canaries,
        Box::new(io::sink()),
        false,
        None,
    )
    .err()
    .unwrap();
    assert!(error.to_string().starts_with("LOG_TO_FILE: "), "{error}");
}

#[test]
fn the_rooms_are_those_of_the_workspace() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")).unwrap();
    let rooms: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"crates/")?.strip_suffix("\","))
        .collect();
    assert!(rooms.len() > 5 && rooms.iter().all(|room| layer::ROOMS.contains(room)), "{rooms:?}");
}

/// What a line costs the thread that logs it, and the writer. `cargo test -p ops --release -- --ignored --nocapture cost`
#[test]
#[ignore = "a measurement"]
fn cost_of_a_line() {
    const LINES: u32 = 20_000;
    let (subscriber, intake, _) = assemble(
        config(Level::Info, Format::Json),
        ambient(),
        no_canaries,
        Box::new(io::sink()),
        false,
        None,
    )
    .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let _span = info_span!(target: "web", "request", request_id = "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d")
            .entered();
        for round in 0..5 {
            let begin = Instant::now();
            for n in 0..LINES {
                info!(target: "web::api", method = "POST", route = "/api/v1/chat", status = 200, ms = 1.25, n, "answered");
            }
            let logged = begin.elapsed();
            assert!(intake.flush(Duration::from_secs(10)));
            println!(
                "round {round}: {:?} a line to log, {:?} until it is written",
                logged / LINES,
                begin.elapsed() / LINES
            );
        }
    });
    assert_eq!(intake.lost(), 0);
}
