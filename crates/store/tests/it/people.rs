//! Accounts, sessions and events for the tests that need them.

use std::net::IpAddr;
use std::time::Duration;

use kernel::{Actor, AuditEvent, EventType, KeyId, PageRequest, Role, Secret, SessionId, Time, UserId};
use store::{AuditFilter, NewKey, NewSession, NewUser, Session, SessionKind, Store, StoredEvent, User};

use crate::world::World;

impl World {
    /// An account to be made.
    pub fn person(&self, email: &str) -> NewUser {
        NewUser {
            id: UserId::new(&self.ambient),
            email: email.into(),
            name: format!("Name of {email}"),
            role: Role::User,
            verified: false,
            password: Some(Secret::new(format!("$argon2id$hash of {email}"))),
        }
    }

    /// An account that was made.
    pub async fn member(&self, email: &str) -> User {
        self.store.create_user(self.person(email), vec![]).await.unwrap()
    }

    /// An admin that was made.
    pub async fn admin(&self, email: &str) -> User {
        self.store.create_user(NewUser { role: Role::Admin, ..self.person(email) }, vec![]).await.unwrap()
    }

    /// A browser's session to be opened, for an hour.
    pub fn browser(&self, user: &User, digest: &str) -> NewSession {
        NewSession {
            id: SessionId::new(&self.ambient),
            user: user.id,
            kind: SessionKind::Browser,
            digest: Some(digest.into()),
            method: "password".into(),
            agent: format!("Browser of {digest}"),
            ip: IpAddr::from([192, 0, 2, 9]),
            expires_at: self.later(3_600),
            refresh: None,
            valid_from: user.valid_from,
        }
    }

    /// A program's session to be opened, for an hour.
    pub fn program(&self, user: &User, refresh: &str) -> NewSession {
        NewSession {
            kind: SessionKind::Token,
            digest: None,
            refresh: Some((refresh.into(), self.later(3_600))),
            ..self.browser(user, refresh)
        }
    }

    /// A session of a browser that was opened.
    pub async fn signed_in(&self, user: &User, digest: &str) -> Session {
        self.store.open_session(self.browser(user, digest), vec![]).await.unwrap()
    }

    /// A key of the operator, to be made.
    pub fn key(&self, name: &str) -> NewKey {
        NewKey {
            id: KeyId::new(&self.ambient),
            user: None,
            name: name.into(),
            digest: format!("digest of {name}"),
            apps: vec![self.app.clone()],
            scopes: vec![],
            per_minute: None,
            per_hour: None,
            expires_at: None,
        }
    }

    /// This many seconds from now.
    pub fn later(&self, seconds: u64) -> Time {
        self.ambient.now() + Duration::from_secs(seconds)
    }

    /// Turns the clock forward.
    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, std::sync::atomic::Ordering::Relaxed);
    }
}

/// An event by the operator.
pub fn by_operator(event_type: EventType) -> Vec<AuditEvent> {
    vec![AuditEvent::new(event_type, Actor::Operator)]
}

/// What the audit log holds of this type, oldest first.
pub async fn audited(store: &Store, event_type: EventType) -> Vec<StoredEvent> {
    let filter = AuditFilter { event_type: Some(event_type.as_str().into()), ..AuditFilter::default() };
    let mut events = store.audit_events(filter, PageRequest::first(100)).await.unwrap().items;
    events.reverse();
    events
}

/// Runs the same thing many times at once, through both stores in turn, and gives what came of each.
pub async fn crowd<T, F>(stores: [&Store; 2], size: usize, act: impl Fn(Store, usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> =
        (0..size).map(|number| tokio::spawn(act(stores[number % 2].clone(), number))).collect();
    let mut outcomes = Vec::with_capacity(size);
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}
