//! The messages of OTLP (opentelemetry-proto 1.x) for traces, metrics and logs. It owns their field numbers.
//! Metrics are read from our own Prometheus text, which has every number and its bounds already.

use std::collections::BTreeMap;

use kernel::Time;
use serde_json::Value as Json;

use super::proto::Message;
use super::trace::{Ended, Value};
use super::{Config, Line};
use crate::telemetry::Level;

/// The attributes of everything: who tells.
fn resource(config: &Config, replica: &str, message: &mut Message) {
    message.message(1, |resource| {
        for (name, text) in [
            ("service.name", config.service.as_str()),
            ("service.version", config.version),
            ("service.instance.id", replica),
            ("deployment.environment.name", config.environment),
        ] {
            attribute(resource, 1, name, &Value::Text(text.to_owned()));
        }
    });
}

fn attribute(message: &mut Message, field: u64, name: &str, value: &Value) {
    message.message(field, |pair| {
        pair.text(1, name);
        pair.message(2, |any| match value {
            Value::Text(text) => any.text(1, text),
            // A negative whole number is written as its two's complement, which the cast is.
            Value::Whole(number) => any.chosen_varint(3, *number as u64),
        });
    });
}

fn scope(message: &mut Message, config: &Config) {
    message.message(1, |scope| {
        scope.text(1, "stoa");
        scope.text(2, config.version);
    });
}

fn nanos(time: Time) -> u64 {
    u64::try_from(time.micros()).unwrap_or(0).saturating_mul(1_000)
}

/// `ExportTraceServiceRequest`.
pub(super) fn traces(config: &Config, replica: &str, spans: &[Ended]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |group| {
        resource(config, replica, group);
        group.message(2, |scoped| {
            scope(scoped, config);
            for span in spans {
                scoped.message(2, |message| write_span(message, span));
            }
        });
    });
    request.finish()
}

fn write_span(message: &mut Message, span: &Ended) {
    message.bytes(1, &span.trace);
    message.bytes(2, &span.id);
    if let Some(parent) = &span.parent {
        message.bytes(4, parent);
    }
    message.text(5, &span.name());
    // Internal, server, client.
    message.varint(
        6,
        match span.sort {
            "request" => 2,
            "store" | "model" => 3,
            _ => 1,
        },
    );
    let took = u64::try_from(span.took.as_nanos()).unwrap_or(u64::MAX);
    message.fixed(7, nanos(span.began));
    message.fixed(8, nanos(span.began).saturating_add(took));
    for (name, value) in &span.attributes {
        attribute(message, 9, name, value);
    }
    if span.failed {
        message.message(15, |status| status.varint(3, 2));
    }
}

/// `ExportLogsServiceRequest`.
pub(super) fn logs(config: &Config, replica: &str, lines: &[Line]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |group| {
        resource(config, replica, group);
        group.message(2, |scoped| {
            scope(scoped, config);
            for line in lines {
                scoped.message(2, |message| write_line(message, line));
            }
        });
    });
    request.finish()
}

fn write_line(message: &mut Message, line: &Line) {
    message.fixed(1, nanos(line.at));
    message.varint(
        2,
        match line.level {
            Level::Debug => 5,
            Level::Info => 9,
            Level::Warning => 13,
            Level::Error => 17,
        },
    );
    message.text(3, line.level.as_str());
    let fields = match serde_json::from_str::<Json>(&line.json) {
        Ok(Json::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let body = fields.get("message").and_then(Json::as_str).unwrap_or_default();
    message.message(5, |any| any.text(1, body));
    for (name, value) in &fields {
        let value = match value {
            _ if matches!(name.as_str(), "message" | "@timestamp" | "level") => continue,
            Json::String(text) => Value::Text(text.clone()),
            Json::Number(number) if number.is_i64() => Value::Whole(number.as_i64().unwrap_or_default()),
            other => Value::Text(other.to_string()),
        };
        attribute(message, 6, name, &value);
    }
    message.fixed(11, nanos(line.at));
}

/// One series at one moment.
#[derive(Default)]
struct Point {
    labels: Vec<(String, String)>,
    value: f64,
    sum: f64,
    count: f64,
    /// Upper bounds with the number of samples at or below.
    buckets: Vec<(f64, f64)>,
}

/// A metric with its series.
#[derive(Default)]
struct Metric {
    help: String,
    sort: String,
    points: BTreeMap<String, Point>,
}

/// `ExportMetricsServiceRequest`, from the Prometheus text of this process.
pub(super) fn metrics(config: &Config, replica: &str, text: &str, start: Time, now: Time) -> Vec<u8> {
    let metrics = read(text);
    let mut request = Message::default();
    request.message(1, |group| {
        resource(config, replica, group);
        group.message(2, |scoped| {
            scope(scoped, config);
            for (name, metric) in &metrics {
                scoped.message(2, |message| {
                    message.text(1, name);
                    message.text(2, &metric.help);
                    if name.ends_with("_seconds") {
                        message.text(3, "s");
                    } else if name.ends_with("_bytes") {
                        message.text(3, "By");
                    }
                    write_metric(message, metric, start, now);
                });
            }
        });
    });
    request.finish()
}

fn write_metric(message: &mut Message, metric: &Metric, start: Time, now: Time) {
    let times = |point: &mut Message| {
        point.fixed(2, nanos(start));
        point.fixed(3, nanos(now));
    };
    let number = |message: &mut Message, point: &Point| {
        message.message(1, |out| {
            times(out);
            out.double(4, point.value);
            labels(out, 7, point);
        });
    };
    match metric.sort.as_str() {
        "histogram" => message.message(9, |histogram| {
            for point in metric.points.values() {
                histogram.message(1, |out| {
                    times(out);
                    out.fixed(4, point.count as u64);
                    out.double(5, point.sum);
                    out.packed(6, each(point).into_iter());
                    let bounds =
                        point.buckets.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite());
                    out.packed(7, bounds.map(f64::to_bits));
                    labels(out, 9, point);
                });
            }
            histogram.varint(2, 2);
        }),
        "counter" => message.message(7, |sum| {
            metric.points.values().for_each(|point| number(sum, point));
            sum.varint(2, 2);
            sum.varint(3, 1);
        }),
        _ => message.message(5, |gauge| metric.points.values().for_each(|point| number(gauge, point))),
    }
}

fn labels(message: &mut Message, field: u64, point: &Point) {
    for (name, value) in &point.labels {
        attribute(message, field, name, &Value::Text(value.clone()));
    }
}

/// The samples of each bucket alone: Prometheus counts all that are smaller too.
fn each(point: &Point) -> Vec<u64> {
    let mut before = 0.0;
    let mut counts: Vec<u64> = Vec::with_capacity(point.buckets.len() + 1);
    for (_, count) in point.buckets.iter().filter(|(bound, _)| bound.is_finite()) {
        counts.push((count - before).max(0.0) as u64);
        before = *count;
    }
    counts.push((point.count - before).max(0.0) as u64);
    counts
}

fn read(text: &str) -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            if let Some((name, help)) = rest.split_once(' ') {
                help.clone_into(&mut metrics.entry(name.to_owned()).or_default().help);
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            if let Some((name, sort)) = rest.split_once(' ') {
                sort.clone_into(&mut metrics.entry(name.to_owned()).or_default().sort);
            }
        } else {
            sample(line, &mut metrics);
        }
    }
    metrics.retain(|_, metric| !metric.points.is_empty());
    metrics
}

