//! What the audit log records. It owns the closed list of event types and the shape of an event before it is
//! stored; the hash chain belongs to `crypto`, the rows to `store`. An event never holds message text.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Subject;

/// How much an event matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Normal operation.
    Low,
    /// Worth a look in a review.
    Medium,
    /// Worth a look today.
    High,
    /// Somebody must act.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Severity; 4] = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The severity as the word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

macro_rules! event_types {
    ($($name:ident = $text:literal, $severity:ident, $help:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum EventType { $(#[doc = $help] $name,)* }

        impl EventType {
            /// Every type.
            pub const ALL: &'static [EventType] = &[$(EventType::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(EventType::$name => $text,)* }
            }

            /// How much it matters unless the event says otherwise.
            pub const fn severity(self) -> Severity {
                match self { $(EventType::$name => Severity::$severity,)* }
            }
        }
    };
}

event_types! {
    AuthSuccess = "auth.success", Low, "A credential was accepted.";
    AuthFailure = "auth.failure", High, "A credential was refused.";
    AuthLogout = "auth.logout", Low, "A person signed out.";
    SessionAccess = "session.access", Low, "A session was used or begun.";
    SessionRevoked = "session.revoked", Medium, "Sessions were ended.";
    TokenReuse = "token.reuse", Critical, "A refresh token was used twice.";
    AuthzDenied = "authz.denied", Medium, "A known caller asked for what it may not have.";
    PermissionChanged = "permission.changed", High, "A grant or role changed.";
    UserChanged = "user.changed", Medium, "An account was made or changed.";
    KeyCreated = "key.created", Medium, "An API key was made.";
    KeyRotated = "key.rotated", Medium, "An API key was replaced.";
    KeyRevoked = "key.revoked", Medium, "An API key was revoked.";
    ConfigChanged = "config.changed", Medium, "The configuration differs from that of the last start.";
    RatelimitExceeded = "ratelimit.exceeded", Medium, "A limit refused a request.";
    ContentBlocked = "content.blocked", Medium, "A text was refused; the text is not kept.";
    ContentFlagged = "content.flagged", Low, "A text passed that a person should look at; the text is not written here.";
    SecurityViolation = "security.violation", High, "A rule of the front was broken: host, origin, HTTPS, tampering.";
    DataRead = "data.read", Low, "Somebody's data was read.";
    DataWritten = "data.written", Low, "Somebody's data was written.";
    DataExported = "data.exported", Medium, "Somebody's data was exported.";
    DataErased = "data.erased", Medium, "Somebody's data was erased.";
    HoldAdded = "hold.added", High, "A legal hold was placed.";
    HoldRemoved = "hold.removed", High, "A legal hold ended.";
    FileDeleted = "file.deleted", Medium, "A file was deleted.";
    DocumentAdded = "document.added", Low, "A document was added to an app's knowledge.";
    DocumentRemoved = "document.removed", Low, "A document was removed from an app's knowledge.";
    LockdownOn = "lockdown.on", Critical, "The brake was pulled.";
    LockdownOff = "lockdown.off", High, "The brake was released.";
    AddressBlocked = "address.blocked", Medium, "An address was blocked.";
    AddressUnblocked = "address.unblocked", Medium, "A block was lifted.";
    BackupCreated = "backup.created", Low, "A backup was made.";
    BackupFailed = "backup.failed", Critical, "A backup failed.";
    BackupVerified = "backup.verified", Low, "A backup was verified.";
    BackupRestored = "backup.restored", High, "A backup was restored.";
    AlertRaised = "alert.raised", High, "The security monitor raised an alert.";
    AlertAcknowledged = "alert.acknowledged", Low, "Somebody took note of an alert.";
}

/// Who did it. Pseudonymous: ids only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A visitor, user or key.
    Subject(Subject),
    /// The operator at the command line.
    Operator,
    /// The server itself.
    System,
    /// Nobody known.
    Anonymous,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Subject(subject) => fmt::Display::fmt(subject, f),
            Actor::Operator => f.write_str("operator"),
            Actor::System => f.write_str("system"),
            Actor::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl From<Subject> for Actor {
    fn from(subject: Subject) -> Actor {
        Actor::Subject(subject)
    }
}

/// An event to be written into the audit log, in the transaction of the change it records.
#[derive(Clone, PartialEq, Debug)]
pub struct AuditEvent {
    /// What happened.
    pub event_type: EventType,
    /// How much it matters.
    pub severity: Severity,
    /// Where the request came from.
    pub ip: Option<IpAddr>,
    /// Who did it.
    pub actor: Actor,
    /// What it was done to: `conversation:…`, `key:…`.
    pub object: Option<String>,
    /// More facts: counts, reasons, before and after. Never message text, never a secret.
    pub details: Map<String, Value>,
}

impl AuditEvent {
    /// An event of this type by this actor, with the type's own severity.
    pub fn new(event_type: EventType, actor: impl Into<Actor>) -> AuditEvent {
        AuditEvent {
            event_type,
            severity: event_type.severity(),
            ip: None,
            actor: actor.into(),
            object: None,
            details: Map::new(),
        }
    }

    /// From this address.
    #[must_use]
    pub fn from(mut self, ip: impl Into<Option<IpAddr>>) -> AuditEvent {
        self.ip = ip.into();
        self
    }

    /// Done to this thing.
    #[must_use]
    pub fn to(mut self, object: impl fmt::Display) -> AuditEvent {
        self.object = Some(object.to_string());
        self
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> AuditEvent {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}
