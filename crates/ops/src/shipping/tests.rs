//! Sinks of this machine take what is shipped, or do not, and nobody waits for them.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use guard::outbound::install_crypto_provider;
use kernel::{Clock, Random};
use tracing::{error, info, info_span};
use url::Url;

use super::*;
use crate::telemetry::tests::{ambient, shipped};

#[path = "../../tests/watching/receivers.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests, some of which want more of it")]
mod receivers;
use receivers::Hook;

/// Repeatable dice.
struct Dice(AtomicU64);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut x = self.0.load(Ordering::Relaxed);
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            self.0.store(x, Ordering::Relaxed);
            *byte = (x >> 32) as u8;
        }
    }
}

struct Still;
impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_seconds(1_795_222_923)
    }
}

fn dice() -> Ambient {
    Ambient::new(Arc::new(Still), Arc::new(Dice(AtomicU64::new(88_172_645_463_325_252))))
}

fn mask(text: &str) -> Cow<'_, str> {
    if text.contains("canary") { Cow::Owned(text.replace("canary", "[MASKED]")) } else { Cow::Borrowed(text) }
}

fn config(at: &str, sample: f64) -> Config {
    let otlp = Otlp {
        endpoint: Url::parse(at).unwrap(),
        headers: vec![("api-key".to_owned(), "nr-license".to_owned().into())],
        traces: true,
        metrics: true,
        logs: true,
        every: Duration::from_millis(200),
    };
    let dsn = at.replace("http://", "http://public@") + "/7";
    Config {
        otlp: Some(otlp),
        sentry: Dsn::parse(&dsn),
        sample,
        propagate: true,
        service: "stoa".to_owned(),
        environment: "staging",
        version: "1.2.3",
    }
}

fn shipping(at: &str, sample: f64) -> Shipping {
    Shipping::new(config(at, sample), mask, dice()).unwrap()
}

/// A request as the front makes it.
fn request(status: u16, traceparent: Option<&str>, trusted: bool, inside: impl FnOnce()) {
    let span = info_span!(target: "web::front", "request", request_id = "r-1");
    let _log = span.enter();
    let trace = info_span!(target: "trace", "request",
        http.request.method = "GET", http.route = "/api/v1/me", http.response.status_code = tracing::field::Empty,
        stoa.request_id = "r-1", traceparent, trusted, email = "canary@example.com");
    let _trace = trace.enter();
    inside();
    trace.record("http.response.status_code", status);
}

#[test]
fn a_kept_trace_has_its_parts_and_nothing_else() {
    let shipping = shipping("http://127.0.0.1:1", 1.0);
    shipped(dice(), mask, Some(shipping.clone()), || {
        request(503, Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), false, || {
            let _permission = info_span!(target: "trace", "permission").entered();
            let store =
                info_span!(target: "trace", "store", db.operation.name = "user.read", name = "canary");
            let traceparent = store.in_scope(crate::telemetry::traceparent).unwrap();
            assert!(
                traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-")
                    && traceparent.ends_with("-01")
            );
        });
        // What belongs to no request is no trace.
        drop(info_span!(target: "trace", "store", db.operation.name = "job"));
    });
    let spans = shipping.0.spans.take(99);
    let names: Vec<String> = spans.iter().map(Ended::name).collect();
    assert_eq!(names, ["user.read", "permission", "GET /api/v1/me"]);
    assert!(spans.iter().all(|span| trace::hex(&span.trace) == "0af7651916cd43dd8448eb211c80319c"));
    assert_eq!((spans[0].parent, spans[1].parent), (Some(spans[1].id), Some(spans[2].id)));
    assert_eq!(spans[2].parent.map(|id| trace::hex(&id)).as_deref(), Some("b7ad6b7169203331"));
    assert!(spans[2].failed && !spans[1].failed);
    let said = format!("{spans:?}");
    assert!(!said.contains("canary") && !said.contains("email"), "{said}");
    let whole = shipping.0.wholes.take(9);
    assert_eq!((whole.len(), whole[0].children.len()), (1, 2));
}

#[test]
fn one_trace_in_ten_is_kept_whatever_callers_say() {
    let shipping = shipping("http://127.0.0.1:1", 0.1);
    shipped(dice(), mask, Some(shipping.clone()), || {
        for _ in 0..1_000 {
            request(200, Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), false, || {});
        }
    });
    let kept = shipping.0.spans.take(2_000).len();
    assert!((60..150).contains(&kept), "{kept}");
    shipped(dice(), mask, Some(shipping.clone()), || {
        for flags in ["00", "01", "01"] {
            request(
                200,
                Some(&format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}")),
                true,
                || {},
            );
        }
    });
    assert_eq!(shipping.0.spans.take(2_000).len(), 2, "a trusted proxy decides");
}

