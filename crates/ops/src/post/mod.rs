//! The post: carries what waits in the outbox to its sink, and tries again with growing pauses until it is taken. A sink
//! that is away keeps nobody else waiting, a restart loses nothing. It owns the carrying; what is said and to whom
//! comes from elsewhere.

mod config;
mod letters;
mod mail;
mod webhook;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use guard::outbound::Outbound;
use kernel::{Ambient, Language, ParcelId, Result, Secret};
use store::{Mail, NewParcel, Parcel, Sink, Store};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::{Config, Protection, Smtp, Webhook};
pub use mail::is_mailbox;
pub use webhook::derived_secret;

use mail::Mailer;

/// Pauses after the first, second, … attempt; then the last one again and again.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(3_600),
];

/// Whoever has not taken a parcel for this long does not want it.
const GIVE_UP: Duration = Duration::from_secs(3 * 24 * 3_600);

/// A claimed parcel comes back after this long, when its carrier has died. Longer than any delivery.
const CLAIM: Duration = Duration::from_secs(120);

/// One delivery takes at most this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Deliveries under way to one sink at the most.
const MOST: usize = 8;

/// Deliveries under way when the server stops get this long; what is left is carried after the next start.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Where the words of mails are in other languages: the translation of an English text.
pub type Words = fn(Language, &str) -> Option<&'static str>;

/// Why a parcel was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Lost {
    /// For the log: no address, no secret.
    why: String,
    /// Trying again is of no use.
    for_good: bool,
}

impl Lost {
    fn for_now(why: impl Into<String>) -> Lost {
        Lost { why: why.into(), for_good: false }
    }

    fn for_good(why: impl Into<String>) -> Lost {
        Lost { why: why.into(), for_good: true }
    }
}

/// The post. Cheap to clone.
#[derive(Clone)]
pub struct Post(Arc<Inner>);

struct Inner {
    using: ArcSwap<Using>,
    store: Store,
    outbound: Outbound,
    ambient: Ambient,
    base_url: String,
    words: OnceLock<Words>,
    fresh: Notify,
}

/// Where things go now.
struct Using {
    config: Config,
    mailer: Option<Mailer>,
    alert_sinks: Vec<Sink>,
}

impl Using {
    fn new(config: Config) -> Result<Using> {
        let mailer = config.smtp.clone().map(Mailer::new).transpose()?;
        let by_mail = mailer.is_some() && config.alert_email.is_some();
        let wanted = [
            (Sink::Webhook, config.webhook.is_some()),
            (Sink::Slack, config.slack.is_some()),
            (Sink::MailAlert, by_mail),
        ];
        let alert_sinks = wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(sink, _)| sink).collect();
        Ok(Using { config, mailer, alert_sinks })
    }

    /// Whether anything for this sink can be carried.
    fn serves(&self, sink: Sink) -> bool {
        if sink == Sink::Mail { self.mailer.is_some() } else { self.alert_sinks.contains(&sink) }
    }
}

impl Post {
    /// A post to these sinks. Links in mails lead to `base_url`, which has no slash at its end.
    pub fn new(
        config: Config,
        store: Store,
        outbound: Outbound,
        base_url: String,
        ambient: Ambient,
    ) -> Result<Post> {
        let using = ArcSwap::from_pointee(Using::new(config)?);
        Ok(Post(Arc::new(Inner {
            using,
            store,
            outbound,
            ambient,
            base_url,
            words: OnceLock::new(),
            fresh: Notify::new(),
        })))
    }

    /// Speaks the languages of people in mails to them from now on; English until then.
    pub fn speak(&self, words: Words) {
        // Told twice, the first holds.
        let _ = self.0.words.set(words);
    }

    /// Goes to these sinks from now on. What is under way arrives where it was sent; what waits goes the new way.
    pub fn renew(&self, config: Config) -> Result<()> {
        self.0.using.store(Arc::new(Using::new(config)?));
        self.nudge();
        Ok(())
    }

    /// Whether mails to people can be sent.
    pub fn sends_mail(&self) -> bool {
        self.0.using.load().mailer.is_some()
    }

    /// Who is told about alerts.
    pub fn alert_sinks(&self) -> Vec<Sink> {
        self.0.using.load().alert_sinks.clone()
    }

    /// Something was put into the outbox just now.
    pub fn nudge(&self) {
        self.0.fresh.notify_waiters();
    }

    /// Begins to carry; ends after `stop`.
    pub fn start(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        for sink in [Sink::Webhook, Sink::Slack, Sink::MailAlert, Sink::Mail] {
            tasks.spawn(self.clone().carry(sink, stop.clone()));
        }
        tasks.spawn(self.clone().tidy(stop.clone()));
    }

    /// Carries parcels that the outbox cannot take, because the database is what they are about. Each is tried at once;
    /// what is not taken goes into the outbox as soon as that works, and is tried from memory until then.
    pub fn carry_now(&self, parcels: Vec<NewParcel>) {
        for parcel in parcels {
            let post = self.clone();
            tokio::spawn(async move {
                let id = ParcelId::new(&post.0.ambient);
                for pause in PAUSES.into_iter().chain(std::iter::repeat_n(Duration::from_secs(3_600), 72)) {
                    match post.deliver(parcel.sink, id, &parcel.payload).await {
                        Ok(()) => return,
                        Err(lost) => warn(parcel.sink, id, &lost),
                    }
                    if post.0.store.send(vec![parcel.clone()]).await.is_ok() {
                        return;
                    }
                    tokio::time::sleep(pause).await;
                }
            });
        }
    }

