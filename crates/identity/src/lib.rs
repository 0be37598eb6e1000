//! Who is asking, and what they may. It turns every credential into one `Principal` and is the only maker of
//! `May<P>`. It never answers HTTP and never touches content.

mod accounts;
mod administration;
mod bearer;
mod config;
mod context;
mod cookie;
mod credential;
mod device;
pub mod email;
pub mod hasher;
mod house;
pub mod issuer;
mod key;
mod memory;
mod mint;
pub mod oidc;
pub mod passkey;
mod permission;
pub mod policy;
mod principal;
mod resolve;
mod scope;
mod session;
mod standing;
pub mod token;
pub mod trust;
mod visitor;

pub use accounts::{AccountParts, Accounts, Arrival, Browser, Enrolment, RecoveryCodes, Tokens, Verified};
pub use administration::{Administration, NewAccount, Revoked, What, hold_reason};
pub use config::{Config, Registration};
pub use context::Context;
pub use credential::{Credentials, DEVICE_COOKIE, SESSION_COOKIES, VISITOR_COOKIE};
pub use house::{Identity, News};
pub use key::Keys;
pub use mint::{KeyService, NewApiKey};
pub use permission::{
    AccountRead, AccountWrite, Admin, AppsRead, ConversationDelete, ConversationFind, ConversationImport,
    ConversationRate, ConversationRead, ConversationShare, ConversationStop, ConversationWrite, Converse,
    DataErase, DataExport, Desk, DocumentsManage, DocumentsRead, FilesDelete, FilesRead, FilesWrite,
    KeysManage, Learn, May, Permission, Teach,
};
pub use principal::{Apps, Method, OwnLimits, Principal};
pub use resolve::{Refusal, Resolved};
pub use scope::{Scope, Scopes};
pub use store::{
    Alert, AlertFilter, ApiKey, AuditFilter, Block, Erased, Hold, Lockdown, Mode, Passkey, Session,
    SessionKind, StoredEvent, SubjectPages, Usage, UsageDay, UsageFilter, UsageRow, User, UserFilter,
};
