//! The operator's commands: each parses nothing and decides nothing twice; it calls the rooms and prints.

mod archive;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod block;
pub(crate) mod brake;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod declutter;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod grant;
pub(crate) mod hold;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod knock;
pub(crate) mod maintain;
pub(crate) mod migrate;
pub(crate) mod paper;
mod probe;
pub(crate) mod problem;
mod prompt;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod secret;
pub(crate) mod serve;
pub(crate) mod user;
pub(crate) mod version;
pub(crate) mod x509;

/// What a look at the certificate of a public URL finds, for the health of the running server.
pub(crate) async fn probe_certificate(url: &url::Url, now: kernel::Time) -> ops::health::Found {
    use ops::health::Found;
    let probe = probe::certificate(url, now).await;
    match probe.mark {
        paper::Mark::Good => Found::good(probe.say),
        paper::Mark::Attention => Found::degraded(probe.say),
        paper::Mark::Bad => Found::down(probe.say),
        paper::Mark::Nothing => Found::nothing(),
    }
}
