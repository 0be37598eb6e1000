//! What is looked at on the running server, part by part, every half minute: the database in both directions, its clock,
//! Redis, the model provider (its list of models, which costs no token), the knowledge, the file store, the disk, the
//! certificate, the outbox, the backups. Nothing is copied from a setting. Each look is bounded in time by its room.

use std::time::Duration;

use apps::{Library, LibraryState};
use files::blob::Blobs;
use guard::limits::Limiter;
use kernel::Ambient;
use llm::Models;
use ops::health::{Found, Part, Probe};
use ops::monitor::Overdue;
use store::Store;
use url::Url;

use crate::commands::paper::Mark;
use crate::commands::probe::certificate;
use crate::measures::counts;

/// A clock that differs by more than this breaks the order of events; by more than the second, tokens and limits.
const SKEW: Duration = Duration::from_secs(2);
const SKEW_DOWN: Duration = Duration::from_secs(30);

/// A write that takes longer than this is slow.
const SLOW_WRITE: Duration = Duration::from_secs(1);

/// What waits longer than this in the outbox is late; longer than the second, it does not leave at all.
const LATE: Duration = Duration::from_secs(900);
const STUCK: Duration = Duration::from_secs(86_400);

/// Certificates change slowly.
const CERTIFICATE: Duration = Duration::from_secs(600);

/// What is looked at.
pub(crate) struct Looked {
    pub(crate) store: Store,
    pub(crate) limiter: Limiter,
    pub(crate) models: Models,
    pub(crate) library: Library,
    pub(crate) blobs: Blobs,
    pub(crate) public_url: Option<Url>,
    pub(crate) data_dir: std::path::PathBuf,
    pub(crate) disk_percent: u64,
    pub(crate) overdue: Option<Overdue>,
    pub(crate) ambient: Ambient,
    pub(crate) every: Duration,
}

fn millis(took: Duration) -> String {
    format!("in {:.1} ms", took.as_secs_f64() * 1_000.0)
}

