//! A panic becomes one `ERROR` line like any other, masked and bounded. It owns the panic hook.

use std::any::Any;
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::pipeline::Intake;

/// How long a panicking thread waits for its line to be written: the process may end right after it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The name of the writing thread, which must not wait for itself.
pub(super) const WRITER_THREAD: &str = "stoa-log";

/// Replaces the hook that prints to standard error.
pub(super) fn install(intake: Arc<Intake>) {
    panic::set_hook(Box::new(move |info| report(info, &intake)));
}

fn report(info: &PanicHookInfo<'_>, intake: &Intake) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("unnamed");
    let what = message(info.payload());
    match info.location() {
        Some(at) => tracing::error!(
            target: "stoa::panic",
            event_type = "exception",
            thread = name,
            location = %format_args!("{}:{}", at.file(), at.line()),
            "panicked: {what}"
        ),
        None => {
            tracing::error!(target: "stoa::panic", event_type = "exception", thread = name, "panicked: {what}")
        }
    }
    if name != WRITER_THREAD {
        intake.flush(PATIENCE);
    }
}

fn message(payload: &dyn Any) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}
