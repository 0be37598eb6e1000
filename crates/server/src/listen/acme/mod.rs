//! Certificates from an authority that speaks ACME (RFC 8555), which looks at this very port whether the names are ours
//! (TLS-ALPN-01, RFC 8737): ordered, kept sealed in the database for all replicas, shown, renewed long before their end.
//! One replica at a time orders; any of them can answer the authority.

mod challenge;
mod client;
mod jws;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use guard::outbound::Outbound;
use kernel::{Ambient, Time};
use ops::monitor::Parts as Watched;
use serde::{Deserialize, Serialize};
use store::Store;
use tokio_util::sync::CancellationToken;
use url::Url;

pub(super) use challenge::{ALPN_CHALLENGE, Challenges};

use super::certificate::{shown, soon, tell};
use super::der;
use super::tls::Tls;
use client::Client;

/// How often the database is asked for a certificate that another replica got.
const LOOK: Duration = Duration::from_secs(5);
/// An order that takes longer than this is somebody else's.
const LEASE: Duration = Duration::from_secs(300);
/// How long after a failure it is tried again, and after the next ones. Authorities count failures by the hour.
const PATIENCE: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1_800),
    Duration::from_secs(7_200),
];

/// The names under which the store keeps what is known.
const ACCOUNT: &str = "acme.account";
const CERTIFICATE: &str = "acme.certificate";

/// Whom to ask, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// Where its directory is.
    pub(crate) directory: Url,
    /// Whom it may write to.
    pub(crate) email: Option<String>,
    /// The names that the certificate covers.
    pub(crate) domains: Vec<String>,
}

/// What the authority knows us by.
#[derive(Serialize, Deserialize)]
struct Account {
    directory: Url,
    url: String,
    key: String,
}

/// What it gave.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
struct Issued {
    directory: Url,
    domains: Vec<String>,
    chain: String,
    key: String,
    at: Time,
}

/// Keeps a certificate of the authority in use.
pub(crate) struct Acme {
    authority: Authority,
    tls: Arc<Tls>,
    store: Store,
    outbound: Outbound,
    challenges: Challenges,
    watched: Watched,
    ambient: Ambient,
    /// The one that is shown.
    issued: Option<Issued>,
    failures: usize,
    next: Time,
    fault: Option<String>,
    told: Option<Time>,
}

impl Acme {
    /// Gives also the end of TLS, which answers the authority.
    pub(crate) fn new(
        authority: Authority,
        store: &Store,
        outbound: Outbound,
        watched: Watched,
        ambient: &Ambient,
    ) -> anyhow::Result<(Acme, Arc<Tls>)> {
        let challenges = Challenges::new(authority.domains.clone(), store.clone(), ambient.clone());
        let tls = Arc::new(Tls::new(Some(challenges.clone()))?);
        let (store, ambient) = (store.clone(), ambient.clone());
        let acme = Acme {
            authority,
            tls: Arc::clone(&tls),
            store,
            outbound,
            challenges,
            watched,
            ambient,
            issued: None,
            failures: 0,
            next: Time::EPOCH,
            fault: None,
            told: None,
        };
        Ok((acme, tls))
    }