/// Every part.
pub(crate) fn parts(looked: Looked) -> Vec<Part> {
    let Looked {
        store,
        limiter,
        models,
        library,
        blobs,
        public_url,
        data_dir,
        disk_percent,
        overdue,
        ambient,
        every,
    } = looked;
    let part = |name, ask| Part { name, ask, every, later: false, weighs: true, tells: false };
    let told = |name, ask| Part { weighs: false, tells: true, ..part(name, ask) };
    let reading = store.clone();
    let writing = store.clone();
    let clock = (store.clone(), ambient.clone());
    let outbox = (store, ambient.clone());
    vec![
        part(
            "database_read",
            look(reading, |store| async move {
                match store.ping().await {
                    Ok(took) => Found::good(millis(took)),
                    Err(_) => Found::down("it does not answer"),
                }
            }),
        ),
        part(
            "database_write",
            look(writing, |store| async move {
                match store.ping_write().await {
                    Ok(took) if took > SLOW_WRITE => {
                        Found::degraded(format!("a small write takes {} ms", took.as_millis()))
                    }
                    Ok(took) => Found::good(millis(took)),
                    Err(fault) => Found::down(format!("nothing can be written ({})", fault.code().as_str())),
                }
            }),
        ),
        part(
            "clock",
            look(clock, |(store, ambient)| async move {
                let before = ambient.now();
                match store.server_clock().await {
                    Ok(None) => Found::nothing(),
                    // A database that is away is told by its own part.
                    Err(_) => Found::nothing(),
                    Ok(Some(there)) => {
                        let (ours, slack) = (ambient.now(), ambient.now().since(before));
                        let skew = there.since(ours).max(ours.since(there)).saturating_sub(slack);
                        let say = format!("{:.3} s apart from the database", skew.as_secs_f64());
                        if skew > SKEW_DOWN {
                            Found::down(say)
                        } else if skew > SKEW {
                            Found::degraded(say)
                        } else {
                            Found::good(say)
                        }
                    }
                }
            }),
        ),
        part(
            "cache",
            look(limiter, |limiter| async move {
                match limiter.backend() {
                    "redis" => match counts(&limiter).await && limiter.backend() == "redis" {
                        true => Found::good("counts the limits"),
                        false => Found::degraded("it does not answer: each replica counts its share"),
                    },
                    "fallback" => Found::degraded("it does not answer: each replica counts its share"),
                    _ => Found::nothing(),
                }
            }),
        ),
        part(
            "knowledge",
            look(library, |library| async move {
                match library.state() {
                    LibraryState::Operational => Found::good("follows the documents"),
                    LibraryState::Degraded => {
                        Found::degraded("searches by words alone, or lags behind the documents")
                    }
                    LibraryState::Down => Found::down("cannot be searched"),
                }
            }),
        ),
        Part {
            later: true,
            ..told(
                "model",
                look(models, |models| async move {
                    if !models.configured() {
                        return Found::nothing();
                    }
                    let report = models.probe().await;
                    let bad: Vec<String> = report
                        .providers
                        .iter()
                        .filter(|provider| !provider.ok)
                        .map(|provider| format!("{}: {}", provider.name, provider.say))
                        .collect();
                    match bad.len() {
                        0 => Found::good("every provider answers"),
                        count if count == report.providers.len() => Found::down(bad.join("; ")),
                        _ => Found::degraded(bad.join("; ")),
                    }
                }),
            )
        },
        part(
            "files",
            look(blobs, |blobs| async move {
                match blobs.probe().await {
                    Ok(took) => Found::good(millis(took)),
                    Err(fault) => Found::down(format!(
                        "bytes cannot be written, read and removed ({})",
                        fault.code().as_str()
                    )),
                }
            }),
        ),
        Part {
            tells: false,
            ..told(
                "disk",
                look((data_dir, disk_percent), |(folder, percent)| async move {
                    if percent == 0 {
                        return Found::nothing();
                    }
                    let asked = tokio::task::spawn_blocking(move || ops::monitor::free(&folder)).await;
                    let Ok(Some((free, all))) = asked else { return Found::nothing() };
                    let say = format!("{} MiB of {} MiB are free", free >> 20, all >> 20);
                    if free < 64 << 20 {
                        Found::down(say)
                    } else if free < 1 << 30 || u128::from(free) * 100 < u128::from(all) * u128::from(percent)
                    {
                        Found::degraded(say)
                    } else {
                        Found::good(say)
                    }
                }),
            )
        },
        Part {
            every: CERTIFICATE,
            later: true,
            ..told(
                "certificate",
                look((public_url, ambient), |(url, ambient)| async move {
                    match url {
                        Some(url) => judged(certificate(&url, ambient.now()).await),
                        None => Found::nothing(),
                    }
                }),
            )
        },
        told(
            "outbox",
            look(outbox, |(store, ambient)| async move {
                match store.outbox_backlog().await {
                    Err(_) => Found::nothing(),
                    Ok(backlog) => {
                        let waits = backlog.oldest.map_or(Duration::ZERO, |at| ambient.now().since(at));
                        let say = format!("{} wait, the oldest for {} s", backlog.count, waits.as_secs());
                        match () {
                            () if waits > STUCK => Found::down(say),
                            () if waits > LATE => Found::degraded(say),
                            () => Found::good(say),
                        }
                    }
                }
            }),
        ),
        Part {
            tells: false,
            ..told(
                "backup",
                look(overdue, |overdue| async move {
                    match overdue.map(|overdue| overdue()) {
                        None => Found::nothing(),
                        Some(None) => Found::good("the newest is not older than its schedule"),
                        Some(Some(age)) => {
                            Found::degraded(format!("the newest is {} hours old", age.as_secs() / 3_600))
                        }
                    }
                }),
            )
        },
    ]
}

/// A look at something that is cloned for each.
fn look<T, F, Fut>(what: T, ask: F) -> Probe<Found>
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Found> + Send + 'static,
{
    Probe::new(move || ask(what.clone()))
}

/// What `doctor` finds of a certificate, as health says it.
fn judged(probe: crate::commands::probe::Probe) -> Found {
    match probe.mark {
        Mark::Good => Found::good(probe.say),
        Mark::Attention => Found::degraded(probe.say),
        Mark::Bad => Found::down(probe.say),
        Mark::Nothing => Found::nothing(),
    }
}
