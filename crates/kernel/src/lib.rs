//! The words every room uses: identifiers, time, secrets, faults and their codes, audit events, pages.
//! It owns meanings only. It never does IO, reads a clock or draws randomness: those arrive as arguments.

pub mod account;
pub mod ambient;
pub mod app;
pub mod audit;
pub mod code;
pub mod fault;
pub mod id;
pub mod language;
pub mod page;
pub mod secret;
pub mod subject;
pub mod time;

pub use account::{Level, Role};
pub use ambient::{Ambient, Clock, Random};
pub use app::{AppId, AppKind, Entry, UserEntry, Visibility};
pub use audit::{Actor, AuditEvent, EventType, Severity};
pub use code::{Code, Kind};
pub use fault::{Fault, FieldFault, Result};
pub use id::{
    AlertId, ConversationId, EventId, KeyId, MessageId, ParcelId, PasskeyId, ProblemId, RequestId, SessionId,
    ShareId, UserId, VisitorId,
};
pub use id::{DocumentId, PassageId};
pub use id::{FolderId, HandOffId, HoldId, ReviewId};
pub use language::{Direction, Language};
pub use page::{Cursor, Page, PageRequest};
pub use secret::Secret;
pub use subject::Subject;
pub use time::Time;
