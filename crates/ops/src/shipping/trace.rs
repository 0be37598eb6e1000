//! Spans: what a request did and how long each part took, for the traces that are kept. It owns the ids, the choice
//! which traces are kept, and the list of attributes that may leave. It never holds content, an address or an id of a
//! person.
//!
//! Rooms make spans of the target `trace`: `request`, and below it `permission`, `store` and `model`. Where nothing is
//! shipped nobody asks for this target, and such a span costs one comparison.

use std::time::{Duration, Instant};

use kernel::{Ambient, Time};
use tracing::Metadata;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Record};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::Shipping;

/// The target of spans that are traced.
pub(crate) const TARGET: &str = "trace";

/// The span that begins a trace; any other without one above it belongs to no request and is not kept.
const ROOT: &str = "request";

/// What may leave, by name.
const ALLOWED: [&str; 8] = [
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "stoa.request_id",
    "db.operation.name",
    "gen_ai.provider.name",
    "outcome",
    "scope",
];

/// Spans that one report of a request holds.
const MOST_CHILDREN: usize = 100;

/// The longest attribute.
const MOST_TEXT: usize = 200;

/// A value of an attribute.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
}

/// A span that has ended.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ended {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    /// `request`, `permission`, `store`, `model`.
    pub(super) sort: &'static str,
    pub(super) began: Time,
    pub(super) took: Duration,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) failed: bool,
}

impl Ended {
    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|(one, value)| match value {
            Value::Text(text) if *one == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// What people see in the list: bounded in number.
    pub(super) fn name(&self) -> String {
        match self.sort {
            ROOT => format!(
                "{} {}",
                self.text("http.request.method").unwrap_or("?"),
                self.text("http.route").unwrap_or("unmatched")
            ),
            "store" => self.text("db.operation.name").unwrap_or("store").to_owned(),
            "model" => format!("model {}", self.text("gen_ai.provider.name").unwrap_or("?")),
            other => other.to_owned(),
        }
    }
}

/// A whole trace as this process saw it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Whole {
    pub(super) root: Ended,
    pub(super) children: Vec<Ended>,
}

/// A span that goes on.
struct Open {
    ended: Ended,
    since: Instant,
    sampled: bool,
    /// Those that have ended below the root.
    children: Vec<Ended>,
}

/// Makes spans.
#[derive(Clone)]
pub(crate) struct Tracer {
    shipping: Shipping,
    clock: Ambient,
}

