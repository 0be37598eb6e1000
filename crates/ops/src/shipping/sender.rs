//! The carrying: batches over HTTP, with growing pauses while a sink is away. It owns the tries and the clock of each
//! sink. While one batch waits for its sink, what comes after waits in the bounded queue.

use std::time::Duration;

use bytes::Bytes;
use guard::outbound::{Bounds, Client, Request};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::queue::Queue;
use super::sentry::Reporter;
use super::{Config, Otlp, Shipping, otlp};
use crate::metrics::Metrics;

/// How long spans and lines are gathered.
const GATHER: Duration = Duration::from_secs(1);

/// Spans or lines in one batch.
const BATCH: usize = 512;

/// Pauses after a try that failed; after the last one the batch is given up.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30)];

/// What waits when the server stops gets this long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The longest pause that a sink may ask for.
const LONGEST: Duration = Duration::from_secs(300);

/// A sink takes a batch within this time, or does not take it.
const BOUNDS: Bounds = Bounds {
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(15),
    bytes: 64 << 10,
};

/// One sink.
#[derive(Clone)]
struct Sink {
    client: Client,
    name: &'static str,
    url: Url,
    headers: HeaderMap,
    stop: CancellationToken,
}

/// What became of a try.
enum Outcome {
    Taken,
    /// Trying again is of no use.
    Refused(String),
    Away(String, Option<Duration>),
}