    /// Looks, orders and renews until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            if stop.run_until_cancelled(self.round()).await.is_none() {
                return;
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
                return;
            }
        }
    }

    async fn round(&mut self) {
        self.take_over().await;
        if self.is_due() && self.ambient.now() >= self.next {
            match self.order().await {
                Ok(()) => {
                    (self.failures, self.fault) = (0, None);
                    self.take_over().await;
                }
                Err(why) => {
                    let wait = PATIENCE.get(self.failures).or(PATIENCE.last()).copied().unwrap_or(LEASE);
                    tracing::warn!(again_in_s = wait.as_secs(), "no certificate was issued: {why}");
                    (self.failures, self.next) = (self.failures + 1, self.ambient.now() + wait);
                    self.fault = Some(why);
                }
            }
        }
        let now = self.ambient.now();
        let fault = self.fault.as_ref().map(|why| format!("no certificate was issued: {why}"));
        // Some authorities issue for six days: then the margin is a part of that.
        let ends = self.tls.shown().map(|shown| shown.ends).filter(|ends| now >= self.margin(*ends));
        let worn = self.tls.shown().is_none_or(|shown| now >= self.margin(shown.ends));
        self.watched.health.set_worn(worn);
        tell(&self.watched, fault.or_else(|| soon(ends, now)), &mut self.told, &self.ambient).await;
    }

    /// From when on the end of the certificate is worth an alert: a sixth of its life, half of what renewing has.
    fn margin(&self, ends: Time) -> Time {
        let at = self.issued.as_ref().map_or(Time::EPOCH, |issued| issued.at);
        ends - ends.since(at) / 6
    }

    /// Shows what the database holds, when that is new and for these names.
    async fn take_over(&mut self) {
        let found = match self.store.get_state(CERTIFICATE).await {
            Ok(found) => found,
            Err(fault) => {
                tracing::debug!(code = fault.code().as_str(), "the certificate cannot be looked up now");
                return;
            }
        };
        let Some(issued) = found.and_then(|text| serde_json::from_str::<Issued>(&text).ok()) else { return };
        let ours =
            (&issued.domains, &issued.directory) == (&self.authority.domains, &self.authority.directory);
        if !ours || self.issued.as_ref() == Some(&issued) {
            return;
        }
        match shown(issued.chain.as_bytes(), issued.key.as_bytes()) {
            Ok(shown) => {
                tracing::info!(
                    ends = shown.ends.rfc3339_seconds(),
                    "a certificate of the authority is shown now"
                );
                self.tls.show(shown);
                (self.issued, self.fault, self.failures) = (Some(issued), None, 0);
            }
            Err(why) => tracing::warn!("the certificate of the authority cannot be shown: {why}"),
        }
    }

    /// None is there, or two thirds of its life are over.
    fn is_due(&self) -> bool {
        let (Some(issued), Some(shown)) = (&self.issued, self.tls.shown()) else { return true };
        let third = shown.ends.since(issued.at) / 3;
        self.ambient.now() >= shown.ends - third
    }

    /// Gets a certificate, unless another replica is about it.
    async fn order(&mut self) -> Result<(), String> {
        let holder = format!("{} {}", self.watched.replica, std::process::id());
        let said = |fault: kernel::Fault| fault.to_string();
        if !self.store.hold_lease("acme", &holder, LEASE).await.map_err(said)? {
            return Ok(());
        }
        // It may have been got between the last look and now.
        self.take_over().await;
        let outcome = if self.is_due() { self.ask().await } else { Ok(()) };
        self.store.drop_lease("acme", &holder).await.map_err(said)?;
        outcome
    }

    async fn ask(&self) -> Result<(), String> {
        let said = |fault: kernel::Fault| fault.to_string();
        let known = self.store.get_state(ACCOUNT).await.map_err(said)?;
        let known = known.and_then(|text| serde_json::from_str::<Account>(&text).ok());
        let known = known.filter(|account| account.directory == self.authority.directory);
        let key = match &known {
            Some(account) => BASE64.decode(&account.key).map_err(|error| error.to_string())?,
            None => der::new_key().map_err(|_| "no key can be made".to_owned())?,
        };
        let mut client = Client::new(&self.outbound, self.authority.directory.clone(), &key).await?;
        match known {
            Some(account) => client.be(account.url),
            None => {
                let url = client.register(self.authority.email.as_deref()).await?;
                let directory = self.authority.directory.clone();
                let account = Account { directory, url, key: BASE64.encode(&key) };
                let text = serde_json::to_string(&account).map_err(|error| error.to_string())?;
                self.store.set_state(ACCOUNT, &text, Vec::new()).await.map_err(said)?;
            }
        }
        let key = der::new_key().map_err(|_| "no key can be made".to_owned())?;
        let request =
            der::request(&key, &self.authority.domains).map_err(|_| "no request can be made".to_owned())?;
        let chain = match client.order(&self.authority.domains, &request, &self.challenges).await {
            Ok(chain) => chain,
            Err(why) => {
                if why.contains("accountDoesNotExist") {
                    // The next try makes another one.
                    self.store.set_state(ACCOUNT, "", Vec::new()).await.map_err(said)?;
                }
                return Err(why);
            }
        };
        let key = pem("PRIVATE KEY", &key);
        // What cannot be shown is not kept.
        shown(chain.as_bytes(), key.as_bytes())?;
        let Authority { directory, domains, .. } = self.authority.clone();
        let issued = Issued { directory, domains, chain, key, at: self.ambient.now() };
        let text = serde_json::to_string(&issued).map_err(|error| error.to_string())?;
        self.store.set_state(CERTIFICATE, &text, Vec::new()).await.map_err(said)
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}
