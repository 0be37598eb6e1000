//! The numbers of the process itself, read from `/proc` when somebody asks. Where there is no `/proc` they are
//! missing, not wrong.

use std::fs;

use kernel::{Ambient, Time};

/// Measures the process.
pub(super) struct Process {
    clock: Ambient,
    start: Time,
}

impl Process {
    /// The process as it starts now.
    pub(super) fn new(clock: Ambient) -> Process {
        let start = clock.now();
        Process { clock, start }
    }

    /// Sets the gauges.
    pub(super) fn measure(&self) {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
        metrics::gauge!("process_start_time_seconds").set(self.start.seconds() as f64);
        metrics::gauge!("stoa_uptime_seconds").set(self.clock.now().since(self.start).as_secs_f64());
        if let Some(bytes) = resident_bytes() {
            metrics::gauge!("process_resident_memory_bytes").set(bytes);
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // The folder that is being read is open too.
            metrics::gauge!("process_open_fds")
                .set(f64::from(u32::try_from(open.count()).unwrap_or(u32::MAX)) - 1.0);
        }
        if let Some(seconds) = processor_seconds() {
            metrics::gauge!("process_cpu_seconds_total").set(seconds);
        }
    }
}

/// `VmRSS` of proc(5), which is in units of 1024 bytes whatever the page size.
fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kib| kib * 1024.0)
}

/// The first field of `/proc/self/schedstat` of each thread would need a walk; `utime` and `stime` of proc(5) are
/// for the whole process, in ticks of which Linux shows 100 a second on every platform.
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold spaces and parentheses: the fields begin after the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user = fields.next()?.parse::<f64>().ok()?;
    let system = fields.next()?.parse::<f64>().ok()?;
    Some((user + system) / 100.0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_measured() {
        assert!(resident_bytes().unwrap() > 100_000.0);
        assert!(processor_seconds().unwrap() >= 0.0);
    }
}