/// `name{label="value",…} number`
fn sample(line: &str, metrics: &mut BTreeMap<String, Metric>) -> Option<()> {
    let (series, number) = line.rsplit_once(' ')?;
    let number: f64 = number.parse().ok()?;
    let (name, inside) = match series.split_once('{') {
        Some((name, rest)) => (name, rest.strip_suffix('}')?),
        None => (series, ""),
    };
    let mut labels = pairs(inside);
    let part = ["_bucket", "_sum", "_count"].into_iter().find(|part| {
        let base = name.strip_suffix(part).and_then(|base| metrics.get(base));
        base.is_some_and(|metric| metric.sort == "histogram")
    });
    let base = part.and_then(|part| name.strip_suffix(part)).unwrap_or(name);
    let bound = labels.iter().position(|(name, _)| part == Some("_bucket") && name == "le");
    let bound = bound.map(|place| labels.remove(place).1);
    let key: String = labels.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect();
    let point = metrics.get_mut(base)?.points.entry(key).or_default();
    point.labels = labels;
    match part {
        Some("_bucket") => {
            let bound = bound.and_then(|text| text.parse().ok()).unwrap_or(f64::INFINITY);
            point.buckets.push((bound, number));
        }
        Some("_sum") => point.sum = number,
        Some(_) => point.count = number,
        None => point.value = number,
    }
    Some(())
}

/// The labels inside of the braces; quotes, backslashes and line breaks in values are escaped there.
fn pairs(inside: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = inside;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (mut value, mut escaped, mut end) = (String::new(), false, after.len());
        for (at, sign) in after.char_indices() {
            match sign {
                'n' if escaped => value.push('\n'),
                sign if escaped => value.push(sign),
                '\\' => {}
                '"' => {
                    end = at;
                    break;
                }
                sign => value.push(sign),
            }
            escaped = sign == '\\' && !escaped;
        }
        pairs.push((name.trim_start_matches(',').to_owned(), value));
        rest = after.get(end + 1..).unwrap_or("");
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_prometheus_is_read_whole() {
        let text = "# HELP a_total Things\n# TYPE a_total counter\na_total{x=\"1\",y=\"a\\\"b\\\\c\"} 3\na_total{x=\"2\"} 4\n\n\
            # TYPE g gauge\ng 2.5\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"0.1\"} 2\n\
            h_seconds_bucket{le=\"1\"} 5\nh_seconds_bucket{le=\"+Inf\"} 6\nh_seconds_sum 7.5\nh_seconds_count 6\n";
        let metrics = read(text);
        assert_eq!(metrics.keys().collect::<Vec<_>>(), ["a_total", "g", "h_seconds"]);
        let counter: Vec<_> =
            metrics["a_total"].points.values().map(|p| (p.labels.clone(), p.value)).collect();
        assert_eq!(counter[0].0, [("x".into(), "1".into()), ("y".into(), "a\"b\\c".into())]);
        assert_eq!((counter[0].1, counter[1].1, metrics["a_total"].help.as_str()), (3.0, 4.0, "Things"));
        let point = metrics["h_seconds"].points.values().next().unwrap();
        assert_eq!((each(point), point.count, point.sum), (vec![2, 3, 1], 6.0, 7.5));
    }
}