/// What the fields of a span say.
#[derive(Default)]
struct Said {
    attributes: Vec<(&'static str, Value)>,
    traceparent: Option<String>,
    trusted: bool,
}

impl Said {
    fn set(&mut self, name: &'static str, value: Value) {
        if ALLOWED.contains(&name) {
            self.attributes.push((name, value));
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "traceparent" {
            self.traceparent = Some(value.chars().take(64).collect());
        } else {
            self.set(field.name(), Value::Text(value.chars().take(MOST_TEXT).collect()));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::Whole(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::Whole(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "trusted" {
            self.trusted = value;
        }
    }
}

impl Tracer {
    /// Ships what it makes.
    pub(crate) fn new(shipping: Shipping, clock: Ambient) -> Tracer {
        Tracer { shipping, clock }
    }

    /// Whether a span is one of ours.
    pub(crate) fn wants(metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target() == TARGET
    }

    /// A span begins.
    pub(crate) fn begin<'a, R: LookupSpan<'a>>(&self, span: &SpanRef<'a, R>, attributes: &Attributes<'_>) {
        let above = span.scope().skip(1).find_map(|one| {
            let extensions = one.extensions();
            extensions.get::<Open>().map(|open| (open.ended.trace, open.ended.id, open.sampled))
        });
        let sort = span.metadata().name();
        let (trace, parent, sampled, said) = match above {
            // Nobody will ask for what lies below a trace that is not kept.
            Some((_, _, false)) => return,
            Some((trace, parent, true)) => {
                let mut said = Said::default();
                attributes.record(&mut said);
                (trace, Some(parent), true, said)
            }
            None if sort == ROOT => {
                let mut said = Said::default();
                attributes.record(&mut said);
                let own = self.clock.bytes::<16>();
                match said.traceparent.as_deref().and_then(parse) {
                    // Whoever may set our addresses may also say what is worth keeping.
                    Some((trace, parent, kept)) if said.trusted => (trace, Some(parent), kept, said),
                    Some((trace, parent, _)) => (trace, Some(parent), self.keeps(own), said),
                    None => (own, None, self.keeps(own), said),
                }
            }
            None => return,
        };
        let ended = Ended {
            trace,
            id: self.clock.bytes(),
            parent,
            sort,
            began: self.clock.now(),
            took: Duration::ZERO,
            attributes: said.attributes,
            failed: false,
        };
        let open = Open { ended, since: Instant::now(), sampled, children: Vec::new() };
        span.extensions_mut().insert(open);
    }

    /// A span learns more.
    pub(crate) fn record<'a, R: LookupSpan<'a>>(&self, span: &SpanRef<'a, R>, values: &Record<'_>) {
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            let mut said = Said::default();
            values.record(&mut said);
            open.ended.attributes.extend(said.attributes);
        }
    }

    /// A span ends.
    pub(crate) fn end<'a, R: LookupSpan<'a>>(&self, span: &SpanRef<'a, R>) {
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        if !open.sampled {
            return;
        }
        let mut ended = open.ended;
        ended.took = open.since.elapsed();
        ended.failed = ended.attributes.iter().any(|(name, value)| match value {
            Value::Whole(status) => *name == "http.response.status_code" && *status >= 500,
            Value::Text(outcome) => *name == "outcome" && outcome == "failed",
        });
        if ended.sort == ROOT && self.shipping.reports_traces() {
            self.shipping.report_trace(Whole { root: ended.clone(), children: open.children });
        } else if self.shipping.reports_traces() {
            for above in span.scope().skip(1) {
                if let Some(root) = above.extensions_mut().get_mut::<Open>()
                    && root.ended.sort == ROOT
                    && root.children.len() < MOST_CHILDREN
                {
                    root.children.push(ended.clone());
                }
            }
        }
        self.shipping.ship_span(ended);
    }

    /// One trace in so many, by its own dice: ids that callers choose decide nothing.
    fn keeps(&self, dice: [u8; 16]) -> bool {
        let [a, b, c, d, ..] = dice;
        let dice = f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
        dice < self.shipping.sample()
    }
}

/// The trace that the present task belongs to, in the form of W3C Trace Context.
pub(crate) fn present<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Option<String> {
    span.scope().find_map(|one| {
        let extensions = one.extensions();
        let open = extensions.get::<Open>()?;
        let kept = u8::from(open.sampled);
        Some(format!("00-{}-{}-{kept:02x}", hex(&open.ended.trace), hex(&open.ended.id)))
    })
}

/// The bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads `00-TRACE-PARENT-FLAGS`.
fn parse(text: &str) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let later = version != "00" && version.len() == 2 && version != "ff";
    if !(version == "00" && parts.next().is_none() || later) {
        return None;
    }
    let trace: [u8; 16] = unhex(trace)?;
    let parent: [u8; 8] = unhex(parent)?;
    let [flags] = unhex::<1>(flags)?;
    (trace != [0; 16] && parent != [0; 8]).then_some((trace, parent, flags & 1 == 1))
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N * 2 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read_as_the_recommendation_says() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let (trace, parent, kept) = parse(good).unwrap();
        assert_eq!(
            (hex(&trace), hex(&parent), kept),
            ("0af7651916cd43dd8448eb211c80319c".into(), "b7ad6b7169203331".into(), true)
        );
        assert!(!parse(&good.replace("-01", "-00")).unwrap().2);
        assert!(
            parse(&good.replacen("00-", "01-", 1)).is_some(),
            "a later version is read as far as it is known"
        );
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
