//! Takes events and spans from `tracing` (and from the `log` crate, which older dependencies use) and hands them
//! to the queue. It owns which of them are of interest. It never masks and never writes.

use std::cell::RefCell;
use std::sync::Arc;

use kernel::Ambient;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::config::Level;
use super::pipeline::Intake;
use super::plain::Plain;
use crate::shipping::trace::Tracer;

/// The rooms of this house; everything else is a dependency and is heard from `WARNING` on unless the level is
/// `DEBUG`. A test compares it with the workspace.
pub(super) const ROOMS: &[&str] = &[
    "kernel",
    "crypto",
    "store",
    "guard",
    "llm",
    "knowledge",
    "tutor",
    "identity",
    "files",
    "ops",
    "apps",
    "web",
    "verify",
    "server",
    "stoa",
];

/// How many bytes the fields of an event may take, and with those of its spans.
const MAX_EVENT: usize = 20 * 1024;
const MAX_WITH_SPANS: usize = 24 * 1024;

/// How many bytes the fields of one span may take.
const MAX_SPAN: usize = 2 * 1024;

thread_local! {
    /// One buffer a thread, so that a line allocates nothing.
    static BUFFER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The fields of a span, gathered when it was made.
struct SpanRows(String);

/// The layer that feeds the log.
pub(super) struct Feed {
    level: Level,
    clock: Ambient,
    intake: Arc<Intake>,
    /// Makes spans of what is traced, which is no part of the log.
    tracer: Option<Tracer>,
}

impl Feed {
    /// Feeds `intake` with everything from `level` on.
    pub(super) fn new(level: Level, clock: Ambient, intake: Arc<Intake>, tracer: Option<Tracer>) -> Feed {
        Feed { level, clock, intake, tracer }
    }

    /// The queue that it feeds.
    #[cfg(test)]
    pub(super) fn intake(&self) -> &Intake {
        &self.intake
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        if *metadata.level() == tracing::Level::TRACE {
            return false;
        }
        if Tracer::wants(metadata) {
            return self.tracer.is_some();
        }
        let room = metadata.target().split("::").next().unwrap_or("");
        let least = match self.level {
            Level::Debug | Level::Warning | Level::Error => self.level,
            Level::Info if ROOMS.contains(&room) => Level::Info,
            Level::Info => Level::Warning,
        };
        // Spans carry the request id into the lines of errors: they are of interest at every level.
        metadata.is_span() && ROOMS.contains(&room) || Level::of(*metadata.level()) >= least
    }
}

impl Drop for Feed {
    /// The writer ends with the one that feeds it.
    fn drop(&mut self) {
        self.intake.close();
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Feed {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match metadata.target() {
            // All records of the `log` crate share five call sites: they are judged one by one.
            "log" => Interest::sometimes(),
            _ if self.wants(metadata) => Interest::always(),
            _ => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        use tracing::level_filters::LevelFilter;
        // Spans are made at INFO and are wanted even where only errors are written.
        Some(if self.level == Level::Debug { LevelFilter::DEBUG } else { LevelFilter::INFO })
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if Tracer::wants(attributes.metadata()) {
            if let Some(tracer) = &self.tracer {
                tracer.begin(&span, attributes);
            }
            return;
        }
        let mut rows = String::new();
        attributes.record(&mut Plain::new(&mut rows, MAX_SPAN));
        span.extensions_mut().insert(SpanRows(rows));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if Tracer::wants(span.metadata()) {
            if let Some(tracer) = &self.tracer {
                tracer.record(&span, values);
            }
            return;
        }
        let mut extensions = span.extensions_mut();
        if let Some(SpanRows(rows)) = extensions.get_mut::<SpanRows>() {
            // The newest value of a field goes first: of two rows of one name the first counts.
            let mut newest = String::new();
            values.record(&mut Plain::new(&mut newest, MAX_SPAN));
            newest.push_str(rows);
            newest.truncate(
                newest.get(..MAX_SPAN).map_or(newest.len(), |text| text.rfind('\n').map_or(0, |at| at + 1)),
            );
            *rows = newest;
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let (Some(tracer), Some(span)) = (&self.tracer, context.span(&id))
            && Tracer::wants(span.metadata())
        {
            tracer.end(&span);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let bridged = event.normalized_metadata();
        let metadata = bridged.as_ref().unwrap_or_else(|| event.metadata());
        let level = Level::of(*metadata.level());
        let gather = |rows: &mut String| {
            rows.clear();
            event.record(&mut Plain::new(rows, MAX_EVENT));
            for span in context.event_scope(event).into_iter().flatten() {
                if let Some(SpanRows(more)) = span.extensions().get::<SpanRows>()
                    && rows.len() + more.len() <= MAX_WITH_SPANS
                {
                    rows.push_str(more);
                }
            }
            self.intake.push(level, self.clock.now(), metadata.target(), rows);
        };
        BUFFER.with(|buffer| match buffer.try_borrow_mut() {
            Ok(mut rows) => gather(&mut rows),
            // A `Display` that itself logs, or a panic inside of one.
            Err(_) => gather(&mut String::new()),
        });
    }
}