    async fn carry(self, sink: Sink, stop: CancellationToken) {
        let mut under_way = JoinSet::new();
        loop {
            while under_way.try_join_next().is_some() {}
            let room = u32::try_from(MOST.saturating_sub(under_way.len())).unwrap_or(0);
            let using = self.0.using.load_full();
            if room > 0 && using.serves(sink) {
                let until = self.0.ambient.now() + CLAIM;
                // While the database is away nothing can be claimed; the store has logged it.
                for parcel in self.0.store.claim_parcels(sink, room, until).await.unwrap_or_default() {
                    under_way.spawn(self.clone().try_one(parcel));
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.0.fresh.notified() => {}
                () = tokio::time::sleep(using.config.pace) => {}
                Some(_) = under_way.join_next() => {}
            }
        }
        let finished = async { while under_way.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WORDS, finished).await;
    }

    async fn try_one(self, parcel: Parcel) {
        let outcome = self.deliver(parcel.sink, parcel.id, &parcel.payload).await;
        let now = self.0.ambient.now();
        let kept = match outcome {
            Ok(()) => {
                tracing::info!(sink = parcel.sink.as_str(), parcel = %parcel.id, attempts = parcel.attempts, "delivered");
                self.0.store.delivered(parcel.id).await
            }
            Err(lost) if lost.for_good || now.since(parcel.created_at) >= GIVE_UP => {
                tracing::error!(
                    sink = parcel.sink.as_str(),
                    parcel = %parcel.id,
                    attempts = parcel.attempts,
                    cause = lost.why,
                    "a delivery was given up"
                );
                self.0.store.delivered(parcel.id).await
            }
            Err(lost) => {
                warn(parcel.sink, parcel.id, &lost);
                self.0.store.postponed(parcel.id, now + pause(parcel.attempts)).await
            }
        };
        if let Err(fault) = kept {
            // The claim runs out by itself, and the parcel is carried again.
            tracing::warn!(code = fault.code().as_str(), parcel = %parcel.id, "the outbox cannot be written");
        }
    }

    async fn deliver(&self, sink: Sink, id: ParcelId, payload: &Secret<String>) -> Result<(), Lost> {
        let delivery = self.deliver_unbounded(sink, id, payload);
        match tokio::time::timeout(PATIENCE, delivery).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Lost::for_now("the delivery took too long")),
        }
    }

    async fn deliver_unbounded(
        &self,
        sink: Sink,
        id: ParcelId,
        payload: &Secret<String>,
    ) -> Result<(), Lost> {
        let Inner { outbound, ambient, base_url, .. } = &*self.0;
        let using = self.0.using.load_full();
        let Using { config, mailer, .. } = &*using;
        let now = ambient.now();
        let gone = || Lost::for_now("the sink is not configured any more");
        if sink == Sink::Mail {
            let mail: Mail = read(payload)?;
            if mail.until.is_some_and(|until| until <= now) {
                return Err(Lost::for_good("what it leads to has expired"));
            }
            let letter =
                letters::to_person(&mail, base_url, self.0.words.get().copied().unwrap_or(|_, _| None))?;
            return mailer.as_ref().ok_or_else(gone)?.send(id, &mail.to, letter, now, true).await;
        }
        let notice = read(payload)?;
        match sink {
            Sink::Webhook => {
                webhook::send(outbound, config.webhook.as_ref().ok_or_else(gone)?, id, &notice, now).await
            }
            Sink::Slack => {
                webhook::send_slack(outbound, config.slack.as_ref().ok_or_else(gone)?, &notice).await
            }
            Sink::MailAlert | Sink::Mail => {
                let to = config.alert_email.as_ref().ok_or_else(gone)?;
                let letter = letters::about(&notice);
                mailer.as_ref().ok_or_else(gone)?.send(id, to, letter, now, false).await
            }
        }
    }

    /// Throws away what nobody has taken for days: parcels for sinks that are configured no more.
    async fn tidy(self, stop: CancellationToken) {
        loop {
            let before = self.0.ambient.now() - GIVE_UP - CLAIM - Duration::from_secs(3_600);
            if let Ok(count @ 1..) = self.0.store.purge_parcels(before).await {
                tracing::error!(count, "deliveries were given up: nobody took them for three days");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(600)) => {}
            }
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(payload: &Secret<String>) -> Result<T, Lost> {
    serde_json::from_str(payload.expose()).map_err(|_| Lost::for_good("the parcel cannot be read"))
}

/// How long to wait after this many attempts.
fn pause(attempts: u32) -> Duration {
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    PAUSES.get(place).or(PAUSES.last()).copied().unwrap_or(GIVE_UP)
}

fn warn(sink: Sink, parcel: ParcelId, lost: &Lost) {
    let cause = lost.why.as_str();
    tracing::warn!(sink = sink.as_str(), %parcel, cause, "a delivery failed and is tried again");
}
