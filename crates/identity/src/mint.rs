//! API keys as their makers manage them. A key is never stronger than the account that made it: not when it is
//! made, and not when it is used (SAFETY V7). The key itself is shown once and never stored.

use std::sync::Arc;

use crypto::token;
use kernel::{
    Ambient, AppId, AuditEvent, Code, EventType, Fault, KeyId, Page, PageRequest, Result, Secret, Time,
    UserId,
};
use store::{ApiKey, NewKey, Store};

use crate::scope::Scopes;
use crate::{Identity, KeysManage, May};

/// The longest name of a key, in characters.
const NAME: usize = 100;

/// The most keys of one account that are not revoked: a list that a person can still read.
const MOST: usize = 100;

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewApiKey {
    /// What its maker calls it.
    pub name: String,
    /// The apps it may enter; empty means every app that its maker may enter and that takes keys.
    pub apps: Vec<AppId>,
    /// What it may be used for; empty means everything.
    pub scopes: Vec<String>,
    /// Turns in any minute, at most.
    pub per_minute: Option<u32>,
    /// Turns in any hour, at most.
    pub per_hour: Option<u32>,
    /// When it stops working.
    pub expires_at: Option<Time>,
}

/// The service of keys.
pub struct KeyService {
    identity: Arc<Identity>,
    store: Store,
    ambient: Ambient,
}

impl KeyService {
    /// Over these rooms.
    pub const fn new(identity: Arc<Identity>, store: Store, ambient: Ambient) -> KeyService {
        KeyService { identity, store, ambient }
    }

    /// Makes a key; the secret is shown this once. `forbidden` for an app that the maker may not enter, or that
    /// takes no keys.
    pub async fn create(&self, may: &May<KeysManage>, new: NewApiKey) -> Result<(ApiKey, Secret<String>)> {
        let maker = maker(may)?;
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(Fault::invalid("name", "invalid", "a key needs a name of at most 100 characters"));
        }
        let scopes = Scopes::parse(&new.scopes)?;
        for (field, limit) in [("per_minute", new.per_minute), ("per_hour", new.per_hour)] {
            if limit == Some(0) {
                return Err(Fault::invalid(field, "out_of_range", "a limit is at least 1"));
            }
        }
        if new.expires_at.is_some_and(|at| at <= self.ambient.now()) {
            return Err(Fault::invalid("expires_at", "in_the_past", "the key would have expired already"));
        }
        let mut apps = new.apps;
        apps.sort();
        apps.dedup();
        let outside =
            |app: &&AppId| !may.who().apps().contains(app) || !self.identity.keys.open().contains(app);
        if apps.iter().any(|app| outside(&app)) {
            return Err(Fault::new(Code::Forbidden)
                .say("a key may enter only apps that you may enter and that take keys"));
        }
        self.room(maker).await?;
        let id = KeyId::new(&self.ambient);
        let secret = token::api_key(self.ambient.random());
        let event = event(may, EventType::KeyCreated, id)
            .with("apps", apps.iter().map(ToString::to_string).collect::<Vec<_>>())
            .with("scopes", scopes.words());
        let new = NewKey {
            id,
            user: Some(maker),
            name: name.to_owned(),
            digest: token::digest(secret.expose()),
            apps,
            // Words, also for all of them: a scope that a later version adds must be given, not inherited.
            scopes: scopes.words().into_iter().map(str::to_owned).collect(),
            per_minute: new.per_minute,
            per_hour: new.per_hour,
            expires_at: new.expires_at,
        };
        let key = self.store.create_key(new, vec![event]).await?;
        self.identity.learn_key(&key);
        Ok((key, secret))
    }

    /// One's own keys, oldest first.
    pub async fn list(&self, may: &May<KeysManage>, page: PageRequest) -> Result<Page<ApiKey>> {
        self.store.keys(Some(maker(may)?), page).await
    }

    /// Ends a key of one's own for good; `not_found` for any other.
    pub async fn revoke(&self, may: &May<KeysManage>, id: KeyId) -> Result<()> {
        self.store.revoke_key(Some(maker(may)?), id, vec![event(may, EventType::KeyRevoked, id)]).await?;
        self.identity.revoke_key(Some(id));
        Ok(())
    }

    /// Replaces the secret of a key of one's own: the old one is dead at once. `not_found` for any other.
    pub async fn rotate(&self, may: &May<KeysManage>, id: KeyId) -> Result<(ApiKey, Secret<String>)> {
        let secret = token::api_key(self.ambient.random());
        let audit = vec![event(may, EventType::KeyRotated, id)];
        let digest = token::digest(secret.expose());
        let key = self.store.rotate_key(Some(maker(may)?), id, &digest, audit).await?;
        self.identity.learn_key(&key);
        Ok((key, secret))
    }

    /// Whether the account may have one more.
    async fn room(&self, maker: UserId) -> Result<()> {
        let now = self.ambient.now();
        let mut page = PageRequest::first(PageRequest::MOST);
        let mut alive = 0;
        loop {
            let piece = self.store.keys(Some(maker), page).await?;
            let stands = |key: &&ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at);
            alive += piece.items.iter().filter(stands).count();
            if alive >= MOST {
                return Err(Fault::new(Code::Conflict).say("there are 100 keys already; revoke one first"));
            }
            match piece.next {
                Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next))?,
                None => return Ok(()),
            }
        }
    }
}

fn maker(may: &May<KeysManage>) -> Result<UserId> {
    may.who().user().ok_or(Fault::new(Code::Forbidden))
}

fn event(may: &May<KeysManage>, what: EventType, id: KeyId) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address()).to(format_args!("key:{id}"))
}