#[test]
fn a_report_holds_what_the_list_allows() {
    let shipping = shipping("http://127.0.0.1:1", 0.1);
    let event = |json: &str| {
        let line = Line { at: Time::from_seconds(1), level: Level::Error, json: json.to_owned() };
        String::from_utf8(shipping.reporter().event(&line).unwrap().0).unwrap()
    };
    let text = event(
        r#"{"target":"web::front","message":"request failed","route":"/api/v1/me","status":500,"method":"GET","cookie":"stoa_session=hunter2","authorization":"Bearer hunter2","cause":"for ada@example.com","code":"internal"}"#,
    );
    let lines: Vec<&str> = text.lines().collect();
    let event_of = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    assert_eq!(event_of(lines[1])["length"], lines[2].len());
    let shown = event_of(lines[2]);
    assert_eq!((&shown["environment"], &shown["release"]), (&"staging".into(), &"stoa@1.2.3".into()));
    assert_eq!((&shown["tags"]["route"], &shown["tags"]["status"]), (&"/api/v1/me".into(), &"500".into()));
    for hidden in ["hunter2", "ada@", "cookie", "authorization", "Bearer"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    let panic = event(
        r#"{"target":"stoa::panic","message":"panicked: inside 'é' of `my diary`","location":"a.rs:7","thread":"canary"}"#,
    );
    assert!(
        panic.contains("panicked at a.rs:7") && !panic.contains("diary") && !panic.contains("canary"),
        "{panic}"
    );
    let other = event(r#"{"target":"hyper::proto","message":"bad header x: secret"}"#);
    assert!(other.contains("an error in hyper::proto") && !other.contains("secret"), "{other}");
}

/// The fields of a message, as far as the wire tells: number, bytes of a text or message.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            number |= u64::from(first & 0x7f) << shift;
            shift += 7;
            if first & 0x80 == 0 {
                return number;
            }
        }
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let value = match key & 7 {
            0 => varint(&mut bytes).to_le_bytes().to_vec(),
            1 => bytes.split_off(..8).unwrap().to_vec(),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                bytes.split_off(..length).unwrap().to_vec()
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, value));
    }
    found
}

fn inside(bytes: &[u8], path: &[u64]) -> Vec<u8> {
    path.iter().fold(bytes.to_vec(), |bytes, wanted| {
        fields(&bytes).into_iter().find(|(field, _)| field == wanted).unwrap_or_else(|| panic!("{path:?}")).1
    })
}

