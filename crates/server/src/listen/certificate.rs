//! The certificate and key of files: read, checked against each other, watched, and shown anew when they change.
//! What is broken is never shown: the one in use stays, and somebody is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, Time};
use ops::alerts::{Finding, Kind};
use ops::monitor::Parts as Watched;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::tls::{Shown, Tls};
use crate::commands::x509;

/// A certificate with less left than this should have been renewed: authorities renew with 30 days left.
pub(crate) const MARGIN: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// With less left than this the health report is degraded.
const URGENT: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How often the files are looked at. They are small, and reading them is the only look that knows every way of
/// replacing a file.
const LOOK: Duration = Duration::from_secs(2);
/// Looks that find the same fault before somebody is told: a certificate and its key are two files, and a moment
/// between them is no fault.
const PATIENCE: u32 = 2;

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    /// The chain, the server's own certificate first.
    pub(crate) certificate: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

/// Reads and checks. The error is a sentence without a value.
pub(crate) fn load(files: &Files) -> Result<Shown, String> {
    let (chain, key) = read(files)?;
    shown(&chain, &key)
}

fn read(files: &Files) -> Result<(Vec<u8>, Vec<u8>), String> {
    let bytes = |path: &Path, what: &str| {
        std::fs::read(path)
            .map_err(|error| format!("the file of the {what} cannot be read ({})", error.kind()))
    };
    Ok((bytes(&files.certificate, "certificate")?, bytes(&files.key, "key")?))
}

/// A chain and a key in PEM, ready to be shown.
pub(super) fn shown(chain: &[u8], key: &[u8]) -> Result<Shown, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(|_| "the file of the certificate is not PEM".to_owned())?;
    let own = chain.first().ok_or("the file of the certificate holds no certificate")?;
    let ends = x509::read(own).ok_or("the file of the certificate holds no certificate")?.ends;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|_| "the file of the key holds no private key in PEM")?;
    let provider = rustls::crypto::ring::default_provider();
    let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => "the key does not belong to the certificate".to_owned(),
        other => format!("the certificate or the key cannot be used ({other})"),
    })?;
    Ok(Shown { key: Arc::new(key), ends })
}

/// Watches the files of a running server.
pub(crate) struct Keeper {
    files: Files,
    tls: Arc<Tls>,
    watched: Watched,
    ambient: Ambient,
    /// What the files held at the last look.
    seen: Option<(Vec<u8>, Vec<u8>)>,
    /// What was wrong with them, and at how many looks in a row.
    fault: Option<(String, u32)>,
    /// When an alert was raised last, while it is open.
    told: Option<Time>,
}

impl Keeper {
    pub(crate) fn new(files: Files, tls: Arc<Tls>, watched: Watched, ambient: Ambient) -> Keeper {
        Keeper { files, tls, watched, ambient, seen: None, fault: None, told: None }
    }

    /// Watches until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = hangup.recv() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            self.look().await;
            let fault =
                self.fault.as_ref().filter(|(_, looks)| *looks >= PATIENCE).map(|(why, _)| why.clone());
            let reason = fault.or_else(|| soon(self.tls.shown().map(|shown| shown.ends), self.ambient.now()));
            let ends = self.tls.shown().map(|shown| shown.ends);
            self.watched.health.set_worn(ends.is_none_or(|ends| ends < self.ambient.now() + URGENT));
            tell(&self.watched, reason, &mut self.told, &self.ambient).await;
        }
    }

    async fn look(&mut self) {
        let files = self.files.clone();
        let Ok(found) = tokio::task::spawn_blocking(move || read(&files)).await else { return };
        let judged = found.and_then(|found| {
            if self.fault.is_none() && self.seen.as_ref() == Some(&found) {
                return Ok(None);
            }
            let shown = shown(&found.0, &found.1);
            self.seen = Some(found);
            shown.map(Some)
        });
        match judged {
            Ok(None) => {}
            Ok(Some(shown)) => {
                self.fault = None;
                let before = self.tls.shown();
                if before.is_none_or(|before| before.key.cert != shown.key.cert) {
                    tracing::info!(ends = shown.ends.rfc3339_seconds(), "another certificate is shown now");
                }
                self.tls.show(shown);
            }
            Err(why) => {
                let looks = match self.fault.take() {
                    Some((before, looks)) if before == why => looks.saturating_add(1),
                    _ => 1,
                };
                if looks == PATIENCE {
                    tracing::warn!("the new certificate is refused, the one in use stays: {why}");
                }
                self.fault = Some((why, looks));
            }
        }
    }
}

/// What to tell of a certificate that ends soon.
pub(super) fn soon(ends: Option<Time>, now: Time) -> Option<String> {
    let ends = ends?;
    if ends <= now {
        return Some("the certificate has ended".to_owned());
    }
    let left = ends.since(now);
    (left < MARGIN).then(|| format!("the certificate ends in {} days", left.as_secs() / 86_400))
}

/// Opens the alert, repeats it every day, and closes it when there is no reason any more.
pub(super) async fn tell(
    watched: &Watched,
    reason: Option<String>,
    told: &mut Option<Time>,
    ambient: &Ambient,
) {
    const DAILY: Duration = Duration::from_secs(24 * 60 * 60);
    let (Watched { alerts, replica, .. }, now) = (watched, ambient.now());
    let done = match &reason {
        Some(_) if told.is_some_and(|told| now.since(told) < DAILY) => return,
        Some(reason) => {
            let finding = Finding::new(Kind::Certificate, now).about(replica);
            alerts
                .raise(finding.with("replica", replica.as_str()).with("reason", reason.as_str()))
                .await
                .map(|_| ())
        }
        None if told.is_some() => alerts.recover(Kind::Certificate, Some(replica)).await.map(|_| ()),
        None => return,
    };
    match done {
        Ok(()) => *told = reason.map(|_| now),
        Err(fault) => {
            tracing::warn!(
                code = fault.code().as_str(),
                "an alert about the certificate could not be raised"
            );
        }
    }
}
