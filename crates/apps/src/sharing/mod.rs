//! Conversations shown to others: a snapshot for whoever has the link, for a time, until its owner ends it. What is said
//! later does not show. It never keeps what the link carries, and an unknown link and one that has ended are the same.

mod snapshot;

use std::net::IpAddr;
use std::time::Duration;

use crypto::password::Verdict;
use identity::{ConversationRead, ConversationShare, May};
use kernel::{
    Actor, AuditEvent, Code, ConversationId, EventType, Fault, Page, PageRequest, Result, Secret, ShareId,
    Time,
};
use store::{NewShare, Share};

use crate::{App, Hall};

pub use snapshot::{Snapshot, SnapshotMessage};

/// How long a link works unless said, and at the most, in days.
const DAYS: u32 = 30;
const MOST_DAYS: u32 = 365;
const DAY: u64 = 24 * 60 * 60;

/// Bytes of a snapshot at the most.
const MOST: usize = 4 << 20;

/// Characters of the password of a link.
const PASSWORD: std::ops::RangeInclusive<usize> = 6..=200;

/// What somebody wants to show.
#[derive(Clone, Debug, Default)]
pub struct ShareWish {
    /// For how many days.
    pub days: Option<u32>,
    /// Until when.
    pub until: Option<Time>,
    /// With personal data masked.
    pub masked: bool,
    /// To whoever knows this, too.
    pub password: Option<Secret<String>>,
}

/// A link that was just made.
#[derive(Clone, Debug)]
pub struct Shared {
    /// What is kept of it.
    pub share: Share,
    /// What the link carries: shown once.
    pub token: Secret<String>,
}

/// What is behind a link.
#[derive(Clone, Debug)]
pub enum SharedTalk {
    /// It asks for a password; the one that was given is wrong.
    Locked {
        /// One was given.
        wrong: bool,
    },
    /// A conversation.
    Open(Box<Snapshot>),
}

impl Hall {
    /// Whether people may show conversations of this app to others.
    pub fn shares(&self, app: &App) -> bool {
        app.sharing && !self.rooms.identity.requires_authentication()
    }

    /// Makes a link to a snapshot of one's own conversation.
    pub async fn share(
        &self,
        may: &May<ConversationShare>,
        read: &May<ConversationRead>,
        id: ConversationId,
        wish: ShareWish,
    ) -> Result<Shared> {
        let conversation = self.conversation(read, id).await?;
        let app = self.rooms.catalog.get(&conversation.app)?;
        if !self.shares(app) {
            return Err(Fault::new(Code::Forbidden).say(
                "conversations of this app are not shared; whoever runs this server can allow it with `sharing`",
            ));
        }
        let now = self.rooms.ambient.now();
        let expires_at = end(&wish, now)?;
        let password = match wish.password {
            Some(password) if !PASSWORD.contains(&password.expose().chars().count()) => {
                let say = format!("a password has {} to {} characters", PASSWORD.start(), PASSWORD.end());
                return Err(Fault::invalid("password", "wrong_length", say));
            }
            Some(password) => Some(self.rooms.hasher.hash(password).await?),
            None => None,
        };
        let export = self.whole(read, id).await?;
        let snapshot = Snapshot::take(app, &export, wish.masked, now);
        if snapshot.messages.is_empty() {
            return Err(Fault::new(Code::Conflict).say("there is nothing in this conversation to share yet"));
        }
        let content = serde_json::to_string(&snapshot).map_err(Fault::internal)?;
        if content.len() > MOST {
            let say = format!("a shared conversation may have {} MiB; export this one instead", MOST >> 20);
            return Err(Fault::new(Code::TooLarge).say(say));
        }
        let token = crypto::token::random(self.rooms.ambient.random());
        let new = NewShare {
            id: ShareId::new(&self.rooms.ambient),
            owner: may.owner(),
            conversation_id: id,
            app: app.id.clone(),
            token: token.clone(),
            content,
            password,
            masked: wish.masked,
            messages: u32::try_from(snapshot.messages.len()).unwrap_or(u32::MAX),
            expires_at,
        };
        let event = AuditEvent::new(EventType::DataExported, may.owner())
            .from(may.who().address())
            .to(format_args!("share:{}", new.id))
            .with("what", "share")
            .with("conversation", id.to_string())
            .with("messages", new.messages)
            .with("masked", new.masked)
            .with("expires_at", expires_at.rfc3339_seconds());
        let share = self.rooms.store.share(new, vec![event]).await?;
        tracing::info!(app = %share.app, conversation = %id, share = %share.id, "conversation shared");
        Ok(Shared { share, token })
    }