#[test]
fn messages_have_the_numbers_of_the_protocol() {
    let config = config("http://127.0.0.1:1", 1.0);
    let span = Ended {
        trace: [1; 16],
        id: [2; 8],
        parent: Some([3; 8]),
        sort: "store",
        began: Time::from_seconds(5),
        took: Duration::from_millis(2),
        attributes: vec![("db.operation.name", trace::Value::Text("user.read".into()))],
        failed: true,
    };
    let bytes = otlp::traces(&config, "r:1", &[span]);
    assert_eq!(inside(&bytes, &[1, 1, 1, 1]), b"service.name");
    assert_eq!(inside(&bytes, &[1, 2, 1, 1]), b"stoa");
    let span = inside(&bytes, &[1, 2, 2]);
    assert_eq!(
        (inside(&span, &[1]), inside(&span, &[2]), inside(&span, &[4])),
        (vec![1; 16], vec![2; 8], vec![3; 8])
    );
    assert_eq!(
        (inside(&span, &[5]), inside(&span, &[9, 2, 1])),
        (b"user.read".to_vec(), b"user.read".to_vec())
    );
    assert_eq!(inside(&span, &[7]), 5_000_000_000_u64.to_le_bytes());
    assert_eq!(inside(&span, &[8]), 5_002_000_000_u64.to_le_bytes());
    assert_eq!(inside(&span, &[15, 3]), 2_u64.to_le_bytes());

    let line = Line {
        at: Time::from_seconds(5),
        level: Level::Warning,
        json: r#"{"@timestamp":"x","level":"WARNING","target":"web","message":"slow","status":200}"#.into(),
    };
    let record = inside(&otlp::logs(&config, "r:1", &[line]), &[1, 2, 2]);
    assert_eq!(
        (inside(&record, &[2]), inside(&record, &[3])),
        (13_u64.to_le_bytes().to_vec(), b"WARNING".to_vec())
    );
    assert_eq!((inside(&record, &[5, 1]), inside(&record, &[6, 1])), (b"slow".to_vec(), b"target".to_vec()));

    let text = "# TYPE h_seconds histogram\nh_seconds_bucket{a=\"b\",le=\"1\"} 5\nh_seconds_bucket{a=\"b\",le=\"+Inf\"} 6\nh_seconds_sum{a=\"b\"} 7.5\nh_seconds_count{a=\"b\"} 6\n";
    let metric = inside(&otlp::metrics(&config, "r:1", text, Time::EPOCH, Time::from_seconds(9)), &[1, 2, 2]);
    assert_eq!((inside(&metric, &[1]), inside(&metric, &[3])), (b"h_seconds".to_vec(), b"s".to_vec()));
    let point = inside(&metric, &[9, 1]);
    assert_eq!(
        (inside(&point, &[4]), inside(&point, &[7])),
        (6_u64.to_le_bytes().to_vec(), 1_f64.to_le_bytes().to_vec())
    );
    assert_eq!(inside(&point, &[6]), [5_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat());
    assert_eq!(
        (inside(&metric, &[9, 2]), inside(&point, &[9, 1])),
        (2_u64.to_le_bytes().to_vec(), b"a".to_vec())
    );
}

fn metrics_of_this_test() -> Metrics {
    crate::metrics::alone(ambient())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_at_its_sink() {
    install_crypto_provider();
    let hook = Hook::start().await;
    let at = format!("http://{}", hook.address);
    let shipping = shipping(&at, 1.0);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let outbound = Outbound::new(Duration::from_secs(5)).unwrap();
    shipping.start(&outbound, "r:1", &metrics_of_this_test(), &tasks, &stop);
    shipped(dice(), mask, Some(shipping.clone()), || {
        request(500, None, false, || info!(target: "apps", "a canary sings"));
        error!(target: "store::watch", operation = "user.read", "database error");
    });
    let arrived =
        |path: &str| hook.taken().into_iter().find(|(head, _)| head.starts_with(&format!("POST {path} ")));
    let paths = ["/v1/traces", "/v1/logs", "/v1/metrics", "/api/7/envelope/"];
    let began = Instant::now();
    while !paths.iter().all(|path| arrived(path).is_some()) {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", hook.taken());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for path in &paths[..3] {
        let (head, _) = arrived(path).unwrap();
        assert!(head.contains("api-key: nr-license") && head.contains("application/x-protobuf"), "{head}");
    }
    assert!(arrived("/v1/traces").unwrap().1.contains("GET /api/v1/me"));
    let logs = arrived("/v1/logs").unwrap().1;
    assert!(logs.contains("a [MASKED] sings") && !logs.contains("canary"), "{logs}");
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    let reports: Vec<String> = hook
        .taken()
        .into_iter()
        .filter(|(head, _)| head.contains("/envelope/"))
        .map(|(_, body)| body)
        .collect();
    assert!(reports.iter().any(|body| body.contains("\"transaction\"") && body.contains("internal_error")));
    assert!(reports.iter().any(|body| body.contains("database error") && body.contains("user.read")));
    assert_eq!(shipping.dropped(), 0);
}

/// 001.16: the sink is away; what is logged costs nobody time, what finds no room is counted, and the end is not late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_is_away_costs_nobody_anything() {
    install_crypto_provider();
    // Takes connections and never answers.
    let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shipping = shipping(&format!("http://{}", hole.local_addr().unwrap()), 1.0);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let outbound = Outbound::new(Duration::from_secs(5)).unwrap();
    shipping.start(&outbound, "r:1", &metrics_of_this_test(), &tasks, &stop);
    let line = "x".repeat(100);
    let began = Instant::now();
    for _ in 0..3 * LINES {
        shipping.line(Time::EPOCH, Level::Info, "web", &line);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits");
    assert!(shipping.dropped() >= LINES as u64, "{}", shipping.dropped());
    assert!(shipping.0.lines.take(usize::MAX).len() <= LINES);
    stop.cancel();
    tasks.close();
    let ended = tokio::time::timeout(Duration::from_secs(20), tasks.wait()).await;
    assert!(ended.is_ok(), "the end does not wait for a sink");
}