impl Sink {
    async fn attempt(&self, body: Bytes) -> Outcome {
        let request = Request::new(Method::POST, self.url.clone(), self.headers.clone(), body);
        match self.client.send(request.within(BOUNDS)).await {
            Err(failure) => Outcome::Away(failure.to_string(), None),
            Ok(answer) if answer.status.is_success() => {
                // Read to its end, so that the connection is used again.
                let _ = answer.body.collect().await;
                Outcome::Taken
            }
            Ok(answer) => {
                let say = format!("it answers {}", answer.status.as_u16());
                let again = answer.status.is_server_error()
                    || matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
                let wait =
                    answer.headers.get(header::RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
                if again { Outcome::Away(say, wait.map(Duration::from_secs)) } else { Outcome::Refused(say) }
            }
        }
    }

    /// Carries a batch. `false`: it was given up.
    async fn carry(&self, body: Bytes, down: &mut bool) -> bool {
        let mut pauses = PAUSES.iter();
        loop {
            let (say, wait) = match self.attempt(body.clone()).await {
                Outcome::Taken => {
                    if std::mem::take(down) {
                        tracing::info!(sink = self.name, "the telemetry sink takes what it is sent again");
                    }
                    return true;
                }
                Outcome::Refused(say) => (say, None),
                Outcome::Away(say, wait) => {
                    (say, pauses.next().map(|pause| wait.unwrap_or(*pause).min(LONGEST)))
                }
            };
            if !std::mem::replace(down, true) {
                tracing::warn!(
                    sink = self.name,
                    cause = say,
                    "a telemetry sink does not take what it is sent"
                );
            }
            let Some(pause) = wait.filter(|_| !self.stop.is_cancelled()) else { return false };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }
}

/// Carries what waits in a queue until the server stops; then what is left, once.
async fn drain<T>(sink: Sink, held: Held<T>, batch: usize, encode: impl Fn(&[T]) -> Bytes) {
    let mut down = false;
    let mut stopping = false;
    while !stopping {
        stopping = tokio::select! {
            () = tokio::time::sleep(GATHER) => false,
            () = held.queue().pressing() => false,
            () = sink.stop.cancelled() => true,
        };
        let empty = async {
            loop {
                let items = held.queue().take(batch);
                if items.is_empty() {
                    return;
                }
                let count = items.len() as u64;
                if !sink.carry(encode(&items), &mut down).await {
                    held.queue().lost(count);
                }
            }
        };
        if stopping {
            // The server does not wait for a sink that hangs.
            let _ = tokio::time::timeout(LAST_WORDS, empty).await;
        } else {
            empty.await;
        }
    }
}

/// A queue inside of the shipping that owns it.
struct Held<T> {
    shipping: Shipping,
    find: fn(&Shipping) -> &Queue<T>,
}

impl<T> Held<T> {
    fn queue(&self) -> &Queue<T> {
        (self.find)(&self.shipping)
    }
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn otlp_headers(otlp: &Otlp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &otlp.headers {
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name.as_str()), sensitive(value.expose())) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    headers
}

/// Starts one task for each sink.
pub(super) fn start(
    shipping: &Shipping,
    client: &Client,
    replica: &str,
    metrics: &Metrics,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let config = &shipping.0.config;
    let sink = |name, url, headers| Sink { client: client.clone(), name, url, headers, stop: stop.clone() };
    if let Some(otlp) = &config.otlp {
        let headers = otlp_headers(otlp);
        if otlp.traces {
            let sink = sink("otlp_traces", otlp.address("traces"), headers.clone());
            let held = Held { shipping: shipping.clone(), find: |shipping| &shipping.0.spans };
            let (config, replica) = (config.clone(), replica.to_owned());
            tasks.spawn(drain(sink, held, BATCH, move |spans| otlp::traces(&config, &replica, spans).into()));
        }
        if otlp.logs {
            let sink = sink("otlp_logs", otlp.address("logs"), headers.clone());
            let held = Held { shipping: shipping.clone(), find: |shipping| &shipping.0.lines };
            let (config, replica) = (config.clone(), replica.to_owned());
            tasks.spawn(drain(sink, held, BATCH, move |lines| otlp::logs(&config, &replica, lines).into()));
        }
        if otlp.metrics {
            let sink = sink("otlp_metrics", otlp.address("metrics"), headers);
            tasks.spawn(measure(sink, shipping.clone(), metrics.clone(), replica.to_owned(), otlp.every));
        }
    }
    if let Some(dsn) = &config.sentry {
        let headers = sentry_headers(config, dsn.key.expose());
        let sink = sink("sentry", dsn.envelope.clone(), headers);
        let held = Held { shipping: shipping.clone(), find: |shipping| &shipping.0.errors };
        let own = shipping.clone();
        // An envelope holds one event.
        tasks.spawn(drain(sink.clone(), held, 1, move |lines| {
            let made = lines.first().and_then(|line| own.reporter().event(line));
            made.map(|envelope| envelope.0.into()).unwrap_or_default()
        }));
        let held = Held { shipping: shipping.clone(), find: |shipping| &shipping.0.wholes };
        let own = shipping.clone();
        tasks.spawn(drain(sink, held, 1, move |wholes| {
            let made = wholes.first().map(|whole| own.reporter().transaction(whole));
            made.map(|envelope| envelope.0.into()).unwrap_or_default()
        }));
    }
}

fn sentry_headers(config: &Config, key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let who = format!("Sentry sentry_version=7, sentry_client=stoa/{}, sentry_key={key}", config.version);
    if let Some(value) = sensitive(&who) {
        headers.insert(HeaderName::from_static("x-sentry-auth"), value);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-sentry-envelope"));
    headers
}

/// Sends all metrics again and again. One round that does not arrive is no loss: counters are sums.
async fn measure(sink: Sink, shipping: Shipping, metrics: Metrics, replica: String, every: Duration) {
    let mut down = false;
    loop {
        let stopping = tokio::select! {
            () = tokio::time::sleep(every) => false,
            () = sink.stop.cancelled() => true,
        };
        let super::Inner { config, ambient, began, .. } = &*shipping.0;
        let body = otlp::metrics(config, &replica, &metrics.render(), *began, ambient.now());
        let carried = async { sink.carry(body.into(), &mut down).await };
        let most = if stopping { LAST_WORDS } else { Duration::MAX };
        if !tokio::time::timeout(most, carried).await.unwrap_or(false) {
            ::metrics::counter!("stoa_telemetry_dropped_total", "sink" => "otlp_metrics").increment(1);
        }
        if stopping {
            return;
        }
    }
}

impl Shipping {
    pub(super) fn reporter(&self) -> Reporter<'_> {
        Reporter { config: &self.0.config, mask: self.0.mask, ambient: &self.0.ambient }
    }
}