    /// The links that the caller has given out and that still work.
    pub async fn shared_by(&self, may: &May<ConversationShare>, page: PageRequest) -> Result<Page<Share>> {
        self.rooms.store.shares(&may.owner(), page).await
    }

    /// Ends a link of the caller's.
    pub async fn end_share(&self, may: &May<ConversationShare>, id: ShareId) -> Result<()> {
        let event = AuditEvent::new(EventType::DataErased, may.owner())
            .from(may.who().address())
            .to(format_args!("share:{id}"))
            .with("what", "share");
        self.rooms.store.end_share(&may.owner(), id, vec![event]).await
    }

    /// What is behind a link, for whoever has it. `not_found` for a link that is unknown or has ended, for one to an app
    /// that no longer shares, and while its owner is disabled; `locked_down` while the brake is pulled.
    pub async fn open_shared(
        &self,
        token: Secret<String>,
        password: Option<Secret<String>>,
        from: IpAddr,
    ) -> Result<SharedTalk> {
        self.rooms.identity.open_to_strangers()?;
        let open = self.rooms.store.open_share(&token).await?;
        if !self.rooms.catalog.get(&open.app).is_ok_and(|app| self.shares(app)) {
            return Err(Fault::new(Code::NotFound));
        }
        if let Some(phc) = open.password {
            let Some(password) = password else { return Ok(SharedTalk::Locked { wrong: false }) };
            if self.rooms.hasher.verify(password, Some(phc)).await? == Verdict::Wrong {
                return Ok(SharedTalk::Locked { wrong: true });
            }
        }
        if !open.opened {
            let event = AuditEvent::new(EventType::DataRead, Actor::Anonymous)
                .from(from)
                .to(format_args!("share:{}", open.id))
                .with("what", "share");
            self.rooms.store.note_opened(open.id, event).await?;
        }
        let mut snapshot: Snapshot = serde_json::from_str(&open.content).map_err(Fault::internal)?;
        snapshot.masked = open.masked;
        snapshot.taken_at = open.created_at;
        snapshot.expires_at = Some(open.expires_at);
        Ok(SharedTalk::Open(Box::new(snapshot)))
    }
}

/// When a link ends.
fn end(wish: &ShareWish, now: Time) -> Result<Time> {
    let furthest = now + Duration::from_secs(u64::from(MOST_DAYS) * DAY);
    match (wish.days, wish.until) {
        (Some(_), Some(_)) => Err(Fault::invalid(
            "expires_at",
            "contradiction",
            "name either `expires_in_days` or `expires_at`, not both",
        )),
        (Some(days), None) if days == 0 || days > MOST_DAYS => Err(Fault::invalid(
            "expires_in_days",
            "out_of_range",
            format!("a link works for 1 to {MOST_DAYS} days"),
        )),
        (None, Some(until)) if until <= now || until > furthest => Err(Fault::invalid(
            "expires_at",
            "out_of_range",
            format!("name a time in the next {MOST_DAYS} days"),
        )),
        (None, Some(until)) => Ok(until),
        (days, None) => Ok(now + Duration::from_secs(u64::from(days.unwrap_or(DAYS)) * DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_when_it_is_told_to() {
        let now = Time::from_seconds(1_000_000);
        let days = |days| end(&ShareWish { days: Some(days), ..ShareWish::default() }, now);
        assert_eq!(end(&ShareWish::default(), now).unwrap(), now + Duration::from_secs(30 * DAY));
        assert_eq!(days(1).unwrap(), now + Duration::from_secs(DAY));
        assert!(days(0).is_err() && days(366).is_err());
        let until = |until| end(&ShareWish { until: Some(until), ..ShareWish::default() }, now);
        assert!(until(now).is_err() && until(now + Duration::from_secs(366 * DAY)).is_err());
        assert_eq!(until(now + Duration::from_secs(60)).unwrap(), now + Duration::from_secs(60));
        let both = ShareWish { days: Some(1), until: Some(now), ..ShareWish::default() };
        assert_eq!(end(&both, now).unwrap_err().fields()[0].code, "contradiction");
    }
}
